"""The stored form and the plain definitions of what is computed from it."""

import numpy as np
import pytest

from lightnn.functional import plain
from lightnn.runtime import csr_conv2d, csr_matvec, from_csr, tap_positions, to_csr

W = np.array([[5.0, 0, 0, 7], [0, 0, 0, 0], [0, 3, 0, 0]])


def test_to_csr_on_a_matrix_that_fits_on_a_hand():
    values, columns, pointers = to_csr(W, W != 0)
    assert values.tolist() == [5, 7, 3] and columns.tolist() == [0, 3, 1] and pointers.tolist() == [0, 2, 2, 3]
    assert columns.dtype == pointers.dtype == np.int32 and values.dtype == W.dtype


def test_to_csr_keeps_what_the_mask_keeps_zeros_included():
    mask = np.zeros((3, 4), bool)
    mask[1, [0, 2]] = mask[2, 1] = True
    values, columns, pointers = to_csr(W, mask)
    assert values.tolist() == [0, 0, 3] and columns.tolist() == [0, 2, 1] and pointers.tolist() == [0, 0, 2, 3]


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_to_csr_takes_numbers_and_codes(dtype):
    values, *_ = to_csr(W.astype(dtype), W != 0)
    assert values.dtype == dtype and values.tolist() == [5, 7, 3]


@pytest.mark.parametrize("shape", [(1, 1), (5, 1), (1, 7), (6, 9), (0, 3)])
@pytest.mark.parametrize("density", [0, 0.4, 1])
def test_from_csr_gives_back_what_to_csr_stored(shape, density, rng):
    mask = rng.random(shape) < density
    w = np.where(mask, rng.standard_normal(shape), 0)
    stored = to_csr(w, mask)
    assert len(stored[0]) == mask.sum() and len(stored[2]) == shape[0] + 1
    np.testing.assert_array_equal(from_csr(*stored, shape[1]), w)


def test_csr_matvec_on_a_matrix_that_fits_on_a_hand():
    """Rows of different lengths, one of them empty, and columns that are not in front."""
    y = csr_matvec(*to_csr(W, W != 0), np.array([1.0, 10, 1000, 100]))
    assert y.tolist() == [705, 0, 30]


@pytest.mark.parametrize("shape", [(1, 1), (5, 1), (1, 7), (6, 9)])
@pytest.mark.parametrize("density", [0, 0.4, 1])
def test_csr_matvec_is_the_product(shape, density, rng):
    mask = rng.random(shape) < density
    w = np.where(mask, rng.standard_normal(shape), 0)
    x = rng.standard_normal(shape[1])
    y = csr_matvec(*to_csr(w, mask), x)
    assert y.shape == shape[:1]
    np.testing.assert_allclose(y, w @ x, rtol=1e-12, atol=1e-12)


def test_csr_matvec_reads_no_more_of_x_than_is_stored():
    y = csr_matvec(*to_csr(W, W != 0), np.array([1.0, 10, np.nan, 100]))
    assert y.tolist() == [705, 0, 30]


def test_tap_positions_on_a_filter_that_fits_on_a_hand():
    """Columns of (C, 2, 3) filters in an image 10 wide: row p and column q of the window, dilated by (1, 2)."""
    channel, offset = tap_positions(np.array([0, 2, 3, 6, 11]), (2, 3), (1, 2), 10)
    assert channel.tolist() == [0, 0, 0, 1, 1] and offset.tolist() == [0, 4, 10, 0, 14]


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "dilation"),
    [
        ((1, 1), (1, 1), (0, 0, 0, 0), (1, 1)),
        ((3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
        ((2, 3), (2, 1), (1, 0, 0, 2), (1, 2)),
        ((2, 1), (3, 4), (0, 2, 1, 0), (2, 1)),
    ],
)
@pytest.mark.parametrize("density", [0, 0.5, 1])
def test_csr_conv2d_is_the_convolution(kernel, stride, padding, dilation, density, rng):
    mask = rng.random((4, 3, *kernel)) < density
    w = np.where(mask, rng.standard_normal(mask.shape), 0)
    x = rng.standard_normal((2, 3, 7, 9))
    y = csr_conv2d(*to_csr(w.reshape(4, -1), mask.reshape(4, -1)), x, kernel, stride, padding, dilation)
    want = plain.conv2d(x, w, stride, padding, dilation)
    assert y.shape == want.shape
    np.testing.assert_allclose(y, want, rtol=1e-12, atol=1e-12)
