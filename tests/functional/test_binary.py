"""lightnn/functional/binary.py: signs by their formulas, and XNOR's input scale by its definition."""

import numpy as np
import pytest

from lightnn import Tensor
from lightnn import functional as F
from lightnn.testing import check_vjp

POINTS = [-2.0, -1.0, -0.5, -0.0, 0.0, 0.25, 1.0, 3.0, np.inf, -np.inf, np.nan]
SIGNS = [-1.0, -1.0, -1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, -1.0, np.nan]
HARD = [0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
PARABOLAS = [0.0, 0.0, 1.0, 2.0, 2.0, 1.5, 0.0, 0.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(("sign", "slope"), [(F.sign, HARD), (F.approx_sign, PARABOLAS)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_sign_and_its_straight_through_gradient_by_their_formulas(sign, slope, dtype):
    x = Tensor(np.array(POINTS, dtype), requires_grad=True)
    y, dy = sign(x), np.arange(1, 12).astype(dtype)
    np.testing.assert_array_equal(y.data, np.array(SIGNS, dtype), strict=True)
    y.backward(dy)
    np.testing.assert_array_equal(x.grad, (dy * slope).astype(dtype), strict=True)


def test_the_parabolas_are_nearer_to_the_sign_than_the_hard_tanh():
    """Their gradient is the derivative of a curve from -1 to 1, and that curve leaves half as much of the sign."""
    t = np.linspace(-1, 1, 20_001)
    x = Tensor(t, requires_grad=True)
    F.approx_sign(x).backward(np.ones_like(t))
    curve = np.concatenate([[0], np.cumsum((x.grad[1:] + x.grad[:-1]) / 2 * np.diff(t))]) - 1
    assert curve[-1] == pytest.approx(1, abs=1e-6)
    left = [np.abs(np.where(t >= 0, 1, -1) - c).mean() for c in (curve, t)]
    assert left[0] == pytest.approx(1 / 3, abs=1e-3) and left[1] == pytest.approx(1 / 2, abs=1e-3)


@pytest.mark.parametrize("sign", [F.sign, F.approx_sign])
@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (2, 1, 3)])
def test_any_shape_and_only_floats(sign, shape):
    x = Tensor(np.ones(shape, np.float32), requires_grad=True)
    y = sign(x)
    y.backward(np.ones(shape, np.float32))
    assert y.shape == x.grad.shape == shape and y.dtype == np.float32
    with pytest.raises(TypeError, match=f"{sign.__name__}: want floating-point"):
        sign(np.ones(3, int))


def by_definition(x, kernel, stride, padding):
    """K, one window at a time."""
    (kh, kw), (sh, sw), (ph, pw) = kernel, stride, padding
    A = np.pad(np.abs(x).mean(1), ((0, 0), (ph, ph), (pw, pw)))
    rows, columns = ((n - k) // s + 1 for n, k, s in zip(A.shape[1:], kernel, stride))
    K = np.zeros((len(x), 1, rows, columns), x.dtype)
    for i in range(rows):
        for j in range(columns):
            K[:, 0, i, j] = A[:, i * sh : i * sh + kh, j * sw : j * sw + kw].sum((1, 2)) / (kh * kw)
    return K


WINDOWS = [((3, 3), (1, 1), (0, 0)), ((3, 3), (1, 1), (1, 1)), ((2, 3), (2, 1), (1, 0)), ((5, 4), (1, 1), (0, 0))]


@pytest.mark.parametrize(("kernel", "stride", "padding"), WINDOWS)
def test_the_input_scale_is_its_definition_and_has_its_gradient(rng, kernel, stride, padding):
    x = rng.standard_normal((2, 3, 5, 4)) + 0.1
    options = {"kernel_size": kernel, "stride": stride, "padding": padding}
    np.testing.assert_allclose(F.input_scale(x, **options).data, by_definition(x, kernel, stride, padding), rtol=1e-12)
    check_vjp(F.input_scale, x, **options)
    apart = np.repeat(x.astype(np.float32), 2, -1)[..., ::2]
    np.testing.assert_array_equal(F.input_scale(apart, **options).data, F.input_scale(apart.copy(), **options).data)
    assert F.input_scale(x[:0], **options).shape[0] == 0


def test_for_one_window_the_input_scale_is_the_best_one(rng):
    """|x - K B|^2 is least for B = sign(x) and K = E|x|, among all signs and scales near it."""
    x = rng.standard_normal((1, 2, 2, 2))
    K, B = F.input_scale(x, kernel_size=2).item(), F.sign(x).data
    best = ((x - K * B) ** 2).sum()
    for signs in np.ndindex(*[2] * 8):
        other = 2.0 * np.reshape(signs, x.shape) - 1
        assert all(best <= ((x - k * other) ** 2).sum() + 1e-12 for k in (0.8 * K, K, 1.25 * K))


@pytest.mark.parametrize(
    ("x", "options", "message"),
    [
        (np.ones((2, 3)), {}, r"input_scale: want x \(N, C, H, W\), C > 0; got x \(2, 3\)"),
        (np.ones((2, 0, 4, 4)), {}, r"want x \(N, C, H, W\), C > 0"),
        (np.ones((1, 1, 2, 2)), {}, "a kernel of"),
        (np.ones((1, 1, 9, 9)), {"padding": 2}, "want padding of at most half the kernel"),
        (np.ones((1, 1, 9, 9)), {"stride": None}, "input_scale: stride: want an int >= 1"),
    ],
)
def test_what_has_no_input_scale_is_refused(x, options, message):
    with pytest.raises(ValueError, match=message):
        F.input_scale(x, kernel_size=3, **options)
