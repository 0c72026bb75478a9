"""lightnn/compress/quantization/calibration.py: the ranges follow from what the network computes in floats."""

import numpy as np
import pytest

from lightnn import nn
from lightnn.compress import calibrate, percentile_range
from lightnn.compress.quantization.calibration import observe


def chain():
    model = nn.Sequential(nn.FakeQuantize(), nn.Linear(3, 3, rng=0), nn.Sequential(nn.ReLU(), nn.FakeQuantize(4)))
    model[1].weight.data, model[1].bias.data = -2 * np.eye(3, dtype=np.float32), np.zeros(3, np.float32)
    return model.eval()


def test_ranges_by_hand():
    x = np.array([[1.0, -3.0, 0.5]] * 250 + [[0.0, 2.0, 5.0]], np.float32)  # the last one in a batch of its own
    model = chain()
    ranges = calibrate(model, x)
    assert ranges == {"0": (-3.0, 5.0), "2.1": (0.0, 6.0)}
    assert model[0].scale == np.float32(8 / 255) and model[0].zero_point == 96
    assert model[2][1].scale == np.float32(6 / 15) and model[2][1].zero_point == 0


def test_the_histogram_counts_every_number_on_its_side():
    x = np.random.default_rng(0).standard_normal((320, 3)).astype(np.float32)
    seen = observe(chain(), ["0", "2.1"], x)
    assert seen["0"].counts.sum(1).tolist() == [(x < 0).sum(), (x >= 0).sum()]
    assert seen["2.1"].counts[0].sum() == 0 and seen["2.1"].counts.sum() == x.size
    assert seen["0"].lowest == x.min() and seen["0"].highest == x.max()
    wide = calibrate(chain(), x)["0"]
    narrow = calibrate(chain(), x, lambda s, bits: percentile_range(s, bits, 90))["0"]
    assert narrow[1] < wide[1] and narrow[0] > wide[0]


def test_errors():
    model, x = chain(), np.ones((2, 3), np.float32)
    with pytest.raises(ValueError, match="calibrate: want x, a batch of finite floats"):
        calibrate(model, x * np.nan)
    with pytest.raises(ValueError, match="calibrate: choose: want a function, got 'mse'"):
        calibrate(model, x, "mse")
    model[1].bias.data[0] = np.nan
    with pytest.raises(ValueError, match=r"calibrate: 2\.1: want finite numbers"):
        calibrate(model, x)
    with pytest.raises(ValueError, match="want finite low <= high"):
        calibrate(chain(), x, lambda seen, bits: (0.0, np.nan))
