"""lightnn/papers/xnor on few images: what is binary in each way, K, the batch norms, and the table."""

import numba
import numpy as np
import pytest

from lightnn import Tensor, models, nn
from lightnn.compress import Binary, BinaryBases
from lightnn.journal import Journal
from lightnn.papers import xnor
from lightnn.papers.lab import low_bits
from lightnn.papers.lab.low_bits import INNER
from lightnn.papers.lab.session import Session
from lightnn.papers.xnor import experiment

needs_compiler = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="training convolutions takes the compiler")


@models.architecture
class FewSigns(nn.Module):
    """xnor_lenet5 with few filters: the same modules by the same names."""

    def __init__(self, rng=None):
        rng = nn.init.generator(rng)
        self.conv1, self.conv2 = nn.Conv2d(1, 4, 5, bias=False, rng=rng), nn.Conv2d(4, 8, 5, bias=False, rng=rng)
        self.fc1, self.fc2 = nn.Linear(128, 32, bias=False, rng=rng), nn.Linear(32, 10, rng=rng)
        self.bn1, self.bn2, self.bn3 = nn.BatchNorm2d(4), nn.BatchNorm2d(8), nn.BatchNorm1d(32)
        self.act1, self.act2, self.act3 = nn.Sign(), nn.Sign(), nn.ReLU()
        self.pool, self.pool2, self.flatten = nn.MaxPool2d(2), nn.MaxPool2d(2), nn.Flatten()

    forward = models.xnor_lenet5().__class__.forward


@pytest.fixture(scope="module")
def run(few_bits, tmp_path_factory):
    journal = Journal(tmp_path_factory.mktemp("run"))
    with pytest.MonkeyPatch.context() as patch:
        few_bits(patch)
        small = low_bits.QUICK | {"make": lambda rng: experiment.floats(rng, FewSigns)}
        patch.setattr(low_bits, "QUICK", small)
        result = xnor.reproduce(Session(journal, quick=True, progress=False, say=lambda line: None))
    return result, {name: journal.network(name, None)[0] for name in xnor.WAYS}


@pytest.mark.thorough
@needs_compiler
def test_the_inner_layers_are_what_each_way_says(run):
    result, networks = run
    assert list(result["ways"]) == ["float control", *networks]
    for name, network in networks.items():
        kinds = {type(getattr(network, path).weight.values) for path in INNER}
        assert kinds == ({BinaryBases} if "bases" in name else {Binary})
        assert network.conv1.weight.values is network.fc2.weight.values is None
        acts = {type(getattr(network, path)) for path in experiment.READ}
        signs = {"XNOR, K": nn.Identity, "XNOR, Bi-Real": nn.ApproxSign}.get(name, nn.Sign)
        assert acts == {nn.ReLU if name.startswith("BWN") else signs}
    scale = networks["BWN"].conv2.weight.values
    assert scale.alpha.shape == (8,) and isinstance(networks["XNOR, K"].conv2, nn.XnorConv2d)


@needs_compiler
def test_norms_that_are_measured_again_give_back_what_binary_weights_took(run):
    result = run[0]["ways"]
    before, after = (result[f"BWN, {name}"]["test accuracy %"] for name in ("not trained", "norms again"))
    assert after > before + 10
    text = xnor.format_tables(run[0])
    assert [line for line in text.splitlines() if len(line) > 80] == []
    assert "99.05" in text and ">= 98.5" in text and ">= 99.1" in text
    assert "measured again on the training images" in text and "XNOR, 3 bases" in text


def test_with_k_the_weights_are_those_of_the_network_of_floats(rng):
    model = experiment.floats(0, FewSigns)
    scaled, plain = experiment.scaled(model, None).eval(), experiment.xnor(model, None).eval()
    for path in INNER:
        np.testing.assert_array_equal(getattr(scaled, path).weight().data, getattr(plain, path).weight().data)
    x = Tensor(rng.random((2, 4, 12, 12)).astype(np.float32))
    y, signs = scaled.conv2(x).data, plain.conv2(plain.act1(x)).data
    assert (np.sign(y) == np.sign(signs)).all() and (y != signs).any()
