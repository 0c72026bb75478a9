"""Threads, locks and the cache of compiled code: what every parallel kernel needs.

Pieces and parts. A kernel that can be cut has two forms: `serial(*args, first, last)` does the pieces first .. last-1
(planes, channels, rows), and `parallel(*args, pieces, parts)` cuts all the pieces into parts, one a thread. `run`
chooses: starting threads costs more than a small kernel.

One kernel at a time. `parallel_njit` puts a lock around each parallel kernel, because Numba's fallback threading layer
(`workqueue`, all there is without TBB or OpenMP) aborts the process when two Python threads enter it at once. A
parallel kernel uses every core anyway, so waiting costs nothing but the order.

No stale code. Numba compiles a kernel again when its own file has changed, but not when a file that it calls has. So
the cache of the whole package is emptied as soon as any source in it differs from what the cache was filled with.
"""

import contextlib
import functools
import hashlib
import pathlib
import threading

import numba

from lightnn import options

SERIAL_WORK = 60_000  # multiply-adds below which starting threads costs more than it saves

_one_at_a_time = threading.Lock()


def parallel_njit(function):
    """`njit(parallel=True, cache=True)` that two Python threads may call at once (they take turns)."""
    compiled = numba.njit(function, parallel=True, cache=True, nogil=True)

    @functools.wraps(function)
    def in_turn(*args):
        with _one_at_a_time:
            return compiled(*args)

    return in_turn


def parts_for(pieces, work):
    """How many parts to cut `pieces` independent pieces into: one a thread, or a single one if there is little work."""
    return 1 if work < SERIAL_WORK else max(1, min(pieces, numba.get_num_threads()))


def run(serial, parallel, args, pieces, work):
    """Do pieces 0 .. pieces-1, in parts if there is work enough for threads."""
    parts = parts_for(pieces, work)
    if parts == 1:
        serial(*args, 0, pieces)
    else:
        parallel(*args, pieces, parts)


def forget_stale_code(folder: pathlib.Path) -> None:
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


def set_num_threads(n: int) -> None:
    """Use n threads, 1 <= n <= the number Numba started with (NUMBA_NUM_THREADS, by default all processors).

    Numba's count applies to the Python thread that sets it, the BLAS's count to the whole process. Training and
    inference give the same numbers, bit for bit, for every n.
    """
    import threadpoolctl

    most = numba.config.NUMBA_NUM_THREADS
    n = options.count("set_num_threads: n", n, at_most=most)
    numba.set_num_threads(n)
    threadpoolctl.threadpool_limits(n, user_api="blas")


def get_num_threads() -> int:
    """The number of threads that a kernel called from this Python thread uses."""
    return numba.get_num_threads()
