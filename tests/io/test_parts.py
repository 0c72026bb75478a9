"""lightnn/io/parts.py: bool, integer and float arrays as bytes, in the form that is shortest."""

import numpy as np
import pytest

from lightnn.io import FormatError
from lightnn.io.cursor import Reader, Writer
from lightnn.io.parts import MOST_SYMBOLS, read_part, write_part, write_values


def written(a):
    out = Writer()
    write_part(out, a)
    return bytes(out.data)


def read(data, shape, room=2**20):
    reader = Reader(data)
    a = read_part(reader, "part", shape, room)
    assert reader.at == len(data)
    return a


@pytest.mark.parametrize("dtype", ["i1", "u1", ">i2", "u4", "i8", "f2", "f4", ">f8", "?"])
@pytest.mark.parametrize("shape", [(), (1,), (0,), (3, 5), (2, 0, 4), (300,)])
def test_what_is_read_is_what_was_written(rng, shape, dtype):
    a = np.asarray(rng.integers(-4, 5, shape)).astype(dtype)
    again = read(written(a), shape)
    assert again.shape == shape and again.dtype.kind == {"u": "i"}.get(a.dtype.kind, a.dtype.kind)
    np.testing.assert_array_equal(again, a)


@pytest.mark.parametrize("low", [-(2**62), -129, -1, 0, 1, 2**40])
@pytest.mark.parametrize("range_", [0, 1, 255, MOST_SYMBOLS - 1, MOST_SYMBOLS])
def test_integers_of_any_range_come_back(low, range_):
    a = np.array([low, low + range_, low], np.int64)
    np.testing.assert_array_equal(read(written(a), (3,)), a)


@pytest.mark.parametrize("bits", range(1, 9))
def test_k_bits_take_k_bits(bits, rng):
    """Evenly spread codes of K bits: K n / 8 bytes, and a few that say how many there are."""
    codes = rng.integers(0, 2**bits, 8000) - 2 ** (bits - 1)
    assert 1000 * bits <= len(written(codes)) <= 1000 * bits + 10


def test_a_skewed_alphabet_is_huffman_coded(rng):
    codes = np.minimum(rng.geometric(0.6, 8000), 16)
    assert len(written(codes)) < 8000 * 2 / 8


@pytest.mark.parametrize("density", [0.0, 0.01, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("count", [0, 1, 9, 4000])
def test_bools_of_values_take_a_bit_at_most(rng, density, count):
    a, out = rng.random(count) < density, Writer()
    write_values(out, a)
    assert len(out.data) <= min(1 + -(-count // 8), len(written(a))) or len(out.data) == len(written(a))
    np.testing.assert_array_equal(read(bytes(out.data), (count,)), a)
    numbers, plain = Writer(), rng.integers(0, 9, count)
    write_values(numbers, plain)
    assert bytes(numbers.data) == written(plain)


def test_numbers_beyond_int64_and_other_dtypes_are_refused():
    for a in (np.array([0, 2**63], np.uint64), np.zeros(2, "c8"), np.zeros(2, object), np.zeros(2, "M8[s]")):
        with pytest.raises(TypeError, match="want bool, integers, float16, float32 or float64, got "):
            written(a)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\7", "unknown form of a part 7"),
        (b"\3\0\0", "want 16 more bytes, but only 2 are left"),
        (b"\1\xff\xff\xff\xff\1", "at most 1048576"),
        (b"\1\0\0\1\0", "131073 numbers are more than the 1048576 bytes allowed"),
    ],
)
def test_damage_is_named(data, message):
    with pytest.raises(FormatError, match=message):
        read(data, (131073,) if "131073" in message else (4,))
