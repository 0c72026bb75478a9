"""Convolution of bytes against its definition: int64 sums over the padded windows, and gemmlowp's fixed point."""

import numpy as np
import pytest

from lightnn.functional import plain
from lightnn.kernels.quantized import conv, requantize

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
    "many channels": (1, 37, 6, 6, 21, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
    "large": (3, 4, 19, 31, 17, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
    "empty batch": (0, 2, 5, 5, 3, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
}


def definition(x, w, bias, out, stride, padding, dilation, groups):
    """Sums of w (x - Z1) with zeros outside x, then number by number."""
    sums = plain.conv2d(x.astype(np.int64) - out.x_zero, w.astype(np.int64), stride, padding, dilation, groups)
    sums = (sums + bias[:, None, None]).astype(np.int32).swapaxes(0, 1)
    return requantize.requantized(sums, out._replace(b=np.zeros_like(out.b))).swapaxes(0, 1)


def operands(rng, n, c, height, width, o, kernel, groups, low=0):
    """x, w, the bias and an Output whose y spreads over 0 .. 255."""
    x = rng.integers(0, 256, (n, c, height, width)).astype(np.uint8)
    w = rng.integers(-127, 128, (o, c // groups, *kernel), np.int8)
    bias = rng.integers(-2000, 2000, o)
    m = 2.0 ** rng.uniform(-1, 1, o) / (60 * 80 * w[0].size ** 0.5) * 30
    return x, w, bias, requantize.output(w, bias, m, 131, zero=100, low=low, high=251)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_definition(path, case, rng, threads):
    n, c, height, width, o, kernel, *options, groups = case
    x, w, bias, out = operands(rng, n, c, height, width, o, kernel, groups)
    y = conv.forward(x, conv.pack_filters(w), out, *options, groups, path)
    assert y.dtype == np.uint8
    np.testing.assert_array_equal(y, definition(x, w, bias, out, *options, groups))


def test_a_fused_relu_is_the_lower_bound(path, rng):
    x, w, bias, out = operands(rng, 2, 5, 9, 9, 6, (3, 3), 1, low=100)
    options = (1, 1), (1, 1, 1, 1), (1, 1), 1
    y = conv.forward(x, conv.pack_filters(w), out, *options, path)
    assert y.min() == 100
    np.testing.assert_array_equal(y, np.maximum(definition(x, w, bias, out._replace(low=0), *options), 100))


def test_strided_operands(path, rng):
    x, w, bias, out = operands(rng, 2, 10, 18, 9, 12, (3, 3), 1)
    options, filters = ((1, 1), (1, 1, 1, 1), (1, 1), 1), conv.pack_filters(w[::-1, ::2])
    out = requantize.output(w[::-1, ::2], bias, 2e-4, 131, zero=100)
    y = conv.forward(x[:, ::2, ::2, ::-1], filters, out, *options, path)
    np.testing.assert_array_equal(y, definition(x[:, ::2, ::2, ::-1], w[::-1, ::2], bias, out, *options))


def test_the_fewer_quads_are_chosen():
    one, three, many = (conv.pack_filters(np.ones((2, c, 5, 5), np.int8)) for c in (1, 3, 8))
    assert (one.by_column, three.by_column, many.by_column) == (True, False, False)
    assert (one.quads.shape, three.quads.shape, many.quads.shape) == ((2, 1, 5, 2), (2, 1, 5, 5), (2, 2, 5, 5))
