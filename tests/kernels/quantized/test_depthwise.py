"""Depthwise convolution of bytes against its definition, in groups of one channel, as in test_conv.py."""

import numpy as np
import pytest

from lightnn.functional import plain
from lightnn.kernels.quantized import depthwise, requantize

# n, c, height, width, m, kernel, stride, padding, dilation
CASES = {
    "3x3": (2, 3, 9, 8, 1, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
    "3x3, wide": (1, 2, 5, 90, 1, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
    "3x3, more than a band": (1, 2, 40, 37, 1, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
    "3x3 stride 2": (2, 3, 9, 8, 1, (3, 3), (2, 2), (1, 1, 1, 1), (1, 1)),
    "two filters a channel": (2, 3, 7, 7, 2, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
    "5x5": (1, 4, 14, 14, 1, (5, 5), (1, 1), (2, 2, 2, 2), (1, 1)),
    "4x2, asymmetric padding": (1, 3, 7, 10, 1, (4, 2), (1, 1), (0, 3, 1, 0), (1, 1)),
    "1x1": (2, 5, 4, 7, 1, (1, 1), (1, 1), (0, 0, 0, 0), (1, 1)),
    "3x1": (2, 5, 4, 7, 1, (3, 1), (1, 2), (1, 1, 0, 0), (1, 1)),
    "1x9, stride 3, dilation 2": (1, 2, 3, 40, 1, (1, 9), (1, 3), (0, 0, 3, 4), (1, 2)),
    "stride and dilation": (1, 2, 13, 12, 3, (3, 2), (2, 3), (2, 0, 1, 3), (2, 3)),
    "1x1 image, padded": (1, 2, 1, 1, 1, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
    "70 channels": (2, 70, 5, 6, 1, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
    "128 channels, stride 2, read in place": (1, 128, 7, 6, 1, (3, 3), (2, 2), (0, 0, 0, 0), (1, 1)),
    "20 channels": (1, 20, 5, 6, 1, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
    "empty batch": (0, 2, 5, 5, 1, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
}


@pytest.fixture
def operands(rng):
    def make(case, least=-9.0):
        n, c, height, width, m, kernel, *options = case
        x = rng.integers(0, 256, (n, height, width, c)).astype(np.uint8)
        w, bias = rng.integers(-127, 128, (c * m, 1, *kernel), np.int8), rng.integers(-2000, 2000, c * m)
        scale = 2.0 ** rng.uniform(least, least + 4, c * m) / w[0].size ** 0.5
        out = requantize.output(w, bias, scale, 131, zero=100, low=2, high=251)
        return x, w, out, m, options

    return make


def definition(x, w, out, options):
    sums = plain.conv2d(x.transpose(0, 3, 1, 2).astype(np.int64) - 131, w.astype(np.int64), *options, x.shape[3])
    sums = sums.transpose(0, 2, 3, 1) + 131 * w.reshape(len(w), -1).sum(1, dtype=np.int64)
    return requantize.requantized(sums.astype(np.int32), out)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_definition(path, case, operands, threads):
    x, w, out, m, (stride, padding, dilation) = operands(case)
    y = depthwise.forward(x, depthwise.pack(w, m, dilation, path), out, stride, padding)
    assert y.dtype == np.uint8
    np.testing.assert_array_equal(y, definition(x, w, out, (stride, padding, dilation)))


@pytest.mark.parametrize("case", [CASES["3x3"], CASES["70 channels"]], ids=str)
def test_a_scale_of_a_quarter_and_above(path, case, operands):
    """Which the vectors cannot do."""
    x, w, out, _, (stride, padding, dilation) = operands(case, least=0.0)
    assert out.n.min() < requantize.LEAST
    y = depthwise.forward(x, depthwise.pack(w, path=path), out, stride, padding)
    np.testing.assert_array_equal(y, definition(x, w, out, (stride, padding, dilation)))


def test_strided_operands(path, operands):
    x, w, out, *_ = operands((2, 80, 9, 8, 1, (3, 3)))
    x, w, one = x[:, ::-1, ::2, ::-1], w[::-1], (1, 1)
    y = depthwise.forward(x, depthwise.pack(w, path=path), out)
    np.testing.assert_array_equal(y, definition(x, w, out, (one, (0, 0, 0, 0), one)))
