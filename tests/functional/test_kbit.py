"""lightnn/functional/kbit.py: activations and weights of K bits."""

import numpy as np
import pytest

from lightnn import Tensor
from lightnn import functional as F


def test_dorefa_by_hand_and_its_gradient():
    x = Tensor(np.array([-1.0, 0.0, 0.4, 0.6, 1.0, 2.0]), requires_grad=True)
    y = F.dorefa_activation(x, bits=2)
    np.testing.assert_allclose(y.data, [0, 0, 1 / 3, 2 / 3, 1, 1], rtol=1e-15)
    y.backward(np.arange(1.0, 7.0))
    assert x.grad.tolist() == [0, 2, 3, 4, 5, 0]


def test_pact_by_hand_and_its_gradients():
    x = Tensor(np.array([-1.0, 0.0, 2.4, 5.9, 6.0, 9.0]), requires_grad=True)
    a = Tensor(np.array([6.0]), requires_grad=True)
    y = F.pact(x, a, bits=2)
    np.testing.assert_allclose(y.data, [0, 0, 2, 6, 6, 6], rtol=1e-15)
    y.backward(np.arange(1.0, 7.0))
    assert x.grad.tolist() == [0, 0, 3, 4, 0, 0] and a.grad.tolist() == [11]


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_lsq_is_its_equations_one_number_at_a_time(rng, bits, signed):
    v = Tensor(rng.standard_normal(200) * 2.0**bits / 2, requires_grad=True)
    s, n = Tensor(np.array([0.7]), requires_grad=True), 50
    Q_N, Q_P = (2 ** (bits - 1), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    y, dy, want_s = F.lsq(v, s, bits=bits, signed=signed, n=n), rng.standard_normal(200), 0.0
    y.backward(dy)
    for x, got, d, dv in zip(v.data / 0.7, y.data, dy, v.grad, strict=True):
        inside = -Q_N < x < Q_P
        assert got == pytest.approx(0.7 * round(min(max(x, -Q_N), Q_P)), rel=1e-12)
        assert dv == (d if inside else 0)
        want_s += d * (round(x) - x if inside else (-Q_N if x <= -Q_N else Q_P))
    assert s.grad[0] == pytest.approx(want_s / np.sqrt(n * Q_P), rel=1e-9)


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (2, 1, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_any_shape(shape, dtype):
    x, one = np.ones(shape, dtype), np.ones(1, dtype)
    for y in (F.dorefa_activation(Tensor(x), bits=3), F.pact(x, one, bits=3), F.lsq(x, one, bits=3)):
        assert y.shape == shape and y.dtype == dtype


def test_the_learned_number_is_an_array_of_one():
    for f, name in ((F.pact, "alpha"), (F.lsq, "s")):
        with pytest.raises(ValueError, match=rf"want {name} \(1,\); got {name} \(2,\)"):
            f(np.ones(3), np.ones(2), bits=2)
