"""lightnn/papers/binaryconnect on few images: what each way and each form is, and the table."""

import numpy as np
import pytest

from lightnn import data, models
from lightnn.compress import StochasticBinary
from lightnn.journal import Journal
from lightnn.papers import binaryconnect
from lightnn.papers.binaryconnect import experiment
from lightnn.papers.lab import one_bit
from lightnn.papers.lab.session import Session
from lightnn.training import predict

LAYERS = ("fc1", "fc2", "fc3", "fc4")


@pytest.fixture(scope="module")
def run(images, tmp_path_factory):
    """(the numbers, {way: its network}) of a narrow network."""
    make, journal = models.binaryconnect_mlp, Journal(tmp_path_factory.mktemp("run"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "load_mnist", lambda: images)
        patch.setattr(one_bit, "VALIDATION", 200)
        patch.setattr(models, "binaryconnect_mlp", lambda rng: make(width=24, rng=rng))
        result = binaryconnect.reproduce(Session(journal, quick=True, progress=False, say=lambda line: None))
    return result, {name: journal.network(name, None)[0] for name in binaryconnect.WAYS}


def test_all_layers_are_binary(run):
    _, networks = run
    for name in ("deterministic", "stochastic"):
        for path in LAYERS:
            weight = getattr(networks[name], path).weight
            assert set(np.unique(weight().data)) <= {-1, 1} and 0 < np.abs(weight.data).max() <= 1
            assert isinstance(weight.values, StochasticBinary) == (name == "stochastic")
    assert networks["floats"].fc1.weight.values is None


def test_the_forms_are_what_they_say(run, images):
    network, x = run[1]["stochastic"], images.x_test[:20]
    split = one_bit.stage.split(images, 200)
    latent, signs = experiment.latent(network, split), experiment.signs_again(network, split)
    for path in LAYERS:
        layers = [getattr(m, path).weight for m in (network, latent, signs)]
        np.testing.assert_array_equal(layers[1]().data, layers[0].data)
        np.testing.assert_array_equal(layers[2]().data, layers[0]().data)
    assert (latent.bn1.running_mean == network.bn1.running_mean).all()
    assert (experiment.latent_again(network, split).bn1.running_mean != network.bn1.running_mean).any()
    assert (predict(signs, x) != predict(latent, x)).any()


def test_the_table_shows_the_papers_errors(run):
    text = binaryconnect.format_tables(run[0])
    assert max(map(len, text.splitlines())) <= 80
    for figure in ("1.29", "1.18", "1.30", "<= 1.4"):
        assert figure in text
    assert set(run[0]["ways"]["stochastic"]["forms"]) == set(experiment.FORMS)
