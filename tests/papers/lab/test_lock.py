"""lightnn/papers/lab/lock.py: two runs that would write one file or one journal."""

import os
import signal
import subprocess
import sys
import time

import pytest

from lightnn.papers.lab.lock import alone


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """A user's cache of this test's own, here and in other processes."""
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *args, **options: str(tmp_path / "cache"))
    return tmp_path / "cache"


HOLD = """
import sys, time
import platformdirs
platformdirs.user_cache_dir = lambda *args, **options: sys.argv[2]
from lightnn.papers.lab.lock import alone
with alone([sys.argv[1]], "lightnn compress x -o a.lnn"):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def other(cache, tmp_path):
    """Another process that holds a.lnn."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "a.lnn"), str(cache)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_second_run_is_told_who_holds_the_file(other, tmp_path):
    message = rf"^a.lnn: process {other.pid} \(`lightnn compress x -o a.lnn`, since \d\d:\d\d:\d\d\) is writing it$"
    with pytest.raises(ValueError, match=message), alone([tmp_path / "b.lnn", tmp_path / "a.lnn"], "second"):
        raise AssertionError("it ran")
    with alone([tmp_path / "b.lnn"], "third"):  # what the second held is free again
        pass
    assert os.listdir(tmp_path) == ["cache"]  # nothing is left beside the files


def test_a_killed_run_holds_nothing(other, tmp_path):
    other.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
    other.wait()
    deadline = time.monotonic() + 60
    while True:
        try:
            with alone([tmp_path / "a.lnn"], "second"):
                return
        except ValueError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_one_file_by_two_names_is_one_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.lnn").symlink_to("a.lnn")
    with alone(["a.lnn", "link.lnn", "./a.lnn"], "first"):  # also in one run
        for name in ("a.lnn", "link.lnn", tmp_path / "a.lnn", tmp_path / "cache" / ".." / "a.lnn"):
            with pytest.raises(ValueError, match=r"`first`, since"), alone([name], "second"):
                raise AssertionError("it ran")
    with alone(["link.lnn"], "third"):
        pass


def test_who_holds_it_may_be_unknown(cache, tmp_path):
    with alone([tmp_path / "a.lnn"], "first"):
        (note,) = (cache / "locks").glob("*.json")
        note.write_text("{")
        with (
            pytest.raises(ValueError, match=r"a.lnn: another run is writing it"),
            alone([tmp_path / "a.lnn"], "second"),
        ):
            raise AssertionError("it ran")


def test_without_a_cache_the_run_goes_on_and_says_so(cache, tmp_path):
    cache.write_bytes(b"")
    said, ran = [], []
    with alone([tmp_path / "a.lnn"], "first", said.append):
        ran.append(1)
    assert ran and len(said) == 1 and said[0].startswith("other runs are not kept from a.lnn: ")


def test_a_run_that_fails_lets_go(tmp_path):
    with pytest.raises(KeyError), alone([tmp_path / "a.lnn"], "first"):
        raise KeyError
    with alone([tmp_path / "a.lnn"], "second"):
        pass
