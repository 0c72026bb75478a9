"""lightnn/io/arrays.py: one array of a .lnn file."""

import numpy as np
import pytest

from lightnn import bits
from lightnn.compress import Codebook, Encoded, Mask, decode, encode
from lightnn.io import FormatError
from lightnn.io.arrays import read_array, write_array
from lightnn.io.cursor import Reader, Writer
from lightnn.nn import Parameter

KINDS = ["float", "codebook", "mask"]


def written(encoded, name="w"):
    out = Writer()
    write_array(out, name, encoded, KINDS)
    return bytes(out.data)


def plain(data):
    """Encoded numbers without transforms."""
    return Encoded(data.shape, data.dtype, parts={"data": data})


def read(data, shape=(4,), name="w", room=2**20):
    """(Encoded, bytes by part) of the array of this shape and name; its bytes stand alone, with no file around them."""
    reader = Reader(data)
    encoded = read_array(reader, name, shape, KINDS, room)
    assert reader.at == len(data)
    return encoded, reader.tally[name]


def a_parameter(values, codes=None, mask=None):
    """A Parameter of these values, or of these codes for them; mask: ones and zeros."""
    values = np.asarray(values, np.float32)
    p = Parameter(values if codes is None else np.zeros(len(codes), np.float32))
    p.values = None if codes is None else Codebook(values, np.asarray(codes))
    p.support = None if mask is None else Mask(np.asarray(mask) == 1)
    return p


HEADER = b"\x01w\x00\x01\x04"  # name, float32, one dimension, 4
FLOATS = np.array([1.5, -2], "<f4").tobytes()
MASK = b"\0\1\2\0\3\1\x40"  # bools, 1 bit an index, 2 symbols: packed, of 3, in 1 byte
LAYOUTS = {
    "as they are": (a_parameter([1.5, -2, 0, 1]), b"\0\0" + b"\3" + FLOATS + np.array([0, 1], "<f4").tobytes()),
    # one bit a step: from -1 to 1 a step of 2 (stored 1), to 2 a step of 1 (stored 0); three symbols, so 2 bits: 01 00
    "masked": (a_parameter([0, 1.5, -2, 0], mask=[0, 1, 1, 0]), b"\0\3" + MASK + b"\3" + FLOATS),
    # one dimension of 2, two values; then codes from 0 on, packed, of 2, in 1 byte: 0 1 1 1
    "shared": (a_parameter([1.5, -2], codes=[0, 1, 1, 1]), b"\1\0" + b"\1\2\3" + FLOATS + b"\1\0\0\2\1\x70"),
    "both": (
        a_parameter([1.5, -2], codes=[0, 0, 1, 1], mask=[0, 1, 1, 0]),
        b"\1\3" + MASK + b"\1\2\3" + FLOATS + b"\1\0\0\2\1\x40",
    ),
}


@pytest.mark.parametrize("which", LAYOUTS)
def test_the_layout_by_hand(which):
    p, body = LAYOUTS[which]
    assert written(encode(p)) == HEADER + body
    np.testing.assert_array_equal(decode(read(HEADER + body)[0]), p().data, strict=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("k", [None, 1, 2, 40, 256, 300])
@pytest.mark.parametrize("density", [None, 0, 0.02, 0.5, 1])
def test_what_is_read_is_what_was_written(rng, density, k, dtype):
    for shape in [(), (1,), (50,), (6, 7), (3, 2, 5, 5), (0, 3)]:
        p = Parameter(np.asarray(rng.standard_normal(shape), dtype))
        if k is not None:
            codes = np.minimum(rng.geometric(0.2, shape) - 1, k - 1)
            p.values = Codebook(rng.standard_normal(k).astype(dtype), np.asarray(codes))
        if density is not None:
            p.support = Mask(np.asarray(rng.random(shape) < density))
        data = written(encode(p), "무게.weight")
        encoded, tally = read(data, shape, "무게.weight", room=p.data.nbytes)
        assert sum(tally.values()) == len(data)
        np.testing.assert_array_equal(decode(encoded), p().data, strict=True)


@pytest.mark.parametrize("dtype", [">f4", "<i8", ">i8"])
def test_every_array_is_stored_little_endian(dtype):
    data = np.array([1, 2, 2**20], dtype)
    stored = written(plain(data))
    assert stored.endswith(data.astype(data.dtype.newbyteorder("<")).tobytes())
    np.testing.assert_array_equal(read(stored, shape=(3,))[0].parts["data"], data)


@pytest.mark.parametrize("skewed", [False, True])
def test_symbols_are_huffman_coded_only_where_that_is_smaller(rng, skewed):
    codes = rng.integers(0, 16, 5000) if not skewed else np.minimum(rng.geometric(0.5, 5000) - 1, 15)
    _, tally = read(written(encode(a_parameter(range(16), codes=codes))), shape=(5000,))
    assert ("Huffman table" in tally) == skewed
    assert tally["codes"] < 1310 if skewed else 2500 <= tally["codes"] < 2510


@pytest.mark.parametrize("dtype", ["f2", "i4", "?", "c8"])
def test_a_dtype_that_the_format_does_not_have_is_refused(dtype):
    data = np.zeros(3, dtype)
    with pytest.raises(TypeError, match=f"save: w: want float32, float64 or int64, got {data.dtype}"):
        written(plain(data))


def test_a_part_that_the_format_does_not_have_is_refused():
    encoded = Encoded((3,), np.dtype("f4"), parts={"data": np.zeros(3, "c8")})
    with pytest.raises(TypeError, match=r"save: w, data: want bool, integers, .* got complex64"):
        written(encoded)


def test_room_is_checked_before_anything_is_allocated():
    huge, n = b"\x01w\x00\x03" + 3 * b"\xff\xff\xff\x7f", 2**28 - 1
    with pytest.raises(FormatError, match=r"268435455, 268435455\) is larger than the 1000 bytes allowed"):
        read(huge, shape=(n, n, n), room=1000)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "want 1 more bytes, but only 0 are left"),
        (b"\x01\xff", "want the array w here, got '\ufffd'"),
        (b"\x01w\x00\x01\x05", r"want shape \(4,\), got \(5,\)"),
        (b"\x05w", "want 5 more bytes, but only 1 are left"),
        (b"\x01w\x03", "unknown dtype 3; known here are 0, 1, 2"),
        (b"\x01w\x00\x09", "at most 8, got 9"),
        (b"\x01w\x00\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff", "more than 8 bytes"),
        (b"\x01w\x00\x01\x05", r"want shape \(4,\), got \(5,\)"),
        (b"\x01w\x00\x02\x04\x01", r"want shape \(4,\), got \(4, 1\)"),
        (b"\x01w\x00\x01\x04\x03", "unknown kind of values 3"),
        (HEADER + b"\2\0", "want a kind of values and a kind of support, got mask and None"),
        (HEADER + b"\0\2", "want a kind of values and a kind of support, got float and codebook"),
        (HEADER + b"\0\4", "unknown kind of support 4"),
        (HEADER + b"\0\0\7", "unknown form of a part 7"),
        (HEADER + b"\0\0\6\xf0", "want float32 numbers, got bool"),
        (HEADER + b"\0\0\3" + FLOATS, "want 16 more bytes, but only 8 are left"),
        (HEADER + b"\0\0\4" + bytes(32), "want float32 numbers, got float64"),
        (HEADER + b"\0\0\1\0\0\2\1\x40", "want float32 numbers, got int64"),
        (HEADER + b"\0\3\0\x11", "at most 16, got 17"),
        (HEADER + b"\0\3\0\1\5", "at most 4, got 5"),
        (HEADER + b"\0\3\0\1\2\2", "unknown coding 2"),
        (HEADER + b"\0\3\0\1\2\0\4\1\x40", "mask: want an alphabet of 3 symbols, got 4"),
        (HEADER + b"\0\3\0\1\2\0\3\1\xf0", "want symbols from 0 to 2, got 3"),
        (HEADER + b"\0\3\0\1\3\0\3\1\x54", "points at element 5 of 4"),
        (HEADER + b"\1\0\x09", "at most 8, got 9"),
        (HEADER + b"\1\0\1\xff\xff\xff\xff\x01\1", "codebook: 536870911 numbers are more than the"),
        (b"\x01w\2\1\4" + b"\1\0", "int64 array with values or a support"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_damage_is_named(data, message):
    with pytest.raises(FormatError, match=message):
        read(data)


def test_the_index_width_makes_the_stream_smallest(rng):
    """One weight in 5,000 is reached by 14 steps of 10 bits, or by thousands of one bit."""
    mask = np.arange(5000) == 4999
    _, tally = read(written(encode(a_parameter(np.zeros(5000), mask=mask))), shape=(5000,))
    by_width = [len(bits.pack(np.zeros(4999 // 2**b + 1, int), b + 1)) for b in range(1, 11)]
    assert tally["mask"] + tally.get("Huffman table", 0) <= min(by_width) + 8  # with form, width, count and coding
