"""Numbers of K bits each, packed without gaps, the most significant bit first."""

import numpy as np

from lightnn.io.errors import FormatError


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
