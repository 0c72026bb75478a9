"""Numbers as bits without gaps, the most significant bit first: K bits each, or each as many as it needs.

pack, unpack            K bits each, as bytes
join                    a length for each number, as an array of bits
to_bytes, from_bytes    between arrays of bits and bytes
"""

import numpy as np

from lightnn.files import FormatError


def pack(values, bits):
    """bytes holding the integers values (n,), 0 <= value < 2^bits, in ceil(n bits / 8) bytes; 0 <= bits <= 32."""
    values = np.asarray(values)
    if values.size and not 0 <= values.min() <= values.max() < 2**bits:
        raise ValueError(f"pack: want values from 0 to {2**bits - 1}, got {values.min()} to {values.max()}")
    shifts = np.arange(bits - 1, -1, -1, dtype=np.uint32)
    return np.packbits((values.astype(np.uint32)[:, None] >> shifts & 1).astype(np.uint8)).tobytes()


def unpack(data, bits, count):
    """The `count` integers (int64) that `pack` put into `data`. FormatError unless data has just the length needed."""
    want = (count * bits + 7) // 8
    if len(data) != want:
        raise FormatError(f"want {want} bytes for {count} numbers of {bits} bits, got {len(data)}")
    each = np.unpackbits(np.frombuffer(data, np.uint8), count=count * bits).reshape(count, bits)
    weights = 1 << np.arange(bits - 1, -1, -1, dtype=np.int64)
    return each @ weights


def width(k):
    """The bits that tell k values apart: ceil(log2(k)), and 0 for one value."""
    return max(int(k) - 1, 0).bit_length()


def join(codes, lengths):
    """A bool array (sum of lengths,): the codes (n,) one after the other, each with its length (n,), <= 63 bits."""
    codes, lengths = np.asarray(codes, np.int64), np.asarray(lengths, np.int64)
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    left = np.repeat(ends, lengths) - np.arange(total)  # how many bits of its code follow, this one included
    return (np.repeat(codes, lengths) >> (left - 1) & 1).astype(bool)


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
