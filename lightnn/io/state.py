"""What a file to go on training holds beside the stored form of a compressed weight.

For a Parameter with `values` or `support`: its latent array, then each array of the state of its transforms, in the
order of the module tree; each a form and its numbers (see parts), with n, n... its shape before it.
"""

import numpy as np

from lightnn.io.arrays import read_shape, write_shape
from lightnn.io.cursor import Reader, Writer
from lightnn.io.errors import FormatError
from lightnn.io.parts import read_part, write_part
from lightnn.nn import Parameter

PART = "training state"


def _slots(p: Parameter):
    """(owner, attribute) of the latent array and of each array of p's transforms; none for a plain weight."""
    transforms = [t for _, t in p.members()]
    own = [(p, "data")] if transforms else []
    return own + [(owner, attribute) for t in transforms for _, owner, attribute in t._slots()]


def write_training_state(out: Writer, p: Parameter) -> None:
    for owner, attribute in _slots(p):
        a = np.asarray(getattr(owner, attribute))
        write_shape(out, a.shape)
        write_part(out, a)


def read_training_state(reader: Reader, p: Parameter, room: int) -> None:
    """Put the latent array and the transforms' state into p, which has them as a file to run would give them."""
    for owner, attribute in _slots(p):
        like = np.asarray(getattr(owner, attribute))
        if (shape := read_shape(reader, PART)) != like.shape:
            raise FormatError(f"training state: want an array of shape {like.shape}, got {shape}")
        a = read_part(reader, PART, shape, 2 * room + 64)
        if not np.can_cast(a.dtype, like.dtype, "same_kind") and a.dtype.kind + like.dtype.kind not in ("iu", "ui"):
            raise FormatError(f"training state: want {like.dtype} numbers, got {a.dtype}")
        setattr(owner, attribute, np.array(a, like.dtype))
