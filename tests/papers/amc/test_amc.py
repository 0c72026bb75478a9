"""lightnn/papers/amc: the table's width, a quick run that resumes."""

import dataclasses

import pytest

from lightnn.journal import Journal
from lightnn.papers import amc
from lightnn.papers.amc import experiment
from lightnn.papers.lab.session import Session
from lightnn.search import proxy


def test_the_table_fits_80_columns():
    widths = {"features.6.1.0": 128}
    policy = {"widths": widths, "macs %": 49.9, "validation %": 88.8, "test %": 88.8, "trained test %": 89.9}
    policies = {name: [policy] * 3 for name in ("amc", "random", "uniform", "first layers", "last layers")}
    result = {"network": "small mobilenet_v1", "episodes": 100, "seed": 0, "policies": policies, "blocks": widths}
    result |= {"before": {"validation %": 90.0, "test %": 90.0}}
    result |= {"search": {"evaluations": 600, "seconds": 200.0, "in evaluations": 190.0}}
    text = amc.format_tables(result)
    assert max(map(len, text.splitlines())) <= 80 and "5.0 % are the searches' own" in text and "amc (3)" in text


@pytest.mark.thorough
@pytest.mark.compiled
def test_a_quick_run_resumes_without_evaluating(small_search, tmp_path, monkeypatch):
    few = dataclasses.replace(amc.QUICK, images=200, validation=100, episodes=6, warm_up=2)
    small_search(experiment, few)
    session = Session(Journal(tmp_path), quick=True, progress=False, say=lambda line: None)
    result = amc.reproduce(session)
    assert [len(policies) for policies in result["policies"].values()] == [1] * 5
    assert all(p["macs %"] <= 50 for policies in result["policies"].values() for p in policies)
    assert len(result["rewards"]["amc"][0]) == 6 and "uniform" in amc.format_tables(result)
    monkeypatch.setattr(proxy, "follow", None)
    monkeypatch.setattr(experiment.search, "try_policy", lambda task: pytest.fail("evaluated again"))
    assert amc.reproduce(session) == result
