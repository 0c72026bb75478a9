"""For the papers' tests: a few images that a network learns in seconds, and a small network for them."""

import numpy as np
import pytest

from lightnn import data, models, nn
from lightnn.journal import Journal
from lightnn.papers.lab import low_bits, stage
from lightnn.papers.lab.session import Session
from lightnn.search import Here, proxy


@models.architecture
class FewFilters(nn.Module):
    """twn_lenet5 with few filters: the same modules by the same names."""

    def __init__(self, rng=None):
        rng = nn.init.generator(rng)
        self.conv1, self.conv2 = nn.Conv2d(1, 4, 5, rng=rng), nn.Conv2d(4, 8, 5, rng=rng)
        self.fc1, self.fc2 = nn.Linear(128, 32, rng=rng), nn.Linear(32, 10, rng=rng)
        self.bn1, self.bn2, self.bn3 = nn.BatchNorm2d(4), nn.BatchNorm2d(8), nn.BatchNorm1d(32)
        self.relu1, self.relu2, self.relu3 = nn.ReLU(), nn.ReLU(), nn.ReLU()
        self.pool, self.pool2, self.flatten = nn.MaxPool2d(2), nn.MaxPool2d(2), nn.Flatten()

    forward = models.twn_lenet5().__class__.forward


@pytest.fixture(scope="session")
def few_bits(images):
    """few_bits(patch): experiments on few bits become small ones, with --quick."""

    def small(patch):
        quick = {"reference_epochs": 2, "epochs": 2, "images": 200, "reference_images": 600, "make": FewFilters}
        patch.setattr(data, "load_mnist", lambda: images)
        patch.setattr(stage.split, "__defaults__", (200,))
        patch.setattr(low_bits, "QUICK", quick)

    return small


@pytest.fixture(scope="module")
def few_bits_run(few_bits, tmp_path_factory):
    """run(paper): (its result with few images, {name of a step: its network})."""

    def run(paper):
        journal = Journal(tmp_path_factory.mktemp("run"))
        with pytest.MonkeyPatch.context() as patch:
            few_bits(patch)
            result = paper.reproduce(Session(journal, quick=True, progress=False, say=lambda line: None))
        return result, lambda name: journal.network(name, None)[0]

    return run


@pytest.fixture(scope="module")
def run(request, images, tmp_path_factory):
    """(journal, result) of the module's run_once(journal), made small by its small(patch, images)."""
    journal = Journal(tmp_path_factory.mktemp("run"))
    with pytest.MonkeyPatch.context() as patch:
        request.module.small(patch, images)
        return journal, request.module.run_once(journal)


@pytest.fixture(scope="session")
def patterns():
    """patterns(training, test): that many images, ten patterns with noise."""

    def make(training, test):
        rng, count = np.random.default_rng(0), training + test
        y = rng.integers(0, 10, count)
        x = ((rng.random((10, 1, 28, 28)) < 0.2)[y] * rng.random((count, 1, 28, 28))).astype(np.float32)
        return data.Dataset(x[:training], y[:training], x[training:], y[training:])

    return make


@pytest.fixture(scope="session")
def images(patterns):
    """600 training, 200 validation and 200 test images."""
    return patterns(800, 200)


@pytest.fixture
def small_search(images, monkeypatch):
    """small_search(experiment, quick): its --quick becomes `quick`, on few images, evaluated in this process."""

    def small(experiment, quick):
        evaluations = experiment.search.Evaluations
        here = lambda work, journal, workers, progress: evaluations(work, journal, Here(), progress=progress)  # noqa: E731
        for name in ("mnist", "fashion_mnist"):
            monkeypatch.setitem(proxy.LOADERS, name, lambda: images)
            monkeypatch.setattr(data, f"load_{name}", lambda: images)
        monkeypatch.setattr(proxy, "APART", 200)
        monkeypatch.setattr(experiment, "QUICK", quick)
        monkeypatch.setattr(experiment.search, "Evaluations", here)

    proxy._load.cache_clear()
    yield small
    proxy._load.cache_clear()
