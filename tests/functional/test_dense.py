"""lightnn/functional/dense.py: y = x w^T + b."""

import numpy as np
import pytest

from lightnn import Tensor
from lightnn import functional as F
from lightnn.testing import check_vjp

SHAPES = [(5, 4, 3), (1, 1, 1), (0, 4, 3), (2, 3, 4, 5)]  # of x (..., I), then O


def arrays(shape, rng, dtype=np.float64):
    *lead, I, O = shape
    return [rng.standard_normal(s).astype(dtype) for s in ((*lead, I), (O, I), (O,))]


@pytest.mark.parametrize("shape", [*SHAPES, (4, 3)], ids=str)
def test_definition(shape, rng):
    x, w, b = arrays(shape, rng)
    want = np.einsum("...i,oi->...o", x, w)
    np.testing.assert_allclose(F.linear(x, w, b).data, want + b, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(F.linear(x, w, None).data, want, rtol=1e-12, atol=1e-12)
    check_vjp(F.linear, x, w, b)
    check_vjp(F.linear, x, w, None)


def test_the_bias_may_be_left_out_or_named(rng):
    x, w, b = (Tensor(a, requires_grad=True) for a in arrays((5, 4, 3), rng))
    np.testing.assert_array_equal(F.linear(x, w).data, F.linear(x, w, None).data)
    y = F.linear(x, w, b=b)
    y.backward(np.ones(y.shape))
    np.testing.assert_array_equal(b.grad, [5, 5, 5])


def test_non_contiguous_arrays(rng):
    x, w, b = arrays((6, 4, 6), rng)
    check_vjp(F.linear, x[::2, ::-1], w.T[::-1].T, b[::-1])


def test_float32_stays_float32(rng):
    x, w, b = (Tensor(a, requires_grad=True) for a in arrays((5, 4, 3), rng, np.float32))
    y = F.linear(x, w, b)
    y.sum().backward()
    assert {a.dtype for a in (y, x.grad, w.grad, b.grad)} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("shapes", "came"),
    [
        (((5, 3), (2, 4), (2,)), r"x \(5, 3\), w \(2, 4\), b \(2,\)"),
        (((5, 4), (2, 4), (4,)), r"x \(5, 4\), w \(2, 4\), b \(4,\)"),
        (((5, 4), (2, 4), (2, 1)), r"b \(2, 1\)"),
        (((5, 4), (4,), None), r"w \(4,\), b None"),
        (((), (2, 4), None), r"x \(\), w \(2, 4\)"),
    ],
)
def test_wrong_shapes_are_named(shapes, came):
    with pytest.raises(
        ValueError, match=r"linear: want x \(\.\.\., I\), w \(O, I\) and b \(O,\) or None; got .*" + came
    ):
        F.linear(*(s if s is None else np.ones(s) for s in shapes))


@pytest.mark.parametrize(("x", "w"), [(np.float32, np.float64), (np.int64, np.int64), (np.uint8, np.float32)])
def test_wrong_dtypes_are_named(x, w):
    came = f"x {np.dtype(x)}, w {np.dtype(w)}"
    with pytest.raises(TypeError, match="linear: want floating-point arrays of one dtype, got " + came):
        F.linear(np.ones((5, 4), x), np.ones((2, 4), w), None)


@pytest.mark.oracle
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_agrees_with_pytorch(shape, rng, torch, same_as_torch):
    x, w, b = arrays(shape, rng)
    same_as_torch(F.linear, torch.nn.functional.linear, x, w, b)
    same_as_torch(F.linear, torch.nn.functional.linear, x, w, None)
