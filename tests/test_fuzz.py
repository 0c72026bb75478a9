"""Files that are damaged where a checksum does not tell: .lnn, IDX, CIFAR's archive, entries of a journal, and weights
of other programs. Each is read as something consistent or refused by the one error that its reader has, within a bound
of memory.

`pytest --long tests/test_fuzz.py -s` draws 25,000 cases a reader and prints what came of them.
"""

import contextlib
import gzip
import io
import json
import pickletools
import struct
import tarfile
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import strategies as st

import lightnn
from lightnn import FormatError, nn
from lightnn.compress import prune, share
from lightnn.compress.transforms import use_binary_filters, use_powers_of_two, use_stochastic_binary
from lightnn.data.formats import CIFAR_MEMBERS, read_cifar10, read_idx
from lightnn.io import from_bytes, read_state, to_bytes, to_train_bytes
from lightnn.journal import Journal, _digest

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
    bits = nn.Sequential(nn.Linear(6, 5, rng=0), nn.Sign(), nn.Linear(5, 2, rng=1))
    use_binary_filters(bits[0].weight), use_stochastic_binary(bits[2].weight)
    plain = [to_bytes(nn.Linear(3, 2, rng=0)), to_bytes(conv), to_train_bytes(conv), to_bytes(powers)]
    return [*plain, to_bytes(bits), to_train_bytes(bits)]


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


# weights of other programs


@pytest.fixture
def weights(tmp_path):
    """weights(data): what came of reading a file of these bytes."""
    path = tmp_path / "weights"

    def weights(data):
        path.write_bytes(data)
        with at_most(2**26):
            try:
                state = read_state(path, max_bytes=2**20)
            except FormatError as error:
                told(error)
                return "refused"
        assert isinstance(state, dict) and sum(a.nbytes for a in state.values()) <= 2**20
        for name, a in state.items():
            assert isinstance(name, str) and a.flags.c_contiguous and a.flags.writeable and a.dtype.kind in "biufc"
        return "read"

    return weights


def a_state(t, view=None):
    """Opcodes of a state dict: one storage that is shared, one of its own, a nested dict, a plain entry."""
    shared, own = t.storage("Float", "0", 12, view), t.storage("Long", "1", 1, view)
    tensors = {"a.weight": t.tensor(shared, 0, [3, 4], [1, 3]), "a.bias": t.tensor(shared, 8, [4], [1])}
    tensors["count"] = t.tensor(own, 0, [], [])
    return t.table({"epoch": t.whole(3), "state_dict": t.table(tensors), "optimizer": t.table({"lr": b"N"})})


STORAGES = {"0": struct.pack("<12f", *range(12)), "1": struct.pack("<q", 7)}


def opcodes(pickle):
    """A pickle, cut where an opcode begins."""
    places = [at for _, _, at in pickletools.genops(pickle)]
    return [pickle[a:b] for a, b in zip(places, [*places[1:], len(pickle)])]


HOSTILE = [b"cos\nsystem\n", b"ctorch._utils\n_rebuild_tensor\n", b"ccollections\nOrderedDict\n", b"ctorch\nuint8\n"]
HOSTILE += [
    b"r\xff\xff\xff\xff",
    b"X\xff\xff\xff\xff",
    b"\x8e" + b"\xff" * 8,
    b"\x8a\xff",
    b"q\0",
    b"h\0",
    b"j\0\0\0\0",
]
HOSTILE += [b"J\xff\xff\xff\xff", b"J\xff\xff\xff\x7f", b"\x8a\x08" + b"\xff" * 7 + b"\x7f", b"K\0", b"X\1\0\0\0a"]
HOSTILE += [bytes([code]) for code in b"()]}tlduaeseRbQ012N.i\x81\x85\x86\x87\x88\x8f\x93\x94\x95"]
PLACE = st.integers(0, 2**16 - 1)
EDITS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["insert", "replace"]), PLACE, st.sampled_from(HOSTILE)),
        st.tuples(st.sampled_from(["delete", "repeat", "swap"]), PLACE, PLACE),
        st.tuples(
            st.just("number"), PLACE, st.sampled_from([0, 1, 2, 3, 4, 5, 8, 11, 12, 13, -1, -3, 2**20, 2**31 - 1])
        ),
    ),
    max_size=3,
)


def edited(pieces, edits):
    """The pieces of a pickle, with some inserted, replaced, repeated, or gone, and other numbers in some."""
    pieces = list(pieces)
    for what, place, value in edits:
        at = place % max(len(pieces), 1)
        if what == "insert":
            pieces.insert(at, value)
        elif what == "number" and (ints := [i for i, piece in enumerate(pieces) if piece[:1] == b"J"]):
            pieces[ints[place % len(ints)]] = b"J" + struct.pack("<i", value)
        elif pieces and what == "replace":
            pieces[at] = value
        elif pieces and what == "delete":
            del pieces[at : at + value % 4 + 1]
        elif pieces and what == "repeat":
            pieces[at:at] = pieces[at : at + value % 64 + 1]
        elif pieces:
            other = value % len(pieces)
            pieces[at], pieces[other] = pieces[other], pieces[at]
    return pieces


BYTEWISE = st.just([]) | DAMAGE
MEMBERS = ("a/data.pkl", "a/byteorder", "a/data/0", "a/data/1")
METHODS = st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])


def test_pytorchs_zip(fuzz, weights, torch_files):
    pickle = opcodes(torch_files.pickled(a_state(torch_files)))

    def case(drawn):
        edits, inside, member, method, byteorder, outside = drawn
        members = [b"".join(edited(pickle, edits)), byteorder, *STORAGES.values()]
        members = {name: damaged(d, inside if i == member else []) for i, (name, d) in enumerate(zip(MEMBERS, members))}
        return weights(damaged(torch_files.zip_of(members.items(), method), outside))

    order, member = st.sampled_from([b"little", b"big", b"", b"\xff"]), st.integers(0, len(MEMBERS) - 1)
    parts = (EDITS, BYTEWISE, member, METHODS, order)
    fuzz(case, st.tuples(*parts, st.just([])) | st.tuples(*parts, BYTEWISE))


def test_pytorchs_stream(fuzz, weights, torch_files):
    runs = {key: (len(data) // (4 if key == "0" else 8), data) for key, data in STORAGES.items()}
    data = torch_files.stream(a_state(torch_files, b"N"), runs)
    end = data.rindex(b"e.") + 2
    pickles, rest, at = [], data[end:], 0
    while at < end:
        pieces = opcodes(data[at:end])
        pickles += pieces
        at += sum(map(len, pieces))

    def case(drawn):
        edits, inside, outside = drawn
        return weights(damaged(b"".join(edited(pickles, edits)) + damaged(rest, inside), outside))

    fuzz(case, st.tuples(EDITS, st.just([]), st.just([])) | st.tuples(EDITS, BYTEWISE, BYTEWISE))


NUMBER = st.sampled_from([0, 1, 2, 3, 4, 8, 16, -1, 2**31, 2**63, 2**64, 10**30, 0.5, True, None, "4"])
SIZES_OF = st.lists(NUMBER, max_size=4) | st.just([2, 2]) | st.just([1] * 40) | NUMBER
DTYPE = st.sampled_from(["F32", "BF16", "U8", "BOOL", "F64", "F8_E4M3", "", "f32", None, ["F32"]])
TABLE = {
    "a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
    "b": {"dtype": "BF16", "shape": [4], "data_offsets": [16, 24]},
    "c": {"dtype": "I64", "shape": [], "data_offsets": [24, 32]},
}
FIELD = st.sampled_from([(n, f) for n in TABLE for f in TABLE["a"]])
FIELD_EDITS = st.dictionaries(FIELD, st.one_of(SIZES_OF, DTYPE, NUMBER, JSON), max_size=3)


def test_safetensors(fuzz, weights):
    def case(drawn):
        edits, more, inside, length, outside = drawn
        table = {name: dict(entry) for name, entry in TABLE.items()}
        for (name, field), value in edits.items():
            table[name][field] = value
        text = damaged(json.dumps(table | more).encode(), inside)
        data = struct.pack("<Q", (len(text) + length) % 2**64) + text + bytes(range(32))
        return weights(damaged(data, outside))

    more = st.just({}) | st.dictionaries(st.sampled_from(["a", "d", "", "__metadata__"]), JSON, max_size=2)
    length = st.just(0) | st.sampled_from([-1, 1, 8, 2**20, 2**40, 2**63])
    fuzz(
        case,
        st.tuples(FIELD_EDITS, more, st.just([]), st.just(0), st.just([]))
        | st.tuples(FIELD_EDITS, more, BYTEWISE, length, BYTEWISE),
    )


DESCR = st.just("'<f4'") | st.sampled_from(
    ["'>f4'", "'|b1'", "'<c8'", "'|O'", "'<f16'", "'<M8[s]'", "'<U4'", "[1]", "1"]
)
SHAPE = st.just("(2, 2)") | st.sampled_from(
    ["(4,)", "()", "(0, 5)", "(5,)", "(-1,)", "4", "(2L, 2)", "(1e3,)", "(9999999999999,)"]
)
ORDER = st.just("False") | st.sampled_from(["True", "None", "0"])


def test_npz(fuzz, weights, torch_files):
    def case(drawn):
        descr, order, shape, inside, method, outside = drawn
        text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
        array = b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + bytes(range(16))
        members = [("a.npy", damaged(array, inside)), ("b.npy", array)]
        return weights(damaged(torch_files.zip_of(members, method), outside))

    parts = (DESCR, ORDER, SHAPE, BYTEWISE, METHODS)
    fuzz(case, st.tuples(*parts, st.just([])) | st.tuples(*parts, BYTEWISE))
