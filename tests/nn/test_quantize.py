"""lightnn/nn/quantize.py: quantized activations as layers."""

import copy

import numpy as np
import pytest

from lightnn import Tensor, load, nn, optim, save
from lightnn import functional as F
from lightnn.io import save_to_train


def test_by_hand_and_the_gradient_passes_inside_the_range():
    layer = nn.FakeQuantize()
    layer.set_range(-1.0, 254.0)
    x = Tensor(np.array([-3, -1, 0, 2.4, 254, 260], np.float32), requires_grad=True)
    y = layer(x)
    assert y.data.tolist() == [-1, -1, 0, 2, 254, 254]
    y.backward(np.ones(6, np.float32))
    assert x.grad.tolist() == [0, 1, 1, 1, 1, 0]


def test_it_says_that_it_is_not_calibrated():
    with pytest.raises(RuntimeError, match="not calibrated"):
        nn.FakeQuantize()(np.ones(3, np.float32))


@pytest.mark.parametrize("symmetric", [False, True])
def test_it_observes_in_training_only_and_is_saved(symmetric, rng, tmp_path):
    model = nn.Sequential(nn.FakeQuantize(8, symmetric, observing=True, momentum=0.5))
    model(np.array([-1, 3], np.float32))
    model(np.array([-2, 5], np.float32))
    assert model[0].observed.tolist() == [-1.5, 4.0]
    assert model[0].zero_point[0] == (128 if symmetric else 70)
    scale = model[0].scale.copy()
    x = rng.standard_normal(50).astype(np.float32) * 9
    want = model.eval()(x).data
    assert model[0].scale == scale
    save(model, tmp_path / "a.lnn")
    np.testing.assert_array_equal(load(tmp_path / "a.lnn")(x).data, want)


def test_what_is_not_finite_is_not_observed():
    with pytest.raises(ValueError, match="want finite x to observe"):
        nn.FakeQuantize(observing=True)(np.array([np.nan], np.float32))


LEARNED = [lambda: nn.DoReFaActivation(2), lambda: nn.PACT(3, alpha=2.5), lambda: nn.LSQActivation(3, signed=True)]


@pytest.mark.parametrize("make", LEARNED)
def test_a_network_with_it_learns_and_is_saved(make, rng, tmp_path):
    model = nn.Sequential(nn.Linear(5, 20, rng=0), make(), nn.Linear(20, 1, rng=1))
    x = rng.standard_normal((40, 5)).astype(np.float32)
    y, losses, optimizer = np.abs(x[:, :1]), [], None
    for _ in range(40):
        loss = F.mse_loss(model(Tensor(x)), y)
        optimizer = optimizer or optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses += [float(loss.data)]
    assert losses[-1] < losses[0] / 2
    for write in (save, save_to_train):
        write(model.eval(), tmp_path / "a.lnn")
        again = load(tmp_path / "a.lnn")
        np.testing.assert_array_equal(again(x).data, model(x).data)
        assert repr(again) == repr(model)
    twin = copy.deepcopy(model)
    np.testing.assert_array_equal(twin(x).data, model(x).data)


def test_the_first_batch_sets_the_step_of_lsq():
    """E|x| = 3 and Q_P = 3: s = 2 * 3 / sqrt(3)."""
    layer = nn.LSQActivation(2)
    with pytest.raises(RuntimeError, match="it has no step yet"):
        layer.eval()(np.ones(3, np.float32))
    layer.train()(np.array([[2.0, 4.0]], np.float32))
    assert layer.step.data == pytest.approx([12**0.5])
    layer(np.array([[20.0, 40.0]], np.float32))
    assert layer.step.data == pytest.approx([12**0.5])
    with pytest.raises(ValueError, match="want finite x"):
        nn.LSQActivation(2)(np.array([np.nan], np.float32))
