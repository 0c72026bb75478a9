"""Finding a data set's files on this computer, or downloading them once, whole or not at all."""

import http.client
import os
import tempfile
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_S = 30  # how long a silent server gets
BLOCK_BYTES = 1 << 16
Verify = Callable[[Path, str, str], None]


class DataNotFoundError(FileNotFoundError):
    """A data set's files are not on this computer and could not be downloaded; the message says what to put where."""


@dataclass(frozen=True)
class Source:
    """A data set: its folder on this computer, its home page, the start of its files' addresses, and their names."""

    title: str
    folder: str
    page: str
    prefixes: tuple[str, ...]
    files: tuple[str, ...]


def cache_folder(source: Source) -> Path:
    """The folder for downloads of `source`, in the user's cache: on Linux, for example, ~/.cache/lightnn/cifar-10."""
    import platformdirs  # here: only the data sets that are not in the package need it

    return Path(platformdirs.user_cache_dir("lightnn", appauthor=False)) / source.folder


def search_folders(source: Source) -> list[Path]:
    """Folders that may hold `source`, in the order of search: $LIGHTNN_DATA/folder, $LIGHTNN_DATA, the cache folder."""
    folders = [cache_folder(source)]
    if root := os.environ.get("LIGHTNN_DATA"):
        folders = [Path(root).expanduser() / source.folder, Path(root).expanduser(), *folders]
    return folders


def obtain(source: Source, verify: Verify) -> dict[str, Path]:
    """Find each of the source's files, or download it into the cache folder. Return their paths, by name.

    verify(path, name, where): checks a download of the file `name` before it gets that name. It raises ValueError on
        bad content; `where` is what the message calls the file. Files found here are verified when they are read.
    Raises DataNotFoundError when a file is not here and can't be downloaded.
    """
    folders = search_folders(source)
    paths, reasons = {}, []
    for name in source.files:
        found = next((folder / name for folder in folders if (folder / name).is_file()), None)
        if found is None and not reasons:  # after a failed download, the next would fail too
            found = _download_any(source, name, verify, reasons)
        if found is not None:
            paths[name] = found
    if missing := [name for name in source.files if name not in paths]:
        raise DataNotFoundError(_explain(source, missing, folders, reasons))
    return paths


def _download_any(source: Source, name: str, verify: Verify, reasons: list[str]) -> Path | None:
    """Download `name` from the first address that has a sound copy; else None, and a reason for each address."""
    target, failed = cache_folder(source) / name, []
    for prefix in source.prefixes:
        try:
            download(prefix + name, target, verify)
        except (OSError, http.client.HTTPException, ValueError) as error:  # URLError and timeouts are OSErrors
            failed.append(f"{prefix + name}: {error or type(error).__name__}")
        else:
            return target
    reasons.extend(failed)
    return None


def download(url: str, target: Path, verify: Verify) -> None:
    """Download `url` to `target` with a progress bar.

    The file gets a temporary name in the same folder, is verified, then renamed: `target` is complete or absent. After
    any failure, Ctrl-C included, the temporary file is removed.
    """
    from tqdm.auto import tqdm

    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary_name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    temporary = Path(temporary_name)
    try:
        with os.fdopen(handle, "wb") as file, urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:
            total_bytes = int(response.headers.get("Content-Length") or 0) or None
            with tqdm(total=total_bytes, unit="B", unit_scale=True, desc=target.name) as bar:
                while block := response.read(BLOCK_BYTES):
                    file.write(block)
                    bar.update(len(block))
        verify(temporary, target.name, url)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)  # gone already when all went well


def _explain(source: Source, missing: list[str], folders: list[Path], reasons: list[str]) -> str:
    """One message: what is missing, where it could have been, why the download failed, and what to do."""
    lines = [
        f"{source.title} is not on this computer and could not be downloaded.",
        f"  missing: {', '.join(missing)}",
        f"  looked in: {', '.join(map(str, folders))}",
        *(f"  tried {reason}" for reason in reasons),
        f"  To use it offline, get the missing files from {' or '.join(source.prefixes)} (see {source.page})",
        f"  and put them into {folders[-1]}, or into $LIGHTNN_DATA/{source.folder} with LIGHTNN_DATA set to a folder.",
    ]
    return "\n".join(lines)
