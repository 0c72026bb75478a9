"""Building a network without its numbers.

Within `shapes_only(most)`, the arrays that `lightnn.nn.init` makes have a shape but take no memory, and they are
counted: the one after `most` is a ValueError. So whoever builds a network from a file that may be hostile knows all its
shapes before anything is allocated.
"""

import contextlib
import contextvars
import itertools

import numpy as np

_sketch = contextvars.ContextVar("lightnn_sketch", default=None)  # (a counter of arrays, the most) within shapes_only


@contextlib.contextmanager
def shapes_only(most: int):
    """Within this context networks get shapes instead of numbers, of at most `most` arrays in all."""
    token = _sketch.set((itertools.count(1), most))
    try:
        yield
    finally:
        _sketch.reset(token)


def array_of(shape: tuple, value: float) -> np.ndarray | None:
    """In a sketch, a read-only float32 array that repeats the value and takes no memory; else None."""
    if (now := _sketch.get()) is None:
        return None
    counter, most = now
    if next(counter) > most:
        raise ValueError(f"the network has more than {most} arrays")
    return np.broadcast_to(np.float32(value), shape)
