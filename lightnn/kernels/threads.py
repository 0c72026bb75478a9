"""How many threads the kernels and NumPy's matrix products use: one number for both, so that they do not compete."""

import numbers

import numba


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
