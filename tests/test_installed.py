"""The package alone, as `pip install` gives it: what works, and what says that it wants a clone."""

import os
import shutil
import subprocess
import sys

import pytest

from lightnn.files import ROOT


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder that holds lightnn and nothing else of the repository."""
    folder = tmp_path_factory.mktemp("site-packages")
    shutil.copytree(ROOT / "lightnn", folder / "lightnn", ignore=shutil.ignore_patterns("__pycache__", "*.gz"))
    return folder


@pytest.fixture
def run(installed, tmp_path):
    def run(*arguments):
        environment = {**os.environ, "PYTHONPATH": str(installed)}
        command = [sys.executable, "-m", "lightnn", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout, done.stderr

    return run


def test_exercise_writes_into_the_folder_where_the_reader_stands(run, tmp_path):
    status, out, error = run("exercise", "04")
    assert (status, error) == (0, ""), error
    assert "work/ch04.py: wrote 7 exercises" in out.replace(os.sep, "/")
    assert (tmp_path / "work" / "ch04.py").exists()


COMMANDS = "study 04", "book lint", "book execute", "study --execute 04"


@pytest.mark.parametrize("command", ["check 04", *(pytest.param(c, marks=pytest.mark.thorough) for c in COMMANDS)])
def test_what_needs_more_says_that_it_wants_a_clone(run, command):
    run("exercise", "04")
    status, _, error = run(*command.split())
    assert status == 2 and error.count("\n") == 1, error
    assert "not in the installed package: want a clone of the repository" in error
