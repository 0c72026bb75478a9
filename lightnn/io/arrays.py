"""One array of a .lnn file: what `compress.encode` gives, as bytes, and back. No technique is known here by name.

n, n     length and text of its name, such as fc1.weight
n        dtype: 0 float32, 1 float64, 2 int64
n, n...  number of dimensions, then each
n        values: a kind, as its place in the file's table of kinds
n        support: 0 everywhere, else one more than the place of its kind
then the parts of the support and the parts of the values, in the order in which their class names them: each a form
and its numbers (see parts), and before them, unless there is one number a weight, n, n... its shape
"""

import math

import numpy as np

from lightnn.compress import SUPPORTS, VALUES, Encoded
from lightnn.io.cursor import Reader, Writer
from lightnn.io.errors import FormatError
from lightnn.io.parts import read_part, write_part, write_values

DTYPES = {0: np.dtype("<f4"), 1: np.dtype("<f8"), 2: np.dtype("<i8")}
MOST_DIMENSIONS = 8


def write_array(out: Writer, name: str, encoded: Encoded, kinds: list[str]) -> None:
    """Append the array `name` to the Writer. kinds: the file's table."""
    dtype = np.dtype(encoded.dtype).newbyteorder("<")
    code = next((code for code, known in DTYPES.items() if known == dtype), None)
    if code is None:
        raise TypeError(f"save: {name}: want float32, float64 or int64, got {encoded.dtype}")
    out.sized(name.encode())
    out.number(code)
    write_shape(out, encoded.shape)
    out.number(kinds.index(encoded.values))
    out.number(0 if encoded.support is None else 1 + kinds.index(encoded.support))
    for cls in _classes(encoded):
        for part in cls.parts:
            if part not in cls.per_weight:
                write_shape(out, np.shape(encoded.parts[part]))
            try:
                (write_values if cls.kind in VALUES else write_part)(out, encoded.parts[part])
            except TypeError as error:
                raise TypeError(f"save: {name}, {part}: {error}") from None


def read_array(reader: Reader, name: str, shape: tuple[int, ...], kinds: list[str], room: int) -> Encoded:
    """The next array, which must have this name and shape. room: the most bytes it may unfold to."""
    reader.array = name
    came = reader.raw(reader.number(most=1000))
    if came != name.encode():
        raise FormatError(f"want the array {name} here, got {came.decode(errors='replace')!r}")
    dtype = reader.choice(DTYPES, "dtype")
    if (came := read_shape(reader)) != shape:
        raise FormatError(f"want shape {shape}, got {came}")
    if math.prod(shape) * dtype.itemsize > room:
        raise FormatError(f"an array of shape {shape} is larger than the {room} bytes allowed")
    values = reader.choice(dict(enumerate(kinds)), "kind of values")
    support = reader.choice({0: None} | dict(enumerate(kinds, 1)), "kind of support")
    if values not in VALUES or not (support is None or support in SUPPORTS):
        raise FormatError(f"want a kind of values and a kind of support, got {values} and {support}")
    if dtype.kind != "f" and (values != "float" or support):
        raise FormatError(f"an {dtype} array with values or a support")
    encoded, count = Encoded(shape, dtype, values, support), None
    for cls in _classes(encoded):
        for part in cls.parts:
            each = shape if count is None else (count,)
            form = each if part in cls.per_weight else read_shape(reader, part)
            encoded.parts[part] = read_part(reader, part, form, 2 * room + 64)
        if cls is SUPPORTS.get(support):
            count = int(encoded.parts["mask"].sum())
    if values == "float":
        encoded.parts["data"] = _exactly(encoded.parts["data"], dtype)
    return encoded


def _classes(encoded):
    """The classes of the support, if there is one, and of the values."""
    support = [] if encoded.support is None else [SUPPORTS[encoded.support]]
    return [*support, VALUES[encoded.values]]


def _exactly(data, dtype):
    """Plain numbers in the array's dtype: integers may have been stored as symbols."""
    if data.dtype.kind != dtype.kind or (dtype.kind == "f" and data.dtype != dtype):
        raise FormatError(f"want {dtype} numbers, got {data.dtype}")
    return data.astype(dtype, copy=False)


def write_shape(out: Writer, shape: tuple[int, ...]) -> None:
    out.number(len(shape))
    for n in shape:
        out.number(n)


def read_shape(reader: Reader, part: str = "header") -> tuple[int, ...]:
    return tuple(reader.number(part) for _ in range(reader.number(part, most=MOST_DIMENSIONS)))
