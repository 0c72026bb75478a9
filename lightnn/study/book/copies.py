"""Working copies of the chapters: the reader runs and changes those, and the repository stays clean.

A copy remembers two fingerprints in its metadata: of the chapter's file, and of its cells as they were copied. So the
next start can tell whether the chapter has changed since, and whether the reader has changed the copy.
"""

import hashlib
import json
import pathlib
from collections.abc import Callable, Iterable

from lightnn.files import write_atomically


def update(chapters: Iterable[pathlib.Path], folder: pathlib.Path, say: Callable[[str], None] = print) -> None:
    """Make `folder` hold a copy of every chapter, so that links between them lead somewhere.

    A copy that the reader has not changed follows its chapter; one that the reader has changed is kept, and `say` is
    told so when the chapter is newer. Outputs are no change of the reader's."""
    folder.mkdir(parents=True, exist_ok=True)
    for chapter in chapters:
        copy = folder / chapter.name
        if not copy.exists() or _may_replace(copy, chapter):
            _write(chapter, copy)
        elif _mark(copy).get("chapter") != _hash(chapter.read_bytes()):
            number = chapter.name[:2]
            say(
                f"{folder.name}/{copy.name} has your changes and stays, though the chapter is newer: "
                f"`python -m lightnn study {number} --fresh` puts it aside and starts anew."
            )


def start_anew(chapter: pathlib.Path, folder: pathlib.Path, say: Callable[[str], None] = print) -> None:
    """Give a chapter a new copy; the old one, if there is one, stays in the folder under another name."""
    copy = folder / chapter.name
    folder.mkdir(parents=True, exist_ok=True)
    if copy.exists():
        count = 1
        while (aside := copy.with_stem(f"{copy.stem}_old_{count}")).exists():
            count += 1
        copy.rename(aside)
        say(f"Your copy is now {folder.name}/{aside.name}.")
    _write(chapter, copy)


def _may_replace(copy, chapter):
    """Whether the chapter has changed since it was copied, and replacing the copy loses nothing of the reader's."""
    mark, new = _mark(copy), chapter.read_bytes()
    if mark.get("chapter") == _hash(new):
        return False
    return _cells(copy.read_bytes()) in (mark.get("cells", "none"), _cells(new))


def _write(chapter, copy):
    raw = chapter.read_bytes()
    document = json.loads(raw)
    document["metadata"]["lightnn"] = {"chapter": _hash(raw), "cells": _cells(raw)}
    write_atomically(copy, (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode())


def _mark(copy):
    """The fingerprints in a copy's metadata; nothing for a file that is no copy."""
    try:
        mark = json.loads(copy.read_bytes())["metadata"]["lightnn"]
    except (ValueError, KeyError, TypeError):
        return {}
    return mark if isinstance(mark, dict) else {}


def _cells(raw):
    """The fingerprint of a notebook's cells: what they are and what is written in them. None for no notebook."""
    try:
        cells = [(cell["cell_type"], "".join(cell["source"])) for cell in json.loads(raw)["cells"]]
    except (ValueError, KeyError, TypeError):
        return None
    return _hash(json.dumps(cells).encode())


def _hash(raw):
    return hashlib.sha256(raw).hexdigest()[:16]
