"""lightnn/study/exercises/plugin.py: `pytest --impl FOLDER -m chNN`, in one process and in several; and a process that
is not a fork."""

import subprocess
import sys

import pytest

from lightnn.files import ROOT
from lightnn.study.exercises import stubs

RIGHT_1 = "    return n * bits / (n * np.log2(k) + k * bits)"
STUB_1 = '    raise NotImplementedError("04.1 is yours to write")'
STUB_2 = '    raise NotImplementedError("04.2 is yours to write")'


def graded(folder, *options):
    """(exit status, what pytest prints) when it grades the folder's chapter 04."""
    command = [sys.executable, "-m", "pytest", "--impl", str(folder), "-m", "ch04", "-rs", "tests/exercises", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout


@pytest.mark.thorough
@pytest.mark.parametrize("processes", ["0", pytest.param("2", marks=pytest.mark.thorough)])
def test_what_is_not_started_is_skipped_and_what_was_graded_is_listed(tmp_path, processes):
    pytest.importorskip("xdist", reason="pytest-xdist is not installed: pip install -e .[test]")
    path, _ = stubs.write_stubs("04", tmp_path)
    path.write_text(path.read_text().replace(STUB_1, RIGHT_1))
    status, text = graded(tmp_path, "-n", processes)
    assert status == 0, text
    assert "1 passed, 6 skipped" in text and "not started: still the stub" in text
    assert "04.1  ch04.py, line " in text.partition("= graded and right =")[2]


@pytest.mark.thorough
def test_a_wrong_one_fails_with_the_report_of_check(tmp_path):
    path, _ = stubs.write_stubs("04", tmp_path)
    path.write_text(path.read_text().replace(STUB_2, "    return codebook[codes], lambda dy: dy"))
    status, text = graded(tmp_path, "-k", "04.2")
    assert status == 1 and "      call      c = Parameter(" in text and "      expected " in text


@pytest.mark.thorough
def test_a_solution_can_also_run_in_a_process_that_is_no_fork():
    code = (
        "from lightnn.study.exercises import judge, sandbox\n"
        "from lightnn.study.exercises.sheets import sheets_of\n"
        "if __name__ == '__main__':\n"
        "    sheets_of('04')\n"
        "    sandbox.METHOD = 'spawn'\n"
        "    print(judge.grade({'name': '', 'number': '04.1'}).status)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "PASSED", done.stderr
