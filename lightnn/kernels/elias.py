"""Elias' omega codes read one after the other: where a code ends is known only when it has been read."""

import numba


@numba.njit(cache=True, nogil=True)
def read_omega(bits, at, n):
    """Fill n (m,), int64, with the numbers whose codes begin at bit `at` of bits, 0 or 1 each. Returns the bit after
    them, or -1 where a code runs over the end or holds a number of more than 31 binary digits."""
    total = len(bits)
    for i in range(len(n)):
        value = 1
        while True:
            if at >= total:
                return -1
            if bits[at] == 0:
                at += 1
                break
            if value > 30 or at + value + 1 > total:
                return -1
            digits, value = value + 1, 0
            for _ in range(digits):
                value = 2 * value + (1 if bits[at] else 0)  # an int, not uint8: uncompiled, that runs over
                at += 1
        n[i] = value
    return at
