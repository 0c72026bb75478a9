"""The process that grades: `python -m lightnn.study.exercises.worker OUT`, with the tasks as JSON on standard input.

Grading runs in a process of its own so that a solution that crashes, exits or never ends harms nothing else. The start
of each task and its verdict are written to the file OUT, one line of JSON each.

A task is {"name", "number", "seconds" for one test (optional)} and one of: {"file"}, the reader's file; {"source"}, a
changed reference; {"stub": true}; or nothing more, for the reference itself.
"""

import json
import pathlib
import sys
from dataclasses import asdict

from lightnn.exercise import REGISTRY
from lightnn.study.exercises import grader, jobs, solutions
from lightnn.study.exercises.sheets import chapters, sheets_of


def job_of(task, loaded):
    number = task["number"]
    if "file" in task:
        path = pathlib.Path(task["file"])
        chapter = number.partition(".")[0]
        if path not in loaded:
            loaded[path] = solutions.load(path, chapter)
        s = loaded[path][number]
        return jobs.Job(task["name"], number, s.fn, s.problem, s.where)
    if "source" in task:
        return jobs.Job(task["name"], number, solutions.from_source(number, task["source"]))
    if task.get("stub"):
        return jobs.Job(task["name"], number, _stub(number))
    reference = solutions.from_source(number, solutions.source_of(number))
    return jobs.Job(task["name"], number, reference)


def _stub(number):
    def stub(*args, **options):
        raise NotImplementedError(f"{number} is yours to write")

    return stub


def main(out):
    for chapter in chapters():
        sheets_of(chapter)  # registers the exercises
    tasks, loaded = json.load(sys.stdin), {}
    with open(out, "a", encoding="utf-8") as file:

        def write(line):
            file.write(json.dumps(line) + "\n")
            file.flush()

        made = [job_of(task, loaded) for task in tasks if task["number"] in REGISTRY]
        for job, task in zip(made, tasks, strict=True):
            job.seconds = task.get("seconds", job.seconds)
        errors = grader.grade(made, lambda v: write(asdict(v)), lambda job: write({"begin": job.name}))
        if errors:
            write({"errors": errors})


if __name__ == "__main__":
    main(sys.argv[1])
