"""What must be settled before Numba is imported: how threads wait, and errors and Ctrl-C during the imports.

Threads that wait. GNU OpenMP's threads spin while they wait for the next kernel, up to milliseconds. When another
program needs the same cores, that makes a network up to forty times slower. So, unless the environment says otherwise
(OMP_WAIT_POLICY or GOMP_SPINCOUNT), they sleep. On a quiet machine that costs about 50 microseconds a kernel;
OMP_WAIT_POLICY=active gets them back.
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
            os.environ["OMP_WAIT_POLICY"] = "passive"
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
