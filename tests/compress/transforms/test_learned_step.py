"""lightnn/compress/transforms/learned_step.py: weights whose step is learned."""

import numpy as np
import pytest

from lightnn import Tensor
from lightnn import functional as F
from lightnn.compress import LSQ, use_lsq
from lightnn.nn import Parameter
from lightnn.optim import SGD


@pytest.mark.parametrize("bits", [2, 3, 8])
def test_it_obeys_the_laws_of_a_transform(laws, bits):
    laws(lambda latent: use_lsq(Parameter(latent), bits))


def test_by_hand():
    """E|v| = 1.5 and Q_P = 1, so s = 3."""
    p = Parameter(np.array([[1.0, -2.0], [3.0, 0.0]], np.float32))
    assert use_lsq(p, 2).scale.data.tolist() == [3]
    p.values.scale.data[:] = 1
    assert p().data.tolist() == [[1, -2], [1, 0]]


def test_weights_and_step_are_trained(rng):
    x, w = rng.standard_normal((64, 10)), rng.standard_normal((10, 10))
    p = Parameter(rng.standard_normal((10, 10)))
    step = use_lsq(p, 3).scale
    before, losses = step.data.copy(), []
    optimizer = SGD([p, step], lr=0.5)
    for _ in range(60):
        optimizer.zero_grad()
        loss = F.mse_loss(F.linear(Tensor(x), p(), None), x @ w.T)
        loss.backward()
        optimizer.step()
        losses += [float(loss.data)]
    assert losses[-1] < losses[0] / 2 and step.data != before


def test_a_step_below_0_is_held():
    p = Parameter(np.array([1.0, -1.0]))
    use_lsq(p, 2).scale.data[:] = -3
    assert p().data.tolist() == [2.0**-126, -2 * 2.0**-126]


@pytest.mark.parametrize("scale", [np.array([0.0]), np.array([np.nan]), np.array([-1.0]), np.array([1]), np.ones(2)])
def test_steps_that_do_not_fit_are_refused(scale):
    with pytest.raises(ValueError, match="LSQ: scale: want "):
        LSQ(2, scale)
