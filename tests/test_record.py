"""lightnn/record.py: results that say how they were made."""

import json
import os
import platform

import numpy as np
import pytest

from lightnn import record


def test_a_record_holds_the_result_and_how_to_get_it_again(tmp_path):
    path = tmp_path / "a.json"
    record.write(path, "python -m lightnn compress", 3, {"error %": 1.5, "table": {"fc1": {"kept %": 8}}})
    text = path.read_text(encoding="utf-8")
    assert text.endswith("}\n")
    document = json.loads(text)
    assert document.pop("machine") == record.machine()
    assert document == {
        "command": "python -m lightnn compress",
        "seed": 3,
        "error %": 1.5,
        "table": {"fc1": {"kept %": 8}},
    }


def test_the_machine_is_what_a_timing_depends_on():
    machine = record.machine()
    assert machine["cores"] == os.cpu_count() and machine["python"] == platform.python_version()
    assert machine["numpy"] == np.__version__
    assert all(machine.values())


def test_a_result_that_json_can_not_hold_leaves_the_old_record(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(TypeError, match="not JSON serializable"):
        record.write(path, "", 0, {"error %": np.zeros(3)})
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a.json"]
