"""Laws of the ops for any shapes, options and memory layouts: linear in x and in w, each gradient the transpose, shapes
by their formulas, the dtype kept, a non-contiguous array as good as its copy, an empty batch.

The numbers are small integers, so that every sum is exact in any order, and two ways to compute one give equal bits.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightnn import Tensor
from lightnn import functional as F

DTYPES = st.sampled_from([np.float32, np.float64])
LAYOUTS = {
    "contiguous": lambda a: a,
    "last axis first": lambda a: np.ascontiguousarray(np.moveaxis(a, -1, 0)).transpose(*range(1, a.ndim), 0),
    "Fortran's order": np.asfortranarray,
    "every second": lambda a: np.repeat(a, 2, -1)[..., ::2],
    "backwards": lambda a: np.ascontiguousarray(a[..., ::-1])[..., ::-1],
    "a part of a larger one": lambda a: np.pad(a, 1)[(slice(1, -1),) * a.ndim],
}


def whole(draw, shape, dtype):
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    return rng.integers(-3, 4, shape).astype(dtype)


def run(f, dy, *arrays):
    """y and the gradients of the arrays, for this dy (a function of y's shape)."""
    tensors = [Tensor(a, requires_grad=True) for a in arrays]
    y = f(*tensors)
    y.backward(dy(y.shape))
    return y.data, [t.grad for t in tensors]


def check_laws(draw, f, shape, *arrays, linear=True):
    """f(*arrays) has this shape and the arrays' dtype, is linear in each of them, its gradients are the transposes, and
    none of it depends on how the arrays lie in memory."""
    dtype = arrays[0].dtype
    seed = draw(st.integers(0, 2**16))

    def dy(shape):
        return np.random.default_rng(seed).integers(-3, 4, shape).astype(dtype)

    y, grads = run(f, dy, *arrays)
    assert y.shape == shape and y.dtype == dtype
    for a, grad in zip(arrays, grads):
        assert grad.shape == a.shape and grad.dtype == dtype
    laid = [LAYOUTS[draw(st.sampled_from(sorted(LAYOUTS)))](a) for a in arrays]
    for a, b in zip([y, *grads], [z for part in [run(f, dy, *laid)] for z in (part[0], *part[1])]):
        np.testing.assert_array_equal(a, b)
    for i in range(len(arrays) if linear else 0):
        other, c = whole(draw, arrays[i].shape, dtype), draw(st.sampled_from([-2, 0, 3]))
        moved = [c * a + other if i == j else a for j, a in enumerate(arrays)]
        apart = f(*[other if i == j else a for j, a in enumerate(arrays)]).data
        np.testing.assert_array_equal(f(*moved).data, c * y + apart)
        assert np.vdot(dy(shape), y) == np.vdot(grads[i], arrays[i])  # <dy, A x> = <A^T dy, x>


@st.composite
def windows(draw):
    """(size, kernel, stride, padding, dilation, outputs) along one axis, with at least one output."""
    k, s, p, d = (draw(st.integers(low, high)) for low, high in ((1, 4), (1, 3), (0, 3), (1, 2)))
    reach = d * (k - 1) + 1
    n = max(1, reach - 2 * p) + draw(st.integers(0, 9))
    return n, k, s, p, d, (n + 2 * p - reach) // s + 1


BATCH = st.integers(0, 3)


@pytest.mark.parametrize("kind", ["conv2d", "grouped_conv2d", "depthwise_conv2d"])
@given(data=st.data())
def test_convolutions(kind, data):
    draw = data.draw
    rows, columns = draw(windows()), draw(windows())
    groups, each, filters = draw(st.integers(1, 4)), draw(st.integers(1, 4)), draw(st.integers(1, 5))
    options = {name: (rows[i], columns[i]) for name, i in (("stride", 2), ("padding", 3), ("dilation", 4))}
    if kind == "depthwise_conv2d":
        each = 1
    else:
        options["groups"] = groups
    n, dtype = draw(BATCH), draw(DTYPES)
    x = whole(draw, (n, groups * each, rows[0], columns[0]), dtype)
    w = whole(draw, (groups * filters, each, rows[1], columns[1]), dtype)
    shape = (n, groups * filters, rows[5], columns[5])
    check_laws(draw, lambda x, w: getattr(F, kind)(x, w, **options), shape, x, w)
    b = whole(draw, len(w), dtype)
    y = getattr(F, kind)(x, w, b, **options).data
    np.testing.assert_array_equal(y, getattr(F, kind)(x, w, **options).data + b[:, None, None])


@given(data=st.data())
def test_linear(data):
    draw = data.draw
    n, i, o = draw(BATCH), draw(st.integers(1, 40)), draw(st.integers(1, 40))
    dtype = draw(DTYPES)
    x, w, b = whole(draw, (n, i), dtype), whole(draw, (o, i), dtype), whole(draw, o, dtype)
    check_laws(draw, F.linear, (n, o), x, w)
    np.testing.assert_array_equal(F.linear(x, w, b).data, F.linear(x, w).data + b)


@st.composite
def pools(draw):
    """(size, kernel, stride, padding, outputs) along one axis: padding of at most half the kernel, a kernel with a
    power of two of pixels, so that means are exact."""
    k, s = draw(st.sampled_from([1, 2, 4])), draw(st.integers(1, 3))
    p = draw(st.integers(0, k // 2))
    n = max(1, k - 2 * p) + draw(st.integers(0, 9))
    return n, k, s, p, (n + 2 * p - k) // s + 1


@pytest.mark.parametrize("kind", ["avg_pool2d", "max_pool2d"])
@given(data=st.data())
def test_pools(kind, data):
    draw = data.draw
    rows, columns = draw(pools()), draw(pools())
    options = {name: (rows[i], columns[i]) for name, i in (("kernel_size", 1), ("stride", 2), ("padding", 3))}
    n, c, dtype = draw(BATCH), draw(st.integers(1, 5)), draw(DTYPES)
    x = whole(draw, (n, c, rows[0], columns[0]), dtype)

    def pool(x):
        return getattr(F, kind)(x, **options)

    check_laws(draw, pool, (n, c, rows[4], columns[4]), x, linear=kind == "avg_pool2d")
    if kind == "max_pool2d":
        np.testing.assert_array_equal(pool(2 * x + 5).data, 2 * pool(x).data + 5)
        assert (pool(x + abs(whole(draw, x.shape, dtype))).data >= pool(x).data).all()


@given(data=st.data())
def test_shift_shuffle_pad_and_concat_move_numbers_and_change_none(data):
    draw = data.draw
    n, c, h, w = draw(BATCH), 2 * draw(st.integers(1, 4)), draw(st.integers(1, 9)), draw(st.integers(1, 9))
    x = whole(draw, (n, c, h, w), draw(DTYPES))
    down, right = (np.array(draw(st.lists(st.integers(-3, 3), min_size=c, max_size=c))) for _ in range(2))
    check_laws(draw, lambda x: F.shift2d(x, down, right), x.shape, x)
    check_laws(draw, lambda x: F.channel_shuffle(x, groups=2), x.shape, x)
    a, b, e, f = (draw(st.integers(0, 3)) for _ in range(4))
    check_laws(draw, lambda x: F.pad(x, padding=(a, b, e, f)), (n, c, h + e + f, w + a + b), x)
    check_laws(draw, lambda x: F.concat([x, x], dim=1), (n, 2 * c, h, w), x)


@given(data=st.data())
def test_batch_norm_with_given_statistics_is_one_line_a_channel(data):
    """A power of two for the variance, and no eps: exact."""
    draw = data.draw
    axes = draw(st.sampled_from([(), (4,), (3, 5)]))
    n, c, dtype = draw(BATCH), draw(st.integers(1, 5)), draw(DTYPES)
    x = whole(draw, (n, c, *axes), dtype)
    weight, bias, mean = (whole(draw, c, dtype) for _ in range(3))
    var = (4.0 ** whole(draw, c, dtype)).astype(dtype)

    def norm(x):
        return F.batch_norm(x, weight, bias, running_mean=mean, running_var=var, eps=0.0)

    y = norm(x).data

    def along(v):
        return v.reshape(-1, *[1] * len(axes))

    np.testing.assert_array_equal(y, (along(weight) * (x - along(mean)) / np.sqrt(along(var))) + along(bias))
    assert y.dtype == dtype
    laid = LAYOUTS[draw(st.sampled_from(sorted(LAYOUTS)))](x)
    np.testing.assert_array_equal(norm(laid).data, y)
