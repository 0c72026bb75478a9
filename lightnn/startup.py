"""What must be settled before Numba is imported: how threads wait, whose the freed memory is, and errors and Ctrl-C
during the imports.

Threads that wait. GNU OpenMP's threads spin while they wait for the next kernel, for milliseconds. When another program
needs the same cores, that makes a network up to forty times slower. When they sleep at once, waking them costs about 50
microseconds a kernel, and the system may wake two on one core, where they work one after the other; some virtual
machines then keep them there. So, unless the environment says otherwise (OMP_WAIT_POLICY or GOMP_SPINCOUNT), they spin
for some tenths of a millisecond, longer than from one kernel of a network to the next, and then sleep. On two cores a
training step of a small MobileNet takes 18 ms so, and 31 with a tenth of the spinning; beside a program that keeps one
core busy it takes 50, and 24. OMP_WAIT_POLICY=passive or active gives the extremes.

NumPy's threads, OpenBLAS's, spin after a product too, for a tenth of a second. Threads that sleep get their turn all
the same: a kernel right after `x @ w` takes as long as otherwise. Threads that spin for long do not: with
OMP_WAIT_POLICY=active a layer takes several times as long on two cores (chapters/results/inference_bench.json), unless
OPENBLAS_THREAD_TIMEOUT=4 is in the environment. It must be there before NumPy is imported, so it is the user's.

Memory that was freed. glibc gives large arrays back to the system, which hands the same pages out again one by one,
cleared: a sixth of a training step's time. So, unless the environment says otherwise (MALLOC_MMAP_THRESHOLD_ or
MALLOC_TRIM_THRESHOLD_), what was freed is kept for the next array, up to KEPT bytes.
"""

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # glibc's malloc.h
KEPT, LARGE = 1 << 29, 1 << 25  # bytes; an array of LARGE or more goes back to the system all the same
IS_COMMAND = sys.orig_argv[1:3] == ["-m", "lightnn"]


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Around the imports of the package. ValueError unless NUMBA_NUM_THREADS is a number of threads."""
    try:
        _check_threads(os.environ.get("NUMBA_NUM_THREADS"))
        if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys():
            os.environ["GOMP_SPINCOUNT"] = "10000"
        if not {"MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"} & os.environ.keys():
            _keep_freed_memory()
        yield
    except KeyboardInterrupt:
        if not IS_COMMAND:
            raise
        _end("interrupted", 130)
    except ValueError as error:
        if not IS_COMMAND:
            raise
        _end(f"lightnn: {error}", 2)


def _keep_freed_memory():
    """True if the C library is one that can be told so."""
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another one than glibc
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, LARGE) and mallopt(M_TRIM_THRESHOLD, KEPT))


def _check_threads(given):
    """Numba says less about it."""
    if given is not None and not (given.strip().isdigit() and int(given) >= 1):
        raise ValueError(f"want NUMBA_NUM_THREADS to be an int >= 1, got {given!r}")


def _end(message, status):
    sys.stderr.write(message + "\n")
    sys.stderr.flush()
    os._exit(status)  # sys.exit would print the traceback of the import
