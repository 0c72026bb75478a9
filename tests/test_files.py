"""lightnn/files.py: a file is there whole or not at all."""

import contextlib
import os
import stat
import subprocess
import sys
import threading
import tracemalloc

import numpy as np
import pytest

from lightnn import FormatError, inspect, load, nn, save
from lightnn.files import check_writable, read_at_most, write_atomically
from lightnn.io import read_state


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


def test_a_file_is_read_up_to_its_bound(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read_at_most(path, 5) == read_at_most(path, 2**40) == b"12345"
    with pytest.raises(ValueError, match=r"a: the file has 5 bytes, more than the 4 allowed"):
        read_at_most(path, 4)
    (tmp_path / "empty").write_bytes(b"")
    assert read_at_most(tmp_path / "empty", 0) == b""


@contextlib.contextmanager
def little_memory(extra=2**24):
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < extra
    finally:
        tracemalloc.stop()


def test_a_sparse_file_of_400_mb_is_refused_unread(tmp_path):
    path = tmp_path / "large.lnn"
    with open(path, "wb") as file:
        file.truncate(400_000_000)
    with little_memory():
        with pytest.raises(ValueError, match="has 400000000 bytes, more than the 1000 allowed"):
            read_at_most(path, 1000)
        for read in (load, inspect, read_state):
            with pytest.raises(FormatError, match="has 400000000 bytes, more than the 1000 allowed"):
                read(path, max_bytes=1000)


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no /dev/zero")
def test_an_endless_device_is_read_up_to_its_bound():
    with little_memory(2**26):
        with pytest.raises(ValueError, match="/dev/zero: it has more than the 1000 bytes allowed"):
            read_at_most("/dev/zero", 1000)
        with pytest.raises(ValueError, match="more than the 500 bytes"):
            read_at_most("/dev/zero", 2**40, most_of_a_stream=500)
        for read in (load, inspect, read_state):
            with pytest.raises(FormatError, match="more than the 1000 bytes"):
                read("/dev/zero", max_bytes=1000)
            with pytest.raises(FormatError, match="more than the 16777216 bytes"):
                read("/dev/zero")
    assert read_at_most("/dev/null", 0) == b""


@pytest.fixture
def fifo(tmp_path):
    """fifo(data): a pipe by name, into which another thread writes the data, as often as somebody reads it."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes")
    path, threads = tmp_path / "pipe", []
    os.mkfifo(path)

    def serve(data):
        def write():
            with contextlib.suppress(BrokenPipeError), open(path, "wb", buffering=0) as file:
                file.write(data)

        threads.append(threading.Thread(target=write, daemon=True))
        threads[-1].start()
        return path

    yield serve
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


def test_a_pipe_is_read_up_to_its_bound(fifo, tmp_path):
    assert read_at_most(fifo(b"x" * 5), 5) == b"x" * 5
    with pytest.raises(ValueError, match="pipe: it has more than the 1000 bytes allowed"):
        read_at_most(fifo(b"x" * 1_000_000), 1000)
    save(nn.Linear(3, 2, rng=0), tmp_path / "a.lnn")
    model = load(fifo((tmp_path / "a.lnn").read_bytes()))
    assert model.weight.data.tolist() == nn.Linear(3, 2, rng=0).weight.data.tolist()
    np.savez(tmp_path / "a.npz", **model.state_dict())
    assert read_state(fifo((tmp_path / "a.npz").read_bytes())).keys() == {"weight", "bias"}


WRITERS = [lambda path: write_atomically(path, b"new"), check_writable]


@pytest.mark.skipif(os.name == "nt", reason="POSIX's files")
@pytest.mark.parametrize("write", WRITERS, ids=["write", "check"])
@pytest.mark.parametrize("link", [False, True])
def test_a_device_or_a_pipe_is_not_replaced(tmp_path, write, link):
    os.mkfifo(tmp_path / "pipe")
    for path, kind in ((tmp_path / "pipe", "pipe"), ("/dev/null", "device"), ("/dev/zero", "device")):
        given = tmp_path / "link" if link else path
        if link:
            given.symlink_to(path)
        with pytest.raises(OSError, match=f"cannot write {given}: it is a {kind}"):
            write(given)
        if link:
            given.unlink()
    assert stat.S_ISFIFO(os.stat(tmp_path / "pipe").st_mode) and stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_what_it_points_to_is_written(tmp_path, there):
    (tmp_path / "folder").mkdir()
    target, link, second = tmp_path / "folder" / "target", tmp_path / "link", tmp_path / "second"
    if there:
        target.write_bytes(b"old")
    link.symlink_to("folder/target")
    second.symlink_to("link")
    check_writable(second)
    write_atomically(second, b"new")
    assert target.read_bytes() == b"new" and not target.is_symlink() and link.is_symlink() and second.is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["folder", "link", "second"] and os.listdir(target.parent) == ["target"]


@pytest.mark.parametrize("write", WRITERS, ids=["write", "check"])
def test_a_circle_of_links_or_no_name_is_an_error(tmp_path, write, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="cannot write a: "):
        write("a")
    with pytest.raises(OSError, match="cannot write '': want the name of a file"):
        write("")
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


def test_what_a_killed_process_left_is_removed(tmp_path):
    code = (
        "import os, sys; from lightnn import files\n"
        "os.replace = lambda *a: os.kill(os.getpid(), 9)\n"
        "files.write_atomically(sys.argv[1], b'x')"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.lnn")], timeout=120)
    (left,) = os.listdir(tmp_path)
    assert left.startswith(".lightnn-") and left.endswith(".part")
    mine = tmp_path / f".lightnn-{os.getpid()}-x.part"
    others = [tmp_path / ".lightnn-notes.txt", tmp_path / ".lightnn-.part", mine, tmp_path / "a.part"]
    for path in others:
        path.write_bytes(b"kept")  # of a process that runs, or not ours
    write_atomically(tmp_path / "b.lnn", b"x")
    assert sorted(os.listdir(tmp_path)) == sorted(["b.lnn", *(path.name for path in others)])
    os.utime(mine, (0, 0))  # that old, it is no running process's, whoever has its number today
    write_atomically(tmp_path / "b.lnn", b"x")
    assert not mine.exists()


def test_the_data_are_on_the_disk_before_the_name_is(tmp_path, monkeypatch):
    order = []

    def spy(name, does):
        def call(*args):
            order.append((name, os.fstat(args[0]).st_size if name == "fsync" else os.path.basename(args[1])))
            return does(*args)

        monkeypatch.setattr(os, name, call)

    spy("fsync", os.fsync)
    spy("replace", os.replace)
    write_atomically(tmp_path / "a.lnn", b"12345")
    assert order == [("fsync", 5), ("replace", "a.lnn")]
