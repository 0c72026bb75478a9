"""The project's folder; files that are written completely or not at all, and read up to a bound."""

import contextlib
import os
import pathlib
import re
import stat
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]  # holds lightnn/, in a clone also chapters/ and tests/
IN_CLONE = (ROOT / "chapters").is_dir() and (ROOT / "tests").is_dir()  # else the package alone was installed
WORK = (ROOT if IN_CLONE else pathlib.Path.cwd()) / "work"  # what the reader writes
STALE = 86_400  # seconds after which a temporary file belongs to no running process, whatever its number


def need_clone(what: str) -> None:
    """ValueError unless this is a clone of the repository, which has what an installed package lacks."""
    if not IN_CLONE:
        raise ValueError(f"{what} are not in the installed package: want a clone of the repository")


class FormatError(ValueError):
    """The file is not one that this version can read; the message says what is wrong and where."""


def one_line(text: object, most: int = 400) -> str:
    """The text with whatever does not print replaced, and cut where it is too long: files may hold anything."""
    text = "".join(c if c.isprintable() else "?" for c in str(text))
    return text if len(text) <= most else text[:most] + " ..."


def write_atomically(path: str | os.PathLike, data: bytes) -> None:
    """Write the data under a temporary name in the same folder, then rename it to path.

    Whatever happens, a file that was at path is either untouched or replaced. A symbolic link stays, and what it points
    to is written. Temporary files that a killed process left in the folder are removed. OSError names what it can't
    write: a missing folder, a full disk, a path that is a folder, a device or a pipe.
    """
    with _writing(path):
        target = _target(path)
        _remove_left_over(target.parent)
        handle, temporary = _temporary(target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())  # on the disk before its name is: a power cut leaves the old file or the new
            os.chmod(temporary, 0o666 & ~_umask())
            os.replace(temporary, target)
        finally:
            pathlib.Path(temporary).unlink(missing_ok=True)


def check_writable(path: str | os.PathLike) -> None:
    """OSError unless a file can be written at path. To be called before hours of work, not after."""
    with _writing(path):
        target = _target(path)
        handle, temporary = _temporary(target.parent)
        os.close(handle)
        os.unlink(temporary)


def read_at_most(path: str | os.PathLike, most: int, most_of_a_stream: int | None = None) -> bytes:
    """The file's bytes, at most `most` of them; of what is no regular file, such as a pipe or /dev/zero, at most
    most_of_a_stream. ValueError if there are more; never more than that is read."""
    with open(path, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            most = most if most_of_a_stream is None else min(most, most_of_a_stream)
        elif status.st_size > most:
            raise ValueError(f"{path}: the file has {status.st_size} bytes, more than the {most} allowed")
        else:
            most = status.st_size
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"{path}: it has more than the {most} bytes allowed")
    return data


def _target(path):
    """What path leads to through symbolic links. OSError unless a file is or can be there."""
    if not str(path):
        raise OSError("want the name of a file")
    target = pathlib.Path(os.path.realpath(path))
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        mode = os.stat(target).st_mode
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "a pipe" if stat.S_ISFIFO(mode) else "a device"
            raise OSError(f"it is {kind}")
    return target


@contextlib.contextmanager
def _writing(path):
    try:
        yield
    except OSError as error:
        raise OSError(f"cannot write {str(path) or repr('')}: {error.strerror or error}") from None


def _temporary(folder):
    return tempfile.mkstemp(dir=folder, prefix=f".lightnn-{os.getpid()}-", suffix=".part")


def _remove_left_over(folder):
    """Remove the temporary files of processes that are gone."""
    for path in folder.glob(".lightnn-*.part"):
        made_by = re.match(r"\.lightnn-(\d+)-", path.name)
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > STALE or (made_by and not _runs(int(made_by[1]))):
                path.unlink()


def _runs(process):
    """Whether a process of this number runs, as far as one can tell."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
