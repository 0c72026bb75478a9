"""lightnn/functional/shape.py: ops that only move data move the gradient back."""

import numpy as np
import pytest

from lightnn import Tensor
from lightnn import functional as F
from lightnn.testing import check_vjp


@pytest.mark.parametrize("start_dim", [0, 1, 2, -1, -3])
@pytest.mark.parametrize("shape", [(2, 3, 4), (1, 1, 1), (0, 3, 4), (2, 3, 4, 5)], ids=str)
def test_flatten(shape, start_dim, rng):
    x = rng.standard_normal(shape)
    lead = shape[: start_dim % len(shape)]
    np.testing.assert_array_equal(
        F.flatten(x, start_dim=start_dim).data, x.reshape(*lead, int(np.prod(shape[len(lead) :])))
    )
    check_vjp(F.flatten, x, start_dim=start_dim)
    check_vjp(F.flatten, x.T, start_dim=start_dim)


@pytest.mark.parametrize("start_dim", [2, -3])
def test_flatten_errors(start_dim):
    with pytest.raises(ValueError, match=rf"flatten: want start_dim within the 2 axes of x \(3, 4\), got {start_dim}"):
        F.flatten(np.ones((3, 4)), start_dim=start_dim)


@pytest.mark.parametrize("value", [0.0, -1.5])
@pytest.mark.parametrize(
    ("padding", "widths"),  # PyTorch's order, the last axis first; NumPy's, the first axis first
    [
        ((), [(0, 0), (0, 0), (0, 0)]),
        ((1, 2), [(0, 0), (0, 0), (1, 2)]),
        ([0, 1], [(0, 0), (0, 0), (0, 1)]),
        ((1, 0, 0, 3), [(0, 0), (0, 3), (1, 0)]),
        ((0, 0, 2, 2, 1, 0), [(1, 0), (2, 2), (0, 0)]),
    ],
)
def test_pad(padding, widths, value, rng):
    for x in (rng.standard_normal((2, 3, 4)), rng.standard_normal((4, 0, 2)).T):
        np.testing.assert_array_equal(
            F.pad(x, padding=padding, value=value).data, np.pad(x, widths, constant_values=value)
        )
        check_vjp(F.pad, x, padding=padding, value=value)


@pytest.mark.parametrize("padding", [(1,), (1, 2, 3), (1, 1, 1, 1, 1, 1), (0, -1), (0.5, 1), 1], ids=str)
def test_pad_errors(padding):
    with pytest.raises(ValueError, match="pad: padding: want up to 2 pairs of ints >= 0, last axis first, got "):
        F.pad(np.ones((3, 4)), padding=padding)


@pytest.mark.parametrize("dim", [0, 1, 2, -1])
@pytest.mark.parametrize("lengths", [(3,), (1, 2), (2, 0, 3)], ids=str)
def test_concat(lengths, dim, rng):
    shape = np.array([2, 3, 4])
    xs = [rng.standard_normal(np.where(np.arange(3) == dim % 3, n, shape)) for n in lengths]
    np.testing.assert_array_equal(F.concat(xs, dim=dim).data, np.concatenate(xs, dim))
    check_vjp(lambda *xs: F.concat(xs, dim=dim), *xs)


def test_a_tensor_may_be_joined_to_itself():
    x = Tensor(np.ones((2, 3)), requires_grad=True)
    F.concat([x, x.detach(), x]).sum().backward()
    np.testing.assert_array_equal(x.grad, np.full((2, 3), 2))


@pytest.mark.parametrize(
    ("xs", "dim", "error", "message"),
    [
        ([], 0, ValueError, "want at least one Tensor, got none"),
        ([np.ones(2), np.ones(2, np.float32)], 0, TypeError, r"of one dtype, got xs\[0\] float64, xs\[1\] float32"),
        ([np.ones((2, 3)), np.ones((2, 4))], 0, ValueError, r"got xs\[0\] \(2, 3\), xs\[1\] \(2, 4\)"),
        ([np.ones((2, 3)), np.ones(3)], 0, ValueError, r"got xs\[0\] \(2, 3\), xs\[1\] \(3,\)"),
        ([np.ones((2, 3))], 2, ValueError, "dim"),
    ],
)
def test_concat_errors(xs, dim, error, message):
    with pytest.raises(error, match="concat: .*" + message):
        F.concat(xs, dim=dim)


@pytest.mark.parametrize("f", [lambda x: F.flatten(x), lambda x: F.pad(x, padding=(1, 1)), lambda x: F.concat([x, x])])
def test_float32_stays_float32(f):
    x = Tensor(np.ones((2, 3), np.float32), requires_grad=True)
    y = f(x)
    y.sum().backward()
    assert (y.dtype, x.grad.dtype) == (np.float32, np.float32)


@pytest.mark.oracle
@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_pytorch(seed, torch, same_as_torch):
    rng = np.random.default_rng(seed)
    x, dim = rng.standard_normal(rng.integers(1, 5, 4)), int(rng.integers(4))
    padding = rng.integers(0, 3, 2 * rng.integers(1, 5)).tolist()
    same_as_torch(lambda x: F.flatten(x, start_dim=dim), lambda x: torch.flatten(x, start_dim=dim), x)
    theirs = torch.nn.functional.pad
    same_as_torch(lambda x: F.pad(x, padding=padding, value=0.5), lambda x: theirs(x, padding, value=0.5), x)
    same_as_torch(lambda *a: F.concat(a, dim=dim), lambda *a: torch.cat(a, dim=dim), x, x[::-1].copy())
