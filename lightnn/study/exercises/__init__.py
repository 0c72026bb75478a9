"""The exercises: what the reader starts from, and how it is graded.

The command line calls:

- `stubs.py`: writes work/chNN.py from the references
- `checking.py`: grades it, reports, gives hints, shows the progress
- `watch.py`: one exercise at a time, graded at every save; `debug.py`: a failing call in the debugger

Grading, in the order of the calls:

- `state.py`: which exercises are started, read from the file's text
- `dispatch.py`: hands tasks to `worker.py`, a process that grades
- `judge.py`: one verdict: which call goes wrong first, and what is likely; `cases.py`: the calls
- `sandbox.py`: runs a solution in a process of its own, `child.py`, with limits; `solutions.py` loads it
- `outcome.py`: what can be observed of a call; `compare.py`: where two outcomes differ
- `report.py`: the verdicts as text

Beside it:

- `sheets/`: the texts of the exercises, one file per chapter; the calls they are graded on are in `tests/exercises`
- `known.py`: solutions that are known to be right or wrong, and the table of how they are graded
- `mutate.py`: small changes to a reference, to test the cases
- `plugin.py`: `pytest --impl work -m ch04`
"""
