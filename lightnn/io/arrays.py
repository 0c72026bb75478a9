"""One array of a .lnn file: the parts that `compress.encode` names, as bytes, and back."""

import math

import numpy as np

from lightnn.io import bits, huffman, sparse_index
from lightnn.io.errors import FormatError

DTYPES = {0: np.dtype("<f4"), 1: np.dtype("<f8"), 2: np.dtype("<i8")}
CODES = {dtype: code for code, dtype in DTYPES.items()}
VALUES, SUPPORTS = {0: None, 1: "codebook"}, {0: None, 1: "mask"}
MOST_DIMENSIONS = 8


def write_array(out, name, parts):
    """Append the array `name`, whose parts are as from `compress.encode`, to the Writer."""
    dtype = np.dtype(parts["dtype"]).newbyteorder("<")
    if dtype not in CODES:
        raise TypeError(f"save: {name}: want float32, float64 or int64, got {parts['dtype']}")
    out.sized(name.encode())
    out.number(CODES[dtype])
    out.number(len(parts["shape"]))
    for n in parts["shape"]:
        out.number(n)
    out.number(_key(VALUES, parts.get("values")))
    out.number(_key(SUPPORTS, parts.get("support")))
    if "support" in parts:
        _write_mask(out, parts["mask"])
    if "values" in parts:
        codebook = np.asarray(parts["codebook"], dtype)
        out.sized(codebook.tobytes())
        out.symbols(parts["codes"].ravel(), len(codebook))
    else:
        out.raw(np.asarray(parts["data"], dtype).tobytes())


def _key(table, value):
    return next(key for key, v in table.items() if v == value)


def _write_mask(out, mask):
    """Relative indices of b bits; a filler is one symbol more, 2^b. b is what makes the stream smallest."""
    positions = np.flatnonzero(mask)

    def symbols(b):
        differences, is_filler = sparse_index.relative(positions, b)
        return np.where(is_filler, 2**b, differences)

    def cost(b):
        counts = np.bincount(symbols(b), minlength=2**b + 1)
        return min(huffman.coded_bytes(counts), int(counts.sum()) * bits.width(2**b + 1) // 8 + 1)

    b = min(range(1, 11), key=cost)
    out.number(b)
    out.symbols(symbols(b), 2**b + 1)


def read_array(reader, name, shape, room):
    """The parts of the next array, which must have this name and shape; `room` is the most bytes it may unfold to."""
    reader.array = name
    came = reader.raw(reader.number(most=1000))
    if came != name.encode():
        raise FormatError(f"want the array {name} here, got {came.decode(errors='replace')!r}")
    dtype = reader.choice(DTYPES, "dtype")
    came = tuple(reader.number() for _ in range(reader.number(most=MOST_DIMENSIONS)))
    if came != shape:
        raise FormatError(f"want shape {shape}, got {came}")
    size = math.prod(shape)
    if size * dtype.itemsize > room:
        raise FormatError(f"an array of shape {shape} is larger than the {room} bytes allowed")
    parts = {"shape": shape, "dtype": dtype}
    values, support = reader.choice(VALUES, "kind of values"), reader.choice(SUPPORTS, "kind of support")
    if support:
        parts |= {"support": support, "mask": _read_mask(reader, shape, size)}
    count = int(parts["mask"].sum()) if support else size
    if dtype.kind != "f" and (values or support):
        raise FormatError(f"an {dtype} array with values or a support")
    if values:
        parts |= {"values": values, **_read_codebook(reader, dtype, count)}
        parts["codes"] = parts["codes"] if support else parts["codes"].reshape(shape)
    else:
        data = np.frombuffer(reader.raw(count * dtype.itemsize, "values"), dtype)
        parts["data"] = data if support else data.reshape(shape)
    return parts


def _read_mask(reader, shape, size):
    b = reader.number(most=16)
    symbols, alphabet = reader.symbols("indices", most=size)
    if alphabet != 2**b + 1:
        raise FormatError(f"want an alphabet of {2**b + 1} for sparse indices of {b} bits, got {alphabet}")
    is_filler = symbols == 2**b
    positions = sparse_index.absolute(np.where(is_filler, 2**b - 1, symbols), is_filler, size)
    mask = np.zeros(size, bool)
    mask[positions] = True
    return mask.reshape(shape)


def _read_codebook(reader, dtype, count):
    data = reader.sized("codebook")
    if not data or len(data) % dtype.itemsize:
        raise FormatError(f"a codebook of {len(data)} bytes does not hold {dtype} values")
    codebook = np.frombuffer(data, dtype)
    codes, size = reader.symbols("values", most=count)
    if size != len(codebook) or len(codes) != count:
        raise FormatError(f"want {count} codes for {len(codebook)} values, got {len(codes)} for {size}")
    return {"codebook": codebook, "codes": codes}
