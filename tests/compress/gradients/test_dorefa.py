"""lightnn/compress/gradients/dorefa.py: the formula in the backward pass, and as a codec."""

import numpy as np
import pytest

from lightnn import Tensor, nn
from lightnn.compress import DoReFaGradient, GradientQuantizer, dorefa_gradient


def back(dy, bits, rng, shape=None):
    x = Tensor(np.ones(dy.shape, dy.dtype), requires_grad=True)
    y = dorefa_gradient(x, bits=bits, rng=rng)
    np.testing.assert_array_equal(y.data, x.data)
    y.backward(dy)
    return x.grad


def by_definition(dy, k, sigma):
    """The formula for one sample, a number at a time."""
    m, n = np.abs(dy).max(), 2**k - 1
    r = [min(max(d / (2 * m) + 1 / 2 + s / n, 0), 1) for d, s in zip(dy.ravel(), sigma.ravel())]
    return np.reshape([2 * m * (np.round(n * q) / n - 1 / 2) for q in r], dy.shape)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 5, 5)], ids=str)
def test_the_backward_pass_is_the_formula_for_each_sample(rng, bits, shape):
    dy = rng.standard_normal(shape)
    sigma = (np.random.default_rng(7).random((shape[0], dy[0].size)) - 0.5).reshape(shape)
    want = np.stack([by_definition(d, bits, s) for d, s in zip(dy, sigma)])
    np.testing.assert_allclose(back(dy, bits, 7), want, atol=1e-12)


def test_unbiased_and_each_error_keeps_its_bound(rng):
    """The variance is measured from 4000 draws, so 5 % are allowed."""
    dy, draws = rng.standard_normal((3, 10)), 4000
    generator = np.random.default_rng(1)
    q = np.stack([back(dy, 2, generator) for _ in range(draws)])
    assert (np.abs(q.mean(0) - dy) <= 5 * q.std(0) / draws**0.5 + 1e-9).all()
    assert (((q - dy) ** 2).mean(0) <= 1.05 * (np.abs(dy).max(1, keepdims=True) / 3) ** 2).all()


def test_a_sample_has_its_own_maximum():
    dy = np.array([[1.0, -1.0], [1000.0, -1000.0], [0.0, 0.0]])
    np.testing.assert_allclose(back(dy, 2, 0), dy)


def test_the_layer_passes_the_dtype_and_learns_nothing():
    layer = GradientQuantizer(8, rng=0)
    x = Tensor(np.ones((2, 3), np.float32), requires_grad=True)
    y = nn.Sequential(nn.Linear(3, 2, rng=0), layer)(x)
    y.backward(np.ones((2, 2), np.float32))
    assert x.grad.dtype == np.float32 and list(layer.parameters()) == [] and "bits=8" in repr(layer)


def test_an_empty_batch_and_a_number_pass():
    assert back(np.zeros((0, 3), np.float32), 4, 0).shape == (0, 3)
    assert back(np.array(2.0), 4, 0) == pytest.approx(2)


def test_the_codec_is_the_same_formula_and_takes_k_bits(rng):
    g = rng.standard_normal((6, 50)).astype(np.float32)
    codec = DoReFaGradient(g.shape, bits=3, rng=7)
    data = codec.encode(g)
    assert len(data) == 6 * 4 + -(-300 * 3 // 8) + 4
    np.testing.assert_allclose(codec.decode(data), back(g.astype(np.float64), 3, 7), rtol=1e-5, atol=1e-6)
