"""lightnn/study/book/sources.py and plots.py: what a chapter shows, without a notebook."""

import pytest

IPython = pytest.importorskip("IPython")

from lightnn import study  # noqa: E402
from lightnn.compress import quality_for, transforms  # noqa: E402
from lightnn.study.exercises.sheets import sheets_of  # noqa: E402


@pytest.fixture
def shown(monkeypatch):
    """What was displayed, in order."""
    seen = []

    def display(*objects, **options):
        seen.extend(objects)
        return type("Handle", (), {"update": lambda self, *a, **k: seen.append(("update", *a))})()

    monkeypatch.setattr("IPython.display.display", display)
    return seen


def test_a_function_is_shown_folded_from_its_file_with_its_exercise(shown):
    study.show(transforms.look_up)
    (folded,) = shown
    head, _, rest = folded.data.partition("</summary>\n\n```python\n")
    code, end = rest.split("```")
    assert head.startswith('<details><summary><a href="../lightnn/compress/transforms/codebook.py">lightnn/compress/')
    assert ", line " in head and "exercise 04.2 · <code>w = c[I]," in head
    assert code.startswith("@op\ndef look_up(") and "np.bincount" in code and "exercise" not in code
    assert end == "\n\n</details>"


def test_a_function_that_is_no_exercise_has_no_number(shown):
    study.show(quality_for)
    assert "exercise" not in shown[0].data and "```python\ndef quality_for(" in shown[0].data


@pytest.mark.parametrize("name", ["han2015", "deep_compression_lenet5"])
def test_a_result_is_the_committed_file_from_any_folder(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert {"command", "seed", "machine"} <= study.result(name).keys()


@pytest.mark.parametrize("name", ["han2016", "", "../results/han2015", "han2015.json"])
def test_a_result_that_is_not_there_is_named_beside_those_that_are(name):
    with pytest.raises(ValueError, match=rf"no result {name}; there are .*, han2015, "):
        study.result(name)


def test_exercises_are_a_table(shown):
    study.show_exercises("04")
    lines = shown[0].data.splitlines()
    assert len(lines) == 2 + len(sheets_of("04")) and lines[2].startswith("| 04.1 | `sharing_rate` |")


def test_a_slider_shows_the_first_picture_and_redraws(shown):
    pytest.importorskip("ipywidgets")
    from IPython.core.interactiveshell import InteractiveShell

    drawn = []

    def draw(bits):
        from IPython.display import publish_display_data

        drawn.append(bits)
        publish_display_data({"image/png": b"", "text/plain": str(bits)})

    InteractiveShell.instance()
    try:
        study.turn(draw, bits=(4, 1, 6))
        box, first = shown
        assert first["text/plain"] == "4" and box.children[0].max == 6
        box.children[0].value = 5
        assert shown[-1][0] == "update" and drawn == [4, 5]
        with pytest.raises(ValueError, match="want draw to show one figure, got 0"):
            study.turn(lambda bits: None, bits=(1, 0, 2))
    finally:
        InteractiveShell.clear_instance()
