"""lightnn/papers/mnasnet: the table's width, a quick run whose numbers belong to each other, and that resumes."""

import dataclasses

import numpy as np
import pytest

from lightnn.journal import Journal
from lightnn.papers import mnasnet
from lightnn.papers.lab.session import Session
from lightnn.papers.mnasnet import experiment
from lightnn.search import latency_reward, proxy


def test_the_difference_to_random_search_and_its_interval():
    found = experiment._against([0.8, 0.9, 0.7], [0.7, 0.8, 0.6], 0)
    assert found == {"against random": 0.1, "interval": [0.1, 0.1]}
    low, high = experiment._against([0.8, 0.6, 0.7, 0.9], [0.7] * 4, 0)["interval"]
    assert low < 0.05 < high


def test_the_table_fits_80_columns():
    numbers = {"best": [0.8123] * 20, "against random": -0.01234, "interval": [-0.02345, 0.01234]}
    reward = {"best": 0.8123, "searches": {"evolution": numbers, "REINFORCE": numbers}}
    name = "block 1 inverted, kernel 1 5, layers 1 2, block 2 separable, kernel 2 3, layers 2 1"
    result = {
        "space": [{"name": name, "ms": 0.123, "accuracy": 0.8}] * 144,
        "front": [0],
        "evaluations": 40,
        "seeds": 20,
    }
    result |= {"seeds": 20, "target ms": 0.1234, "rewards": {"soft": reward, "hard": reward}}
    text = mnasnet.format_tables(result)
    assert max(map(len, text.splitlines())) <= 80 and "inverted 5x5 x2 | separable 3x3 x1" in text


@pytest.mark.thorough
@pytest.mark.compiled
def test_a_quick_run_resumes_without_training(small_search, tmp_path, monkeypatch):
    few = dataclasses.replace(mnasnet.QUICK, images=60, validation=100, seeds=2)
    small_search(experiment, few)
    session = Session(Journal(tmp_path), quick=True, progress=False, say=lambda line: None)
    result = mnasnet.reproduce(session)
    assert len(result["space"]) == 9 and result["target ms"] == pytest.approx(
        np.median([r["ms"] for r in result["space"]])
    )
    for name, options in (("soft", {}), ("hard", experiment.HARD)):
        found = result["rewards"][name]
        best = result["space"][found["is"]]
        want = latency_reward(best["accuracy"], best["ms"], result["target ms"], **options)
        assert found["best"] == pytest.approx(want, rel=1e-2) and len(found["searches"]) == 6
        assert all(max(n["best"]) <= found["best"] for n in found["searches"].values())
    assert "Pareto" in mnasnet.format_tables(result)
    monkeypatch.setattr(proxy, "follow", None)  # nothing is trained again
    assert mnasnet.reproduce(session) == result
