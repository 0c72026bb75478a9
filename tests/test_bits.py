"""lightnn/bits.py: numbers of K bits without gaps."""

import numpy as np
import pytest

from lightnn.bits import from_bytes, join, pack, to_bytes, unpack, width
from lightnn.files import FormatError


def test_the_layout_by_hand():
    """101 011 00|1, and zeros to the end of the second byte."""
    assert pack([5, 3, 1], 3) == bytes([0b10101100, 0b10000000])
    assert pack([1, 0, 0, 0, 0, 0, 0, 0, 1], 1) == b"\x80\x80"
    assert pack([0xABCD, 0x0123], 16) == b"\xab\xcd\x01\x23"
    assert pack([0, 0, 0], 0) == pack([], 5) == b""


@pytest.mark.parametrize("bits", [0, 1, 2, 3, 5, 7, 8, 9, 16, 31, 32])
@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 100])
def test_unpack_inverts_pack_and_no_bit_is_wasted(rng, n, bits):
    values = rng.integers(0, 2**bits, n)
    values[:2] = [0, 2**bits - 1][:n]
    data = pack(values, bits)
    assert len(data) == -(-n * bits // 8)
    np.testing.assert_array_equal(unpack(data, bits, n), values)


@pytest.mark.parametrize("dtype", ["u1", "i2", "u4", "i8", "u8"])
def test_any_integer_type_will_do(dtype):
    assert pack(np.array([1, 2, 3], dtype), 2) == bytes([0b01101100])


@pytest.mark.parametrize(("values", "bits", "came"), [([4], 2, "4 to 4"), ([0, -1], 2, "-1 to 0"), ([1], 0, "1 to 1")])
def test_a_number_that_does_not_fit_is_refused(values, bits, came):
    with pytest.raises(ValueError, match=f"from 0 to {2**bits - 1}, got {came}"):
        pack(values, bits)


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\0\0"])
def test_unpack_wants_just_the_bytes_needed(data):
    with pytest.raises(FormatError, match=f"want 2 bytes for 5 numbers of 3 bits, got {len(data)}"):
        unpack(data, 3, 5)


def test_width_is_the_bits_that_tell_k_values_apart():
    assert [width(k) for k in (1, 2, 3, 4, 5, 16, 17, 256, 257)] == [0, 1, 2, 2, 3, 4, 5, 8, 9]


@pytest.mark.parametrize("length", [1, 3, 8, 16])
def test_joined_numbers_of_one_length_are_packed_ones(rng, length):
    values = rng.integers(0, 2**length, 37)
    data = to_bytes(join(values, np.full(37, length)))
    assert data == pack(values, length)
    np.testing.assert_array_equal(
        from_bytes(data, 37 * length), np.unpackbits(np.frombuffer(data, "u1"))[: 37 * length]
    )


def test_mixed_lengths_by_hand():
    assert to_bytes(join([5, 0, 1], [3, 2, 1])) == bytes([0b10100100])
    assert join([], []).size == 0
    with pytest.raises(FormatError, match="want 2 bytes for 9 bits, got 1"):
        from_bytes(b"\0", 9)
