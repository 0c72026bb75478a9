"""lightnn/options.py: what each helper takes and gives, and what its error says."""

import math

import numpy as np
import pytest

from lightnn import options

HUGE = 10**5000  # Python does not print it


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (options.count("n", 3), 3),
        (options.count("n", np.int64(3)), 3),
        (options.count("n", np.uint8(0), at_least=0), 0),
        (options.counts("f", a=1, b=np.int32(2)), [1, 2]),
        (options.whole("n", -(2**63)), -(2**63)),
        (options.pair("n", 2), (2, 2)),
        (options.pair("n", [np.int64(1), 2]), (1, 2)),
        (options.pair("n", np.array([1, 2])), (1, 2)),
        (options.shape("n", (1, np.int64(3))), (1, 3)),
        (options.ints("n", [], "ints"), ()),
        (options.number("n", 1), 1),
        (options.number("n", np.int64(1)), 1),
        (options.number("n", np.float32(0.5)), 0.5),
        (options.number("n", 2**100), 2.0**100),
        (options.number("n", math.inf, infinite=True), math.inf),
        (options.probability("n", 1), 1),
        (options.fraction("n", np.float64(1)), 1.0),
        (options.finite("f", a=1, b=np.float64(0.5)), [1, 0.5]),
        (options.seed("n", np.int64(2**63 - 1)), 2**63 - 1),
        (options.place("n", np.uint8(2), 3), 2),
        (options.flag("n", np.False_), False),
        (options.one_of("n", "a", ["a", "b"]), "a"),
        (options.function("n", None, optional=True), None),
    ],
)
def test_what_is_valid_becomes_pythons_own(got, want):
    assert got == want and type(got) is type(want)
    if isinstance(want, tuple | list):
        assert list(map(type, got)) == list(map(type, want))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: options.count("f: n", True), "f: n: want an int >= 1, got True"),
        (lambda: options.count("f: n", 2.0), "f: n: want an int >= 1, got 2.0"),
        (lambda: options.count("f: n", 2**31), "f: n: want an int from 1 to 2147483647, got 2147483648"),
        (lambda: options.count("f: n", 9, 2, 8), "f: n: want an int from 2 to 8, got 9"),
        (lambda: options.count("f: n", HUGE), "f: n: want an int from 1 to 2147483647, got int too long to print"),
        (lambda: options.counts("f", a=1, b=0), "f: b: want an int >= 1, got 0"),
        (lambda: options.fraction("f: n", 0), "f: n: want a finite number <= 1 and > 0, got 0"),
        (lambda: options.finite("f", a=1, b=math.nan), "f: b: want a finite number, got nan"),
        (lambda: options.seed("f: n", -1), "f: n: want an int >= 0, got -1"),
        (lambda: options.place("f: n", 3, 3), "f: n: want an int from 0 to 2, got 3"),
        (lambda: options.instance("f: n", "a", int, "an int"), "f: n: want an int, got 'a'"),
        (lambda: options.whole("f: n", 2**63), "f: n: want an int of 64 bits, got 9223372036854775808"),
        (lambda: options.pair("f: n", (1, 2, 3)), "f: n: want an int >= 0 or a pair of them, got (1, 2, 3)"),
        (lambda: options.pair("f: n", (1, -1)), "f: n: want an int >= 0 or a pair of them, got (1, -1)"),
        (lambda: options.pair("f: n", "12"), "f: n: want an int >= 0 or a pair of them, got '12'"),
        (
            lambda: options.pair("f: n", 2**63),
            f"f: n: want an int from 0 to {2**31 - 1} or a pair of them, got {2**63}",
        ),
        (lambda: options.shape("f: n", ()), f"f: n: want ints from 1 to {2**31 - 1}, batch first, got ()"),
        (lambda: options.number("f: n", "1"), "f: n: want a finite number, got '1'"),
        (lambda: options.number("f: n", True), "f: n: want a finite number, got True"),
        (lambda: options.number("f: n", 10**400, at_least=0), f"f: n: want a finite number >= 0, got 1{'0' * 79} ..."),
        (lambda: options.number("f: n", 1, above=0, below=1), "f: n: want a finite number > 0 and < 1, got 1"),
        (lambda: options.number("f: n", math.nan, infinite=True), "f: n: want a number, got nan"),
        (lambda: options.probability("f: n", math.nan), "f: n: want a finite number >= 0 and <= 1, got nan"),
        (lambda: options.flag("f: n", 1), "f: n: want True or False, got 1"),
        (lambda: options.one_of("f: n", ["a"], ["a", "b"]), "f: n: want a or b, got ['a']"),
        (lambda: options.text("f: n", None), "f: n: want a text, got None"),
        (lambda: options.function("f: n", 3), "f: n: want a function, got 3"),
        (lambda: options.listed("f: n", {1, 2}, "two numbers"), "f: n: want two numbers, got {1, 2}"),
        (lambda: options.named("f: n", [1]), "f: n: want a dict with names as keys, got [1]"),
        (
            lambda: options.generator("f: n", None),
            "f: n: want a numpy.random.Generator or a seed, an int >= 0, got None",
        ),
        (lambda: options.generator("f: n", -1), "f: n: want a numpy.random.Generator or a seed, an int >= 0, got -1"),
        (lambda: options.text("f: n", [HUGE]), "f: n: want a text, got list too long to print"),
        (lambda: options.text("f: n", np.eye(2)), "f: n: want a text, got array([[1., 0.], [0., 1.]])"),
    ],
)
def test_an_error_is_one_line_that_says_what_was_wanted_and_what_came(call, message):
    with pytest.raises(ValueError) as error:
        call()
    assert str(error.value) == message


def test_a_generator_is_the_one_given_or_that_of_the_seed():
    rng = np.random.default_rng(3)
    assert options.generator("n", rng) is rng
    want = np.random.default_rng(3).random()
    assert options.generator("n", np.int64(3)).random() == options.generator("n", None, default=3).random() == want
