"""Networks, by torchvision's names where it has them; one file a family.

A file of this folder offers what its `__all__` lists: to add a family, add a file, and put `@architecture` above each
function that builds one of its networks.
"""

import importlib
import pkgutil

__all__ = []

for _file in pkgutil.iter_modules(__path__):
    _family = importlib.import_module(f"{__name__}.{_file.name}")
    for _name in _family.__all__:
        globals()[_name] = getattr(_family, _name)
        __all__.append(_name)
__all__.sort()
