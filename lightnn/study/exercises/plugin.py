"""pytest plugin of the repository: `pytest --impl work -m ch04` grades the reader's functions with the unit tests.

A test marked `exercise("04.5")` is also marked ch04. With --impl, it runs once for each exercise it is marked with:
that one function is taken from FOLDER/ch04.py, everything else is the reference. A test that never calls the reader's
function fails, and the file and line of each graded function are listed at the end.
"""

import pytest

CHAPTERS = [f"{n:02d}" for n in range(17)]


def pytest_addoption(parser):
    parser.addoption("--impl", metavar="FOLDER", help="grade the exercises in FOLDER (work) instead of the reference")


def pytest_configure(config):
    config.addinivalue_line("markers", 'exercise("NN.M", ...): the test grades these exercises')
    for chapter in CHAPTERS:
        config.addinivalue_line("markers", f"ch{chapter}: the test grades an exercise of chapter {chapter}")


def pytest_collection_modifyitems(items):
    for item in items:
        for mark in item.iter_markers("exercise"):
            for number in mark.args:
                item.add_marker(f"ch{number.partition('.')[0]}")


def pytest_generate_tests(metafunc):
    numbers = [n for mark in metafunc.definition.iter_markers("exercise") for n in mark.args]
    if metafunc.config.getoption("--impl") and numbers:
        metafunc.parametrize("graded_exercise", numbers, indirect=True)


@pytest.fixture(autouse=True)
def graded_exercise(request):
    """With --impl, put the reader's function in the place of the reference for this test."""
    if not hasattr(request, "param"):
        yield
        return
    from lightnn import exercise
    from lightnn.study.exercises import grader, jobs, solutions

    number = request.param
    chapter = number.partition(".")[0]
    path = solutions.work_file(chapter, request.config.rootpath / request.config.getoption("--impl"))
    if not path.exists():
        pytest.fail(f"{number}: {path} does not exist; `python -m lightnn exercise {chapter}` writes it", pytrace=False)
    solution = solutions.load(path.resolve(), chapter)[number]
    if solution.fn is None:
        pytest.fail(f"{number}: {solution.problem}", pytrace=False)
    job = jobs.Job("work", number, solution.fn, solution.problem, solution.where)
    recorder = grader.Recorder(solution.fn)
    with exercise.grading(number, recorder), jobs.others(job), jobs.time_limit(jobs.SECONDS):
        yield
    if not recorder.count:
        pytest.fail(f"{number}: this test never called {solution.where}", pytrace=False)
    request.config.stash.setdefault(GRADED, {})[number] = solution.where


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
        terminalreporter.section("graded")
        for number, where in sorted(graded.items()):
            terminalreporter.line(f"{number}  {where}")
