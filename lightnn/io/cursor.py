"""Writing and reading a byte string piece by piece, each piece on account of an array and a part.

Numbers are LEB128 varints: 7 bits a byte, low bits first, the top bit set on all bytes but the last.
"""

from lightnn.io import bits, huffman
from lightnn.io.errors import FormatError

PACKED, HUFFMAN = 0, 1
FILE = "file"  # on whose account the bytes are that belong to no array


class Writer:
    def __init__(self):
        self.data = bytearray()

    def raw(self, data):
        self.data += data

    def number(self, n):
        while n > 127:
            self.data.append(n & 127 | 128)
            n >>= 7
        self.data.append(n)

    def sized(self, data):
        self.number(len(data))
        self.raw(data)

    def symbols(self, values, size):
        """Integers 0 <= values (n,) < size, packed or Huffman-coded, whichever is smaller."""
        table, stream = huffman.encode(values, size)
        packed = bits.pack(values, bits.width(size))
        coded = len(table) + len(stream) < len(packed)
        self.number(HUFFMAN if coded else PACKED)
        self.number(size)
        self.number(len(values))
        if coded:
            self.sized(table)
        self.sized(stream if coded else packed)


class Reader:
    """Reads what Writer wrote; `tally[array][part]` counts the bytes taken on account of each."""

    def __init__(self, data):
        self.data, self.at, self.array, self.tally = memoryview(data), 0, FILE, {}

    def raw(self, count, part="header"):
        if count > len(self.data) - self.at:
            raise FormatError(f"want {count} more bytes, but only {len(self.data) - self.at} are left")
        parts = self.tally.setdefault(self.array, {})
        parts[part] = parts.get(part, 0) + count
        self.at += count
        return bytes(self.data[self.at - count : self.at])

    def number(self, part="header", most=2**48):
        value = 0
        for shift in range(0, 56, 7):
            byte = self.raw(1, part)[0]
            value |= (byte & 127) << shift
            if byte < 128:
                break
        else:
            raise FormatError("a number of more than 8 bytes")
        if value > most:
            raise FormatError(f"want a number of at most {most}, got {value}")
        return value

    def choice(self, table, what):
        """One byte that must be a key of `table`; its entry."""
        key = self.number()
        if key not in table:
            raise FormatError(f"unknown {what} {key}; this version knows {', '.join(map(str, table))}")
        return table[key]

    def sized(self, part):
        return self.raw(self.number(), part)

    def symbols(self, part, most):
        """(values, size) as `Writer.symbols` wrote them, at most `most` values."""
        coding = self.choice({PACKED: PACKED, HUFFMAN: HUFFMAN}, "coding")
        size, count = self.number(most=2**17), self.number(most=most)
        if coding == PACKED:
            values = bits.unpack(self.sized(part), bits.width(size), count)
        else:
            table = self.sized("Huffman table")
            values = huffman.decode(table, self.sized(part), size, count)
        if count and values.max() >= size:
            raise FormatError(f"want symbols from 0 to {size - 1}, got {values.max()}")
        return values, size
