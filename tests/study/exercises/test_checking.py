"""lightnn/study/exercises/checking.py, dispatch.py, stubs.py, solutions.py: what readers do and are told."""

import io
import re

import pytest

from lightnn import exercise
from lightnn.study.exercises import checking, dispatch, solutions, stubs
from lightnn.study.exercises.sheets import sheets_of

RIGHT_12_1 = "return (size + before + after - dilation * (kernel - 1) - 1) // stride + 1"


@pytest.fixture
def folder(tmp_path):
    """A work folder with the stubs of chapter 12."""
    stubs.write_stubs("12", tmp_path)
    return tmp_path


def write(folder, number, body):
    """Replace one stub's body."""
    path = solutions.work_file("12", folder)
    text, stub = path.read_text(), f'    raise NotImplementedError("{number} is yours to write")'
    assert text.count(stub) == 1
    path.write_text(text.replace(stub, "\n".join(f"    {line}" for line in body.splitlines())))


def grade(folder, *numbers, seconds=2):
    path = str(solutions.work_file("12", folder).resolve())
    tasks = [{"name": n, "number": n, "file": path, "seconds": seconds} for n in numbers]
    return dispatch.run(tasks, patience=30)


def report(folder, number="12", **options):
    out = io.StringIO()
    status = checking.check(number, folder=folder, out=out, **options)
    return status, out.getvalue()


def test_stubs_have_the_references_signature_and_docstring_and_no_body(folder):
    text = solutions.work_file("12", folder).read_text()
    compile(text, "ch12.py", "exec")
    for s in sheets_of("12"):
        reference = exercise.reference_of(s.number)
        assert reference.__doc__ in text
        assert solutions.is_stub(text, s.name)
    assert "einsum" not in text.replace("np.einsum over", "")


def test_writing_stubs_again_leaves_the_work_untouched_and_adds_what_is_missing(folder):
    path = solutions.work_file("12", folder)
    write(folder, "12.1", "return 7")
    before = path.read_bytes()
    assert stubs.write_stubs("12", folder) == (path, [])
    assert path.read_bytes() == before
    cut = path.read_text().split("# 12.7")[0]
    path.write_text(cut)
    assert stubs.write_stubs("12", folder)[1] == ["12.7", "12.8"]
    assert path.read_text().startswith(cut.rstrip("\n")) and "return 7" in path.read_text()


def test_one_right_one_wrong_the_rest_not_started(folder):
    write(folder, "12.1", RIGHT_12_1)
    write(
        folder,
        "12.3",
        "n, c, h, w = x.shape\nreturn x.reshape(n, c // groups, groups, h, w).swapaxes(1, 2).reshape(x.shape)",
    )
    status, text = report(folder)
    assert status == 1 and "1 passed, 1 wrong, 6 not started" in text
    lines = text.splitlines()
    assert re.match(r"12.1  out_size +easy +PASSED +ch12.py, line \d+", lines[0])
    assert re.match(r"12.3  channel_shuffle +easy +WRONG +ch12.py, line \d+", lines[2])
    for want in ("call      channel_shuffle(x=", "expected  ", "differs   first at [", "equation  channel i C/G + j"):
        assert want in text
    assert "likely    the inverse shuffle: C is split as (C/G, groups)" in text
    assert max(map(len, lines)) <= 80 and "\x1b" not in text


def test_everything_right_is_status_0(folder):
    for s in sheets_of("12"):
        source = solutions.source_of(s.number)
        write(folder, s.number, "\n".join(line[4:] for line in source.split('"""\n')[-1].splitlines()))
    status, text = report(folder)
    assert status == 0, text
    assert "8 passed, 0 wrong, 0 not started" in text


@pytest.mark.parametrize(
    "how",
    [
        "from lightnn.kernels.conv.planes import out_size as reference",
        "from lightnn.kernels.conv import planes\nreference = planes.out_size.__wrapped__",
        "from lightnn import exercise\nreference = exercise.REGISTRY['12.1']",
        "from lightnn import exercise\nreference = exercise.reference_of('12.1')",
    ],
)
def test_a_function_that_merely_calls_the_reference_is_refused(folder, how):
    write(folder, "12.1", f"{how}\nreturn reference(size, kernel, stride, before, after, dilation)")
    (verdict,) = grade(folder, "12.1")
    assert verdict["status"] == "WRONG" and "it calls the reference" in verdict["problem"]


def test_a_name_that_is_the_reference_is_refused(folder):
    path = solutions.work_file("12", folder)
    path.write_text(
        re.sub(
            r"def out_size.*?is yours to write\"\)",
            "from lightnn.kernels.conv.planes import out_size",
            path.read_text(),
            flags=re.S,
        )
    )
    (verdict,) = grade(folder, "12.1")
    assert verdict["status"] == "WRONG" and "it is the reference" in verdict["problem"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("while True:\n    pass", "it does not end: stopped after 2 s"),
        ("import os\nos._exit(0)", "it ended the Python that ran it"),
        ("import sys\nsys.exit(1)", "SystemExit: 1"),
        ("import ctypes\nctypes.string_at(0)", "it crashed the Python that ran it (signal 11)"),
        ("return out_size(size, kernel, stride, before, after, dilation)", "RecursionError"),
        ("return None", "AssertionError"),
        ("return 'seven'", "AssertionError"),
        ("return nothing", "NameError: name 'nothing' is not defined"),
        ("import nothing_at_all", "ModuleNotFoundError"),
        ("return (1", "SyntaxError"),
        ("print('so much') or exit()", "SystemExit"),
    ],
    ids=["endless", "exit", "sys.exit", "crash", "recursion", "None", "str", "NameError", "import", "syntax", "print"],
)
def test_whatever_a_solution_does_is_its_own_and_the_others_are_graded(folder, body, said):
    write(folder, "12.1", body)
    write(folder, "12.3", "return x[:, np.arange(x.shape[1]).reshape(groups, -1).T.ravel()]")
    wrong, right = grade(folder, "12.1", "12.3")
    assert (wrong["number"], wrong["status"]) == ("12.1", "WRONG")
    assert said in wrong["problem"] and "ch12.py, line" in wrong["where"]
    assert right["status"] == "PASSED", right


def test_a_change_in_place_is_named(folder):
    write(folder, "12.3", "x *= 0\nreturn x")
    (verdict,) = grade(folder, "12.3")
    assert "it changed its argument `x` in place" in verdict["problem"]


def test_a_broken_import_at_the_top_is_said_to_every_exercise_that_fails(folder):
    path = solutions.work_file("12", folder)
    path.write_text(path.read_text().replace("import numpy as np", "import numpyy as np"))
    write(folder, "12.1", RIGHT_12_1)
    write(folder, "12.3", "return np.zeros(3)")
    one, three = grade(folder, "12.1", "12.3")
    assert one["status"] == "PASSED"
    assert "No module named 'numpyy'" in three["problem"] and "NameError" in three["problem"]


def test_an_exercise_uses_the_references_neighbours_unless_they_are_asked_for(folder):
    """conv2d calls windows, which is not written yet in this file."""
    source = solutions.source_of("12.6")
    write(folder, "12.6", "\n".join(line[4:] for line in source.split('"""\n')[-1].splitlines()))
    assert [v["status"] for v in grade(folder, "12.6")] == ["PASSED"]


def test_hints_come_one_at_a_time_and_then_the_way_to_the_reference(folder):
    given = [report(folder, "12.1", hint=True)[1] for _ in range(4)]
    hints = next(s for s in sheets_of("12") if s.number == "12.1").hints
    for count, text in enumerate(given, 1):
        assert [h in text for h in hints] == [i < count for i in range(len(hints))]
    assert "--reference" not in given[1] and "exercise 12.1 --reference" in given[2]


def test_the_reference_can_be_shown():
    text = stubs.show_reference("04.2")
    assert (
        text.startswith("lightnn/compress/transforms/codebook.py, line ")
        and "np.bincount" in text
        and "@exercise" not in text
    )


def test_progress_counts_the_book_and_names_what_is_next(folder):
    write(folder, "12.1", RIGHT_12_1)
    write(folder, "12.2", "return 1")
    out = io.StringIO()
    assert checking.progress(folder, out) == 0
    rows = {line[:2]: line.split()[1:4] for line in out.getvalue().splitlines()}
    assert rows["12"] == ["1", "1", str(len(sheets_of("12")) - 2)]
    assert rows["04"] == ["0", "0", str(len(sheets_of("04")))]
    assert "next: 02.1 adjust_dropout" in out.getvalue()


def test_a_chapter_without_a_file_says_how_to_get_one(tmp_path):
    with pytest.raises(ValueError, match=r"there is no ch12.py: `python -m lightnn exercise 12` writes it"):
        checking.check("12", folder=tmp_path)


def test_the_switch_is_the_reference_outside_of_grading():
    from lightnn.kernels.conv.planes import out_size

    assert out_size(28, 5, 1, 0, 0) == 24 and out_size.exercise == "12.1"
    with exercise.grading("12.1", lambda *a: -1):
        assert out_size(28, 5, 1, 0, 0) == -1
        with pytest.raises(exercise.CallsTheReference):
            out_size.__wrapped__(28, 5, 1, 0, 0)
    assert out_size.__wrapped__(28, 5, 1, 0, 0) == 24
    with pytest.raises(ValueError, match=r"12\.1 is out_size already"):
        exercise.exercise("12.1")(lambda: None)
