"""An array in another program's file: where its numbers lie, checked against what is there before any are copied.

Element (i, j, ...) of the array is number `offset + i strides[0] + j strides[1] + ...` of a storage, a run of numbers
of one dtype. Several arrays may share a storage, as views do in PyTorch; each gets its own copy.

NumPy has no bfloat16 (1 bit of sign, 8 of exponent, 7 of fraction). It is the upper half of a float32, so that it is
widened without a loss: float32 = 16 bits of bfloat16, then 16 zeros.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lightnn.io.errors import FormatError

BFLOAT16 = np.dtype([("bfloat16", "<u2")])
MOST_DIMENSIONS = 32
MOST_NUMBERS = 2**48


class Numbers(NamedTuple):
    """An array that is still in its file. dtype is that of the file; data holds the storage's bytes and no others."""

    dtype: np.dtype
    shape: tuple[int, ...]
    strides: tuple[int, ...]  # in numbers, not bytes
    offset: int
    data: memoryview

    @property
    def size_bytes(self) -> int:
        """Of the copy in memory."""
        return math.prod(self.shape) * (4 if self.dtype.names else self.dtype.itemsize)

    def copy(self) -> np.ndarray:
        """The array, contiguous and in the machine's order of bytes; bfloat16 as float32."""
        if not math.prod(self.shape):
            return np.empty(self.shape, np.float32 if self.dtype.names else self.dtype.newbyteorder("="))
        raw = np.dtype(np.uint8) if self.dtype.kind == "b" else self.dtype
        strides = [n * raw.itemsize for n in self.strides]
        a = np.ndarray(self.shape, raw, self.data, self.offset * raw.itemsize, strides)
        if self.dtype.kind == "b":
            return np.asarray(a != 0)  # a byte that is neither 0 nor 1 makes no sound bool
        if self.dtype.names:
            return np.asarray(a["bfloat16"].astype(np.uint32, order="C") << 16).view(np.float32)
        return a.astype(raw.newbyteorder("="), order="C", copy=True)


def in_order(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides of an array whose numbers lie in C order: the last index runs fastest."""
    return tuple(math.prod(shape[i + 1 :]) for i in range(len(shape)))


def numbers(
    dtype: np.dtype, shape: Sequence[int], data: memoryview, strides: Sequence[int] | None = None, offset: int = 0
) -> Numbers:
    """The array of this shape in the storage `data`; strides=None: in C order. FormatError unless all its numbers are
    in the storage."""
    for name, values in (("shape", shape), ("strides", strides if strides is not None else ()), ("offset", [offset])):
        if len(values) > MOST_DIMENSIONS or not all(type(n) is int and 0 <= n < MOST_NUMBERS for n in values):
            raise FormatError(f"want a {name} of at most {MOST_DIMENSIONS} ints from 0 to 2^48, got another")
    strides = in_order(shape) if strides is None else tuple(strides)
    if len(strides) != len(shape):
        raise FormatError(f"want {len(shape)} strides for the shape {tuple(shape)}, got {len(strides)}")
    if math.prod(max(n, 1) for n in shape) > MOST_NUMBERS:
        raise FormatError(f"a shape of more than 2^48 numbers: {tuple(shape)}")
    count, odd = divmod(len(data), dtype.itemsize)
    if odd:
        raise FormatError(f"want a multiple of {dtype.itemsize} bytes, got {len(data)}")
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides))
    if math.prod(shape) and last >= count:
        raise FormatError(
            f"the shape {tuple(shape)}, strides {strides} and offset {offset} want {last + 1} numbers, but only {count}"
            " are stored"
        )
    return Numbers(dtype, tuple(shape), strides, offset, data)
