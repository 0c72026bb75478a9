"""The .npz format of `np.savez` and `np.savez_compressed`: a zip archive of .npy files, one an array.

    bytes   what
    6       93 4E 55 4D 50 59 ("\\x93NUMPY")
    2       version: 1.0, 2.0 or 3.0
    2, 4    length of the header, little-endian: two bytes in version 1.0, else four
    n       the header, a Python dict as text: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
    rest    the numbers; the first index runs fastest if fortran_order, else the last one

The format is described in NumPy's `numpy.lib.format`. An array of Python objects is a pickle, and is refused.
"""

import re
import struct

import numpy as np

from lightnn.io.errors import FormatError
from lightnn.io.foreign import Numbers, in_order, numbers
from lightnn.io.zipped import Archive

MAGIC, MOST_HEADER, SUFFIX = b"\x93NUMPY", 10_000, ".npy"
HEADER_FIELDS = {
    "descr": rb"(['\"])descr\1\s*:\s*(['\"])(?P<value>[<>|=]?[biufc?]\d{0,2})\2\s*,?\s*",
    "fortran_order": rb"(['\"])fortran_order\1\s*:\s*(?P<value>True|False)\s*,?\s*",
    "shape": rb"(['\"])shape\1\s*:\s*\((?P<value>[\d\sL,]{0,1000})\)\s*,?\s*",
}
SIZES = {"b": (1,), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8), "f": (2, 4, 8), "c": (8, 16)}  # bytes of each kind of number


def read_npz(archive: Archive) -> dict[str, Numbers]:
    """{name: array} of the archive's files. FormatError says what is wrong and in which of them."""
    found = {}
    for name in archive.members:
        if not name.endswith(SUFFIX):
            raise FormatError(f"want an archive of {SUFFIX} files, got {name!r} among them")
        data = archive.read(name)
        try:
            found[name.removesuffix(SUFFIX)] = _read_npy(data)
        except FormatError as error:
            raise FormatError(f"in the archive's file {name!r}: {error}") from None
    return found


def _read_npy(data):
    if data[:6] != MAGIC or len(data) < 12:
        raise FormatError(f"want it to begin with {MAGIC!r}, got {bytes(data[:6])!r}")
    if tuple(data[6:8]) not in ((1, 0), (2, 0), (3, 0)):
        raise FormatError(f"want version 1.0, 2.0 or 3.0, got {data[6]}.{data[7]}")
    begin = 10 if data[6] == 1 else 12
    (length,) = struct.unpack("<H" if data[6] == 1 else "<I", data[8:begin])
    if length > min(MOST_HEADER, len(data) - begin):
        raise FormatError(f"want a header of at most {min(MOST_HEADER, len(data) - begin)} bytes, it says {length}")
    dtype, fortran_order, shape = _header(bytes(data[begin : begin + length]))
    data = data[begin + length :]
    array = numbers(dtype, shape, data, in_order(shape[::-1])[::-1] if fortran_order else None)
    if array.size_bytes != len(data):
        raise FormatError(f"want {array.size_bytes} bytes for {dtype} {shape}, got {len(data)}")
    return array


def _header(text):
    """(dtype, fortran_order, shape) of a header's text."""
    rest, values = text.strip(), {}
    for name, pattern in HEADER_FIELDS.items():
        if not (match := re.search(pattern, rest)):
            raise FormatError(f"want a header with a {name} of numbers, got {text[:100]!r}")
        values[name] = match["value"].decode()
        rest = rest[: match.start()] + rest[match.end() :]
    if re.sub(rb"\s", b"", rest) != b"{}":
        raise FormatError(f"want a header of descr, fortran_order and shape alone, got {text[:100]!r}")
    try:
        dtype = np.dtype(values["descr"])
        shape = tuple(int(n.strip().removesuffix("L")) for n in values["shape"].split(",") if n.strip())
    except (TypeError, ValueError):
        raise FormatError(f"want a dtype and a shape that NumPy has, got {text[:100]!r}") from None
    if dtype.itemsize not in SIZES.get(dtype.kind, ()):
        raise FormatError(f"want bool, integers, floats or complex numbers, got the dtype {values['descr']}")
    return dtype, values["fortran_order"] == "True", shape
