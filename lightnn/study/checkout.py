"""Where this checkout of the repository is: the chapters, the tests and the reader's work lie beside the package."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
