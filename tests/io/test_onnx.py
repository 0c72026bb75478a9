"""Networks as ONNX files: ONNX Runtime, which nobody here wrote, gives the same outputs and the same classes."""

import os

import numpy as np
import pytest

from lightnn import Tensor, compress, io, models, nn, runtime
from lightnn import functional as F
from lightnn.tensor import op

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.oracle
PLAIN = os.environ.get("NUMBA_DISABLE_JIT") == "1"

SIZES = {  # architecture: its options, channels and size of the image; narrow, for speed
    "lenet_300_100": ({}, 1, 28),
    "lenet5": ({}, 1, 28),
    "twn_lenet5": ({}, 1, 28),
    "xnor_lenet5": ({}, 1, 28),
    "binaryconnect_mlp": ({"width": 20}, 1, 28),
    "bnn_mlp": ({"width": 20}, 1, 28),
    "mobilenet_v1": ({"width_mult": 0.1}, 3, 32),
    "mobilenet_v1_full": ({"width_mult": 0.1}, 3, 32),
    "resnet18": ({"width_mult": 0.1}, 3, 32),
    "resnet34": ({"width_mult": 0.1}, 3, 32),
    "resnet50": ({"width_mult": 0.1}, 3, 96),
    "cifar_resnet": ({"depth": 8, "width": 4}, 3, 16),
    "shiftnet": ({"widths": (4, 8, 12, 16), "blocks": (1, 2, 1, 1)}, 3, 33),
    "small": ({"family": "bottleneck"}, 1, 28),
    "searched": ({"operations": (0, 2), "width": 4}, 1, 16),
    "shift_resnet": ({"depth": 8, "expansion": 2}, 3, 16),
    "shufflenet_v1": ({"width_mult": 0.25}, 3, 32),
    "vgg16_cifar": ({"width_mult": 0.1}, 3, 32),
    "alexnet": ({"width_mult": 0.05}, 3, 64),
    "vgg16": ({"width_mult": 0.05}, 3, 32),
    "googlenet": ({"width_mult": 0.1, "aux_logits": False, "transform_input": True}, 3, 32),
    "inception_v3": ({"width_mult": 0.1, "aux_logits": False}, 3, 139),
    "densenet": ({"blocks": (2, 3), "growth": 4, "width": 8}, 3, 32),
    "squeezenet1_0": ({"width_mult": 0.25}, 3, 32),
    "squeezenet1_1": ({"width_mult": 0.25}, 3, 32),
    "mobilenet_v2": ({"width_mult": 0.1}, 3, 32),
    "mobilenet_v3_small": ({"width_mult": 0.1}, 3, 32),
    "mobilenet_v3_large": ({"width_mult": 0.1}, 3, 32),
    "shufflenet_v2": ({"width": 8, "last": 16}, 3, 32),
    "mnasnet": ({"width_mult": 0.1}, 3, 32),
    "efficientnet": ({"width_mult": 0.1, "depth_mult": 0.5}, 3, 32),
    "efficientnet_lite": ({"width_mult": 0.1, "depth_mult": 0.5}, 3, 32),
    "deeplab": ({"blocks": (1, 1, 1, 1), "rates": (1, 2), "width_mult": 0.1}, 3, 33),
    "filternet_full": ({"width": 4}, 1, 12),
    "filternet_separable": ({"width": 4}, 1, 12),
    "filternet_grouped": ({"width": 4}, 1, 12),
    "filternet_unshuffled": ({"width": 4}, 1, 12),
    "filternet_shift": ({"width": 4}, 1, 12),
}


def settled(model, x):
    """The model with the statistics of x in its batch norms, so that outputs depend on the image, and with weights of
    batch norm that are neither 0 nor 1."""
    rng, norms = np.random.default_rng(0), [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    own = [m.momentum for m in norms]
    for m in norms:
        m.momentum = 1.0
        m.weight.data = rng.uniform(0.5, 2, m.num_features).astype("f")
        m.bias.data = rng.normal(0, 0.1, m.num_features).astype("f")
    model.train()(Tensor(x))
    for m, momentum in zip(norms, own):
        m.momentum = momentum
    return model.eval()


@pytest.fixture
def run(tmp_path):
    """run(model, x, input_shape=None): what ONNX Runtime gives for x, from a file traced with input_shape."""

    def run(model, x, input_shape=None):
        path = tmp_path / "net.onnx"
        assert io.to_onnx(model, path, input_shape or x.shape) == path.stat().st_size
        (y,) = onnxruntime.InferenceSession(path).run(None, {"input": x})
        return y

    return run


def check(run, model, x, input_shape=None):
    want = model(Tensor(x)).numpy()
    got = run(model, x, input_shape)
    assert got.shape == want.shape and got.dtype == np.float32
    assert np.abs(got - want).max() <= 1e-4 * np.abs(want).max()
    return got, want


def images(n, channels, size, seed=1):
    return np.random.default_rng(seed).random((n, channels, size, size), np.float32)


@pytest.mark.parametrize("name", models.ARCHITECTURES)
def test_every_architecture_gives_the_same_outputs_and_classes_also_from_a_file(name, run, tmp_path):
    if PLAIN and not name.startswith(("lenet", "twn", "cifar", "filternet", "shift")):
        pytest.skip("too slow without the compiler")
    if name not in SIZES:
        pytest.skip("an architecture of another test")
    options, channels, size = SIZES[name]
    x = images(5, channels, size)
    options = options if name.startswith("lenet") else {**options, "in_channels": channels}
    model = settled(models.ARCHITECTURES[name](**options, rng=0), x)
    io.save(model, tmp_path / "net.lnn")
    for network in (model, io.load(tmp_path / "net.lnn")):
        got, want = check(run, network, x, (2, channels, size, size))
        assert np.ptp(want, axis=0).max() > 1e-3 * np.abs(want).max()  # the outputs depend on the image
        agree = got.argmax(1) == want.argmax(1)
        assert agree.all() if agree.ndim == 1 else agree.mean() > 0.99  # of pixels, some are between two classes


def test_every_built_in_architecture_has_a_case():
    assert {n for n in models.ARCHITECTURES if hasattr(models, n)} == set(SIZES)


def test_a_pruned_and_shared_weight_is_written_as_it_is_used_under_its_name(run, tmp_path):
    model = models.lenet_300_100(rng=0)
    for p in (model.fc1.weight, model.fc2.weight):
        compress.prune_to_fraction(p, 0.1)
    compress.share(model.fc1.weight, bits=4)
    compress.use_powers_of_two(model.fc2.weight, bits=4)
    check(run, model, images(3, 1, 28))
    written = {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(tmp_path / "net.onnx").graph.initializer}
    assert set(written) == {name for name, _ in model.named_parameters() if "values" not in name}
    for name, w in written.items():
        assert np.array_equal(w, dict(model.named_parameters())[name]().numpy()), name
    assert np.mean(written["fc1.weight"] == 0) >= 0.9


def test_the_names_and_axes_of_a_file(tmp_path):
    io.to_onnx(models.cifar_resnet(8, 4, rng=0), tmp_path / "net.onnx", (1, 3, 16, 16))
    model = onnx.load(tmp_path / "net.onnx")
    sizes = [
        [d.dim_param or d.dim_value for d in end[0].type.tensor_type.shape.dim]
        for end in (model.graph.input, model.graph.output)
    ]
    assert sizes == [["N", 3, 16, 16], ["N", 10]]
    assert (model.opset_import[0].version, model.ir_version) == (17, 8)
    names = {t.name for t in model.graph.initializer}
    state = models.cifar_resnet(8, 4, rng=0).state_dict()
    assert {n for n in state if not n.endswith("num_batches_tracked")} <= names


class Calls(nn.Module):
    """A network that is one function."""

    def __init__(self, fn):
        self.fn = fn

    def forward(self, x):
        return self.fn(x)


W = np.random.default_rng(3).normal(size=(6, 2, 3, 2)).astype("f")
ROWS = np.random.default_rng(4).normal(size=(3, 7)).astype("f")
ONES = np.ones(4, "f")
VECTOR = Tensor(np.linspace(0.5, 2, 7, dtype="f"))
OPS = {
    "conv": lambda x: F.conv2d(x, W, stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2),
    "depthwise": lambda x: F.depthwise_conv2d(x, np.concatenate([W, W])[:8, :1], np.ones(8, "f"), stride=2),
    "linear of images": lambda x: F.linear(x, ROWS, np.ones(3, "f")),
    "linear of rows": lambda x: F.linear(x[:, 0, 0], ROWS),
    "batch norm of rows": lambda x: F.batch_norm(
        x[:, :, 1, 2], ONES, ONES, running_mean=-ONES, running_var=2 * ONES, eps=0.1),
    "max pool": lambda x: F.max_pool2d(-x, kernel_size=3, stride=2, padding=1),
    "max pool, ceil": lambda x: F.max_pool2d(-x, kernel_size=(2, 3), stride=(3, 2), ceil_mode=True),
    "average pool": lambda x: F.avg_pool2d(x, kernel_size=3, stride=2, padding=1),
    "average pool, ceil": lambda x: F.avg_pool2d(x, kernel_size=3, stride=2, padding=(0, 1), ceil_mode=True),
    "average pool, ceil, no pad": lambda x: F.avg_pool2d(
        x, kernel_size=(2, 4), stride=3, padding=1, ceil_mode=True, count_include_pad=False),
    "adaptive pool": lambda x: F.adaptive_avg_pool2d(x, output_size=(2, 5)),
    "adaptive pool, even": lambda x: F.adaptive_avg_pool2d(x[:, :, :, :6], output_size=(5, 3)),
    "shift": lambda x: F.shift2d(x, np.array([0, -1, 2, 9]), np.array([1, 0, -3, 0])),
    "shuffle": lambda x: F.channel_shuffle(x, groups=2),
    "flatten": lambda x: F.flatten(x, start_dim=2),
    "flatten all": lambda x: F.flatten(x, start_dim=0) * 1.0,
    "relu6": lambda x: F.relu6(9 * x - 2),
    "hardtanh": lambda x: F.hardtanh(3 * x - 2, min_val=-0.5, max_val=0.7),
    "sign": lambda x: F.sign(F.relu(2 * x - 1) - F.relu(0.5 - x)),
    "sign of 0": lambda x: F.sign(F.relu(x - 0.5)) + F.approx_sign(0 * x),
    "input scale": lambda x: F.input_scale(x - 0.5, kernel_size=(3, 2), stride=(2, 1), padding=1),
    "hardswish": lambda x: F.hardswish(9 * x - 5),
    "hardsigmoid": lambda x: F.hardsigmoid(9 * x - 5),
    "silu": lambda x: F.silu(9 * x - 5),
    "stochastic depth": lambda x: F.stochastic_depth(x, p=0.5, training=False) + 1,
    "resize": lambda x: F.resize_bilinear(x, size=(8, 3)),
    "same padding": lambda x: nn.SamePad2d(3, 2)(x),
    "sigmoid": lambda x: F.sigmoid(9 * x - 5),
    "logsigmoid": lambda x: F.logsigmoid(300 * x - 150),
    "tanh": lambda x: F.tanh(3 * x - 2),
    "softmax": lambda x: F.softmax(x, dim=1),
    "log softmax": lambda x: F.log_softmax(x),
    "dropout": lambda x: F.dropout(x, training=False) + 1,
    "pad": lambda x: F.pad(x, padding=(1, 2, 0, 3, 2, 0), value=0.5),
    "concat": lambda x: F.concat([x, x * 2, x], 1),
    "sums": lambda x: x.sum(axis=(1, 3), keepdims=True) + x.max(axis=2, keepdims=True) + x.max(axis=-1, keepdims=True),
    "mean": lambda x: x.mean(axis=(2, 3)),
    "sum of all": lambda x: x * x.sum(),
    "arithmetic": lambda x: 1 - (x * 2 + VECTOR) / (3 - x) + 2 / (x + 1) - abs(-x) ** 2.5,
    "exp, log, sqrt": lambda x: (x + 1).log() * x.exp() + x.sqrt(),
    "matmul": lambda x: x @ Tensor(ROWS.T) @ Tensor(np.ones(3, "f")),
    "slices": lambda x: x[:, ::2, ..., 1:-1],
    "slices backwards": lambda x: x[:, ::-1, 1, -1] + x[..., 3:0:-1, -2][:, :, 0],
    "transpose": lambda x: x.transpose(0, 2, 3, 1),
    "reshape": lambda x: x.reshape(len(x), 2, 2, -1),
    "reshape of batch": lambda x: x.reshape(len(x) * 4, 35).reshape(-1, 4, 35).max(axis=1),
    "the input": lambda x: x,
}  # fmt: skip


@pytest.mark.parametrize("name", OPS)
def test_ops_with_their_options(name, run):
    check(run, Calls(OPS[name]), np.random.default_rng(0).random((3, 4, 5, 7), np.float32), (2, 4, 5, 7))


def test_a_network_in_training_is_exported_as_in_eval_and_stays_in_training(run):
    model = nn.Sequential(nn.Linear(7, 5), nn.BatchNorm1d(5), nn.Dropout(0.5), nn.Linear(5, 2)).train()
    before = model.state_dict()
    run(model, ROWS)
    assert all(m.training for m in model.modules())
    assert all(np.array_equal(a, before[n]) for n, a in model.state_dict().items())


def test_a_double_network_is_written_in_float32(run):
    model = nn.Linear(7, 2)
    for p in model.parameters():
        p.data = p.data.astype(np.float64)
    assert np.allclose(run(model, ROWS), ROWS @ model.weight.data.T + model.bias.data, atol=1e-5)


@op
def swirl(x):
    return x + 1, lambda dy: dy


@pytest.mark.parametrize(
    ("fn", "message"),
    [
        (swirl, r"`swirl` in 1 has no counterpart in ONNX"),
        (lambda x: x[np.array([0, 1])], "`getitem` in 1 has no counterpart in ONNX unless its index"),
        (lambda x: x + Tensor(2 * x.data), "`add` in 1: want what is the same for every batch"),
        (lambda x: x.reshape(7, len(x)), "`reshape` in 1: want what is the same for every batch"),
        (lambda x: x * len(x), "`mul` in 1: want what is the same for every batch"),
        (lambda x: F.dropout(x, rng=0), "`dropout` in 1 has no counterpart in ONNX while it trains"),
        (lambda x: [x], "want a network whose output is one Tensor made by ops from its input, got list"),
        (
            lambda x: Tensor(x.data + 1),
            "want a network whose output is one Tensor made by ops from its input, got a Tensor made otherwise",
        ),
    ],
)
def test_what_has_no_counterpart_is_one_error_that_names_it_and_no_file(fn, message, tmp_path):
    model = nn.Sequential(nn.ReLU(), Calls(fn))
    (tmp_path / "net.onnx").write_bytes(b"old")
    with pytest.raises(ValueError, match=message) as caught:
        io.to_onnx(model, tmp_path / "net.onnx", (2, 7))
    assert "\n" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["net.onnx"]
    assert (tmp_path / "net.onnx").read_bytes() == b"old"


def test_a_lowered_network_is_refused(tmp_path):
    model = models.lenet_300_100(rng=0)
    compress.prune_to_fraction(model.fc3.weight, 0.1)
    with pytest.raises(ValueError, match="`sparse_linear` in fc3 has no counterpart in ONNX"):
        io.to_onnx(runtime.lower(model), tmp_path / "net.onnx", (1, 1, 28, 28))


def test_bad_arguments(tmp_path):
    with pytest.raises(TypeError, match="to_onnx: want a Module, got str"):
        io.to_onnx("net", tmp_path / "a", (1, 2))
    with pytest.raises(ValueError, match="to_onnx: input_shape: want ints"):
        io.to_onnx(nn.ReLU(), tmp_path / "a", (0, 2))
    with pytest.raises(OSError, match="cannot write"):
        io.to_onnx(nn.ReLU(), tmp_path / "no" / "a", (1, 2))


def test_the_same_network_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        io.to_onnx(models.lenet_300_100(rng=0), tmp_path / name, (1, 1, 28, 28))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
