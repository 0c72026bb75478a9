"""lightnn/search/spaces.py: candidates, the reward by hand, the Pareto front, and a search that is the same again."""

import numpy as np
import pytest

from lightnn.search import RandomSearch, Space, latency_reward, pareto_front, search_space


@pytest.fixture
def space():
    return Space({"kernel": (3, 5), "layers": (1, 2, 4), "only": ("one",)})


def test_a_space_and_its_candidates(space, rng):
    assert space.count() == 6 == len(set(space.all())) and space.sizes == [2, 3, 1]
    assert space.choices((1, 2, 0)) == {"kernel": 5, "layers": 4, "only": "one"}
    assert space.name_of((1, 2, 0)) == "kernel 5, layers 4, only one"
    assert space.point((1, 1, 0)).tolist() == [1, 0.5, 0]
    assert {space.draw(rng) for _ in range(100)} == set(space.all())
    for _ in range(50):
        other = space.mutate((0, 1, 0), rng)
        assert sum(a != b for a, b in zip(other, (0, 1, 0))) == 1 and other in space.all()
    with pytest.raises(ValueError, match="want at least one choice"):
        Space({"kernel": ()})


def test_the_reward_by_hand():
    """5 % more accuracy is worth twice the latency: 2^-0.07 = 0.9526."""
    assert latency_reward(0.8, 75, 75) == 0.8
    assert latency_reward(0.8, 150, 75) == pytest.approx(0.8 * 0.952638, rel=1e-6)
    assert latency_reward(0.8, 37.5, 75) == pytest.approx(0.8 / 0.952638, rel=1e-6)
    hard = {"alpha": 0, "beta": -1}
    assert latency_reward(0.8, 37.5, 75, **hard) == 0.8 and latency_reward(0.8, 150, 75, **hard) == 0.4
    with pytest.raises(ValueError, match="latency_reward: target: want a finite number > 0, got 0"):
        latency_reward(0.8, 1, 0)


def test_the_pareto_front_by_hand():
    assert pareto_front([0.5, 0.7, 0.6, 0.9, 0.9], [1, 2, 3, 5, 4]) == [0, 1, 4]
    assert pareto_front([0.5, 0.5], [1, 1]) == [0] and pareto_front([], []) == []


def test_a_search_is_the_same_again_and_keeps_its_order(space):
    def evaluate(candidates):
        return [c[1] - c[0] / 2 for c in candidates]

    found = search_space(space, RandomSearch(space), evaluate, 6, at_once=4, seed=3)
    assert sorted(found.candidates) == space.all()  # none twice while there are others
    assert found.best == (0, 2, 0) and found.best_so_far() == np.maximum.accumulate(found.rewards).tolist()
    again = search_space(space, RandomSearch(space), evaluate, 6, at_once=4, seed=3)
    assert again.candidates == found.candidates and "reward" in str(found) and "6 evaluations" in repr(found)
    assert search_space(space, RandomSearch(space), evaluate, 7, seed=4).candidates != found.candidates
