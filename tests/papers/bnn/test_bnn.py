"""lightnn/papers/bnn on few images: weights and activations are signs, and the table."""

import numpy as np
import pytest

from lightnn import Tensor, data, models, nn
from lightnn.journal import Journal
from lightnn.papers import bnn
from lightnn.papers.lab import one_bit
from lightnn.papers.lab.session import Session


@pytest.fixture(scope="module")
def run(images, tmp_path_factory):
    make, journal = models.bnn_mlp, Journal(tmp_path_factory.mktemp("run"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "load_mnist", lambda: images)
        patch.setattr(one_bit, "VALIDATION", 200)
        patch.setattr(models, "bnn_mlp", lambda rng: make(width=24, rng=rng))
        result = bnn.reproduce(Session(journal, quick=True, progress=False, say=lambda line: None))
    return result, journal.network("BNN", None)[0]


def test_weights_and_activations_are_signs(run, images):
    network = run[1]
    for path in ("fc1", "fc2", "fc3", "fc4"):
        assert set(np.unique(getattr(network, path).weight().data)) == {-1, 1}
    x = network.bn1(network.fc1(network.flatten(Tensor(images.x_test[:50]))))
    assert set(np.unique(network.act1(x).data)) == {-1, 1}
    assert all(isinstance(act, nn.Sign) for act in (network.act1, network.act2, network.act3))


def test_the_table_shows_the_papers_errors(run):
    text = bnn.format_tables(run[0])
    assert max(map(len, text.splitlines())) <= 80 and "1.40" in text and "<= 1.5" in text and "0.96" in text
