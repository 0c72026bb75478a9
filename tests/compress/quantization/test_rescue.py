"""correcting.py, rounding.py, mixing.py and equalizing.py: each against plain rounding at equal bits."""

import copy

import numpy as np
import pytest
from numba import config

from lightnn import Tensor, io, load, nn, save
from lightnn.compress import adaround, correct_bias, equalize, mixed_bits, quantize, sensitivities
from lightnn.compress.quantization.observing import in_floats
from lightnn.compress.quantization.rounding import beta, soft_rounding

pytestmark = pytest.mark.skipif(config.DISABLE_JIT, reason="rounding and correcting over many images need the compiler")


def size(model):
    return len(io.to_bytes(model))


def test_equalisation_and_bias_correction_rescue_one_scale_for_a_tensor(uneven, images, error):
    equal = equalize(uneven, (1, 1, 12, 12))
    for bits in (8, 6, 4):
        plain = error(quantize(uneven, images, weight_bits=bits, per_channel=False))
        both = quantize(equal, images, weight_bits=bits, per_channel=False)
        assert error(both) < plain / 4
        assert error(correct_bias(both, images)) < plain / 8


@pytest.mark.parametrize("per_channel", [True, False])
def test_bias_correction_gives_the_means_of_the_float_network(uneven, images, error, per_channel, tmp_path):
    q = quantize(uneven, images, weight_bits=4, per_channel=per_channel)
    before, corrected = error(q), correct_bias(q, images)
    assert error(corrected) < 0.7 * before and error(q) == before
    want, got = uneven(Tensor(images)).data.mean(0), corrected(Tensor(images)).data.mean(0)
    np.testing.assert_allclose(got, want, atol=2 * corrected.fc[-1].scale.item())
    save(corrected, tmp_path / "a.lnn")
    np.testing.assert_array_equal(load(tmp_path / "a.lnn")(Tensor(images)).data, corrected(Tensor(images)).data)


def test_a_layer_without_a_bias_gets_one(rng, tmp_path):
    model = nn.Sequential(nn.Linear(8, 4, False, rng=0), nn.ReLU(), nn.Linear(4, 3, rng=1)).eval()
    x = rng.random((64, 8), np.float32)
    corrected = correct_bias(quantize(model, x, weight_bits=2), x)
    assert corrected[0][1].bias.data.any()
    save(corrected, tmp_path / "a.lnn")


@pytest.mark.thorough
def test_adaround_beats_the_nearest_codes(uneven, images, error, tmp_path):
    q = quantize(uneven, images, weight_bits=4)
    rounded = adaround(q, images, iterations=100, rng=0)
    assert error(rounded) < 0.75 * error(q)
    moved = 0
    for (path, p), (_, before) in zip(rounded.named_parameters(), q.named_parameters()):
        if p.values is None:
            np.testing.assert_array_equal(p.data, before.data)
            continue
        S = p.values.scale.reshape(-1, *[1] * (p.ndim - 1))
        steps = np.rint((p().data - before().data) / S)
        assert np.abs(steps).max(initial=0) <= 1, path  # up or down, never farther
        moved += int(np.abs(steps).sum())
    assert moved > 10
    save(rounded, tmp_path / "a.lnn")
    np.testing.assert_array_equal(load(tmp_path / "a.lnn")(Tensor(images)).data, rounded(Tensor(images)).data)
    again = adaround(q, images, iterations=100, rng=0)
    np.testing.assert_array_equal(again(Tensor(images)).data, rounded(Tensor(images)).data)


def test_the_rectified_sigmoid_and_its_exponent():
    h = soft_rounding(Tensor(np.array([-9.0, 0.0, 9.0]))).data
    np.testing.assert_allclose(h, [0, 0.5, 1])
    assert beta(200, 1000) == 20 and beta(600, 1000) == pytest.approx(11) and beta(1000, 1000) == pytest.approx(2)


@pytest.mark.thorough
def test_a_budget_is_kept_by_the_file_and_spent_where_it_matters(uneven, images, tmp_path):
    sure = copy.deepcopy(uneven)  # its labels are its own classes, and it is sure of them
    for p in (sure.fc.weight, sure.fc.bias):
        p.data = p.data * 30
    y = sure(Tensor(images)).data.argmax(1)
    q = quantize(equalize(sure, (1, 1, 12, 12)), images)
    costs = sensitivities(q, images, y)
    assert set(costs) == {path for path, m in q.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)}
    assert all(list(cost) == list(range(8, 1, -1)) and cost[8] == 0 for cost in costs.values())
    assert all(sorted(cost.values()) == list(cost.values()) for cost in costs.values())
    same, bits = mixed_bits(q, images, y, size(q), size)
    assert set(bits.values()) == {8} and size(same) == size(q)
    uniform = quantize(equalize(sure, (1, 1, 12, 12)), images, weight_bits=4)
    mixed, bits = mixed_bits(q, images, y, size(uniform), size)
    assert save(mixed, tmp_path / "a.lnn") <= size(uniform) and len(set(bits.values())) > 1
    assert {path: m.weight.values.bits for path, m in mixed.named_modules() if path in bits} == bits
    right = [(m(Tensor(images)).data.argmax(1) == y).mean() for m in (mixed, uniform)]
    assert right[0] >= right[1]
    with pytest.raises(ValueError, match=r"mixed_bits: want budget_bytes >= \d+, which 2 bits take, got 10"):
        mixed_bits(q, images, y, 10, size)


def test_the_float_network_of_a_quantized_one(uneven, images):
    q = quantize(uneven, images, weight_bits=2)
    np.testing.assert_allclose(in_floats(q)(Tensor(images)).data, uneven(Tensor(images)).data, rtol=1e-5)
