"""Signs as words: the definition by hand, the kernels against the definition, and back again."""

import numpy as np
import pytest

from lightnn.kernels.binary import words
from lightnn.kernels.binary.words import pack_planes, pack_rows, pack_signs, pack_tight, unpack_signs, xnor_dot

SHAPES = [(1, 1), (3, 63), (2, 64), (5, 200), (2, 65), (0, 5), (4, 0)]
PIXELS = [(1,), (2,), (3, 1), (5,), (3, 3), (15,), (4, 4), (17,), (5, 8), (0,)]
SLOW = pytest.mark.thorough  # each dtype is compiled for each path
DTYPES = [np.float32, *(pytest.param(dtype, marks=SLOW) for dtype in (np.uint8, np.float64, np.int32))]


def test_bits_by_hand():
    x = np.array([[1.0, -1.0, 0.0, -0.0, -2.5, np.nan, np.inf, -np.inf, 1e-45, -1e-45]], np.float32)
    assert pack_signs(x).tolist() == [[0b0101001101]]
    assert pack_signs(np.ones((2, 65))).tolist() == [[2**64 - 1, 1]] * 2
    assert pack_signs(np.ones((3, 0))).shape == (3, 0)
    np.testing.assert_array_equal(unpack_signs(np.array([0b0110], np.uint64), 4), np.float32([-1, 1, 1, -1]))


def test_a_dot_product_by_hand():
    a, b = np.array([1, 1, -1, -1, 1]), np.array([1, -1, -1, 1, 1])
    assert xnor_dot(pack_signs(a), pack_signs(b), 5) == 1 == a @ b


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 300])
def test_dot_products_are_sums_of_products(count, signs):
    a, b = signs(count), signs(count)
    assert xnor_dot(pack_signs(a), pack_signs(b), count) == a @ b


def numbers(rng, shape, dtype):
    return rng.integers(0, 3, shape).astype(dtype) if dtype == np.uint8 else rng.integers(-1, 2, shape).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_rows(shape, dtype, rng, threads):
    x, k = numbers(rng, shape, dtype), shape[1]
    np.testing.assert_array_equal(pack_rows(x), pack_signs(x))
    least, flip = numbers(rng, k, dtype), rng.random(k) < 0.5
    want = np.where((x >= least) ^ flip, 1, -1)
    np.testing.assert_array_equal(pack_rows(x, least, pack_signs(np.where(flip, 1, -1))), pack_signs(want))
    np.testing.assert_array_equal(unpack_signs(pack_rows(x), k), np.where(x >= 0, 1, -1))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("pixels", PIXELS, ids=str)
@pytest.mark.parametrize("c", [1, 31, 33, 64, 130])
def test_planes(c, pixels, dtype, rng, threads):
    x = numbers(rng, (2, c, *pixels), dtype)
    least, flip, along = numbers(rng, c, dtype), rng.random(c) < 0.5, (-1, *[1] * len(pixels))
    want = np.where((x >= least.reshape(along)) ^ flip.reshape(along), 1, -1)
    for found, signs in (
        (pack_planes(x), np.where(x >= 0, 1, -1)),
        (pack_planes(x, least, pack_signs(np.where(flip, 1, -1))), want),
    ):
        assert found.shape == (2, -(-c // 64), *pixels)
        np.testing.assert_array_equal(np.moveaxis(found, 1, -1), pack_signs(np.moveaxis(signs, 1, -1)))
    back = words.unpack_planes(pack_planes(x), c)
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, np.where(x >= 0, 1, -1))


def test_special_numbers_and_strides(rng):
    x = rng.standard_normal((6, 140, 18), np.float32)
    x[0, :5, 0] = 0.0, -0.0, np.nan, np.inf, -np.inf
    before, part = x.copy(), x[::2, ::-1, ::3]
    np.testing.assert_array_equal(np.moveaxis(pack_planes(part), 1, -1), pack_signs(np.moveaxis(part, 1, -1)))
    np.testing.assert_array_equal(pack_rows(x[0].T), pack_signs(x[0].T))
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("shape", [(3, 5), (7, 64), (9, 130), (2, 128), (8, 784), (0, 5), (2, 0)], ids=str)
def test_tight_bits(shape, rng):
    signs, k = rng.random(shape) < 0.5, shape[1]
    bits = pack_tight(signs)
    assert bits.dtype == np.uint8 and bits.size == -(-signs.size // 8)
    np.testing.assert_array_equal(words.unpack_tight(bits, shape), signs)
    first = np.arange(0, k, 64)
    found = words.expand(bits, shape[0], k, first, np.minimum(k - first, 64))
    np.testing.assert_array_equal(found, pack_signs(np.where(signs, 1, -1)))
    assert np.shares_memory(found, bits) == (k % 64 == 0 and bits.size > 0)


def test_what_is_signs():
    x = np.where(np.arange(1000) % 3 == 0, np.float32(1), np.float32(-1))
    assert words.are_signs(x) and words.are_signs(x[:0]) and words.are_signs(x[:257])
    for place, other in ((0, 0.0), (300, np.nan), (999, 1.0000001), (256, -np.inf)):
        y = x.copy()
        y[place] = other
        assert not words.are_signs(y)


@pytest.mark.parametrize("shape", [(3, 5), (2, 1), (4, 0), (2, 3, 4)], ids=str)
def test_running_words_are_undone(shape, rng):
    some = rng.integers(0, 2**64, shape, np.uint64)
    run = words.running(some)
    assert all((run[..., t] == np.bitwise_xor.reduce(some[..., : t + 1], -1)).all() for t in range(shape[-1]))
    np.testing.assert_array_equal(words.not_running(run), some)
