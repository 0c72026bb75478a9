"""lightnn/papers/architectures: a quick run fills the table and resumes; every family of the zoo is in it."""

import dataclasses

import pytest

from lightnn import data, models
from lightnn.journal import Journal
from lightnn.papers import architectures
from lightnn.papers.architectures import experiment, tables
from lightnn.papers.lab.session import Session


def test_all_families_are_there():
    assert tuple(experiment.FAMILIES) == models.SMALL_FAMILIES == architectures.FULL.families


def test_the_table_fits_80_columns():
    form = {"test accuracy %": 88.88, "bytes": 2_020_401}
    row = {"parameters": 504_970, "macs": 16_190_000, "ms": 11.23, "training bytes": 123_000_000}
    row |= dict.fromkeys(tables.FORMS, form)
    text = tables.format_table({"images": 60_000, "epochs": 14, "seed": 0, "families": {"shufflenet_v1": row}})
    assert max(map(len, text.splitlines())) <= 80 and "shufflenet_v1" in text


@pytest.mark.thorough
@pytest.mark.compiled
def test_a_quick_run_resumes_without_training(images, tmp_path, monkeypatch):
    monkeypatch.setattr(data, "load_fashion_mnist", lambda: images)
    monkeypatch.setattr(experiment, "VALIDATION", 100)
    few = dataclasses.replace(architectures.QUICK, images=200, families=("resnet", "shiftnet"))
    monkeypatch.setattr(experiment, "QUICK", few)
    session = Session(Journal(tmp_path), quick=True, progress=False, say=lambda line: None)
    result = architectures.reproduce(session)
    rows = result["families"]
    assert list(rows) == ["resnet", "shiftnet"] and all(row["ms"] > 0 for row in rows.values())
    for row in rows.values():
        sizes = [row[form]["bytes"] for form in tables.FORMS]
        assert sizes[0] > sizes[2] > sizes[1]
    assert "shiftnet" in architectures.format_table(result)
    monkeypatch.setattr(experiment.stage, "follow", None)  # nothing is trained again
    assert architectures.reproduce(session) == result
