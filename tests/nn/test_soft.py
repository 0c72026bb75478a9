"""lightnn/nn/soft.py and where its activations start: compress/quantization/soft_activations.py."""

import numpy as np
import pytest

import lightnn
from lightnn import Tensor, nn, optim
from lightnn import functional as F
from lightnn.compress import set_temperature, start_soft_activations
from lightnn.io import save_to_train
from lightnn.models import replace


def network(bits):
    model = nn.Sequential(nn.Linear(5, 20, rng=0), nn.ReLU(), nn.Identity(), nn.Linear(20, 1, rng=1))
    return replace(model, {"2": nn.SoftActivation(bits)})


def test_it_has_no_steps_yet():
    with pytest.raises(RuntimeError, match="it has no steps yet"):
        nn.SoftActivation(2)(np.ones(3, np.float32))


def test_where_it_starts_by_hand():
    """q = 3, so beta = 5 * 3 / (4 * 3) and alpha = 1 / beta; four clusters, 0 to 3, and the steps between them."""
    model = nn.Sequential(nn.SoftActivation(2))
    x = np.tile(np.array([[0.0, 1.0, 2.0, 3.0]], np.float32), (10, 1))
    assert start_soft_activations(model, x) == ["0"]
    layer = model[0]
    assert layer.Y == (0, 1, 2, 3) and layer.beta.data == np.float32(1.25) and layer.alpha.data == np.float32(0.8)
    np.testing.assert_allclose(layer.biases, np.array([0.5, 1.5, 2.5]) * 1.25, rtol=1e-6)
    np.testing.assert_allclose(model.eval()(x[:1]).data, [[0, 0.8, 1.6, 2.4]], rtol=1e-6)


@pytest.mark.parametrize("bits", [1, 2, 3])
def test_a_network_with_it_learns_and_is_saved(bits, rng, tmp_path):
    model, x = network(bits), rng.standard_normal((40, 5)).astype(np.float32)
    start_soft_activations(model, x)
    set_temperature(model, 10.0)
    y, losses, optimizer = np.abs(x[:, :1]), [], optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    before = [model[2].alpha.data.copy(), model[2].beta.data.copy()]
    for _ in range(40):
        loss = F.mse_loss(model.train()(Tensor(x)), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2
    assert all((p.data != old).all() for p, old in zip((model[2].alpha, model[2].beta), before))
    lightnn.save(model, tmp_path / "a.lnn")
    again = lightnn.load(tmp_path / "a.lnn")
    np.testing.assert_array_equal(again(x).data, model.eval()(x).data)
    assert len(np.unique(nn.Sequential(*list(model)[:3])(x).data)) <= 2**bits
    save_to_train(model, tmp_path / "a.lnn")
    soft = lightnn.load(tmp_path / "a.lnn").train()
    np.testing.assert_array_equal(soft(x).data, model.train()(x).data)
    assert soft[2].temperature == 10


def test_it_starts_the_same_with_one_seed(rng):
    x = rng.standard_normal((400, 5)).astype(np.float32)
    biases = []
    for seed in (0, 0, 1):
        model = network(2)
        start_soft_activations(model, x, rng=seed)
        biases.append(model[2].biases.tolist())
    assert biases[0] == biases[1] != biases[2]


def test_errors():
    with pytest.raises(ValueError, match="start_soft_activations: want x, a batch of finite floats"):
        start_soft_activations(network(1), np.ones((2, 5), int))
    broken = network(1)
    broken[0].weight.data[0, 0] = np.inf
    with pytest.raises(ValueError, match="start_soft_activations: 2: want finite numbers"):
        start_soft_activations(broken, np.ones((2, 5), np.float32))
    unused = nn.ReLU()
    unused.aside = nn.SoftActivation(1)
    with pytest.raises(ValueError, match="start_soft_activations: aside: nothing came through"):
        start_soft_activations(unused, np.ones((2, 5), np.float32))
    assert repr(nn.SoftActivation(3)) == "SoftActivation(3 bits)"
