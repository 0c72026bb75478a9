"""Layers on packed bits: what they give beside the layers that were lowered, what they hold, and what they refuse."""

import numpy as np
import pytest

from lightnn import compress, metrics, nn, runtime
from lightnn.runtime import SignTensor, held_bytes, lower, lower_report
from lightnn.runtime.binary.layers import OneBit
from lightnn.tensor import Tensor, no_grad

LINEAR = [(1, 1), (5, 3), (64, 8), (64, 7), (130, 16), (784, 24)]
CONVOLUTIONS = [  # in, out, kernel, options, height and width
    (64, 8, 3, {"padding": 1}, (9, 9)),
    (20, 6, 5, {}, (12, 12)),
    (3, 7, (2, 4), {"padding": (1, 0), "stride": (2, 1)}, (7, 10)),
    (70, 5, 3, {"padding": 2, "dilation": 2, "bias": False}, (6, 8)),
    (4, 6, 1, {"stride": 3}, (5, 4)),
]


def binary(layer, use=compress.use_binary):
    use(layer.weight)
    return layer.eval()


def signs(rng, *shape):
    return Tensor(rng.choice(np.float32([-1, 1]), shape))


def check_equal(layer, x):
    """Exact without scales; with them within the bound of layers.py."""
    lowered = lower(layer)
    assert isinstance(lowered, OneBit)
    y, want = lowered(x), layer(x).data
    alpha, n = lowered.numbers()[0].max(), layer.weight.data[0].size
    bound = 0 if (lowered.scale == 1).all() and layer.bias is None else 2.0**-23 * (alpha * n * n + 1)
    assert y.data.dtype == np.float32 and not y.requires_grad
    np.testing.assert_allclose(y.data, want, rtol=0, atol=bound)
    return lowered


@pytest.mark.parametrize("use", [compress.use_binary, compress.use_binary_filters, compress.use_stochastic_binary])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", LINEAR)
def test_linear_after_signs(shape, bias, use, rng):
    layer = binary(nn.Linear(*shape, bias=bias, rng=0), use)
    lowered = check_equal(layer, signs(rng, 11, shape[0]))
    check_equal(layer, signs(rng, 0, shape[0]))
    np.testing.assert_array_equal(lowered.weight().data, layer.weight().data)


@pytest.mark.parametrize("use", [compress.use_binary, compress.use_binary_filters])
@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
def test_convolution_after_signs(case, use, rng):
    c, o, kernel, options, size = case
    layer = binary(nn.Conv2d(c, o, kernel, **options, rng=0), use)
    lowered = check_equal(layer, signs(rng, 2, c, *size))
    check_equal(layer, signs(rng, 0, c, *size))
    np.testing.assert_array_equal(lowered.weight().data, layer.weight().data)


@pytest.mark.parametrize("layer", [nn.Linear(9, 4, rng=0), nn.Conv2d(9, 4, 3, padding=1, rng=0)], ids=repr)
def test_other_numbers_meet_weights_that_are_written_out(layer, rng):
    layer = binary(layer, compress.use_binary_filters)
    x = Tensor(rng.standard_normal((3, 9) if isinstance(layer, nn.Linear) else (3, 9, 5, 6), np.float32))
    np.testing.assert_array_equal(lower(layer)(x).data, layer(x).data)


def test_groups_and_more_dimensions_are_written_out(rng):
    layer = binary(nn.Conv2d(4, 6, 3, groups=2, rng=0))
    x = signs(rng, 2, 4, 5, 5)
    np.testing.assert_array_equal(lower(layer)(x).data, layer(x).data)
    layer = binary(nn.Linear(6, 5, rng=0))
    x = signs(rng, 2, 3, 6)
    np.testing.assert_array_equal(lower(layer)(x).data, layer(x).data)


def test_a_sum_in_bits_is_exact_where_floats_round(rng):
    """alpha times a whole sum, then the bias: two roundings, whatever the order of the sum."""
    layer = binary(nn.Linear(1000, 8, rng=0), compress.use_binary_filters)
    x, lowered = signs(rng, 5, 1000), lower(layer)
    sums = x.data.astype(np.int64) @ np.where(layer.weight.data >= 0, 1, -1).T
    want = sums.astype(np.float32) * lowered.scale + layer.bias.data
    np.testing.assert_array_equal(lowered(x).data, want)


def test_xnor_layers(rng):
    x = Tensor(rng.standard_normal((3, 40, 9, 8), np.float32))
    for options in ({}, {"padding": 1, "stride": 2}, {"bias": False}):
        layer = binary(nn.XnorConv2d(40, 6, 3, **options, rng=0), compress.use_binary_filters)
        lowered = lower(layer)
        assert isinstance(lowered, runtime.BinaryXnorConv2d)
        np.testing.assert_allclose(lowered(x).data, layer(x).data, rtol=1e-5, atol=1e-5)
    layer = binary(nn.XnorLinear(8, 6, rng=0), compress.use_binary_filters)
    assert isinstance(lower(layer), runtime.BinaryXnorLinear)
    for rows in (x, Tensor(x.data[0, 0])):
        np.testing.assert_allclose(lower(layer)(rows).data, layer(rows).data, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(64, 8), (784, 1024), (1024, 1000), (13, 3)])
def test_a_linear_layer_holds_a_bit_a_weight(shape):
    for use, scales in ((compress.use_binary, 1), (compress.use_binary_filters, shape[1])):
        [row] = held_bytes(lower(binary(nn.Linear(*shape, rng=0), use)))
        assert row.parts == {"values": -(-shape[0] * shape[1] // 8), "scale": 4 * scales, "bias": 4 * shape[1]}
        assert row.dense == 4 * shape[0] * shape[1] + 4 * shape[1]
        if shape[0] * shape[1] % 8 == 0:
            assert row.parts["values"] * 32 == 4 * shape[0] * shape[1]


@pytest.mark.parametrize("shape", [(64, 128, 3), (20, 50, 5), (3, 5, 3)])
def test_a_convolution_holds_a_bit_a_weight(shape):
    c, o, k = shape
    lowered = lower(binary(nn.Conv2d(c, o, k, bias=False, rng=0), compress.use_binary_filters))
    [row] = held_bytes(lowered)
    assert row.parts == {"values": -(-c * o * k * k // 8), "scale": 4 * o, "bias": 0}
    arrays = [a for a in vars(lowered).values() if isinstance(a, np.ndarray)]
    assert sum(a.nbytes for a in arrays) == row.held, "and nothing else"


def network():
    model = nn.Sequential(
        *(nn.Conv2d(1, 8, 3, rng=0), nn.BatchNorm2d(8), nn.Sign(), nn.Conv2d(8, 8, 3, rng=1), nn.MaxPool2d(2)),
        *(nn.BatchNorm2d(8), nn.ApproxSign(), nn.Flatten(), nn.Linear(8 * 4 * 4, 10, rng=2)),
    )
    for i in (3, 8):
        compress.use_binary_filters(model[i].weight)
    return model


def test_the_report_and_the_trace(rng):
    model = network().eval()
    rows = {row.module: (row.runs_as, row.why) for row in lower_report(model)}
    assert rows["0"] == ("Conv2d", "its weight is not compressed")
    assert rows["3"] == ("BinaryConv2d", "") and rows["8"] == ("BinaryLinear", "")
    assert rows["2"] == rows["6"] == ("PackSigns", "")
    lowered = lower(model)
    assert "BinaryConv2d(weight (8, 8, 3, 3), scales=8)" in repr(lowered)
    assert all(row.why == "it is lowered already" for row in lower_report(lowered) if row.weight == "stored")
    ops = {row.module: row for row in metrics.trace(lowered, (1, 1, 12, 12))}
    assert ops["3"].macs == 64 * 8 * 8 * 9 and ops["8"].macs == 1280


def test_a_network_computes_from_bits(rng, monkeypatch):
    model, x = network(), Tensor(rng.random((4, 1, 12, 12), np.float32))
    with no_grad():
        for _ in range(3):
            model.train()(x)
        want = model.eval()(x).data
    lowered = lower(model)
    monkeypatch.setattr(OneBit, "weight", lambda self: pytest.fail("weights were written out"))
    assert isinstance(lowered[2](x), SignTensor)
    np.testing.assert_allclose(lowered(x).data, want, rtol=1e-5, atol=1e-5)


def test_float64_weights_and_masks_stay():
    layer = nn.Linear(5, 4, rng=0)
    layer.weight.data = layer.weight.data.astype(np.float64)
    compress.use_binary(layer.weight)
    [row] = lower_report(layer)
    assert row.runs_as == "Linear" and row.why == "its weights are float64, and sums of bits become float32"
    layer = binary(nn.Linear(5, 4, rng=0))
    compress.set_mask(layer.weight, np.eye(4, 5) > 0)
    assert "no runtime layer computes Linear on binary + mask" in lower_report(layer)[0].why


def test_wrong_inputs_are_one_clear_line(rng):
    linear, conv = lower(binary(nn.Linear(9, 4, rng=0))), lower(binary(nn.Conv2d(9, 4, 3, rng=0)))
    with pytest.raises(ValueError, match=r"BinaryLinear: want x \(\.\.\., 9\); got x \(2, 8\)"):
        linear(signs(rng, 2, 8))
    with pytest.raises(ValueError, match=r"BinaryConv2d: want x \(N, 9, H, W\); got x \(2, 8, 5, 5\)"):
        conv(signs(rng, 2, 8, 5, 5))
    with pytest.raises(ValueError, match=r"BinaryConv2d: a kernel of .* does not fit"):
        conv(signs(rng, 2, 9, 2, 5))
    with pytest.raises(RuntimeError, match="does not train"):
        linear.train()(signs(rng, 2, 9))
    with pytest.raises(RuntimeError, match="gives no gradient"):
        conv.eval()(Tensor(np.ones((2, 9, 5, 5), np.float32), requires_grad=True))
