"""Numbers of any lengths as one string of bits, without gaps, the most significant bit first.

Where all lengths are equal, this is the layout of lightnn/io/bits.py (which stands above this folder).
"""

import numpy as np

from lightnn.files import FormatError


def join(codes, lengths):
    """A bool array (sum of lengths,): the codes (n,) one after the other, each with lengths (n,) or () bits, <= 63."""
    codes = np.asarray(codes, np.int64)
    lengths = np.broadcast_to(np.asarray(lengths, np.int64), codes.shape)
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    left = np.repeat(ends, lengths) - np.arange(total)  # how many bits of its code follow, this one included
    return (np.repeat(codes, lengths) >> (left - 1) & 1).astype(bool)


def split(bits, length):
    """The numbers (n,), int64, of `length` bits each, from their bits (n length,)."""
    weights = 1 << np.arange(length - 1, -1, -1, dtype=np.int64)
    return bits.reshape(-1, length) @ weights


def to_bytes(*parts):
    """The bytes of the bool arrays together; zeros fill the last byte."""
    return np.packbits(np.concatenate(parts)).tobytes()


def from_bytes(data, count=None):
    """The bits of data as an array of 0 and 1; with a count just that many, and FormatError unless the bytes fit."""
    bits = np.unpackbits(np.frombuffer(data, np.uint8))
    if count is None:
        return bits
    if len(data) != -(-count // 8):
        raise FormatError(f"want {-(-count // 8)} bytes for {count} bits, got {len(data)}")
    return bits[:count]
