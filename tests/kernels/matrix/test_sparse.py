"""Sparse products and direct sparse convolution against their definitions in float64, and bit for bit against the dense
kernels."""

import itertools

import numba
import numpy as np
import pytest
from numba import config

from lightnn.functional import plain
from lightnn.kernels.conv import dense
from lightnn.kernels.matrix import sparse, sparse_linear
from lightnn.kernels.matrix.matmul import matmul
from lightnn.runtime.csr import to_csr

compiled = pytest.mark.skipif(config.DISABLE_JIT, reason="the plain versions add in another order")


def sparse_pair(shape, density, rng, dtype=np.float64):
    """w with zeros and its Rows (M, the rest)."""
    mask = rng.random(shape) < density
    w = np.where(mask, rng.standard_normal(shape), 0).astype(dtype)
    return w, rows_of(w, mask)


def rows_of(w, mask):
    values, columns, pointers = to_csr(w.reshape(len(w), -1), mask.reshape(len(w), -1))
    return sparse.Rows(values, np.empty(0, w.dtype), columns, pointers)


def close(a, b, tol=1e-11):
    assert a.shape == b.shape and a.flags.c_contiguous
    np.testing.assert_allclose(a, b, rtol=tol, atol=tol)


# m, k, n
PRODUCTS = [
    (1, 1, 1), (1, 1, 3), (1, 9, 64), (5, 1, 2), (7, 9, 1), (7, 9, 16), (8, 9, 17), (9, 33, 65), (4, 50, 129),
    (3, 0, 4), (66, 40, 31), (5, 4, 0), (5, 4, 200),
]  # fmt: skip


@pytest.mark.parametrize("density", [0, 0.1, 0.5, 1])
@pytest.mark.parametrize(("m", "k", "n"), PRODUCTS)
def test_products_are_what_they_are_defined_as(m, k, n, density, rng):
    w, rows = sparse_pair((m, k), density, rng)
    b = rng.standard_normal((k, n))
    close(sparse.matmul(rows, b), w @ b)
    close(sparse_linear.linear(rows, b.T), (w @ b).T)
    if n:
        close(sparse.matvec(rows, b[:, -1]), w @ b[:, -1])


def test_rows_of_every_length_side_by_side(rng):
    """Two or four neighbouring rows run together as far as all go: none, one, or a long way."""
    mask = np.arange(40) < rng.permutation(40)[:, None]
    mask[[3, 11, 39]] = False
    w = np.where(mask, rng.standard_normal(mask.shape), 0)
    b = rng.standard_normal((40, 33))
    for last in range(1, 12):
        rows = rows_of(w[:last], mask[:last])
        close(sparse.matmul(rows, b), w[:last] @ b)
        close(sparse.matvec(rows, b[:, 0]), w[:last] @ b[:, 0])


def test_views_and_float32(rng):
    w, rows = sparse_pair((9, 12), 0.4, rng, np.float32)
    b = rng.standard_normal((24, 40), np.float32)[::2, ::-2]
    c = sparse.matmul(rows, b)
    y = sparse_linear.linear(rows, b.T)
    assert c.dtype == y.dtype == np.float32
    close(c, w @ b, 1e-5)
    close(y, (w @ b).T, 1e-5)


# n, c, height, width, o, kernel, stride, padding (top, bottom, left, right), dilation
CONVOLUTIONS = {
    "1x1": (2, 5, 4, 7, 3, (1, 1), (1, 1), (0, 0, 0, 0), (1, 1)),
    "1x1 image": (3, 2, 1, 1, 4, (1, 1), (1, 1), (0, 0, 0, 0), (1, 1)),
    "1x1 image, padded": (1, 2, 1, 1, 4, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
    "1x1 stride 2": (2, 3, 5, 8, 9, (1, 1), (2, 2), (0, 0, 0, 0), (1, 1)),
    "whole vectors": (2, 3, 8, 16, 4, (1, 1), (1, 1), (0, 0, 0, 0), (1, 1)),
    "3x3": (2, 3, 9, 8, 10, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
    "3x3 no padding": (1, 3, 11, 8, 9, (3, 3), (1, 1), (0, 0, 0, 0), (1, 1)),
    "5x5 of LeNet": (2, 4, 12, 12, 5, (5, 5), (1, 1), (0, 0, 0, 0), (1, 1)),
    "3x3 stride 2": (2, 3, 9, 8, 8, (3, 3), (2, 2), (1, 1, 1, 1), (1, 1)),
    "even kernel, asymmetric padding": (1, 2, 7, 10, 5, (2, 4), (1, 1), (0, 1, 2, 0), (1, 1)),
    "stride over kernel": (1, 2, 11, 9, 3, (2, 1), (3, 4), (0, 0, 0, 0), (1, 1)),
    "padding over kernel": (1, 2, 5, 6, 3, (2, 2), (3, 3), (4, 2, 5, 3), (1, 1)),
    "dilation": (2, 3, 13, 12, 6, (3, 3), (1, 1), (2, 2, 4, 4), (2, 4)),
    "stride and dilation": (1, 2, 13, 12, 6, (3, 2), (2, 3), (2, 0, 1, 3), (2, 3)),
    "one filter": (1, 3, 6, 9, 1, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
    "kernel of the image's size": (3, 2, 4, 5, 6, (4, 5), (1, 1), (0, 0, 0, 0), (1, 1)),
    "several strips": (2, 3, 17, 31, 4, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
    "empty batch": (0, 2, 5, 5, 3, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
}


@pytest.fixture(params=CONVOLUTIONS.values(), ids=CONVOLUTIONS)
def convolution(request):
    n, c, height, width, o, kernel, *options = request.param
    return (n, c, height, width), (o, c, *kernel), options


@pytest.mark.parametrize("density", [0, 0.3, 1])
def test_convolution_is_what_it_is_defined_as(convolution, density, rng):
    x_shape, w_shape, options = convolution
    w, rows = sparse_pair(w_shape, density, rng)
    x, b = rng.standard_normal(x_shape), rng.standard_normal(len(w))
    want = plain.conv2d(x, w, *options)
    close(sparse.conv2d(rows, x, None, w_shape[2:], *options), want)
    close(sparse.conv2d(rows, x, b, w_shape[2:], *options), want + b[:, None, None])


@pytest.mark.parametrize("seed", range(10 if config.DISABLE_JIT else 40))
def test_convolution_of_any_geometry(seed):
    rng = np.random.default_rng(seed)
    kernel, stride, dilation = (tuple(map(int, rng.integers(1, 4, 2))) for _ in range(3))
    padding = tuple(map(int, rng.integers(0, 4, 4)))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    size = [int(r + rng.integers(0, 9)) for r in reach]
    x = rng.standard_normal((int(rng.integers(1, 4)), int(rng.integers(1, 6)), *size))
    w, rows = sparse_pair((int(rng.integers(1, 7)), x.shape[1], *kernel), rng.random(), rng)
    want = plain.conv2d(x, w, stride, padding, dilation)
    close(sparse.conv2d(rows, x, None, kernel, stride, padding, dilation), want)


def test_convolution_of_views_in_float32(rng):
    w, rows = sparse_pair((5, 3, 3, 2), 0.5, rng, np.float32)
    x = rng.standard_normal((2, 9, 8, 6), np.float32).transpose(0, 3, 1, 2)[:, ::2]
    y = sparse.conv2d(rows, x, None, (3, 2), (2, 1), (1, 0, 1, 2), (1, 2))
    assert y.dtype == np.float32
    close(y, plain.conv2d(x, w, (2, 1), (1, 0, 1, 2), (1, 2)), 1e-5)


@pytest.mark.parametrize("k", [3, 300])
@pytest.mark.parametrize("dtype", [np.float32, pytest.param(np.float64, marks=pytest.mark.thorough)])
def test_codes_give_what_their_values_give(k, dtype, rng):
    codebook = rng.standard_normal(k).astype(dtype)
    mask = rng.random((11, 18)) < 0.5
    codes = rng.integers(0, k, mask.shape).astype(np.min_scalar_type(k - 1))
    numbers = rows_of(codebook[codes], mask)
    coded = numbers._replace(values=codes[mask], codebook=codebook)
    b, x = rng.standard_normal((18, 37)).astype(dtype), rng.standard_normal((2, 2, 9, 9)).astype(dtype)
    np.testing.assert_array_equal(sparse.matmul(coded, b), sparse.matmul(numbers, b))
    np.testing.assert_array_equal(sparse.matvec(coded, b[:, 1]), sparse.matvec(numbers, b[:, 1]))
    np.testing.assert_array_equal(sparse_linear.linear(coded, b.T), sparse_linear.linear(numbers, b.T))
    options = (3, 3), (1, 1), (1, 1, 1, 1), (1, 1)
    np.testing.assert_array_equal(sparse.conv2d(coded, x, None, *options), sparse.conv2d(numbers, x, None, *options))


@compiled
@pytest.mark.parametrize("dtype", [np.float32, pytest.param(np.float64, marks=pytest.mark.thorough)])
def test_sums_are_the_dense_kernels_bit_for_bit(dtype, rng):
    """Up to K = 512, where a dense kernel adds up all of K at once; adding an exact zero changes nothing."""
    w, rows = sparse_pair((33, 512), 0.2, rng, dtype)
    for n in (1, 5, 64, 100):
        b = rng.standard_normal((512, n)).astype(dtype)
        np.testing.assert_array_equal(sparse.matmul(rows, b), matmul(w, b))
        np.testing.assert_array_equal(sparse_linear.linear(rows, b.T), matmul(w, b).T)


@compiled
def test_convolutions_are_the_dense_kernels_bit_for_bit(convolution, rng):
    x_shape, w_shape, options = convolution
    w, rows = sparse_pair(w_shape, 0.5, rng, np.float32)
    x, b = rng.standard_normal(x_shape, np.float32), rng.standard_normal(len(w), np.float32)
    got = sparse.conv2d(rows, x, b, w_shape[2:], *options)
    np.testing.assert_array_equal(got, dense.forward(x, w, b, *options))


@compiled
def test_the_number_of_threads_does_not_matter(rng):
    w, rows = sparse_pair((120, 300), 0.5, rng, np.float32)
    filters, filter_rows = sparse_pair((21, 12, 3, 3), 0.5, rng, np.float32)
    b, x = rng.standard_normal((300, 64), np.float32), rng.standard_normal((3, 12, 20, 20), np.float32)

    def run():
        y = sparse.conv2d(filter_rows, x, None, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1))
        few = [sparse_linear.linear(rows, b.T[:n]) for n in (1, 9, 64)]
        return [sparse.matmul(rows, b), sparse.matvec(rows, b[:, 0]), y, *few]

    threads, many = numba.get_num_threads(), run()
    numba.set_num_threads(1)
    try:
        for one, other in zip(run(), many, strict=True):
            np.testing.assert_array_equal(one, other)
    finally:
        numba.set_num_threads(threads)


def test_an_element_that_is_not_stored_meets_nothing():
    """Documented: 0 * infinity is NaN in a dense product, and is not computed here."""
    rows = rows_of(np.array([[2.0, 0.0], [0.0, 0.0]]), np.array([[True, False], [False, False]]))
    np.testing.assert_array_equal(sparse.matmul(rows, np.array([[3.0, 1.0], [np.inf, np.nan]])), [[6, 2], [0, 0]])
    np.testing.assert_array_equal(sparse.matvec(rows, np.array([3.0, np.nan])), [6, 0])


@pytest.mark.parametrize(
    "counts", [[0], [5], [0, 0, 0], [1, 2, 3, 4], [0, 0, 9, 0, 0], [100, 1, 1, 1], [0, 3, 0, 3, 0]]
)
@pytest.mark.parametrize("parts", [1, 2, 3, 7])
def test_rows_are_cut_in_order_into_parts_of_about_as_many_elements(counts, parts):
    pointers = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    cuts = [sparse.cut(pointers, part, parts) for part in range(parts + 1)]
    assert cuts[0] == 0 and cuts[-1] == len(counts) and cuts == sorted(cuts)
    most = max(pointers[last] - pointers[first] for first, last in itertools.pairwise(cuts))
    assert most <= sum(counts) / parts + max(counts)
