"""The process that grades: `python -m lightnn.study.exercises.worker`.

It reads tasks, one line of JSON each, from standard input and answers each with a verdict, one line of JSON. It runs no
solution itself (sandbox.py), and starts no threads, so that it can be forked.
"""

import json
import sys
from dataclasses import asdict

from lightnn.study.exercises import judge
from lightnn.study.exercises.sheets import chapters, sheets_of


def main():
    for chapter in chapters():
        sheets_of(chapter)  # registers the exercises
    for line in sys.stdin:
        task = json.loads(line)
        verdict = judge.finale(task) if task.get("finale") else judge.grade(task)
        print(json.dumps(asdict(verdict)), flush=True)


if __name__ == "__main__":
    main()
