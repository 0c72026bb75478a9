"""lightnn/study/exercises/checking.py, state.py, stubs.py: what readers write, do and are told."""

import io
import itertools
import re

import pytest
from numba import config

from lightnn import exercise
from lightnn.study.exercises import checking, dispatch, solutions, stubs
from lightnn.study.exercises.sheets import chapters, exercise_number, sheets_of
from lightnn.study.exercises.state import state

RIGHT_1 = "return n * bits / (n * np.log2(k) + k * bits)"
RIGHT_2 = "return codebook[codes], lambda dy: np.bincount(codes.ravel(), dy.ravel(), len(codebook)).astype(dy.dtype)"


@pytest.fixture
def folder(tmp_path):
    """A work folder with the stubs of chapter 04."""
    stubs.write_stubs("04", tmp_path)
    return tmp_path


def stub_of(number):
    return f'    raise NotImplementedError("{number} is yours to write")'


def write(folder, number, body):
    """Replace one stub's body."""
    path = solutions.work_file("04", folder)
    text = path.read_text()
    assert text.count(stub_of(number)) == 1
    path.write_text(text.replace(stub_of(number), "\n".join(f"    {line}" for line in body.splitlines())))


def grade(folder, *numbers, seconds=2):
    path = str(solutions.work_file("04", folder).resolve())
    return list(dispatch.run([{"name": n, "number": n, "file": path, "seconds": seconds} for n in numbers]))


def report(folder, number="04", **options):
    out = io.StringIO()
    status = checking.check(number, folder=folder, out=out, **options)
    return status, out.getvalue()


def test_stubs_have_the_references_words_and_no_body(folder):
    text = solutions.work_file("04", folder).read_text()
    compile(text, "ch04.py", "exec")
    assert max(map(len, text.splitlines())) <= 80
    words = " ".join(text.replace('"""', " ").split())
    for s in sheets_of("04"):
        assert " ".join(exercise.reference_of(s.number).__doc__.split()) in words
        assert not state(solutions.work_file("04", folder), "04")[s.number]["started"]
    assert "bincount" not in text


@pytest.mark.parametrize("chapter", chapters())
def test_the_stubs_of_every_chapter_fit_80_columns_and_explain_what_they_import(tmp_path, chapter):
    path, _ = stubs.write_stubs(chapter, tmp_path)
    lines = path.read_text().splitlines()
    assert not [line for line in lines if len(line) > 80]
    for before, line in itertools.pairwise(lines):
        assert not line.startswith("from lightnn") or before.startswith("#")


def test_a_long_signature_is_broken():
    import ast

    made = stubs._signature(ast.parse(f"def f({'a' * 40}: int, {'b' * 40}=1) -> float: pass").body[0])
    assert max(map(len, made.splitlines())) <= 100 and made.endswith(") -> float:") and "\n" in made


def test_writing_stubs_again_leaves_the_work_untouched_and_adds_what_is_missing(folder):
    path = solutions.work_file("04", folder)
    write(folder, "04.1", "return 7")
    before = path.read_bytes()
    assert stubs.write_stubs("04", folder) == (path, [])
    assert path.read_bytes() == before
    cut = path.read_text().split("# 04.6")[0]
    path.write_text(cut)
    assert stubs.write_stubs("04", folder)[1] == ["04.6", "04.7"]
    assert path.read_text().startswith(cut.rstrip("\n")) and "return 7" in path.read_text()


def test_one_right_one_wrong_the_rest_not_started(folder):
    write(folder, "04.2", RIGHT_2)
    write(folder, "04.1", "return n * bits / (n * np.log2(k))")
    status, text = report(folder)
    assert status == 1 and "1 passed, 1 wrong, 5 not started" in text
    lines = text.splitlines()
    assert re.match(r"04.1  sharing_rate +easy +WRONG +ch04.py, line \d+", lines[0])
    for want in ("call      sharing_rate(16, 32, 4)", "expected  3.2", "got       16", "equation  r = n b"):
        assert f"      {want}" in text
    assert "      likely    the codebook is not counted" in text
    assert max(map(len, lines)) <= 80 and "\x1b" not in text


@pytest.mark.thorough
@pytest.mark.skipif(config.DISABLE_JIT, reason="the end of a chapter trains, which needs the compiler")
def test_everything_right_is_status_0_and_runs_the_chapters_end(folder):
    for s in sheets_of("04"):
        source = solutions.source_of(s.number)
        write(folder, s.number, "\n".join(line[4:] for line in source.split('"""\n')[-1].splitlines()))
    status, text = report(folder)
    assert status == 0, text
    assert "7 passed, 0 wrong, 0 not started" in text
    assert re.search(r"Chapter 04 is done\. [A-Z].*\d[\d,]* bytes", text), text


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("def rate(n, bits, k):\n    return 1\n", "there is no sharing_rate"),
        ("def sharing_rates(n, bits, k):\n    return 1\n", "did you rename it to sharing_rates?"),
        ("if True:\n    def sharing_rate(n, bits, k):\n        return 1\n", "line 2 defines sharing_rate inside"),
        (
            f"def sharing_rate(n, bits, k):\n    return 1\n\n\ndef sharing_rate(n, bits, k):\n{stub_of('04.1')}\n",
            "line 1 has it, but line 5 replaces it by the stub",
        ),
        (f"def sharing_rate(n, bits, k):\n    'doc'\n{stub_of('04.1')}\n", "still the stub"),
    ],
    ids=["missing", "renamed", "inside if", "the stub below", "stub"],
)
def test_not_started_says_why(tmp_path, body, why):
    solutions.work_file("04", tmp_path).write_text(body)
    (verdict,) = checking.grade_work(list(sheets_of("04"))[:1], tmp_path)
    assert verdict["status"] == "NOT STARTED" and why in verdict["why"]
    assert why == "still the stub" or why.split()[-1] in report(tmp_path, "04.1")[1]


@pytest.mark.parametrize(
    "how",
    [
        "from lightnn.compress.transforms.clustering import sharing_rate as reference",
        "from lightnn.compress.transforms import clustering\nreference = clustering.sharing_rate.__wrapped__",
        "from lightnn import exercise\nreference = exercise.REGISTRY['04.1']",
        "from lightnn import exercise\nreference = exercise.reference_of('04.1')",
    ],
)
def test_a_function_that_merely_calls_the_reference_is_refused(folder, how):
    write(folder, "04.1", f"{how}\nreturn reference(n, bits, k)")
    (verdict,) = grade(folder, "04.1")
    assert verdict["status"] == "WRONG" and "it calls the reference" in verdict["got"]


def test_a_name_that_is_the_reference_is_refused(folder):
    path = solutions.work_file("04", folder)
    own = r"def sharing_rate.*?is yours to write\"\)"
    line = "from lightnn.compress.transforms.clustering import sharing_rate"
    path.write_text(re.sub(own, line, path.read_text(), flags=re.S))
    (verdict,) = grade(folder, "04.1")
    assert verdict["status"] == "WRONG" and "it is the reference" in verdict["why"]


def test_a_change_in_place_is_shown(folder):
    write(folder, "04.2", "codebook *= 2\nreturn codebook[codes] / 2, lambda dy: np.zeros(3)")
    (verdict,) = grade(folder, "04.2")
    assert verdict["status"] == "WRONG"
    assert "argument" in verdict["what"] or "gradient" in verdict["what"]


def test_what_it_prints_is_shown_below_it(folder):
    write(folder, "04.1", f"print('k is', k)\n{RIGHT_1}")
    _, text = report(folder, "04.1")
    assert "PASSED" in text and "      printed   k is 4\n" in text


def test_a_broken_import_at_the_top_is_said_to_every_exercise_that_fails(folder):
    path = solutions.work_file("04", folder)
    path.write_text(path.read_text().replace("import numpy as np", "import numpyy as np"))
    write(folder, "04.1", "import math\nreturn n * bits / (n * math.log2(k) + k * bits)")
    write(folder, "04.2", RIGHT_2)
    one, two = grade(folder, "04.1", "04.2")
    assert one["status"] == "PASSED"
    assert "No module named 'numpyy'" in two["why"] and "NameError" in two["got"]


def test_an_exercise_uses_the_references_neighbours(folder):
    """share calls kmeans, which is not written yet in this file."""
    source = solutions.source_of("04.4")
    write(folder, "04.4", "\n".join(line[4:] for line in source.split('"""\n')[-1].splitlines()))
    assert [v["status"] for v in grade(folder, "04.4")] == ["PASSED"]


def test_hints_come_one_at_a_time_and_then_the_way_to_the_reference(folder):
    given = [report(folder, "04.1", hint=True)[1] for _ in range(4)]
    hints = next(s for s in sheets_of("04") if s.number == "04.1").hints
    for count, text in enumerate(given, 1):
        assert max(map(len, text.splitlines())) <= 80
        told = " ".join(text.split())
        assert [h in told for h in hints] == [i < count for i in range(len(hints))]
    assert "--reference" not in given[1] and "exercise 04.1 --reference" in given[len(hints) - 1]


def test_a_hint_goes_to_the_first_that_is_wrong(folder):
    write(folder, "04.2", "return codebook[codes], lambda dy: dy")
    assert "04.2 look_up, hint 1 of" in report(folder, hint=True)[1]


def test_the_reference_can_be_shown():
    text = stubs.show_reference("04.2")
    assert text.startswith("lightnn/compress/transforms/codebook.py, line ")
    assert "np.bincount" in text and "@exercise" not in text


def test_progress_counts_the_book_and_names_what_is_next(folder):
    write(folder, "04.1", RIGHT_1)
    write(folder, "04.2", "return 1")
    out = io.StringIO()
    assert checking.progress(folder, out) == 0
    rows = {line[:2]: line.split()[1:4] for line in out.getvalue().splitlines()}
    assert rows["04"] == ["1", "1", str(len(sheets_of("04")) - 2)]
    assert rows["12"] == ["0", "0", str(len(sheets_of("12")))]
    assert "next: 02.1 adjust_dropout" in out.getvalue()


def test_a_chapter_without_a_file_says_how_to_get_one(tmp_path):
    with pytest.raises(ValueError, match=r"there is no ch04.py: `python -m lightnn exercise 04` writes it"):
        checking.check("4", folder=tmp_path)


@pytest.mark.parametrize(("given", "number"), [("4.2", "04.2"), ("04.2", "04.2"), ("4", "04"), ("12", "12")])
def test_a_number_may_leave_the_zero_out(given, number):
    assert exercise_number(given) == number


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
