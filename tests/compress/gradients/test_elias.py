"""lightnn/compress/gradients/elias.py and bitstream.py: codes by hand, by the definition, and hostile bits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightnn.compress.gradients import bitstream, elias
from lightnn.files import FormatError
from lightnn.io import bits


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


@pytest.mark.parametrize("length", [1, 3, 8, 16])
def test_equal_lengths_are_the_layout_of_io(rng, length):
    values = rng.integers(0, 2**length, 37)
    data = bitstream.to_bytes(bitstream.join(values, length))
    assert data == bits.pack(values, length)
    np.testing.assert_array_equal(bitstream.split(bitstream.from_bytes(data, 37 * length), length), values)


def test_mixed_lengths_by_hand():
    assert text(bitstream.join([5, 0, 1], [3, 2, 1])) == "101001"
    assert bitstream.join([], 3).size == 0
    with pytest.raises(FormatError, match="want 2 bytes for 9 bits, got 1"):
        bitstream.from_bytes(b"\0", 9)
