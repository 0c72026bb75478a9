"""Finding a data set's files on this computer, or downloading them once, whole or not at all."""

import http.client
import os
import tempfile
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_S = 30  # a server that says nothing for so long is given up
BLOCK_BYTES = 1 << 16
Verify = Callable[[Path, str, str], None]


class DataNotFoundError(FileNotFoundError):
    """A data set's files are not on this computer and could not be downloaded; the message says what to put where."""


@dataclass(frozen=True)
class Source:
    """A data set's folder name on this computer, its home page, the addresses its files lie under, and their names."""

    title: str
    folder: str
    page: str
    prefixes: tuple[str, ...]
    files: tuple[str, ...]


def cache_folder(source: Source) -> Path:
    """The folder that downloads of `source` go to, in the user's cache: on Linux ~/.cache/lightnn/cifar-10, say."""
    import platformdirs  # here: only the data sets that are not in the package need it

    return Path(platformdirs.user_cache_dir("lightnn", appauthor=False)) / source.folder


def search_folders(source: Source) -> list[Path]:
    """Folders that may hold `source`, first the most wanted: $LIGHTNN_DATA/folder, $LIGHTNN_DATA, the cache folder."""
    folders = [cache_folder(source)]
    if root := os.environ.get("LIGHTNN_DATA"):
        folders = [Path(root).expanduser() / source.folder, Path(root).expanduser(), *folders]
    return folders


def obtain(source: Source, verify: Verify) -> dict[str, Path]:
    """Return the path of each of the source's files, downloading into the cache folder those that are nowhere.

    verify(path, name, where): called on each download of file `name` before it gets that name; raises ValueError,
        calling it `where`, on bad content. Files found here are not verified: whoever reads them does that.
    Raises DataNotFoundError when a file can't be had.
    """
    folders = search_folders(source)
    paths, reasons = {}, []
    for name in source.files:
        found = next((folder / name for folder in folders if (folder / name).is_file()), None)
        if found is None and not reasons:  # one address that fails is reason enough to ask no more
            found = _download_any(source, name, verify, reasons)
        if found is not None:
            paths[name] = found
    if missing := [name for name in source.files if name not in paths]:
        raise DataNotFoundError(_explain(source, missing, folders, reasons))
    return paths


def _download_any(source: Source, name: str, verify: Verify, reasons: list[str]) -> Path | None:
    """Download `name` from the first address that gives it whole and verified; else None, and a reason per address."""
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

    It is written under a temporary name in the same folder, verified, then renamed: `target` is whole or absent. On any
    failure, Ctrl-C included, the temporary file is removed and the error goes on.
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
    """The whole story in one message: what is missing, where it was looked for, why no download, and the way out."""
    lines = [
        f"{source.title} is not on this computer and could not be downloaded.",
        f"  missing: {', '.join(missing)}",
        f"  looked in: {', '.join(map(str, folders))}",
        *(f"  tried {reason}" for reason in reasons),
        f"  To use it offline, get the missing files from {' or '.join(source.prefixes)} (see {source.page})",
        f"  and put them into {folders[-1]}, or into $LIGHTNN_DATA/{source.folder} with LIGHTNN_DATA set to a folder.",
    ]
    return "\n".join(lines)
