"""lightnn/compress/pruning/magnitude.py: pruning by magnitude, and how much of it a layer bears."""

import numpy as np
import pytest

from lightnn.compress import (
    adjust_dropout,
    density,
    prune,
    quality_for,
    random_mask,
    sensitivity,
    set_mask,
    share,
    threshold,
)
from lightnn.models import lenet_300_100
from lightnn.nn import Linear, Parameter, Sequential


def test_the_threshold_is_quality_times_the_survivors_standard_deviation(rng):
    w, mask = rng.standard_normal((6, 5)), rng.random((6, 5)) < 0.5
    assert threshold(w, 1.5) == pytest.approx(1.5 * w.std())
    assert threshold(w, 1.5, mask) == pytest.approx(1.5 * w[mask].std())
    assert threshold(w, 1.5, np.zeros_like(mask)) == 0
    assert threshold(np.full(1000, 0.1, np.float32), 1) == pytest.approx(0, abs=1e-9)  # summed in float64


def test_pruning_by_hand():
    p = Parameter(np.array([3.0, -1.0, 1.0, -3.0]))
    assert prune(p, 0.5) == density(p) == 2 / 4  # std = sqrt(5), so the threshold is 1.1
    assert p().data.tolist() == p.data.tolist() == [3.0, 0.0, 0.0, -3.0]
    assert prune(p, 0.9) == 2 / 4  # the survivors' std is 3, so the threshold is 2.7
    assert prune(p, 1.2) == 0  # now it is 3.6; with the zeros in the std it would have been 2.5


def test_a_weight_at_the_threshold_goes():
    w = np.array([1.0, -1.0, 1.0, -1.0])  # std = 1
    assert [prune(Parameter(w), quality) for quality in (0.99, 1, 1.01)] == [1, 0, 0]


@pytest.mark.parametrize("quality", [0, 0.3, 1, 2.5, 100])
def test_exactly_the_weights_above_the_threshold_stay(rng, quality):
    w = rng.standard_normal((20, 10)).astype(np.float32)
    p = Parameter(w.copy())
    kept = prune(p, quality)
    np.testing.assert_array_equal(p.support.mask, np.abs(w) > threshold(w, quality))
    np.testing.assert_array_equal(p().data, np.where(p.support.mask, w, 0))
    assert kept == np.count_nonzero(p().data) / w.size


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [2, 10, 333])
def test_quality_for_keeps_exactly_the_share_asked(rng, n, dtype):
    for keep in rng.uniform(0, 1, 100):
        p = Parameter(rng.standard_normal(n).astype(dtype))
        kept = prune(p, quality_for(p.data, keep))
        assert kept * n == pytest.approx(round(keep * n)), (keep, p.data)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_among_equal_magnitudes_no_more_than_the_share_asked_stay(rng, dtype):
    """A threshold can't tell equal magnitudes apart: those at the limit all go."""
    for keep in rng.uniform(0, 1, 100):
        w = (rng.integers(1, 8, 100) * rng.choice([-0.1, 0.1], 100)).astype(dtype)
        p, asked = Parameter(w), round(keep * w.size)
        kept = round(100 * prune(p, quality_for(w, keep)))
        limit = np.sort(np.abs(w))[::-1][min(asked, 99)]
        assert asked - np.sum(np.abs(w) == limit) < kept <= asked, (keep, kept)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_repeated_pruning_keeps_the_share_of_all_weights_and_revives_none(rng, dtype):
    p = Parameter(rng.standard_normal((40, 25)).astype(dtype))
    before = np.ones(p.shape, bool)
    for keep in (0.9, 0.5, 0.5, 0.2, 0.04):
        assert prune(p, quality_for(p().data, keep, before)) == pytest.approx(keep)
        assert not (p.support.mask & ~before).any()
        before = p.support.mask
        p.data += rng.standard_normal(p.shape) * before  # retraining


def test_asking_for_more_than_is_left_changes_nothing(rng):
    p = Parameter(rng.standard_normal(100))
    prune(p, quality_for(p.data, 0.3))
    before = p.support.mask
    assert prune(p, quality_for(p().data, 0.6, before)) == 0.3
    np.testing.assert_array_equal(p.support.mask, before)


def test_a_shared_weight_can_be_pruned(rng):
    p = Parameter(rng.standard_normal(100))
    codebook = share(p, 3)
    prune(p, 1.0)
    assert p.values is codebook
    np.testing.assert_array_equal(p().data != 0, p.support.mask)


@pytest.mark.parametrize("shape", [(0,), (3, 0)])
def test_an_empty_parameter_can_be_pruned(shape):
    p = Parameter(np.zeros(shape))
    prune(p, quality_for(p.data, 0.5))
    assert p().shape == shape and 0 <= density(p) <= 1


@pytest.mark.parametrize("keep", [0.001, 0.1, 0.333, 0.9, 1])
def test_a_random_mask_keeps_exactly_the_share_asked(rng, keep):
    p = Parameter(rng.standard_normal((20, 30)))
    mask = random_mask(p, keep, rng)
    assert mask.shape == p.shape and mask.dtype == bool and mask.sum() == round(600 * keep)
    assert p.support is None


def test_a_random_mask_revives_none_and_keeps_a_share_of_all_weights(rng):
    p = Parameter(rng.standard_normal((20, 30)))
    set_mask(p, rng.random(p.shape) < 0.5)
    before, left = p.support.mask.copy(), int(p.support.mask.sum())
    for keep, want in ((0.2, 120), (0.02, 12), (0.9, left), (1, left)):
        mask = random_mask(p, keep, rng)
        assert not (mask & ~before).any() and mask.sum() == want
    np.testing.assert_array_equal(p.support.mask, before)


def test_every_weight_has_the_same_chance_whatever_its_size():
    p = Parameter(np.arange(8.0))
    rng = np.random.default_rng(0)
    chance = np.mean([random_mask(p, 0.25, rng) for _ in range(4000)], axis=0)
    np.testing.assert_allclose(chance, 0.25, atol=0.03)
    np.testing.assert_array_equal(random_mask(p, 0.5, 3), random_mask(p, 0.5, np.random.default_rng(3)))


@pytest.mark.parametrize("keep", [0, 1.1, -0.5])
def test_a_random_share_out_of_range_is_named(keep):
    with pytest.raises(ValueError, match=f"random_mask: want 0 < keep <= 1, got {keep}"):
        random_mask(Parameter(np.ones(3)), keep, 0)


def test_a_mask_of_the_wrong_shape_leaves_the_parameter_usable():
    p = Parameter(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"\(3, 2\), got \(2, 3\)"):
        set_mask(p, np.ones((3, 2), bool))
    assert p().data.all()


def state_of(model):
    return [(id(p.values), id(p.support), p.data.tobytes()) for p in model.parameters()]


@pytest.mark.parametrize("fails", [False, True])
def test_sensitivity_prunes_each_alone_and_leaves_the_model_as_it_was(rng, fails):
    model = Sequential(Linear(10, 20, rng=0), Linear(20, 5, rng=1), Linear(5, 40, rng=2))
    weights = {f"{i}": layer.weight for i, layer in enumerate(model)}
    prune(weights["1"], quality_for(weights["1"].data, 0.5))
    share(weights["2"], 4)
    before, asked = state_of(model), []

    def score(m):
        assert m is model
        asked.append([np.count_nonzero(p().data) for p in weights.values()])
        if fails and len(asked) == 4:
            raise KeyboardInterrupt
        return float(asked[-1][0])

    if fails:
        with pytest.raises(KeyboardInterrupt):
            sensitivity(model, weights, score, [0.1, 0.5, 1])
    else:
        curves = sensitivity(model, weights, score, [0.1, 0.5, 1])
        assert curves == {"0": [20, 100, 200], "1": [200] * 3, "2": [200] * 3}
        assert asked[3:6] == [[200, 10, 200], [200, 50, 200], [200, 50, 200]]  # "1" had only half its weights left
    assert state_of(model) == before


def test_dropout_is_adjusted_by_equation_2():
    assert adjust_dropout(0.5, 100, 8) == pytest.approx(0.1414, abs=5e-5)  # the paper's example
    assert adjust_dropout(0.5, 100, 100) == 0.5
    assert adjust_dropout(0.5, 100, 0) == adjust_dropout(0, 100, 8) == 0
    assert adjust_dropout(0.2, 400, 100) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: prune(Parameter(np.ones(3)), -1), "prune: want a finite quality >= 0, got -1"),
        (lambda: prune(Parameter(np.ones(3)), float("nan")), "got nan"),
        (lambda: prune(Parameter(np.ones(3)), float("inf")), "got inf"),
    ],
)
def test_errors_say_what_was_wanted_and_what_came(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("keep", [0, 1.1])
def test_a_share_out_of_range_is_named(keep):
    with pytest.raises(ValueError, match=f"quality_for: keep: want a finite number <= 1 and > 0, got {keep}"):
        quality_for(np.ones(3), keep)


@pytest.mark.parametrize("given", [(1, 10, 5), (-0.1, 10, 5), (0.5, 10, 11), (0.5, 0, 0), (0.5, 10, -1)])
def test_dropout_errors_say_what_was_wanted_and_what_came(given):
    rate, before, after = given
    with pytest.raises(ValueError, match=f"adjust_dropout: want 0 <= rate < 1.* got {rate}, {after}, {before}"):
        adjust_dropout(rate, before, after)


def test_lenet_300_100_is_left_with_the_papers_22_thousand_weights():
    """The shares of table 2 of Han et al. 2015, pruned layer by layer."""
    model = lenet_300_100(rng=0)
    kept = 0
    for layer, keep in ((model.fc1, 0.08), (model.fc2, 0.09), (model.fc3, 0.26)):
        kept += round(layer.weight.size * prune(layer.weight, quality_for(layer.weight.data, keep)))
    assert kept == 18_816 + 2_700 + 260
