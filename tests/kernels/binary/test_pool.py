"""Max pooling of words against the maximum of signs."""

import numpy as np
import pytest

from lightnn.kernels.binary.pool import max_pool2d
from lightnn.kernels.binary.words import pack_planes, pack_signs, unpack_planes

CASES = {
    "2x2": ((2, 5, 8, 6), (2, 2), (2, 2), (0, 0, 0, 0)),
    "3x3, stride 2, padded": ((2, 70, 7, 9), (3, 3), (2, 2), (1, 1, 1, 1)),
    "1x3, uneven border": ((1, 64, 4, 7), (1, 3), (1, 2), (0, 0, 0, 1)),
    "1x1": ((3, 2, 1, 1), (1, 1), (1, 1), (0, 0, 0, 0)),
    "stride over kernel": ((1, 3, 9, 8), (2, 1), (3, 4), (0, 0, 0, 0)),
    "empty batch": ((0, 3, 4, 4), (2, 2), (2, 2), (0, 0, 0, 0)),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_definition(case, signs, rng, threads):
    shape, kernel, stride, (top, bottom, left, right) = case
    x, c, border = signs(*shape).astype(np.float32), shape[1], ((0, 0), (0, 0), (top, bottom), (left, right))
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, border, constant_values=-1), kernel, (2, 3))
    want = windows[:, :, :: stride[0], :: stride[1]].max((4, 5))
    words = pack_planes(x)
    y = max_pool2d(words, kernel, stride, (top, bottom, left, right))
    np.testing.assert_array_equal(unpack_planes(y, c), want)
    flip = rng.random(c) < 0.5
    y = max_pool2d(words[:, :, ::-1, ::-1][:, :, ::-1, ::-1], kernel, stride, (top, bottom, left, right),
                   pack_signs(np.where(flip, 1, -1)))  # fmt: skip
    np.testing.assert_array_equal(unpack_planes(y, c), np.where(flip[:, None, None], -want, want))
