"""lightnn/compress/transforms/dorefa_weights.py: weights of K bits as DoReFa-Net has them."""

import numpy as np
import pytest

from lightnn.compress import DoReFa, Mask, use_dorefa
from lightnn.compress.transforms.dorefa_weights import through_tanh
from lightnn.nn import Parameter
from lightnn.testing import check_vjp


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_it_obeys_the_laws_of_a_transform(laws, bits):
    laws(lambda latent: DoReFa(bits))


def test_one_bit_by_hand():
    """E|W| = 1.5, one scale for the layer, and sign(0) is 1."""
    p = Parameter(np.array([[3.0, -1.0], [0.0, -2.0]], np.float32))
    use_dorefa(p, 1)
    assert p().data.tolist() == [[1.5, -1.5], [1.5, -1.5]]
    dy = np.array([[1, 2], [3, 4]], np.float32)
    p().backward(dy)
    assert (p.grad == dy).all()  # STE, equation 8


def test_it_is_equation_9_one_number_at_a_time(rng):
    p = Parameter(rng.standard_normal((5, 4)))
    for bits in range(2, 9):
        use_dorefa(p, bits)
        n, largest = 2**bits - 1, max(abs(np.tanh(w)) for w in p.data.flat)
        want = [2 * round(n * (np.tanh(w) / (2 * largest) + 0.5)) / n - 1 for w in p.data.flat]
        np.testing.assert_allclose(p().data.ravel(), want, rtol=1e-12, atol=1e-15)
        assert p().data.max() == 1 or p().data.min() == -1


def test_the_gradient_is_that_of_the_equation_without_its_rounding(rng):
    def smooth(W):
        t = np.tanh(W.data)
        return through_tanh(W, w=t / np.abs(t).max(), m=np.abs(t).max(), measured=True)

    check_vjp(smooth, rng.standard_normal((4, 3)))


def test_what_is_pruned_is_not_measured():
    p = Parameter(np.array([[9.0, 0.5, -0.25]], np.float32))
    p.support = Mask(np.array([[False, True, True]]))
    use_dorefa(p, 1)
    assert p().data.tolist() == [[0, 0.375, -0.375]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bits": np.array(9)}, "DoReFa: bits: want an int from 1 to 8, got 9"),
        ({"bits": np.array([2])}, r"want one integer for bits, got int64 of shape \(1,\)"),
        ({"bits": np.array(2.0)}, "want one integer for bits, got float64"),
        ({"scale": np.float32([np.nan])}, "scale: want finite numbers"),
        ({"scale": np.float32([0])}, "scale: want finite numbers"),
        ({"scale": np.ones(2, np.float32)}, r"scale: want an array \(1,\) of floats"),
        ({"scale": np.array([1])}, r"scale: want an array \(1,\) of floats, got int64"),
        ({"codes": np.array([4])}, "want codes from 0 to 3, got 4 to 4"),
        ({"codes": np.array([-1])}, "want codes from 0 to 3, got -1 to -1"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change, message):
    parts = DoReFa(2).encode(np.ones(1, np.float32)) | change
    with pytest.raises(ValueError, match=message):
        DoReFa.decode(parts)


def test_weights_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="use_dorefa: p: want finite numbers, got 1 of 2"):
        use_dorefa(Parameter(np.array([1.0, np.nan])), 2)
    with pytest.raises(ValueError, match="DoReFa: latent weights: want finite numbers"):
        DoReFa(2).encode(np.array([np.inf]))
