"""lightnn/study/book/prose.py: the numbers and the comparisons in a text."""

import pytest

from lightnn.study.book.prose import comparisons, numbers, plain, printed_numbers


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The file has 15,203 bytes.", "15203"),
        ("It keeps 7.9 % of the weights, 12.1x fewer.", "7.9 12.1"),
        ("An error of 1.29 %, at 5 epochs.", "1.29 5"),
        ("70× smaller; the paper: 40×", "70 40"),
        ("It loses −0.3 points, or -0.25.", "0.3 0.25"),
        ("49배, 9배로 줄었다.", "49 9"),
        ("가중치의 8 %만 남는다", "8"),
        ("5-bit steps and 4-bit codes", "5 4"),
        ("2000 images", ""),  # as a year; the price of allowing years
        ("2,000 images", "2000"),
        ("a batch of 100 (of 60,000)", "100 60000"),
        ("0.5 and 0.05 and 1.00", "0.5 0.05 1.00"),
        ("- 3 points", "3"),
        ("the ratio 1:12", "1 12"),
        ("<details><summary>Answer</summary>\n\nIt is 42.\n\n</details>", "42"),
        ("**12** and *13*", "12 13"),
        ("| fc1 | 8 % |\n|---|---|\n| conv2 | 12 % |", "8 12"),
        ("5 % of 3×3 filters", "5"),
        ("exactly 1980.5 or 1,980", "1980.5 1980"),
        ("99 % in 2015", "99"),
        ("784 × 300 = 235,200", "235200"),
        ("VGG-16 has 138 million parameters", "138"),
    ],
)
def test_numbers_are_found(text, found):
    assert " ".join(number.text for number in numbers(text)) == found


@pytest.mark.parametrize(
    "text",
    [
        "`python -m lightnn check 04.2` and ``x`` of `784`",
        "```python\nx = 12\n```",
        "````\n```\n12\n```\n````",
        "$x = 12$ and $$ \\frac{1}{2} $$",
        "$$\n y = 3\n$$",
        "[12 filters](12_convolution_filters.ipynb), ![a picture of 3](x3.png), https://x.org/12",
        "## 12 things (열두 가지)\n\nno more",
        "1. first\n2. second\n  3. third",
        "LeNet-300-100 and LeNet-5, VGG-16, ResNet-50, CIFAR-10, MobileNet V1",
        "fc1, conv2_1, float32, int8, L1, L2, top-1, AVX-512, x86_64, ch04.py, EfficientNet-B0",
        "3×3, 28 x 28, 1x1, 5 × 5 × 20 filters",
        "chapter 12, chapters 02 and 03, figure 5, fig. 2, tables 1 to 3, tables 1–3, section 3.3, equation 2",
        "Exercise 04.2 · easy; algorithm 1; step 3; Table 2a; section 4.1, 4.2 and 5",
        "표 1–3, 그림 5, 식 3, 3절, 4장, 12장, 가지치기 연구1",
        "Han et al. 2015; in 2017, (2016); 2015년",
        "arXiv 1510.00149, arXiv:1506.02626, 1608.08710",
        "04 and 12_x.ipynb; 04.2",
        "(1) holds, and (2) does not",
        "a 2-D array, 1D",
        "Python 3.11 or newer, NumPy 2",
        "no digits at all",
    ],
)
def test_names_with_digits_are_no_numbers(text):
    assert numbers(text) == []


def test_a_number_knows_its_unit():
    assert [(n.text, n.unit) for n in numbers("1.5 million, 27 KB, 8%, 40x, 3 points; 5.")] == [
        ("1.5", "million"),
        ("27", "KB"),
        ("8", "%"),
        ("40", "x"),
        ("3", "points"),
        ("5", ""),
    ]


def test_printed_numbers_lose_their_commas():
    printed = "fc1   235,200   7.0   1.22 %   54 x\nwidth 0.25: -3 (12ms)"
    assert printed_numbers(printed) == {"1", "235200", "7.0", "1.22", "54", "0.25", "3", "12"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It is faster than the dense one.", ["faster than"]),
        ("Worse than before, and more accurate than that.", ["Worse than", "more accurate than"]),
        ("fewer weights than", ["fewer weights than"]),
        ("less\nthan half", ["less than"]),
        ("fc1 bears most.", ["most"]),
        ("conv1 bears least of all", ["least"]),
        ("the most sensitive, the least, the largest and the very best", 4),
        ("The worst rate is there.", ["The worst"]),
        ("<details><summary>Answer</summary>\n\nIt is smaller than that.\n\n</details>", ["smaller than"]),
        ("**smaller** than", ["smaller than"]),
    ],
)
def test_comparisons_are_found(text, found):
    assert comparisons(text) == found if isinstance(found, list) else len(comparisons(text)) == found


@pytest.mark.parametrize(
    "text",
    [
        "at least four and at most five",
        "other than that, rather than this",
        "the rest of the test set; the tests; the latest; the nearest centre; the interest",
        "least squares, the least significant"[:13],
        "most of what it computes is not needed",
        "`faster than`, $a$, and [smaller than](x.md)",
        "## Smaller than ever (더 작게)",
        "then, thus",
    ],
)
def test_what_does_not_compare_is_left_alone(text):
    assert comparisons(text) == []


def test_prose_is_what_is_left():
    assert plain("## A\n\nSee **this** `x` of [y](z).").split() == ["See", "this", "of", "."]
