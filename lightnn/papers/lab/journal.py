"""The finished steps of a long run on disk, so that an interrupted run continues where it stopped.

    journal = Journal.open("han2015", seed, recipe)
    model, numbers = journal.network("train the reference", lambda: (model, {"error %": 1.6}))
    numbers = journal.step("test the reference", lambda: {"error %": 1.5})

A finished step is read back instead of done again. A step always returns what its entry reads back as, even the first
time, and makes its own generator with `draws`. So a resumed run equals an uninterrupted one bit for bit.
"""

import functools
import hashlib
import json
import os
import pathlib
import re
import shutil
import time
import zlib
from collections.abc import Callable

import numpy as np

from lightnn import io, nn
from lightnn.files import write_atomically

PACKAGE = pathlib.Path(__file__).resolve().parents[2]
APART = ("bench", "study", "__main__.py")  # parts of the package that no result depends on


class Interrupted(Exception):
    """Ctrl-C ended a step; the finished steps are in the journal."""


class Journal:
    """Steps by name in `folder`, which is made when the first step is finished.

    say: called with a line of text when an entry can't be read and is dropped.
    """

    def __init__(self, folder: str | os.PathLike, say: Callable[[str], None] = print):
        self.folder, self.say = pathlib.Path(folder), say

    def __repr__(self) -> str:
        return f"Journal({str(self.folder)!r}, {len(self._entries())} finished steps)"

    @classmethod
    def open(
        cls, name: str, seed: int, recipe: object, fresh: bool = False, say: Callable[[str], None] = print
    ) -> "Journal":
        """The journal of a run in the user's cache.

        It is found again by name, seed, the recipe's repr and the source code of the package. fresh: forget what it
        holds.
        """
        import platformdirs  # here: only long runs need it

        key = hashlib.sha256(f"{recipe!r} {source_digest()}".encode()).hexdigest()[:16]
        cache = pathlib.Path(platformdirs.user_cache_dir("lightnn", appauthor=False))
        journal = cls(cache / "runs" / f"{file_name(name)}-{seed}-{key}", say)
        if fresh:
            journal.forget()
        if count := len(journal._entries()):
            steps = f"{count} finished step{'s' * (count != 1)}"
            say(f"continuing after {steps} of an interrupted run (--fresh starts over)")
        return journal

    def part(self, name: str) -> "Journal":
        """A journal within this one, for a part of the run whose steps have names of their own."""
        return Journal(self.folder / file_name(name), self.say)

    def step(self, name: str, work: Callable[[], dict]) -> dict:
        """The numbers of the step: read back if it is finished, otherwise what work() returns, as JSON holds it."""
        numbers = self._read(name, _numbers)
        return self._write(name, *self._do(name, work)) if numbers is None else numbers

    def network(self, name: str, work: Callable[[], tuple[nn.Module, dict]]) -> tuple[nn.Module, dict]:
        """(model, numbers) of the step, in the same way; the model is always the one that its file gives."""
        entry = self._read(name, lambda path: (io.load(path.with_suffix(".lnn")), _numbers(path)))
        if entry is not None:
            return entry
        (model, numbers), seconds = self._do(name, work)
        path = self._path(name).with_suffix(".lnn")
        path.parent.mkdir(parents=True, exist_ok=True)
        io.save_to_train(model, path)  # with latent weights and the state of transforms: training goes on from here
        return io.load(path), self._write(name, numbers, seconds)  # the numbers last: they mark the step as finished

    @property
    def seconds(self) -> float:
        """How long the finished steps took, over all runs."""
        return sum(json.loads(path.read_text(encoding="utf-8"))["seconds"] for path in self._entries())

    def forget(self) -> None:
        """Remove all entries."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _entries(self):
        return list(self.folder.rglob("*.json"))

    def _path(self, name):
        return self.folder / f"{file_name(name)}.json"

    def _do(self, name, work):
        """(what work() returns, seconds)."""
        start = time.perf_counter()
        try:
            return work(), time.perf_counter() - start
        except KeyboardInterrupt:
            raise Interrupted(f"interrupted in '{name}'; the same command continues from here") from None

    def _read(self, name, read):
        """What read(path) returns, or None if the entry is missing or damaged."""
        path = self._path(name)
        if not path.exists():
            return None
        try:
            return read(path)
        except (OSError, ValueError, LookupError, TypeError) as error:  # FormatError and JSON's errors are ValueErrors
            self.say(f"the finished step '{name}' can't be read ({error}) and is done again")
            path.unlink(missing_ok=True)
            return None

    def _write(self, name, numbers, seconds):
        text = json.dumps({"numbers": numbers, "seconds": seconds})
        self._path(name).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path(name), text.encode())
        return _numbers(self._path(name))


def _numbers(path):
    return json.loads(path.read_text(encoding="utf-8"))["numbers"]


def draws(seed: int, name: str) -> np.random.Generator:
    """The generator of one step: no state passes from step to step."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def file_name(name: str) -> str:
    """A file name that every file system accepts and that no other step has."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:60]
    fits = plain and plain == name.lower()  # some file systems take A and a for the same
    return plain if fits else f"{plain}-{zlib.crc32(name.encode()):08x}"


@functools.cache
def source_digest() -> str:
    """A digest of the package's source: changed code does not continue from the steps of the old code."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith(APART):
            digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
