"""lightnn/compress/gradients/elias.py: codes by hand, by the definition, and hostile bits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightnn.compress.gradients import elias
from lightnn.files import FormatError


def by_definition(n):
    code = "0"
    while n > 1:
        code, n = f"{n:b}" + code, len(f"{n:b}") - 1
    return code


def text(found):
    return "".join(str(int(b)) for b in found)


@pytest.mark.parametrize(
    ("n", "code"),
    [(1, "0"), (2, "100"), (3, "110"), (4, "101000"), (8, "1110000"), (16, "10100100000"), (17, "10100100010")],
)
def test_the_codes_by_hand(n, code):
    assert text(elias.write([n])) == by_definition(n) == code


@given(st.lists(st.one_of(st.integers(1, 40), st.integers(1, elias.MOST)), max_size=40))
def test_read_inverts_write_and_the_codes_are_the_definition(n):
    found = elias.write(n)
    assert text(found) == "".join(map(by_definition, n))
    back, at = elias.read(np.concatenate([[1, 1], found, [1]]).astype(np.uint8), 2, len(n))
    assert back.tolist() == n and at == len(found) + 2


@pytest.mark.parametrize("n", [[0], [1, -1], [elias.MOST + 1]])
def test_a_number_without_a_code_is_refused(n):
    with pytest.raises(ValueError, match="omega: want numbers from 1 to 2147483647, got"):
        elias.write(n)


@pytest.mark.parametrize("code", ["", "1", "11", "10100", "1" * 200, "11" + "1111" + "1" * 17 + "0" * 70000])
def test_bits_that_are_no_code_are_refused(code):
    with pytest.raises(FormatError, match="want 1 Elias codes"):
        elias.read(np.array(list(code), np.uint8), 0, 1)


def test_more_codes_than_bits_are_refused_before_they_are_made():
    with pytest.raises(FormatError, match="want 1000000000000 Elias codes, got 3 bits"):
        elias.read(np.zeros(3, np.uint8), 0, 10**12)
