"""Threads, locks and the cache of compiled code: what every parallel kernel needs.

One kernel at a time. `parallel_njit` puts a lock around each parallel kernel, because Numba's fallback threading layer
(`workqueue`, all there is without TBB or OpenMP) aborts the process when two Python threads enter it at once. A
parallel kernel uses every core anyway, so waiting costs nothing but the order.

No stale code. Numba compiles a kernel again when its own file has changed, but not when a file that it calls has. So
the cache of the whole package is emptied as soon as any source in it differs from what the cache was filled with.
"""

import contextlib
import functools
import hashlib
import numbers
import threading

import numba

_one_at_a_time = threading.Lock()


def parallel_njit(function):
    """`njit(parallel=True, cache=True)` that two Python threads may call at once (they take turns)."""
    compiled = numba.njit(function, parallel=True, cache=True, nogil=True)

    @functools.wraps(function)
    def in_turn(*args):
        with _one_at_a_time:
            return compiled(*args)

    return in_turn


def forget_stale_code(folder):
    """Delete Numba's caches in and below `folder` if the sources in `folder` are not those it was made from."""
    sources = b"".join(path.read_bytes() for path in sorted(folder.rglob("*.py")))
    stamp, now = folder / "__pycache__" / "sources.sha256", hashlib.sha256(sources).hexdigest()
    with contextlib.suppress(OSError):  # a folder that may not be written to holds no cache either
        if stamp.exists() and stamp.read_text() == now:
            return
        for path in [*folder.rglob("*.nbi"), *folder.rglob("*.nbc")]:
            path.unlink(missing_ok=True)
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(now)


def set_num_threads(n):
    """Use n threads, 1 <= n <= the number Numba started with (NUMBA_NUM_THREADS, by default all processors).

    Numba's count holds for the Python thread that sets it, the BLAS's for the process. Results are the same from run to
    run for a given n; they may differ in the last digit from one n to another.
    """
    import threadpoolctl

    most = numba.config.NUMBA_NUM_THREADS
    if isinstance(n, bool) or not isinstance(n, numbers.Integral) or not 1 <= n <= most:
        raise ValueError(f"set_num_threads: want an int from 1 to {most} (NUMBA_NUM_THREADS), got {n!r}")
    numba.set_num_threads(int(n))
    threadpoolctl.threadpool_limits(int(n), user_api="blas")


def get_num_threads():
    """The number of threads that a kernel called from this Python thread uses."""
    return numba.get_num_threads()
