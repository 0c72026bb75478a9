"""Huffman coding (Huffman 1952), in its canonical form, so that the code lengths alone are the table.

Codes of one length count upwards in the order of their symbols, and the first code of a longer length follows the last
of the shorter one. A stream with one distinct symbol spends one bit on each.
"""

import heapq

import numpy as np

from lightnn import bits
from lightnn.exercise import exercise
from lightnn.io.errors import FormatError

LONGEST = 31  # a code length is stored in 5 bits, 0 meaning "no such symbol"
LENGTH_BITS = 5
CHUNK = 1 << 14  # codes decoded at a time, which bounds the memory


@exercise("04.6")
def code_lengths(counts):
    """The code lengths of an optimal prefix code: those that minimise sum_s counts_s length_s.

    counts: how often each symbol occurs, an integer array. Returns an int64 array: the code length of each symbol, 0
    for a symbol that does not occur. If only one symbol occurs, its length is 1. counts stays as it is.

    Huffman: each symbol that occurs is a tree; the two trees that occur least often are joined until one is left, and
    a symbol's length is its depth in it. Of several codes that are as short, any one will do. If a length is more than
    LONGEST, the counts are halved, rounded up, and the code is built again from these, which flattens it; this is
    repeated until all lengths fit.
    """
    counts = np.asarray(counts, np.int64)
    lengths = np.zeros(len(counts), np.int64)
    used = np.flatnonzero(counts)
    if len(used) <= 1:
        lengths[used] = 1
        return lengths
    heap = [(int(counts[s]), int(s), [int(s)]) for s in used]
    heapq.heapify(heap)
    while len(heap) > 1:
        a, tie, left = heapq.heappop(heap)
        b, _, right = heapq.heappop(heap)
        lengths[left + right] += 1
        heapq.heappush(heap, (a + b, tie, left + right))
    return lengths if lengths.max() <= LONGEST else code_lengths((counts + 1) // 2)


def canonical_codes(lengths):
    """(symbols, their codes) in code order: by length, then by symbol. FormatError unless the lengths make a full
    code."""
    lengths = np.asarray(lengths, np.int64)
    used = np.flatnonzero(lengths)
    symbols = used[np.argsort(lengths[used], kind="stable")]
    space = [1 << (LONGEST - int(n)) for n in lengths[symbols]]  # the part of all LONGEST-bit words with this prefix
    whole = sum(space)
    if (len(symbols) > 1 and whole != 1 << LONGEST) or (len(symbols) == 1 and lengths[symbols[0]] != 1):
        raise FormatError("the code lengths of a Huffman table do not make a full code")
    starts = np.cumsum([0, *space[:-1]], dtype=np.int64) if len(symbols) else np.zeros(0, np.int64)
    return symbols, starts >> (LONGEST - lengths[symbols])


def encode(values, size):
    """(table, stream): bytes of the code lengths of the `size` symbols, and of the codes of values (n,)."""
    values = np.asarray(values, np.int64)
    lengths = code_lengths(np.bincount(values, minlength=size))
    symbols, codes = canonical_codes(lengths)
    code = np.zeros(size, np.int64)
    code[symbols] = codes
    each = lengths[values]
    ends = np.cumsum(each)
    total = int(ends[-1]) if len(ends) else 0
    left = np.repeat(ends, each) - np.arange(total)  # how many bits of its code follow, this one included
    stream = np.repeat(code[values], each) >> (left - 1) & 1
    return bits.pack(lengths, LENGTH_BITS), np.packbits(stream.astype(np.uint8)).tobytes()


def coded_bytes(counts):
    """The bytes of table and stream together for symbols that occur `counts` times."""
    table, stream = LENGTH_BITS * len(counts), int(np.dot(code_lengths(counts), counts))
    return (table + 7) // 8 + (stream + 7) // 8


def decode(table, stream, size, count):
    """The `count` values from what `encode` gave for `size` symbols. FormatError if that is not what this is."""
    lengths = bits.unpack(table, LENGTH_BITS, size)
    symbols, codes = canonical_codes(lengths)
    total = 8 * len(stream)
    if count > total:
        raise FormatError(f"want at least {count} bits for {count} Huffman codes, got {total}")
    if not count and not stream:
        return np.zeros(0, np.int64)
    if not len(symbols):
        raise FormatError(f"a Huffman table without symbols stands before {count} codes")
    starts = codes << (LONGEST - lengths[symbols])
    out, at = np.empty(count, np.int64), 0
    for first in range(0, count, CHUNK):
        n = min(CHUNK, count - first)
        out[first : first + n], at = _decode_chunk(stream, at, n, symbols, lengths, starts)
    if (at + 7) // 8 != len(stream):
        raise FormatError(f"want a Huffman stream of {(at + 7) // 8} bytes, got {len(stream)}")
    return out


def _decode_chunk(stream, at, count, symbols, lengths, starts):
    """Decode `count` codes from bit `at` on: (values, the bit after them).

    The code that would begin at each bit is found for all bits at once, by searching the next LONGEST bits among the
    first words of each code (`starts`); then only the hops from code to code are a loop.
    """
    longest = int(lengths.max())
    low = at // 8
    data = np.frombuffer(stream[low : (at + count * longest + 7) // 8] + bytes(8), np.uint8)
    words = np.zeros(len(data) - 7, np.uint64)
    for i in range(8):
        words = words << np.uint64(8) | data[i : len(data) - 7 + i]
    shift = np.arange(8, dtype=np.uint64)
    window = ((words[:, None] << shift) >> np.uint64(64 - LONGEST)).astype(np.int64).ravel()
    which = np.searchsorted(starts, window, side="right") - 1
    hop = lengths[symbols[which]].tolist()
    end, place, places = 8 * (len(stream) - low), at - 8 * low, []
    for _ in range(count):
        if place >= end:
            raise FormatError(f"a Huffman stream of {len(stream)} bytes ends before its last code")
        places.append(place)
        place += hop[place]
    if place > end or (len(symbols) == 1 and window[places].max() >> (LONGEST - 1)):
        raise FormatError(f"a Huffman stream of {len(stream)} bytes holds a code that its table does not have")
    return symbols[which[places]], place + 8 * low
