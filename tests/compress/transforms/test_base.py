"""lightnn/compress/transforms/base.py: w = support(values(latent)), stored and given back bit for bit."""

import copy

import numpy as np
import pytest

from lightnn.compress import Codebook, Mask, decode, decode_parameter, encode
from lightnn.compress.transforms import look_up, masked
from lightnn.nn import Linear, Parameter
from lightnn.optim import SGD, Adam
from lightnn.tensor import Tensor
from lightnn.testing import check_codec, check_vjp

SHAPES = [(), (1,), (7,), (5, 4), (3, 2, 2, 2), (0,), (4, 0)]
CODEBOOK_SIZES = [None, 1, 2, 3, 16, 255, 256, 257, 300]
MASKS = {
    "none": None,
    "random": lambda rng, shape: np.asarray(rng.random(shape) < 0.3),
    "all true": lambda rng, shape: np.ones(shape, bool),
    "all false": lambda rng, shape: np.zeros(shape, bool),
    "one element": lambda rng, shape: (np.arange(np.prod(shape, dtype=int)) == 0).reshape(shape),
}


def a_parameter(rng, shape, dtype=np.float32, k=None, mask=None):
    """A Parameter with k shared values (None: no sharing) and with mask(rng, shape) (None: no mask)."""
    p = Parameter(np.asarray(rng.standard_normal(shape), dtype))
    if k is not None:
        p.values = Codebook(rng.standard_normal(k).astype(dtype), np.asarray(rng.integers(0, k, shape)))
    if mask is not None:
        p.support = Mask(mask(rng, shape))
    return p


@pytest.mark.parametrize("k", CODEBOOK_SIZES)
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_stored_gives_back_what_is_computed(rng, dtype, mask, k):
    for shape in SHAPES:
        p = a_parameter(rng, shape, dtype, k, MASKS[mask])
        check_codec(p)
        again = decode_parameter(encode(p))
        check_codec(again)
        assert (again.values is None, again.support is None) == (k is None, mask == "none")
        np.testing.assert_array_equal(again().data, p().data, strict=True)


@pytest.mark.parametrize("k", [None, 4])
def test_nothing_is_stored_where_the_support_is_zero(rng, k):
    p = a_parameter(rng, (6, 5), k=k, mask=MASKS["random"])
    parts = encode(p).parts
    assert parts["data" if k is None else "codes"].shape == (p.support.mask.sum(),)
    assert np.asarray(p().data[~p.support.mask] == 0).all()


@pytest.mark.parametrize("odd", [-0.0, np.nan, np.inf, -np.inf])
def test_the_law_holds_for_odd_numbers_and_a_pruned_one_is_plus_zero(odd):
    mask = np.array([True, False])
    for p in (Parameter(np.full(2, odd)), Parameter(np.zeros(2))):
        p.support = Mask(mask)
        if not p.data.any():
            p.values = Codebook(np.full(1, odd), np.zeros(2, int))
        check_codec(p)
        assert p().data.view("u8")[1] == 0  # the bits of +0
        assert decode(encode(p)).view("u8")[1] == 0


@pytest.mark.parametrize("k", [1, 3, 20])
def test_gradients_are_exact(rng, k):
    mask, codes = rng.random((4, 5)) < 0.5, rng.integers(0, k, (4, 5))
    check_vjp(masked, rng.standard_normal((4, 5)), mask=mask)
    check_vjp(look_up, rng.standard_normal(k), codes=codes)
    check_vjp(lambda c: masked(look_up(c, codes=codes), mask=mask), rng.standard_normal(k))


def test_figure_3_of_deep_compression():
    """Han, Mao & Dally 2016, figure 3: the gradients of a cluster's weights are summed, not averaged."""
    codes = np.array([[3, 0, 2, 1], [1, 1, 0, 3], [0, 3, 1, 0], [3, 1, 2, 2]])
    gradient = [[-0.03, -0.01, 0.03, 0.02], [-0.01, 0.01, -0.02, 0.12], [-0.01, 0.02, 0.04, 0.01]]
    gradient.append([-0.07, -0.02, 0.01, -0.02])
    p = Parameter(np.zeros((4, 4)))
    p.values = Codebook(np.array([-1.0, 0.0, 1.5, 2.0]), codes)
    assert p().data[0].tolist() == [2.0, -1.0, 1.5, 0.0]
    p().backward(gradient)
    np.testing.assert_allclose(p.values.codebook.grad, [-0.03, 0.04, 0.02, 0.04], atol=1e-12)
    SGD([p.values.codebook], lr=1.0).step()
    np.testing.assert_allclose(p().data[0], [1.96, -0.97, 1.48, -0.04], atol=1e-12)
    assert p.grad is None  # the latent weights are not used any more


def test_a_pruned_weight_has_no_part_in_its_codes_gradient(rng):
    p = a_parameter(rng, (6, 5), np.float64, 3, MASKS["random"])
    dy = rng.standard_normal((6, 5))
    p().backward(dy)
    m, codes = p.support.mask, p.values.codes
    np.testing.assert_allclose(p.values.codebook.grad, [dy[m & (codes == k)].sum() for k in range(3)])


OPTIMIZERS = {
    "momentum and decay": lambda p: SGD(p, lr=0.1, momentum=0.9, weight_decay=0.1),
    "Nesterov": lambda p: SGD(p, lr=0.1, momentum=0.9, weight_decay=0.1, nesterov=True),
    "Adam": lambda p: Adam(p, lr=0.1, weight_decay=0.1),
}


@pytest.mark.parametrize("k", [None, 4])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_pruned_weights_stay_zero_whatever_the_optimizer_does(rng, optimizer, k):
    p = a_parameter(rng, (6, 5), k=k)
    step = OPTIMIZERS[optimizer]([p] if k is None else [p, p.values.codebook])

    def train(steps):
        for _ in range(steps):
            step.zero_grad()
            p().backward(rng.standard_normal(p.shape))
            step.step()

    train(3)  # the optimizer's memory is now about weights that will be pruned
    p.support = Mask(rng.random((6, 5)) < 0.5)
    before = p().data.copy()
    train(5)
    assert not p().data[~p.support.mask].any()
    assert (p().data != before)[p.support.mask].all()


def test_transforms_are_part_of_the_module_tree(rng):
    layer = Linear(5, 6)
    layer.weight = a_parameter(rng, (6, 5), k=4, mask=MASKS["random"])
    assert [name for name, _ in layer.named_parameters()] == ["weight", "weight.values.codebook", "bias"]
    assert {"weight.values.codes", "weight.support.mask"} < set(layer.state_dict())
    other = copy.deepcopy(layer)
    other.weight.values.codebook.data += 1
    other.weight.support.mask[:] = False
    assert layer.weight().data.any() and not other.weight().data.any()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Mask(np.ones(3)), TypeError, "want a bool array, got dtype float64"),
        (lambda: Codebook(np.zeros(0), np.zeros(0, int)), ValueError, r"1 to 65536 values.*\(0,\)"),
        (lambda: Codebook(np.zeros(65537), np.zeros(1, int)), ValueError, r"1 to 65536 values.*\(65537,\)"),
        (lambda: Codebook(np.zeros((2, 2)), np.zeros(1, int)), ValueError, r"one dimension.*\(2, 2\)"),
        (lambda: Codebook(np.zeros(3), np.array([0, 3])), ValueError, "integer codes from 0 to 2"),
        (lambda: Codebook(np.zeros(3), np.array([-1, 0])), ValueError, "integer codes from 0 to 2"),
        (lambda: Codebook(np.zeros(3), np.array([0.0, 1.0])), ValueError, "integer codes.*float64"),
        (lambda: Mask(np.ones(3, bool))(Tensor(np.zeros(4))), ValueError, r"shape \(3,\), got \(4,\)"),
        (lambda: Codebook(np.zeros(3), np.zeros(3, int))(Tensor(np.zeros(4))), ValueError, r"\(3,\), got \(4,\)"),
    ],
)
def test_errors_say_what_was_wanted_and_what_came(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"mask's shape \(3,\), got \(4,\)"):
        masked(Tensor(np.zeros(4)), mask=np.ones(3, bool))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_and_gradients_keep_the_dtype(dtype):
    c = Tensor(np.arange(4, dtype=dtype), requires_grad=True)
    w = masked(look_up(c, codes=np.array([3, 0, 0])), mask=np.array([True, True, False]))
    w.backward(np.ones(3, dtype))
    assert w.dtype == c.grad.dtype == dtype
    assert w.data.tolist() == [3, 0, 0] and c.grad.tolist() == [1, 0, 0, 1]


def test_a_transform_that_has_no_encoding_is_refused():
    p = Parameter(np.zeros(3))
    p.values = lambda w: w
    with pytest.raises(TypeError, match=r"want a registered transform \(float, .*codebook.*\), got function"):
        encode(p)


def test_any_plain_weight_is_stored_as_it_is(stores_anything):
    stores_anything(lambda latent: None)
