"""Weight transforms, a file each: base.py has the contract, every other file one technique.

A file in this folder is found by itself: what it names in `__all__` is in `lightnn.compress` too, and its classes are
registered by `@transform("kind")`. CONTRIBUTING.md, "Add a technique", is the walk.
"""

import importlib
import pkgutil

from lightnn.compress.transforms.base import (
    SUPPORTS,
    VALUES,
    Encoded,
    Transform,
    decode,
    decode_parameter,
    encode,
    transform,
)

__all__ = ["SUPPORTS", "VALUES", "Encoded", "Transform", "decode", "decode_parameter", "encode", "transform"]

for _file in pkgutil.iter_modules(__path__):
    _module = importlib.import_module(f"{__name__}.{_file.name}")
    for _name in getattr(_module, "__all__", ()):
        globals()[_name] = getattr(_module, _name)
        __all__ += [_name]
