"""lightnn/data/formats.py: what is read, and that no damaged file is read."""

import gzip
import hashlib
import io
import pathlib
import re
import shutil
import tarfile
import tracemalloc

import numpy as np
import pytest

from lightnn.data.formats import check_sha256, read_cifar10, read_idx
from lightnn.files import FormatError

SHAPE = (5, 4, 3)


def test_idx_is_read_with_shape_and_checksum(idx_bytes, write_gz):
    raw = idx_bytes(SHAPE)
    values = read_idx(write_gz(raw), SHAPE, hashlib.sha256(raw).hexdigest())
    assert values.dtype == np.uint8
    assert values.shape == SHAPE
    assert values.tobytes() == raw[16:]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"magic": b"\0\0\x08\x01"}, "want the IDX magic number 0x00000803; got 0x00000801"),
        ({"magic": b"\0\0\x0d\x03"}, "want the IDX magic number 0x00000803; got 0x00000d03"),
        ({"dims": (5, 3, 4)}, r"want sizes (5, 4, 3) in the IDX header; got (5, 3, 4)"),
        ({"dims": (2**32 - 1, 4, 3)}, r"want sizes (5, 4, 3) in the IDX header; got (4294967295, 4, 3)"),
        ({"body": bytes(59)}, "want 76 bytes unpacked for sizes (5, 4, 3); got 75"),
        ({"body": bytes(61)}, "want 76 bytes unpacked; got more"),
    ],
)
def test_idx_wrong_content(idx_bytes, write_gz, changes, message):
    path = write_gz(idx_bytes(SHAPE, **changes))
    with pytest.raises(ValueError, match=re.escape(f"{path}: {message}")):
        read_idx(path, SHAPE)


@pytest.mark.parametrize("n_bytes", [0, 3, 15])
def test_idx_shorter_than_its_header(idx_bytes, write_gz, n_bytes):
    with pytest.raises(ValueError, match=f"want an IDX header of 16 bytes; got {n_bytes} bytes"):
        read_idx(write_gz(idx_bytes(SHAPE)[:n_bytes]), SHAPE)


def test_idx_wrong_checksum(idx_bytes, write_gz):
    raw = idx_bytes(SHAPE)
    got = hashlib.sha256(raw).hexdigest()
    with pytest.raises(ValueError, match=f"images: want SHA-256 {'0' * 64} of the unpacked bytes; got {got}"):
        read_idx(write_gz(raw), SHAPE, "0" * 64, "images")


def test_gzip_with_any_byte_flipped_is_an_error_or_harmless(idx_bytes, write_gz):
    raw = idx_bytes(SHAPE)
    path = write_gz(raw)
    packed = path.read_bytes()
    n_rejected = 0
    for i in range(len(packed)):
        path.write_bytes(packed[:i] + bytes((packed[i] ^ 0xFF,)) + packed[i + 1 :])
        try:
            values = read_idx(path, SHAPE)
        except ValueError:
            n_rejected += 1
        else:  # a byte of the gzip header that says nothing of the content, such as the time
            assert values.tobytes() == raw[16:]
            assert 4 <= i < 10
    assert n_rejected >= len(packed) - 6


def test_gzip_cut_anywhere_is_an_error(idx_bytes, write_gz):
    path = write_gz(idx_bytes(SHAPE))
    packed = path.read_bytes()
    for n in range(len(packed)):
        path.write_bytes(packed[:n])
        with pytest.raises(ValueError, match=f"want a whole gzip file; got one cut off after {n} bytes|IDX header"):
            read_idx(path, SHAPE)


def test_gzip_foreign_or_with_a_tail(idx_bytes, write_gz):
    path = write_gz(idx_bytes(SHAPE))
    path.write_bytes(path.read_bytes() + b"tail")
    with pytest.raises(ValueError, match="want one gzip stream; got 4 bytes after its end"):
        read_idx(path, SHAPE)
    path.write_bytes(b"<html>please log in</html>")
    with pytest.raises(ValueError, match="want a sound gzip file; got a damaged or foreign one"):
        read_idx(path, SHAPE)


def test_gzip_bomb_stops_at_the_wanted_size(write_gz):
    path = write_gz(bytes(50_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="want 76 bytes unpacked; got more"):
            read_idx(path, SHAPE)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 1_000_000


def test_check_sha256(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    check_sha256(path, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    with pytest.raises(ValueError, match="file: want SHA-256 00; got ba7816bf"):
        check_sha256(path, "00")


def test_cifar10_is_read(write_cifar):
    path, labels, images = write_cifar(n=4)
    x_train, y_train, x_test, y_test = read_cifar10(path, 4)
    np.testing.assert_array_equal(x_train, images[:5].reshape(20, 3, 32, 32))
    np.testing.assert_array_equal(y_train, labels[:5].ravel())
    np.testing.assert_array_equal(x_test, images[5])
    np.testing.assert_array_equal(y_test, labels[5])


def test_cifar10_wrong_content(write_cifar):
    path, _, _ = write_cifar(n=4, skip=2)
    with pytest.raises(ValueError, match=r"want all of .*; missing: cifar-10-batches-bin/data_batch_3\.bin$"):
        read_cifar10(path, 4)
    write_cifar(n=4, cut=1)
    with pytest.raises(
        ValueError, match=r"data_batch_1.bin: want a file of 12292 bytes \(4 records\); got 12291 bytes"
    ):
        read_cifar10(path, 4)
    write_cifar(n=4, labels_up_to=20)
    with pytest.raises(ValueError, match=r"want labels 0 to 9; got 1\d in record 0"):
        read_cifar10(path, 4)


def test_cifar10_damaged_archive(write_cifar):
    path, _, _ = write_cifar(n=4)
    packed = path.read_bytes()
    middle = len(packed) // 2
    for damaged in (
        b"",
        b"no archive",
        packed[:middle],
        packed[:middle] + bytes((packed[middle] ^ 0xFF,)) + packed[middle + 1 :],
    ):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"cifar-10-binary\.tar\.gz"):
            read_cifar10(path, 4)
    with pytest.raises(FileNotFoundError):
        read_cifar10(path.with_name("absent"), 4)


class Repeated(io.RawIOBase):
    """One byte, many times, as a file that takes no memory."""

    def __init__(self, count):
        self.left = count

    def readable(self):
        return True

    def readinto(self, buffer):
        count = min(len(buffer), self.left)
        buffer[:count] = bytes([97]) * count
        self.left -= count
        return count


def an_extension(kind, size, told=None):
    """The header of an extension of this kind, which says that it has `told` bytes, and its data."""
    head = tarfile.TarInfo("././@x")
    head.type, head.size = kind, size
    block = bytearray(head.tobuf(tarfile.GNU_FORMAT))
    if told is not None:
        block[124:136] = b"\x80" + told.to_bytes(11, "big")
        block[148:156] = b" " * 8
        block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


CRAFTED = {  # what comes before the archive: a header, and how many bytes
    "a pax header of 200 MB": (an_extension(b"x", 200_000_000), 200_000_000),
    "a global pax header of 200 MB": (an_extension(b"g", 200_000_000), 200_000_000),
    "a GNU name of 200 MB": (an_extension(b"L", 200_000_000), 200_000_000),
    "a GNU link of 200 MB": (an_extension(b"K", 200_000_000), 200_000_000),
    "a member of 300 MB": (an_extension(b"0", 300_000_000), 300_000_000),
    "300 MB of no archive": (b"", 300_000_000),
    "a name that is not there": (an_extension(b"L", 200_000_000), 0),
    "a size of 2^63": (an_extension(b"0", 0, 2**63), 512),
    "a name of 2^63": (an_extension(b"L", 0, 2**63), 512),
    "a pax header of 2^80": (an_extension(b"x", 0, 2**80), 512),
    "a size of 2^63 - 1": (an_extension(b"0", 0, 2**63 - 1), 512),
}


LONG = "a GNU link of 200 MB", "a member of 300 MB", "300 MB of no archive"


@pytest.mark.parametrize(
    "which", [pytest.param(which, marks=pytest.mark.thorough if which in LONG else ()) for which in CRAFTED]
)
def test_a_crafted_cifar10_archive_is_refused_within_64_mb(write_cifar, which):
    path, _, _ = write_cifar(n=4)
    whole, (head, count) = gzip.decompress(path.read_bytes()), CRAFTED[which]
    with gzip.open(path, "wb", compresslevel=1) as out:
        out.write(head)
        shutil.copyfileobj(Repeated(count), out, 2**20)
        out.write(whole)
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match=r"cifar-10-binary.tar.gz: want ") as caught:
            read_cifar10(path, 4)
        assert tracemalloc.get_traced_memory()[1] < 64e6 and str(caught.value).isprintable()
    finally:
        tracemalloc.stop()


def test_a_bomb_behind_the_last_member_is_refused(write_cifar):
    path, _, _ = write_cifar(n=4)
    whole = gzip.decompress(path.read_bytes())
    with gzip.open(path, "wb", compresslevel=1) as out:
        out.write(whole)
        shutil.copyfileobj(Repeated(300_000_000), out, 2**20)
    with pytest.raises(FormatError, match=r"cifar-10-binary.tar.gz: want "):
        read_cifar10(path, 4)


@pytest.mark.parametrize("records", ["22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n", "23 GNU.sparse.map=1,b,\n\n"])
def test_what_tarfile_raises_for_other_reasons_is_a_format_error_too(write_cifar, records):
    """A sparse file of GNU's: ValueError from int()."""
    path, _, _ = write_cifar(n=4)
    data = records.encode()
    head = an_extension(b"x", len(data)) + data + bytes(-len(data) % 512)
    path.write_bytes(gzip.compress(head + gzip.decompress(path.read_bytes())))
    with pytest.raises(FormatError, match=r"cifar-10-binary.tar.gz: want "):
        read_cifar10(path, 4)


@pytest.mark.parametrize("read", ["endless", "sparse"])
def test_idx_is_read_up_to_its_bound(tmp_path, read):
    path = tmp_path / "large.gz"
    if read == "sparse":
        with path.open("wb") as file:
            file.truncate(400_000_000)
    elif pathlib.Path("/dev/zero").exists():
        path.symlink_to("/dev/zero")
    else:
        pytest.skip("no /dev/zero")
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match=r"large.gz: want a gzip file; .*more than the \d+ (bytes )?allowed"):
            read_idx(path, (10, 28, 28))
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()
