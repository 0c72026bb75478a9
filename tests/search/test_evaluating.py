"""lightnn/search/evaluating.py: any executor, any order, the same results; they outlive workers and searches."""

import concurrent.futures
import importlib.util
import os
import subprocess
import sys
import time

import pytest

from lightnn.journal import Interrupted, Journal
from lightnn.search import Evaluations, Here
from lightnn.search.evaluating import timed

TASKS = {f"task {n}": n for n in (3, 1, 4, 5, 9)}


def square(n):
    return {"n squared": n * n}


def slow_for_small_ones(n):
    time.sleep(0.05 / n)
    return square(n)


def fails(n):
    raise ArithmeticError(f"no {n}")


def quiet(line):
    pass


def evaluations(work, folder, executor=None, **options):
    return Evaluations(work, Journal(folder, quiet), executor, progress=False, **options)


def test_results_come_in_the_order_of_the_tasks_and_are_kept(tmp_path):
    told = []
    with evaluations(square, tmp_path, Here(), told=lambda name, numbers: told.append(name)) as e:
        assert list(e(TASKS).items())[:2] == [("task 3", {"n squared": 9}), ("task 1", {"n squared": 1})]
        assert e.count == 5 and told == list(TASKS) and e.seconds >= 0 and e.waited > 0
        assert e({"task 3": 3, "task 2": 2})["task 2"] == {"n squared": 4} and e.count == 6
    again = evaluations(fails, tmp_path, Here())
    assert again(TASKS) == {name: square(n) for name, n in TASKS.items()} and again.count == 0


def test_the_order_in_which_workers_finish_changes_nothing(tmp_path):
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        found = evaluations(slow_for_small_ones, tmp_path, threads)(TASKS)
    assert list(found.items()) == [(name, square(n)) for name, n in TASKS.items()]


def test_an_error_of_the_work_comes_through_and_what_is_finished_stays(tmp_path):
    e = evaluations(square, tmp_path, Here())
    e({"task 1": 1})
    e.work = fails
    with pytest.raises(ArithmeticError, match="no 2"):
        e({"task 1": 1, "task 2": 2})
    assert Journal(tmp_path).find("task 1") == square(1)


def test_ctrl_c_says_how_to_go_on(tmp_path):
    class Interrupting(Here):
        def submit(self, function, /, *args, **options):
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="continues from here"):
        evaluations(square, tmp_path, Interrupting())(TASKS)


def test_the_seconds_are_those_of_the_work():
    numbers, seconds = timed(square, 3)
    assert numbers == {"n squared": 9} and 0 <= seconds < 1


DIES_ONCE = """
import os, pathlib, signal

def dies_once(task):
    mark = pathlib.Path(task)
    if not mark.exists():
        mark.write_text("was here")
        os.kill(os.getpid(), signal.SIGKILL)
    return {"alive": True}
"""


@pytest.fixture
def dies_once(tmp_path, monkeypatch):
    """Kills the process that runs it, the first time for each task. In a module of its own, which workers can import:
    they get this process's sys.path."""
    (tmp_path / "module_of_a_worker_that_dies.py").write_text(DIES_ONCE)
    monkeypatch.syspath_prepend(tmp_path)
    return importlib.import_module("module_of_a_worker_that_dies").dies_once


@pytest.mark.thorough
def test_a_dead_worker_of_its_own_pool_is_replaced_and_one_of_another_pool_is_reported(tmp_path, dies_once):
    with evaluations(dies_once, tmp_path / "own", workers=1) as e:
        assert e({"a": str(tmp_path / "mark")}) == {"a": {"alive": True}}
    with concurrent.futures.ProcessPoolExecutor(1) as other:
        other.submit(os.getpid).result()
        e = evaluations(dies_once, tmp_path / "other", other)
        with pytest.raises(RuntimeError, match="a worker has died; what is finished is in the journal"):
            e({"a": str(tmp_path / "second mark")})


@pytest.mark.thorough
def test_what_does_not_pickle_is_refused(tmp_path):
    with (
        evaluations(lambda n: square(n), tmp_path, workers=1) as e,
        pytest.raises(ValueError, match="want work and tasks"),
    ):
        e(TASKS)


KILLED = """
import sys, time
from lightnn.journal import Journal
from lightnn.search import Evaluations, Here

def work(n):
    if n == int(sys.argv[2]):
        print("at", n, flush=True)
        time.sleep(600)
    return {"n": n}

print(Evaluations(work, Journal(sys.argv[1]), Here(), progress=False)({str(n): n for n in range(6)}), flush=True)
"""


@pytest.mark.thorough
def test_a_search_that_was_killed_goes_on_from_its_journal(tmp_path):
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    with subprocess.Popen([*command, "4"], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout.readline() == "at 4\n"
        first.kill()
    kept = Journal(tmp_path)
    assert [kept.find(str(n)) for n in range(6)] == [{"n": 0}, {"n": 1}, {"n": 2}, {"n": 3}, None, None]
    second = subprocess.run([*command, "99"], capture_output=True, text=True, check=True)
    assert second.stdout.strip() == str({str(n): {"n": n} for n in range(6)})


ON_A_CLUSTER = """
import sys

from dask.distributed import Client, LocalCluster

from lightnn.journal import Journal
from lightnn.search import Evaluations
from module_of_a_worker_that_dies import dies_once

if __name__ == "__main__":
    options = {"processes": True, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(2, **options) as cluster, Client(cluster) as client:
        evaluations = Evaluations(dies_once, Journal(sys.argv[1]), client.get_executor(), progress=False)
        print(evaluations({f"task {n}": f"{sys.argv[2]} {n}" for n in range(6)}), flush=True)
"""


@pytest.mark.thorough
@pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="no dask: pip install -e '.[cluster]'")
def test_dask_with_a_worker_killed_in_mid_search_gives_the_same_result(tmp_path, dies_once):
    """In a process of its own, where warnings are no errors: Dask has some. Task 5 kills the process that runs it."""
    script = tmp_path / "on_a_cluster.py"
    script.write_text(ON_A_CLUSTER)
    for n in range(5):
        (tmp_path / f"mark {n}").touch()
    command = [sys.executable, str(script), str(tmp_path / "journal"), str(tmp_path / "mark")]
    folders = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": folders}, timeout=500
    )
    assert done.stdout.strip() == str({f"task {n}": {"alive": True} for n in range(6)}), done.stderr
    assert (tmp_path / "mark 5").exists()  # a worker has died
