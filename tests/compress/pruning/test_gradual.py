"""lightnn/compress/pruning/gradual.py: the cubic schedule, and pruning along it while a network is trained."""

import numpy as np
import pytest

from lightnn import optim, train
from lightnn.compress import GradualPruning, density, gradual_sparsity, set_mask
from lightnn.nn import Flatten, Linear, Parameter, Sequential


def test_the_schedule_by_hand():
    """From 0 to 0.8 in four steps of 10, from step 100 on: what is left to do is (3/4)^3, (1/2)^3, (1/4)^3, 0."""
    found = [gradual_sparsity(t, 0.0, 0.8, 100, 4, 10) for t in (100, 110, 120, 130, 140)]
    assert found == pytest.approx([0, 0.8 * (1 - 27 / 64), 0.8 * (1 - 1 / 8), 0.8 * (1 - 1 / 64), 0.8])


def test_it_is_s_i_before_and_s_f_after_and_constant_between_the_steps():
    assert [gradual_sparsity(t, 0.2, 0.9, 7, 3, 5) for t in (0, 6, 7, 11)] == pytest.approx([0.2] * 4)
    assert [gradual_sparsity(t, 0.2, 0.9, 7, 3, 5) for t in (22, 23, 1000)] == pytest.approx([0.9] * 3)
    assert gradual_sparsity(12, 0.2, 0.9, 7, 3, 5) == gradual_sparsity(16, 0.2, 0.9, 7, 3, 5)
    assert gradual_sparsity(1, 0.0, 0.5, 0, 1, 1) == 0.5 and gradual_sparsity(0, 0.0, 0.5, 0, 1, 1) == 0.0


@pytest.mark.parametrize(("n", "dt"), [(0, 5), (5, 0), (-1, 5)])
def test_no_steps_are_an_error(n, dt):
    with pytest.raises(ValueError, match=f"gradual_sparsity: want n >= 1 and dt >= 1, got {n} and {dt}"):
        gradual_sparsity(3, 0.0, 0.5, 0, n, dt)


def test_each_step_prunes_to_the_schedule_and_revives_none(rng):
    p = Parameter(rng.standard_normal((20, 50)))
    pruning, before = GradualPruning([(p, 0.1)], n=4, dt=3, t_0=2), np.ones(p.shape, bool)
    for t in range(20):
        pruning.step()
        assert density(p) == pytest.approx(1 - gradual_sparsity(t, 0, 0.9, 2, 4, 3), abs=1e-3)
        mask = before if p.support is None else p.support.mask
        assert not (mask & ~before).any()
        before = mask
        p.data += 0.1 * rng.standard_normal(p.shape) * mask
    assert density(p) == 0.1


def test_it_starts_from_what_is_pruned_already(rng):
    p = Parameter(rng.standard_normal(1000))
    set_mask(p, np.arange(1000) < 400)
    pruning = GradualPruning([(p, 0.2)], n=2, dt=1)
    densities = [pruning.step() or density(p) for _ in range(3)]
    assert densities == pytest.approx([0.4, 0.2 + 0.2 / 8, 0.2])


def test_training_calls_it_after_each_update(rng):
    x, y = rng.random((40, 1, 2, 3), np.float32), rng.integers(0, 4, 40)
    model, seen = Sequential(Flatten(), Linear(6, 4, rng=0)), []
    p = model[1].weight
    pruning = GradualPruning([(p, 0.25)], n=8, dt=1)

    def after_step():
        pruning.step()
        seen.append(density(p))

    sgd = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    train(model, (x, y), epochs=2, optimizer=sgd, batch_size=8, after_step=after_step, progress=False)
    assert len(seen) == 10 and seen == sorted(seen, reverse=True) and seen[-1] == 0.25
    assert np.count_nonzero(p().data) == 6
