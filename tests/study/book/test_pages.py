"""lightnn/study/book/pages.py: pages without a network, links that lead somewhere, formulas drawn, a search index."""

import json
import re

import pytest

pytest.importorskip("nbconvert", reason="want nbconvert, of the group html")
pytest.importorskip("latex2mathml", reason="want latex2mathml, of the group html")

from lightnn.study.book import launch, pages


def test_a_formula_becomes_mathml_and_code_stays():
    formulas = []
    text = pages.FORMULA.sub(lambda m: pages._held(m, formulas), "a $x^2$ and `$y$`\n\n$$ \\frac{a}{b} $$\n")
    assert text.startswith("a FORMULA0HERE and `$y$`") and "FORMULA1HERE" in text
    assert "<msup>" in formulas[0] and 'display="block"' in formulas[1]


def test_sections_are_what_the_search_looks_through():
    body = '<h1 id="a">One <a href="#a">¶</a></h1><p>first <b>text</b></p><h2 id="b">Two</h2>second &amp; last'
    assert pages.sections("p", body) == [
        {"page": "p", "anchor": "a", "title": "One", "text": "first text"},
        {"page": "p", "anchor": "b", "title": "Two", "text": "second & last"},
    ]


@pytest.mark.thorough
def test_the_book_is_built_and_every_link_leads_somewhere(tmp_path):
    built = pages.build_pages(tmp_path, say=lambda line: None)
    assert [p.name for p in built] == ["index.html", *(f"{launch.chapter(n).stem}.html" for n in launch.numbers())]
    for page in built:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r'<(?:script|link|img)[^>]+(?:src|href)="https?:', text), "the network is needed"
        assert "FORMULA" not in text
        for target in re.findall(r'href="([\w.]+\.html)', text):
            assert (tmp_path / target).exists(), target
    index = (tmp_path / "search_index.js").read_text(encoding="utf-8")
    entries = json.loads(index.removeprefix("window.BOOK = ").rstrip(";\n"))
    assert any("Huffman" in e["title"] + e["text"] for e in entries) and len(entries) > 100
