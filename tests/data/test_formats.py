"""lightnn/data/formats.py: what is read, and that no damaged file is read."""

import hashlib
import re
import tracemalloc

import numpy as np
import pytest

from lightnn.data.formats import check_sha256, read_cifar10, read_idx

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
