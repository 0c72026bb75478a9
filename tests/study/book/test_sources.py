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


def test_a_function_is_shown_from_its_file_with_its_exercise(shown):
    study.show(transforms.look_up)
    head, code = shown
    assert head.data.startswith(
        "[`lightnn/compress/transforms/codebook.py`](../lightnn/compress/transforms/codebook.py), line "
    )
    assert "exercise 04.2 · `w = c[I]," in head.data
    assert code.data.startswith("@op\ndef look_up(") and "np.bincount" in code.data


def test_a_function_that_is_no_exercise_has_no_number(shown):
    study.show(quality_for)
    assert "exercise" not in shown[0].data and shown[1].data.startswith("def quality_for(")


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
