"""Set lightnn up and start it: `python start.py study` opens the book, `python start.py test` runs the tests.

The first call makes a virtual environment in .venv and installs requirements.txt into it; after that nothing needs a
network. Further arguments are passed on: `python start.py study 04`, `python start.py test -k huffman`. The tests run
in one process per core; `python start.py test -n 0` runs them in one, as a debugger needs it.
Needs Python 3.11 or newer and nothing else.
"""

import hashlib
import os
import pathlib
import subprocess
import sys
import venv

ROOT = pathlib.Path(__file__).resolve().parent
HOME = ROOT / ".venv"
PYTHON = HOME / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
PROCESSES = str(min(4, os.cpu_count() or 1))  # for the tests; each takes up to 1 GB
SHARING = {"GOMP_SPINCOUNT": "1000", "OPENBLAS_THREAD_TIMEOUT": "4"}  # threads sleep soon: other processes' turn
COMMANDS = {
    "study": ["-m", "lightnn", "study"],
    "test": ["-m", "pytest", "-n", PROCESSES, "--dist", "worksteal", "--durations", "10"],
}


def install():
    """Make .venv hold what requirements.txt and pyproject.toml ask for, unless it already does."""
    wanted = b"".join((ROOT / name).read_bytes() for name in ("requirements.txt", "pyproject.toml"))
    stamp, now = HOME / "installed", hashlib.sha256(wanted + sys.version.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == now:
        return
    print(f"Installing into {HOME} (once; about a minute) ...", flush=True)
    venv.create(HOME, with_pip=True, clear=True)
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", "requirements.txt"], cwd=ROOT, check=True)
    quiet = ["labextension", "disable", "--level=sys_prefix", "@jupyterlab/apputils-extension:announcements"]
    subprocess.run([str(PYTHON), "-m", "jupyter", *quiet], cwd=ROOT, check=True)  # it asks about news from the network
    stamp.write_text(now)


def main(arguments):
    if sys.version_info < (3, 11):
        sys.exit(f"lightnn needs Python 3.11 or newer; this is {sys.version.split()[0]}")
    if not arguments or arguments[0] not in COMMANDS:
        sys.exit(__doc__.strip())
    try:
        install()
        environment = SHARING | os.environ if arguments[0] == "test" else None
        return subprocess.call([str(PYTHON), *COMMANDS[arguments[0]], *arguments[1:]], cwd=ROOT, env=environment)
    except subprocess.CalledProcessError as error:
        sys.exit(f"Installation failed (pip's status {error.returncode}): see its message above.")
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
