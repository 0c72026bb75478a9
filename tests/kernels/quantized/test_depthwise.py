"""Depthwise convolution of bytes against the definition of tests/kernels/quantized/test_conv.py, as groups."""

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
    "empty batch": (0, 2, 5, 5, 1, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_definition(path, case, rng, threads):
    n, c, height, width, m, kernel, *options = case
    x = rng.integers(0, 256, (n, c, height, width)).astype(np.uint8)
    w, bias = rng.integers(-127, 128, (c * m, 1, *kernel), np.int8), rng.integers(-2000, 2000, c * m)
    scale = 2.0 ** rng.uniform(-9, -5, c * m) / w[0].size ** 0.5
    out = requantize.output(w, bias, scale, 131, zero=100, low=2, high=251)
    y = depthwise.forward(x, depthwise.pack_filters(w), out, *options, path)
    sums = plain.conv2d(x.astype(np.int64) - 131, w.astype(np.int64), *options, c) + bias[:, None, None]
    sums = sums.astype(np.int32).swapaxes(0, 1)
    want = requantize.requantized(sums, out._replace(b=np.zeros_like(out.b))).swapaxes(0, 1)
    assert y.dtype == np.uint8
    np.testing.assert_array_equal(y, want)
