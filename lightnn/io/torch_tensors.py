"""The tensors in PyTorch's pickles: every name that such a pickle may have, and what stands for it here.

In the object's pickle a storage is a persistent id, ("storage", type, key, device, length), and in the stream format
after that None or (key of a view, its offset, its length). A tensor is a function applied to its storage,

    torch._utils._rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks[, metadata])
    torch._utils._rebuild_tensor_v3(storage, offset, shape, strides, requires_grad, hooks, dtype[, metadata])

with offset and strides in numbers. The functions are those of PyTorch's torch/_utils.py.
"""

from dataclasses import dataclass, replace

import numpy as np

from lightnn.io.errors import FormatError
from lightnn.io.foreign import BFLOAT16, Numbers, numbers
from lightnn.io.pickle_opcodes import Function, set_items

DTYPES = {"uint8": "u1", "int8": "i1", "int16": "<i2", "int32": "<i4", "int64": "<i8", "float16": "<f2"}
DTYPES |= {"float32": "<f4", "float64": "<f8", "bool": "?", "complex64": "<c8", "complex128": "<c16"}
DTYPES |= {"uint16": "<u2", "uint32": "<u4", "uint64": "<u8"}
DTYPES = {name: np.dtype(code) for name, code in DTYPES.items()} | {"bfloat16": BFLOAT16}
STORAGES = {"Byte": "uint8", "Char": "int8", "Short": "int16", "Int": "int32", "Long": "int64", "Half": "float16"}
STORAGES |= {"Float": "float32", "Double": "float64", "Bool": "bool", "BFloat16": "bfloat16"}
STORAGES |= {"ComplexFloat": "complex64", "ComplexDouble": "complex128"}


@dataclass(frozen=True)
class Dtype:
    """A dtype, as torch.uint16 or by the type of a storage; None for the storage of bytes that are of no type."""

    dtype: np.dtype | None


@dataclass(frozen=True)
class Storage:
    dtype: np.dtype | None
    key: str
    count: int  # of all its numbers; of bytes if it has no dtype
    first: int = 0
    seen: int | None = None  # how many of them a view sees, from `first` on; None: all

    @property
    def itemsize(self):
        return self.dtype.itemsize if self.dtype else 1


@dataclass(frozen=True)
class Tensor:
    storage: Storage
    dtype: np.dtype
    offset: int
    shape: tuple
    strides: tuple

    def within(self, data: memoryview, big_endian: bool = False) -> Numbers:
        """The tensor, as an array in its storage's bytes."""
        s, dtype = self.storage, self.dtype.newbyteorder(">") if big_endian else self.dtype
        if s.seen is not None:
            data = data[s.first * s.itemsize : (s.first + s.seen) * s.itemsize]
        return numbers(dtype, self.shape, data, self.strides, self.offset)


def _check(arguments, *forms):
    """FormatError unless the arguments are of one of these forms, each a tuple of types."""
    for types in forms:
        if len(arguments) == len(types) and all(isinstance(a, t) for a, t in zip(arguments, types)):
            return
    came = ", ".join(type(a).__name__ for a in arguments[:10])
    raise FormatError(
        f"want the arguments {' or '.join(str([t.__name__ for t in types]) for types in forms)}; got {came}"
    )


def _ordered_dict(arguments):
    _check(arguments, (), (list,))
    items = arguments[0] if arguments else []
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in items):
        raise FormatError("want pairs of a name and a value in an OrderedDict, got others")
    return set_items({}, [value for pair in items for value in pair])


def _size(arguments):
    _check(arguments, (tuple,))
    return arguments[0]


def _tensor(arguments):
    _check(arguments[:4], (Storage, int, tuple, tuple))
    storage = arguments[0]
    if storage.dtype is None:
        raise FormatError("want a storage of a dtype for this tensor, got one of bytes")
    return _made(arguments, storage.dtype, arguments[6:])


def _tensor_of_dtype(arguments):
    _check(arguments[:4], (Storage, int, tuple, tuple))
    _check(arguments[6:7], (Dtype,))
    if arguments[6].dtype is None:
        raise FormatError("want the dtype of a tensor, got none")
    return _made(arguments, arguments[6].dtype, arguments[7:])


def _made(arguments, dtype, metadata):
    storage, offset, shape, strides = arguments[:4]
    if any(metadata):
        raise FormatError("a tensor that is to be conjugated or negated when it is read; want tensor.resolve_conj()")
    return Tensor(storage, dtype, offset, shape, strides)


def _parameter(arguments):
    _check(arguments[:1], (Tensor,))
    return arguments[0]


NAMES = {
    "collections.OrderedDict": Function(_ordered_dict),
    "torch.Size": Function(_size),
    "torch._utils._rebuild_tensor": Function(_tensor),
    "torch._utils._rebuild_tensor_v2": Function(_tensor),
    "torch._utils._rebuild_tensor_v3": Function(_tensor_of_dtype),
    "torch._utils._rebuild_parameter": Function(_parameter),
    "torch._utils._rebuild_parameter_with_state": Function(_parameter),
    "torch.storage.UntypedStorage": Dtype(None),
    **{f"torch.{name}": Dtype(dtype) for name, dtype in DTYPES.items()},
    **{f"torch.{name}Storage": Dtype(DTYPES[dtype]) for name, dtype in STORAGES.items()},
    **{f"torch.cuda.{name}Storage": Dtype(DTYPES[dtype]) for name, dtype in STORAGES.items()},
}


class Storages:
    """The storages that a pickle names by persistent ids of `length` parts."""

    def __init__(self, length: int):
        self.length, self.known = length, {}

    def find(self, name: object) -> Storage:
        if type(name) is not tuple or len(name) != self.length or name[0] != "storage":
            raise FormatError(f"want a storage of {self.length} parts as persistent id, got something else")
        _check(name[1:5], (Dtype, str, str, int))
        _, kind, key, _, count = name[:5]
        if not 0 <= count < 2**48:
            raise FormatError(f"want a storage of 0 to 2^48 numbers, got {count}")
        storage = self.known.setdefault(key, Storage(kind.dtype, key, count))
        if (storage.dtype, storage.count) != (kind.dtype, count):
            raise FormatError(f"the storage {key!r} is described in two ways")
        return storage if self.length < 6 or name[5] is None else _view(storage, name[5])


def _view(storage, view):
    """A part of a storage, as files of before PyTorch 0.4 have them: (key of the view, its offset, its length)."""
    if type(view) is not tuple:
        raise FormatError("want a view of a storage that is a tuple, got another")
    _check(view, (str, int, int))
    _, first, seen = view
    if not (min(first, seen) >= 0 and first + seen <= storage.count):
        raise FormatError(f"want a view within the {storage.count} numbers of the storage {storage.key!r}, got another")
    return replace(storage, first=first, seen=seen)
