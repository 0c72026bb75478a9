"""The .lnn file: a network, with its compressed weights as they are stored, and nothing that is executed.

    bytes   what
    4       89 4C 4E 4E ("\\x89LNN")
    2       version, little-endian; this module writes and reads 1
    n, n    length and text of the architecture: JSON in UTF-8, as `lightnn.models.describe` gives it
    n       number of arrays, then each array in the order of the network's state:
              n, n     length and text of its name, such as fc1.weight
              n        dtype: 0 float32, 1 float64, 2 int64 (all little-endian)
              n, n...  number of dimensions, then each
              n        values: 0 as they are, 1 codebook
              n        support: 0 everywhere, 1 mask
              if mask:      n bits b of the relative indices, then their symbols: 0..2^b-1 for a step of 1..2^b
                            to the next kept element, 2^b for a filler, a step of 2^b to none
              if codebook:  n, n  length in bytes and values of the codebook, then the symbols: one code a kept element
              else:         the kept elements as they are
    4       CRC-32 of all bytes before it, little-endian

n is a varint (see `cursor`). Symbols are: n coding (0 packed, 1 Huffman), n alphabet size, n count, for Huffman n, n
length and bytes of the code lengths (5 bits a symbol), then n, n length and bytes of the stream. Packed numbers have
ceil(log2(alphabet size)) bits. Bits fill a byte from its most significant one (see `bits`, `huffman`, `sparse_index`).
"""

import json
import os
import struct
import zlib

import numpy as np

from lightnn.compress import decode_parameter, encode
from lightnn.files import write_atomically
from lightnn.io.arrays import read_array, write_array
from lightnn.io.cursor import Reader, Writer
from lightnn.io.errors import FormatError
from lightnn.models import build, describe
from lightnn.nn import Parameter
from lightnn.tensor import Tensor

MAGIC, VERSION = b"\x89LNN", 1


def save(model, path):
    """Write the model to path and return the size of the file in bytes.

    The file is written under a temporary name and renamed, so that on any error the old one is still there. OSError if
    it can't be written, TypeError for a network that has no description (see `lightnn.models.describe`).
    """
    write_atomically(path, to_bytes(model))
    return os.path.getsize(path)


def to_bytes(model):
    """The contents of the model's .lnn file."""
    out = Writer()
    out.raw(MAGIC + struct.pack("<H", VERSION))
    out.sized(json.dumps(describe(model), separators=(",", ":")).encode())
    arrays = list(_arrays(model))
    out.number(len(arrays))
    for name, owner, attribute in arrays:
        if isinstance(owner, Parameter):
            write_array(out, name, encode(owner))
        else:
            data = getattr(owner, attribute)
            write_array(out, name, {"shape": data.shape, "dtype": data.dtype, "data": data})
    return bytes(out.data) + struct.pack("<I", zlib.crc32(out.data))


def _arrays(model):
    """(name, owner, attribute) of each array of the state; a Parameter stands for its transforms too."""
    inside = set()
    for name, owner, attribute in model._slots():
        if isinstance(owner, Parameter) and name not in inside:
            inside.update(n for n, *_ in _inner(name, owner))
        if name not in inside:
            yield name, owner, attribute


def _inner(name, p):
    for slot, transform in p.members():
        yield from ((f"{name}.{slot}.{n}", *rest) for n, *rest in transform._slots())


def load(path, max_bytes=2**32):
    """The model in the file at path, in eval mode: bit for bit the one that was saved, transforms included.

    FormatError names what is wrong and where. Nothing is allocated before its length is checked; max_bytes bounds what
    the arrays may unfold to.
    """
    description, parameters, _ = _read(path, max_bytes)
    try:
        model = build(description)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: in the architecture: {error}") from None
    slots = list(model._slots())
    names = [name for name, *_ in slots]
    if names != list(parameters):
        want, got = ", ".join(names)[:200], ", ".join(parameters)[:200]
        raise FormatError(f"{path}: this architecture wants the arrays {want}; the file has {got}")
    for name, owner, attribute in slots:
        shape, p = getattr(owner, attribute).shape, parameters[name]
        if shape != p.shape or (isinstance(owner, Parameter) and not isinstance(p, Parameter)):
            raise FormatError(
                f"{path}: {name}: this architecture wants shape {shape}, the file has {p.dtype} {p.shape}"
            )
        setattr(owner, attribute, p.data)
        if isinstance(owner, Parameter):
            owner.values, owner.support = p.values, p.support
    return model.eval()


def _read(path, max_bytes):
    """(description, {name: Parameter}, {array: {part: bytes}}) of the file."""
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > max_bytes:
            raise FormatError(f"{path}: the file has {size} bytes, more than the {max_bytes} allowed")
        data = file.read()
    reader = Reader(data[:-4])
    _check_frame(path, data)
    try:
        reader.raw(len(MAGIC) + 2)
        description = json.loads(reader.sized("header"))
        parameters, room = {}, max_bytes
        for _ in range(reader.number(most=65536)):
            name, parts = read_array(reader, room)
            if name in parameters:
                raise FormatError("a second array of this name")
            p = decode_parameter(parts) if parts["dtype"].kind == "f" else Tensor(np.array(parts["data"]))
            parameters[name], room = p, room - p.data.nbytes
        if reader.at != len(data) - 4:
            raise FormatError(f"{len(data) - 4 - reader.at} bytes are left over")
    except (ValueError, TypeError, RecursionError, MemoryError) as error:
        raise FormatError(f"{path}: at byte {reader.at}, in {reader.array}: {error}") from None
    reader.tally["file"]["header"] += 4
    return description, parameters, reader.tally


def _check_frame(path, data):
    """Magic, version and checksum."""
    if data[:4] != MAGIC:
        raise FormatError(f"{path}: not a .lnn file: want it to begin with {MAGIC!r}, got {data[:4]!r}")
    if len(data) < 12:
        raise FormatError(f"{path}: truncated after {len(data)} bytes")
    (version,) = struct.unpack_from("<H", data, 4)
    if version != VERSION:
        raise FormatError(f"{path}: the file is of version {version}; this lightnn reads version {VERSION}")
    (want,) = struct.unpack("<I", data[-4:])
    if zlib.crc32(data[:-4]) != want:
        raise FormatError(f"{path}: the checksum does not fit its {len(data)} bytes: truncated or damaged")


class FileReport:
    """What `inspect` found: `path`, `size_bytes` and `bytes_by_array`, {array: {part: bytes}}; printing it tabulates.

    The parts are values, indices, codebook, Huffman table and header; together they are the file."""

    PARTS = ("values", "indices", "codebook", "Huffman table", "header")

    def __init__(self, path, bytes_by_array):
        self.path, self.bytes_by_array = str(path), bytes_by_array
        self.size_bytes = sum(sum(parts.values()) for parts in bytes_by_array.values())

    def bytes_by_part(self):
        return {part: sum(parts.get(part, 0) for parts in self.bytes_by_array.values()) for part in self.PARTS}

    def __str__(self):
        rows = [("", *self.PARTS, "total")]
        for name, parts in [*self.bytes_by_array.items(), ("total", self.bytes_by_part())]:
            rows.append((name, *(str(parts.get(part, 0)) for part in self.PARTS), str(sum(parts.values()))))
        wide = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = [f"{r[0]:<{wide[0]}}" + "".join(f"  {c:>{w}}" for c, w in zip(r[1:], wide[1:])) for r in rows]
        return f"{self.path}: {self.size_bytes} bytes\n" + "\n".join(lines)


def inspect(path, max_bytes=2**32):
    """A FileReport of the bytes of the .lnn file at path, by array and by part. FormatError as in `load`."""
    return FileReport(path, _read(path, max_bytes)[2])
