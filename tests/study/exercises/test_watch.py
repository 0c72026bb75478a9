"""lightnn/study/exercises/watch.py and debug.py: what a reader sees at each save, each key, and in the debugger."""

import io
import os
import pdb

import pytest

from lightnn.study.exercises import solutions, stubs
from lightnn.study.exercises.debug import debug
from lightnn.study.exercises.watch import Watch

RIGHT_1 = "    return n * bits / (n * np.log2(k) + k * bits)"
STUB_1 = '    raise NotImplementedError("04.1 is yours to write")'
STUB_2 = '    raise NotImplementedError("04.2 is yours to write")'


class Screen(io.StringIO):
    """What was printed since the last look at it."""

    def new(self):
        text = self.getvalue()
        self.seek(0)
        self.truncate()
        return text


@pytest.fixture
def path(tmp_path):
    return stubs.write_stubs("04", tmp_path)[0]


def save(path, old, new):
    """As an editor does: a new file in the old one's place."""
    other = path.with_suffix(".new")
    other.write_text(path.read_text().replace(old, new))
    os.replace(other, path)


def test_it_shows_one_exercise_and_goes_on_when_it_is_passed(path):
    out = Screen()
    state = Watch("4", path.parent, out)
    assert state.look() and not state.look()
    text = out.new()
    assert "[04.1] 04.2" in text and "NOT STARTED" in text and "04.2  look_up" not in text
    save(path, STUB_1, "    return n * bits / (n * np.log2(k))")
    assert state.look() and "the codebook is not counted" in out.new()
    save(path, "    return n * bits / (n * np.log2(k))", RIGHT_1)
    assert state.look()
    text = out.new()
    assert "04.1 sharing_rate: passed" in text and "04.1+ [04.2]" in text and "04.2  look_up" in text
    assert max(map(len, text.splitlines())) <= 80


def test_it_survives_a_file_that_goes_away(path):
    out = Screen()
    state = Watch("04.1", path.parent, out)
    text = path.read_text()
    path.unlink()
    assert state.look() and "is not there; waiting for it" in out.new()
    path.write_text(text)
    assert state.look() and "NOT STARTED" in out.new()


def test_the_keys(path):
    out = Screen()
    state = Watch("4.1", path.parent, out)
    state.look()
    out.new()
    assert state.press("h") and "04.1 sharing_rate, hint 1 of" in out.new()
    assert state.press("l") and "04.7" in out.new()
    assert state.press("r") and "np.log2(k)" in out.new()
    assert state.press("n") and "[04.2]" in out.new()
    assert state.press("x") and state.press("\n")
    assert not state.press("q")


def test_debug_stands_at_the_first_line_of_the_failing_call(path):
    out, talk = Screen(), Screen()
    save(path, STUB_1, "    rate = n * bits\n    return rate")
    debugger = pdb.Pdb(stdin=io.StringIO("n\np rate\nc\n"), stdout=talk, nosigint=True)
    assert debug("4.1", path.parent, out, debugger) == 1
    assert "\nsharing_rate(16, 32, 4)\n" in out.new()
    assert "rate = n * bits" in talk.getvalue() and "512" in talk.getvalue()


def test_debug_of_a_right_one_needs_no_debugger(path):
    out = Screen()
    save(path, STUB_1, RIGHT_1)
    assert debug("04.1", path.parent, out) == 0 and "PASSED" in out.new()
    assert debug("04.2", path.parent, out) == 1
    with pytest.raises(ValueError, match=r"--debug: want one exercise, such as 04\.1; got 04"):
        debug("4", path.parent, out)
    assert solutions.work_file("04", path.parent) == path
