"""lightnn/kernels/parallel.py and the promise of parallel_njit: any number of threads, from any number of threads."""

import concurrent.futures
import os
import subprocess
import sys

import numba
import numpy as np
import pytest
import threadpoolctl

import lightnn
from lightnn import functional as F
from lightnn import kernels


@pytest.fixture
def threads():
    before = lightnn.get_num_threads()
    yield numba.config.NUMBA_NUM_THREADS
    lightnn.set_num_threads(before)


def gradients(x, w, groups):
    x, w = lightnn.Tensor(x, requires_grad=True), lightnn.Tensor(w, requires_grad=True)
    y = F.conv2d(x, w, padding=1, groups=groups)
    (y * y).sum().backward()
    return y.data, x.grad, w.grad


@pytest.fixture(params=[1, 4, 32], ids="groups {}".format)
def case(request, rng):
    return (
        rng.standard_normal((3, 32, 14, 14), np.float32),
        rng.standard_normal((32, 32 // request.param, 3, 3), np.float32),
        request.param,
    )


def test_numba_and_the_blas_are_given_one_number(threads):
    lightnn.set_num_threads(1)
    assert lightnn.get_num_threads() == 1
    assert {pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"} <= {1}


@pytest.mark.parametrize("n", [0, -1, 10_000, 1.5, True, "2", None])
def test_a_wrong_number_is_named(n, threads):
    with pytest.raises(ValueError, match=rf"set_num_threads: n: want an int from 1 to {threads}, got {n!r}"):
        lightnn.set_num_threads(n)


def test_results_repeat_for_a_number_of_threads_and_agree_between_them(case, threads):
    results = {}
    for n in {1, threads}:
        lightnn.set_num_threads(n)
        results[n] = gradients(*case)
        for first, again in zip(results[n], gradients(*case), strict=True):
            np.testing.assert_array_equal(first, again)
    for one, many in zip(results[1], results[threads], strict=True):
        np.testing.assert_allclose(one, many, rtol=1e-4, atol=1e-3)


def test_two_python_threads_may_call_at_once(case):
    want = gradients(*case)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for done in pool.map(lambda _: gradients(*case), range(8)):
            for a, b in zip(done, want, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-3)


def test_nothing_is_written_to_stderr():
    code = (
        "import numpy as np; from lightnn import functional as F\n"
        "x = np.ones((4, 32, 32, 32), np.float32)\n"
        "F.conv2d(x, np.ones((32, 32, 3, 3), np.float32)); F.depthwise_conv2d(x, np.ones((32, 1, 3, 3), np.float32))"
    )
    environment = os.environ | {"NUMBA_DISABLE_JIT": "0"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, env=environment)
    assert (done.returncode, done.stderr) == (0, "")


def test_code_compiled_from_other_sources_is_forgotten(tmp_path):
    cache = tmp_path / "__pycache__"
    (tmp_path / "kernel.py").write_text("one = 1\n")
    kernels.forget_stale_code(tmp_path)
    (cache / "kernel.f-1.py311.nbi").write_text("index")
    (cache / "kernel.cpython-311.pyc").write_text("not Numba's")
    kernels.forget_stale_code(tmp_path)
    assert (cache / "kernel.f-1.py311.nbi").exists()
    (tmp_path / "kernel.py").write_text("two = 2\n")
    kernels.forget_stale_code(tmp_path)
    assert {path.name for path in cache.iterdir()} == {"kernel.cpython-311.pyc", "sources.sha256"}
