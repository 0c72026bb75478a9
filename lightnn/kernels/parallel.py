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
import os
import pathlib
import tempfile
import threading

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from lightnn import options

SERIAL_WORK = 60_000  # multiply-adds below which starting threads costs more than it saves


class _Threads:
    """Numba's threads in this process: whether a kernel has used them, and whether a fork has lost them."""

    used = lost = False
    turn = threading.Lock()


def parallel_njit(function):
    """`njit(parallel=True, cache=True)` that two Python threads may call at once (they take turns).

    RuntimeError in a forked process whose parent has run a parallel kernel with GNU OpenMP."""
    compiled = numba.njit(function, parallel=True, cache=True, nogil=True)

    @functools.wraps(function)
    def in_turn(*args):
        if _Threads.lost:
            raise RuntimeError(LOST)
        _Threads.used = True
        with _Threads.turn:
            return compiled(*args)

    return in_turn


LOST = (
    "this process was forked after its parent had run a parallel kernel, and GNU OpenMP's threads do not survive that; "
    "want multiprocessing's 'spawn' or 'forkserver', a fork before the first kernel, or NUMBA_THREADING_LAYER=workqueue"
)


def _after_fork():
    """In the child: threads that the parent had are gone, and nobody will give back a lock that one of them held."""
    _Threads.lost = _Threads.used and not numba.config.DISABLE_JIT and numba.threading_layer() == "omp"
    _Threads.turn = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


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


@intrinsic
def _take(typing, counter):
    def codegen(context, builder, signature, args):
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        return builder.atomic_rmw("add", data, ir.Constant(ir.IntType(64), 1), "monotonic")

    return types.int64(counter), codegen


def _plain_take(counter):
    counter[0] += 1
    return counter[0] - 1


take = _plain_take if numba.config.DISABLE_JIT else _take  # the number of the next task, from an int64 array (1,)


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


def find_cache(folder: pathlib.Path) -> None:
    """Where neither `folder` nor the user's cache can be written, let Numba keep compiled code in a temporary folder:
    a package of root's, for instance, used by somebody without a home."""
    if numba.config.CACHE_DIR or numba.config.DISABLE_JIT or _can_write(folder / "__pycache__"):
        return
    if not _can_write(pathlib.Path(os.path.expanduser("~")) / ".cache" / "numba"):
        numba.config.CACHE_DIR = tempfile.mkdtemp(prefix="lightnn-")


def _can_write(folder):
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


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
