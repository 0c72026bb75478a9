"""lightnn/compress/transforms/product.py: blocks of weights from a codebook of blocks."""

import numpy as np
import pytest

from lightnn.compress import Product, blocks_of, look_up_blocks, rounded_to_half
from lightnn.compress.transforms.product import to_half
from lightnn.tensor import Tensor
from lightnn.testing import check_vjp


def a_product(rng, k, d):
    """make(latent): with blocks of d weights, or of one where d does not divide them."""

    def make(latent):
        n = d if latent.size % d == 0 else 1
        c = rng.standard_normal((k, n)).astype(latent.dtype)
        return Product(c, rng.integers(0, k, latent.size // n), latent.shape)

    return make


@pytest.mark.parametrize("k", [1, 7, 300])
def test_it_obeys_the_laws_of_a_transform(laws, k):
    laws(a_product(np.random.default_rng(k), k, 1))


@pytest.mark.parametrize("d", [2, 3, 4])
def test_blocks_are_stored_bit_for_bit(stores_anything, rng, d):
    stores_anything(a_product(rng, 5, d))


def test_an_example_by_hand():
    values = Product(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0, 1], [1, 1]]), (2, 4))
    np.testing.assert_array_equal(values(Tensor(np.zeros((2, 4)))).data, [[1, 2, 3, 4], [3, 4, 3, 4]])
    assert repr(values) == "Product(2 centroids of 2 weights, 0.5 bits a weight)"


def test_blocks_are_rows_of_each_output(rng):
    w = rng.standard_normal((3, 4, 3, 3))
    blocks = blocks_of(w, 9)
    np.testing.assert_array_equal(blocks[4 * 1 + 2], w[1, 2].ravel())
    values = Product(blocks, np.arange(12).reshape(3, 4), w.shape)
    np.testing.assert_array_equal(values(Tensor(w)).data, w.astype(np.float32))
    for shape, d in (((3, 4), 3), ((), 1), ((3, 4), 0), ((0, 4), 2)):
        with pytest.raises(ValueError, match=r"blocks_of: .*want"):
            blocks_of(np.zeros(shape), d)


def test_the_gradient_of_a_centroid_is_the_sum_over_its_blocks(rng):
    c, codes = rng.standard_normal((4, 3)), np.array([[2, 0, 2], [2, 3, 0]])
    check_vjp(look_up_blocks, c, codes=codes)
    leaf = Tensor(c, requires_grad=True)
    dy = rng.standard_normal((6, 3))
    look_up_blocks(leaf, codes=codes).backward(dy)
    np.testing.assert_allclose(leaf.grad[2], dy[0] + dy[2] + dy[3])
    assert not leaf.grad[1].any()


def test_centroids_are_used_as_they_are_stored():
    c = np.array([[1 + 2**-11, 1e6, -1e6, 1e-9]], np.float32)
    leaf = Tensor(c, requires_grad=True)
    y = rounded_to_half(leaf)
    np.testing.assert_array_equal(y.data, [[1, 65504, -65504, 0]])
    y.backward(np.ones_like(c))
    np.testing.assert_array_equal(leaf.grad, np.ones_like(c))
    assert to_half(np.array([1e300]), np.dtype(np.float32)) == np.finfo(np.float32).max


@pytest.mark.parametrize("d", [3, 9, 18])
def test_surgery_takes_outputs_and_whole_blocks_of_inputs(rng, d):
    w = rng.standard_normal((4, 6, 3, 3)).astype(np.float32)
    blocks = blocks_of(w, d)
    values = Product(blocks, np.arange(len(blocks)).reshape(4, -1), w.shape)
    used = values(Tensor(w)).data
    np.testing.assert_array_equal(values.take(np.array([3, 0]), 0)(Tensor(w[:2])).data, used[[3, 0]])
    if d <= 9:
        np.testing.assert_array_equal(values.take(np.array([1, 5]), 1)(Tensor(w[:, :2])).data, used[:, [1, 5]])
    else:
        with pytest.raises(ValueError, match="want indices along an axis that blocks of 18 do not cross, got axis 1"):
            values.take(np.array([1, 5]), 1)


@pytest.mark.parametrize(
    ("c", "codes", "shape", "said"),
    [
        (np.zeros(3), np.zeros(4, int), (4,), r"want 1 to 65536 centroids \(k, d\), got \(3,\)"),
        (np.zeros((2, 2), np.float16), np.zeros(2, int), (4,), "want finite centroids in float32 or float64"),
        (np.full((2, 2), np.nan), np.zeros(2, int), (4,), "want finite centroids"),
        (np.zeros((2, 2)), np.array([0, 2]), (4,), "want integer codes from 0 to 1"),
        (np.zeros((2, 2)), np.zeros(3, int), (4,), "want codes for the 4 weights"),
    ],
)
def test_errors(c, codes, shape, said):
    with pytest.raises(ValueError, match=said):
        Product(c, codes, shape)


def test_parts_that_do_not_fit_are_refused():
    parts = {"codebook": np.zeros((2, 2), np.float16), "codes": np.zeros(2, int), "shape": np.array([4])}
    assert Product.decode(parts).dtype == np.float32
    for change in ({"codebook": np.zeros((2, 2))}, {"shape": np.array([[4]])}, {"shape": np.array([-4])}):
        with pytest.raises(ValueError, match="Product: "):
            Product.decode(parts | change)
    with pytest.raises(ValueError, match=r"want a weight of shape \(4,\), got \(5,\)"):
        Product.restore(parts)(Tensor(np.zeros(5, np.float32)))
