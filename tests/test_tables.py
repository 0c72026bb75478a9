"""lightnn/tables.py: one table, in a terminal and in a notebook."""

import pytest

from lightnn.tables import Tabular, html_table, text_table


def test_text_is_aligned_and_numbers_have_separators():
    text = text_table("two layers", ("layer", "weights", "kept"), [("fc1", 235200, "8 %"), ("conv2", 25000, "12 %")])
    assert text == "two layers\nlayer  weights  kept\nfc1    235,200   8 %\nconv2   25,000  12 %"


def test_without_caption_and_head():
    assert text_table("", (), [("a", True)]) == "a  True"
    assert html_table("", (), [("a", 1000)]).count("<td") == 2 and "<caption>" not in html_table("", (), [])


def test_html_escapes_what_it_shows():
    assert "&lt;b&gt;" in html_table("<b>", ("x",), [("y",)]) and "<b>" not in html_table("<b>", ("x",), [("y",)])


def test_a_report_says_which_table_is_missing():
    with pytest.raises(NotImplementedError, match=r"Report has no table\(\)"):
        str(type("Report", (Tabular,), {})())
