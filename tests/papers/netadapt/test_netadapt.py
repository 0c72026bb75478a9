"""lightnn/papers/netadapt: gains read off the uniform curve, the table's width, a quick run that resumes."""

import dataclasses

import pytest

from lightnn.journal import Journal
from lightnn.papers import netadapt
from lightnn.papers.lab.session import Session
from lightnn.papers.netadapt import experiment
from lightnn.search import proxy


def row(ms, test):
    return {"ms": ms, "test %": test, "predicted ms": ms, "macs": 1_000_000, "validation %": test}


def test_gains_are_read_off_the_uniform_curve():
    found = {"before": row(1.0, 90.0), "uniform": {"0.6": row(0.6, 84.0), "0.8": row(0.8, 88.0)}}
    found["netadapt"] = {"0.7": row(0.7, 87.0), "0.9": row(0.9, 88.5), "0.5": row(0.5, 80.0)}
    assert experiment.gains(found) == {"0.7": 1.0, "0.9": -0.5, "0.5": None}


def test_the_table_fits_80_columns():
    rows = {"netadapt": {"0.7": row(0.71234, 88.88)}, "uniform": {"0.65": row(0.6543, 77.77)}}
    result = {"network": "small mobilenet_v1", "images": 10_000, "seed": 0, "before": row(1.23456, 90.0), **rows}
    result |= {"gains": {"0.7": 0.51, "0.5": None}, "table": {"median error %": 3.2, "largest error %": 12.5}}
    result |= {"search": {"evaluations": 40, "seconds": 1234.5, "training": 1200.1}}
    text = netadapt.format_tables(result)
    assert max(map(len, text.splitlines())) <= 80
    assert "+0.51 points" in text and "outside the curve" in text and "2.8 % not in training" in text


@pytest.mark.thorough
@pytest.mark.compiled
def test_a_quick_run_resumes_without_training(small_search, tmp_path, monkeypatch):
    few = dataclasses.replace(netadapt.QUICK, family="vgg", validation=100, budgets=(0.9,), factors=(0.8,))
    small_search(experiment, few)
    session = Session(Journal(tmp_path), quick=True, progress=False, say=lambda line: None)
    result = netadapt.reproduce(session)
    assert result["netadapt"]["0.9"]["predicted ms"] <= 0.9 * result["before"]["predicted ms"] + 1e-3
    assert result["search"]["evaluations"] >= 1 and "NetAdapt to 0.9" in netadapt.format_tables(result)
    monkeypatch.setattr(proxy, "follow", None)  # nothing is trained again
    assert netadapt.reproduce(session) == result
