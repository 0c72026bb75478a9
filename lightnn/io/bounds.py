"""How much of a file is read and how much it may unfold to: one rule for all formats that are not sized by themselves.

Without a bound of the user's, a file may have 4 GiB, what is no regular file (a pipe, a device) 16 MiB, and the arrays
in it 16 MiB and 4096 times the file, at most 4 GiB.
"""

import os

from lightnn import options
from lightnn.files import read_at_most
from lightnn.io.errors import FormatError

MOST, MOST_OF_A_STREAM = 2**32, 2**24


def bound(name: str, max_bytes: int | None) -> int | None:
    """The option max_bytes of the function `name`, checked."""
    return None if max_bytes is None else options.count(f"{name}: max_bytes", max_bytes, 0, options.WIDEST)


def read_bounded(path: str | os.PathLike, max_bytes: int | None) -> bytes:
    """The file's bytes. FormatError if there are more than max_bytes, of which no more are read."""
    try:
        return read_at_most(path, MOST if max_bytes is None else max_bytes, most_of_a_stream=MOST_OF_A_STREAM)
    except ValueError as error:
        raise FormatError(str(error)) from None


def room_for(size: int, max_bytes: int | None) -> int:
    """The bytes to which a file of this size may unfold."""
    return min(MOST, MOST_OF_A_STREAM + 4096 * size) if max_bytes is None else max_bytes
