"""lightnn/compress/transforms/trained_ternary.py: trained ternary quantization."""

import numpy as np
import pytest

from lightnn import Tensor
from lightnn import functional as F
from lightnn.compress import TrainedTernary, use_trained_ternary
from lightnn.compress.transforms.trained_ternary import trained_ternary
from lightnn.nn import Parameter
from lightnn.optim import SGD
from lightnn.testing import check_vjp


@pytest.mark.parametrize("t", [0.0, 0.05, 0.5])
def test_it_obeys_the_laws_of_a_transform(laws, t):
    laws(lambda latent: use_trained_ternary(Parameter(latent), t))


def test_by_hand():
    """D = 0.25 * 4 = 1; W_p = (2 + 3) / 2 and W_n = 4."""
    p = Parameter(np.array([[3.0, -1.0], [2.0, -4.0]], np.float32))
    values = use_trained_ternary(p, 0.25)
    assert values.scale.data.tolist() == [2.5, 4] and p().data.tolist() == [[2.5, 0], [2.5, -4]]
    p().backward(np.array([[1, 2], [3, 5]], np.float32))
    assert p.grad.tolist() == [[2.5, 2], [7.5, 20]] and values.scale.grad.tolist() == [4, -5]


def test_both_values_have_their_true_gradient(rng):
    W = Tensor(rng.standard_normal((4, 5)))
    check_vjp(lambda scale: trained_ternary(W, scale, D=0.3), np.array([0.7, 1.3]))


def test_weights_and_values_are_trained(rng):
    x, w = rng.standard_normal((64, 10)), rng.standard_normal((10, 10))
    p = Parameter(0.2 * rng.standard_normal((10, 10)))
    scale = use_trained_ternary(p).scale
    before, losses, optimizer = scale.data.copy(), [], SGD([p, scale], lr=0.1)
    for _ in range(60):
        optimizer.zero_grad()
        loss = F.mse_loss(F.linear(Tensor(x), p(), None), x @ w.T)
        loss.backward()
        optimizer.step()
        losses += [float(loss.data)]
    assert losses[-1] < losses[0] / 2 and (scale.data != before).all()


@pytest.mark.parametrize("scale", [[1.0], [0.0, 1.0], [np.nan, 1.0], [1, 2]])
def test_values_that_do_not_fit_are_refused(scale):
    with pytest.raises(ValueError, match="TrainedTernary: scale: want "):
        TrainedTernary(2, np.array(scale))
