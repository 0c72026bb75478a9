"""The benchmarks that `python -m lightnn bench` offers: a module of lightnn/bench registers itself by its SUITE."""

import pathlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lightnn import record
from lightnn.files import check_writable
from lightnn.papers.lab.registry import members
from lightnn.tables import text_table


@dataclass(frozen=True)
class Suite:
    """Families of benchmarks that run together.

    title: what is measured. run(families) prints as it measures, and returns the numbers for a record. plot(result,
    path) draws them. default: run when no family is named.
    """

    families: tuple[str, ...]
    title: str
    run: Callable[[tuple[str, ...]], dict]
    plot: Callable[[dict, str], None] | None = None
    default: bool = False


def suites() -> list[Suite]:
    """All of them, the default one first."""
    return sorted(members("lightnn.bench", "SUITE"), key=lambda suite: not suite.default)


def families() -> list[str]:
    """The names that the command line offers."""
    return [family for suite in suites() for family in suite.families]


def table() -> str:
    """The benchmarks as a table for a terminal."""
    rows = [[f"{' '.join(s.families):<32}{s.title}{' (default)' * s.default}"] for s in suites()]
    return text_table("", ["FAMILY"], rows)


def run(chosen: Sequence[str], command: str, json: str | None = None, plot: str | None = None) -> dict:
    """Run the benchmarks of the chosen families, all of one suite; write the numbers to json, draw them to plot.

    command: what the record says it was made with. ValueError for an unknown family, for families of several suites,
    and for a plot of a suite that has none.
    """
    suite = _suite_of(chosen)
    if plot is not None and pathlib.Path(plot).suffix not in (".png", ".svg"):
        raise ValueError(f"--plot: want a name that ends in .png or .svg, got {plot!r}")
    if plot is not None and suite.plot is None:
        raise ValueError(f"{' '.join(suite.families)} has no picture: leave out --plot")
    for path in (json, plot):
        if path is not None:
            check_writable(path)
    result = suite.run(tuple(chosen) or suite.families)
    if json:
        record.write(json, command, 0, result)
    if plot:
        suite.plot(result, plot)
    return result


def _suite_of(chosen):
    every = suites()
    known = [family for suite in every for family in suite.families]
    for family in chosen:
        if family not in known:
            raise ValueError(f"want one of {', '.join(known)}; got {family}")
    fitting = [suite for suite in every if set(chosen) <= set(suite.families)]
    if not fitting:
        alone = next(family for suite in every for family in suite.families if not suite.default and family in chosen)
        raise ValueError(f"want {alone} alone, it is a benchmark of its own; got {' '.join(chosen)}")
    return fitting[0]
