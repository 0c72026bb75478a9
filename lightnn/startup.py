"""What must be settled before Numba is imported: how threads wait, and errors and Ctrl-C during the imports.

Threads that wait. GNU OpenMP's threads spin while they wait for the next kernel, up to milliseconds. When another
program needs the same cores, that makes a network up to forty times slower. When they sleep at once, waking them costs
about 50 microseconds a kernel, and the system may wake two on one core, where they work one after the other. So, unless
the environment says otherwise (OMP_WAIT_POLICY or GOMP_SPINCOUNT), they spin for less than it takes to wake up, and
then sleep. OMP_WAIT_POLICY=passive or active gives the extremes.

NumPy's threads, OpenBLAS's, spin after a product too. Threads that sleep get their turn all the same: a kernel right
after `x @ w` takes as long as otherwise. Threads that spin for long do not: with OMP_WAIT_POLICY=active a layer takes
several times as long on two cores (chapters/results/inference_bench.json), unless OPENBLAS_THREAD_TIMEOUT=4 is in the
environment. It must be there before NumPy is imported, so it is the user's.
"""

import contextlib
import os
import sys
from collections.abc import Iterator

IS_COMMAND = sys.orig_argv[1:3] == ["-m", "lightnn"]


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Around the imports of the package. ValueError unless NUMBA_NUM_THREADS is a number of threads."""
    try:
        _check_threads(os.environ.get("NUMBA_NUM_THREADS"))
        if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys():
            os.environ["GOMP_SPINCOUNT"] = "1000"
        yield
    except KeyboardInterrupt:
        if not IS_COMMAND:
            raise
        _end("interrupted", 130)
    except ValueError as error:
        if not IS_COMMAND:
            raise
        _end(f"lightnn: {error}", 2)


def _check_threads(given):
    """Numba says less about it."""
    if given is not None and not (given.strip().isdigit() and int(given) >= 1):
        raise ValueError(f"want NUMBA_NUM_THREADS to be an int >= 1, got {given!r}")


def _end(message, status):
    sys.stderr.write(message + "\n")
    sys.stderr.flush()
    os._exit(status)  # sys.exit would print the traceback of the import
