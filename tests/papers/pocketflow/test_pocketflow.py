"""lightnn/papers/pocketflow: the table's width, the aim, a quick run that resumes."""

import dataclasses

import pytest

from lightnn.journal import Journal
from lightnn.papers import pocketflow
from lightnn.papers.lab.session import Session
from lightnn.papers.pocketflow import experiment, tables
from lightnn.search import proxy


def test_the_table_fits_80_columns_and_says_whether_the_aim_is_met():
    row = {"bytes": 50_000, "test %": 97.6, "reward": 0.97, "chosen": {"sparse fc1": 0.06, "shared fc1": 4}}
    rows = {"random": {**row, "bytes": 60_000}, "GP": row, "TPE": {**row, "test %": 97.4}, "DDPG": row}
    result = {"network": "LeNet-300-100", "learners": "sparse+shared", "evaluations": 30, "found": rows}
    result |= {"before": {"bytes": 1_066_600, "test %": 97.9}, "control": {"test %": 98.1}}
    result |= {"search": {"evaluations": 100, "seconds": 50.0, "in evaluations": 48.0}}
    text = pocketflow.format_tables(result)
    assert max(map(len, text.splitlines())) <= 80 and "met by GP, DDPG" in text and "4.0 %" in text
    assert [tables.meets_aim(result, r) for r in rows.values()] == [False, True, False, True]


@pytest.mark.thorough
@pytest.mark.compiled
def test_a_quick_run_resumes_without_training(small_search, tmp_path, monkeypatch):
    few = dataclasses.replace(pocketflow.QUICK, images=300, search_images=100, validation=100, count=4)
    small_search(experiment, few)
    session = Session(Journal(tmp_path), quick=True, progress=False, say=lambda line: None)
    result = pocketflow.reproduce(session)
    assert list(result["found"]) == ["random", "GP", "TPE", "DDPG"]
    assert all(len(row["curve"]) == 4 and row["bytes"] > 0 for row in result["found"].values())
    assert "sparse fc1" in pocketflow.format_tables(result)
    monkeypatch.setattr(proxy, "follow", None)  # nothing is trained again
    assert pocketflow.reproduce(session) == result
