"""PyTorch's files: a pickle that describes tensors, and storages, the runs of numbers that the tensors look at.

The zip format (.pt or .pth since PyTorch 1.6) is an archive of

    NAME/data.pkl       the pickle of the object
    NAME/byteorder      "little" or "big"; without this file, little
    NAME/data/KEY       the bytes of each storage

The old stream format, of `torch.save(..., _use_new_zipfile_serialization=False)`, has one thing after the other:

    pickle              the number 0x1950a86a20f9469cfc6c
    pickle              the version, 1001
    pickle              what the writing machine was like; not used: numbers are always little-endian
    pickle              the object
    pickle              a list of the storages' keys
    for each key        8 bytes, the storage's length in numbers, little-endian; then its numbers

Both are described in PyTorch's torch/serialization.py.
"""

import struct
from collections.abc import Callable

from lightnn.io.errors import FormatError
from lightnn.io.foreign import Numbers
from lightnn.io.pickled import read_pickle
from lightnn.io.torch_tensors import NAMES, Storages, Tensor
from lightnn.io.zipped import Archive

STREAM_MAGIC, STREAM_VERSION = 0x1950A86A20F9469CFC6C, 1001
PICKLE = "/data.pkl"


def read_zip(archive: Archive) -> tuple[object, Callable[[Tensor], Numbers]]:
    """(the object of the archive's pickle, what finds the numbers of one of its Tensors)."""
    pickles = [name for name in archive.members if name.endswith(PICKLE) and name.count("/") == 1]
    if len(pickles) != 1:
        raise FormatError(f"want an archive of one folder with a pickle, got {len(pickles)}")
    root = pickles[0].removesuffix(PICKLE)
    data, storages = archive.read(pickles[0]), Storages(5)
    thing, end = read_pickle(data, 0, NAMES, storages.find)
    if end != len(data):
        raise FormatError(f"{len(data) - end} bytes are left over after the pickle")
    order = "little"
    if f"{root}/byteorder" in archive.members:
        order = bytes(archive.read(f"{root}/byteorder")).decode(errors="replace")
    if order not in ("little", "big"):
        raise FormatError(f"want the byteorder little or big, got {order!r}")

    def place(tensor):
        data = archive.read(f"{root}/data/{tensor.storage.key}")
        _check_length(tensor.storage, len(data))
        return tensor.within(data, big_endian=order == "big")

    return thing, place


def read_stream(data: memoryview) -> tuple[object, Callable[[Tensor], Numbers]]:
    """(the object of an old file, what finds the numbers of one of its Tensors)."""
    storages = Storages(6)
    magic, at = read_pickle(data, 0, NAMES, storages.find)
    if magic != STREAM_MAGIC or type(magic) is not int:
        raise FormatError("a pickle, but none that torch.save wrote; want torch.save(model.state_dict(), path)")
    version, at = read_pickle(data, at, NAMES, storages.find)
    if version != STREAM_VERSION or type(version) is not int:
        raise FormatError(f"want version {STREAM_VERSION} of PyTorch's old format, got another")
    _, at = read_pickle(data, at, NAMES, storages.find)
    thing, at = read_pickle(data, at, NAMES, storages.find)
    keys, at = read_pickle(data, at, NAMES, storages.find)
    found = _read_storages(data, at, keys, storages.known)

    def place(tensor):
        if tensor.storage.key not in found:
            raise FormatError(f"the file has no storage {tensor.storage.key!r}")
        return tensor.within(found[tensor.storage.key])

    return thing, place


def _read_storages(data, at, keys, known):
    """{key: the bytes of the storage} of all that follows byte `at`."""
    if not isinstance(keys, list) or not all(isinstance(key, str) and key in known for key in keys):
        raise FormatError("want a list of the keys of the storages after the pickle, got another")
    found = {}
    for key in keys:
        if key in found:
            raise FormatError(f"the storage {key!r} is there twice")
        if len(data) - at < 8:
            raise FormatError(f"at byte {at}: want the length of the storage {key!r}, but the file ends")
        (count,) = struct.unpack("<q", data[at : at + 8])
        _check_length(known[key], count * known[key].itemsize)
        size_bytes = count * known[key].itemsize
        at += 8
        if size_bytes > len(data) - at:
            raise FormatError(f"at byte {at}: want {size_bytes} bytes of the storage {key!r}, got {len(data) - at}")
        found[key] = data[at : at + size_bytes]
        at += size_bytes
    if at != len(data):
        raise FormatError(f"{len(data) - at} bytes are left over after the last storage")
    return found


def _check_length(storage, size_bytes):
    if size_bytes != storage.count * storage.itemsize:
        raise FormatError(
            f"want {storage.count * storage.itemsize} bytes of the storage {storage.key!r} as the pickle says, got "
            f"{size_bytes}"
        )
