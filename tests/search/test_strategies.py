"""lightnn/search/strategies.py: PPO's objective by hand, and controllers and evolution that find what is there."""

import numpy as np
import pytest

from lightnn.search import PPO, TPE, Evolution, GaussianProcess, RandomSearch, Reinforce, Space, search_space
from lightnn.search.strategies import clipped_objective

SPACE = Space({str(k): range(4) for k in range(4)})


def test_the_clipped_objective_by_hand():
    """Ratios 1.5, 1.5, 0.5, 0.5, with advantages 1, -1, 1, -1: the first and the last are clipped to 1.2 and 0.8."""
    log_p = np.log([1.5, 1.5, 0.5, 0.5])
    value, gradient = clipped_objective(log_p, np.zeros(4), [1, -1, 1, -1])
    assert value == pytest.approx((1.2 - 1.5 + 0.5 - 0.8) / 4)
    assert gradient == pytest.approx([0, -1.5 / 4, 0.5 / 4, 0])
    assert clipped_objective([0.0], [0.0], [2.0])[1] == pytest.approx([2.0])


def test_its_gradient_is_that_of_differences(rng):
    log_p, old, a = rng.standard_normal((3, 8)) * [[0.3], [0.3], [1]]
    _, gradient = clipped_objective(log_p, old, a)
    for k in range(8):
        step = 1e-6 * (np.arange(8) == k)
        slope = (clipped_objective(log_p + step, old, a)[0] - clipped_objective(log_p - step, old, a)[0]) / 2e-6
        assert gradient[k] == pytest.approx(slope, abs=1e-6)


def test_one_step_of_reinforce_by_hand():
    """Two choices, equally likely. Of rewards 1 and 0 the first choice gains what the second loses."""
    controller = Reinforce(Space({"a": (0, 1)}))
    controller.learn([(0,), (1,)], [1.0, 0.0], None)
    assert controller.baseline == 0.5
    first, second = controller.logits[0].data[0]
    assert first == -second > 0 and controller.probabilities()["a"][0] > 0.5
    assert controller.advantages([1.0, 1.0]).tolist() == [0.5, 0.5] and controller.baseline == pytest.approx(0.6)


def test_log_p_is_the_sum_over_decisions():
    controller = PPO(SPACE)
    np.testing.assert_allclose(controller.log_p([(0, 1, 2, 3)]).data, [4 * np.log(1 / 4)], rtol=1e-6)


def test_evolution_drops_the_oldest_and_takes_children_of_the_best(rng):
    evolution = Evolution(SPACE, population=3, sample=3)
    evolution.learn([(0,) * 4, (1,) * 4, (2,) * 4, (3,) * 4], [9.0, 1.0, 2.0, 3.0], rng)
    assert [member[0][0] for member in evolution.members] == [1, 2, 3]  # the best was the oldest
    child = evolution.propose(1, rng)[0]
    assert sum(i == 3 for i in child) == 3


def reward(candidates):
    """Each decision has a best choice of its own, 3, 2, 1, 0."""
    return [1 - np.mean([abs(i - best) / 3 for i, best in zip(c, (3, 2, 1, 0))]) for c in candidates]


@pytest.mark.parametrize("strategy", [Evolution, Reinforce, PPO, GaussianProcess, TPE])
def test_what_learns_beats_chance_where_decisions_add_up(strategy):
    count = 120 if strategy in (Reinforce, PPO, Evolution) else 40
    best = [max(search_space(SPACE, strategy(SPACE), reward, count, seed=s).rewards) for s in range(4)]
    chance = [max(search_space(SPACE, RandomSearch(SPACE), reward, count, seed=s).rewards) for s in range(4)]
    assert np.mean(best) > np.mean(chance)


def test_controllers_become_sure_of_what_is_best():
    for make in (Reinforce, PPO):
        controller = make(SPACE)
        search_space(SPACE, controller, reward, 200, seed=0)
        chances = list(controller.probabilities().values())
        assert np.mean([p[best] for p, best in zip(chances, (3, 2, 1, 0))]) > 0.5
