"""Products of matrices of signs against int64 products, on every path, and the micro-kernel's paths themselves."""

import numpy as np
import pytest

from lightnn.kernels.binary import popcount, product
from lightnn.kernels.binary.words import not_running, pack_signs

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
    numbers = (x * rng.uniform(0.5, 2, x.shape)).astype(np.float32)
    np.testing.assert_array_equal(product.linear_of_signs(numbers, panels, scale, bias), y)


def test_zeros_are_plus_one_and_nan_minus_one(signs):
    x = np.float32([[0, -0.0, np.nan, 1, -1, np.inf, -np.inf]])
    panels, one = product.pack(pack_signs(signs(1, 7) * 0 + 1), 7), np.ones(1, np.float32)
    assert product.linear_of_signs(x, panels, one, 0 * one).tolist() == [[1.0]]
    assert product.linear(pack_signs(x), panels, one, 0 * one).tolist() == [[1.0]]


def test_strided_words(path, signs):
    x, w = signs(10, 130), signs(9, 130)
    words, panels = pack_signs(x), product.pack(pack_signs(w), 130, path)
    np.testing.assert_array_equal(product.sums(words[::-3], panels), x[::-3] @ w.T)
    np.testing.assert_array_equal(product.sums(np.asfortranarray(words), panels), x @ w.T)


@pytest.mark.parametrize("m", [1, 15, 16, 17, 40])
def test_panels_cover_all_outputs(m, signs):
    words = pack_signs(signs(m, 70))
    panels = product.pack(words, 70).words
    assert panels.shape == (-(-m // 16), 2, 16)
    for panel, start in zip(panels, product.starts(m), strict=True):
        count = min(m, 16)
        np.testing.assert_array_equal(not_running(panel[:, :count].T), words[start : start + count])
        assert not panel[:, count:].any()


def test_starts_of_runs_that_cover_a_row():
    assert [product.starts(n) for n in (0, 3, 16, 17, 32, 40)] == [[], [0], [0], [0, 1], [0, 16], [0, 16, 24]]


def test_rows_of_tight_bits_are_the_words(signs):
    from lightnn.kernels.binary.words import pack_tight

    for m, k in ((5, 64), (3, 100), (16, 128)):
        w = signs(m, k)
        np.testing.assert_array_equal(product.rows_of(pack_tight(w > 0), m, k), pack_signs(w))


def test_the_last_path_runs_anywhere():
    assert type(popcount.PATHS[-1]).__name__ == "scalar" and popcount.BEST is popcount.PATHS[0]
    assert all(popcount.WIDTH % (path.lanes * path.vectors) == 0 for path in popcount.PATHS)
