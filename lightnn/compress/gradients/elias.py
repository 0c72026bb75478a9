"""Elias' omega code (Elias 1975): small numbers are short, and no largest number need be known.

    code(n) = "0" at the end; while n > 1: put the binary digits of n in front, and go on with n = their number - 1

so 1 is 0, 2 is 10 0, 3 is 11 0, 4 is 10 100 0, 17 is 10 100 10001 0. About log2 n + log2 log2 n + ... bits. QSGD's
paper calls it recursive Elias coding.
"""

import numpy as np

from lightnn.bits import join
from lightnn.files import FormatError
from lightnn.kernels.elias import read_omega

MOST = 2**31 - 1  # its code has 42 bits


def omega(n):
    """(codes, lengths), int64 arrays, of the integers n (m,) from 1 to MOST."""
    n = np.array(n, np.int64)
    if n.size and not 1 <= n.min() <= n.max() <= MOST:
        raise ValueError(f"omega: want numbers from 1 to {MOST}, got {n.min()} to {n.max()}")
    codes, lengths = np.zeros_like(n), np.ones_like(n)
    while (more := n > 1).any():
        digits = np.frexp(n.astype(np.float64))[1]  # how many binary digits n has
        codes += np.where(more, n << lengths, 0)
        lengths += np.where(more, digits, 0)
        n = np.where(more, digits - 1, n)
    return codes, lengths


def write(n):
    """The bits of the codes of n (m,), a bool array."""
    return join(*omega(n))


def read(bits, at, count):
    """(n, the bit after them): the `count` numbers (int64) whose codes begin at bit `at`. FormatError if the bits are
    not that many codes."""
    if count > len(bits) - at:  # before anything of that size is made: a code has at least one bit
        raise FormatError(f"want {count} Elias codes, got {len(bits) - at} bits")
    n = np.empty(count, np.int64)
    end = read_omega(bits, at, n)
    if end < 0:
        raise FormatError(f"want {count} Elias codes of numbers up to {MOST}, got bits that end or run over before")
    return n, int(end)
