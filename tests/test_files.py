"""lightnn/files.py: a file is there whole or not at all."""

import os

import pytest

from lightnn.files import check_writable, write_atomically


def test_a_file_is_written_and_replaced_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "a b.lnn"
    for data in (b"", b"old", b"something new"):
        write_atomically(path, data)
        assert path.read_bytes() == data
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("step", ["fdopen", "chmod", "replace"])
def test_whatever_fails_the_old_file_stays_as_it_was(tmp_path, monkeypatch, step, error):
    path = tmp_path / "a.lnn"
    path.write_bytes(b"old")

    def fail(handle, *args):
        if isinstance(handle, int):
            os.close(handle)
        raise error

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(error)) as caught:
        write_atomically(path, b"new")
    if isinstance(error, OSError):
        assert str(caught.value) == f"cannot write {path}: No space left on device"
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["a.lnn"]


@pytest.mark.parametrize("write", [lambda path: write_atomically(path, b"x"), check_writable])
@pytest.mark.parametrize("where", ["missing/a.lnn", "file/a.lnn", "folder"])
def test_a_place_that_can_not_be_written_is_named(tmp_path, where, write):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=f"cannot write .*{where}: [a-zA-Z ]+"):
        write(tmp_path / where)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"] and not os.listdir(tmp_path / "folder")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_write_permission_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OSError, match=r"cannot write .*Permission denied"):
        check_writable(tmp_path / "a.lnn")
    tmp_path.chmod(0o700)


def test_asking_leaves_no_trace(tmp_path):
    check_writable(tmp_path / "new.lnn")
    assert not os.listdir(tmp_path)
    (tmp_path / "old.lnn").write_bytes(b"old")
    check_writable(tmp_path / "old.lnn")
    assert (tmp_path / "old.lnn").read_bytes() == b"old" and len(os.listdir(tmp_path)) == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows limits the whole path")
@pytest.mark.parametrize("write", [lambda path: write_atomically(path, b"x"), check_writable])
def test_a_name_as_long_as_the_system_allows_is_a_good_name(tmp_path, write):
    write(tmp_path / ("n" * 255))


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_the_file_has_the_permissions_of_any_new_file(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write_atomically(tmp_path / "a.lnn", b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "a.lnn").stat().st_mode & 0o777 == mode
