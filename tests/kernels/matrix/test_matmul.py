"""lightnn/kernels/matrix/matmul.py against NumPy's product: every layout and remainder, and several blocks of K."""

import numpy as np
import pytest
from numba import config

from lightnn.kernels.matrix.matmul import matmul
from lightnn.kernels.vector import gemm

LONG = 30 if config.DISABLE_JIT else gemm.STEPS + 37
SHAPES = [
    (1, 1, 1),
    (1, 7, 50),
    (9, 5, 1),
    (8, 16, 48),
    (17, 33, 49),
    (64, 100, 20),
    (10, LONG, 19),
    (100 if config.DISABLE_JIT else 300, 50, 64),
]


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=lambda t: t.__name__)
@pytest.mark.parametrize("layout", ["ab", "aB", "Ab", "AB"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_definition_in_every_layout(shape, layout, dtype, rng):
    m, k, n = shape
    a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
    want = np.einsum("mk,kn->mn", a, b)
    tolerance = 1e-12 if dtype == np.float64 else 1e-3
    a = np.asfortranarray(a) if "A" in layout else a
    b = np.asfortranarray(b) if "B" in layout else b
    c = matmul(a, b)
    assert c.dtype == dtype and c.flags.c_contiguous
    np.testing.assert_allclose(c, want, rtol=tolerance, atol=tolerance)


def test_strided_operands(rng):
    a, b = rng.standard_normal((20, 18))[::2, ::3], rng.standard_normal((12, 30))[::-2, ::-1]
    np.testing.assert_allclose(matmul(a, b), a @ b, rtol=1e-12)


@pytest.mark.parametrize("shape", [(0, 3, 4), (3, 0, 4), (3, 4, 0)], ids=str)
def test_empty(shape):
    m, k, n = shape
    np.testing.assert_array_equal(matmul(np.ones((m, k)), np.ones((k, n))), np.zeros((m, n)))


def test_not_a_number_and_infinity_stay_in_their_row(rng):
    a, b = rng.standard_normal((20, 30)), rng.standard_normal((30, 50))
    a[3, 4], a[5, 6] = np.nan, np.inf
    with np.errstate(invalid="ignore"):  # NumPy, without the compiler, warns of inf * 0 in the lanes that are not used
        c = matmul(a, b)
    assert np.isnan(c[3]).all() and np.isinf(c[5]).all()
    assert np.isfinite(np.delete(c, (3, 5), 0)).all()
