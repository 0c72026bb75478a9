"""Numba loops on plain arrays: what a convolution costs when nothing but the machine limits it.

A kernel checks nothing (the op above it does) and never touches the tape. Importing this package compiles nothing:
every kernel is compiled at its first call and kept in Numba's on-disk cache.

One kernel at a time. `parallel_njit` puts a lock around each parallel kernel, because Numba's fallback threading layer
(`workqueue`, all there is without TBB or OpenMP) aborts the process when two Python threads enter it at once. A
parallel kernel uses every core anyway, so waiting costs nothing but the order.
"""

import functools
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
