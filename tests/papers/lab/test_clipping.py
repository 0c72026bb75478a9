"""lightnn/papers/lab/clipping.py: the norm of a gradient is bounded, its direction stays."""

import numpy as np
import pytest

from lightnn import nn
from lightnn.papers.lab.clipping import clip


@pytest.mark.parametrize("size", [0.01, 1e3, 1e30])
def test_a_long_gradient_is_scaled_to_the_norm_and_a_short_one_stays(size, rng):
    p, q = (nn.Parameter(rng.standard_normal(shape).astype(np.float32)) for shape in ((3, 4), (13,)))
    p.grad, q.grad = np.full(p.shape, size, np.float32), np.full(q.shape, -size, np.float32)
    assert clip([p, q], 1.0) == pytest.approx(5 * size)
    expected = min(size, 0.2)
    np.testing.assert_allclose(p.grad, expected, rtol=1e-5)
    np.testing.assert_allclose(q.grad, -expected, rtol=1e-5)
    assert p.grad.dtype == np.float32
