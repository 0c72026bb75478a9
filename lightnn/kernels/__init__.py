"""Numba loops on plain arrays: what a convolution costs when nothing but the machine limits it.

A kernel checks nothing (the op above it does) and never touches the tape. Importing this package compiles nothing:
every kernel is compiled at its first call and kept in Numba's on-disk cache.
"""

import pathlib

from lightnn.kernels.parallel import forget_stale_code

forget_stale_code(pathlib.Path(__file__).parent)
