"""lightnn/search/policies.py: the wall, the state and the rewards by hand; walks that keep to the budget."""

import math

import numpy as np
import pytest

from lightnn import optim
from lightnn.journal import Journal
from lightnn.search import (
    AgentSettings,
    AMCPlan,
    Evaluations,
    Here,
    Walk,
    action_wall,
    amc,
    constrained_reward,
    guaranteed_reward,
    layer_state,
    ramp,
    random_policies,
    try_policy,
)
from lightnn.training import Recipe


def test_the_action_wall_by_hand():
    """60 of 100 MACs may stay, the others take 20 at least: of 80 here, half."""
    assert action_wall(0.9, 80, 20, 60, 0.2) == 0.5
    assert action_wall(0.3, 80, 20, 60, 0.2) == 0.3
    assert action_wall(0.1, 80, 20, 60, 0.2) == 0.2  # at least that
    assert action_wall(0.9, 80, 55, 60, 0.2) == 0.2  # even where it does not fit
    assert action_wall(1.7, 80, 0, 1000, 0.2) == 1.0 and action_wall(-3, 80, 0, 1000, 0.2) == 0.2


def test_the_state_by_hand():
    features, macs, left = [[0, 8, 5], [1, 16, 5], [2, 32, 5]], [100, 60, 40], [70, 60, 40]
    assert layer_state(features, macs, left, 1, 0.7).tolist() == [0.5, 1 / 3, 0.0, 0.15, 0.2, 0.7]
    assert layer_state(features, macs, left, 0, 1.0).tolist() == [0, 0, 0, 0, 0.5, 1]
    assert layer_state(features, macs, left, 2, 0.3).tolist() == [1, 1, 0, 0.15, 0, 0.3]


def test_rewards_by_hand():
    assert guaranteed_reward(0.9, math.e**10) == pytest.approx(-1.0)
    assert guaranteed_reward(0.9, 100) > guaranteed_reward(0.9, 1000) and constrained_reward(0.9, 1e9) == 0.9


@pytest.fixture
def walk(tiny, shape):
    return Walk(tiny(), shape, AMCPlan(0.5, episodes=12, least=0.25, step=2))


def test_a_walk_never_leaves_the_budget(walk):
    rng = np.random.default_rng(0)
    for decide in (lambda s: 1.0, lambda s: 0.0, lambda s: float(rng.random())):
        widths, states, actions = walk.go(decide)
        assert walk.blocks.macs(widths) <= 0.5 * walk.macs and all(w % 2 == 0 for w in widths.values())
        assert [widths[b] / n for b, n in walk.blocks.widths.items()] == actions
        assert [s[-1] for s in states] == [1.0, *actions[:-1]] and states[0].shape == (10,)
        assert all(s.min() >= 0 and s.max() <= 1 for s in states)


def test_a_greedy_first_layer_leaves_the_least_to_the_others(walk):
    widths, _, _ = walk.go(lambda state: 1.0)
    more = {**widths, "0": widths["0"] + 2}
    assert widths["6"] >= walk.least["6"] and walk.blocks.macs(more) > 0.5 * walk.macs


def test_a_fraction_below_the_least_widths_is_refused(tiny, shape):
    with pytest.raises(ValueError, match="want a fraction that the least widths reach"):
        Walk(tiny(), shape, AMCPlan(0.01))


def test_policies_by_hand_fit_the_budget(walk):
    for slope in (-0.5, 0.0, 0.5):
        widths = ramp(walk, slope)
        assert walk.blocks.macs(widths) <= 0.5 * walk.macs
    shares = [ramp(walk, slope)["0"] / 8 - ramp(walk, slope)["6"] / 16 for slope in (-0.5, 0.5)]
    assert shares[0] > shares[1]


@pytest.mark.thorough
@pytest.mark.parametrize("find", [amc, random_policies])
def test_a_search_keeps_its_best_episode_and_is_the_same_again(find, toy, tiny, shape, tmp_path):
    model = tiny()
    toy.train(model, Recipe(4, 0.02, optim.Adam, 20), "train")
    plan = AMCPlan(0.6, episodes=8, least=0.25, step=2, agent=AgentSettings(hidden=8, warm_up=4), images=50)

    def go(folder):
        e = Evaluations(try_policy, Journal(tmp_path / folder), Here(), progress=False)
        return find(model, shape, plan, toy, e)

    policy = go("a")
    assert len(policy.episodes) == 8 and policy.best.reward == max(e.reward for e in policy.episodes)
    assert all(e.macs <= 0.6 * policy.blocks.macs(policy.blocks.widths) for e in policy.episodes)
    assert go("b").episodes == policy.episodes and "stay" in str(policy) and "8 episodes" in repr(policy)
