"""The papers that can be reproduced: a folder of lightnn/papers registers itself by the PAPER in its `__init__`.

The command line's choices, its help, README's list and the tests read `papers()`.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

from lightnn.papers.lab.session import Session
from lightnn.tables import text_table

README_COLUMN = 56  # where README's comments on commands start


@dataclass(frozen=True)
class Paper:
    """A paper, and how to reproduce its tables.

    title: what is reproduced, in a few words; arxiv is "-" where that is no paper. minutes, quick_minutes: on two
    cores, in full and with --quick.
    reproduce(session) returns the numbers, and format_tables(numbers) the paper's tables beside ours, as text of at
    most 80 columns. records(numbers) returns {file name: numbers} when a full run writes more than the one file
    `name`.json.
    """

    name: str
    title: str
    arxiv: str
    minutes: int
    quick_minutes: int
    reproduce: Callable[[Session], dict]
    format_tables: Callable[[dict], str]
    records: Callable[[dict], dict] | None = None

    @property
    def command(self) -> str:
        return f"python -m lightnn reproduce {self.name}"

    def __str__(self) -> str:
        """The paper's line in README."""
        times = f"{self.minutes} minutes; with --quick, {self.quick_minutes}"
        return f"{self.command:<{README_COLUMN}}# {self.title}: {times}"


def papers() -> dict[str, Paper]:
    """{name: Paper}, the oldest first."""
    found = members("lightnn.papers", "PAPER")
    return {paper.name: paper for paper in sorted(found, key=lambda paper: paper.arxiv)}


def table() -> str:
    """The papers as a table for a terminal."""
    rows = [[f"{p.name:<22}{p.title}", p.arxiv, p.minutes, p.quick_minutes] for p in papers().values()]
    return text_table("", ["PAPER", "arXiv", "min", "--quick"], rows)


def members(package: str, attribute: str) -> list:
    """The values of `attribute` in those modules and folders of the package that have it."""
    path = importlib.import_module(package).__path__
    modules = [importlib.import_module(f"{package}.{module.name}") for module in pkgutil.iter_modules(path)]
    return [getattr(module, attribute) for module in modules if hasattr(module, attribute)]
