"""The exercises: what the reader starts from, and how it is graded.

The command line calls:

- `stubs.py`: writes work/chNN.py from the references
- `checking.py`: grades it, reports, gives hints, shows the progress

Grading, in the order of the calls:

- `dispatch.py`: starts worker processes and watches them
- `worker.py`: such a process; `solutions.py` loads the functions to grade, `jobs.py` says what they may do
- `grader.py`: runs an exercise's unit tests on one function after the other
- `explain.py`, `compare.py`: why a solution is wrong, and what was expected
- `report.py`: the verdicts as text

Beside it:

- `sheets/`: the texts of the exercises, one file per chapter
- `mutate.py`: small changes to a reference, to test the tests
- `plugin.py`: `pytest --impl work -m ch04`
"""
