"""The .safetensors format: named arrays, one after the other, with a table of contents before them.

    bytes   what
    8       N, the length of the header, little-endian
    N       the header, JSON in UTF-8 that begins with "{" and may end in blanks:
            {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, ...}
            and, where there is any, "__metadata__": {"text": "text", ...}, which is not read
    rest    the arrays' bytes, little-endian, in C order. Offsets count from here; the arrays follow each other without
            gaps or overlaps, and nothing comes after the last.

The specification is at https://github.com/huggingface/safetensors. It allows headers of 100 MB, this reader 16 MiB.
"""

import json
import math
import struct

import numpy as np

from lightnn.io.errors import FormatError
from lightnn.io.foreign import BFLOAT16, Numbers, numbers

DTYPES = {"BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4", "U64": "<u8"}
DTYPES |= {"I64": "<i8", "F16": "<f2", "F32": "<f4", "F64": "<f8", "C64": "<c8"}
DTYPES = {name: np.dtype(code) for name, code in DTYPES.items()} | {"BF16": BFLOAT16}
MOST_HEADER = 2**24
FIELDS = {"dtype", "shape", "data_offsets"}


def read_safetensors(data: memoryview) -> dict[str, Numbers]:
    """{name: array} of the file's bytes. FormatError says what is wrong."""
    (length,) = struct.unpack("<Q", data[:8])
    if length > min(len(data) - 8, MOST_HEADER):
        raise FormatError(f"want a header of at most {min(len(data) - 8, MOST_HEADER)} bytes, it says {length}")
    table, data = _header(bytes(data[8 : 8 + length])), data[8 + length :]
    table.pop("__metadata__", None)
    found, places = {}, []
    for name, entry in table.items():
        try:
            found[name], place = _array(entry, data)
        except FormatError as error:
            raise FormatError(f"in {name!r}: {error}") from None
        places.append((*place, name))
    _check_no_gaps(sorted(places), len(data))
    return found


def _header(text):
    """The table of contents; JSON that begins with "{" is a dict."""
    try:
        return json.loads(text.decode(), object_pairs_hook=_without_twins)
    except RecursionError:
        raise FormatError("the header is nested too deep") from None
    except FormatError:
        raise
    except ValueError as error:
        raise FormatError(f"want a header of JSON in UTF-8: {error}") from None


def _without_twins(pairs):
    table = {}
    for name, value in pairs:
        if name in table:
            raise FormatError(f"the name {name!r} is there twice")
        table[name] = value
    return table


def _array(entry, data):
    """(array, (begin, end)) of one entry of the header."""
    if not isinstance(entry, dict) or set(entry) != FIELDS:
        raise FormatError("want an object of dtype, shape and data_offsets, got another")
    dtype, shape, place = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise FormatError(
            f"want one of the dtypes {', '.join(DTYPES)}, got {dtype if isinstance(dtype, str) else 'none'}"
        )
    if not isinstance(shape, list):
        raise FormatError("want a shape that is a list, got another")
    if not (isinstance(place, list) and len(place) == 2 and all(type(n) is int for n in place)):
        raise FormatError("want two ints as data_offsets, got others")
    begin, end = place
    if not 0 <= begin <= end <= len(data):
        raise FormatError(f"want data_offsets within the {len(data)} bytes of all arrays, got {place}"[:200])
    array = numbers(DTYPES[dtype], shape, data[begin:end])
    wanted = math.prod(array.shape) * array.dtype.itemsize
    if wanted != end - begin:
        raise FormatError(f"want {wanted} bytes for {dtype} {array.shape}, data_offsets give {end - begin}")
    return array, (begin, end)


def _check_no_gaps(places, length):
    at = 0
    for begin, end, name in places:
        if begin != at:
            raise FormatError(
                f"in {name!r}: want it to begin at byte {at}, where the array before it ends; got {begin}"
            )
        at = end
    if at != length:
        raise FormatError(f"{length - at} bytes are left over after the last array")
