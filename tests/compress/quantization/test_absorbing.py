"""lightnn/compress/quantization/absorbing.py: what moves into the next layer, and that the network stays the same."""

import numpy as np
import pytest
from numba import config

from lightnn import Tensor, load, models, nn, save
from lightnn.compress import absorb_high_biases
from lightnn.compress.quantization.absorbing import high_bias
from lightnn.compress.quantization.observing import inputs_and_outputs


def randomized(model, rng, high):
    """The model with biases so high that no ReLU does anything."""
    for m in model.modules():
        if isinstance(m, nn.Conv2d | nn.Linear) and m.bias is not None:
            m.bias.data = (high + rng.random(m.bias.shape)).astype(np.float32)
    return model.eval()


def test_by_hand():
    """W x + b is 11 and 9 at x = 1 and x = -1: beta = 10, gamma = 1, c = 7."""
    model = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 2, bias=False)).eval()
    model[0].weight.data, model[0].bias.data = np.array([[1.0]], np.float32), np.array([10.0], np.float32)
    model[2].weight.data = np.array([[2.0], [-3.0]], np.float32)
    x = np.array([[1.0], [-1.0]], np.float32)
    new = absorb_high_biases(model, x)
    np.testing.assert_allclose(new[0].bias.data, [3.0])
    np.testing.assert_allclose(new[2].bias.data, [14.0, -21.0])
    np.testing.assert_allclose(new(Tensor(x)).data, model(Tensor(x)).data)
    assert model[0].bias.data == [10.0] and model[2].bias is None


def test_a_bias_that_is_not_high_stays():
    assert high_bias([10.0, 2.0, -5.0], [1.0, 1.0, 0.0]).tolist() == [7.0, 0.0, 0.0]


NETS = {
    "groups": lambda rng: nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, rng=rng), nn.ReLU(), nn.Conv2d(4, 6, 3, groups=2, rng=rng)
    ),
    "depthwise": lambda rng: nn.Sequential(
        nn.Conv2d(2, 4, 1, rng=rng), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 8, 3, groups=4, bias=False, rng=rng)
    ),
    "flatten": lambda rng: nn.Sequential(
        nn.Conv2d(2, 3, 3, rng=rng), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(12, 5, rng=rng)
    ),
    "no ReLU": lambda rng: nn.Sequential(nn.Conv2d(2, 3, 3, rng=rng), nn.Conv2d(3, 2, 3, rng=rng)),
}


@pytest.mark.parametrize("name", NETS)
def test_the_network_computes_the_same_in_a_shorter_range(name, rng, tmp_path):
    x = rng.standard_normal((16, 2, 8, 8)).astype(np.float32)
    model = randomized(NETS[name](0), rng, high=20)
    new, want = absorb_high_biases(model, x), model(Tensor(x)).data
    off = np.abs(new(Tensor(x)).data - want)
    assert off.max() < 0.3 and (off > 0.01).mean() < 0.05  # a few numbers are below c
    before, after = (inputs_and_outputs(m, "0", x)[1] for m in (model, new))
    assert after.max() < before.max() / 2
    save(new, tmp_path / "a.lnn")
    np.testing.assert_array_equal(load(tmp_path / "a.lnn")(Tensor(x)).data, new(Tensor(x)).data)


def test_zeros_that_are_padded_or_an_average_of_them_keep_the_bias(rng):
    x = rng.standard_normal((4, 1, 8, 8)).astype(np.float32)
    for after in ([nn.ReLU()], [nn.ReLU6()], [nn.AvgPool2d(3, 1, 1)]):
        last = nn.Conv2d(3, 2, 3, padding=int(type(after[0]) is nn.ReLU), rng=0)
        model = randomized(nn.Sequential(nn.Conv2d(1, 3, 1, rng=0), *after, last), rng, high=20)
        new = absorb_high_biases(model, x)
        np.testing.assert_array_equal(new[0].bias.data, model[0].bias.data)


@pytest.mark.skipif(config.DISABLE_JIT, reason="a network over many images needs the compiler")
def test_a_depthwise_network_stays_nearly_the_same(uneven, images):
    new = absorb_high_biases(uneven, images)
    want = uneven(Tensor(images)).data
    assert np.abs(new(Tensor(images)).data - want).max() < 0.05 * np.ptp(want)


@pytest.mark.parametrize("x", [np.full((2, 1, 12, 12), np.nan, np.float32), np.zeros((2, 1, 12, 12), int)])
def test_images_that_are_none_are_refused(x):
    with pytest.raises(ValueError, match="absorb_high_biases: want x"):
        absorb_high_biases(models.filternet_separable(width=4, rng=0), x)


def test_weights_that_are_not_finite_are_refused(rng):
    model = NETS["no ReLU"](0).eval()
    model[1].weight.data[:] = np.inf
    with pytest.raises(ValueError, match=r"absorb_high_biases: 1.weight"):
        absorb_high_biases(model, rng.standard_normal((2, 2, 8, 8)).astype(np.float32))
