"""A damaged, foreign or malicious file of weights gives FormatError and nothing else: no code is run, nothing large is
allocated, nothing takes long."""

import contextlib
import io
import json
import os
import pickle
import struct
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest

from lightnn import FormatError
from lightnn.io import read_state

MOST_EXTRA_BYTES = 150e6
RUNS_CODE = ("os.system", "subprocess.Popen", "os.exec", "os.fork", "exec", "compile", "import", "pickle.find_class")
watched = []  # what Python's audit hook has seen while a file was read
watching = False


def audit(event, arguments):
    if watching and event.startswith(RUNS_CODE):
        watched.append((event, arguments))


@pytest.fixture(scope="module", autouse=True)
def hooked():
    zipfile.ZipFile(io.BytesIO(b"PK\5\6" + bytes(18))).close()
    "".encode("cp437")  # what zipfile imports at its first use
    sys.addaudithook(audit)  # it can't be taken away again, only switched off


@contextlib.contextmanager
def nothing_runs():
    global watching
    watched.clear()
    watching = True
    try:
        yield
    finally:
        watching = False
    assert watched == []


@pytest.fixture
def refused(tmp_path):
    """refused(data): the FormatError of reading a file of these bytes; anything else fails the test."""
    path = tmp_path / "hostile.pth"

    def refused(data, **options):
        path.write_bytes(data)
        tracemalloc.start()
        try:
            with nothing_runs(), pytest.raises(FormatError) as caught:
                read_state(path, **options)
            assert tracemalloc.get_traced_memory()[1] < MOST_EXTRA_BYTES + 2 * len(data)
        finally:
            tracemalloc.stop()
        text = str(caught.value)
        assert text.startswith(str(path)) and text.isprintable() and len(text) < 1000
        return text.removeprefix(f"{path}: ")

    return refused


@pytest.fixture(params=["zip", "stream", "plain"])
def in_a_file(request, torch_files):
    """in_a_file(opcodes): a file with this pickle as PyTorch's zip or stream, or the bare pickle."""
    plain = torch_files.pickled
    return {"zip": lambda p: torch_files.zipped(p, {}), "stream": lambda p: torch_files.stream(p, {}), "plain": plain}[
        request.param
    ]


# Pickles that would run code


class Runs:
    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


def dumped(thing, protocol):
    """The opcodes of a pickle, without the frame and the end."""
    raw = pickle.dumps(thing, protocol)
    return raw[11:-1] if protocol >= 4 else raw[2:-1]


SYSTEM = f"{os.system.__module__}.system"  # posix.system
REDUCED = {
    SYSTEM: Runs(os.system, "touch ran"),
    "eval": Runs(eval, "open('ran', 'w')"),
    "exec": Runs(exec, "open('ran', 'w')"),
    "getattr": Runs(getattr, {}, "__class__"),
    "__import__": Runs(__import__, "this"),
    "io.open": Runs(open, "ran", "w"),
}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("name", REDUCED)
def test_a_pickle_that_would_run_code_is_refused_with_the_name(
    refused, in_a_file, tmp_path, monkeypatch, name, protocol
):
    monkeypatch.chdir(tmp_path)
    module = "" if "." in name else "__builtin__." if protocol == 2 else "builtins."
    for thing in (REDUCED[name], {"a": [REDUCED[name]]}, [REDUCED[name], REDUCED[name]]):
        said = refused(in_a_file(dumped(thing, protocol)))
        assert f"it names {module}{name}, which is none of the tensors" in said and "nothing was run" in said
        assert said.startswith("in the pickle, at byte ")
    assert not (tmp_path / "ran").exists()


def test_the_same_pickle_does_run_where_pickles_are_trusted(tmp_path, monkeypatch):
    """The files above are dangerous indeed."""
    monkeypatch.chdir(tmp_path)
    pickle.loads(b"\x80\2" + dumped(REDUCED["io.open"], 2) + b".").close()
    assert (tmp_path / "ran").exists()


TRICKS = {
    "os.system": b"cos\nsystem\n(X\2\0\0\0lstR",
    "builtins.eval": b"\x8c\x08builtins\x8c\4eval\x93",
    "os.popen": b"(ios\npopen\n",
    "torch._utils.os.system": b"ctorch._utils\nos.system\n",
    "collections.OrderedDict.__init__.__globals__": b"ccollections\nOrderedDict.__init__.__globals__\n",
    "numpy.core.multiarray._reconstruct": b"cnumpy.core.multiarray\n_reconstruct\n",
    "torch.hub.load": b"}(X\1\0\0\0actorch.hub\nload\n",
    "torch.FloatStorage.from_file": b"ctorch\nFloatStorage.from_file\n",
    "torch.serialization.load": b"ctorch.serialization\nload\n",
    "subprocess.Popen": b"(X\7\0\0\0storagecsubprocess\nPopen\n",  # within a persistent id
    "lightnn.io.torch_tensors.NAMES": b"clightnn.io.torch_tensors\nNAMES\n",
    "torch.storage._load_from_bytes": b"ctorch.storage\n_load_from_bytes\n(C\1.tR",  # a pickle in a pickle
    "_codecs.encode": b"c_codecs\nencode\n",
    "functools.partial": b"cfunctools\npartial\n",
    "copyreg._reconstructor": b"ccopyreg\n_reconstructor\n",
    "": b"c\n\n",
}


@pytest.mark.parametrize("name", TRICKS)
def test_a_name_is_looked_up_in_one_table_and_nowhere_else(refused, in_a_file, name):
    said = refused(in_a_file(TRICKS[name]))
    assert f"it names {name or '.'}, which is none of the tensors" in said


NOT_FOR_US = {
    "a class made without its function": b"ccollections\nOrderedDict\n)\x81",
    "the same with keywords": b"ccollections\nOrderedDict\n)}\x92",
    "an extension of copyreg": b"\x82\1",
    "a persistent id as a line": b"P0\n",
    "an object": b"(ccollections\nOrderedDict\no",
    "a set": b"\x8f(K\1\x90",
    "a buffer from elsewhere": b"\x97",
}


@pytest.mark.parametrize("what", NOT_FOR_US)
def test_an_opcode_that_a_state_dict_does_not_need_is_refused(refused, in_a_file, what):
    assert "is none of those that a state dict needs" in refused(in_a_file(NOT_FOR_US[what]))


@pytest.mark.parametrize(
    ("opcodes", "message"),
    [
        (b"K\1)R", "want a Function on the stack, got a int"),
        (b"X\1\0\0\0a)R", "want a Function on the stack, got a str"),
        (b"ctorch\nFloatStorage\n)R", "want a Function on the stack, got a Dtype"),
        (b"ccollections\nOrderedDict\nK\1R", "want a tuple on the stack, got a int"),
        (b"ccollections\nOrderedDict\n(K\1K\2tR", "want the arguments [] or ['list']; got int, int"),
        (b"ccollections\nOrderedDict\n(](K\1K\2etR", "want pairs of a name and a value"),
        (b"ccollections\nOrderedDict\n(" + b"N" * 11 + b"tR", "want at most 10 arguments, got 11"),
        (b"ctorch._utils\n_rebuild_parameter\n(K\1tR", "want the arguments ['Tensor']; got int"),
        (b"ctorch._utils\n_rebuild_tensor_v2\n)R", "want the arguments ['Storage', 'int', 'tuple', 'tuple']; got "),
        (b"ctorch\nSize\n(]tR", "want the arguments ['tuple']; got list"),
        (b"ctorch\nSize\n((K\2K\3ttRK\1R", "want a tuple on the stack, got a int"),
        (b"]K\1a]K\2ea", "want a mark on the stack, got none"),
        (b"K\1K\2a", "want a list on the stack, got a int"),
        (b"](K\1K\2eK\3s", "want a dict on the stack, got nothing"),
        (b"K\1Q", "want a storage of "),
        (b"(X\6\0\0\0moduleNNNNtQ", "as persistent id, got something else"),
        (b"ccollections\nOrderedDict\n}b", "want a dict on the stack, got a Function"),
        (b"]}b", "want a dict on the stack, got a list"),
        (b"}(X\1\0\0\0aK\1X\1\0\0\0aK\2u", "the name 'a' is there twice"),
        (b"}(K\1u", "want a value for each key, got one too few"),
        (b"}(]K\1u", "want texts or ints as keys of a dict, got a list"),
        (b"}(\x88K\1u", "want texts or ints as keys of a dict, got a bool"),
        (b"}(J\0\0\0\0\x8a\x08" + b"\0" * 7 + b"\x40Nu", "want a value for each key"),
        (b"}(\x8a\x08" + b"\0" * 7 + b"\x40Nu", "want texts or ints as keys of a dict, got a int"),
        (b"h\5", "nothing was remembered as number 5"),
        (b"0", "got nothing above the last mark"),
        (b"N(0", "got nothing above the last mark"),
        (b"(0t", "got nothing above the last mark"),
        (b"t", "want a mark on the stack, got none"),
        (b"\x80\6", "want protocol 2, 3, 4 or 5, got 6"),
        (b"X\1\0\0\0\xff", "can't decode byte 0xff"),
        (b"X\xff\xff\xff\xffa", "want 4294967295 more bytes, but only "),
        (b"\x8d" + b"\xff" * 8, "want 18446744073709551615 more bytes, but only "),
        (b"\x8e\0\0\0\0\1\0\0\0", "want 4294967296 more bytes, but only "),
        (b"T\xff\xff\xff\xff", "want -1 more bytes"),
        (b"\x8a\xff" + b"1" * 255, "want an int of at most 16 bytes, got 255"),
        (b"c" + b"a" * 10_000 + b"\nb\n", "want a line of at most 500 bytes"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(refused, in_a_file, opcodes, message):
    said = refused(in_a_file(opcodes))
    assert message in said and "in the pickle, at byte " in said


def nested(opcode, n):
    return b"N" + opcode * n


def numbered(value, count):
    """The opcodes of a dict of {0: value, 1: value, ...}."""
    return b"}(" + b"".join(b"J" + struct.pack("<i", i) + value for i in range(count)) + b"u"


ORDERED, REBUILD = b"ccollections\nOrderedDict\nq\1", b"ctorch._utils\n_rebuild_tensor\nq\1"
BOMBS = {
    "lists": b"]" * 1_000_000,
    "lists in lists": b"]" * 260_000 + b"a" * 259_999,
    "twice as many at each step": b"K\1" + b"q\0h\0\x86" * 130_000,
    "marks": b"(" * 600_000,
    "remembered as number 4294967295": b"]r\xff\xff\xff\xff",
    "tuples in tuples": nested(b"\x85", 524_000),
    "a large list, copied again and again": b"](" + b"K\1" * 100_000 + b"eq\0" + ORDERED + b"h\1h\0\x85R" * 90_000,
    "large arguments, again and again": b"(" + b"N" * 100_000 + b"tq\0" + REBUILD + b"h\1h\0R" * 90_000,
    "one dict under many names": numbered(b"N", 100_000) + b"q\0" + b"0" + numbered(b"h\0", 100_000),
}


@pytest.mark.thorough
@pytest.mark.parametrize("which", BOMBS)
def test_a_bomb_of_opcodes_does_not_go_off(refused, torch_files, which):
    """Without the bounds, some of these would take all memory, the others hours."""
    refused(torch_files.zipped(BOMBS[which], {}))


# Tensors that are not where they say


@pytest.mark.parametrize(
    ("count", "size", "offset", "shape", "strides", "message"),
    [
        (4, 16, 0, [5], [1], "want 5 numbers, but only 4 are stored"),
        (4, 16, 1, [4], [1], "want 5 numbers, but only 4 are stored"),
        (4, 16, 4, [], [], "want 5 numbers, but only 4 are stored"),
        (4, 16, 0, [2, 2], [3, 1], "want 5 numbers, but only 4 are stored"),
        (4, 16, -1, [2], [1], "want a offset of at most 32 ints from 0 to 2^48"),
        (4, 16, 0, [-2], [1], "want a shape of at most 32 ints"),
        (4, 16, 0, [2], [-1], "want a strides of at most 32 ints"),
        (4, 16, 0, [1] * 33, [1] * 33, "want a shape of at most 32 ints"),
        (4, 16, 0, [2, 2], [1], "want 2 strides for the shape (2, 2), got 1"),
        (4, 16, 0, [2**40, 2**40], [0, 0], "a shape of more than 2^48 numbers"),
        (4, 16, 0, [0, 2**40, 2**40], [1, 1, 1], "a shape of more than 2^48 numbers"),
        (4, 16, 0, [2**31 - 1, 1000], [0, 0], "its arrays take 8589934588000 bytes, more than the "),
        (4, 15, 0, [1], [1], "want 16 bytes of the storage '0' as the pickle says, got 15"),
        (4, 20, 0, [1], [1], "want 16 bytes of the storage '0' as the pickle says, got 20"),
        (-4, 16, 0, [1], [1], "want a storage of 0 to 2^48 numbers, got -4"),
        (2**60, 16, 0, [1], [1], "want a storage of 0 to 2^48 numbers"),
    ],
)
def test_a_tensor_that_is_not_within_its_storage(refused, torch_files, count, size, offset, shape, strides, message):
    storage = torch_files.storage("Float", "0", count)
    opcodes = torch_files.table({"fc.weight": torch_files.tensor(storage, offset, shape, strides)})
    said = refused(torch_files.zipped(opcodes, {"0": bytes(size)}))
    assert message in said
    if "storage" not in message and "in all" not in message and "its arrays" not in message:
        assert said.startswith("in 'fc.weight': ")


def test_tensors_of_no_dtype_and_those_that_are_changed_when_read(refused, torch_files):
    t = torch_files
    parts = [t.text("storage"), t.name("torch.storage", "UntypedStorage"), t.text("0"), t.text("cpu"), t.whole(8)]
    untyped, sizes, hooks = t.several(*parts) + b"Q", [t.several(t.whole(2)), t.several(t.whole(1))], b"}"
    first = [t.whole(0), *sizes, b"\x89", hooks]
    for function, storage, rest, message in (
        ("_rebuild_tensor_v2", untyped, [], "want a storage of a dtype for this tensor, got one of bytes"),
        ("_rebuild_tensor_v3", untyped, [], "want the arguments ['Dtype']; got "),
        ("_rebuild_tensor_v3", untyped, parts[1:2], "want the dtype of a tensor, got none"),
        (
            "_rebuild_tensor_v3",
            untyped,
            [t.name("torch", "float32"), t.table({"neg": b"\x88"})],
            "conjugated or negated",
        ),
        ("_rebuild_tensor_v2", t.storage("Float", "0", 2), [t.table({"conj": b"\x88"})], "conjugated or negated"),
    ):
        tensor = t.name("torch._utils", function) + t.several(storage, *first, *rest) + b"R"
        assert message in refused(t.zipped(t.table({"a": tensor}), {"0": bytes(8)}))


def tensor_file(t, storages=(("0", "Float", 2),), **options):
    tensors = {f"t{i}": t.tensor(t.storage(kind, key, n), 0, [n], [1]) for i, (key, kind, n) in enumerate(storages)}
    return t.zipped(t.table(tensors), {key: bytes(4 * n) for key, _, n in storages}, **options)


def test_archives_that_pytorch_would_not_write(refused, torch_files):
    t = torch_files
    tensor = t.table({"a": t.tensor(t.storage("Float", "0", 2), 0, [2], [1])})
    whole = [("a/data.pkl", t.pickled(tensor)), ("a/data/0", bytes(8))]
    for members, message in (
        (whole[:1], "in 'a': the archive has no file 'a/data/0'"),
        ([*whole, ("b/data.pkl", b"")], "want an archive of one folder with a pickle, got 2"),
        ([("x/y/data.pkl", b"")], "want an archive of one folder with a pickle, got 0"),
        ([("a/data.pkl", t.pickled(tensor) + b"more")], "4 bytes are left over after the pickle"),
        ([*whole, ("a/byteorder", b"middle")], "want the byteorder little or big, got 'middle'"),
        ([("a/data.pkl", b"")], "in the pickle, at byte 0: want 1 more bytes"),
        ([("a/data.pkl", t.pickled(b"N"))], "want a dict of tensors, as model.state_dict() is; got a NoneType"),
        (
            [("a/data.pkl", t.pickled(t.table({"a": t.table({"b": tensor})})))],
            "got one without any; its entries are 'a'",
        ),
    ):
        assert message in refused(t.zip_of(members)), members
    assert "described in two ways" in refused(tensor_file(t, [("0", "Float", 2), ("0", "Int", 2)]))
    assert "described in two ways" in refused(tensor_file(t, [("0", "Float", 2), ("0", "Float", 3)]))
    assert "want tensors with texts as names" in refused(t.zipped(b"}K\1" + tensor[6 + 2 : -1] + b"s", {"0": bytes(8)}))


def test_a_zip_archive_that_is_damaged(refused, torch_files):
    data = tensor_file(torch_files)
    at = data.index(b"a/data/0") + 8  # the first byte of the numbers
    assert "'a/data/0': its checksum does not fit" in refused(data[:at] + b"\1" + data[at + 1 :])
    assert "want a sound zip archive" in refused(data[:-30])
    assert "want a sound zip archive" in refused(data[:40])
    assert "want a header at byte " in refused(data.replace(b"PK\3\4", b"PK\3\5").replace(b"PK\3\5", b"PK\3\4", 1))
    assert "not encrypted" in refused(data.replace(b"PK\1\2\x14\3\x14\0\0", b"PK\1\2\x14\3\x14\0\1"))
    size = data.rindex(b"PK\1\2") + 20  # in the directory's last entry
    assert "the archive ends before" in refused(data[:size] + struct.pack("<I", 300) + data[size + 4 :])
    packed = torch_files.zip_of([("a.npy", npy(header()))], zipfile.ZIP_DEFLATED)
    begin = 30 + len("a.npy")
    assert "its deflated bytes are damaged" in refused(packed[:begin] + b"\xff" * 4 + packed[begin + 4 :])
    no_sum = bytearray(data.replace(data[at - 8 - 30 + 14 : at - 8 - 30 + 18], bytes(4)))
    no_sum[at] = 1  # PyTorch writes 0 where it computes no checksum
    assert "checksum" not in str(read_bytes(bytes(no_sum)))
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = torch_files.zip_of([("a/data.pkl", b""), ("a/data.pkl", b"")])
    assert "the archive has two files 'a/data.pkl'" in refused(twice)


def read_bytes(data):
    import tempfile

    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        return read_state(file.name)


def test_a_zip_bomb_is_refused_before_it_unfolds(refused, torch_files):
    deflated = zipfile.ZIP_DEFLATED
    data = torch_files.zip_of([("a.npy", bytes(200_000_000))], deflated)
    assert "it unfolds to 200000000 bytes, more than the 1000000 allowed" in refused(data, max_bytes=1_000_000)
    size = data.index(struct.pack("<I", 200_000_000), len(data) - 100)  # in the directory: a lie about the length
    lie = data[:size] + struct.pack("<I", 1000) + data[size + 4 :]
    assert "want 1000 bytes as the directory says, got 1001" in refused(lie, max_bytes=1_000_000)
    assert "want a zip archive of at most 131072 files" in refused(b"PK\3\4" + b"PK\1\2" * 131_073)
    small = torch_files.zip_of([(f"{i}.npy", bytes(1000)) for i in range(2)])
    entry = small[small.index(b"PK\1\2") :][:51]
    end = small[-22:-14] + struct.pack("<HH", 3, 3) + struct.pack("<II", 3 * 51, len(small) - 22 - 2 * 51) + b"\0\0"
    overlapping = small[: -22 - 2 * 51] + b"".join(entry.replace(b"0.npy", b"%d.npy" % i) for i in range(3)) + end
    assert "its files overlap" in refused(overlapping)


def test_old_streams_that_pytorch_would_not_write(refused, torch_files):
    t = torch_files
    table = t.table({"a": t.tensor(t.storage("Float", "k", 2, b"N"), 0, [2], [1])})
    data = t.stream(table, {"k": (2, bytes(8))})
    assert "bytes are left over after the last storage" in refused(data + b"\0")
    assert "want 8 bytes of the storage 'k', got 7" in refused(data[:-1])
    assert "want the length of the storage 'k', but the file ends" in refused(data[:-9])
    assert "as the pickle says, got 12" in refused(t.stream(table, {"k": (3, bytes(12))}))
    assert "as the pickle says, got -4" in refused(t.stream(table, {"k": (-1, b"")}))
    assert "as the pickle says, got 36893488147419103228" in refused(t.stream(table, {"k": (2**63 - 1, b"")}))
    assert "want a list of the keys" in refused(t.stream(table, {"k": (2, bytes(8)), "other": (2, bytes(8))}))
    assert "in 'a': the file has no storage 'k'" in refused(t.stream(table, {}))
    twice = data[: data.index(b"](") + 2] + 2 * t.text("k") + b"e." + data[-16:]
    assert "the storage 'k' is there twice" in refused(twice)
    assert "want version 1001 of PyTorch's old format" in refused(data.replace(t.whole(1001), t.whole(1002)))
    assert "a pickle, but none that torch.save wrote" in refused(pickle.dumps({"a": 1}, 2))
    for view, message in (
        (t.whole(1), "want a view of a storage that is a tuple"),
        (b")", "want the arguments ['str'"),
    ):
        table = t.table({"a": t.tensor(t.storage("Float", "k", 2, view), 0, [2], [1])})
        assert message in refused(t.stream(table, {"k": (2, bytes(8))}))
    view = t.several(t.text("v"), t.whole(1), t.whole(2))
    table = t.table({"a": t.tensor(t.storage("Float", "k", 2, view), 0, [2], [1])})
    assert "want a view within the 2 numbers" in refused(t.stream(table, {"k": (2, bytes(8))}))


# safetensors


def safetensors(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(dtype="F32", shape=(2,), data_offsets=(0, 8), **more):
    return {"dtype": dtype, "shape": shape, "data_offsets": data_offsets} | more


SAFETENSORS = [
    (safetensors({"a": entry()}, bytes(8))[:-1], "want data_offsets within the 7 bytes of all arrays, got [0, 8]"),
    (safetensors({"a": entry()}, bytes(9)), "1 bytes are left over after the last array"),
    (safetensors({"a": entry()}, length=2**40), "want a header of at most 61 bytes, it says 1099511627776"),
    (safetensors(b"{" + b" " * 2**24 + b"}"), "want a header of at most 16777216 bytes, it says 16777218"),
    (safetensors(b"{"), "want a header of JSON in UTF-8"),
    (safetensors(b"{\xff}"), "want a header of JSON in UTF-8"),
    (safetensors(b'{"a":' + b"[" * 100_000), "nested too deep"),
    (safetensors(b'{"a":' + b"9" * 5000 + b"}"), "want a header of JSON in UTF-8"),
    (safetensors(b'{"a":1,"a":1}'), "the name 'a' is there twice"),
    (safetensors(b'{"a":{"dtype":"F32","dtype":"F32"}}'), "the name 'dtype' is there twice"),
    (safetensors({"a": 3}), "in 'a': want an object of dtype, shape and data_offsets"),
    (safetensors({"a": {"dtype": "F32"}}), "in 'a': want an object of dtype, shape and data_offsets"),
    (safetensors({"a": entry(more=1)}), "in 'a': want an object of dtype, shape and data_offsets"),
    (safetensors({"a": entry("F8_E4M3")}, bytes(8)), "C64, BF16, got F8_E4M3"),
    (safetensors({"a": entry(["F32"])}, bytes(8)), "in 'a': want one of the dtypes BOOL, U8"),
    (safetensors({"a": entry(shape=2)}, bytes(8)), "want a shape that is a list"),
    (safetensors({"a": entry(shape=[-2])}, bytes(8)), "want a shape of at most 32 ints"),
    (safetensors({"a": entry(shape=[True])}, bytes(8)), "want a shape of at most 32 ints"),
    (safetensors({"a": entry(shape=[2.0])}, bytes(8)), "want a shape of at most 32 ints"),
    (safetensors({"a": entry(shape=[3])}, bytes(8)), "want 3 numbers, but only 2 are stored"),
    (safetensors({"a": entry(shape=[1])}, bytes(8)), "want 4 bytes for F32 (1,), data_offsets give 8"),
    (safetensors({"a": entry(shape=[0, 2**47, 2**47])}, bytes(8)), "a shape of more than 2^48 numbers"),
    (safetensors({"a": entry(data_offsets=[0, 7])}, bytes(7)), "want a multiple of 4 bytes, got 7"),
    (safetensors({"a": entry(data_offsets=[8, 0])}, bytes(8)), "want data_offsets within the 8 bytes"),
    (safetensors({"a": entry(data_offsets=[-8, 0])}, bytes(8)), "want data_offsets within the 8 bytes"),
    (safetensors({"a": entry(data_offsets=[0, 10**30])}, bytes(8)), "want data_offsets within the 8 bytes"),
    (safetensors({"a": entry(data_offsets=["0", "8"])}, bytes(8)), "want two ints as data_offsets"),
    (safetensors({"a": entry(), "b": entry()}, bytes(8)), "in 'b': want it to begin at byte 8"),
    (safetensors({"a": entry(data_offsets=[1, 9])}, bytes(9)), "in 'a': want it to begin at byte 0"),
]


@pytest.mark.parametrize(("data", "message"), SAFETENSORS, ids=range(len(SAFETENSORS)))
def test_safetensors_that_are_wrong(refused, data, message):
    assert message in refused(data)


# .npz


def npy(header, data=bytes(8), version=(1, 0), length=None):
    length = len(header) if length is None else length
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H" if version == (1, 0) else "<I", length) + header + data


def header(descr="'<f4'", order="False", shape="(2,)", more=""):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, {more}}}\n".encode()


NPY = [
    (b"", "want it to begin with"),
    (b"\x93NUMPX" + npy(header())[6:], "want it to begin with"),
    (npy(header(), version=(4, 0)), "want version 1.0, 2.0 or 3.0, got 4.0"),
    (npy(header(), length=60_000), "want a header of at most "),
    (npy(b" " * 20_000, version=(2, 0)), "want a header of at most 10000 bytes, it says 20000"),
    (npy(header("'|O'")), "want a header with a descr of numbers, got "),
    (npy(header("[('a', '<f4')]")), "want a header with a descr of numbers, got "),
    (npy(header("__import__('os').system('touch ran')")), "want a header with a descr of numbers"),
    (npy(header("'<f3'")), "want a dtype and a shape that NumPy has"),
    (npy(header("'<c4'")), "want a dtype and a shape that NumPy has"),
    (npy(header("'<U2'")), "want a header with a descr of numbers"),
    (npy(header("'<f16'")), "want bool, integers, floats or complex numbers, got the dtype <f16"),
    (npy(header(order="1")), "want a header with a fortran_order of numbers"),
    (npy(header(shape="2")), "want a header with a shape of numbers"),
    (npy(header(shape="(-2,)")), "want a header with a shape of numbers"),
    (npy(header(shape="(2L L,)")), "want a dtype and a shape that NumPy has"),
    (npy(header(shape=f"({2**50},)")), "want a shape of at most 32 ints"),
    (npy(header(shape=f"({'9' * 900},)")), "want a shape of at most 32 ints"),
    (npy(header(shape="(1," * 1 + "1," * 40 + ")")), "want a shape of at most 32 ints"),
    (npy(header(shape="(3,)")), "want 3 numbers, but only 2 are stored"),
    (npy(header(shape="(1,)")), "want 4 bytes for float32 (1,), got 8"),
    (npy(header(shape="(0, 99999999999999, 99999999999999)")), "a shape of more than 2^48 numbers"),
    (npy(header(more="'x': 1, ")), "want a header of descr, fortran_order and shape alone"),
    (npy(header() + b"x"), "want a header of descr, fortran_order and shape alone"),
]


@pytest.mark.parametrize(("data", "message"), NPY, ids=range(len(NPY)))
def test_npz_that_are_wrong(refused, torch_files, data, message):
    said = refused(torch_files.zip_of([("a.npy", npy(header())), ("b.npy", data)]))
    assert message in said and said.startswith("in the archive's file 'b.npy': ")


def test_an_npz_with_pickles_or_something_else(refused, torch_files):
    out = io.BytesIO()
    np.savez(out, a=np.array([Runs(os.system, "touch ran")]))
    assert "want a header with a descr of numbers" in refused(out.getvalue())
    assert "want an archive of .npy files, got 'b.txt' among them" in refused(
        torch_files.zip_of([("a.npy", npy(header())), ("b.txt", b"")])
    )


def test_arrays_that_take_more_than_is_allowed(refused, torch_files):
    data = tensor_file(torch_files, [("0", "Float", 1000)])
    assert "has 4" in refused(data, max_bytes=4000)  # the file
    storage = torch_files.storage("BFloat16", "0", 100)
    tensors = {f"t{i}": torch_files.tensor(storage, 0, [100], [1]) for i in range(20)}
    data = torch_files.zipped(torch_files.table(tensors), {"0": bytes(200)})
    assert "its arrays take 8000 bytes, more than the 7999 allowed" in refused(data, max_bytes=7999)


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x89LNN", b"\x89HDF\r\n\x1a\n", b"PK", bytes(100), b"{" * 20])
def test_a_foreign_file_is_named(refused, data):
    said = refused(data)
    assert f"got one that begins with {data[:9]!r}" in said or data == b"{" * 20
