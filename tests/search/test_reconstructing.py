"""lightnn/search/reconstructing.py: least squares by hand, and layers that give again what they gave."""

import numpy as np
import pytest

from lightnn import compress, nn
from lightnn.nn.module import evaluating
from lightnn.search import Blocks, least_squares, thin_and_reconstruct
from lightnn.tensor import Tensor, no_grad


def test_a_line_by_hand():
    w, b = least_squares([[0.0], [1.0], [2.0]], [[1.0], [3.0], [5.0]])
    assert w[0, 0] == pytest.approx(2, rel=1e-5) and b[0] == pytest.approx(1, rel=1e-5)
    w, b = least_squares([[1.0], [2.0]], [[3.0], [6.0]], bias=False)
    assert w[0, 0] == pytest.approx(3, rel=1e-5) and b[0] == 0


def test_it_is_numpys_least_squares(rng):
    x, y = rng.standard_normal((50, 4)), rng.standard_normal((50, 3))
    w, b = least_squares(x, y)
    want = np.linalg.lstsq(np.c_[x, np.ones(50)], y, rcond=None)[0]
    np.testing.assert_allclose(np.c_[w, b], want.T, rtol=1e-3, atol=1e-5)
    w, _ = least_squares(np.c_[x, x[:, :1]], y)  # one input twice: no unique answer, but one that is as good
    np.testing.assert_allclose(np.c_[x, x[:, :1]] @ (w.T) - (x @ want[:4]), 0, atol=0.3)


def run(model, x):
    with evaluating(model), no_grad():
        return model(Tensor(x)).data


@pytest.mark.parametrize("bias", [True, False])
def test_a_channel_that_others_replace_costs_nothing(rng, bias):
    """The second and third filters are equal: without the third the next layer can still give the same."""
    model = nn.Sequential(
        nn.Conv2d(1, 3, 3, rng=0), nn.ReLU(), nn.Conv2d(3, 4, 3, 2, 1, bias=bias, rng=1), nn.ReLU(), nn.Flatten(),
        nn.Linear(36, 5, rng=2),
    )  # fmt: skip
    model[0].weight.data[2], model[0].bias.data[2] = model[0].weight.data[1], model[0].bias.data[1]
    x = rng.random((60, 1, 8, 8), np.float32)
    cuts = compress.plan(model, compress.channels(model, (1, 1, 8, 8)), {"0": [2]})
    before, plain, fitted = run(model, x), compress.thin(model, cuts), thin_and_reconstruct(model, cuts, x)
    assert np.abs(run(fitted, x) - before).max() < 0.02 * np.abs(run(plain, x) - before).max()
    assert type(fitted[2]).forward is nn.Conv2d.forward and "forward" not in vars(fitted[2])  # nothing is left behind
    assert "forward" not in vars(model[2])


def test_layers_that_lose_channels_are_fitted_in_the_order_of_the_run(toy, tiny, shape, rng):
    model = tiny()
    blocks, x = Blocks(model, shape), toy.images().training[0][:100]
    cuts = compress.plan(model, blocks.found, blocks.removed(model, {"0": 6, "6": 10}))
    before = run(model, x)
    loss = [
        np.square(run(m, x) - before).mean() for m in (compress.thin(model, cuts), thin_and_reconstruct(model, cuts, x))
    ]
    assert loss[1] < 0.2 * loss[0]
