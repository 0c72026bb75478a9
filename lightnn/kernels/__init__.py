"""Numba loops on plain arrays: what a convolution costs when nothing but the machine limits it.

A kernel checks nothing (the op above it does) and never touches the tape. Importing this package compiles nothing:
every kernel is compiled at its first call and kept in Numba's on-disk cache.

One kernel at a time. `parallel_njit` puts a lock around each parallel kernel, because Numba's fallback threading layer
(`workqueue`, all there is without TBB or OpenMP) aborts the process when two Python threads enter it at once. A
parallel kernel uses every core anyway, so waiting costs nothing but the order.

No stale code. Numba compiles a kernel again when its own file has changed, but not when a file has whose functions it
has taken in. So the cache of this folder is emptied as soon as any source here is another than when it was filled.
"""

import contextlib
import functools
import hashlib
import pathlib
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
    """Delete Numba's cache in folder/__pycache__ if the sources in `folder` are not those it was made from."""
    sources = b"".join(path.read_bytes() for path in sorted(folder.glob("*.py")))
    stamp, now = folder / "__pycache__" / "sources.sha256", hashlib.sha256(sources).hexdigest()
    with contextlib.suppress(OSError):  # a folder that may not be written to holds no cache either
        if stamp.exists() and stamp.read_text() == now:
            return
        for path in [*stamp.parent.glob("*.nbi"), *stamp.parent.glob("*.nbc")]:
            path.unlink(missing_ok=True)
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(now)


forget_stale_code(pathlib.Path(__file__).parent)
