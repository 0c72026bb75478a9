"""Results of long runs as JSON that says how to get them again: command, seed, machine, seconds."""

import json
import os
import pathlib
import platform

import numba
import numpy as np

from lightnn.files import write_atomically


def write(path: str | os.PathLike, command: str, seed: int, result: dict) -> None:
    """Write result (a dict of plain numbers) to path, with the command and seed that produced it and this machine."""
    document = {"command": command, "seed": seed, "machine": machine(), **result}
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    write_atomically(path, text.encode(errors="backslashreplace"))  # a file name in the command may be no UTF-8


def machine() -> dict:
    """What a timing depends on: processor, cores and versions."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
    }


def _processor():
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
