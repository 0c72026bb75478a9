"""Relative sparse indices with filler zeros (Han, Mao & Dally 2016, arXiv 1510.00149, section 2 and figure 2).

The positions of the kept weights, in C order, are stored as differences of b bits. A difference d in 1..2^b is stored
as d - 1; where it is larger, an entry with the largest difference and the value zero (a filler) is put in between. The
first position is counted from -1. (The paper's text leaves open whether 3 bits reach 7 or 8; its figures 2 and 5 reach
8.)
"""

import numpy as np

from lightnn.exercise import exercise
from lightnn.io.errors import FormatError


@exercise("04.3")
def relative(positions, bits):
    """The steps from each position to the next, cut so that step - 1 fits into `bits` bits (figure 2 of the paper).

    positions: integers >= 0, each larger than the one before, an array (n,). The first step is counted from -1. A step
    of more than 2^bits is cut: fillers, each a step of 2^bits, come before the rest, which is from 1 to 2^bits.

    Returns (steps - 1, is_filler), with an entry for each filler and each position, in order: an int64 array, and a
    bool array that is True for a filler. For no positions both are empty. ValueError if a position is negative or not
    larger than the one before.
    """
    reach = 2**bits
    gaps = np.diff(np.asarray(positions, np.int64), prepend=-1)
    if gaps.size and gaps.min() < 1:
        raise ValueError("relative: want ascending positions >= 0")
    fillers = (gaps - 1) // reach
    ends = np.cumsum(fillers + 1) - 1
    is_filler = np.ones(int(ends[-1]) + 1 if ends.size else 0, bool)
    is_filler[ends] = False
    differences = np.full(is_filler.size, reach - 1, np.int64)
    differences[ends] = gaps - 1 - fillers * reach
    return differences, is_filler


def absolute(differences, is_filler, size):
    """The positions from what `relative` gave. FormatError if one is not within an array of `size` elements."""
    positions = np.cumsum(differences + 1)[~is_filler] - 1
    if positions.size and positions[-1] >= size:
        raise FormatError(f"a sparse index points at element {positions[-1]} of {size}")
    return positions


def count_fillers(positions, bits):
    """How many fillers `relative` would insert."""
    gaps = np.diff(np.asarray(positions, np.int64), prepend=-1)
    return int(((gaps - 1) >> bits).sum())
