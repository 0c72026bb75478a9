"""lightnn/nn/layers.py: a layer checks its arguments, draws its weights from a seed and calls one function."""

import inspect

import numpy as np
import pytest

from lightnn import Tensor, nn
from lightnn import functional as F
from lightnn.kernels.conv import shift

IMAGES, ROWS = (2, 4, 6, 6), (5, 4)


def batch_norm(m, x):
    """As the layer of the same mode, from running statistics of its own."""
    zeros, ones = np.zeros(4, np.float32), np.ones(4, np.float32)
    return F.batch_norm(x, m.weight, m.bias, running_mean=zeros, running_var=ones, training=m.training)


LAYERS = {  # layer: (how it is made, a shape it takes, the function it calls)
    "Linear": (lambda: nn.Linear(4, 3, rng=1), ROWS, lambda m, x: F.linear(x, m.weight, m.bias)),
    "Linear without bias": (lambda: nn.Linear(4, 3, False, rng=1), ROWS, lambda m, x: F.linear(x, m.weight, None)),
    "Conv2d": (lambda: nn.Conv2d(4, 2, 3, rng=1), IMAGES, lambda m, x: F.conv2d(x, m.weight, m.bias)),
    "Conv2d, all options": (
        lambda: nn.Conv2d(4, 6, (2, 3), (1, 2), 1, 2, 2, False, rng=1),
        IMAGES,
        lambda m, x: F.conv2d(x, m.weight, None, stride=(1, 2), padding=1, dilation=2, groups=2),
    ),
    "ReLU": (nn.ReLU, ROWS, lambda m, x: F.relu(x)),
    "Hardsigmoid": (nn.Hardsigmoid, ROWS, lambda m, x: F.hardsigmoid(x)),
    "SiLU": (nn.SiLU, ROWS, lambda m, x: F.silu(x)),
    "SamePad2d": (lambda: nn.SamePad2d(3, 2), IMAGES, lambda m, x: F.pad(x, padding=(0, 1, 0, 1))),
    "SamePad2d, nothing to do": (lambda: nn.SamePad2d(2, 2), IMAGES, lambda m, x: Tensor(x)),
    "StochasticDepth": (lambda: nn.StochasticDepth(0.3, rng=5), ROWS, lambda m, x: F.stochastic_depth(x, p=0.3, rng=5)),
    "StochasticDepth in eval": (lambda: nn.StochasticDepth(0.3).eval(), ROWS, lambda m, x: Tensor(x)),
    "Sigmoid": (nn.Sigmoid, ROWS, lambda m, x: F.sigmoid(x)),
    "Tanh": (nn.Tanh, ROWS, lambda m, x: F.tanh(x)),
    "Identity": (nn.Identity, ROWS, lambda m, x: Tensor(x)),
    "Flatten": (nn.Flatten, IMAGES, lambda m, x: F.flatten(x)),
    "Flatten from 2": (lambda: nn.Flatten(2), IMAGES, lambda m, x: F.flatten(x, start_dim=2)),
    "MaxPool2d": (lambda: nn.MaxPool2d(2), IMAGES, lambda m, x: F.max_pool2d(x, kernel_size=2)),
    "MaxPool2d, all options": (
        lambda: nn.MaxPool2d((3, 2), 2, (1, 0)),
        IMAGES,
        lambda m, x: F.max_pool2d(x, kernel_size=(3, 2), stride=2, padding=(1, 0)),
    ),
    "AvgPool2d": (lambda: nn.AvgPool2d(2), IMAGES, lambda m, x: F.avg_pool2d(x, kernel_size=2)),
    "AvgPool2d, all options": (
        lambda: nn.AvgPool2d(3, (2, 1), 1),
        IMAGES,
        lambda m, x: F.avg_pool2d(x, kernel_size=3, stride=(2, 1), padding=1),
    ),
    "ReLU6": (nn.ReLU6, ROWS, lambda m, x: F.relu6(x)),
    "Hardtanh": (lambda: nn.Hardtanh(-2, 0.5), ROWS, lambda m, x: F.hardtanh(x, min_val=-2, max_val=0.5)),
    "Hardswish": (nn.Hardswish, ROWS, lambda m, x: F.hardswish(x)),
    "AdaptiveAvgPool2d": (
        lambda: nn.AdaptiveAvgPool2d(4),
        IMAGES,
        lambda m, x: F.adaptive_avg_pool2d(x, output_size=4),
    ),
    "MaxPool2d, ceil_mode": (
        lambda: nn.MaxPool2d(4, ceil_mode=True),
        IMAGES,
        lambda m, x: F.max_pool2d(x, kernel_size=4, ceil_mode=True),
    ),
    "AvgPool2d, without padding": (
        lambda: nn.AvgPool2d(4, padding=1, ceil_mode=True, count_include_pad=False),
        IMAGES,
        lambda m, x: F.avg_pool2d(x, kernel_size=4, padding=1, ceil_mode=True, count_include_pad=False),
    ),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(4), ROWS, lambda m, x: batch_norm(m, x)),
    "BatchNorm2d": (lambda: nn.BatchNorm2d(4), IMAGES, lambda m, x: batch_norm(m, x)),
    "BatchNorm2d in eval": (lambda: nn.BatchNorm2d(4).eval(), IMAGES, lambda m, x: batch_norm(m, x)),
    "Shift2d": (nn.Shift2d, (2, 11, 5, 6), lambda m, x: F.shift2d(x, *shift.assignment(11))),
    "ChannelShuffle": (lambda: nn.ChannelShuffle(2), IMAGES, lambda m, x: F.channel_shuffle(x, groups=2)),
    "Dropout in eval": (lambda: nn.Dropout().eval(), ROWS, lambda m, x: Tensor(x)),
    "Dropout": (lambda: nn.Dropout(0.3, rng=5), ROWS, lambda m, x: F.dropout(x, p=0.3, rng=5)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_calls_its_function(name, rng):
    make, shape, function = LAYERS[name]
    layer, x = make(), rng.standard_normal(shape).astype(np.float32)
    y = layer(Tensor(x))
    np.testing.assert_array_equal(y.data, function(layer, x).data)
    assert y.dtype == np.float32


@pytest.mark.parametrize("name", LAYERS)
def test_every_parameter_of_a_layer_and_its_input_get_a_gradient(name, rng):
    make, shape, _ = LAYERS[name]
    layer, x = make(), Tensor(rng.standard_normal(shape).astype(np.float32), requires_grad=True)
    (layer(x) ** 2).sum().backward()
    for p in (x, *layer.parameters()):
        assert p.grad.shape == p.shape and p.grad.dtype == np.float32 and p.grad.any()


def test_a_layer_uses_what_its_weight_has_become():
    from lightnn.compress import Mask

    layer = nn.Linear(4, 3, rng=0)
    layer.weight.support = Mask(np.zeros((3, 4), bool))
    np.testing.assert_array_equal(layer(np.ones((2, 4), np.float32)).data, [layer.bias.data] * 2)


# Initial weights


@pytest.mark.parametrize(
    ("make", "shape", "fan_in"),
    [
        (lambda rng: nn.Linear(100, 80, rng=rng), (80, 100), 100),
        (lambda rng: nn.Conv2d(8, 40, (5, 3), rng=rng), (40, 8, 5, 3), 120),
        (lambda rng: nn.Conv2d(16, 64, 3, groups=4, rng=rng), (64, 4, 3, 3), 36),
    ],
)
def test_weights_are_uniform_within_one_over_the_root_of_fan_in(make, shape, fan_in):
    layer, r = make(0), fan_in**-0.5
    w, b = layer.weight.data, layer.bias.data
    assert (w.shape, w.dtype, b.shape, b.dtype) == (shape, np.float32, shape[:1], np.float32)
    assert r * 0.98 < np.abs(w).max() <= r * (1 + 1e-6) and np.abs(b).max() <= r * (1 + 1e-6)
    assert abs(w.mean()) < 0.05 * r
    np.testing.assert_allclose(w.std(), r / 3**0.5, rtol=0.05)
    np.testing.assert_array_equal(w, make(0).weight.data)
    assert (w != make(1).weight.data).any()


def test_layers_that_share_a_generator_differ(rng):
    first, second = (nn.Linear(4, 4, rng=rng) for _ in range(2))
    assert (first.weight.data != second.weight.data).all()


def test_no_bias_is_no_parameter():
    for layer in (nn.Linear(4, 3, bias=False), nn.Conv2d(4, 3, 1, bias=False)):
        assert layer.bias is None and [name for name, _ in layer.named_parameters()] == ["weight"]


# Dropout


def test_dropout_drops_in_training_only(rng):
    layer, x = nn.Dropout(0.5, rng=0), np.ones((100, 10), np.float32)
    first, second = layer(x).data, layer(x).data
    assert (first != second).any() and 0.4 < (first == 0).mean() < 0.6
    layer.eval()
    np.testing.assert_array_equal(layer(x).data, x)
    layer.train()
    assert (layer(x).data == 0).any()


def test_same_padding_is_tensorflows(rng):
    """ceil(H / s) outputs whatever the sizes, and what is left over is below and to the right."""
    for size, k, s in [((5, 8), 3, 2), ((7, 6), 5, 2), ((9, 4), (3, 5), (1, 2)), ((6, 6), 4, 3), ((1, 2), 3, 2)]:
        x = rng.standard_normal((2, 3, *size)).astype(np.float32)
        padded = nn.SamePad2d(k, s)(Tensor(x)).data
        y = nn.Conv2d(3, 2, k, s)(Tensor(padded))
        s = s if isinstance(s, tuple) else (s, s)
        assert y.shape[2:] == tuple(-(-n // step) for n, step in zip(size, s))
        top, left = ((p - n) // 2 for p, n in zip(padded.shape[2:], size))
        np.testing.assert_array_equal(padded[:, :, top : top + size[0], left : left + size[1]], x)
    with pytest.raises(ValueError, match=r"SamePad2d: want x \(N, C, H, W\); got x \(2, 3\)"):
        nn.SamePad2d(3)(np.ones((2, 3), np.float32))


# Errors


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Linear(0, 3), "Linear: in_features: want an int >= 1, got 0"),
        (lambda: nn.Linear(3, 2.0), "Linear: out_features: want an int >= 1, got 2.0"),
        (lambda: nn.Linear(3, None), "Linear: out_features: want an int >= 1, got None"),
        (lambda: nn.Conv2d(-1, 3, 3), "Conv2d: in_channels: want an int >= 1, got -1"),
        (lambda: nn.Conv2d(1, "3", 3), "Conv2d: out_channels: want an int >= 1, got '3'"),
        (lambda: nn.Conv2d(4, 4, 3, groups=0), "Conv2d: groups: want an int >= 1, got 0"),
        (lambda: nn.Conv2d(4, 6, 3, groups=4), "Conv2d: want channels divisible by groups=4, got 4 and 6"),
        (lambda: nn.Conv2d(1, 1, 0), "Conv2d: kernel_size: want an int >= 1 or a pair of them, got 0"),
        (lambda: nn.Conv2d(1, 1, 3, stride=(1, 0)), r"Conv2d: stride: want .*, got \(1, 0\)"),
        (lambda: nn.Conv2d(1, 1, 3, padding=-1), "Conv2d: padding: want an int >= 0 or a pair of them, got -1"),
        (lambda: nn.Conv2d(1, 1, 3, dilation=0), "Conv2d: dilation: want an int >= 1"),
        (lambda: nn.MaxPool2d(0), "MaxPool2d: kernel_size: want an int >= 1"),
        (lambda: nn.MaxPool2d(2, stride=0), "MaxPool2d: stride: want an int >= 1"),
        (lambda: nn.MaxPool2d(2, padding="x"), "MaxPool2d: padding: want an int >= 0 or a pair of them, got 'x'"),
        (lambda: nn.AvgPool2d((2, 2, 2)), r"AvgPool2d: kernel_size: want .*, got \(2, 2, 2\)"),
        (lambda: nn.AvgPool2d(2, stride=-1), "AvgPool2d: stride: want an int >= 1"),
        (lambda: nn.AvgPool2d(2, padding=-1), "AvgPool2d: padding: want an int >= 0"),
        (lambda: nn.Dropout(1.1), "Dropout: p: want a finite number >= 0 and <= 1, got 1.1"),
        (lambda: nn.Dropout(-0.1), "Dropout: p: want a finite number >= 0 and <= 1, got -0.1"),
    ],
)
def test_a_layer_that_cannot_be_is_refused_when_it_is_made(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (nn.Linear(4, 3), (5, 3), r"linear: .*got x \(5, 3\), w \(3, 4\), b \(3,\)"),
        (nn.Conv2d(4, 3, 3), (2, 3, 6, 6), r"conv2d: .*got x \(2, 3, 6, 6\), w \(3, 4, 3, 3\)"),
        (nn.Conv2d(4, 3, 3), (2, 4, 2, 2), r"conv2d: a kernel of \(3, 3\) .*does not fit in \(2, 2\)"),
        (nn.MaxPool2d(2), (4, 6, 6), r"max_pool2d: want x \(N, C, H, W\), H, W > 0; got x \(4, 6, 6\)"),
        (nn.Flatten(3), (2, 3), "flatten: want start_dim within the 2 axes"),
    ],
)
def test_an_input_that_does_not_fit_is_named(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        layer(np.ones(shape, np.float32))


# Against PyTorch


SHARED = [n for n in nn.__all__ if n not in ("Module", "ModuleList", "Parameter", "Sequential", "Identity", "init")]


@pytest.mark.oracle
@pytest.mark.parametrize("name", SHARED)
def test_arguments_have_pytorchs_names_order_and_defaults(name, torch):
    if not hasattr(torch.nn, name):
        pytest.skip(f"PyTorch has no {name}")

    def arguments(layer):
        parameters = inspect.signature(layer).parameters.values()
        return [(p.name, p.default) for p in parameters if p.kind is not p.KEYWORD_ONLY]

    ours, theirs = arguments(getattr(nn, name)), arguments(getattr(torch.nn, name))
    assert ours == theirs[: len(ours)]


@pytest.mark.oracle
def test_pytorchs_state_loads_unchanged_and_gives_the_same_outputs(torch, rng):
    def network(nn):
        return nn.Sequential(
            nn.Conv2d(2, 6, 3, 2, 1, 1, 2),
            nn.ReLU(),
            nn.Sequential(nn.MaxPool2d(3, 2, 1), nn.Conv2d(6, 4, (2, 1), bias=False), nn.Tanh()),
            nn.AvgPool2d(2, 1, 1),
            nn.Flatten(),
            nn.Linear(4 * 4 * 5, 7),
            nn.Sigmoid(),
        )

    theirs, ours = network(torch.nn), network(nn)
    ours.load_state_dict({name: t.numpy() for name, t in theirs.state_dict().items()})
    x = rng.standard_normal((3, 2, 14, 14)).astype(np.float32)
    np.testing.assert_allclose(ours(x).data, theirs(torch.tensor(x)).detach().numpy(), rtol=1e-5, atol=1e-6)
    assert list(ours.state_dict()) == list(theirs.state_dict())
