"""Convolution of bytes against its definition: int64 sums over the padded windows, and gemmlowp's fixed point."""

import numpy as np
import pytest
from numba import config

from lightnn.functional import plain
from lightnn.kernels.quantized import conv, image, quads, requantize

# n, c, height, width, o, kernel, stride, padding (top, bottom, left, right), dilation, groups
CASES = {
    "1x1": (2, 5, 4, 7, 3, (1, 1), (1, 1), (0, 0, 0, 0), (1, 1), 1),
    "1x1 image": (3, 2, 1, 1, 4, (1, 1), (1, 1), (0, 0, 0, 0), (1, 1), 1),
    "1x1 image, padded": (1, 2, 1, 1, 4, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
    "1x1 stride 2": (2, 8, 5, 8, 9, (1, 1), (2, 2), (0, 0, 0, 0), (1, 1), 1),
    "3x3": (2, 9, 9, 8, 10, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
    "3x3 stride 2": (2, 6, 9, 8, 8, (3, 3), (2, 2), (1, 1, 1, 1), (1, 1), 1),
    "one channel, 5x5": (2, 1, 12, 13, 20, (5, 5), (1, 1), (0, 0, 0, 0), (1, 1), 1),
    "one channel, 5x5, stride 2": (2, 1, 12, 13, 7, (5, 5), (2, 2), (2, 2, 2, 2), (1, 1), 1),
    "three channels, 7x7, stride 2": (1, 3, 17, 19, 9, (7, 7), (2, 2), (3, 3, 3, 3), (1, 1), 1),
    "one channel, 1x9, dilation 3": (1, 1, 4, 40, 3, (1, 9), (1, 2), (0, 0, 4, 5), (1, 3), 1),
    "even kernel, asymmetric padding": (1, 4, 7, 10, 5, (2, 4), (1, 1), (0, 1, 2, 0), (1, 1), 1),
    "stride over kernel": (1, 2, 11, 9, 3, (2, 1), (3, 4), (0, 0, 0, 0), (1, 1), 1),
    "padding over kernel": (1, 2, 5, 6, 3, (2, 2), (3, 3), (4, 2, 5, 3), (1, 1), 1),
    "dilation": (2, 7, 13, 12, 6, (3, 3), (1, 1), (2, 2, 4, 4), (2, 4), 1),
    "stride and dilation": (1, 2, 13, 12, 6, (3, 2), (2, 3), (2, 0, 1, 3), (2, 3), 1),
    "groups": (2, 12, 7, 9, 33, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 3),
    "groups of one row, stride 2": (1, 8, 9, 9, 4, (3, 3), (2, 2), (1, 1, 1, 1), (1, 1), 4),
    "small groups, joined": (1, 32, 6, 7, 32, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 8),
    "whole quads, read in place": (2, 4, 6, 7, 50, (3, 3), (1, 1), (0, 0, 0, 0), (1, 1), 1),
    "many channels": (1, 37, 6, 6, 21, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
    "large": (3, 4, 19, 31, 17, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
    "empty batch": (0, 2, 5, 5, 3, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
}


def definition(x, w, bias, x_zero, options, groups):
    """int32 sums (N, Ho, Wo, O) of w (x - Z1), with zeros outside x, and the bias."""
    x = x.transpose(0, 3, 1, 2).astype(np.int64) - x_zero
    return (plain.conv2d(x, w.astype(np.int64), *options, groups).transpose(0, 2, 3, 1) + bias).astype(np.int32)


def requantized(sums, out):
    return requantize.requantized(sums, out._replace(b=np.zeros_like(out.b)))


def operands(rng, n, c, height, width, o, kernel, groups, low=0):
    """x, w, the bias and an Output whose y spreads over 0 .. 255."""
    x = rng.integers(0, 256, (n, height, width, c)).astype(np.uint8)
    w = rng.integers(-127, 128, (o, c // groups, *kernel), np.int8)
    bias = rng.integers(-2000, 2000, o)
    m = 2.0 ** rng.uniform(-1, 1, o) / (60 * 80 * w[0].size ** 0.5) * 30
    return x, w, bias, requantize.output(w, bias, m, 131, zero=100, low=low, high=251)


SLOW = ["large"]  # enough for threads: 10 s to compile


@pytest.mark.parametrize(
    "case",
    [pytest.param(c, marks=pytest.mark.thorough if name in SLOW else ()) for name, c in CASES.items()],
    ids=CASES,
)
def test_definition(path, case, rng, threads):
    n, c, height, width, o, kernel, stride, padding, dilation, groups = case
    x, w, bias, out = operands(rng, n, c, height, width, o, kernel, groups)
    filters = conv.pack(w, groups, dilation, path)
    want = definition(x, w, bias, 131, (stride, padding, dilation), groups)
    sums = conv.sums(x, filters, out.b, 131, stride, padding)
    assert sums.dtype == np.int32
    np.testing.assert_array_equal(sums, want)
    y = conv.forward(x, filters, out, stride, padding)
    assert y.dtype == np.uint8
    np.testing.assert_array_equal(y, requantized(want, out))


def test_a_fused_relu_is_the_lower_bound(path, rng):
    x, w, bias, out = operands(rng, 2, 5, 9, 9, 6, (3, 3), 1, low=100)
    y = conv.forward(x, conv.pack(w, path=path), out)
    assert y.min() == 100
    sums = definition(x, w, bias, 131, ((1, 1), (0, 0, 0, 0), (1, 1)), 1)
    np.testing.assert_array_equal(y, np.maximum(requantized(sums, out._replace(low=0)), 100))


def test_a_scale_of_a_quarter_and_above(rng):
    """M that the kernel in vectors does not do: one channel of many is enough. An M of 0 is no such M."""
    x, w, bias, _ = operands(rng, 2, 3, 6, 7, 21, (3, 3), 1)
    m = 2.0 ** rng.uniform(-12, -8, 21)
    for m[5], small in ((0.0, True), (0.3, False), (3.0, False)):
        out = requantize.output(w, bias, m, 131, zero=100, low=2, high=251)
        assert out.is_small == small
        y = conv.forward(x, conv.pack(w), out, (1, 1), (1, 1, 1, 1))
        sums = definition(x, w, bias, 131, ((1, 1), (1, 1, 1, 1), (1, 1)), 1)
        np.testing.assert_array_equal(y, requantized(sums, out))


@pytest.mark.parametrize("padding", [(0, 0, 0, 0), (1, 1, 1, 1)])
def test_strided_operands(path, padding, rng):
    x, w, bias, _ = operands(rng, 2, 8, 18, 9, 12, (3, 3), 1)
    x, w = x[:, ::2, ::-1, ::2], w[::-1, ::2]
    out = requantize.output(w, bias, 2e-4, 131, zero=100)
    y = conv.forward(x, conv.pack(w, path=path), out, (1, 1), padding)
    np.testing.assert_array_equal(y, requantized(definition(x, w, bias, 131, ((1, 1), padding, (1, 1)), 1), out))


def test_an_image_is_copied_only_where_it_must(rng):
    """A border, and quads that reach beyond the last window, need room."""
    x = np.ones((1, 5, 5, 3), np.uint8)
    for shape, padding, copied in (((2, 3, 1, 4), 0, False), ((2, 3, 3, 3), 0, True), ((2, 3, 1, 4), 1, True)):
        filters, padding = conv.pack(np.ones(shape, np.int8)), (padding,) * 4
        place = image.layout(x.shape, shape[2:], (1, 1), padding, (1, 1))
        assert np.shares_memory(image.padded(x, place, padding, 7, filters.beyond), x) == (not copied)


def test_weights_are_packed_in_panels(path, rng):
    w = rng.integers(-127, 128, (70, 3, 2, 3), np.int8)
    filters, width = conv.pack(w, path=path), path.lanes * path.vectors
    assert filters.quads.shape == (1, -(-70 // width), 2 * 3, width)
    numbers = quads.numbers_of(filters.quads)[0].transpose(0, 2, 1, 3).reshape(-1, 2, 12)
    np.testing.assert_array_equal(numbers[:70, :, :9], w.transpose(0, 2, 3, 1).reshape(70, 2, 9))
    assert not numbers[70:].any() and not numbers[:, :, 9:].any()


LONG = 30 if config.DISABLE_JIT else 2311
SHAPES = [(1, 1, 1), (1, 7, 50), (9, 5, 1), (8, 16, 48), (17, 33, 49), (64, 100, 20), (10, LONG, 19), (40, 50, 130)]


@pytest.mark.parametrize("shape", [*SHAPES, (0, 3, 4), (3, 4, 0)], ids=str)
def test_linear(path, shape, rng, threads):
    m, k, n = shape
    x, w = rng.integers(0, 256, (m, k)).astype(np.uint8), rng.integers(-127, 128, (n, k), np.int8)
    bias, filters = rng.integers(-999, 999, n), conv.pack(w, path=path)
    scale = 2.0 ** rng.uniform(-1, 1, n) / (50 * 127 * k**0.5)
    out = requantize.output(w, bias, scale, 100, zero=120, low=120, high=240)
    want = ((x.astype(np.int64) - 100) @ w.T.astype(np.int64) + bias).astype(np.int32)
    before = x.copy()
    y, sums = conv.linear(x, filters, out), conv.linear_sums(x, filters, out.b)
    assert y.dtype == np.uint8 and sums.dtype == np.int32
    np.testing.assert_array_equal(sums, want)
    np.testing.assert_array_equal(y, requantized(want, out))
    np.testing.assert_array_equal(conv.linear(np.asfortranarray(x), filters, out), y)
    np.testing.assert_array_equal(x, before)
