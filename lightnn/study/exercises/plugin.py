"""pytest plugin of the repository: `pytest --impl work -m ch04` grades the reader's functions.

The items of `tests/exercises/test_exercises.py`, one for each exercise, are marked with their chapter: ch04. Without
--impl they grade the references; with it, the functions in FOLDER, by the same path as `check`, and nothing else runs.
An exercise that is not started is skipped with the reason.
"""

import pytest

CHAPTERS = [f"{n:02d}" for n in range(17)]


def pytest_addoption(parser):
    parser.addoption("--impl", metavar="FOLDER", help="grade the exercises in FOLDER (work) instead of the references")


def pytest_configure(config):
    for chapter in CHAPTERS:
        config.addinivalue_line("markers", f"ch{chapter}: grades an exercise of chapter {chapter}")


def pytest_ignore_collect(collection_path, config):
    """With --impl, read the exercises only: other tests take their time to import."""
    tests = config.rootpath / "tests"
    if config.getoption("--impl") and collection_path.parent == tests:
        return collection_path.name not in ("exercises", "conftest.py") or None
    return None


def pytest_collection_modifyitems(config, items):
    """With --impl, keep the exercises only."""
    if config.getoption("--impl"):
        others = [item for item in items if "exercise" not in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


@pytest.fixture
def exercise(request):
    """Grade an exercise, by its number: the reference, or with --impl the reader's function."""
    folder = request.config.getoption("--impl")

    def grade(number):
        from lightnn.study.exercises import checking, dispatch, report
        from lightnn.study.exercises.sheets import sheet

        if folder is None:
            (verdict,) = dispatch.run([{"name": number, "number": number}])
        else:
            try:
                (verdict,) = checking.grade_work([sheet(number)], request.config.rootpath / folder)
            except ValueError as error:
                pytest.skip(str(error))
        if verdict["status"] == "NOT STARTED":
            pytest.skip(f"not started: {verdict['why']}")
        if verdict["status"] == "WRONG":
            lines = report.exercise_report(verdict, sheet(number), report.Style(None))
            pytest.fail("\n".join(lines), pytrace=False)
        request.config.stash.setdefault(GRADED, {})[number] = verdict["where"]

    return grade


GRADED = pytest.StashKey()


def pytest_sessionfinish(session):
    """In a worker process of pytest-xdist: hand the list to the main process."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["graded"] = session.config.stash.get(GRADED, {})


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    """In the main process of pytest-xdist: take a worker's list."""
    node.config.stash.setdefault(GRADED, {}).update(getattr(node, "workeroutput", {}).get("graded", {}))


def pytest_terminal_summary(terminalreporter, config):
    graded = config.stash.get(GRADED, {})
    if config.getoption("--impl"):
        terminalreporter.section("graded and right")
        for number, where in sorted(graded.items()):
            terminalreporter.line(f"{number}  {where}")
