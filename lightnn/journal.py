"""The finished steps of a long run on disk, so that an interrupted run continues where it stopped.

    journal = Journal.open("han2015", seed, recipe)
    model, numbers = journal.network("train the reference", lambda: (model, {"error %": 1.6}))
    numbers = journal.step("test the reference", lambda: {"error %": 1.5})

A finished step is read back instead of done again. A step always returns what its entry reads back as, even the first
time, and makes its own generator with `draws`. So a resumed run equals an uninterrupted one bit for bit.
"""

import contextlib
import functools
import hashlib
import json
import math
import os
import pathlib
import re
import shutil
import time
import zlib
from collections.abc import Callable

import numpy as np

from lightnn import io, nn
from lightnn.files import check_writable, write_atomically

PACKAGE = pathlib.Path(__file__).resolve().parent
APART = ("bench", "study", "__main__.py")  # parts of the package that no result depends on


class Interrupted(Exception):
    """Ctrl-C ended a step; the finished steps are in the journal."""


class Journal:
    """Steps by name in `folder`, which is made when the first step is finished.

    say: called with a line of text when an entry can't be read and is dropped.
    """

    def __init__(self, folder: str | os.PathLike, say: Callable[[str], None] = print):
        self.folder, self.say = pathlib.Path(folder), say
        self.keeps, self._seconds = True, 0.0  # whether entries are written; the seconds of steps that are not
        self._whole = None  # the journal that this one is a part of

    def __repr__(self) -> str:
        return f"Journal({str(self.folder)!r}, {len(self._entries())} finished steps)"

    @classmethod
    def open(
        cls, name: str, seed: int, recipe: object, fresh: bool = False, say: Callable[[str], None] = print
    ) -> "Journal":
        """The journal of a run in the user's cache.

        It is found again by name, seed, the recipe's repr and the source code of the package. fresh: forget what it
        holds. Where the cache can't be written, the run goes on without one, and says so.
        """
        journal = cls(journal_folder(name, seed, recipe), say)
        if fresh:
            journal.forget()
        journal._try_to_keep()
        if count := len(journal._entries()):
            steps = f"{count} finished step{'s' * (count != 1)}"
            say(f"continuing after {steps} of an interrupted run (--fresh starts over)")
        return journal

    def part(self, name: str) -> "Journal":
        """A journal within this one, for a part of the run whose steps have names of their own."""
        part = Journal(self.folder / file_name(name), self.say)
        part.keeps, part._whole = self.keeps, self
        return part

    def step(self, name: str, work: Callable[[], dict]) -> dict:
        """The numbers of the step: read back if it is finished, otherwise what work() returns, as JSON holds it."""
        found = self._read(name)
        if found is None:
            found = self._write(name, None, *self._do(name, work))
        return found[1]

    def network(self, name: str, work: Callable[[], tuple[nn.Module, dict]]) -> tuple[nn.Module, dict]:
        """(model, numbers) of the step, in the same way; the model is always the one that its file gives."""
        found = self._read(name, with_network=True)
        if found is None:
            (model, numbers), seconds = self._do(name, work)
            found = self._write(name, model, numbers, seconds)
        return found

    def find(self, name: str) -> dict | None:
        """The numbers of a step that is finished, or None: for steps that other processes do, in any order."""
        found = self._read(name)
        return None if found is None else found[1]

    def keep(self, name: str, numbers: dict, seconds: float) -> dict:
        """Enter a step that was done elsewhere and took so long. Returns the numbers as they read back."""
        return self._write(name, None, numbers, seconds)[1]

    @property
    def seconds(self) -> float:
        """How long the finished steps took, over all runs."""
        entries = [self._numbers(path) for path in self._entries()]
        return sum(entry["seconds"] for entry in entries if entry is not None) + self._seconds

    def forget(self) -> None:
        """Remove all entries."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _try_to_keep(self):
        """Find out before the first step whether entries can be written."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            check_writable(self.folder / "entry.json")
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error):
        journal = self
        while journal is not None:
            journal.keeps, journal = False, journal._whole
        self.say(f"finished steps are not kept, so an interrupted run starts over: {error}")

    def _count(self, seconds):
        journal = self
        while journal is not None:
            journal._seconds += seconds
            journal = journal._whole

    def _entries(self):
        return [path for path in self.folder.rglob("*.json") if path.is_file()]

    def _path(self, name):
        return self.folder / f"{file_name(name)}.json"

    def _do(self, name, work):
        """(what work() returns, seconds)."""
        start = time.perf_counter()
        try:
            return work(), time.perf_counter() - start
        except KeyboardInterrupt:
            raise Interrupted(f"interrupted in '{name}'; the same command continues from here") from None

    def _read(self, name, with_network=False):
        """(network or None, numbers) of a finished step; None if the entry is missing or damaged."""
        path, network = self._path(name), self._path(name).with_suffix(".lnn")
        if not path.exists():
            return None
        entry = self._numbers(path)
        if entry is not None and (entry["network"] is not None) == with_network:
            if not with_network:
                return None, entry["numbers"]
            with contextlib.suppress(OSError, ValueError, MemoryError):  # a FormatError is a ValueError
                stored = network.read_bytes()
                if entry["network"] == _digest(stored):
                    return io.from_bytes(stored), entry["numbers"]
        self.say(f"the finished step '{name}' can't be read and is done again")
        for damaged in (path, network):
            _remove(damaged)
        return None

    def _numbers(self, path):
        """{"numbers", "seconds", "network"} of an entry, or None if it is damaged in any way."""
        try:
            entry = json.loads(path.read_text(encoding="utf-8"))
            entry, check = entry["entry"], entry["check"]
            sound = check == _digest(json.dumps(entry).encode()) and _is_entry(**entry)
        except (OSError, ValueError, LookupError, TypeError, RecursionError, MemoryError):
            return None
        return entry if sound else None

    def _write(self, name, model, numbers, seconds):
        """Keep a finished step if that is possible; (network or None, numbers) as the entry reads back."""
        stored = None if model is None else io.to_train_bytes(model)
        entry = {"numbers": numbers, "seconds": seconds, "network": stored and _digest(stored)}
        text = json.dumps(entry)
        if self.keeps:
            try:
                path = self._path(name)
                path.parent.mkdir(parents=True, exist_ok=True)
                if stored is not None:
                    write_atomically(path.with_suffix(".lnn"), stored)
                check = _digest(text.encode())
                write_atomically(path, json.dumps({"entry": entry, "check": check}).encode())  # marks it as finished
            except OSError as error:
                self._give_up(error)
        if not self.keeps:
            self._count(seconds)
        return None if stored is None else io.from_bytes(stored), json.loads(text)["numbers"]


def journal_folder(name: str, seed: int, recipe: object) -> pathlib.Path:
    """Where the journal of a run is, whether or not it has been made."""
    key = hashlib.sha256(f"{recipe!r} {source_digest()}".encode()).hexdigest()[:16]
    return cache_folder("runs") / f"{file_name(name)}-{seed}-{key}"


def cache_folder(name: str) -> pathlib.Path:
    """A folder of lightnn in the user's cache; not made yet."""
    import platformdirs  # here: only long runs need it

    return pathlib.Path(platformdirs.user_cache_dir("lightnn", appauthor=False)) / name


def _is_entry(numbers, seconds, network):
    """Whether this is what `_write` writes."""
    fits = isinstance(numbers, dict) and isinstance(network, str | None)
    return fits and type(seconds) in (int, float) and 0 <= seconds < math.inf


def _digest(data):
    return hashlib.sha256(data).hexdigest()[:32]


def _remove(path):
    with contextlib.suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


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
