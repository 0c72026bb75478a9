"""lightnn/nn/quantize.py: quantized activations as layers."""

import numpy as np
import pytest

from lightnn import Tensor, load, nn, save


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
