"""lightnn/functional/resize.py: bilinear interpolation by its definition, and by PyTorch."""

import numpy as np
import pytest

from lightnn import functional as F
from lightnn.functional.resize import interpolation
from lightnn.testing import check_vjp

CASES = [  # shape of x, size
    ((2, 3, 4, 5), (8, 10)),
    ((1, 2, 5, 3), (7, 2)),
    ((1, 1, 6, 6), 3),
    ((2, 2, 1, 1), (3, 4)),
    ((1, 2, 3, 4), (3, 4)),
    ((1, 1, 7, 2), (1, 9)),
    ((0, 2, 3, 4), 5),
]


def resize_by_loops(x, h, w):
    """Each pixel of y from the four pixels of x around its centre."""
    height, width = x.shape[2:]
    y = np.zeros((*x.shape[:2], h, w))
    for i, j in np.ndindex(h, w):
        a, b = (max((k + 0.5) * n / m - 0.5, 0) for k, n, m in ((i, height, h), (j, width, w)))
        top, left = int(a), int(b)
        bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
        a, b = a - top, b - left
        above = (1 - b) * x[:, :, top, left] + b * x[:, :, top, right]
        below = (1 - b) * x[:, :, bottom, left] + b * x[:, :, bottom, right]
        y[:, :, i, j] = (1 - a) * above + a * below
    return y


@pytest.mark.parametrize(("shape", "size"), CASES, ids=str)
def test_definition(shape, size, rng):
    x, out = rng.standard_normal(shape), size if isinstance(size, tuple) else (size, size)
    np.testing.assert_allclose(F.resize_bilinear(x, size=size).data, resize_by_loops(x, *out), rtol=1e-12, atol=1e-12)
    check_vjp(F.resize_bilinear, x, size=size)
    turned = np.asfortranarray(x)
    np.testing.assert_array_equal(F.resize_bilinear(turned, size=size).data, F.resize_bilinear(x, size=size).data)


def test_by_hand():
    """Twice as wide: quarters of the way between two pixels; the ends are repeated."""
    x = np.array([[[[0.0, 4.0]]]])
    np.testing.assert_array_equal(F.resize_bilinear(x, size=(1, 4)).data, [[[[0, 1, 3, 4]]]])


@pytest.mark.parametrize(("n", "k"), [(4, 8), (5, 3), (1, 6), (7, 7)])
def test_every_row_of_the_matrix_is_a_mean(n, k):
    A = interpolation(n, k)
    assert (A >= 0).all() and (np.count_nonzero(A, axis=1) <= 2).all()
    np.testing.assert_allclose(A.sum(1), 1)
    if n == k:
        np.testing.assert_array_equal(A, np.eye(n))


def test_float32_stays_float32(rng):
    assert F.resize_bilinear(rng.random((1, 2, 3, 3), np.float32), size=5).dtype == np.float32


@pytest.mark.parametrize(
    ("x", "size", "message"),
    [
        (np.ones((2, 3, 4)), 2, r"resize_bilinear: want x \(N, C, H, W\), H, W > 0; got x \(2, 3, 4\)"),
        (np.ones((2, 3, 0, 4)), 2, r"resize_bilinear: want x \(N, C, H, W\), H, W > 0"),
        (np.ones((2, 3, 4, 4)), 0, "resize_bilinear: size: want an int >= 1 or a pair of them, got 0"),
    ],
)
def test_errors(x, size, message):
    with pytest.raises(ValueError, match=message):
        F.resize_bilinear(x, size=size)


@pytest.mark.oracle
@pytest.mark.parametrize(("shape", "size"), CASES[:-1], ids=str)
def test_agrees_with_pytorch(shape, size, rng, torch, same_as_torch):
    how = {"mode": "bilinear", "align_corners": False}
    same_as_torch(
        lambda x: F.resize_bilinear(x, size=size),
        lambda x: torch.nn.functional.interpolate(x, size=size, **how),
        rng.standard_normal(shape),
    )
