"""Sparse layers give what the layer with zeros in its weight gives, and say what they cannot do."""

import numpy as np
import pytest
from numba import config

from lightnn import compress, nn
from lightnn.runtime import SparseConv2d, SparseLinear
from lightnn.tensor import Tensor, no_grad

ROUNDING = {
    np.float32: 2e-6,
    np.float64: 1e-14,
}  # where the dense layer has K > 512 or one row


def prepared(layer, density, bits, dtype, rng):
    """The layer in dtype, with a mask and, unless bits is None, with shared values."""
    for p in layer.parameters():
        p.data = p.data.astype(dtype)
    compress.set_mask(layer.weight, rng.random(layer.weight.shape) < density)
    if bits is not None:
        compress.share(layer.weight, bits)
    return layer


DTYPES = [np.float32, pytest.param(np.float64, marks=pytest.mark.thorough)]  # each is compiled


def same(sparse, layer, x, tol=0.0):
    with no_grad():
        want = layer(Tensor(x)).data
    got = sparse(Tensor(x))
    assert isinstance(got, Tensor) and not got.requires_grad
    assert got.shape == want.shape and got.dtype == want.dtype and got.data.flags.c_contiguous
    tol = max(tol, 1e-5 if config.DISABLE_JIT else 0)  # without the compiler the sums have another order
    np.testing.assert_allclose(got.data, want, rtol=0, atol=tol)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bits", [None, 4, 9])
@pytest.mark.parametrize("density", [0, 0.1, 1])
def test_linear_equals_the_masked_layer_exactly(dtype, bits, density, rng):
    layer = prepared(nn.Linear(100, 37, rng=1), density, bits, dtype, rng)
    sparse = SparseLinear(layer)
    for shape in [(5, 100), (64, 100), (2, 3, 100), (0, 100)]:
        same(sparse, layer, rng.standard_normal(shape).astype(dtype))
    for shape in [(1, 100), (100,)]:
        same(sparse, layer, rng.standard_normal(shape).astype(dtype), ROUNDING[dtype])
    same(sparse, layer, rng.standard_normal((100, 30)).astype(dtype).T)
    same(sparse, layer, rng.standard_normal((20, 300)).astype(dtype)[::2, 1::3])


@pytest.mark.parametrize("dtype", DTYPES)
def test_long_rows_equal_it_up_to_rounding(dtype, rng):
    layer = prepared(nn.Linear(1500, 11, bias=False, rng=1), 0.3, None, dtype, rng)
    for n in (1, 20):
        same(SparseLinear(layer), layer, rng.standard_normal((n, 1500)).astype(dtype), ROUNDING[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bits", [None, 5])
@pytest.mark.parametrize(
    "options",
    [
        {"kernel_size": 1},
        {"kernel_size": 5},
        {"kernel_size": 3, "padding": 1, "bias": False},
        {"kernel_size": (2, 4), "padding": (1, 3), "stride": (2, 1)},
        {"kernel_size": (2, 1), "stride": 3, "dilation": (2, 1)},
    ],
)
def test_convolution_equals_the_masked_layer_exactly(dtype, bits, options, rng):
    layer = prepared(nn.Conv2d(4, 7, rng=1, **options), 0.3, bits, dtype, rng)
    sparse = SparseConv2d(layer)
    for shape in [(1, 4, 12, 12), (3, 4, 9, 14), (0, 4, 9, 9)]:
        same(sparse, layer, rng.standard_normal(shape).astype(dtype))
    same(sparse, layer, rng.standard_normal((2, 11, 20, 4)).astype(dtype).transpose(0, 3, 1, 2)[..., ::2])


def test_it_holds_codes_where_the_layer_shares_values(rng):
    sparse = SparseLinear(prepared(nn.Linear(30, 20, rng=1), 0.5, 3, np.float32, rng))
    assert sparse.values.dtype == np.uint8 and len(sparse.codebook) == 8
    assert sparse.columns.dtype == sparse.pointers.dtype == np.int32
    wide = prepared(nn.Linear(30, 20, rng=1), 1, 9, np.float32, rng)
    assert SparseLinear(wide).values.dtype == np.uint16


def test_it_shares_no_memory_with_the_layer(rng):
    layer = prepared(nn.Linear(6, 5, rng=1), 0.5, None, np.float32, rng)
    sparse, x = SparseLinear(layer), Tensor(rng.standard_normal((2, 6), np.float32))
    before = sparse(x).data.copy()
    layer.weight.data[:] = layer.bias.data[:] = 9
    np.testing.assert_array_equal(sparse(x).data, before)


def test_its_state_is_its_stored_form(rng):
    layer = prepared(nn.Conv2d(3, 4, 3, rng=1), 0.5, None, np.float32, rng)
    state = SparseConv2d(layer).state_dict()
    assert list(state) == ["values", "columns", "pointers", "codebook", "bias"]
    other = SparseConv2d(prepared(nn.Conv2d(3, 4, 3, rng=2), 0.5, None, np.float32, np.random.default_rng(0)))
    other.load_state_dict(state)
    same(other, layer, rng.standard_normal((1, 3, 6, 6), np.float32))


def test_it_is_printed_with_what_it_stores(rng):
    layer = prepared(nn.Linear(4, 3, rng=1), 1, None, np.float32, rng)
    assert repr(SparseLinear(layer)) == "SparseLinear(weight (3, 4), stored=12, codebook=0)"


@pytest.fixture
def pair(rng):
    linear = prepared(nn.Linear(6, 5, rng=1), 0.5, None, np.float32, rng)
    conv = prepared(nn.Conv2d(3, 4, 3, rng=1), 0.5, None, np.float32, rng)
    return {"linear": SparseLinear(linear), "conv": SparseConv2d(conv)}


@pytest.mark.parametrize(("kind", "shape"), [("linear", (2, 6)), ("conv", (1, 3, 5, 5))])
def test_training_and_gradients_are_refused(pair, kind, shape):
    layer, x = pair[kind], np.zeros(shape, np.float32)
    with pytest.raises(RuntimeError, match=r"Sparse\w+: a lowered network gives no gradient; want an x without one"):
        layer(Tensor(x, requires_grad=True))
    layer.train()
    with pytest.raises(RuntimeError, match=r"Sparse\w+: a lowered network does not train; call eval\(\)"):
        layer(Tensor(x))
    assert len(layer.eval()(Tensor(x))) == len(x)


@pytest.mark.parametrize(
    ("kind", "shape", "message"),
    [
        ("linear", (2, 7), r"SparseLinear: want x \(\.\.\., 6\); got x \(2, 7\)"),
        ("linear", (), r"SparseLinear: want x \(\.\.\., 6\); got x \(\)"),
        ("conv", (1, 2, 5, 5), r"SparseConv2d: want x \(N, 3, H, W\); got x \(1, 2, 5, 5\)"),
        ("conv", (3, 5, 5), r"SparseConv2d: want x \(N, 3, H, W\); got x \(3, 5, 5\)"),
        ("conv", (1, 3, 2, 5), r"SparseConv2d: a kernel of \(3, 3\) with dilation \(1, 1\) does not fit in \(2, 5\)"),
    ],
)
def test_a_wrong_shape_is_one_line(pair, kind, shape, message):
    with pytest.raises(ValueError, match=message) as caught:
        pair[kind](Tensor(np.zeros(shape, np.float32)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("kind", "shape"), [("linear", (2, 6)), ("conv", (1, 3, 5, 5))])
@pytest.mark.parametrize("dtype", [np.float64, np.int64])
def test_a_wrong_dtype_is_one_line(pair, kind, shape, dtype):
    with pytest.raises(
        TypeError, match=r"Sparse\w+: want floating-point arrays of one dtype, got x \w+64, weight float"
    ):
        pair[kind](Tensor(np.zeros(shape, dtype)))
