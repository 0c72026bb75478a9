"""lightnn/nn/quantize.py: activations in few bits."""

import numpy as np
import pytest

from lightnn import Tensor, nn


def test_by_hand():
    layer = nn.FakeQuantize(2)
    layer.set_range(-1.0, 2.0)
    assert (float(layer.scale), float(layer.zero_point), layer.range()) == (1.0, 1.0, (-1.0, 2.0))
    x = Tensor(np.array([-3.0, -0.4, 0.0, 0.6, 1.6, 9.0], np.float32), requires_grad=True)
    y = layer(x)
    assert y.data.tolist() == [-1, 0, 0, 1, 2, 2]
    y.sum().backward()
    assert x.grad.tolist() == [0, 1, 1, 1, 1, 0]


def test_zero_has_a_code_in_every_range(rng):
    for low, high in ((0.3, 2.0), (-5.0, -1.0), (0.0, 0.0), (-1e-30, 1e-30), (-0.3, 0.77)):
        for bits in (2, 5, 8):
            layer = nn.FakeQuantize(bits)
            layer.set_range(low, high)
            assert layer(Tensor(np.zeros(1, np.float32))).data[0] == 0 and 0 <= layer.zero_point < 2**bits


def test_training_follows_the_range_while_it_observes(rng):
    layer, x = nn.FakeQuantize(8, observing=True), rng.random(1000).astype(np.float32) * 4
    layer(Tensor(x))
    assert layer.range()[1] == pytest.approx(x.max(), rel=1e-5)
    for _ in range(2000):
        layer(Tensor(2 * x))
    assert layer.range()[1] == pytest.approx(2 * x.max(), rel=0.02)
    before = layer.range()
    layer.eval()(Tensor(9 * x))
    assert layer.range() == before


def test_errors():
    with pytest.raises(RuntimeError, match="FakeQuantize: want a calibrated range, got none"):
        nn.FakeQuantize()(Tensor(np.ones(1)))
    for low, high in ((1, 0), (np.nan, 1), (0, np.inf)):
        with pytest.raises(ValueError, match="FakeQuantize: want a finite range"):
            nn.FakeQuantize().set_range(low, high)
    with pytest.raises(ValueError, match="FakeQuantize: bits: want an int"):
        nn.FakeQuantize(9)
