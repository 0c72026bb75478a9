"""lightnn/io/huffman.py: an optimal prefix code, in its canonical form."""

import functools
import itertools

import numpy as np
import pytest

from lightnn import bits
from lightnn.io import FormatError, huffman
from lightnn.io.huffman import canonical_codes, code_lengths, coded_bytes, decode, encode

FIBONACCI = [1, 1]
for _ in range(43):
    FIBONACCI.append(FIBONACCI[-1] + FIBONACCI[-2])


def some_counts():
    rng = np.random.default_rng(0)
    for size in (2, 3, 5, 16, 33, 200):
        yield np.ones(size, int)
        yield rng.integers(1, 100, size)
        yield rng.geometric(0.01, size) * rng.integers(0, 2, size)  # some are not used
        yield (2.0 ** -np.arange(size) * 1e6).astype(int)
    yield np.array(FIBONACCI)


COUNTS = [c for c in some_counts() if np.count_nonzero(c) > 1]


def code_words(lengths):
    symbols, codes = canonical_codes(lengths)
    return [(s, f"{code:0{lengths[s]}b}") for s, code in zip(symbols, codes)]


def test_the_textbooks_example():
    """Cormen et al., Introduction to Algorithms: 45, 13, 12, 16, 9, 5 for a to f take 224 bits."""
    counts = [45, 13, 12, 16, 9, 5]
    assert code_lengths(counts).tolist() == [1, 3, 3, 3, 4, 4]
    words = [(0, "0"), (1, "100"), (2, "101"), (3, "110"), (4, "1110"), (5, "1111")]
    assert code_words(code_lengths(counts)) == words
    values = np.repeat(np.arange(6), counts)
    assert len(encode(values, 6)[1]) == 224 / 8


@pytest.mark.parametrize("counts", COUNTS, ids=lambda c: f"{len(c)}-{c.sum()}")
def test_the_code_is_full_prefix_free_and_canonical(counts):
    lengths = code_lengths(counts)
    assert ((lengths > 0) == (counts > 0)).all() and lengths.max() <= huffman.LONGEST
    assert sum(2.0 ** -lengths[counts > 0]) == 1  # Kraft's inequality, with equality
    words = code_words(lengths)
    # In the dictionary a word stands just before the words that it begins: looking at neighbours is enough.
    assert not any(b.startswith(a) for a, b in itertools.pairwise(sorted(w for _, w in words)))
    assert words == sorted(words, key=lambda each: (len(each[1]), each[0]))
    assert [w for _, w in words] == sorted(w for _, w in words)


@pytest.mark.parametrize("counts", COUNTS[:-1], ids=lambda c: f"{len(c)}-{c.sum()}")
def test_entropy_is_the_limit_and_it_is_less_than_one_bit_away(counts):
    share = counts[counts > 0] / counts.sum()
    entropy = -(share * np.log2(share)).sum()
    mean_length = code_lengths(counts) @ counts / counts.sum()
    assert entropy - 1e-9 <= mean_length < entropy + 1


@functools.cache
def all_full_codes(n):
    """The code lengths, longest first, of every full binary tree with n leaves."""
    if n == 1:
        return {(0,)}
    pairs = ((a, b) for i in range(1, n // 2 + 1) for a in all_full_codes(i) for b in all_full_codes(n - i))
    return {tuple(sorted((length + 1 for length in a + b), reverse=True)) for a, b in pairs}


@pytest.mark.parametrize("n", range(2, 9))
def test_no_other_full_code_is_shorter(rng, n):
    for _ in range(30):
        counts = np.sort(rng.geometric(rng.uniform(0.01, 0.9), n))  # rarest first, to meet the longest code
        assert code_lengths(counts) @ counts == min(np.dot(code, counts) for code in all_full_codes(n))


def test_the_longest_code_that_may_be_is_not_flattened():
    assert code_lengths(FIBONACCI[: huffman.LONGEST + 1]).max() == huffman.LONGEST


def test_counts_that_want_a_code_longer_than_the_limit_get_a_flatter_one(monkeypatch):
    counts = np.array(FIBONACCI)  # each joins the tree of all before it: depth 44
    assert code_lengths(counts).max() <= 31
    monkeypatch.setattr(huffman, "LONGEST", 60)
    assert code_lengths(counts).max() == 44


@pytest.mark.parametrize("longest", [5, 8, 31])
def test_round_trip_with_a_limit_on_the_length(monkeypatch, longest):
    monkeypatch.setattr(huffman, "LONGEST", longest)
    values = np.random.default_rng(0).permutation(np.repeat(np.arange(16), FIBONACCI[:16]))
    np.testing.assert_array_equal(decode(*encode(values, 16), 16, len(values)), values)


@pytest.mark.parametrize("size", [1, 2, 3, 17, 300, 65536])
@pytest.mark.parametrize("n", [0, 1, 2, 1000])
def test_decode_inverts_encode_and_the_size_is_foretold(rng, n, size):
    for spread in (1, 3, size):
        values = rng.integers(0, min(spread, size), n)
        table, stream = encode(values, size)
        np.testing.assert_array_equal(decode(table, stream, size, n), values)
        assert coded_bytes(np.bincount(values, minlength=size)) == len(table) + len(stream)
        assert len(table) == -(-5 * size // 8)


def test_one_symbol_spends_one_bit_each_and_none_spends_nothing():
    assert encode([2] * 9, 3) == (bits.pack([0, 0, 1], 5), b"\0\0")
    assert encode([], 3) == (b"\0\0", b"")


@pytest.mark.parametrize("chunk", [1, 2, 3, 99, 100, 101])
@pytest.mark.parametrize("size", [1, 2, 30])
def test_the_chunks_in_which_a_stream_is_decoded_do_not_show(monkeypatch, rng, chunk, size):
    monkeypatch.setattr(huffman, "CHUNK", chunk)
    values = np.minimum(rng.geometric(0.2, 100) - 1, size - 1)
    np.testing.assert_array_equal(decode(*encode(values, size), size, 100), values)


VALUES = [0, 0, 0, 1, 1, 2, 3, 0, 1, 0]  # lengths 1, 2, 3, 3: 5 + 2 * 3 + 3 + 3 = 17 bits
TABLE, STREAM = encode(VALUES, 4)


@pytest.mark.parametrize(
    ("table", "stream", "size", "count", "message"),
    [
        (TABLE, STREAM[:-1], 4, 10, "ends before its last code"),
        (TABLE, STREAM + b"\0", 4, 10, "want a Huffman stream of 3 bytes, got 4"),
        (TABLE, STREAM, 4, 25, "at least 25 bits for 25 Huffman codes, got 24"),
        (TABLE, STREAM, 4, 24, "ends before its last code"),
        (TABLE, STREAM, 4, 0, "want a Huffman stream of 0 bytes, got 3"),
        (TABLE[:-1], STREAM, 4, 10, "want 3 bytes for 4 numbers of 5 bits, got 2"),
        (TABLE, STREAM, 9, 10, "want 6 bytes for 9 numbers"),
        (bits.pack([0] * 4, 5), STREAM, 4, 10, "without symbols"),
        (bits.pack([1, 2, 3, 0], 5), STREAM, 4, 10, "do not make a full code"),
        (bits.pack([1, 2, 2, 2], 5), STREAM, 4, 10, "do not make a full code"),
        (bits.pack([0, 2, 0, 0], 5), STREAM, 4, 10, "do not make a full code"),
        (bits.pack([0, 1, 0, 0], 5), b"\x01\x00", 4, 10, "a code that its table does not have"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_damaged_table_or_stream_is_refused(table, stream, size, count, message):
    with pytest.raises(FormatError, match=message):
        decode(table, stream, size, count)


@pytest.mark.parametrize("chunk", [7, 1 << 14])
def test_a_random_stream_gives_symbols_or_a_format_error(monkeypatch, rng, chunk):
    monkeypatch.setattr(huffman, "CHUNK", chunk)
    for _ in range(300):
        count = int(rng.integers(0, 60))
        table = TABLE if rng.random() < 0.7 else rng.bytes(len(TABLE))
        try:
            values = decode(table, rng.bytes(int(rng.integers(0, 10))), 4, count)
        except FormatError:
            continue
        assert values.shape == (count,) and set(values) <= {0, 1, 2, 3}
