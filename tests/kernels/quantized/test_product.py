"""lightnn/kernels/quantized/product.py against int64 einsum: every path, layout and remainder."""

import numpy as np
import pytest
from numba import config

from lightnn.kernels.quantized import product, requantize

LONG = 30 if config.DISABLE_JIT else 2311
SHAPES = [(1, 1, 1), (1, 7, 50), (9, 5, 1), (8, 16, 48), (17, 33, 49), (64, 100, 20), (10, LONG, 19), (40, 50, 130)]


def bytes_like(rng, shape, dtype):
    """Random bytes over the whole range; weights without -128."""
    return (
        rng.integers(0, 256, shape).astype(np.uint8) if dtype == np.uint8 else rng.integers(-127, 128, shape, np.int8)
    )


@pytest.fixture(params=[(np.uint8, np.int8), (np.int8, np.uint8)], ids=["uint8 x int8", "int8 x uint8"])
def kinds(request):
    return request.param


@pytest.mark.parametrize("layout", ["ab", "aB", "Ab", "AB"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_definition_in_every_layout(path, kinds, shape, layout, rng):
    m, k, n = shape
    a, b = bytes_like(rng, (m, k), kinds[0]), bytes_like(rng, (k, n), kinds[1])
    want = np.einsum("mk,kn->mn", a, b, dtype=np.int64)
    a = np.asfortranarray(a) if "A" in layout else a
    b = np.asfortranarray(b) if "B" in layout else b
    c = product.matmul(a, b, path)
    assert c.dtype == np.int32 and c.flags.c_contiguous
    np.testing.assert_array_equal(c, want)
    np.testing.assert_array_equal(product.matmul(a, product.pack(b, path), path), want)


def test_strided_operands(path, kinds, rng):
    a, b = bytes_like(rng, (20, 18), kinds[0])[::2, ::3], bytes_like(rng, (12, 30), kinds[1])[::-2, ::-1]
    want = np.einsum("mk,kn->mn", a, b, dtype=np.int64)
    np.testing.assert_array_equal(product.matmul(a, b, path), want)
    np.testing.assert_array_equal(product.matmul(a, product.pack(b, path), path), want)


@pytest.mark.parametrize("shape", [(0, 3, 4), (3, 0, 4), (3, 4, 0)], ids=str)
def test_empty(path, kinds, shape):
    m, k, n = shape
    a, b = np.ones((m, k), kinds[0]), np.ones((k, n), kinds[1])
    for right in (b, product.pack(b, path)):
        np.testing.assert_array_equal(product.matmul(a, right, path), np.zeros((m, n)))


def test_operands_are_not_changed(path, kinds, rng):
    a, b = bytes_like(rng, (9, 7), kinds[0]), bytes_like(rng, (7, 9), kinds[1])
    before = a.copy(), b.copy()
    product.matmul(a, b, path)
    np.testing.assert_array_equal(a, before[0])
    np.testing.assert_array_equal(b, before[1])


@pytest.mark.parametrize("shape", [*SHAPES, (0, 3, 4), (3, 4, 0)], ids=str)
def test_linear_is_the_requantized_product(path, shape, rng):
    m, k, n = shape
    x, w = bytes_like(rng, (m, k), np.uint8), bytes_like(rng, (n, k), np.int8)
    scale = 2.0 ** rng.uniform(-1, 1, n) / (50 * 127 * k**0.5)
    bias = rng.integers(-999, 999, n)
    out = requantize.output(w, bias, scale, 100, zero=120, low=120, high=240)
    sums = np.einsum("mk,nk->nm", x.astype(np.int64) - 100, w.astype(np.int64)) + bias[:, None]
    want = requantize.requantized(sums, out._replace(b=np.zeros(n, np.int32))).T
    y = product.linear(x, product.pack(w.T, path), out, path)
    assert y.dtype == np.uint8 and y.shape == (m, n)
    np.testing.assert_array_equal(y, want)
