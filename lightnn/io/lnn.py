"""The .lnn file: a network with its compressed weights as they are stored, and nothing that is executed.

    bytes   what
    4       89 4C 4E 4E ("\\x89LNN")
    2       version, little-endian; this module writes and reads 2
    n       0 to run, 1 to go on training
    n, n    length and text of the architecture: JSON in UTF-8, as `lightnn.models.describe` gives it
    n       number of kinds of transforms, then n, n length and text of each, such as "codebook"
    n       number of arrays, then each array in the order of the network's state (see arrays); in a file to go on
            training, what each compressed weight needs for that follows it (see state)
    4       CRC-32 of all bytes before it, little-endian

n is a varint (see cursor).
"""

import os
import struct
import zlib

import numpy as np

from lightnn.compress import SUPPORTS, VALUES, Encoded, decode_parameter, encode
from lightnn.files import write_atomically
from lightnn.io.arrays import read_array, write_array
from lightnn.io.bounds import bound, read_bounded, room_for
from lightnn.io.cursor import FILE, Reader, Writer
from lightnn.io.errors import FormatError, one_line
from lightnn.io.report import FileReport
from lightnn.io.state import read_training_state, write_training_state
from lightnn.models import build, check_reads_back, description_of_unchanged, parse, to_text
from lightnn.nn import Module, Parameter

MAGIC, VERSION = b"\x89LNN", 2
TO_RUN, TO_TRAIN = 0, 1


def save(model: Module, path: str | os.PathLike) -> int:
    """Write the model to path, to be run: only what is used is stored. Returns the size of the file in bytes.

    The file is written under a temporary name and renamed, so that on any error the old one is still there. OSError if
    it can't be written, TypeError for a network that its description does not build (see `lightnn.models.describe`).
    """
    write_atomically(path, to_bytes(model))
    return os.path.getsize(path)


def save_to_train(model: Module, path: str | os.PathLike) -> int:
    """Like `save`, but the file also holds what training goes on from: the latent weights and the state of their
    transforms. `load` reads both kinds."""
    write_atomically(path, _to_bytes(model, TO_TRAIN))
    return os.path.getsize(path)


def to_bytes(model: Module) -> bytes:
    """The contents of the file that `save` writes."""
    return _to_bytes(model, TO_RUN)


def to_train_bytes(model: Module) -> bytes:
    """The contents of the file that `save_to_train` writes."""
    return _to_bytes(model, TO_TRAIN)


def _to_bytes(model, purpose):
    description, slots = description_of_unchanged(model), _arrays(model)
    arrays = [(name, owner, _encoded(name, owner, attribute)) for name, (owner, attribute) in slots]
    used = {kind for _, _, e in arrays for kind in (e.values, e.support)}
    kinds = [kind for kind in [*VALUES, *SUPPORTS] if kind in used]
    out = Writer()
    out.raw(MAGIC + struct.pack("<H", VERSION))
    out.number(purpose)
    out.sized(to_text(description))
    out.number(len(kinds))
    for kind in kinds:
        out.sized(kind.encode())
    out.number(len(arrays))
    for name, owner, encoded in arrays:
        write_array(out, name, encoded, kinds)
        if purpose == TO_TRAIN and isinstance(owner, Parameter):
            write_training_state(out, owner)
    check_reads_back(model, lambda: _read_model(Reader(out.data), room=2**48)[0])
    return bytes(out.data) + struct.pack("<I", zlib.crc32(out.data))


def _encoded(name, owner, attribute):
    """What is stored of one array. ValueError names it."""
    if isinstance(owner, Parameter):
        try:
            return encode(owner)
        except ValueError as error:
            raise ValueError(f"save: {name}: {error}") from None
    data = getattr(owner, attribute)
    return Encoded(data.shape, data.dtype, parts={"data": data})


def _arrays(model):
    """(name, (owner, attribute)) of each array of the state. A Parameter includes its transforms."""
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


def load(path: str | os.PathLike, max_bytes: int | None = None) -> Module:
    """The model in the file at path, in eval mode: bit for bit the one that was saved, transforms included.

    FormatError names what is wrong and where. Every length is checked before anything is allocated. max_bytes bounds
    what the arrays may unfold to; the default is 16 MiB plus 4096 times the file, up to 4 GiB.
    """
    max_bytes = bound("load", max_bytes)
    return _read(path, read_bounded(path, max_bytes), max_bytes)[0]


def from_bytes(data: bytes, max_bytes: int | None = None) -> Module:
    """The model in the contents of a .lnn file, as `load` gives it."""
    return _read("the bytes", data, bound("from_bytes", max_bytes))[0]


def inspect(path: str | os.PathLike, max_bytes: int | None = None) -> FileReport:
    """The bytes of the .lnn file at path, by array and by part. FormatError as in `load`."""
    max_bytes = bound("inspect", max_bytes)
    return FileReport(path, *_read(path, read_bounded(path, max_bytes), max_bytes)[1:])


def _read(path, data, max_bytes):
    """(model, {array: {part: bytes}}, {array: kinds}) of the file's contents; path is for errors."""
    _check_frame(path, data)
    reader = Reader(memoryview(data)[:-4])
    try:
        model, kinds = _read_model(reader, room_for(len(data), max_bytes))
    except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as error:
        raise FormatError(one_line(f"{path}: at byte {reader.at}, in {reader.array}: {error}")) from None
    reader.tally[FILE]["header"] += 4
    return model, reader.tally, kinds


def _read_model(reader, room):
    reader.raw(len(MAGIC) + 2)
    purpose = reader.choice({TO_RUN: TO_RUN, TO_TRAIN: TO_TRAIN}, "purpose")
    description, kinds = parse(reader.sized("header")), _read_kinds(reader)
    count, found = reader.number(most=len(reader.data)), {}
    model, shapes = _skeleton(description, count)
    if count != len(shapes):
        raise FormatError(f"want the {len(shapes)} arrays {', '.join(shapes)}, got {count}")
    for name, (owner, attribute) in list(_arrays(model)):
        encoded = read_array(reader, name, shapes[name], kinds, room)
        found[name] = " + ".join(filter(None, (encoded.values, encoded.support)))
        p = decode_parameter(encoded) if isinstance(owner, Parameter) else None
        if p is None:
            setattr(owner, attribute, np.array(encoded.parts["data"]))
        elif p.shape != encoded.shape or p.dtype != encoded.dtype:
            raise FormatError(f"want {encoded.dtype} {encoded.shape}; its parts give {p.dtype} {p.shape}")
        else:
            owner.data, owner.values, owner.support = p.data, p.values, p.support
            if purpose == TO_TRAIN:
                read_training_state(reader, owner, room)
                _check_state(owner)
        room -= getattr(owner, attribute).nbytes
    if reader.at != len(reader.data):
        raise FormatError(f"{len(reader.data) - reader.at} bytes are left over")
    return model.eval(), found


def _check_state(p):
    """ValueError if the state of p's transforms could not be stored again."""
    with np.errstate(all="ignore"):  # numbers too large for the weight's dtype are infinite, and refused
        decode_parameter(encode(p))


def _read_kinds(reader):
    """The file's table of kinds. FormatError names one that is not known here."""
    kinds = [reader.sized("header").decode() for _ in range(reader.number(most=255))]
    for kind in kinds:
        if kind not in VALUES | SUPPORTS:
            raise FormatError(f"unknown kind of transform {kind[:40]!r}; known are {', '.join(VALUES | SUPPORTS)}")
    return kinds


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
