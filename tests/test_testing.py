"""lightnn/testing.py: the two laws accept what is right, reject what is wrong, and say what and where."""

import operator

import numpy as np
import pytest

from lightnn import Tensor, op
from lightnn.compress import Codebook, Mask
from lightnn.nn import Parameter
from lightnn.testing import check_codec, check_vjp


def product(vjp_a=None, vjp_b=None):
    """The op a @ b.T, with its own vjps or those given: functions of (dy, a, b)."""

    @op
    def f(a, b):
        right_a, right_b = (lambda dy, a, b: dy @ b), (lambda dy, a, b: dy.T @ a)
        return a @ b.T, lambda dy: (vjp_a or right_a)(dy, a, b), lambda dy: (vjp_b or right_b)(dy, a, b)

    return f


@pytest.fixture
def matrices(rng):
    return rng.standard_normal((3, 3)), rng.standard_normal((3, 3))


def test_a_right_gradient_passes_and_the_arguments_are_left_alone(matrices):
    before = [m.copy() for m in matrices]
    check_vjp(product(), *matrices)
    np.testing.assert_array_equal(matrices, before)


MISTAKES = {
    "twice too large": lambda dy, a, b: 2 * dy @ b,
    "wrong sign": lambda dy, a, b: -dy @ b,
    "transposed": lambda dy, a, b: (dy @ b).T,
    "forgets dy": lambda dy, a, b: np.ones_like(dy) @ b,
    "one element missing": lambda dy, a, b: (dy @ b) * (np.arange(9).reshape(3, 3) != 4),
    "a thousandth off": lambda dy, a, b: 1.001 * dy @ b,
    "NaN": lambda dy, a, b: np.nan * dy,
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_gradient_is_rejected_by_the_number_of_its_argument(mistake, matrices):
    wrong = MISTAKES[mistake]
    with pytest.raises(AssertionError, match=r"check_vjp: f, argument 0 of shape \(3, 3\): the finite difference"):
        check_vjp(product(vjp_a=wrong), *matrices)
    a, b = matrices
    with pytest.raises(AssertionError, match="argument 1 "):
        check_vjp(product(vjp_b=lambda dy, a, b: wrong(dy.T, b, a)), a, b)


def test_a_gradient_that_is_missing_is_named(matrices):
    @op
    def f(a, b):
        return a * b, lambda dy: dy * b, None

    with pytest.raises(AssertionError, match="f gives no gradient for argument 1"):
        check_vjp(f, *matrices)


def test_a_function_that_leaves_the_tape_is_named(matrices):
    def detached(a, b):
        return Tensor(np.ones(3))

    with pytest.raises(AssertionError, match="the output of detached does not depend on its arguments by the tape"):
        check_vjp(detached, *matrices)


def test_only_float64_arrays_are_checked(matrices, rng):
    labels = np.arange(3)

    @op
    def pick(x, target):
        rows = np.arange(len(x))
        return x[rows, target], lambda dy: dy[:, None] * np.eye(3)[target], None

    check_vjp(pick, matrices[0], labels)
    with pytest.raises(ValueError, match="want at least one float64 array to differentiate"):
        check_vjp(pick, matrices[0].astype(np.float32), labels)


def test_options_reach_the_function(matrices):
    @op
    def scaled(x, *, by):
        return by * x, lambda dy: by * dy

    check_vjp(scaled, matrices[0], by=3.0)
    check_vjp(scaled, matrices[0], by=1e9)  # the tolerance is relative for what is large


@pytest.mark.parametrize("f", [operator.add, operator.matmul, lambda a, b: (a.exp() * b.exp()).mean()])
def test_a_function_may_be_written_with_the_operators_of_tensors(f, matrices):
    check_vjp(f, *matrices)


# check_codec


def compressed():
    """A Parameter of four codes under a mask."""
    p = Parameter(np.zeros((2, 3), np.float32))
    p.values = Codebook(np.array([-1, 0.5, 2, -0.0], np.float32), np.array([[0, 1, 2], [3, 2, 1]]))
    p.support = Mask(np.array([[True, True, False], [True, True, True]]))
    return p


def test_check_codec_accepts_what_decodes_bit_for_bit():
    check_codec(compressed())
    check_codec(Parameter(np.array([np.nan, -0.0, np.inf])))


def test_check_codec_names_the_first_element_that_differs():
    p = compressed()
    p.values.encode = lambda latent: {"codes": np.array([[0, 1, 2], [3, 2, 2]]), "codebook": p.values.codebook.data}
    with pytest.raises(AssertionError, match=r"1 of 6 elements differ; the first is \(1, 2\): forward gives .*0.5"):
        check_codec(p)


def test_check_codec_sees_the_sign_of_zero():
    p = compressed()
    p.values.encode = lambda latent: {"codes": p.values.codes, "codebook": p.values.codebook.data + np.float32(0)}
    with pytest.raises(AssertionError, match=r"the first is \(1, 0\)"):
        check_codec(p)


def test_check_codec_notices_a_change_of_dtype_and_of_the_parameter():
    p = compressed()
    p.values.encode = lambda latent: {"codes": p.values.codes, "codebook": p.values.codebook.data.astype(np.float64)}
    with pytest.raises(AssertionError, match="want float32 of shape"):
        check_codec(p)
    q = compressed()

    def spoil(latent):
        parts = {"codes": q.values.codes, "codebook": q.values.codebook.data.copy()}
        q.values.codebook.data[0] = 7
        return parts

    q.values.encode = spoil
    with pytest.raises(AssertionError, match="encoding changed the parameter"):
        check_codec(q)
