"""lightnn/data/fetch.py: found first, else downloaded whole, else one clear error and nothing left behind."""

import http.client
import io
import urllib.request
from email.message import Message

import pytest

from lightnn.data import DataNotFoundError
from lightnn.data.fetch import Source, download, obtain

SOURCE = Source("Toy", "toy", "https://toy.example", ("https://a.example/", "https://b.example/"), ("one.gz", "two.gz"))


class Response(io.BytesIO):
    """What urlopen returns: a body with headers. After the body, `then` is raised if given."""

    def __init__(self, body, then=None, headers=True):
        super().__init__(body)
        self.then, self.headers = then, Message()
        if headers:
            self.headers["Content-Length"] = str(len(body))

    def read(self, n_bytes=-1):
        block = super().read(n_bytes)
        if not block and self.then is not None:
            raise self.then
        return block


@pytest.fixture
def serve(monkeypatch):
    """Function: answer urlopen from {url: Response or exception}; returns the list of urls asked for."""

    def start(answers):
        asked = []

        def urlopen(url, timeout):
            assert timeout > 0
            asked.append(url)
            answer = answers.get(url, OSError("unreachable"))
            if isinstance(answer, BaseException):
                raise answer
            return answer

        monkeypatch.setattr(urllib.request, "urlopen", urlopen)
        return asked

    return start


def accept(path, name, where):
    """Verifies anything."""


def reject(path, name, where):
    raise ValueError(f"{where}: not the wanted {name}")


def files_under(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_download_from_a_real_url(monkeypatch, tmp_path):
    monkeypatch.undo()  # the true urlopen, on a file:// address
    body = bytes(range(256)) * 1000
    (tmp_path / "source").write_bytes(body)
    seen = []
    target = tmp_path / "new" / "folder" / "target"
    download((tmp_path / "source").as_uri(), target, lambda path, name, where: seen.append((path.read_bytes(), name)))
    assert seen == [(body, "target")]
    assert files_under(target.parent) == [target]
    assert target.read_bytes() == body


def test_download_without_a_content_length(serve, tmp_path):
    serve({"https://a.example/x": Response(b"body", headers=False)})
    download("https://a.example/x", tmp_path / "x", accept)
    assert (tmp_path / "x").read_bytes() == b"body"


@pytest.mark.parametrize(
    "error", [OSError("line cut"), http.client.IncompleteRead(b""), TimeoutError(), KeyboardInterrupt(), MemoryError()]
)
@pytest.mark.parametrize("target_exists", [False, True])
def test_failure_midway_leaves_nothing_behind(serve, tmp_path, error, target_exists):
    target = tmp_path / "x"
    if target_exists:
        target.write_bytes(b"old")
    serve({"https://a.example/x": Response(bytes(200_000), then=error)})
    with pytest.raises(type(error)):
        download("https://a.example/x", target, accept)
    assert files_under(tmp_path) == ([target] if target_exists else [])
    if target_exists:
        assert target.read_bytes() == b"old"


def test_rejected_content_leaves_nothing_behind(serve, tmp_path):
    serve({"https://a.example/x": Response(b"body")})
    with pytest.raises(ValueError, match=r"https://a\.example/x: not the wanted x"):
        download("https://a.example/x", tmp_path / "x", reject)
    assert files_under(tmp_path) == []


def test_interrupt_during_obtain_goes_through(serve, cache, no_data_variable):
    serve({"https://a.example/one.gz": Response(b"body", then=KeyboardInterrupt())})
    with pytest.raises(KeyboardInterrupt):
        obtain(SOURCE, accept)
    assert files_under(cache) == []


def test_files_are_found_in_order(serve, cache, tmp_path, monkeypatch):
    asked = serve({})
    monkeypatch.setenv("LIGHTNN_DATA", str(tmp_path / "data"))
    folders = [cache / "toy", tmp_path / "data", tmp_path / "data" / "toy"]
    for folder in folders:  # from the last choice to the first
        folder.mkdir(parents=True, exist_ok=True)
        for name in SOURCE.files:
            (folder / name).write_bytes(b"here")
        assert obtain(SOURCE, reject) == {name: folder / name for name in SOURCE.files}
    assert asked == []


def test_only_what_is_missing_is_downloaded_and_only_once(serve, cache, tmp_path, monkeypatch):
    monkeypatch.setenv("LIGHTNN_DATA", str(tmp_path))
    (tmp_path / "one.gz").write_bytes(b"1")
    asked = serve({"https://a.example/two.gz": Response(b"2")})
    wanted = {"one.gz": tmp_path / "one.gz", "two.gz": cache / "toy" / "two.gz"}
    assert obtain(SOURCE, accept) == wanted
    assert obtain(SOURCE, accept) == wanted
    assert asked == ["https://a.example/two.gz"]
    assert wanted["two.gz"].read_bytes() == b"2"


def test_second_address_is_tried(serve, cache, no_data_variable):
    serve({f"https://b.example/{name}": Response(name.encode()) for name in SOURCE.files})
    assert [path.read_bytes() for path in obtain(SOURCE, accept).values()] == [b"one.gz", b"two.gz"]


def test_offline_error_says_everything(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("LIGHTNN_DATA", str(tmp_path / "data"))
    with pytest.raises(FileNotFoundError) as caught:
        obtain(SOURCE, accept)
    assert caught.type is DataNotFoundError
    assert caught.value.__cause__ is None
    message = str(caught.value)
    for part in (
        "Toy is not on this computer and could not be downloaded",
        "missing: one.gz, two.gz",
        str(tmp_path / "data" / "toy"),
        str(cache / "toy"),
        "tried https://a.example/one.gz: <urlopen error network is off>",
        "tried https://b.example/one.gz: <urlopen error network is off>",
        "get the missing files from https://a.example/ or https://b.example/",
        "$LIGHTNN_DATA/toy",
    ):
        assert part in message
    assert files_under(tmp_path) == []


def test_bad_download_is_told_as_the_reason(serve, cache, no_data_variable):
    serve({f"{prefix}one.gz": Response(b"<html>") for prefix in SOURCE.prefixes})
    with pytest.raises(DataNotFoundError, match=r"tried https://a\.example/one\.gz: .*not the wanted one\.gz"):
        obtain(SOURCE, reject)
    assert files_under(cache) == []


def test_cache_that_can_not_be_made_is_told_as_the_reason(serve, cache, no_data_variable):
    serve({})
    cache.write_bytes(b"a file where a folder should be")
    with pytest.raises(DataNotFoundError, match=r"tried https://a\.example/one\.gz: .*cache"):
        obtain(SOURCE, accept)


def test_cache_folder_is_the_users(monkeypatch, tmp_path):
    import platformdirs

    monkeypatch.undo()  # the true cache_folder
    from lightnn.data.fetch import cache_folder

    assert cache_folder(SOURCE).name == "toy"
    assert cache_folder(SOURCE).parent == platformdirs.user_cache_path("lightnn", appauthor=False)
