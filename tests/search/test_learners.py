"""lightnn/search/learners.py: pipelines, their spaces, what each learner does, the reward, and a search end to end."""

import math

import numpy as np
import pytest

from lightnn import compress, io, optim
from lightnn.journal import Journal
from lightnn.search import (
    LEARNERS,
    AgentStrategy,
    Evaluations,
    Goal,
    Here,
    RandomSearch,
    Space,
    compressed,
    compression_task,
    learners,
    learners_space,
    pipeline,
    pocketflow,
    search_space,
    sized_reward,
    try_compression,
)
from lightnn.training import Recipe


def test_pipelines():
    assert pipeline("sparse+shared") == ("sparse", "shared") and pipeline("channels") == ("channels",)
    for wrong in ("shared+sparse", "sparse+sparse", "uniform+shared"):
        with pytest.raises(ValueError, match="want learners in the order channels, sparse"):
            pipeline(wrong)
    with pytest.raises(ValueError, match="pipeline: learner: want channels or sparse or"):
        pipeline("none")


def test_the_reward_by_hand():
    assert sized_reward(0.9, 500, 1000) == sized_reward(0.9, 1000, 1000) == 0.9
    assert sized_reward(0.9, 2000, 1000) == pytest.approx(0.9 - math.log(2))


def test_a_space_has_the_decisions_of_each_learner(tiny, shape, monkeypatch):
    monkeypatch.setattr(learners, "LARGE", 100)
    space = learners_space(tiny(), shape, ("channels", "sparse", "uniform"))
    assert list(space) == ["channels 0", "channels 6", "sparse 6", "sparse 10", "uniform 6", "uniform 10"]
    monkeypatch.setattr(learners, "LARGE", 10**6)  # none is large: all have a decision
    assert list(learners_space(tiny(), shape, ("shared",))) == ["shared 0", "shared 3", "shared 6", "shared 10"]


CHECKS = {
    "channels": ({"0": 0.5, "6": 0.75}, lambda m: m[0].weight.shape[0] == 4 and m[6].weight.shape == (12, 4, 1, 1)),
    "sparse": ({"6": 0.25}, lambda m: compress.density(m[6].weight) == 0.25),
    "uniform": ({"6": 3}, lambda m: len(np.unique(m[6].weight().data[0])) <= 8),
    "shared": ({"6": 2}, lambda m: len(np.unique(m[6].weight().data)) == 4),
    "binary": (
        {"6": True, "10": None},
        lambda m: len(np.unique(m[6].weight().data[0])) == 2 and m[10].weight.values is None,
    ),
    "product": ({"6": 16, "0": 16}, lambda m: m[6].weight.values is not None and m[0].weight.values is None),
}


@pytest.mark.parametrize("name", LEARNERS)
def test_what_a_learner_does(name, tiny, shape, monkeypatch):
    monkeypatch.setattr(learners, "LARGE", 1)
    chosen, holds = CHECKS[name]
    model = LEARNERS[name][1](tiny(), shape, chosen)
    assert holds(model) and io.from_bytes(io.to_bytes(model)) is not None


@pytest.mark.parametrize("teacher", [False, True])
def test_a_pipeline_ends_in_a_file_of_the_size_that_is_reported(teacher, toy, tiny, shape, monkeypatch):
    monkeypatch.setattr(learners, "LARGE", 100)
    model, goal = tiny(), Goal("sparse+shared", 10**6, 1, Recipe(1, 0.01, optim.Adam, 50), teacher)
    space = learners_space(model, shape, ("sparse", "shared"))
    task = compression_task(model, shape, goal, space, (2, 2, 0, 0), toy)
    found, small = try_compression(task), compressed(task)
    assert found["bytes"] == len(io.to_bytes(small)) < len(io.to_bytes(model)) and 0 <= found["accuracy"] <= 1
    assert compress.density(small[6].weight) == 0.25 and len(np.unique(small[10].weight().data)) <= 5


@pytest.mark.thorough
def test_the_agent_learns_which_choices_pay():
    space = Space({str(k): range(4) for k in range(3)})

    def reward(candidates):
        return [sum(c) / 9 for c in candidates]

    agent = AgentStrategy(space)
    found = search_space(space, agent, reward, 60, at_once=4)
    assert np.mean(found.rewards[-12:]) > np.mean(found.rewards[:12]) + 0.1


@pytest.mark.thorough
def test_a_search_is_the_same_again_and_prefers_what_fits(toy, tiny, shape, monkeypatch, tmp_path):
    monkeypatch.setattr(learners, "LARGE", 100)
    model = tiny()
    toy.train(model, Recipe(4, 0.02, optim.Adam, 20), "train")
    goal = Goal("sparse+shared", len(io.to_bytes(model)) // 2, 8, Recipe(1, 0.01, optim.Adam, 50))

    def go(folder):
        e = Evaluations(try_compression, Journal(tmp_path / folder), Here(), progress=False)
        return pocketflow(model, shape, goal, RandomSearch, toy, e)

    found = go("a")
    assert go("b").candidates == found.candidates and len(found.rewards) == 8
    task = compression_task(model, shape, goal, found.space, found.best, toy)
    assert max(found.rewards) == pytest.approx(sized_reward(*try_compression(task).values(), goal.budget_bytes))
