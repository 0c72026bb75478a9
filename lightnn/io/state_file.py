"""The weights of a network from a file of another program: .safetensors, .npz, and PyTorch's .pt or .pth.

Which format a file has is seen from its first bytes, never from its name:

    50 4B 03 04 or 50 4B 05 06     a zip archive: PyTorch's (with a pickle NAME/data.pkl, see torch_file), else .npz
    80 and a version, 2 to 5       a pickle: PyTorch's old stream format (see torch_file)
    any 8 bytes, then 7B ("{")     .safetensors

Nothing in a file is executed: pickles are read by the machine in `pickled`, which can't run anything.
"""

import os
import struct

import numpy as np

from lightnn import options
from lightnn.io.bounds import bound, read_bounded, room_for
from lightnn.io.errors import FormatError, one_line
from lightnn.io.foreign import Numbers
from lightnn.io.npz import read_npz
from lightnn.io.safetensors import read_safetensors
from lightnn.io.torch_file import PICKLE, read_stream, read_zip
from lightnn.io.torch_tensors import Tensor
from lightnn.io.zipped import Archive

ZIP, PICKLES = (b"PK\3\4", b"PK\5\6"), tuple(bytes((0x80, version)) for version in (2, 3, 4, 5))
USUAL = ("state_dict", "model_state_dict", "model")  # where a checkpoint has the network
PLAIN = (str, bytes, int, float, type(None))


def read_state(path: str | os.PathLike, key: str | None = None, max_bytes: int | None = None) -> dict[str, np.ndarray]:
    """{name: array} of a .safetensors, .npz, .pt or .pth file, as `load_state_dict` takes it. PyTorch is not needed.

    The arrays have the shapes and dtypes of the file, in the machine's order of bytes; bfloat16, which NumPy lacks, is
    widened to float32 without a loss. Tensors that share a storage get a copy each.

    A checkpoint of PyTorch may hold more than the weights; `key` names the entry to look in. What is taken is the dict
    itself if it holds arrays and no dicts of arrays; else the only entry that is a dict of arrays; else the one that is
    called state_dict, model_state_dict or model. Numbers, texts and None beside the arrays that are taken (an epoch)
    are left out.

    FormatError says what is wrong and where: a damaged or foreign file, or a pickle that names anything but tensors,
    storages and containers; nothing is ever executed. Every length is checked before anything is allocated. max_bytes
    bounds the file, and what its arrays take in memory; the default is 4 GiB for the file, and for the arrays 16 MiB
    plus 4096 times the file, up to 4 GiB.
    """
    key = None if key is None else options.text("read_state: key", key)
    max_bytes = bound("read_state", max_bytes)
    data = read_bounded(path, max_bytes)
    room = room_for(len(data), max_bytes)
    try:
        found = _read(data, key, room)
        if (total := sum(array.size_bytes for array in found.values())) > room:
            raise FormatError(f"its arrays take {total} bytes, more than the {room} allowed")
        return {name: array.copy() for name, array in found.items()}
    except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError, struct.error) as error:
        raise FormatError(one_line(f"{path}: {error}")) from None


def _read(data, key, room):
    """{name: Numbers} of the file's bytes."""
    if data.startswith(ZIP):
        archive = Archive(data, room)
        if any(name.endswith(PICKLE) for name in archive.members):
            return _chosen(*read_zip(archive), key)
        found = read_npz(archive)
    elif data.startswith(PICKLES) and not (data[8:9] == b"{" and int.from_bytes(data[:8], "little") < len(data)):
        return _chosen(*read_stream(memoryview(data)), key)
    elif data[8:9] == b"{":
        found = read_safetensors(memoryview(data))
    else:
        raise FormatError(
            "want a .safetensors or .npz file, or one of torch.save(model.state_dict(), path); got one that begins "
            f"with {data[:9]!r}"
        )
    if key is not None:
        raise FormatError(f"want a checkpoint with the entry {key!r}; in this format there are arrays alone")
    return found


def _chosen(thing, place, key):
    """The arrays of a checkpoint that are to be taken: {name: Numbers}."""
    if not isinstance(thing, dict):
        raise FormatError(f"want a dict of tensors, as model.state_dict() is; got a {type(thing).__name__}")
    if key is not None:
        if not isinstance(thing.get(key), dict):
            raise FormatError(f"want a dict as the entry {key!r}; the entries are {_listed(thing)}")
        return _chosen(thing[key], place, None)
    values = {id(value): value for value in thing.values()}  # one may be there under many names: each is searched once
    holding = {number for number, value in values.items() if _holds_arrays(value)}
    inside = [name for name, value in thing.items() if id(value) in holding]
    if not inside and (_holds_arrays(thing) or not thing):
        return _arrays(thing, place)
    if len(inside) == 1 and not _holds_arrays(thing):
        return _arrays(thing[inside[0]], place)
    usual = [name for name in inside if name in USUAL]
    if len(usual) == 1:
        return _arrays(thing[usual[0]], place)
    if not inside:
        raise FormatError(f"want a dict of tensors, got one without any; its entries are {_listed(thing)}")
    raise FormatError(f"want one dict of tensors; key=... must say which of {_listed(inside)}")


def _holds_arrays(value):
    return isinstance(value, dict) and any(isinstance(v, Tensor) for v in value.values())


def _listed(names):
    some = ", ".join(repr(name) for name in list(names)[:20])
    return (some or "none") + (f" and {len(names) - 20} more" if len(names) > 20 else "")


def _arrays(table, place) -> dict[str, Numbers]:
    found = {}
    for name, value in table.items():
        if isinstance(value, PLAIN):
            continue
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise FormatError(f"want tensors with texts as names, got a {type(value).__name__} as {name!r}")
        try:
            found[name] = place(value)
        except FormatError as error:
            raise FormatError(f"in {name!r}: {error}") from None
    return found
