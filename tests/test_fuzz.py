"""Files that are damaged where a checksum does not tell: .lnn, IDX, CIFAR's archive, and entries of a journal. Each is
read as something consistent or refused by the one error that its reader has, within a bound of memory.

`pytest --long tests/test_fuzz.py -s` draws 100,000 cases and prints what came of them.
"""

import contextlib
import gzip
import io
import json
import struct
import tarfile
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import strategies as st

import lightnn
from lightnn import FormatError, nn
from lightnn.compress import prune, share
from lightnn.compress.transforms import use_powers_of_two
from lightnn.data.formats import CIFAR_MEMBERS, read_cifar10, read_idx
from lightnn.io import from_bytes, to_bytes, to_train_bytes
from lightnn.papers.lab.journal import Journal, _digest

WHATS = ("flip", "set", "delete", "insert", "repeat", "number", "cut", "swap")
PIECES = (b"\xff" * 8, b"\x80" * 9, b"[" * 2000, b"\0" * 16)


def read_damage(raw):
    """[(what, where as a fraction, a number, a few bytes)], one for eight bytes: Hypothesis is fast with bytes."""
    each = [raw[i : i + 8] for i in range(0, len(raw) - 7, 8)]
    return [
        (
            WHATS[d[0] % 8],
            (int.from_bytes(d[1:3], "big") / 2**16) ** (1 + 3 * (d[3] % 2)),  # often near the beginning: lengths
            d[4],
            PIECES[d[5]] if d[5] < len(PIECES) else d[5:],
        )
        for d in each
    ]


DAMAGE = st.binary(min_size=8, max_size=24).map(read_damage)


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes([*out, n])


def damaged(data, damage):
    body = bytearray(data)
    for what, where, n, piece in damage:
        at = int(where * len(body))
        if what == "flip" and body:
            body[at] ^= n or 1
        elif what == "set" and body:
            body[at] = n
        elif what == "delete":
            del body[at : at + n % 16 + 1]
        elif what == "insert":
            body[at:at] = piece
        elif what == "repeat":
            body[at:at] = body[at : at + n]
        elif what == "number":
            body[at : at + 1] = varint(2 ** (n % 56) + n)
        elif what == "cut":
            del body[at:]
        elif what == "swap":
            body[at : at + n], body[at + n : at + 2 * n] = body[at + n : at + 2 * n], body[at : at + n]
    return bytes(body)


@contextlib.contextmanager
def at_most(extra):
    """Fails if Python allocates more than that."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < extra, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()


def told(error):
    """What an error says is one line that can be printed."""
    assert str(error).isprintable() and 0 < len(str(error)) < 2000, error


# .lnn


def networks():
    conv = nn.Sequential(nn.Conv2d(1, 4, 3, rng=0), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(20, 15, rng=1))
    prune(conv[0].weight, 0.5)
    share(conv[3].weight, 4)
    powers = nn.Sequential(nn.Linear(6, 5, rng=0), nn.ReLU(), nn.Linear(5, 2, rng=1))
    use_powers_of_two(powers[0].weight, 4)
    prune(powers[0].weight, 0.5)
    return [to_bytes(nn.Linear(3, 2, rng=0)), to_bytes(conv), to_train_bytes(conv), to_bytes(powers)]


NETWORKS = networks()


def test_lnn(fuzz, tmp_path):
    def case(drawn):
        which, damage = drawn
        body = damaged(NETWORKS[which][:-4], damage)
        data, path = body + struct.pack("<I", zlib.crc32(body)), tmp_path / "a.lnn"
        with at_most(2**26):
            try:
                model = from_bytes(data)
            except FormatError as error:
                told(error)
                model = None
        path.write_bytes(data)
        try:
            report = lightnn.inspect(path)
        except FormatError:
            assert model is None
            return "refused"
        assert model is not None and report.size_bytes == len(data)
        again = from_bytes(to_bytes(model))  # what was read can be written, and is the same network
        for a, b in zip(model.parameters(), again.parameters(), strict=True):
            assert a().data.tobytes() == b().data.tobytes()
        return "read"

    fuzz(case, st.tuples(st.integers(0, len(NETWORKS) - 1), DAMAGE))


# IDX

IDX = b"\0\0\x08\x03" + struct.pack(">3I", 5, 4, 3) + bytes(range(60))


def test_idx(fuzz, tmp_path):
    path = tmp_path / "a.gz"

    def case(drawn):
        inside, outside = drawn
        raw = damaged(IDX, inside)
        path.write_bytes(damaged(gzip.compress(raw, 1, mtime=0), outside))
        with at_most(2**26):
            try:
                x = read_idx(path, (5, 4, 3))
            except FormatError as error:
                told(error)
                return "refused"
        assert x.shape == (5, 4, 3) and x.dtype == np.uint8 and (outside or x.tobytes() == raw[16:])
        return "read"

    fuzz(case, st.tuples(DAMAGE | st.just([]), DAMAGE | st.just([])))


# CIFAR


def archive():
    rng, out = np.random.default_rng(0), io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in CIFAR_MEMBERS:
            record = bytes([rng.integers(10)]) + rng.bytes(3072)
            member = tarfile.TarInfo(name)
            member.size = len(record)
            tar.addfile(member, io.BytesIO(record))
    return out.getvalue()[: 6 * (512 + 3584) + 1024]


ARCHIVE = archive()
FIELDS = {
    "name": (0, 100),
    "size": (124, 12),
    "mtime": (136, 12),
    "type": (156, 1),
    "magic": (257, 8),
    "prefix": (345, 155),
}
NUMBERS = [b"77777777777\0", b"-1", b"00000006001\0", b"99999999999", b"\x80" + b"\xff" * 11, b"\xff" * 12]
NAMES = [b"", b"a" * 155, CIFAR_MEMBERS[0].encode(), b"ustar  \0", b"\xff\xfe"]
TYPES = [bytes([c]) for c in b"xgLKSX01257AVDN"]
FIELD_VALUES = st.binary(max_size=12) | st.sampled_from([*NUMBERS, *NAMES, *TYPES])
PAX = [
    "12 size=-1",
    "30 size=99999999999999999999",
    "18 path=../../etc",
    "99999999999 path=a",
    "0 path=a",
    "10 mtime=x",
]
PAX += ["11 uid=1e9", "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0", "21 GNU.sparse.map=1,2", "22 GNU.sparse.map=1,2,"]
PAX += ["23 GNU.sparse.size=10\n", "26 GNU.sparse.numblocks=2", "25 GNU.sparse.offset=abc", "no record", "\0" * 40]
PAX += ["21 hdrcharset=BINARY\n11 path=\xff\xfe", "9" * 400 + " a=b"]
RECORDS = st.binary(max_size=40) | st.sampled_from([f"{text}\n".encode("latin1") for text in PAX])
MEMBER, EXTENSION = st.integers(0, 5), st.sampled_from("xgLKSX")
LENGTHS = st.sampled_from([0, 600, 4096, 10**8, 2**31, 2**40, 2**63, 2**80])
CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("field"), MEMBER, st.sampled_from(sorted(FIELDS)), FIELD_VALUES),
        st.tuples(st.just("extended"), MEMBER, EXTENSION, RECORDS),
        st.tuples(st.just("long"), MEMBER, EXTENSION, LENGTHS),
        st.tuples(st.just("nest"), MEMBER, EXTENSION, st.sampled_from([3, 50])),
        st.tuples(st.just("record"), MEMBER, st.integers(0, 3072), st.integers(0, 255)),
        st.tuples(st.just("drop"), MEMBER, st.none(), st.none()),
    ),
    max_size=4,
)


def header(size, kind):
    """A tar header of an extension; a size beyond its octal digits is in base 256."""
    block = bytearray(512)
    block[:5], block[100:108], block[156:157], block[257:265] = b"./@ex", b"0000644\0", kind.encode(), b"ustar\00000"
    block[124:136] = b"%011o\0" % size if size < 8**11 else b"\x80" + (size % 2**88).to_bytes(11, "big")
    return bytes(block)


def changed(changes):
    """The archive with these changes; the checksums of its headers fit."""
    before, heads, records = (
        [b""] * 6,
        *([ARCHIVE[i + a : i + b] for i in range(0, 6 * 4096, 4096)] for a, b in PARTS),
    )
    for what, i, a, b in changes:
        if what == "field":
            at, length = FIELDS[a]
            heads[i] = heads[i][:at] + b[:length].ljust(length, b"\0") + heads[i][at + length :]
        elif what == "extended":
            before[i] += sealed(header(len(b), a)) + b + bytes(-len(b) % 512)
        elif what == "long":
            before[i] += sealed(header(b, a)) + b"a" * min(b, 4096)
        elif what == "nest":
            before[i] += sealed(header(0, a)) * b
        elif what == "record":
            records[i] = records[i][:a] + bytes([b]) + records[i][a + 1 :]
    dropped = {i for what, i, *_ in changes if what == "drop"}
    members = [b + sealed(h) + r for b, h, r in zip(before, heads, records)]
    return b"".join(m for i, m in enumerate(members) if i not in dropped) + bytes(1024)


PARTS = ((0, 512), (512, 4096))  # of a member: its header, its record


def sealed(head):
    """A header's checksum is the sum of its bytes, with blanks for itself."""
    blank = head[:148] + b" " * 8 + head[156:]
    return head[:148] + b"%06o\0 " % sum(blank) + head[156:]


def test_cifar(fuzz, tmp_path):
    path = tmp_path / "cifar-10-binary.tar.gz"

    def case(drawn):
        changes, inside, outside = drawn
        path.write_bytes(damaged(gzip.compress(damaged(changed(changes), inside), 1, mtime=0), outside))
        with at_most(2**26):
            try:
                x_train, y_train, x_test, y_test = read_cifar10(path, 1)
            except FormatError as error:
                told(error)
                return "refused"
        assert (x_train.shape, x_test.shape) == ((5, 3, 32, 32), (1, 3, 32, 32)) and max(*y_train, *y_test) <= 9
        return "read"

    bytewise = st.just([]) | DAMAGE
    fuzz(case, st.one_of(st.tuples(CHANGES, st.just([]), st.just([])), st.tuples(CHANGES, bytewise, bytewise)))


# journals

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=8), x, max_size=3),
    max_leaves=6,
)
ENTRY = st.fixed_dictionaries(
    {}, optional={"numbers": JSON, "seconds": JSON, "network": JSON | st.just("fits"), "more": JSON}
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A journal with a step and a network, and the bytes of its files."""
    journal = Journal(tmp_path_factory.mktemp("journal"), say=str)
    journal.step("step", lambda: {"n": 1})
    journal.network("network", lambda: (nn.Linear(3, 2, rng=0), {"n": 2}))
    return journal, {path: path.read_bytes() for path in journal.folder.iterdir()}


def forged(entry, journal):
    """An entry of any structure, with a check that fits."""
    if isinstance(entry, dict) and entry.get("network") == "fits":
        entry = entry | {"network": _digest((journal.folder / "network.lnn").read_bytes())}
    return json.dumps({"entry": entry, "check": _digest(json.dumps(entry).encode())}).encode()


def test_journal(fuzz, finished, monkeypatch):
    journal, files = finished
    monkeypatch.setattr("os.fsync", lambda handle: None)  # nine tenths of the time

    def case(drawn):
        damage, entry = drawn
        for path, data in files.items():
            path.write_bytes(damaged(data, damage.get(path.name, [])))
        if entry:
            (journal.folder / entry[0]).write_bytes(forged(entry[1], journal))
        said, again = [], Journal(journal.folder)
        again.say = said.append
        assert again.seconds >= 0
        n = again.step("step", lambda: {"n": "again"})
        model, m = again.network("network", lambda: (nn.Linear(3, 2, rng=0), {"n": "again"}))
        assert isinstance(n, dict) and isinstance(m, dict) and isinstance(model, nn.Module)
        assert json.dumps(again.step("step", lambda: 1 / 0)) == json.dumps(n)  # done once, and read from then on
        assert json.dumps(again.network("network", lambda: 1 / 0)[1]) == json.dumps(m) and again.seconds >= 0
        done_again = [n, m].count({"n": "again"})
        assert all(line.isprintable() for line in said) and len(said) <= 2
        return "refused" if done_again else "read"

    names = st.dictionaries(st.sampled_from([path.name for path in files]), DAMAGE, max_size=2)
    anything = st.tuples(st.sampled_from(["step.json", "network.json"]), ENTRY | JSON)
    fuzz(case, st.tuples(names, st.none() | anything))
