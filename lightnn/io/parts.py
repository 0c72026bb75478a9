"""One part of a stored array: a bool, integer or float array as bytes, in one of a few forms.

    form   what follows
    0      bool, as relative indices of the True elements (see sparse_index): n bits b of an index, then the symbols
           0..2^b-1 for a step of 1..2^b to the next True element and 2^b for a filler, a step of 2^b to none
    1      integers as symbols: n the lowest one, zigzag (0, -1, 1, -2, ... as 0, 1, 2, 3, ...), then each minus it
    2..5   numbers as they are, little-endian: float16, float32, float64, int64
    6      bool, a bit each, the first in the most significant bit of the first byte: what values may say of a weight

n is a varint, and symbols are packed or Huffman-coded (see cursor).
"""

import math

import numpy as np

from lightnn import bits
from lightnn.io import huffman, sparse_index
from lightnn.io.cursor import Reader, Writer
from lightnn.io.errors import FormatError

BOOL, SYMBOLS = 0, 1
RAW = {2: np.dtype("<f2"), 3: np.dtype("<f4"), 4: np.dtype("<f8"), 5: np.dtype("<i8")}
BITS = 6
FORMS = {BOOL: "bool", SYMBOLS: "symbols", **RAW, BITS: "bits"}
MOST_SYMBOLS = 2**16  # integers of a wider range, or further from 0 than FARTHEST, are stored as they are
FARTHEST = 2**19


def write_values(out: Writer, a: np.ndarray) -> None:
    """As `write_part`, for an array of which no element is likelier than another: bools take a bit each, if that is
    shorter than the indices of the True elements."""
    a, indices = np.asarray(a), Writer()
    if a.dtype.kind != "b":
        return write_part(out, a)
    write_part(indices, a)
    packed = bits.to_bytes(a.reshape(-1))
    if len(packed) >= len(indices.data):
        return out.raw(indices.data)
    out.number(BITS)
    out.raw(packed)


def write_part(out: Writer, a: np.ndarray) -> None:
    """Append the array, without its shape, to the Writer. TypeError for a dtype that the format does not have."""
    a = np.asarray(a).reshape(-1)
    kind = a.dtype.kind
    lowest, highest = (int(a.min()), int(a.max())) if kind in "iu" and a.size else (0, 0)
    if kind == "b":
        out.number(BOOL)
        _write_bools(out, a)
    elif kind in "iu" and highest - lowest < MOST_SYMBOLS and abs(lowest) < FARTHEST:
        out.number(SYMBOLS)
        out.number(2 * lowest if lowest >= 0 else -2 * lowest - 1)
        out.symbols(a.astype(np.int64) - lowest, highest - lowest + 1)
    else:
        dtype = np.dtype("<i8") if kind in "iu" else a.dtype.newbyteorder("<")
        form = next((form for form, raw in RAW.items() if raw == dtype), None)
        if form is None or highest > np.iinfo(np.int64).max:
            raise TypeError(f"want bool, integers, float16, float32 or float64, got {a.dtype}")
        out.number(form)
        out.raw(a.astype(dtype).tobytes())


def _write_bools(out, mask):
    """b, the bits of an index, is what makes the stream smallest."""
    positions = np.flatnonzero(mask)

    def symbols(b):
        differences, is_filler = sparse_index.relative(positions, b)
        return np.where(is_filler, 2**b, differences)

    def cost(b):
        counts = np.bincount(symbols(b), minlength=2**b + 1)
        return min(huffman.coded_bytes(counts), int(counts.sum()) * bits.width(2**b + 1) // 8 + 1)

    b = min(range(1, 11), key=cost)
    out.number(b)
    out.number(len(symbols(b)))
    out.symbols(symbols(b), 2**b + 1)


def read_part(reader: Reader, part: str, shape: tuple[int, ...], room: int) -> np.ndarray:
    """The array of this shape: bool, int64 or float. Its bytes are counted for `part`. room: the most bytes that bools
    and symbols may unfold to (plain numbers take as many bytes in the file)."""
    form, count = reader.choice(FORMS, "form of a part", part), math.prod(shape)
    if form in ("bool", "bits", "symbols") and 8 * count > room:
        raise FormatError(f"{part}: {count} numbers are more than the {room} bytes allowed")
    if form == "bool":
        return _read_bools(reader, part, count).reshape(shape)
    if form == "bits":
        return bits.from_bytes(reader.raw(-(-count // 8), part), count).astype(bool).reshape(shape)
    if form == "symbols":
        zigzag = reader.number(part, most=2 * FARTHEST)
        lowest = zigzag // 2 if zigzag % 2 == 0 else -(zigzag // 2) - 1
        return reader.symbols(part, count).reshape(shape) + lowest
    return np.frombuffer(reader.raw(count * form.itemsize, part), form).reshape(shape)


def _read_bools(reader, part, size):
    b = reader.number(part, most=16)
    symbols = reader.symbols(part, reader.number(part, most=size), 2**b + 1)
    is_filler = symbols == 2**b
    positions = sparse_index.absolute(np.where(is_filler, 2**b - 1, symbols), is_filler, size)
    mask = np.zeros(size, bool)
    mask[positions] = True
    return mask
