"""One run at a time for a journal and for each file that it writes: a second run is told who holds them."""

import contextlib
import hashlib
import json
import os
import pathlib
import time
from collections.abc import Callable, Iterable, Iterator

from lightnn.journal import cache_folder


@contextlib.contextmanager
def alone(paths: Iterable[str | os.PathLike], command: str, say: Callable[[str], None] = print) -> Iterator[None]:
    """Hold the locks of these paths. ValueError names the run that holds one of them.

    The locks are in the user's cache, so nothing is left beside the files; where it can't be written, the run goes on
    without them, and says so.
    """
    import filelock  # here: only long runs need it

    with contextlib.ExitStack() as held:
        for path in sorted({os.path.realpath(path) for path in paths}):
            place = cache_folder("locks") / hashlib.sha256(path.encode(errors="surrogateescape")).hexdigest()[:32]
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
                held.enter_context(filelock.FileLock(f"{place}.lock", timeout=0))
                held.callback(place.with_suffix(".json").unlink, missing_ok=True)
                _sign(place.with_suffix(".json"), command)
            except filelock.Timeout:
                raise ValueError(f"{pathlib.Path(path).name}: {_holder(place)} is writing it") from None
            except OSError as error:
                say(f"other runs are not kept from {pathlib.Path(path).name}: {error}")
        yield


def _sign(path, command):
    text = {"process": os.getpid(), "command": command, "since": time.strftime("%H:%M:%S")}
    path.write_text(json.dumps(text), encoding="utf-8")


def _holder(place):
    try:
        by = json.loads(place.with_suffix(".json").read_text(encoding="utf-8"))
        return f"process {by['process']} (`{by['command']}`, since {by['since']})"
    except (OSError, ValueError, LookupError, TypeError):
        return "another run"
