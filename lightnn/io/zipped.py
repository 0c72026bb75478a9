"""The files in a zip archive, as .npz and PyTorch's .pt are: found by the standard library, bounded and checked here.

A member that is only stored is a view of the archive's bytes; one that is deflated is unpacked up to the length that
the archive's directory says, if there is room for it. The CRC-32 of each is compared. 0 stands for none: PyTorch writes
it where it is told to compute no checksums.
"""

import contextlib
import io
import struct
import zipfile
import zlib

from lightnn.io.errors import FormatError

MOST_MEMBERS = 2**17
ENTRY = b"PK\1\2"  # begins each entry of the archive's directory
STORED, DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
# What zipfile raises for bytes that it can't read: besides its own error, those of int, decode and unpack.
DAMAGE = (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, ArithmeticError, LookupError, struct.error)
DAMAGE += (OSError,)  # a seek to before the beginning


class Archive:
    """The members of a zip archive by their names. room: the bytes that deflated members may still unfold to."""

    def __init__(self, data: bytes, room: int):
        self.data, self.room = memoryview(data), room
        if (count := data.count(ENTRY)) > MOST_MEMBERS:  # before the directory is read
            raise FormatError(f"want a zip archive of at most {MOST_MEMBERS} files, got about {count}")
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                members = archive.infolist()
        except DAMAGE as error:
            raise FormatError(f"want a sound zip archive, got a damaged or truncated one ({error})") from None
        if (total := sum(member.compress_size for member in members)) > len(data):
            raise FormatError(f"its files overlap: together they have {total} bytes, the archive {len(data)}")
        self.members, self.found = {}, {}
        for member in members:
            if member.filename in self.members:
                raise FormatError(f"the archive has two files {member.filename!r}")
            self.members[member.filename] = member

    def read(self, name: str) -> memoryview:
        """The bytes of one member. FormatError if there is none, or if it is damaged."""
        if name not in self.members:
            raise FormatError(f"the archive has no file {name!r}")
        if name not in self.found:
            self.found[name] = self._read(name, self.members[name])
        return self.found[name]

    def _read(self, name, member):
        try:
            packed = self._packed(member)
            data = packed if member.compress_type == STORED else self._unpacked(member, packed)
            if len(data) != member.file_size:
                raise FormatError(f"want {member.file_size} bytes as the directory says, got {len(data)}")
            if member.CRC and zlib.crc32(data) != member.CRC:
                raise FormatError("its checksum does not fit: damaged")
        except FormatError as error:
            raise FormatError(f"in the archive's file {name!r}: {error}") from None
        return data

    def _packed(self, member):
        """Its bytes as they are in the archive. Before them: 30 bytes, the last four the lengths of name and extras."""
        if member.compress_type not in (STORED, DEFLATED) or member.flag_bits & 1:
            raise FormatError("want it stored or deflated and not encrypted, got another")
        at = member.header_offset
        head = self.data[at : at + 30] if at >= 0 else b""
        if len(head) < 30 or head[:4] != b"PK\3\4":
            raise FormatError(f"want a header at byte {at}, got none")
        begin = at + 30 + sum(struct.unpack("<HH", head[26:30]))
        if begin + member.compress_size > len(self.data):
            raise FormatError(f"want {member.compress_size} bytes from byte {begin} on, but the archive ends before")
        return self.data[begin : begin + member.compress_size]

    def _unpacked(self, member, packed):
        if member.file_size > self.room:
            raise FormatError(f"it unfolds to {member.file_size} bytes, more than the {self.room} allowed")
        self.room -= member.file_size
        stream = zlib.decompressobj(wbits=-15)  # no header, the largest window
        with contextlib.suppress(zlib.error):
            data = stream.decompress(packed, member.file_size + 1)
            if stream.eof or len(data) >= member.file_size:
                return memoryview(data)
        raise FormatError("its deflated bytes are damaged")
