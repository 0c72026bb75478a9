"""The finished steps of a long run on disk, so that an interrupted run goes on where it was.

    journal = Journal.open("han2015", seed, recipe)
    model, numbers = journal.network("train the reference", lambda: (model, {"error %": 1.6}))
    numbers = journal.step("test the reference", lambda: {"error %": 1.5})

A step that is there is read back instead of done. What a step gives is always what its entry reads back as, the first
time too, and each step makes its own generator with `draws`: so a resumed run is bit for bit the uninterrupted one.
"""

import functools
import hashlib
import json
import pathlib
import re
import shutil
import time
import zlib

import numpy as np

from lightnn import io
from lightnn.files import write_atomically

PACKAGE = pathlib.Path(__file__).resolve().parents[2]
APART = ("study", "__main__.py")  # parts of the package that no result depends on


class Interrupted(Exception):
    """Ctrl-C ended a step; the finished ones are in the journal."""


class Journal:
    """Steps by name in `folder`, which is made when the first one is finished. say: called with a line when an entry
    can't be read and is dropped."""

    def __init__(self, folder, say=print):
        self.folder, self.say = pathlib.Path(folder), say

    @classmethod
    def open(cls, paper, seed, recipe, fresh=False, say=print):
        """The journal, in the user's cache, of the run with this seed and recipe (anything with a repr that tells it
        apart) of this very source code. fresh: forget what it holds."""
        import platformdirs  # here: only long runs need it

        key = hashlib.sha256(f"{recipe!r} {source_digest()}".encode()).hexdigest()[:16]
        cache = pathlib.Path(platformdirs.user_cache_dir("lightnn", appauthor=False))
        journal = cls(cache / "runs" / f"{file_name(paper)}-{seed}-{key}", say)
        if fresh:
            journal.forget()
        if count := len(list(journal.folder.rglob("*.json"))):
            say(f"going on after {count} finished steps of an interrupted run (--fresh begins anew)")
        return journal

    def part(self, name):
        """A journal within this one, for a part of the run whose steps have names of their own."""
        return Journal(self.folder / file_name(name), self.say)

    def step(self, name, work):
        """The numbers of the step: read back if it was finished before, else what work() returns (what JSON holds)."""
        numbers = self._read(name, _numbers)
        return self._write(name, *self._do(name, work)) if numbers is None else numbers

    def network(self, name, work):
        """(model, numbers) of the step, likewise; the model is the one that its .lnn file gives."""
        entry = self._read(name, lambda path: (io.load(path.with_suffix(".lnn")), _numbers(path)))
        if entry is not None:
            return entry
        (model, numbers), seconds = self._do(name, work)
        path = self._path(name).with_suffix(".lnn")
        path.parent.mkdir(parents=True, exist_ok=True)
        io.save(model, path)
        return io.load(path), self._write(name, numbers, seconds)  # the numbers last: they say that it is finished

    @property
    def seconds(self):
        """What the finished steps took, in whichever run."""
        return sum(json.loads(path.read_text(encoding="utf-8"))["seconds"] for path in self.folder.rglob("*.json"))

    def forget(self):
        """Remove all entries."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, name):
        return self.folder / f"{file_name(name)}.json"

    def _do(self, name, work):
        """(what work() returns, seconds)."""
        start = time.perf_counter()
        try:
            return work(), time.perf_counter() - start
        except KeyboardInterrupt:
            raise Interrupted(f"interrupted in '{name}'; the same command goes on from here") from None

    def _read(self, name, read):
        """What read(path) gives, or None if the entry is not there or is damaged."""
        path = self._path(name)
        if not path.exists():
            return None
        try:
            return read(path)
        except (OSError, ValueError, LookupError, TypeError) as error:  # FormatError and JSON's errors are ValueErrors
            self.say(f"the finished step '{name}' can't be read ({error}): it is done again")
            path.unlink(missing_ok=True)
            return None

    def _write(self, name, numbers, seconds):
        text = json.dumps({"numbers": numbers, "seconds": seconds})
        self._path(name).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path(name), text.encode())
        return _numbers(self._path(name))


def _numbers(path):
    return json.loads(path.read_text(encoding="utf-8"))["numbers"]


def draws(seed, name):
    """The generator of one step: no state is carried from step to step."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def file_name(name):
    """A name that every file system takes, and that no other step has."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:60]
    fits = plain and plain == name.lower()  # not all file systems tell A from a
    return plain if fits else f"{plain}-{zlib.crc32(name.encode()):08x}"


@functools.cache
def source_digest():
    """A digest of the package's version: its source, so that a changed reference does not go on from the old one's
    steps."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith(APART):
            digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
