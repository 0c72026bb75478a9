"""The two file formats of the data sets, read by hand: IDX (MNIST, Fashion-MNIST) and CIFAR-10's binary records.

Every length is checked before anything of that length is allocated. Every error names the file, what was wanted and
what it has.
"""

import gzip
import hashlib
import math
import struct
import tarfile
import zlib
from pathlib import Path

import numpy as np

from lightnn.files import FormatError, one_line, read_at_most

IDX_UBYTE = 0x08  # the IDX code of an unsigned byte, the only element type that these data sets use
CIFAR_SHAPE = (3, 32, 32)  # one image: red, green and blue plane, each of 32 rows of 32 pixels
CIFAR_RECORD_BYTES = 1 + math.prod(CIFAR_SHAPE)  # a label, then the image
CIFAR_MEMBERS = tuple(
    f"cifar-10-batches-bin/{name}.bin" for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")
)

# What gzip and tarfile raise for bytes that they can't read: besides their own errors, those of int, decode and unpack.
DAMAGE = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError, ArithmeticError, LookupError, TypeError)
DAMAGE += (RecursionError, struct.error)


def read_idx(path: Path, shape: tuple[int, ...], sha256: str | None = None, where: str | None = None) -> np.ndarray:
    """Read a gzipped IDX file of unsigned bytes; return a read-only uint8 array of exactly `shape`.

    sha256: of the *unpacked* bytes, hexadecimal; None skips that check. The same data may come in several .gz files.
    where: the file's name in errors (default: its path).
    Raises FormatError when the gzip stream is damaged, or magic number, sizes, length or checksum are not as wanted.
    """
    where = where or str(path)
    header_bytes = 4 + 4 * len(shape)
    wanted_bytes = header_bytes + math.prod(shape)
    raw = _gunzip(_read(path, wanted_bytes + 2**20, where), wanted_bytes, where)  # gzip adds a thousandth at most
    if len(raw) < header_bytes:
        raise FormatError(f"{where}: want an IDX header of {header_bytes} bytes; got {len(raw)} bytes")
    magic = bytes((0, 0, IDX_UBYTE, len(shape)))
    if raw[:4] != magic:
        raise FormatError(f"{where}: want the IDX magic number 0x{magic.hex()}; got 0x{raw[:4].hex()}")
    dims = struct.unpack(f">{len(shape)}I", raw[4:header_bytes])
    if dims != shape:
        raise FormatError(f"{where}: want sizes {shape} in the IDX header; got {dims}")
    if len(raw) != wanted_bytes:
        raise FormatError(f"{where}: want {wanted_bytes} bytes unpacked for sizes {shape}; got {len(raw)}")
    got = hashlib.sha256(raw).hexdigest()
    if sha256 is not None and got != sha256:
        raise FormatError(f"{where}: want SHA-256 {sha256} of the unpacked bytes; got {got}")
    return np.frombuffer(raw, np.uint8, offset=header_bytes).reshape(shape)


def _read(path, most, where):
    try:
        return read_at_most(path, most)
    except ValueError as error:
        raise FormatError(f"{where}: want a gzip file; {error}") from None


def _gunzip(packed: bytes, max_bytes: int, where: str) -> bytes:
    """Unpack one gzip stream of at most `max_bytes`: a bomb stops there, and zlib checks the CRC-32 and the length."""
    stream = zlib.decompressobj(wbits=31)  # 31 = 16 + 15: a gzip header and the largest window
    try:
        raw = stream.decompress(packed, max_bytes + 1)
    except zlib.error as error:
        raise FormatError(f"{where}: want a sound gzip file; got a damaged or foreign one ({error})") from None
    if len(raw) > max_bytes:
        raise FormatError(f"{where}: want {max_bytes} bytes unpacked; got more")
    if not stream.eof:
        raise FormatError(f"{where}: want a whole gzip file; got one cut off after {len(packed)} bytes")
    if stream.unused_data:
        raise FormatError(f"{where}: want one gzip stream; got {len(stream.unused_data)} bytes after its end")
    return raw


def check_sha256(path: Path, sha256: str, where: str | None = None) -> None:
    """Raise ValueError unless the file's SHA-256 (hexadecimal) is `sha256`. `where`: its name in the error."""
    with path.open("rb") as file:
        got = hashlib.file_digest(file, "sha256").hexdigest()
    if got != sha256:
        raise FormatError(f"{where or path}: want SHA-256 {sha256}; got {got}")


def read_cifar10(path: Path, n_per_file: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Read cifar-10-binary.tar.gz; return x_train (5n, 3, 32, 32), y_train (5n,), x_test, y_test (n, ...), uint8.

    n = n_per_file, 10,000 in the real archive. Nothing is extracted to disk and no pickle is read.
    Raises FormatError when the archive is damaged, a member is missing or of the wrong size, or a label is above 9.
    """
    records = {}
    try:
        with gzip.open(path) as unpacked:
            stream = _Bounded(unpacked, n_per_file * CIFAR_RECORD_BYTES)
            with tarfile.open(fileobj=stream, mode="r:") as tar:
                for member in tar:  # in the archive's order: looking members up by name would unpack everything twice
                    if member.name in CIFAR_MEMBERS:
                        records[member.name] = _read_records(tar, member, n_per_file, f"{path}, member {member.name}")
                while stream.read(1 << 20):  # to the end, where gzip compares its CRC-32
                    pass
    except FormatError:
        raise
    except DAMAGE as error:
        raise FormatError(
            f"{path}: want a sound .tar.gz archive; got a damaged or foreign one ({one_line(error)})"
        ) from None
    if missing := [name for name in CIFAR_MEMBERS if name not in records]:
        raise FormatError(f"{path}: want all of {', '.join(CIFAR_MEMBERS)}; missing: {', '.join(missing)}")
    *train, test = (records[name] for name in CIFAR_MEMBERS)
    train = np.concatenate(train)
    x_train, x_test = (part[:, 1:].reshape(-1, *CIFAR_SHAPE) for part in (train, test))
    return x_train, train[:, 0], x_test, test[:, 0]


class _Bounded:
    """An unpacked archive of a few members of `member` bytes: more at once, or much more in all, is refused before it
    is read. (A name in a tar file may claim to have 200 MB.)"""

    def __init__(self, stream, member: int):
        self.stream, self.at_once = stream, member + 2**20
        self.in_all = (len(CIFAR_MEMBERS) + 1) * self.at_once

    def read(self, count: int) -> bytes:
        self._check(count, self.at_once, "at once")
        self._check(self.stream.tell() + count, self.in_all + self.at_once, "in all")
        return self.stream.read(count)

    def seek(self, position: int) -> int:
        self._check(position, self.in_all, "in all")
        return self.stream.seek(position)

    def tell(self) -> int:
        return self.stream.tell()

    def _check(self, count, most, when):
        if not 0 <= count <= most:
            raise tarfile.ReadError(f"it wants to unpack {count} bytes {when}, more than {most}")


def _read_records(tar: tarfile.TarFile, member: tarfile.TarInfo, n: int, where: str) -> np.ndarray:
    """Records of one member, uint8 (n, 3073): the label, then 1024 red, 1024 green and 1024 blue pixels."""
    wanted_bytes = n * CIFAR_RECORD_BYTES
    if not member.isfile() or member.size != wanted_bytes:
        raise FormatError(f"{where}: want a file of {wanted_bytes} bytes ({n} records); got {member.size} bytes")
    records = np.frombuffer(tar.extractfile(member).read(), np.uint8).reshape(n, CIFAR_RECORD_BYTES)
    bad = np.flatnonzero(records[:, 0] > 9)
    if bad.size:
        raise FormatError(f"{where}: want labels 0 to 9; got {records[bad[0], 0]} in record {bad[0]}")
    return records
