"""The numbers and the comparisons in the prose of a Markdown cell.

What is set apart from prose is not read: code, formulas, links, headings. Names with digits in them are no numbers:
LeNet-300-100, fc1, 3×3, table 2, chapter 04, 2015, arXiv 1510.00149. Text within <details> is prose like any other.
"""

import re
from typing import NamedTuple

NUMBER = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
PLACE = r"\d+(?:\.\d+)*[a-z]?"
PLACES = rf"{PLACE}(?:\s*(?:,|–|-|and|or|to|및|과|와)\s*{PLACE})*"
KINDS = (
    "chapters?|exercises?|figures?|fig\\.|tables?|sections?|§|equations?|eq\\.|algorithms?|steps?|appendix|questions?"
    "|표|그림|절|식|알고리즘|단계|연습 문제|Python|NumPy|Numba|PyTorch|torchvision|JupyterLab"
)
APART = [  # what is no prose, in the order in which it is cut out
    re.compile(r"^(`{3,}).*?^\1", re.M | re.S),  # code
    re.compile(r"(`+)[^`\n]+\1"),
    re.compile(r"\$\$.*?\$\$", re.S),  # formulas
    re.compile(r"(?<!\\)\$[^$\n]+\$"),
    re.compile(r"!?\[[^\]]*\]\([^)\s]*\)"),  # links and pictures
    re.compile(r"https?://\S+"),
    re.compile(r"^#+ .*$", re.M),  # headings
    re.compile(r"^\s*\d+\. ", re.M),  # the numbers of a list
    re.compile(r"</?[a-z][^>]*>"),  # the tags of HTML, not what they enclose
]
NAMES = [  # what has digits and is no number
    re.compile(r"arXiv[: ]?\d{4}\.\d{4,5}(?:v\d+)?|\b\d{4}\.\d{5}\b"),
    re.compile(rf"(?:(?<![A-Za-z가-힣])(?:{KINDS}))\s*{PLACES}", re.I),
    re.compile(rf"{PLACES}\s?(?:장|절|단계)"),
    re.compile(r"\(\d\)"),  # (1), (2): the items of a list in a sentence
    re.compile(r"(?<![\d.,])0\d(?:\.\d{1,2})?(?![\d.,]\d|\d|\s?%)"),  # 04 and 04.2: a chapter, an exercise
    re.compile(r"(?<![\d.,])\d+(?:,\d{3})*(?:\s?[×x]\s?\d+(?:,\d{3})*)+"),  # 3×3, 28 x 28
    re.compile(r"(?<![\w가-힣])[A-Za-z]+(?:[-_/.][A-Za-z]+)*[-_]?\d[\w.-]*(?<![.-])"),  # fc1, VGG-16, float32
    re.compile(r"(?<=[가-힣])\d+(?![\d.,]*\d|\s?%)"),  # 연구1
    re.compile(r"\b\d-?D\b|\b\d+_\w+"),
    re.compile(r"(?<![\d.,])(?:19[5-9]\d|20[0-3]\d)(?![\d%]|[.,]\d|\s%)"),  # a year
]
THAN = r"(?:\w+er|worse|(?:more|less|fewer)(?:\s+[\w-]+){0,3}?)\s+than\b"
SUPERLATIVE = r"\bthe\s+(?:very\s+)?(?:most|least|best|worst|\w+est)\b"
BARELY = r"(?<!at )(?<!the )\bleast\b(?! squares| significant)|(?<!at )(?<!the )\bmost\b(?=\s*(?:[.,;:!?)]|$))"
COMPARISON = re.compile(f"\\b{THAN}|{SUPERLATIVE}|{BARELY}", re.I | re.M)
NOT_COMPARED = re.compile(
    r"\b(?:other|rather|whether|either)\s+than\b|\bthe\s+(?:very\s+)?"
    r"(?:rest|tests?|latest|nearest|interest|request|forest|digest|manifest|guest|honest|modest|west|chest|nest)\b",
    re.I,
)


class Number(NamedTuple):
    """A number as it is written, without its thousands commas, and the word or sign after it."""

    text: str
    unit: str


def plain(markdown: str) -> str:
    """The prose of a Markdown cell: without code, formulas, links, headings and the marks of emphasis."""
    for pattern in APART:
        markdown = pattern.sub(" ", markdown)
    return markdown.replace("**", "").replace("*", "")


def numbers(markdown: str) -> list[Number]:
    """The numbers in the cell's prose, in their order."""
    text = plain(markdown)
    for pattern in NAMES:
        text = pattern.sub(" ", text)
    return [Number(m.group().replace(",", ""), _unit(text[m.end() :])) for m in NUMBER.finditer(text)]


def _unit(after):
    found = re.match(r"[\s-]?(%|[A-Za-z]+)", after)
    return found.group(1) if found else ""


def printed_numbers(text: str) -> set[str]:
    """The numbers in what a cell printed, without their thousands commas."""
    return {m.group().replace(",", "") for m in NUMBER.finditer(text)}


def comparisons(markdown: str) -> list[str]:
    """The words in the cell's prose that compare: "faster than", "the largest", "bears least"."""
    text = NOT_COMPARED.sub(" ", " ".join(plain(markdown).split()))
    return [m.group() for m in COMPARISON.finditer(text)]
