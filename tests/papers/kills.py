"""Kill a long command many times and see whether it ends with what an undisturbed run gives.

    python tests/papers/kills.py 50 compress lenet_300_100 -o FILE --quick
    python tests/papers/kills.py 50 reproduce han2015 --quick

The command runs once to its end. Then it starts again in a cache of its own and dies by SIGKILL after a random time,
again and again; the last start is left alone. Compared are the record, but for times, and every other file, bit for
bit. FILE stands for a file in a folder that is removed afterwards. This takes as long as a few runs of the command.
"""

import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHORTEST, LONGEST = 0.3, 30  # seconds of a life; after the first Python is just up
TIMES = re.compile("seconds|wall-clock|command|ms, .*")  # entries of a record that no two runs have in common


def start(command, folder):
    """The running command, with its files and its cache in folder."""
    (folder / "out").mkdir(parents=True, exist_ok=True)
    arguments = [str(folder / "out" / "network.lnn") if word == "FILE" else word for word in command]
    whole = [sys.executable, "-m", "lightnn", *arguments, "--json", str(folder / "out" / "record.json")]
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "PYTHONPATH": str(ROOT)}
    log = (folder / "log").open("ab")
    return subprocess.Popen(whole, env=environment, stdout=log, stderr=log, cwd=folder)


def outcome(folder):
    """{file: its bytes, or for a record what no two runs may differ in}; the folder's other files must be gone."""
    found = {path.name: path.read_bytes() for path in sorted((folder / "out").iterdir())}
    found["record.json"] = without_times(json.loads(found["record.json"]))
    return found


def without_times(value):
    if isinstance(value, dict):
        return {key: without_times(v) for key, v in value.items() if not TIMES.fullmatch(key)}
    return [without_times(v) for v in value] if isinstance(value, list) else value


def differences(a, b, place=""):
    """Where two outcomes differ, as paths of keys."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        for key in a:
            yield from differences(a[key], b[key], f"{place}/{key}")
    elif a != b:
        yield place


def kill_often(command, folder, kills, longest):
    """How many of the runs were killed before they ended. longest: the seconds of the longest life."""
    draw, killed = random.Random(0), 0
    while killed < kills:
        process = start(command, folder)
        try:
            status = process.wait(SHORTEST * (longest / SHORTEST) ** draw.random())  # many short lives, some long ones
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed += 1
        else:
            if status:
                raise SystemExit(f"after {killed} kills the command failed: see {folder / 'log'}")
            for path in (folder / "out").iterdir():  # it came to its end: the next start begins anew
                path.unlink()
    return killed


def main(kills, command):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        quiet, often = pathlib.Path(name, "quiet"), pathlib.Path(name, "often")
        began = time.perf_counter()
        if start(command, quiet).wait():
            raise SystemExit((quiet / "log").read_text()[-2000:])
        whole = time.perf_counter() - began
        killed = kill_often(command, often, kills, min(LONGEST, whole / 3))
        if start(command, often).wait():
            raise SystemExit((often / "log").read_text()[-2000:])
        differ = list(differences(outcome(quiet), outcome(often)))
        traces = (often / "log").read_bytes().count(b"Traceback")
    print(f"{' '.join(command)}: {whole:.0f} s whole, {killed} kills, {traces} tracebacks,", end=" ")
    print(f"NOT the same in the end: {', '.join(differ)}" if differ else "the same in the end")
    return bool(differ) or traces > 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
