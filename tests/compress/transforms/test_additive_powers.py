"""lightnn/compress/transforms/additive_powers.py: weights that are sums of powers of two."""

import numpy as np
import pytest

from lightnn import Tensor
from lightnn import functional as F
from lightnn.compress import AdditivePowers, use_additive_powers
from lightnn.nn import Parameter
from lightnn.optim import SGD

ONE = np.ones(1)


@pytest.mark.parametrize("bits", [2, 4, 7])
def test_it_obeys_the_laws_of_a_transform(laws, bits):
    laws(lambda latent: use_additive_powers(Parameter(latent), bits))


def test_levels_by_hand():
    """4 bits: {0, 1/2, 1/4, 1/16} + {0, 1/8}, over the largest, 5/8."""
    sums = np.array([0, 1, 2, 3, 4, 6, 8, 10]) / 10
    np.testing.assert_allclose(AdditivePowers.levels(4, ONE), [*-sums[:0:-1], *sums], rtol=1e-15)
    assert AdditivePowers.levels(2, ONE).tolist() == [-1, 0, 1]
    assert AdditivePowers.levels(3, ONE).tolist() == [-1, -0.5, -0.25, 0, 0.25, 0.5, 1]


@pytest.mark.parametrize("bits", range(2, 8))
def test_no_two_sums_are_equal_and_a_weight_takes_the_nearest(rng, bits):
    levels = AdditivePowers.levels(bits, ONE)
    assert len(levels) == 2**bits - 1 and (np.diff(levels) > 0).all() and (levels == -levels[::-1]).all()
    p = Parameter(rng.standard_normal(100))
    alpha = use_additive_powers(p, bits).scale.data[0]
    want = [alpha * min(levels, key=lambda level: abs(level - min(max(x / alpha, -1), 1))) for x in p.data]
    np.testing.assert_allclose(p().data, want, rtol=1e-15)


def test_the_gradient_is_equation_7():
    """alpha = 1, levels -1, 0, 1."""
    p = Parameter(np.array([0.25, -0.75, 3.0, -2.0]))
    p.values = AdditivePowers(2, ONE)
    p().backward(np.array([1.0, 2.0, 4.0, 8.0]))
    assert p.grad.tolist() == [1, 2, 0, 0]
    assert p.values.scale.grad.tolist() == [1 * -0.25 + 2 * (-1 + 0.75) + 4 - 8]


def test_weights_and_alpha_are_trained(rng):
    x, w = rng.standard_normal((64, 10)), rng.standard_normal((10, 10))
    p = Parameter(rng.standard_normal((10, 10)))
    alpha = use_additive_powers(p, 4).scale
    before, losses, optimizer = alpha.data.copy(), [], SGD([p, alpha], lr=0.3)
    for _ in range(60):
        optimizer.zero_grad()
        loss = F.mse_loss(F.linear(Tensor(x), p(), None), x @ w.T)
        loss.backward()
        optimizer.step()
        losses += [float(loss.data)]
    assert losses[-1] < losses[0] / 2 and alpha.data != before


@pytest.mark.parametrize("scale", [np.array([0.0]), np.array([np.nan]), np.array([1]), np.ones(2)])
def test_scales_that_do_not_fit_are_refused(scale):
    with pytest.raises(ValueError, match="AdditivePowers: scale: want "):
        AdditivePowers(4, scale)
