"""Solutions that are known to be right or wrong, to grade the grading: `python -m lightnn.study.exercises.known`.

They are in `tests/exercises/right/chNN.py` and `wrong/chNN.py`: sections "# 04.4: in a word", each a whole function,
and before the first one the imports that all share. The named mistakes are in the sheets.
"""

import pathlib
import re
import tempfile
from collections.abc import Iterator

from lightnn.study.exercises import dispatch, solutions
from lightnn.study.exercises.cases import FOLDER, cases_of
from lightnn.study.exercises.sheets import Sheet, chapters, sheet, sheets_of
from lightnn.tables import text_table

SECONDS = 3  # for one call


def sections(kind: str, number: str) -> list[tuple[str, str]]:
    """[(title, text of a file)] of the solutions of one exercise; kind: right or wrong."""
    text = (FOLDER / kind / f"ch{number.partition('.')[0]}.py").read_text(encoding="utf-8")
    head, *parts = re.split(r"^# (?=\d\d\.\d+: )", text, flags=re.M)
    found = [part.partition("\n") for part in parts if part.startswith(f"{number}: ")]
    return [(title, f"{head}\n{source}") for title, _, source in found]


def grade_known(kind: str, number: str) -> Iterator[dict]:
    """The verdicts on these solutions, each in a file of its own; a verdict's name is the solution's title."""
    with tempfile.TemporaryDirectory() as folder:
        for i, (title, text) in enumerate(sections(kind, number)):
            path = solutions.work_file(number.partition(".")[0], pathlib.Path(folder) / str(i))
            path.parent.mkdir()
            path.write_text(text, encoding="utf-8")
            yield from dispatch.run([{"name": title, "number": number, "file": str(path), "seconds": SECONDS}])


def grade_mistakes(s: Sheet) -> Iterator[dict]:
    """The verdicts on the named mistakes; a verdict's name is the mistake's sentence."""
    source = solutions.source_of(s.number)
    for m in s.mistakes:
        changed = source.replace(m.old, m.new)
        yield from dispatch.run([{"name": m.text, "number": s.number, "source": changed, "seconds": SECONDS}])


def is_likely_true(verdict: dict) -> bool:
    """Whether the mistake that a verdict calls likely gives the same result on the same call."""
    number = verdict["number"]
    (mistake,) = (m for m in sheet(number).mistakes if m.text == verdict["likely"])
    changed = solutions.source_of(number).replace(mistake.old, mistake.new)
    (again,) = dispatch.run([{"name": "", "number": number, "source": changed, "seconds": SECONDS}])
    return all(again[key] == verdict[key] for key in ("call", "expected", "got", "index"))


def table() -> str:
    """How the known solutions of all exercises are graded."""
    rows, total = [], [0] * 8
    for s in (s for chapter in chapters() for s in sheets_of(chapter)):
        mistakes, wrong, right = list(grade_mistakes(s)), *(list(grade_known(k, s.number)) for k in ("wrong", "right"))
        told = [v for v in wrong if v["likely"]]
        counts = [
            *(sum(v["status"] == "WRONG" for v in mistakes), len(mistakes)),
            *(sum(v["status"] == "WRONG" for v in wrong), len(wrong)),
            *(sum(map(is_likely_true, told)), len(told)),
            *(sum(v["status"] == "PASSED" for v in right), len(right)),
        ]
        total = [a + b for a, b in zip(total, counts, strict=True)]
        rows.append([s.number, len(cases_of(s.number)), *_of(counts)])
    rows.append(["all", "", *_of(total)])
    head = ["", "cases", "named, rejected", "wrong, rejected", "likely, true", "right, passed"]
    return text_table("how the known solutions are graded", head, rows)


def _of(counts):
    return [f"{a} of {b}" for a, b in zip(counts[::2], counts[1::2], strict=True)]


if __name__ == "__main__":
    print(table())
