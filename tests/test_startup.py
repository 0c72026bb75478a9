"""lightnn/startup.py and the edges of lightnn/kernels/parallel.py: environments, forks, Ctrl-C while importing."""

import os
import platform
import subprocess
import sys

import pytest

from lightnn import startup
from lightnn.files import ROOT
from lightnn.kernels import parallel

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="GNU OpenMP and fork")


def python(*arguments, **environment):
    """(exit status, standard output, standard error) of a new Python."""
    command = [sys.executable, *arguments]
    clean = {k: v for k, v in os.environ.items() if k not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    done = subprocess.run(command, cwd=ROOT, env={**clean, **environment}, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("given", ["0", "-1", "many", ""])
def test_a_wrong_number_of_threads_is_said_in_a_line(given):
    status, _, error = python("-m", "lightnn", "inspect", "x", NUMBA_NUM_THREADS=given)
    assert (status, error) == (2, f"lightnn: want NUMBA_NUM_THREADS to be an int >= 1, got {given!r}\n")
    status, _, error = python("-c", "import lightnn", NUMBA_NUM_THREADS=given)
    assert status == 1 and "ValueError: want NUMBA_NUM_THREADS" in error


@pytest.mark.parametrize(
    ("environment", "want"),
    [
        ({}, "None 10000"),
        pytest.param({"OMP_WAIT_POLICY": "active"}, "active None", marks=pytest.mark.thorough),
        pytest.param({"GOMP_SPINCOUNT": "100"}, "None 100", marks=pytest.mark.thorough),
    ],
)
def test_threads_spin_for_a_short_while_unless_told_otherwise(environment, want):
    code = "import os, lightnn; print(*map(os.environ.get, ('OMP_WAIT_POLICY', 'GOMP_SPINCOUNT')))"
    assert python("-c", code, **environment)[1].strip() == want


FAULTS = """
import resource, lightnn, numpy as np
def pages():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def step():
    kept = [np.ones(1 << 18) for _ in range(30)]  # 60 MB, and gone
step(), step()
before = pages()
step()
print(pages() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_freed_memory_is_kept_unless_the_environment_has_another_rule(monkeypatch):
    assert startup._keep_freed_memory()
    assert int(python("-c", FAULTS)[1]) < 1000  # of 15,360 pages
    told = []
    monkeypatch.setattr(startup, "_keep_freed_memory", lambda: told.append(True))
    for rule, count in (({}, 1), ({"MALLOC_TRIM_THRESHOLD_": "131072"}, 0)):
        monkeypatch.setattr(os, "environ", rule)
        with startup.importing():
            pass
        assert len(told) == count
        told.clear()


@LINUX
def test_ctrl_c_while_importing_is_one_line(tmp_path):
    (tmp_path / "numba.py").write_text(
        "import os, signal, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores Ctrl-C\n"
        "os.kill(os.getpid(), signal.SIGINT)\ntime.sleep(9)"
    )
    status, _, error = python("-m", "lightnn", "check", PYTHONPATH=str(tmp_path))
    assert (status, error) == (130, "interrupted\n")


FORK = """
import multiprocessing, numpy as np, lightnn
def work(_=None):
    x, w = np.ones((8, 32, 32, 32), np.float32), np.ones((32, 32, 5, 5), np.float32)
    return float(lightnn.functional.conv2d(x, w).data.sum())
if __name__ == "__main__":
    {before}
    context = multiprocessing.get_context("{method}")
    with context.Pool(1) as pool:
        try:
            print("in the child:", pool.map(work, [0]) == [8 * 32 * 28 * 28 * 800.0])
        except RuntimeError as error:
            print("error:", error)
"""


@LINUX
@pytest.mark.skipif(parallel.numba.config.DISABLE_JIT, reason="threads come with the compiler")
@pytest.mark.parametrize(
    ("before", "method", "layer", "want"),
    [
        ("work()", "fork", "omp", f"error: {parallel.LOST}"),
        pytest.param("pass", "fork", "omp", "in the child: True", marks=pytest.mark.thorough),
        ("work()", "fork", "workqueue", "in the child: True"),
        pytest.param("work()", "forkserver", "omp", "in the child: True", marks=pytest.mark.thorough),
        pytest.param("work()", "spawn", "omp", "in the child: True", marks=pytest.mark.thorough),
    ],
)
def test_a_forked_process_works_or_says_why_not(tmp_path, before, method, layer, want):
    script = tmp_path / "script.py"
    script.write_text(FORK.replace("{before}", before).replace("{method}", method))
    status, out, error = python(str(script), NUMBA_THREADING_LAYER=layer, NUMBA_NUM_THREADS="2", PYTHONPATH=str(ROOT))
    assert status == 0 and out.startswith(want), out + error


@LINUX
def test_a_package_that_can_not_be_written_works_without_a_home(tmp_path, monkeypatch):
    monkeypatch.setattr(parallel, "_can_write", lambda folder: False)
    monkeypatch.setattr(parallel.numba.config, "CACHE_DIR", "")
    monkeypatch.setattr(parallel.numba.config, "DISABLE_JIT", 0)
    monkeypatch.setattr(parallel.tempfile, "mkdtemp", lambda prefix: str(tmp_path / prefix))
    parallel.find_cache(ROOT / "lightnn" / "kernels")
    assert str(tmp_path / "lightnn-") == parallel.numba.config.CACHE_DIR
