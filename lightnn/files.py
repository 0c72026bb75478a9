"""The project's folder, and files that are written completely or not at all."""

import os
import pathlib
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]  # holds lightnn/, chapters/, tests/


def write_atomically(path: str | os.PathLike, data: bytes) -> None:
    """Write the data under a temporary name in the same folder, then rename it to path.

    Whatever happens, a file that was at path is either untouched or replaced. OSError names what it can't write.
    """
    path = pathlib.Path(path)
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".lightnn-", suffix=".part")
    except OSError as error:
        raise OSError(f"cannot write {path}: {error.strerror}") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        raise OSError(f"cannot write {path}: {error.strerror}") from None
    finally:
        pathlib.Path(temporary).unlink(missing_ok=True)


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def check_writable(path: str | os.PathLike) -> None:
    """OSError unless a file can be written at path. To be called before hours of work, not after."""
    path = pathlib.Path(path)
    if path.is_dir():
        raise OSError(f"cannot write {path}: it is a folder")
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".lightnn-", suffix=".part")
    except OSError as error:
        raise OSError(f"cannot write {path}: {error.strerror}") from None
    os.close(handle)
    os.unlink(temporary)
