"""Writing and reading a byte string piece by piece; every byte is counted for an array and a part.

n, a number, is a LEB128 varint: 7 bits a byte, low bits first, the top bit set on all bytes but the last.

Symbols are integers from 0 below an alphabet size: n coding (0 packed, 1 Huffman), n alphabet size, for Huffman n, n
length and bytes of the code lengths (5 bits a symbol), then n, n length and bytes of the stream. Packed numbers have
ceil(log2(alphabet size)) bits each. Bits fill a byte from its most significant one (see bits, huffman).
"""

from lightnn import bits
from lightnn.io import huffman
from lightnn.io.errors import FormatError

PACKED, HUFFMAN = 0, 1
FILE = "file"  # the "array" of the bytes that belong to none


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
        length = (len(table).bit_length() + 6) // 7  # bytes of the varint that only a Huffman code has
        coded = length + len(table) + len(stream) < len(packed)
        self.number(HUFFMAN if coded else PACKED)
        self.number(size)
        if coded:
            self.sized(table)
        self.sized(stream if coded else packed)


class Reader:
    """Reads what Writer wrote. `tally[array][part]` counts the bytes of each."""

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

    def choice(self, table, what, part="header"):
        """One number that must be a key of `table`; its entry."""
        key = self.number(part)
        if key not in table:
            raise FormatError(f"unknown {what} {key}; known here are {', '.join(map(str, table))}")
        return table[key]

    def sized(self, part):
        return self.raw(self.number(part), part)

    def symbols(self, part, count, want=None):
        """The `count` symbols that `Writer.symbols` wrote. want: the alphabet size that it must have."""
        coding = self.choice({PACKED: PACKED, HUFFMAN: HUFFMAN}, "coding", part)
        size = self.number(part, most=2**17)
        if want is not None and size != want:
            raise FormatError(f"{part}: want an alphabet of {want} symbols, got {size}")
        if coding == PACKED:
            values = bits.unpack(self.sized(part), bits.width(size), count)
        else:
            table = self.sized("Huffman table")
            values = huffman.decode(table, self.sized(part), size, count)
        if count and values.max() >= size:
            raise FormatError(f"{part}: want symbols from 0 to {size - 1}, got {values.max()}")
        return values
