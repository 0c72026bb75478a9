"""lightnn/tensor.py: a Tensor computes like NumPy, and `backward` gives the gradients that calculus gives."""

import operator
import weakref

import numpy as np
import pytest

from lightnn import Tensor, no_grad, op
from lightnn.nn import Parameter
from lightnn.testing import check_vjp

BINARY = [operator.add, operator.sub, operator.mul, operator.truediv]
BROADCASTS = [  # shapes of two operands that NumPy stretches to one
    ((), ()),
    ((3,), ()),
    ((2, 3), (3,)),
    ((3,), (2, 3)),
    ((2, 1), (1, 3)),
    ((4, 1, 3), (2, 1)),
    ((1, 1), (2, 3)),
    ((1, 3), (0, 3)),
]
MATMULS = [
    ((2, 3), (3, 4)),
    ((1, 1), (1, 1)),
    ((3,), (3,)),
    ((3,), (3, 4)),
    ((2, 3), (3,)),
    ((5, 2, 3), (5, 3, 4)),
    ((5, 1, 2, 3), (4, 3, 2)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 4)),
    ((0, 3), (3, 4)),
]


def leaf(*values):
    """A float64 Tensor that wants a gradient."""
    return Tensor(np.array(values, np.float64), requires_grad=True)


def positive(rng, *shape):
    return np.asarray(rng.uniform(0.5, 2, shape))


# What a Tensor is


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        ([1.0, 2.0], np.float32),
        (3.5, np.float32),
        ([1, 2], np.int64),
        ([True, False], np.bool_),
        (np.ones(2), np.float64),
        (np.float64(1), np.float64),
        (np.ones(2, np.float16), np.float16),
        (Tensor(np.ones(2)), np.float64),
    ],
)
def test_lists_become_float32_and_arrays_keep_their_dtype(data, dtype):
    assert Tensor(data).dtype == dtype


def test_an_array_is_not_copied():
    a = np.zeros((2, 3))
    t = Tensor(a)
    assert t.data is a is t.numpy() is t.detach().data
    assert (t.shape, t.ndim, t.size, len(t), t.grad, t.requires_grad) == ((2, 3), 2, 6, 2, None, False)
    assert np.shares_memory(np.asarray(t), a)
    assert Tensor([2.5]).item() == 2.5


def test_repr_shows_data_and_requires_grad():
    assert repr(Tensor(np.array([1.0, 2.0]))) == "Tensor(array([1., 2.]))"
    assert repr(leaf(1.0)).endswith("requires_grad=True)")
    assert repr(leaf(1.0) * 2).endswith("op=mul)")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Tensor("abc"), "Tensor: want numbers, got an array of dtype <U3"),
        (lambda: Tensor(np.ones(2, complex)), "Tensor: want numbers, got an array of dtype complex128"),
        (
            lambda: Tensor([1, 2], requires_grad=True),
            "only floating-point data can require a gradient, got dtype int64",
        ),
    ],
)
def test_what_cannot_be_a_tensor(make, message):
    with pytest.raises(TypeError, match=message):
        make()


# Arithmetic: values are NumPy's, gradients pass the check


@pytest.mark.parametrize("shapes", BROADCASTS, ids=str)
@pytest.mark.parametrize("f", BINARY)
def test_binary_operators_broadcast(f, shapes, rng):
    a, b = (positive(rng, *s) for s in shapes)
    np.testing.assert_array_equal(f(Tensor(a), Tensor(b)).data, f(a, b))
    check_vjp(getattr(Tensor, f"__{f.__name__}__"), a, b)


@pytest.mark.parametrize("shapes", MATMULS, ids=str)
def test_matmul(shapes, rng):
    a, b = (rng.standard_normal(s) for s in shapes)
    np.testing.assert_array_equal((Tensor(a) @ Tensor(b)).data, a @ b)
    check_vjp(Tensor.__matmul__, a, b)


@pytest.mark.parametrize("f", [*BINARY, operator.matmul])
def test_an_array_may_stand_on_either_side(f, rng):
    a, b = positive(rng, 3, 3), positive(rng, 3, 3)
    for x, y in ((Tensor(a), b), (a, Tensor(b))):
        assert isinstance(f(x, y), Tensor)
        np.testing.assert_allclose(f(x, y).data, f(a, b), rtol=1e-14)


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda c, x: c + x, lambda c, x: np.ones_like(x)),
        (lambda c, x: c - x, lambda c, x: -np.ones_like(x)),
        (lambda c, x: c * x, lambda c, x: c * np.ones_like(x)),
        (lambda c, x: c / x, lambda c, x: -c / x**2),
    ],
    ids="+-*/",
)
@pytest.mark.parametrize("c", [3, 2.5, np.array([1.0, 2.0, 4.0])], ids=["int", "float", "array"])
def test_constant_on_the_left(f, slope, c, rng):
    x = Tensor(positive(rng, 3), requires_grad=True)
    f(c, x).sum().backward()
    np.testing.assert_allclose(x.grad, slope(c, x.data), rtol=1e-14)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 3)], ids=str)
@pytest.mark.parametrize(
    ("f", "numpy_f"),
    [
        (Tensor.__neg__, np.negative),
        (Tensor.__abs__, np.abs),
        (Tensor.exp, np.exp),
        (Tensor.log, np.log),
        (Tensor.sqrt, np.sqrt),
    ],
    ids=["neg", "abs", "exp", "log", "sqrt"],
)
def test_functions_of_one_array(f, numpy_f, shape, rng):
    a = positive(rng, *shape)
    np.testing.assert_array_equal(f(Tensor(a)).data, numpy_f(a))
    check_vjp(f, a)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, 0.5, -1.5])
def test_pow(exponent, rng):
    a = positive(rng, 2, 3)
    np.testing.assert_array_equal((Tensor(a) ** exponent).data, a**exponent)
    check_vjp(Tensor.__pow__, a, exponent)


@pytest.mark.parametrize(("exponent", "slope"), [(0, 0), (1, 1), (2, 0), (3, 0)])
def test_gradient_of_pow_at_zero(exponent, slope):
    x = leaf(0.0)
    (x**exponent).sum().backward()
    np.testing.assert_array_equal(x.grad, [slope])


def test_the_gradient_of_abs_at_zero_is_zero():
    x = leaf(-2.0, 0.0, 3.0)
    abs(x).sum().backward()
    np.testing.assert_array_equal(x.grad, [-1, 0, 1])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x + 1,
        lambda x: 1 - x,
        lambda x: 2.5 * x,
        lambda x: 1 / x,
        lambda x: x / 3,
        lambda x: x**2,
        lambda x: x * np.float64(2),
        lambda x: np.float64(2) - x,
        lambda x: x / np.int64(2),
        lambda x: np.float64(2) / x,
        lambda x: x.sum(),
        lambda x: x.mean(0),
        lambda x: x.max(1),
        lambda x: x.exp() + x.log() + x.sqrt() + abs(x),
        lambda x: x @ x.T,
        lambda x: x[0, :1].reshape(1, 1),
    ],
)
def test_float32_stays_float32(f):
    x = Tensor(np.ones((2, 3), np.float32), requires_grad=True)
    y = f(x)
    assert y.dtype == np.float32
    y.backward(np.ones(y.shape))  # in float64, as NumPy makes them
    assert x.grad.dtype == np.float32


def test_each_gradient_has_the_dtype_of_its_leaf():
    a, b = Tensor(np.ones(2, np.float32), requires_grad=True), Tensor(np.ones(2), requires_grad=True)
    y = (a * b).sum()
    y.backward()
    assert (y.dtype, a.grad.dtype, b.grad.dtype) == (np.float64, np.float32, np.float64)


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: x + np.ones((2, 2)), r"\(4,3\) \(2,2\)"),
        (lambda x: x @ x, "matmul"),
        (lambda x: x @ 3, "matmul"),
        (lambda x: x.reshape(5), "cannot reshape array of size 12"),
        (lambda x: x.sum(axis=2), "axis 2 is out of bounds"),
        (lambda x: x[7], "index 7 is out of bounds"),
    ],
)
def test_errors_name_the_shapes(f, message):
    with pytest.raises((ValueError, IndexError), match=message):
        f(Tensor(np.ones((4, 3))))


# Reductions, indexing, shapes


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2), (-1, 1), (0, 1, 2)], ids=str)
@pytest.mark.parametrize("name", ["sum", "mean", "max"])
def test_reductions(name, axis, keepdims, rng):
    a = rng.standard_normal((2, 3, 4))
    x = Tensor(a, requires_grad=True)
    y = getattr(x, name)(axis=axis, keepdims=keepdims)
    want = getattr(a, name)(axis=axis, keepdims=True)
    np.testing.assert_allclose(y.data, getattr(a, name)(axis=axis, keepdims=keepdims), rtol=1e-14)
    dy = rng.standard_normal(y.shape)
    y.backward(dy)
    share = {"sum": 1, "mean": want.size / a.size, "max": a == want}[name]
    np.testing.assert_allclose(x.grad, dy.reshape(want.shape) * share * np.ones_like(a), rtol=1e-14)


def test_tied_maxima_share_the_gradient():
    x = leaf(3.0, 1.0, 3.0, 3.0)
    x.max().backward()
    np.testing.assert_allclose(x.grad, [1 / 3, 0, 1 / 3, 1 / 3])


def test_reductions_of_a_single_number():
    x = leaf(2.0)[0]
    for y in (x.sum(), x.mean(), x.max()):
        assert y.shape == () and y.item() == 2


@pytest.mark.parametrize(
    "index",
    [
        1,
        -1,
        slice(1, 3),
        slice(None, None, -2),
        (slice(None), 2),
        (..., slice(0, 2)),
        (None, 0, slice(1, None)),
        np.array([2, 0, 2, 2]),
        [0, 0],
        (np.array([[0, 1], [1, 0]]), np.array([1, 1])),
        (slice(None), np.array([4, 4, 0])),
        np.arange(15).reshape(3, 5) % 2 == 0,
        np.array([True, False, True]),
        slice(3, 3),
    ],
    ids=str,
)
def test_indexing(index, rng):
    a = rng.standard_normal((3, 5))
    y = Tensor(a, requires_grad=True)[index]
    np.testing.assert_array_equal(y.data, a[index])
    check_vjp(Tensor.__getitem__, a, index)


def test_an_element_taken_three_times_gets_three_gradients():
    x = leaf(5.0, 6.0, 7.0)
    x[np.array([0, 2, 0, 0])].sum().backward()
    np.testing.assert_array_equal(x.grad, [3, 0, 1])


@pytest.mark.parametrize("shape", [(6,), (3, 2), (-1, 3), (1, 2, 1, 3), ((3, 2),)], ids=str)
def test_reshape(shape, rng):
    a = rng.standard_normal((2, 3))
    np.testing.assert_array_equal(Tensor(a).reshape(*shape).data, a.reshape(*shape))
    check_vjp(Tensor.reshape, a, *shape)


@pytest.mark.parametrize("axes", [(), (0, 1, 2), (2, 0, 1), (1, 2, 0), (-1, 0, 1), (0, -1, -2)], ids=str)
def test_transpose(axes, rng):
    a, dy = rng.standard_normal((2, 2, 3, 4))  # two arrays (2, 3, 4)
    x = Tensor(a, requires_grad=True)
    y = x.transpose(*axes)
    np.testing.assert_array_equal(y.data, a.transpose(axes or None))
    y.backward(dy.transpose(axes or None))
    np.testing.assert_array_equal(x.grad, dy)


def test_T_of_a_matrix():
    np.testing.assert_array_equal(Tensor(np.ones((2, 3))).T.data, np.ones((3, 2)))


def test_a_non_contiguous_array_is_as_good_as_another(rng):
    a = rng.standard_normal((6, 4))[::2, ::-1]
    check_vjp(Tensor.__mul__, a, a.T.copy().T)
    check_vjp(Tensor.__matmul__, a.T, a)


# The tape


def test_gradients_add_up_over_calls():
    x = leaf(1.0, 2.0)
    for times in (1, 2, 3):
        (x * x).sum().backward()
        np.testing.assert_array_equal(x.grad, times * 2 * x.data)


def test_gradients_add_up_over_paths():
    """A diamond: y = a b with a = x^2 and b = 3 x, so dy/dx = 9 x^2."""
    x = leaf(2.0)
    (x**2 * (3 * x)).sum().backward()
    np.testing.assert_array_equal(x.grad, [36])


def test_each_node_is_visited_once():
    """Sixty doublings have 2^60 paths but sixty nodes; a node waits until all that used it have reported."""
    x = leaf(1.0)
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    np.testing.assert_array_equal(x.grad, [2.0**60])


def test_branches_of_unequal_length_meet():
    x = leaf(3.0)
    a = x * 2
    long = ((a + 1) * 1 - 1) * 1
    (long * a).backward()
    np.testing.assert_array_equal(x.grad, [8 * 3])


def test_a_chain_of_20000_ops():
    x = leaf(1.0)
    y = x
    for _ in range(20_000):
        y = y + 1
    y.backward()
    np.testing.assert_array_equal(x.grad, [1])


def test_a_long_chain_that_is_never_used_can_be_deleted():
    y = leaf(1.0)
    for _ in range(100_000):
        y = y + 1
    del y


def test_only_leaves_keep_their_gradient():
    x = leaf(1.0)
    y = x * 2
    z = y + 1
    z.backward()
    assert (y.grad, z.grad) == (None, None) and x.grad == 2


def test_backward_of_a_leaf_is_its_own_gradient():
    x = leaf(1.0, 2.0)
    x.backward(np.array([3.0, 4.0]))
    np.testing.assert_array_equal(x.grad, [3, 4])


@pytest.mark.parametrize("share_first", [False, True])
def test_a_second_backward_says_that_the_tape_is_gone(share_first):
    x = leaf(1.0)
    shared = x.exp()
    first, second = shared * 2, shared * 3
    first.backward()
    with pytest.raises(RuntimeError, match=r"the tape behind `(exp|mul)` was freed by an earlier backward"):
        (second if share_first else first).backward()


def test_backward_frees_what_it_has_used():
    """The op nearest to the leaf looks at what the later op kept: in its turn it is already gone."""
    seen = []

    @op
    def first(x):
        return x * 1, lambda dy: (seen.append(kept()), dy)[1]

    x = leaf(1.0, 2.0)
    y = first(x).exp()  # exp keeps its y for its gradient
    kept = weakref.ref(y.data)
    z = (y * 1).sum()
    del y
    assert kept() is not None
    z.backward()
    assert seen == [None]
    assert z.item() > 0


def test_no_grad_records_nothing_and_ends_even_by_an_error():
    x = leaf(1.0)
    with no_grad():
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad
    with pytest.raises(ZeroDivisionError), no_grad():
        _ = 1 / 0
    assert (x * 2).requires_grad


def test_no_grad_nests_and_decorates():
    x = leaf(1.0)
    with no_grad():
        with no_grad():
            pass
        assert not (x * 2).requires_grad

    @no_grad()
    def double(x):
        return x * 2

    assert not double(x).requires_grad
    assert (x * 2).requires_grad


def test_detach_is_a_constant():
    x = leaf(3.0)
    (x * x.detach()).backward()
    np.testing.assert_array_equal(x.grad, [3])


def test_gradients_share_memory_with_nothing(rng):
    """Each leaf may change its gradient in place: not another's, nor what the caller passed in."""
    a, b = (Tensor(rng.standard_normal((2, 3)), requires_grad=True) for _ in range(2))
    dy = np.ones((3, 2))
    (a.reshape(3, 2) + b.T.T.reshape(6).reshape(3, 2)).backward(dy)
    b_leaf = leaf(1.0, 2.0)
    upstream = np.ones(2)
    b_leaf.backward(upstream)
    owners = [a.grad, b.grad, dy, b_leaf.grad, upstream, a.data, b.data]
    for i, one in enumerate(owners):
        assert not any(np.shares_memory(one, other) for other in owners[i + 1 :])
        one[...] = 0  # and it may be written to


@pytest.mark.parametrize(
    ("backward", "error", "message"),
    [
        (lambda x: (x * 2).backward(), ValueError, r"want a single number or a gradient; got shape \(2,\) and none"),
        (lambda x: (x * 2).backward(np.ones(3)), ValueError, r"want a gradient of shape \(2,\), got \(3,\)"),
        (lambda x: x.detach().backward(np.ones(2)), RuntimeError, "does not depend on anything that requires"),
    ],
)
def test_backward_says_what_it_wants(backward, error, message):
    with pytest.raises(error, match="backward: .*" + message):
        backward(leaf(1.0, 2.0))


# op: the one way to add a differentiable function


def counting(calls):
    @op
    def f(x, w, b=None, *, scale=1.0):
        """A product."""

        def vjp(name, g):
            return lambda dy: (calls.append(name), dy * g)[1]

        return scale * x * w, vjp("x", scale * w), vjp("w", scale * x), vjp("b", 0)

    return f


@pytest.mark.parametrize("needed", [(), ("x",), ("w",), ("x", "w"), ("x", "w", "b")], ids=str)
def test_a_vjp_runs_once_and_only_if_it_is_needed(needed):
    calls = []
    args = [Tensor(np.ones(2), requires_grad=name in needed) for name in "xwb"]
    y = counting(calls)(*args, scale=3.0)
    assert y.requires_grad == bool(needed)
    if needed:
        y.sum().backward()
    assert sorted(calls) == sorted(needed)
    assert [a.grad is not None for a in args] == [name in needed for name in "xwb"]


def test_arguments_may_be_arrays_numbers_or_none():
    x = leaf(1.0, 2.0)
    y = counting([])(x, np.array([3.0, 4.0]), None)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [3, 4])


def test_an_optional_argument_may_be_left_out():
    x, f = leaf(1.0, 2.0), counting([])
    f(x, 2.0).sum().backward()
    np.testing.assert_array_equal(x.grad, [2, 2])


def test_an_argument_may_be_given_by_name():
    x, w, b = leaf(1.0, 2.0), leaf(3.0, 4.0), leaf(0.0, 0.0)
    counting([])(x, b=b, w=w).sum().backward()
    np.testing.assert_array_equal([x.grad, w.grad, b.grad], [[3, 4], [1, 2], [0, 0]])


@pytest.mark.parametrize("call", [lambda f, x: f(x), lambda f, x: f(x, b=x), lambda f, x: f(x, x, x, x)])
def test_a_missing_or_superfluous_argument_is_a_type_error(call):
    with pytest.raises(TypeError, match="argument"):
        call(counting([]), leaf(1.0, 2.0))


def test_an_op_keeps_its_name_and_docstring():
    f = counting([])
    assert (f.__name__, f.__doc__) == ("f", "A product.")


def test_a_gradient_of_the_wrong_shape_names_the_op():
    @op
    def total(x):
        return x.sum(), lambda dy: dy

    with pytest.raises(ValueError, match=r"vjp of `total`: want a gradient of shape \(2,\), got \(\)"):
        total(leaf(1.0, 2.0)).backward()


# Against PyTorch


@pytest.mark.oracle
def test_a_bit_of_everything_agrees_with_pytorch(torch, rng):
    def f(x, w):  # in words that both libraries know
        h = (x @ w.reshape(4, 5, 1)).reshape(4, 3)
        z = (h - h.mean()) / (abs(h).sum() + 1) ** 0.5
        return z.exp() / z.exp().sum() * z[1:, 1:].max() + (2 / (h[[0, 0, 3]] ** 2 + 1).sqrt()).sum()

    arrays = rng.standard_normal((4, 3, 5)), rng.standard_normal((4, 5))
    ours = [Tensor(a, requires_grad=True) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    y, want, dy = f(*ours), f(*theirs), rng.standard_normal((4, 3))
    y.backward(dy)
    want.backward(torch.tensor(dy))
    np.testing.assert_allclose(y.data, want.detach().numpy(), rtol=1e-10, atol=1e-10)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-10, atol=1e-10)


COMPARISONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]


@pytest.mark.parametrize("compare", COMPARISONS)
@pytest.mark.parametrize(
    "other", [np.array([[0.0], [2.0]]), 1, 1.0, np.float32(1), [0, 1, 2], True, float("nan")], ids=str
)
def test_comparisons_are_elementwise_like_numpys(compare, other):
    a = np.array([[0.0, 1, np.nan], [3, 1, 2]])
    for found in (compare(Tensor(a), other), compare(Tensor(a), Tensor(other))):
        assert isinstance(found, Tensor) and found.dtype == bool and not found.requires_grad
        np.testing.assert_array_equal(found.data, compare(a, np.asarray(other)))
    if isinstance(other, np.ndarray | int | float):
        swapped = compare(other, Tensor(a))
        assert isinstance(swapped, Tensor)
        np.testing.assert_array_equal(swapped.data, compare(np.asarray(other), a))


def test_a_comparison_is_off_the_tape_and_does_not_broadcast_what_does_not_fit():
    x = Tensor([1.0, -2.0], requires_grad=True)
    (x * (x > 0)).sum().backward()
    assert x.grad.tolist() == [1, 0]
    for compare in COMPARISONS:
        with pytest.raises(ValueError, match="broadcast"):
            compare(x, np.zeros(3))


def test_what_is_no_number_is_not_equal_and_has_no_order():
    x = Tensor([1.0])
    assert (x == None) is False and (x != None) is True and (x == "a") is False  # noqa: E711
    assert x not in [None, "a"]
    with pytest.raises(TypeError, match="not supported between instances of 'Tensor' and 'str'"):
        x < "a"  # noqa: B015


@pytest.mark.parametrize(("data", "truth"), [([1.0], True), ([[0.0]], False), (np.float64(2), True), ([True], True)])
def test_the_truth_of_one_number_is_its_own(data, truth):
    assert bool(Tensor(np.asarray(data))) is truth


@pytest.mark.parametrize("shape", [(2,), (0,), (1, 3)])
def test_the_truth_of_more_or_less_than_one_number_is_refused(shape):
    x = Tensor(np.ones(shape))
    with pytest.raises(ValueError, match=r"bool: want a Tensor of one number, got shape \(.*\); ask .data.all\(\)"):
        bool(x)
    with pytest.raises(ValueError, match="bool: want"):
        assert x == x


def test_a_tensor_is_a_key_by_what_it_is():
    x, y = Tensor([1.0, 2.0]), Tensor([1.0, 2.0])
    p, q = Parameter(np.ones(2)), Parameter(np.ones(2))
    names = {x: "x", y: "y", p: "p", q: "q"}
    assert len(names) == 4 and [names[t] for t in (x, y, p, q)] == ["x", "y", "p", "q"]
    assert hash(x) != hash(y) and len({x, y, x}) == 2
