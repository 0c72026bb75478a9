"""lightnn/search/narrowing.py: the schedule by hand, and NetAdapt step by step with MACs as the resource."""

import dataclasses

import pytest

from lightnn import metrics, optim
from lightnn.journal import Journal
from lightnn.search import Blocks, Evaluations, Here, NetAdaptPlan, narrowing, netadapt, try_proposal, uniform_widths
from lightnn.search.narrowing import resource_target, widest
from lightnn.training import Recipe


def macs(blocks, widths):
    return blocks.macs(widths)


def test_the_schedule_by_hand():
    """From 100, reductions of 2.5, 2.4, 2.304; each starts from what was reached."""
    assert resource_target(100, 100, 1) == 97.5
    assert resource_target(97, 100, 2) == pytest.approx(94.6)
    assert resource_target(94, 100, 3) == pytest.approx(94 - 2.304)
    assert resource_target(50, 80, 2, ratio=0.1, decay=0.5) == 46
    with pytest.raises(ValueError, match="iteration: want an int >= 1, got 0"):
        resource_target(100, 100, 0)


def test_the_widest_that_fits():
    assert widest([24, 16, 8], [9.0, 5.0, 2.0], 6) == 16
    assert widest([24, 16, 8], [9.0, 5.0, 2.0], 1) is None and widest([], [], 1) is None
    assert widest([8, 16, 24], [2.0, 7.0, 6.0], 6) == 24  # a staircase may come down again


@pytest.fixture
def run(toy, tiny, shape, tmp_path):
    model = tiny()
    toy.train(model, Recipe(4, 0.02, optim.Adam, 20), "train")
    plan = NetAdaptPlan(Recipe(1, 0.01, optim.Adam, 20), Recipe(2, 0.01, optim.Adam, 20), ratio=0.15, decay=0.9, step=2)

    def go(folder="a", budget=0.5, executor=None, plan=plan):
        first = macs(*(lambda b: (b, b.widths))(Blocks(model, shape)))
        with Evaluations(try_proposal, Journal(tmp_path / folder), executor or Here(), progress=False) as e:
            return netadapt(model, shape, macs, budget * first, plan, toy, e), e, model

    return go


@pytest.mark.thorough
def test_netadapt_reaches_the_budget_and_each_iteration_its_target(run, shape):
    adapted, e, model = run()
    before = Blocks(model, shape)
    first = now = macs(before, before.widths)
    for i, step in enumerate(adapted.iterations, 1):
        assert step.target == max(first / 2, resource_target(now, first, i, 0.15, 0.9)) and step.cost <= step.target
        assert step.accuracy == max(step.tried.values()) == step.tried[step.block]
        now = step.cost
    assert now == adapted.cost == metrics.count_macs(adapted.model, shape) <= first / 2
    assert e.count == sum(len(step.tried) for step in adapted.iterations)
    assert adapted.accuracy > 0.5 and "iteration" in str(adapted) and "cost" in repr(adapted)
    assert Blocks(model, shape).widths == before.widths  # the model is as it was


@pytest.mark.thorough
def test_a_second_run_reads_everything_back(run, monkeypatch):
    first, _, _ = run()
    monkeypatch.setattr(narrowing.Proxy, "train", None)
    again, e, _ = run()
    assert e.count == 0 and again.iterations == first.iterations and again.accuracy == first.accuracy


@pytest.mark.thorough
def test_a_budget_that_nothing_reaches_is_an_error(run):
    with pytest.raises(ValueError, match="no block alone can bring the cost below"):
        run(budget=0.01)


def test_uniform_widths_are_the_widest_that_fit(tiny, shape):
    blocks = Blocks(tiny(), shape)
    first = macs(blocks, blocks.widths)
    widths = uniform_widths(blocks, macs, 0.5 * first, step=2)
    assert macs(blocks, widths) <= 0.5 * first and widths == {"0": 4, "6": 10}
    assert uniform_widths(blocks, macs, first) == blocks.widths
    with pytest.raises(ValueError, match="want a budget that some factor fits"):
        uniform_widths(blocks, macs, 1)


def test_proposals_travel_as_plain_values(tiny, shape, toy):
    fields = {f.name for f in dataclasses.fields(narrowing.Proposal)}
    assert fields == {"network", "widths", "input_shape", "recipe", "proxy", "name"}


@pytest.mark.thorough
def test_a_reduction_that_no_block_can_bring_is_halved(run, shape):
    """From 8 and 16 units, no block alone can take away eight tenths of the MACs."""
    recipe = Recipe(1, 0.01, optim.Adam, 20)
    adapted, _, model = run(budget=0.2, plan=NetAdaptPlan(recipe, recipe, ratio=0.9, step=2))
    first = macs(Blocks(model, shape), Blocks(model, shape).widths)
    one, *_ = adapted.iterations
    assert one.target == pytest.approx(first * (1 - 0.8 / 2)) and one.cost <= one.target
    assert adapted.cost <= 0.2 * first
