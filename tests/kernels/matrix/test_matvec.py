"""lightnn/kernels/matrix/matvec.py: the definition, and the same numbers however many threads there are."""

import numba
import numpy as np
import pytest

from lightnn.kernels.matrix import matvec as kernel


@pytest.mark.parametrize("m, k", [(1, 1), (3, 5), (4, 16), (9, 33), (7, 0)])
@pytest.mark.parametrize("bias", [True, False])
def test_it_is_the_product(m, k, bias, rng):
    w, x, b = rng.standard_normal((m, k)), rng.standard_normal(k), rng.standard_normal(m) if bias else None
    given = [a if a is None else a.copy() for a in (w, x, b)]
    y = kernel.matvec(w, x, b)
    np.testing.assert_allclose(y, (w * x).sum(1) + (b if bias else 0), rtol=0, atol=1e-12)
    assert y.shape == (m,) and y.dtype == w.dtype
    for a, before in zip((w, x, b), given, strict=True):
        np.testing.assert_array_equal(a, before)


def test_threads_change_no_bit(rng, monkeypatch):
    w, x = rng.standard_normal((30, 70)), rng.standard_normal(70)
    alone = kernel.matvec(w, x, None)
    monkeypatch.setattr(kernel, "PARALLEL_SIZE", 0)
    for threads in range(1, numba.config.NUMBA_NUM_THREADS + 1):
        monkeypatch.setattr(numba, "get_num_threads", lambda threads=threads: threads)
        np.testing.assert_array_equal(kernel.matvec(w, x, None), alone)


def test_nan_and_infinity_count():
    w, x = np.ones((5, 20)), np.ones(20)
    x[3], w[1, 4], w[2, 5] = np.inf, np.nan, -np.inf
    with np.errstate(invalid="ignore"):
        y = kernel.matvec(w, x, None)
    np.testing.assert_array_equal(y, [np.inf, np.nan, np.nan, np.inf, np.inf])
