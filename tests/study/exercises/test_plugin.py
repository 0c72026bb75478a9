"""lightnn/study/exercises/plugin.py: `pytest --impl FOLDER -m chNN`, in one process and in several."""

import subprocess
import sys

import pytest

from lightnn.files import ROOT
from lightnn.study.exercises import solutions, stubs


def graded(folder, processes):
    """What pytest prints when it grades exercise 12.1 of the folder."""
    command = [sys.executable, "-m", "pytest", "-n", processes, "--impl", str(folder), "-m", "ch12", "--tb=line"]
    tests = ["tests/kernels/conv/test_planes.py", "-k", "everybody_knows"]
    done = subprocess.run([*command, *tests], cwd=ROOT, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout


@pytest.mark.parametrize("processes", ["0", "2"])
def test_the_functions_that_were_graded_are_listed(tmp_path, processes):
    pytest.importorskip("xdist", reason="pytest-xdist is not installed: pip install -e .[test]")
    path, _ = stubs.write_stubs("12", tmp_path)
    body = '"""\n' + solutions.source_of("12.1").split('"""\n')[-1]
    path.write_text(path.read_text().replace('"""\n    raise NotImplementedError("12.1 is yours to write")\n', body))
    status, text = graded(tmp_path, processes)
    assert status == 0, text
    assert "12.1  ch12.py, line " in text.partition("= graded =")[2]


def test_a_stub_fails(tmp_path):
    stubs.write_stubs("12", tmp_path)
    status, text = graded(tmp_path, "0")
    assert status == 1 and "12.1 is yours to write" in text
