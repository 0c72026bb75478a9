"""lightnn/functional/activation.py: non-linearities by their formulas, softmax as a distribution, dropout as noise."""

import numpy as np
import pytest

from lightnn import Tensor, nn
from lightnn import functional as F
from lightnn.testing import check_vjp

SHAPES = [(), (1,), (3, 4), (2, 3, 4, 5), (0, 3)]
ELEMENTWISE = {
    "relu": lambda x: x * (x > 0),
    "hardsigmoid": lambda x: np.clip(x + 3, 0, 6) / 6,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "tanh": lambda x: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)),
}
SOFTMAXES = {"softmax": F.softmax, "log_softmax": F.log_softmax}


def away_from_kinks(shape, rng):
    """Numbers of both signs, none near 0."""
    return np.asarray(rng.uniform(0.1, 3, shape) * rng.choice([-1, 1], shape))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_definition(name, shape, rng):
    x = away_from_kinks(shape, rng)
    np.testing.assert_allclose(getattr(F, name)(x).data, ELEMENTWISE[name](x), rtol=1e-12)
    check_vjp(getattr(F, name), x)
    check_vjp(getattr(F, name), x.T)


@pytest.mark.parametrize("name", [*ELEMENTWISE, *SOFTMAXES])
def test_float32_stays_float32(name, rng):
    x = Tensor(rng.random((3, 4), dtype=np.float32), requires_grad=True)
    y = getattr(F, name)(x)
    y.sum().backward()
    assert (y.dtype, x.grad.dtype) == (np.float32, np.float32)


@pytest.mark.parametrize(
    ("name", "low", "high"), [("relu", 0, np.inf), ("sigmoid", 0, 1), ("tanh", -1, 1), ("hardsigmoid", 0, 1)]
)
def test_far_away_it_neither_overflows_nor_loses_nan(name, low, high):
    x = np.array([-np.inf, -1e4, np.inf, np.nan], np.float32)
    np.testing.assert_array_equal(getattr(F, name)(x).data, np.array([low, low, high, np.nan], np.float32))


def test_the_gradient_of_relu_at_zero_is_zero():
    x = Tensor(np.array([-1.0, 0.0, 2.0]), requires_grad=True)
    F.relu(x).sum().backward()
    np.testing.assert_array_equal(x.grad, [0, 0, 1])


def test_silu_far_away_is_zero_or_the_identity():
    x = np.array([-1e4, -100, 1e4, np.inf, np.nan], np.float32)
    y = F.silu(x).data
    np.testing.assert_array_equal(y[[0, 2, 3, 4]], np.array([0, 1e4, np.inf, np.nan], np.float32))
    assert -1e-30 < y[1] <= 0


@pytest.mark.parametrize("name", ["hardsigmoid", "silu"])
def test_it_refuses_integers(name):
    with pytest.raises(TypeError, match=f"{name}: want floating-point"):
        getattr(F, name)(np.arange(3))


def test_the_gradient_of_hardsigmoid_is_zero_at_its_kinks_and_beyond():
    x = Tensor(np.array([-4.0, -3, -2.9, 0, 2.9, 3, 4]), requires_grad=True)
    F.hardsigmoid(x).sum().backward()
    np.testing.assert_allclose(x.grad, [0, 0, 1 / 6, 1 / 6, 1 / 6, 0, 0])


# softmax


@pytest.mark.parametrize(
    ("shape", "dim"), [((5,), -1), ((3, 4), 1), ((3, 4), 0), ((2, 3, 4), -2), ((3, 1), 1), ((0, 3), 1)]
)
def test_softmax_definition(shape, dim, rng):
    x = rng.standard_normal(shape)
    p = np.exp(x) / np.exp(x).sum(dim, keepdims=True)
    np.testing.assert_allclose(F.softmax(x, dim=dim).data, p, rtol=1e-12)
    np.testing.assert_allclose(F.log_softmax(x, dim=dim).data, np.log(p), rtol=1e-12, atol=1e-15)
    for f in SOFTMAXES.values():
        check_vjp(f, x, dim=dim)
        check_vjp(f, x.copy().T.copy().T, dim=dim)


def test_softmax_is_a_distribution_that_only_differences_matter_to(rng):
    x = rng.standard_normal((6, 5))
    p = F.softmax(x).data
    assert (p > 0).all()
    np.testing.assert_allclose(p.sum(-1), 1, rtol=1e-14)
    np.testing.assert_allclose(F.softmax(x + 100).data, p, rtol=1e-12)


def test_softmax_of_huge_logits_does_not_overflow():
    x = np.array([[1e4, -1e4, 1e4]], np.float32)
    np.testing.assert_array_equal(F.softmax(x).data, [[0.5, 0, 0.5]])
    np.testing.assert_allclose(F.log_softmax(x).data, -np.log([[2, 2, 2]]) - [[0, 2e4, 0]], rtol=1e-6)


@pytest.mark.parametrize("name", SOFTMAXES)
def test_softmax_errors(name):
    with pytest.raises(TypeError, match=f"{name}: want floating-point arrays of one dtype, got x int64"):
        SOFTMAXES[name](np.arange(3))
    with pytest.raises(ValueError, match=f"{name}: .*dim.*2"):
        SOFTMAXES[name](np.ones((3, 4)), dim=2)


# dropout


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_zeroes_a_share_p_and_keeps_the_mean(p):
    y = F.dropout(np.ones(100_000), p=p, rng=0).data
    np.testing.assert_array_equal(np.unique(y), [0, np.float64(1 / (1 - p))])
    assert abs((y == 0).mean() - p) < 0.01
    assert abs(y.mean() - 1) < 0.05


def test_the_gradient_of_dropout_passes_where_the_value_did(rng):
    x = rng.standard_normal((4, 5))
    check_vjp(lambda x: F.dropout(x, p=0.3, rng=7), x)


@pytest.mark.parametrize("options", [{"training": False}, {"p": 0}, {"p": 0.0, "rng": 0}], ids=str)
def test_dropout_is_the_identity_when_nothing_is_dropped(options, rng):
    x = rng.standard_normal((4, 5))
    np.testing.assert_array_equal(F.dropout(x, **options).data, x)
    check_vjp(F.dropout, x, **{k: v for k, v in options.items() if k != "rng"})


def test_dropout_draws_anew_from_a_generator_and_again_from_a_seed(rng):
    x = np.ones(100)
    first, second = (F.dropout(x, rng=rng).data for _ in range(2))
    assert (first != second).any()
    np.testing.assert_array_equal(F.dropout(x, rng=3).data, F.dropout(x, rng=np.random.default_rng(3)).data)


def test_dropout_keeps_float32():
    assert F.dropout(np.ones(4, np.float32), p=0.3, rng=0).dtype == np.float32


@pytest.mark.parametrize("p", [-0.1, 1.5, float("nan"), "0.5", True])
def test_dropout_wants_a_probability(p):
    with pytest.raises(ValueError, match=f"dropout: p: want a finite number >= 0 and <= 1, got {p!r}"):
        F.dropout(np.ones(3), p=p, rng=0)


def test_dropout_wants_to_know_where_the_noise_comes_from():
    with pytest.raises(ValueError, match=r"dropout: want rng= .* when training, got None"):
        F.dropout(np.ones(3))


def test_dropout_refuses_integers():
    with pytest.raises(TypeError, match="dropout: want floating-point"):
        F.dropout(np.arange(3), p=0.1, rng=0)


# stochastic depth


@pytest.mark.parametrize("p", [0.2, 0.7])
def test_stochastic_depth_drops_whole_images_and_keeps_the_mean(p):
    y = F.stochastic_depth(np.ones((20_000, 2, 1, 2)), p=p, rng=0).data
    assert (y == y[:, :1, :1, :1]).all()
    np.testing.assert_array_equal(np.unique(y), [0, np.float64(1 / (1 - p))])
    assert abs((y == 0).mean() - p) < 0.01 and abs(y.mean() - 1) < 0.05


@pytest.mark.parametrize("shape", [(6,), (5, 4), (3, 2, 3, 3), (0, 2)], ids=str)
def test_the_gradient_of_stochastic_depth_passes_where_the_value_did(shape, rng):
    x = rng.standard_normal(shape)
    check_vjp(lambda x: F.stochastic_depth(x, p=0.4, rng=7), x)
    y = F.stochastic_depth(x.astype(np.float32), p=1, rng=0)
    assert y.dtype == np.float32 and not y.data.any()


@pytest.mark.parametrize("options", [{"p": 0.5, "training": False}, {"p": 0}], ids=str)
def test_stochastic_depth_is_the_identity_when_nothing_is_skipped(options, rng):
    x = rng.standard_normal((4, 5))
    np.testing.assert_array_equal(F.stochastic_depth(x, **options).data, x)
    check_vjp(F.stochastic_depth, x, **options)


def test_stochastic_depth_says_what_it_wants():
    with pytest.raises(ValueError, match="stochastic_depth: p: want a finite number >= 0 and <= 1, got 2"):
        F.stochastic_depth(np.ones((2, 2)), p=2, rng=0)
    with pytest.raises(ValueError, match=r"stochastic_depth: want rng= .* when training, got None"):
        F.stochastic_depth(np.ones((2, 2)), p=0.5)
    with pytest.raises(ValueError, match=r"stochastic_depth: want x \(N, \.\.\.\); got x \(\)"):
        F.stochastic_depth(np.array(1.0), p=0.5, rng=0)


# Against PyTorch


@pytest.mark.oracle
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_agrees_with_pytorch(name, shape, rng, torch, same_as_torch):
    x = np.asarray(rng.integers(-3, 4, shape) * 0.75)  # with zeros
    f = torch.nn.functional
    theirs = {"hardsigmoid": lambda x: f.relu6(x + 3) / 6}  # its own gradient has 1 / 6 in float32
    same_as_torch(getattr(F, name), theirs.get(name) or getattr(f, name), x)


@pytest.mark.oracle
@pytest.mark.parametrize("dim", [0, 1, 2, -1])
@pytest.mark.parametrize("name", SOFTMAXES)
def test_softmax_agrees_with_pytorch(name, dim, rng, torch, same_as_torch):
    x = 10 * rng.standard_normal((3, 4, 5))
    same_as_torch(lambda x: SOFTMAXES[name](x, dim=dim), lambda x: getattr(torch, name)(x, dim=dim), x)


# accuracy in the tails


def exact_sigmoid(x):
    """In long double, by the exponential of the negative half-line only; 1 - sigmoid(x) is exact_sigmoid(-x)."""
    x = x.astype(np.longdouble)
    z = np.exp(-abs(x))
    return np.where(x < 0, z, np.longdouble(1)) / (1 + z)


TAILS = {
    np.float32: [-100, -88, -50, -20, -17, -16.7, -5, -1e-4, 0, 1e-4, 5, 17, 20, 50, 88, 100],
    np.float64: [-740, -700, -100, -40, -37, -20, -1e-9, 0, 1e-9, 20, 37, 40, 100, 700, 740],
}


@pytest.mark.skipif(np.finfo(np.longdouble).eps > 1e-18, reason="long double is no longer than double here")
@pytest.mark.parametrize("dtype", TAILS)
def test_sigmoid_and_its_logarithm_are_accurate_in_both_tails(dtype):
    x = np.array(TAILS[dtype], dtype)
    tolerance = {"rtol": 4 * np.finfo(dtype).eps, "atol": 2 * np.finfo(dtype).smallest_subnormal}
    gradients = {}
    for f in (F.sigmoid, F.logsigmoid):
        t = Tensor(x, requires_grad=True)
        y = f(t)
        y.sum().backward()
        assert y.dtype == t.grad.dtype == dtype
        gradients[f] = t.grad
        wanted = (
            exact_sigmoid(x) if f is F.sigmoid else np.minimum(x, 0) - np.log1p(np.exp(-abs(x.astype(np.longdouble))))
        )
        np.testing.assert_allclose(y.data, wanted.astype(dtype), **tolerance)
    np.testing.assert_allclose(gradients[F.sigmoid], (exact_sigmoid(x) * exact_sigmoid(-x)).astype(dtype), **tolerance)
    np.testing.assert_allclose(gradients[F.logsigmoid], exact_sigmoid(-x).astype(dtype), **tolerance)


def test_far_away_logsigmoid_is_the_identity_or_zero():
    x = Tensor(np.array([-np.inf, -1e30, 1e30, np.inf, np.nan], np.float32), requires_grad=True)
    y = F.logsigmoid(x)
    y.backward(np.ones(5, np.float32))
    np.testing.assert_array_equal(y.data, np.array([-np.inf, -1e30, 0, 0, np.nan], np.float32))
    np.testing.assert_array_equal(x.grad, np.array([1, 1, 0, 0, np.nan], np.float32))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_logsigmoid_is_the_logarithm_of_sigmoid(shape, rng):
    x = away_from_kinks(shape, rng)
    np.testing.assert_allclose(F.logsigmoid(x).data, np.log(F.sigmoid(x).data), rtol=1e-12)
    check_vjp(F.logsigmoid, x)


@pytest.mark.parametrize("f", [F.sigmoid, F.logsigmoid])
def test_the_sigmoids_refuse_integers(f):
    with pytest.raises(TypeError, match="sigmoid: want floating-point"):
        f(np.arange(3))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", [7, 1000])
def test_the_gradient_of_relu_at_infinity_is_one(dtype, count):
    x = Tensor(np.resize(np.array([np.inf, -np.inf, 1, 0, -1, np.finfo(dtype).max], dtype), count), requires_grad=True)
    F.relu(x).backward(np.full(count, 3, dtype))
    np.testing.assert_array_equal(x.grad, np.resize([3, 0, 3, 0, 0, 3], count))


def test_dropout_of_everything_is_zero(rng):
    x = Tensor(np.array([1.0, np.inf, np.nan]), requires_grad=True)
    y = F.dropout(x, p=1.0, rng=rng)
    y.backward(np.ones(3))
    np.testing.assert_array_equal(y.data, np.zeros(3))
    np.testing.assert_array_equal(x.grad, np.zeros(3))
    np.testing.assert_array_equal(F.dropout(x, p=1.0, training=False).data, x.data)
    layer = nn.Dropout(1.0, rng=0)
    assert not layer(Tensor(np.ones(5))).data.any() and layer.eval()(Tensor(np.ones(5))).data.all()


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["sigmoid", "logsigmoid", "relu"])
def test_tails_agree_with_pytorch(name, torch):
    x = np.array([-1e30, -100, -40, -20, -17, 0.5, 17, 40, 100, 1e30, np.inf])
    ours, theirs = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, want = getattr(F, name)(ours), getattr(torch.nn.functional, name)(theirs)
    y.backward(np.ones_like(x))
    want.backward(torch.ones_like(want))
    np.testing.assert_allclose(y.data, want.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(ours.grad, theirs.grad.numpy(), rtol=1e-12, atol=1e-15)  # its upper tail is rounded
