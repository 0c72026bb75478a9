"""`python -m lightnn reproduce PAPER`: run the experiment, print its tables beside the paper's, write the numbers.

A paper's module has `reproduce(journal, seed, quick) -> numbers` and `format_tables(numbers) -> text`, and may have
`records(numbers) -> {file name: numbers}` where they go to more than one file.
"""

import importlib
import pathlib

from lightnn.files import check_writable
from lightnn.papers.lab import record
from lightnn.papers.lab.journal import Journal

PAPERS = {"han2015": "han2015", "li2016": "li2016", "deep-compression": "deep_compression"}
RESULTS = pathlib.Path(__file__).resolve().parents[3] / "chapters" / "results"  # there is one in a clone


def run(paper, command, seed=0, quick=False, path=None, fresh=False, say=print):
    """Reproduce `paper`, going on after the steps that an interrupted run finished (unless fresh).

    The numbers go to the file at path; without one, a full run in a clone of the repository writes chapters/results.
    command: what the files say they were made with.
    """
    module = importlib.import_module(f"lightnn.papers.{PAPERS[paper]}")
    committed = path is None and not quick and RESULTS.is_dir()
    for file in [path] * (path is not None) + [RESULTS / "new.json"] * committed:
        check_writable(file)
    journal = Journal.open(paper, seed, f"quick={quick}", fresh, say)
    result = module.reproduce(journal, seed=seed, quick=quick, say=say)
    say(f"\n{module.format_tables(result)}")
    files = {path: result} if path is not None else {}
    if committed:
        records = module.records(result) if hasattr(module, "records") else {f"{paper}.json": result}
        files = {RESULTS / name: numbers for name, numbers in records.items()}
    for file, numbers in files.items():
        record.write(file, command, seed, numbers)
        say(f"\nwritten: {pathlib.Path(file).name}")
    journal.forget()
