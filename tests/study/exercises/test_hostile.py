"""Whatever a solution does is its own: it is told in a line, in time, and the next exercise is graded rightly."""

import time

import pytest

from lightnn.study.exercises import dispatch, solutions, stubs

RIGHT_2 = "return codebook[codes], lambda dy: np.bincount(codes.ravel(), dy.ravel(), len(codebook)).astype(dy.dtype)"
FORK_BOMB = "import os\nwhile True:\n    os.fork()"
THREADS = (
    "import threading, time\nwhile True:\n    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"
)
LOCALS = """import sys
frame = sys._getframe()
while frame is not None:
    for value in frame.f_locals.values():
        if isinstance(value, dict) and "want" in value:
            return value["want"]
    frame = frame.f_back
return 0"""
EQUAL = """class Equal(float):
    __eq__ = __le__ = __lt__ = __ge__ = __gt__ = lambda self, other: True
    __sub__ = __rsub__ = lambda self, other: 0.0
return Equal(7)"""
PATCHED = """import numpy.testing
from lightnn.study.exercises import compare, outcome
yes = lambda *a, **k: True
np.testing.assert_allclose = np.testing.assert_array_equal = np.allclose = np.isclose = np.array_equal = yes
compare.difference = outcome.plain = lambda *a, **k: None
return 7.0"""

BODIES = {  # name: (body of the function, what the verdict says)
    "endless": ("while True:\n    pass", "it does not end"),
    "one endless call": ("return sum(range(10**11))", "it does not end"),
    "exit": ("import os\nos._exit(0)", "it ended the Python that ran it"),
    "sys.exit": ("import sys\nsys.exit(1)", "SystemExit"),
    "crash": ("import ctypes\nctypes.string_at(0)", "it crashed the Python that ran it (signal 11)"),
    "fork bomb": (FORK_BOMB, "a solution may not call os.fork"),
    "a shell": ("import os\nos.system('true')", "a solution may not call"),
    "another Python": ("import subprocess\nsubprocess.run(['true'])", "a solution may not call"),
    "kill the parent": ("import os\nos.kill(os.getppid(), 9)", "a solution may not call os.kill"),
    "threads": (THREADS, ""),
    "memory": ("return np.ones(10**10)", "memory"),
    "breakpoint": ("breakpoint()", "breakpoint() has nobody to talk to"),
    "input": ("return float(input())", "EOFError"),
    "skip": ("import pytest\npytest.skip()", "Skipped"),
    "patched": (PATCHED, "7"),
    "equal to all": (EQUAL, "a value of type Equal"),
    "complex": ("return complex(3.2, 0)", "complex"),
    "object array": ("return np.array([3.2], object)", "object"),
    "locals": (LOCALS, "0"),
    "recursion": ("return sharing_rate(n, bits, k)", "RecursionError"),
    "None": ("return None", "None"),
    "text": ("return 'seven'", "'seven'"),
    "flood": ("while True:\n    print('so much' * 1000)", ""),
    "name": ("return nothing", "NameError: name 'nothing' is not defined (line"),
    "syntax": ("return (1", "SyntaxError"),
}
LOADS = {  # what stands above the function
    "endless loading": ("while True:\n    pass", "does not end loading"),
    "exit at loading": ("import os\nos._exit(3)", "it ended the Python that ran it (exit status 3)"),
}


def file(tmp_path, body, above=""):
    path, _ = stubs.write_stubs("04", tmp_path)
    text = path.read_text()
    for number, code in (("04.1", body), ("04.2", RIGHT_2)):
        stub = f'    raise NotImplementedError("{number} is yours to write")'
        text = text.replace(stub, "\n".join(f"    {line}" for line in code.splitlines()))
    path.write_text(above + "\n" + text)
    return path


def grade(path, *numbers):
    """(verdicts, seconds of the slowest)."""
    found, slowest = [], 0
    for number in numbers:
        start = time.monotonic()
        found += dispatch.run([{"name": number, "number": number, "file": str(path), "seconds": 2}])
        slowest = max(slowest, time.monotonic() - start)
    return found, slowest


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.thorough if n == "one endless call" else ()) for n in BODIES]
)
def test_a_hostile_body_is_its_own(tmp_path, name):
    body, said = BODIES[name]
    path = file(tmp_path, body)
    (wrong, right), seconds = grade(path, "04.1", "04.2")
    assert (wrong["number"], wrong["status"]) == ("04.1", "WRONG")
    assert said in wrong["got"] + wrong["why"], wrong
    assert right["status"] == "PASSED", right
    assert seconds < 25


@pytest.mark.parametrize("name", ["exit at loading", pytest.param("endless loading", marks=pytest.mark.thorough)])
def test_a_hostile_file_is_wrong_in_every_exercise(tmp_path, name):
    above, said = LOADS[name]
    path = file(tmp_path, "return 1", above)
    (wrong,), seconds = grade(path, "04.1")
    assert wrong["status"] == "WRONG" and said in wrong["why"], wrong
    assert seconds < 25
    assert [v["status"] for v in dispatch.run([{"name": "", "number": "04.1"}])] == ["PASSED"]


def test_solutions_that_print_are_heard(tmp_path):
    (verdict, _), _ = grade(file(tmp_path, "print('heard')\nreturn 1.0"), "04.1", "04.2")
    assert "heard" in verdict["printed"] and len(verdict["printed"]) < 10_000
    assert solutions.work_file("04", tmp_path).exists()
