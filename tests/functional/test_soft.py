"""lightnn/functional/soft.py: sums of sigmoids and of hard steps."""

import numpy as np
import pytest

from lightnn import Tensor
from lightnn import functional as F
from lightnn.testing import check_vjp

Y = (-4, -2, -1, 0, 1, 2, 4)
b = np.array([-3.1, -1.4, -0.05, 0.05, 1.6, 2.9])
ONE = np.ones(1)


def defined(x, alpha, beta, b, T):
    """Equation 7, one number and one step at a time; T = inf is equation 12."""
    total = -0.5 * sum(np.diff(Y))
    for s_i, b_i in zip(np.diff(Y), b, strict=True):
        v = beta * x - b_i
        total += s_i * (float(v > 0) if np.isinf(T) else 1 / (1 + np.exp(-T * v)))
    return alpha * total


@pytest.mark.parametrize("T", [0.3, 5.0, 40.0])
def test_the_soft_form_is_its_definition(rng, T):
    x = rng.standard_normal((4, 3)) * 3
    got = F.soft_quantize(x, 0.7 * ONE, 1.2 * ONE, b, Y=Y, T=T).data
    np.testing.assert_allclose(got, np.vectorize(lambda v: defined(v, 0.7, 1.2, b, T))(x), rtol=1e-12, atol=1e-14)


def test_the_hard_form_is_its_definition(rng):
    x = rng.standard_normal((40, 3)) * 3
    got = F.hard_quantize(x, 0.7 * ONE, 1.2 * ONE, b, Y=Y).data
    np.testing.assert_allclose(got, np.vectorize(lambda v: defined(v, 0.7, 1.2, b, np.inf))(x), rtol=1e-15)


def test_by_hand():
    """The example of chapter 07: Y has the steps 2, 1, 1, 1, 1, 2, and o = 4."""
    x = np.array([-9.0, -2.0, -0.05, 0.0, 0.06, 1.6, 1.7, 9.0])
    assert F.hard_quantize(x, ONE / 2, ONE, b, Y=Y).data.tolist() == [-2, -1, -0.5, 0, 0.5, 0.5, 1, 2]
    half = F.soft_quantize(np.zeros(1), ONE, ONE, np.zeros(1), Y=(-1, 1), T=3.0)
    assert half.data.tolist() == [0]


@pytest.mark.parametrize("T", [0.5, 4.0, 20.0])
@pytest.mark.parametrize("shape", [(1,), (7,), (3, 4), (2, 0, 3)])
def test_all_gradients_are_those_of_the_soft_form(rng, shape, T):
    x = np.asarray(rng.standard_normal(shape)) * 2
    check_vjp(lambda *a: F.soft_quantize(*a, Y=Y, T=T), x, np.array([0.7]), np.array([1.3]), b, tol=1e-5)


def test_the_printed_gradient_holds_for_another_g(rng):
    """The paper's equation 8, T beta / (alpha s_i) g (alpha s_i - g): right for g = alpha s_i p_i, not for p_i."""
    x, alpha, beta, T = rng.standard_normal(50) * 2, 0.7, 1.3, 4.0
    leaf = Tensor(x, requires_grad=True)
    F.soft_quantize(leaf, alpha * ONE, beta * ONE, b, Y=Y, T=T).backward(np.ones(50))
    s = np.diff(Y)[:, None]
    p = 1 / (1 + np.exp(-T * (beta * x - b[:, None])))

    def printed(g):
        return (T * beta / (alpha * s) * g * (alpha * s - g)).sum(0)

    np.testing.assert_allclose(leaf.grad, printed(alpha * s * p), rtol=1e-9)
    assert np.abs(leaf.grad - printed(p)).max() > 0.1


def test_hot_and_cold_limits(rng):
    x = rng.standard_normal(500) * 3
    away = np.abs(1.2 * x[:, None] - b).min(1) > 1e-3
    hard = F.hard_quantize(x, ONE, 1.2 * ONE, b, Y=Y).data
    for T in (1e6, 2.0**110):
        np.testing.assert_allclose(F.soft_quantize(x, ONE, 1.2 * ONE, b, Y=Y, T=T).data[away], hard[away], atol=1e-12)
    np.testing.assert_allclose(F.soft_quantize(x, ONE, ONE, b, Y=Y, T=1e-9).data, 0, atol=1e-7)


def test_it_is_odd_if_levels_and_biases_are(rng):
    x, c = rng.standard_normal(99), np.array([-3.0, -1.5, -0.05, 0.05, 1.5, 3.0])
    for f in (lambda x: F.soft_quantize(x, ONE, ONE, c, Y=Y, T=3.0), lambda x: F.hard_quantize(x, ONE, ONE, c, Y=Y)):
        np.testing.assert_allclose(f(-x).data, -f(x).data, atol=1e-12)


def test_a_step_is_taken_strictly_above_its_bias():
    assert F.hard_quantize(np.array([0.0, 1e-300]), ONE, ONE, np.zeros(1), Y=(-1, 1)).data.tolist() == [-1, 1]


def test_the_hard_form_gives_a_gradient_to_alpha_alone(rng):
    leaves = [Tensor(a, requires_grad=True) for a in (rng.standard_normal(20), 0.7 * ONE, 1.2 * ONE, b)]
    y, dy = F.hard_quantize(*leaves, Y=Y), rng.standard_normal(20)
    y.backward(dy)
    assert leaves[1].grad[0] == pytest.approx((dy * y.data).sum() / 0.7)
    assert all((leaf.grad == 0).all() for leaf in (leaves[0], *leaves[2:]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_numbers(dtype):
    x = np.array([-np.inf, -3e38, -0.0, 1e-45, 3e38, np.inf, np.nan], dtype)
    one, c = np.ones(1, dtype), b.astype(dtype)
    for y in (F.hard_quantize(x, one, one, c, Y=Y), F.soft_quantize(x, one, one, c, Y=Y, T=1e30)):
        np.testing.assert_array_equal(y.data, np.array([-4, -4, 0, 0, 4, 4, np.nan], dtype))
        assert y.dtype == dtype


@pytest.mark.parametrize("f", [F.hard_quantize, lambda *a, **k: F.soft_quantize(*a, T=1.0, **k)])
def test_errors(f):
    x = np.ones(3)
    for wrong in ((1,), (1, 1), (2, 1), (0.5, 1), (0, 2**15 + 1), tuple(range(257)), 3):
        with pytest.raises(ValueError, match="quantize: Y: want 2 to 256 ascending ints"):
            f(x, ONE, ONE, b, Y=wrong)
    with pytest.raises(ValueError, match=r"want alpha \(1,\), beta \(1,\) and b \(1,\); got alpha \(1,\)"):
        f(x, ONE, ONE, b, Y=(0, 1))
    with pytest.raises(TypeError, match="want floating-point arrays of one dtype"):
        f(x.astype(np.float32), ONE, ONE, b, Y=Y)


@pytest.mark.parametrize("T", [0, -1, np.inf, np.nan])
def test_no_such_temperature(T):
    with pytest.raises(ValueError, match="soft_quantize: T: want a finite number"):
        F.soft_quantize(np.ones(3), ONE, ONE, b, Y=Y, T=T)
