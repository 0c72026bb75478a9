"""What `inspect` says about a file: the bytes of each array, by part."""

from lightnn.tables import Tabular

LAST = ("Huffman table", "training state", "header")


class FileReport(Tabular):
    """path; size_bytes; bytes_by_array, {array: {part: bytes}}; kinds, {array: the kinds of its transforms}. Printed, a
    table.

    The parts have the names that the transforms give them ("data" for plain numbers), beside "Huffman table" and
    "header". Together they are the file."""

    def __init__(self, path, bytes_by_array: dict[str, dict[str, int]], kinds: dict[str, str]):
        self.path, self.bytes_by_array, self.kinds = str(path), bytes_by_array, kinds
        self.size_bytes = sum(sum(parts.values()) for parts in bytes_by_array.values())

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that occur in the file, the tables and headers last."""
        there = dict.fromkeys(part for parts in self.bytes_by_array.values() for part in parts)
        return (*(part for part in there if part not in LAST), *(part for part in LAST if part in there))

    def bytes_by_part(self) -> dict[str, int]:
        return {part: sum(parts.get(part, 0) for parts in self.bytes_by_array.values()) for part in self.parts}

    def table(self):
        rows = [*self.bytes_by_array.items(), ("total", self.bytes_by_part())]
        body = [(name, *(p.get(part, 0) for part in self.parts), sum(p.values())) for name, p in rows]
        return f"{self.path}: {self.size_bytes:,} bytes", ("", *self.parts, "total"), body

    def __repr__(self):
        return f"FileReport({self.path!r}, {self.size_bytes:,} bytes, {len(self.bytes_by_array) - 1} arrays)"
