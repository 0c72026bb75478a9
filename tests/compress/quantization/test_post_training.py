"""lightnn/compress/quantization/post_training.py: every network is quantized, saved, loaded and trained on."""

import numpy as np
import pytest
from numba import config

from lightnn import Tensor, compress, load, models, nn, optim, save
from lightnn import functional as F
from lightnn.compress import equalize, mse_range, prune, quantize, share

ZOO = {
    "lenet_300_100": (models.lenet_300_100, (1, 28, 28)),
    "lenet5": (models.lenet5, (1, 28, 28)),
    "filternet_separable": (models.filternet_separable, (1, 12, 12)),
    "filternet_grouped": (models.filternet_grouped, (1, 12, 12)),
    "filternet_shift": (models.filternet_shift, (1, 12, 12)),
    "cifar_resnet": (lambda rng: models.cifar_resnet(8, 4, rng=rng), (3, 12, 12)),
    "projections": (lambda rng: models.cifar_resnet(8, 4, True, rng=rng), (3, 12, 12)),
    "shufflenet_v1": (lambda rng: models.shufflenet_v1(2, 0.2, 10, rng=rng), (3, 32, 32)),
    "shift_resnet": (lambda rng: models.shift_resnet(8, 1, rng=rng), (3, 12, 12)),
    "mobilenet_v1": (lambda rng: models.mobilenet_v1(10, width_mult=0.05, rng=rng), (3, 32, 32)),
    "vgg16_cifar": (lambda rng: models.vgg16_cifar(width_mult=0.05, rng=rng), (3, 32, 32)),
    "googlenet": (lambda rng: models.googlenet(10, width_mult=0.1, aux_logits=False, rng=rng), (3, 32, 32)),
    "densenet": (lambda rng: models.densenet((2, 2), 4, 8, 10, rng=rng), (3, 32, 32)),
    "squeezenet1_0": (lambda rng: models.squeezenet1_0(10, width_mult=0.5, rng=rng), (3, 32, 32)),
    "mobilenet_v2": (lambda rng: models.mobilenet_v2(10, width_mult=0.1, rng=rng), (3, 32, 32)),
    "mobilenet_v3_small": (lambda rng: models.mobilenet_v3_small(10, width_mult=0.1, rng=rng), (3, 32, 32)),
    "shufflenet_v2": (lambda rng: models.shufflenet_v2(8, 16, 10, rng=rng), (3, 32, 32)),
    "efficientnet_lite": (lambda rng: models.efficientnet_lite(0.1, 0.3, num_classes=10, rng=rng), (3, 32, 32)),
    "deeplab": (lambda rng: models.deeplab((1, 1, 1, 1), (1, 2), width_mult=0.1, rng=rng), (3, 33, 33)),
}
LARGER = {
    "googlenet",
    "densenet",
    "squeezenet1_0",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "shufflenet_v2",
    "efficientnet_lite",
    "deeplab",
}


def distance(a, b):
    return float(np.abs(a - b).max() / np.abs(b).max())


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.thorough if n in LARGER else ()) for n in ZOO])
def test_every_network_of_the_library_is_quantized_saved_and_loaded(name, rng, tmp_path):
    make, shape = ZOO[name]
    model, x = make(rng=0).eval(), rng.standard_normal((16, *shape)).astype(np.float32)
    before, quantized = model(Tensor(x)).data, quantize(model, x)
    y = quantized(Tensor(x)).data
    assert distance(y, before) < 0.05
    np.testing.assert_array_equal(model(Tensor(x)).data, before)
    assert len(np.unique(y)) <= 256
    save(quantized, tmp_path / "a.lnn")
    loaded = load(tmp_path / "a.lnn")
    np.testing.assert_array_equal(loaded(Tensor(x)).data, y)
    assert repr(loaded) == repr(quantized)


def test_where_the_layers_stand():
    x = np.random.default_rng(0).random((4, 3, 12, 12), np.float32)
    q = quantize(models.cifar_resnet(8, 4, rng=0).eval(), x, bits=4)
    bits = {path: m.bits for path, m in q.named_modules() if isinstance(m, nn.FakeQuantize)}
    assert bits["conv1.0"] == bits["fc.1"] == 8 and bits["relu.1"] == 4  # the ends have 8 bits, and ReLU is one step
    assert "conv1.2" not in bits and {"layer1.0.relu.1", "layer1.0.conv2.1", "layer1.0.relu2.1", "avgpool.1"} <= set(
        bits
    )
    assert len(bits) == 2 + 3 * 3 + 2


def test_what_it_gives_is_what_integers_give():
    """One layer with ReLU, in integers: the codes are the same up to one step."""
    rng = np.random.default_rng(1)
    model = nn.Sequential(nn.Linear(30, 20, rng=0), nn.ReLU(), nn.Linear(20, 5, rng=1)).eval()
    x = rng.standard_normal((50, 30)).astype(np.float32)
    q = quantize(model, x)
    first, fc, between = q[0][0], q[0][1], q[1][1]
    qx = np.clip(np.rint(x / first.scale) + first.zero_point, 0, 255).astype(np.int64) - first.zero_point
    codes, S_w = fc.weight.values.encode(fc.weight.data)["codes"].astype(np.int64), fc.weight.values.scale
    b = np.rint(fc.bias.data / (S_w * first.scale)).astype(np.int64)
    y = np.rint((qx @ codes.T + b) * (S_w * first.scale / between.scale)) + between.zero_point
    y = np.clip(y, between.zero_point, 255)
    floats = q[1](q[0](Tensor(x))).data
    assert np.abs(np.rint(floats / between.scale) + between.zero_point - y).max() <= 1
    assert between.zero_point == 0


@pytest.mark.thorough
@pytest.mark.skipif(config.DISABLE_JIT, reason="training needs the compiler")
@pytest.mark.parametrize("bits", [3, pytest.param(4, marks=pytest.mark.thorough)])
def test_training_goes_on_and_comes_nearer(bits, uneven, images, error):
    q = quantize(equalize(uneven, (1, 1, 12, 12)), images, bits=bits, weight_bits=bits, choose=mse_range)
    want, before = uneven(Tensor(images)).data, error(q)
    optimizer = optim.Adam(q.train().parameters(), lr=2e-3)
    for _ in range(25):
        loss = ((q(Tensor(images)) - want) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert error(q.eval()) < 0.8 * before


def test_ranges_follow_the_training_if_they_should(rng, tmp_path):
    model, x = nn.Sequential(nn.Linear(3, 2, rng=0)), rng.random((50, 3), np.float32)
    for observing in (False, True):
        q = quantize(model, x, observing=observing)
        before = q[0][2].observed.copy()
        for _ in range(3):
            q.train()(Tensor(5 * x))
        assert np.array_equal(q[0][2].observed, before) != observing
        save(q.eval(), tmp_path / "a.lnn")
        np.testing.assert_array_equal(load(tmp_path / "a.lnn")(Tensor(x)).data, q(Tensor(x)).data)


def test_masks_and_codebooks_stay(rng):
    model, x = models.lenet_300_100(rng=0), rng.random((8, 1, 28, 28), np.float32)
    prune(model.fc1.weight, 1.0)
    share(model.fc2.weight, 4)
    q = quantize(model, x)
    assert not q.fc1.weight().data[~model.fc1.weight.support.mask].any()
    np.testing.assert_array_equal(q.fc2.weight().data, model.fc2.weight().data)


class Twice(nn.Module):
    def __init__(self, kind):
        self.kind = kind
        self.conv, self.other, self.relu = nn.Conv2d(2, 2, 1), nn.Conv2d(2, 2, 1), nn.ReLU()

    def forward(self, x):
        if self.kind == "relu":
            return self.relu(self.other(self.relu(self.conv(x))))
        if self.kind == "conv":
            return self.conv(self.conv(x))
        if self.kind == "add":
            return self.relu(self.other(self.conv(x) + 1.0))
        return self.other(F.relu(x))


@pytest.mark.parametrize(
    "kind, message",
    [
        ("relu", "quantize: want a module of its own for each call, got relu, which is called 2 times"),
        ("conv", "quantize: want a module of its own for each call, got conv, which is called 2 times"),
        ("add", "quantize: want a module of its own, such as nn.Identity, to return what add in the network gives"),
        ("input", "quantize: relu in the network reads the network's input: want a module to do it"),
    ],
)
def test_a_tensor_that_no_module_of_its_own_gives_is_named(kind, message):
    with pytest.raises(ValueError, match=message):
        quantize(Twice(kind).eval(), np.ones((2, 2, 3, 3), np.float32))


def test_sums_must_fit_into_int32():
    model = nn.Sequential(nn.Linear(66_312, 1, rng=0))
    x = np.ones((1, 66_312), np.float32)
    with pytest.raises(ValueError, match=r"quantize: 0: want sums within int32, got 66312 products of up to 32385"):
        quantize(model, x)
    assert quantize(model, x, weight_bits=7)[0][1].weight.values.bits == 7


def test_errors():
    model, x = nn.Sequential(nn.Linear(2, 2, rng=0)), np.ones((2, 2), np.float32)
    for bad in (x[0], np.full((2, 2), np.nan, np.float32), np.ones((2, 2), int), np.ones((0, 2), np.float32)):
        with pytest.raises(ValueError, match="quantize: want x, a batch of finite floats"):
            quantize(model, bad)
    model[0].weight.data[0, 0] = np.inf
    with pytest.raises(ValueError, match=r"calibrate: 0\.2: want finite numbers"):
        quantize(model, x)
    with pytest.raises(RuntimeError, match="FakeQuantize: it is not calibrated"):
        nn.FakeQuantize()(Tensor(x))
    for function in (compress.correct_bias, compress.adaround):
        with pytest.raises(ValueError, match="want a network that `quantize` has made"):
            function(nn.Sequential(nn.Linear(2, 2)), x)


def test_a_quantized_network_is_thinned_and_saved(rng, tmp_path):
    model, x = models.cifar_resnet(8, 4, rng=0).eval(), rng.random((8, 3, 12, 12), np.float32)
    q = quantize(model, x)
    found = compress.channels(q, (1, 3, 12, 12))
    cuts = compress.plan(q, found, {"layer1.0.conv1": [0, 2]})
    thinned, masked = compress.thin(q, cuts), compress.mask_channels(q, cuts)
    np.testing.assert_allclose(thinned(Tensor(x)).data, masked(Tensor(x)).data, atol=q.fc[1].scale.item())
    save(thinned, tmp_path / "a.lnn")
    np.testing.assert_array_equal(load(tmp_path / "a.lnn")(Tensor(x)).data, thinned(Tensor(x)).data)
