"""lightnn/study/book/claims.py: a claim on times that does not hold is one line, and found again in the outputs."""

from lightnn import study
from lightnn.study.book import claims


def test_a_claim_that_holds_is_silent_and_one_that_does_not_is_said(capsys):
    study.timed(2 > 1, "two is more")
    assert capsys.readouterr().out == ""
    study.timed(2 < 1, "two is less")
    assert capsys.readouterr().out == "Not so on this machine now: two is less\n"


def test_what_was_said_is_found_among_the_outputs():
    stream = {"output_type": "stream", "text": f"x\n{claims.NOT_HERE}it is faster\n"}
    shown = {"output_type": "display_data", "data": {"text/plain": f"{claims.NOT_HERE}no"}}
    cells = [{"cell_type": "markdown", "source": claims.NOT_HERE}, {"outputs": [shown, stream]}, {"outputs": []}]
    assert claims.missed(cells) == ["it is faster"]
