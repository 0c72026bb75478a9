"""lightnn/papers/quantization_networks/training.py: why the gradient is clipped, and what is trained."""

import numpy as np

from lightnn import Tensor, nn
from lightnn import functional as F
from lightnn.papers.lab import clipping
from lightnn.papers.quantization_networks import training


def slopes(T, Y=(0, 1, 2, 3)):
    """dy/dx of a soft activation at evenly spaced x, which reach far beyond its steps."""
    x = Tensor(np.linspace(-7, 10, 200_001), requires_grad=True)
    one, b = np.ones(1), np.array([0.5, 1.5, 2.5])
    F.soft_quantize(x, one, one, b, Y=Y, T=T).backward(np.ones(x.shape))
    return x.grad


def test_the_mean_slope_does_not_depend_on_the_temperature_but_the_mean_square_grows_as_it_does():
    cold, hot = slopes(10.0), slopes(50.0)
    np.testing.assert_allclose(hot.mean(), cold.mean(), rtol=1e-4)
    np.testing.assert_allclose((hot**2).mean() / (cold**2).mean(), 5, rtol=0.05)
    assert (hot > 0.01).mean() < (cold > 0.01).mean() / 3, "few numbers pass a gradient on"


def parameters(rng, *shapes, size):
    made = [nn.Parameter(rng.standard_normal(shape).astype(np.float32)) for shape in shapes]
    for p in made:
        p.grad = np.full(p.shape, size, np.float32)
    return made


def test_no_step_is_longer_than_the_rate_allows_and_frozen_parameters_stay(rng):
    p, frozen, without = parameters(rng, (20,), (5,), (5,), size=1e6)
    frozen.requires_grad, without.grad = False, None
    before = p.data.copy()
    sgd = training.clipped_sgd([p, frozen, without], 0.1)
    sgd.weight_decay = 0.0
    sgd.step()
    np.testing.assert_allclose(np.linalg.norm(p.data - before), 0.1 * clipping.MOST_NORM, rtol=1e-4)
    assert len(sgd.parameters) == 2 and without.grad is None
