"""Quantized networks in integers: each layer gives the codes of the network's own run, to a step."""

import copy

import numpy as np
import pytest

import lightnn
from lightnn import compress, io, models, nn, runtime
from lightnn.functional import concat
from lightnn.runtime.integers import steps
from lightnn.tensor import Tensor


def images(rng, *shape):
    return rng.random(shape, np.float32)


def both(model, x, **options):
    """(the quantized network's outputs, those of its integer program, S of the output)."""
    quantized = compress.quantize(model, x, **options)
    integers = runtime.lower_integers(quantized, x.shape)
    S = [m.scale.item() for m in quantized.modules() if isinstance(m, nn.FakeQuantize)][-1]
    return quantized(Tensor(x)).data, integers(x).data, S


class Sum(nn.Module):
    """a(x) + b(x), two convolutions of unlike scales."""

    def __init__(self, rng):
        self.a, self.b = nn.Conv2d(3, 8, 3, padding=1, rng=rng), nn.Conv2d(3, 8, 1, rng=rng)
        self.total = nn.Identity()

    def forward(self, x):
        return self.total(self.a(x) + self.b(x))


class Joined(Sum):
    """a(x) beside b(x)."""

    def forward(self, x):
        return self.total(concat([self.a(x), self.b(x)], 1))


LAYERS = {
    "conv": lambda rng: nn.Sequential(nn.Conv2d(3, 20, 3, 2, 1, rng=rng)),
    "conv, ReLU": lambda rng: nn.Sequential(nn.Conv2d(3, 7, 5, padding=2, bias=False, rng=rng), nn.ReLU()),
    "conv, ReLU6": lambda rng: nn.Sequential(nn.Conv2d(3, 7, (2, 3), (1, 2), rng=rng), nn.ReLU6()),
    "dilated": lambda rng: nn.Sequential(nn.Conv2d(3, 6, 3, padding=2, dilation=2, rng=rng)),
    "grouped": lambda rng: nn.Sequential(nn.Conv2d(3, 6, 3, padding=1, groups=3, rng=rng)),
    "depthwise": lambda rng: nn.Sequential(nn.Conv2d(3, 3, 3, padding=1, groups=3, rng=rng), nn.ReLU()),
    "depthwise, two filters": lambda rng: nn.Sequential(nn.Conv2d(3, 6, 3, 2, groups=3, rng=rng)),
    "flatten, linear": lambda rng: nn.Sequential(nn.Flatten(), nn.Linear(3 * 9 * 8, 11, rng=rng)),
    "max-pool, flatten, linear": lambda rng: nn.Sequential(
        nn.MaxPool2d(3, 2, 1), nn.Flatten(), nn.Linear(3 * 5 * 4, 11, rng=rng)
    ),
}


MEANS = {
    "mean": lambda rng: nn.Sequential(nn.AvgPool2d(2, 2)),
    "mean of a border too": lambda rng: nn.Sequential(nn.AvgPool2d(3, 2, 1)),
    "mean of what is inside": lambda rng: nn.Sequential(nn.AvgPool2d(3, 2, 1, count_include_pad=False)),
    "global mean": lambda rng: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 5, rng=rng)),
}


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("per_channel", [True, False])
@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_a_layer_is_its_simulation_to_a_step(make, bits, per_channel, rng):
    x = images(rng, 6, 3, 9, 8) - np.float32(0.3)
    y, z, S = both(make(rng), x, weight_bits=bits, per_channel=per_channel)
    assert y.shape == z.shape and y.dtype == z.dtype
    np.testing.assert_allclose(z, y, rtol=0, atol=1.001 * S)
    assert (np.abs(z - y) > S / 2).mean() < 0.05, "most codes are the same"


def test_a_channel_of_almost_no_weights_and_a_bias(rng):
    """As a folded batch norm leaves it: |bias| / (S1 S2) is far beyond int32."""
    layer = nn.Conv2d(3, 4, 3, rng=rng)
    layer.weight.data[1], layer.weight.data[2] = 1e-11 * layer.weight.data[1], 0
    layer.bias.data = np.array([0.1, 5, -3, 0.2], np.float32)
    y, z, S = both(nn.Sequential(layer), images(rng, 2, 3, 6, 6))
    np.testing.assert_allclose(z, y, rtol=0, atol=1.001 * S)


@pytest.mark.parametrize("make", MEANS.values(), ids=MEANS)
def test_a_mean_is_rounded_twice(make, rng):
    """In the scale of what it reads, as TFLite rounds it, and in its own."""
    y, z, S = both(make(rng), images(rng, 6, 3, 9, 8) - np.float32(0.3))
    assert y.shape == z.shape and y.dtype == z.dtype
    np.testing.assert_allclose(z, y, rtol=0, atol=2.001 * S)


@pytest.mark.parametrize("make", [Sum, Joined])
def test_tensors_of_two_scales_meet(make, rng):
    x = images(rng, 4, 3, 9, 8) - np.float32(0.3)
    y, z, S = both(make(rng), x)
    np.testing.assert_allclose(z, y, rtol=0, atol=2.001 * S)


NETWORKS = {
    "lenet_300_100": (lambda: models.lenet_300_100(rng=1), (1, 28, 28)),
    "lenet5": (lambda: models.lenet5(rng=1), (1, 28, 28)),
    "resnet, padded shortcuts": (lambda: models.cifar_resnet(8, 8, rng=1), (3, 16, 16)),
    "resnet, projections": (lambda: models.cifar_resnet(8, 8, True, rng=1), (3, 16, 16)),
    "shifts": (lambda: models.filternet_shift(width=8, rng=1), (1, 28, 28)),
    "separable": (lambda: models.filternet_separable(width=8, rng=1), (1, 28, 28)),
    "groups, shuffled": (lambda: models.filternet_grouped(rng=1), (1, 28, 28)),
}


@pytest.mark.parametrize(("make", "shape"), NETWORKS.values(), ids=NETWORKS)
def test_a_network_agrees_with_its_simulation(make, shape, rng):
    x = images(rng, 16, *shape)
    y, z, S = both(make(), x)
    assert np.abs(z - y).max() <= 4.001 * S and np.abs(z - y).mean() < S


def test_a_masked_network_that_was_loaded(tmp_path, rng):
    model = models.lenet5(rng=2)
    compress.prune_to_fraction(model.fc1.weight, 0.1)
    x = images(rng, 4, 1, 28, 28)
    quantized = compress.quantize(model, x)
    lightnn.save(quantized, tmp_path / "net.lnn")
    a, b = (runtime.lower_integers(m, x.shape) for m in (quantized, io.load(tmp_path / "net.lnn")))
    np.testing.assert_array_equal(a(x).data, b(x).data)
    np.testing.assert_array_equal(copy.deepcopy(a)(x[:0]).data, np.empty((0, 10), np.float32))


def test_what_it_holds_is_a_quarter_of_the_floats(rng):
    x = images(rng, 4, 1, 28, 28)
    model = models.lenet5(rng=2)
    held = runtime.held_bytes(runtime.lower_integers(compress.quantize(model, x), x.shape))
    assert held.dense == sum(p.data.nbytes for p in model.parameters())
    assert held.held < 0.3 * held.dense


def test_a_function_of_one_number_is_a_table():
    a, b = steps.Codes(0.1, 100, 0, 255, (3,)), steps.Codes(0.01, 0, 0, 255, (3,))
    run = steps.table(a, b, lambda r: np.tanh(r))
    assert run(np.array([100, 105, 90], np.uint8)).tolist() == [0, 46, 0]


def test_refusals(rng):
    x = images(rng, 4, 1, 28, 28)
    quantized = compress.quantize(models.lenet5(rng=0), x)
    with pytest.raises(ValueError, match="lower_integers: want a FakeQuantize between the input and conv2d in conv1"):
        runtime.lower_integers(models.lenet5(rng=0), x.shape)
    compress.share(quantized.fc1.weight, bits=4)
    with pytest.raises(ValueError, match=r"lower_integers: fc1.*: want a weight of affine codes"):
        runtime.lower_integers(quantized, x.shape)
    integers = runtime.lower_integers(compress.quantize(models.lenet5(rng=0), x), x.shape)
    with pytest.raises(ValueError, match=r"IntegerNetwork: want floats \(N, 1, 28, 28\), got float32 \(4, 1, 27, 28\)"):
        integers(x[:, :, 1:])
    with pytest.raises(ValueError, match="IntegerNetwork: want finite numbers in x"):
        integers(np.where(x > 0.5, np.nan, x))
    with pytest.raises(RuntimeError, match="does not train"):
        integers.train()(x)
