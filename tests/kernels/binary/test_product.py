"""Products of matrices of signs against int64 products, on every path, and the micro-kernel's paths themselves."""

import numpy as np
import pytest

from lightnn.kernels.binary import popcount, product
from lightnn.kernels.binary.words import pack_signs

SHAPES = [(1, 1, 1), (3, 63, 5), (9, 64, 8), (17, 200, 19), (5, 65, 33), (8, 128, 16), (40, 70, 130), (0, 5, 4)]


@pytest.mark.parametrize("shape", [*SHAPES, (4, 5, 0), (4, 0, 5)], ids=str)
def test_definition(path, shape, signs, rng, threads):
    n, k, m = shape
    x, w = signs(n, k), signs(m, k)
    words, panels = pack_signs(x), product.pack(pack_signs(w), k, path)
    before = words.copy()
    sums = product.sums(words, panels)
    assert sums.dtype == np.int32 and sums.shape == (n, m)
    np.testing.assert_array_equal(sums, x @ w.T)
    scale, bias = rng.standard_normal((2, m), np.float32)
    y = product.linear(words, panels, scale, bias)
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y, (x @ w.T).astype(np.float32) * scale + bias)
    np.testing.assert_array_equal(words, before)


def test_strided_words(path, signs):
    x, w = signs(10, 130), signs(9, 130)
    words, panels = pack_signs(x), product.pack(pack_signs(w), 130, path)
    np.testing.assert_array_equal(product.sums(words[::-3], panels), x[::-3] @ w.T)
    np.testing.assert_array_equal(product.sums(np.asfortranarray(words), panels), x @ w.T)


@pytest.mark.parametrize("m", [1, 7, 8, 9, 20])
def test_panels_cover_all_outputs(m, signs):
    words = pack_signs(signs(m, 70))
    panels = product.pack(words, 70).words
    assert panels.shape == (-(-m // 8), 2, 8)
    for panel, start in zip(panels, product.starts(m), strict=True):
        count = min(m, 8)
        np.testing.assert_array_equal(panel[:, :count], words[start : start + count].T)
        assert not panel[:, count:].any()


def test_starts_of_runs_that_cover_a_row():
    assert [product.starts(n) for n in (0, 3, 8, 9, 16, 20)] == [[], [0], [0], [0, 1], [0, 8], [0, 8, 12]]


def test_rows_of_tight_bits_are_the_words(signs):
    from lightnn.kernels.binary.words import pack_tight

    for m, k in ((5, 64), (3, 100), (16, 128)):
        w = signs(m, k)
        np.testing.assert_array_equal(product.rows_of(pack_tight(w > 0), m, k), pack_signs(w))


def test_the_last_path_runs_anywhere():
    assert type(popcount.PATHS[-1]).__name__ == "scalar" and popcount.BEST is popcount.PATHS[0]
    assert all(popcount.LANES % path.lanes == 0 for path in popcount.PATHS)
