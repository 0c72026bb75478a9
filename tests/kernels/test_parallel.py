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


@pytest.fixture(
    params=[1, *(pytest.param(groups, marks=pytest.mark.thorough) for groups in (4, 32))], ids="groups {}".format
)
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


BITS = """
import hashlib, sys
import numpy as np
import lightnn
from lightnn import functional as F, models, optim

def digest(n):
    lightnn.set_num_threads(n)
    rng, bits = np.random.default_rng(0), hashlib.sha256()
    for N, C, H, O, K, G in [
        (16, 1, 28, 20, 5, 1), (16, 20, 12, 50, 5, 1), (2, 64, 16, 64, 3, 1), (4, 32, 14, 32, 3, 4),
        (1, 3, 33, 8, 7, 1), (2, 16, 9, 16, 1, 1), (3, 24, 9, 48, 3, 12), (5, 4, 17, 6, 3, 2), (3, 32, 20, 32, 3, 32),
        (2, 128, 8, 256, 1, 1),
    ]:
        shapes = (N, C, H, H), (O, C // G, K, K), (O,)
        x, w, b = (lightnn.Tensor(rng.standard_normal(s, np.float32), requires_grad=True) for s in shapes)
        y = F.conv2d(x, w, b, groups=G, padding=1)
        y.backward(rng.standard_normal(y.shape, np.float32))
        for a in (y.data, x.grad, w.grad, b.grad):
            bits.update(a.tobytes())
    x, y = rng.random((200, 1, 28, 28), np.float32), rng.integers(0, 10, 200)
    for net in (models.lenet5(rng=0), models.lenet_300_100(rng=0)):
        o = optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
        lightnn.train(net, (x, y), epochs=1, optimizer=o, rng=0, progress=False)
        bits.update(b"".join(p.data.tobytes() for p in net.parameters()))
    return bits.hexdigest()

print(lightnn.get_num_threads(), *(digest(n) for n in (1, 2, 3, 4)))
"""


def test_training_gives_the_same_bits_for_every_number_of_threads():
    """In a process of its own, with four threads whatever the machine has."""
    environment = os.environ | {"NUMBA_NUM_THREADS": "4", "NUMBA_DISABLE_JIT": "0"}
    done = subprocess.run([sys.executable, "-c", BITS], capture_output=True, text=True, timeout=500, env=environment)
    assert done.returncode == 0, done.stderr
    count, *digests = done.stdout.split()
    assert count == "4" and len(digests) == 4 and len(set(digests)) == 1
