"""Long runs from the command line: `compress MODEL`, `search METHOD MODEL` and `reproduce PAPER` all go through
`long_run`."""

import os
import pathlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lightnn import record
from lightnn.files import check_writable
from lightnn.journal import Journal, journal_folder
from lightnn.papers.lab.lock import alone
from lightnn.papers.lab.registry import Paper
from lightnn.papers.lab.session import Session

RESULTS = pathlib.Path(__file__).resolve().parents[3] / "chapters" / "results"  # exists in a clone of the repository


@dataclass(frozen=True)
class Run:
    """Which run it is. Name, seed and the recipe's repr find its journal again; fresh ignores what that holds.

    command: what the records say they were made with.
    """

    name: str
    command: str
    seed: int = 0
    recipe: object = None
    fresh: bool = False

    def place(self) -> pathlib.Path:
        """Where its journal is."""
        return journal_folder(self.name, self.seed, self.recipe)


def long_run(
    run: Run,
    work: Callable[[Journal], dict],
    report: Callable[[dict], str],
    targets: Iterable[str | pathlib.Path],
    records: Callable[[dict], dict],
    say: Callable[[str], None] = print,
) -> dict:
    """Do the work, continuing after the steps that an interrupted run finished; print its report, write its records.

    targets: files that must be writable before the work starts. records(numbers) -> {path: numbers for that file}.
    Returns the numbers.
    """
    targets = list(targets)
    for path in targets:
        check_writable(path)
    with alone([*targets, run.place()], run.command, say):
        journal = Journal.open(run.name, run.seed, run.recipe, run.fresh, say)
        result = work(journal)
        say(f"\n{report(result)}")
        for path, numbers in records(result).items():
            record.write(path, run.command, run.seed, numbers)
            say(f"\nwritten: {pathlib.Path(path).name}")
        journal.forget()
    return result


def run_to_file(
    run: Run, work: Callable[[Journal], dict], report: Callable[[dict], str], output: str, path: str | None
) -> dict:
    """`long_run` of work that writes a network to `output`; its numbers are written to path, if any. ValueError, before
    the work starts, if the two are one file."""
    if path is None:
        return long_run(run, work, report, [output], lambda result: {})
    if os.path.realpath(path) == os.path.realpath(output):
        raise ValueError(f"want two files for the network and the results, got {output} for both")
    return long_run(run, work, report, [output, path], lambda result: {path: result})


def reproduce(
    paper: Paper,
    command: str,
    seed: int = 0,
    quick: bool = False,
    path: str | None = None,
    fresh: bool = False,
    say: Callable[[str], None] = print,
) -> dict:
    """Run the paper's experiment, print its tables beside ours, and write the numbers.

    The numbers go to the file at path. Without a path, a full run in a clone of the repository writes them to
    chapters/results.
    """
    committed = path is None and not quick and RESULTS.is_dir()

    def records(result):
        if not committed:
            return {path: result} if path is not None else {}
        parts = paper.records(result) if paper.records else {f"{paper.name}.json": result}
        return {RESULTS / name: numbers for name, numbers in parts.items()}

    def work(journal):
        return paper.reproduce(Session(journal, seed, quick, say=say))

    targets = [RESULTS / f"{paper.name}.json"] if committed else [] if path is None else [path]
    run = Run(paper.name, command, seed, f"quick={quick}", fresh)
    return long_run(run, work, paper.format_tables, targets, records, say)
