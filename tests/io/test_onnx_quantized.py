"""Quantized networks as ONNX files: ONNX Runtime gives the same classes as our simulation, and the same codes up to one
step, from pairs of QuantizeLinear and DequantizeLinear and from integer operators."""

import collections
import copy
import itertools

import numpy as np
import pytest

from lightnn import Tensor, compress, io, models, nn
from lightnn import functional as F

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.oracle


class Watched(nn.Module):
    """Calibrates a FakeQuantize by what passes."""

    def __init__(self):
        self.low, self.high = 0.0, 0.0

    def forward(self, x):
        self.low, self.high = min(self.low, float(x.data.min())), max(self.high, float(x.data.max()))
        return x


def ranged(low, high, bits=8):
    layer = nn.FakeQuantize(bits)
    layer.set_range(low, high)
    return layer


def quantized(network, x, bits=8, **options):
    """network(q) -> model, where q() makes a place to quantize: the model with every weight and place quantized."""
    places = []

    def place():
        places.append(Watched())
        return places[-1]

    network(place)(Tensor(x)), places
    ranges = iter([(p.low, p.high) for p in places])
    model = network(lambda: ranged(*next(ranges), bits))
    for name, p in model.named_parameters():
        if name.endswith("weight"):
            compress.use_affine(p, bits, **options)
    return model.eval()


def plain(q):
    """Convolutions (grouped too), pooling, two fully connected layers, the last one with floats out."""
    rng = np.random.default_rng(5)
    return nn.Sequential(
        *(q(), nn.Conv2d(3, 8, 3, 2, 1, rng=rng), nn.ReLU(), q(), nn.MaxPool2d(2)),
        *(nn.Conv2d(8, 8, 3, 1, 1, groups=4, bias=False, rng=rng), q(), nn.ReLU(), nn.ChannelShuffle(4)),
        *(nn.Conv2d(8, 8, 3, groups=8, rng=rng), nn.ReLU6(), q(), nn.Flatten()),
        *(nn.Linear(8 * 4, 16, rng=rng), nn.Tanh(), q(), nn.Linear(16, 10, bias=False, rng=rng), q()),
        nn.Linear(10, 10, rng=rng),
    )


class Residual(nn.Module):
    """An addition, a concatenation and averages: floats between pairs."""

    def __init__(self, q):
        self.q = [q() for _ in range(5)]
        self.conv = nn.Conv2d(3, 3, 3, 1, 1, rng=1)
        self.fc = nn.Linear(6, 5, rng=2)

    def forward(self, x):
        x = self.q[0](x)
        y = self.q[1](F.relu(self.conv(x)))
        z = self.q[3](F.concat([x, self.q[2](x + y)], 1))
        return self.q[4](self.fc(F.flatten(F.adaptive_avg_pool2d(z, output_size=1))))


def images(n=16, channels=3, size=16):
    return np.random.default_rng(1).normal(0, 1, (n, channels, size, size)).astype("f")


WRITERS = {"pairs": io.to_onnx, "operators": io.to_onnx_integers}


def run(write, model, x, path, optimized=True):
    write(model, path, (2, *x.shape[1:]))
    options = onnxruntime.SessionOptions()
    if not optimized:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    (y,) = onnxruntime.InferenceSession(path, options).run(None, {"input": x})
    return y


def operators(path):
    return collections.Counter(node.op_type for node in onnx.load(path).graph.node)


@pytest.mark.parametrize("optimized", [True, False])
@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("options", [{}, {"per_channel": False}, {"symmetric": False, "per_channel": False}])
def test_a_float_output_and_the_classes_are_those_of_the_simulation(options, form, optimized, tmp_path):
    x = images()
    model = quantized(plain, x, **options)
    want = model(Tensor(x)).numpy()
    got = run(WRITERS[form], model, x, tmp_path / "net.onnx", optimized)
    step = model[-2].scale * 10 * np.abs(model[-1].weight.data).max()
    assert np.abs(got - want).max() <= step  # a few codes before it differ by 1
    clear = np.sort(want, 1)[:, -1] - np.sort(want, 1)[:, -2] > 2 * np.abs(got - want).max()
    assert clear.mean() > 0.5 and (got.argmax(1) == want.argmax(1))[clear].all()


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("bits", [8, 5])
def test_codes_differ_by_one_step_at_most(form, bits, tmp_path):
    """After each layer alone, so that steps do not add up."""
    x = images()
    model = quantized(plain, x, bits)
    ends = [i for i, m in enumerate(model) if isinstance(m, nn.FakeQuantize)]
    for first, last in itertools.pairwise(ends):
        part = nn.Sequential(*list(model)[first : last + 1])
        x_part = nn.Sequential(*list(model)[:first])(Tensor(x)).numpy() if first else x
        want = part(Tensor(x_part)).numpy()
        got = run(WRITERS[form], part, x_part, tmp_path / "net.onnx")
        codes = np.rint((got - want) / model[last].scale)
        assert np.abs(codes).max() <= 1 and (codes == 0).mean() > 0.98


@pytest.mark.parametrize("form", WRITERS)
def test_what_has_no_integer_operator_stays_between_pairs(form, tmp_path):
    x = images()
    model = quantized(Residual, x)
    want, got = model(Tensor(x)).numpy(), run(WRITERS[form], model, x, tmp_path / "net.onnx")
    assert np.abs(np.rint((got - want) / model.q[-1].scale)).max() <= 2
    found = operators(tmp_path / "net.onnx")
    assert found["Add"] == found["Concat"] == 1
    assert found["QLinearConv"] == (form == "operators")


def test_the_operators_of_a_plain_network(tmp_path):
    x = images()
    model = quantized(plain, x)
    io.to_onnx_integers(model, tmp_path / "net.onnx", x.shape)
    found = operators(tmp_path / "net.onnx")
    assert found["QLinearConv"] == 3 and found["QLinearMatMul"] == 1 and found["MatMulInteger"] == 2
    assert not found["Conv"] and not found["Gemm"]
    assert found["MaxPool"] == found["Clip"] == 1  # the ReLU of codes; other bounds change none


def test_a_bound_inside_the_range_clips_codes(tmp_path):
    model = nn.Sequential(ranged(-1, 1), nn.Linear(3, 40, rng=0), nn.ReLU6(), ranged(-2, 9))
    model[1].weight.data *= 10
    compress.use_affine(model[1].weight)
    x = np.random.default_rng(0).uniform(-1, 1, (50, 3)).astype("f")
    want = model(Tensor(x)).numpy()
    assert want.min() == 0 and (want == want.max()).mean() > 0.02
    for write in WRITERS.values():
        got = run(write, model, x, tmp_path / "net.onnx")
        assert np.abs(np.rint((got - want) / model[3].scale)).max() <= 1
        assert got.min() == 0 and abs(got.max() - want.max()) < 1e-6
    clip = next(n for n in onnx.load(tmp_path / "net.onnx").graph.node if n.op_type == "Clip")
    held = {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(tmp_path / "net.onnx").graph.initializer}
    assert [int(held[name]) for name in clip.input[1:]] == [46, 46 + 139]


def test_weights_are_int8_biases_int32_with_a_scale_a_channel(tmp_path):
    x = images()
    model = quantized(plain, x)
    mask = np.random.default_rng(0).random(model[1].weight.shape) < 0.3
    compress.set_mask(model[1].weight, mask)
    io.to_onnx(model, tmp_path / "net.onnx", x.shape)
    held = {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(tmp_path / "net.onnx").graph.initializer}
    assert held["1.weight"].dtype == np.int8 and held["1.weight.scale"].shape == (8,)
    assert np.array_equal(held["1.weight"] * held["1.weight.scale"].reshape(-1, 1, 1, 1), model[1].weight().numpy())
    assert (held["1.weight"][~mask] == 0).all()
    assert held["1.bias"].dtype == np.int32
    assert np.allclose(held["1.bias.scale"], model[0].scale * held["1.weight.scale"])
    assert np.abs(held["1.bias"] * held["1.bias.scale"] - model[1].bias.data).max() <= held["1.bias.scale"].max()
    assert held["0.scale"] == model[0].scale and held["0.zero_point"].dtype == np.uint8


def test_weights_alone_can_be_codes(tmp_path):
    model = models.lenet_300_100(rng=0)
    for fc in (model.fc1, model.fc2, model.fc3):
        compress.use_affine(fc.weight, 4)
    x = np.random.default_rng(0).random((16, 1, 28, 28), np.float32)
    want, got = model(Tensor(x)).numpy(), run(io.to_onnx, model, x, tmp_path / "net.onnx")
    assert np.abs(got - want).max() <= 1e-4 * np.abs(want).max()
    assert (tmp_path / "net.onnx").stat().st_size < 1.1 * sum(p.size for p in model.parameters() if p.ndim > 1)


def test_lenet5_quantized_by_hand(tmp_path):
    x = np.random.default_rng(0).random((16, 1, 28, 28), np.float32)

    def network(q):
        model = models.lenet5(rng=0)
        return nn.Sequential(q(), model.conv1, q(), nn.MaxPool2d(2), model.conv2, q(), nn.MaxPool2d(2), nn.Flatten(),
                             model.fc1, nn.ReLU(), q(), model.fc2)  # fmt: skip

    model = quantized(network, x)
    want = model(Tensor(x)).numpy()
    for write in WRITERS.values():
        got = run(write, model, x, tmp_path / "net.onnx")
        assert (got.argmax(1) == want.argmax(1)).all()
        assert (tmp_path / "net.onnx").stat().st_size < 0.27 * 4 * sum(p.size for p in model.parameters())


class Signed(nn.Module):
    """Codes from -128 to 127, or others."""

    def __init__(self, scale=0.1, q_min=-128, q_max=127):
        self.given = {"scale": scale, "zero_point": 3, "q_min": q_min, "q_max": q_max}

    def forward(self, x):
        return F.fake_quantize(x, **self.given)


def test_signed_codes_are_int8(tmp_path):
    model = nn.Sequential(Signed(), nn.Linear(4, 30, rng=0), nn.ReLU(), Signed(0.05))
    compress.use_affine(model[1].weight)
    x = np.random.default_rng(0).normal(0, 5, (20, 4)).astype("f")
    want = model(Tensor(x)).numpy()
    for write in WRITERS.values():
        codes = np.rint((run(write, model, x, tmp_path / "net.onnx") - want) / 0.05)
        assert np.abs(codes).max() <= 1 and (codes == 0).mean() > 0.98
    assert operators(tmp_path / "net.onnx")["QLinearConv"] == operators(tmp_path / "net.onnx")["Clip"] == 1


@pytest.mark.parametrize("model", [Signed(q_max=128), Signed(np.array([0.1, 0.2]))])
def test_other_codes_are_refused(model, tmp_path):
    with pytest.raises(ValueError, match="`fake_quantize` in the network itself has no counterpart in ONNX unless"):
        io.to_onnx(model, tmp_path / "net.onnx", (2, 3))


def test_a_layer_that_is_not_calibrated_says_so(tmp_path):
    with pytest.raises(RuntimeError, match="FakeQuantize: it is not calibrated"):
        io.to_onnx(nn.FakeQuantize(), tmp_path / "net.onnx", (1, 3))


@pytest.mark.parametrize("model", [nn.Linear(3, 2), nn.Sequential(ranged(-1, 1), nn.Linear(3, 2))])
def test_integers_want_a_quantized_layer(model, tmp_path):
    with pytest.raises(
        ValueError, match="to_onnx_integers: want a layer whose input and weight are quantized, got none"
    ):
        io.to_onnx_integers(model, tmp_path / "net.onnx", (1, 3))


def test_what_does_not_fit_int32_is_refused_with_the_layers_name(tmp_path):
    model = nn.Sequential(ranged(-1e-6, 1e-6), nn.Linear(3, 2))
    compress.use_affine(model[1].weight)
    model[1].bias.data[:] = 10
    with pytest.raises(ValueError, match="`linear` in 1 has a bias that does not fit int32"):
        io.to_onnx(model, tmp_path / "net.onnx", (1, 3))
    model = nn.Sequential(ranged(-1, 1), nn.Linear(70_000, 1, bias=False))
    model[1].weight.data[:] = 1
    compress.use_affine(model[1].weight)
    with pytest.raises(ValueError, match="`linear` in 1: want sums of at most 2147483647, got up to"):
        io.to_onnx_integers(copy.deepcopy(model), tmp_path / "net.onnx", (1, 70_000))
