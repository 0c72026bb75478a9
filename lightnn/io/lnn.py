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

import os
import struct
import zlib

import numpy as np

from lightnn.compress import decode_parameter, encode
from lightnn.files import write_atomically
from lightnn.io.arrays import read_array, write_array
from lightnn.io.cursor import FILE, Reader, Writer
from lightnn.io.errors import FormatError, one_line
from lightnn.models import build, check_reads_back, description_of_unchanged, parse, to_text
from lightnn.nn import Parameter

MAGIC, VERSION = b"\x89LNN", 1


def save(model, path):
    """Write the model to path and return the size of the file in bytes.

    The file is written under a temporary name and renamed, so that on any error the old one is still there. OSError if
    it can't be written, TypeError for a network that its description does not build (see `lightnn.models.describe`).
    """
    write_atomically(path, to_bytes(model))
    return os.path.getsize(path)


def to_bytes(model):
    """The contents of the model's .lnn file."""
    description, arrays = description_of_unchanged(model), list(_arrays(model))
    out = Writer()
    out.raw(MAGIC + struct.pack("<H", VERSION))
    out.sized(to_text(description))
    out.number(len(arrays))
    for name, (owner, attribute) in arrays:
        if isinstance(owner, Parameter):
            write_array(out, name, encode(owner))
        else:
            data = getattr(owner, attribute)
            write_array(out, name, {"shape": data.shape, "dtype": data.dtype, "data": data})
    check_reads_back(model, lambda: _read_model(Reader(out.data), room=2**48))
    return bytes(out.data) + struct.pack("<I", zlib.crc32(out.data))


def _arrays(model):
    """(name, (owner, attribute)) of each array of the state; a Parameter stands for its transforms too."""
    inside = set()
    for name, owner, attribute in model._slots():
        if isinstance(owner, Parameter) and name not in inside:
            inside.update(f"{name}.{slot}.{n}" for slot, transform in owner.members() for n, *_ in transform._slots())
        if name not in inside:
            yield name, (owner, attribute)


def _skeleton(description, arrays):
    """(model, {name: shape}) for a description: a network whose weights take no memory yet."""
    model = build(description, arrays)
    return model, {name: np.shape(getattr(*slot)) for name, slot in _arrays(model)}


def load(path, max_bytes=None):
    """The model in the file at path, in eval mode: bit for bit the one that was saved, transforms included.

    FormatError names what is wrong and where. Nothing is allocated before its length is checked; max_bytes bounds what
    the arrays may unfold to, and is by default 16 MiB and 4096 times the file, up to 4 GiB.
    """
    return _read(path, max_bytes)[0]


def _read(path, max_bytes):
    """(model, {array: {part: bytes}}) of the file."""
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        room = min(2**32, 2**24 + 4096 * size) if max_bytes is None else max_bytes
        if size > room:
            raise FormatError(f"{path}: the file has {size} bytes, more than the {room} allowed")
        data = file.read()
    _check_frame(path, data)
    reader = Reader(memoryview(data)[:-4])
    try:
        model = _read_model(reader, room)
    except (ValueError, TypeError, RecursionError) as error:
        raise FormatError(one_line(f"{path}: at byte {reader.at}, in {reader.array}: {error}")) from None
    reader.tally[FILE]["header"] += 4
    return model, reader.tally


def _read_model(reader, room):
    reader.raw(len(MAGIC) + 2)
    description, count = parse(reader.sized("header")), reader.number(most=len(reader.data))
    model, shapes = _skeleton(description, count)
    if count != len(shapes):
        raise FormatError(f"want the {len(shapes)} arrays {', '.join(shapes)}, got {count}")
    for name, (owner, attribute) in list(_arrays(model)):
        parts = read_array(reader, name, shapes[name], room)
        if isinstance(owner, Parameter):
            p = decode_parameter(parts)
            owner.data, owner.values, owner.support = p.data, p.values, p.support
        else:
            setattr(owner, attribute, np.array(parts["data"]))
        room -= getattr(owner, attribute).nbytes
    if reader.at != len(reader.data):
        raise FormatError(f"{len(reader.data) - reader.at} bytes are left over")
    return model.eval()


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


def inspect(path, max_bytes=None):
    """A FileReport of the bytes of the .lnn file at path, by array and by part. FormatError as in `load`."""
    return FileReport(path, _read(path, max_bytes)[1])
