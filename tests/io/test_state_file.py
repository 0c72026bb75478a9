"""read_state on sound files of the formats that it knows, each written here by its specification, without PyTorch."""

import json
import struct
import zipfile

import numpy as np
import pytest

from lightnn import FormatError, nn
from lightnn.io import read_state

STATE = {
    "conv.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2),
    "bn.num_batches_tracked": np.array(7),
    "half": np.array([1.5, -2], np.float16),
    "empty": np.empty((0, 3), np.float64),
    "flags": np.array([True, False, True]),
    "bytes": np.array([[0, 255]], np.uint8),
    "complex": np.array([1 + 2j], np.complex64),
}
DTYPES = {"float32": "F32", "float64": "F64", "float16": "F16", "int64": "I64", "uint8": "U8", "bool": "BOOL"}
DTYPES |= {"complex64": "C64"}


def safetensors(state, pad=0, metadata=None):
    header, at = {"__metadata__": metadata} if metadata else {}, 0
    for name, a in state.items():
        header[name] = {"dtype": DTYPES[str(a.dtype)], "shape": list(a.shape), "data_offsets": [at, at + a.nbytes]}
        at += a.nbytes
    text = json.dumps(header).encode() + b" " * pad
    return struct.pack("<Q", len(text)) + text + b"".join(a.tobytes() for a in state.values())


@pytest.fixture
def read(tmp_path):
    """read(data, **options): what read_state gives for a file of these bytes, whose name says nothing."""

    def read(data, **options):
        (tmp_path / "weights").write_bytes(data)
        return read_state(tmp_path / "weights", **options)

    return read


def same(got, want):
    assert list(got) == list(want)
    for name, a in want.items():
        b = got[name]
        assert isinstance(b, np.ndarray) and (b.dtype, b.shape) == (a.dtype, a.shape), name
        assert b.tobytes() == a.tobytes() and b.flags.c_contiguous and b.flags.writeable and b.dtype.isnative, name


def test_safetensors(read):
    same(read(safetensors(STATE)), STATE)
    same(read(safetensors(STATE, pad=5, metadata={"format": "pt"})), STATE)
    same(read(safetensors({})), {})


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz(read, tmp_path, save):
    with open(tmp_path / "file", "wb") as file:
        save(file, **STATE)
    same(read((tmp_path / "file").read_bytes()), STATE)


def test_npz_in_other_orders(read, tmp_path):
    a = np.arange(6, dtype=">i4").reshape(2, 3)
    np.savez(tmp_path / "a.npz", big=a, columns=np.asfortranarray(STATE["conv.weight"]), view=a[:, ::2])
    want = {"big": a.astype("i4"), "columns": STATE["conv.weight"], "view": a[:, ::2].astype("i4")}
    same(read((tmp_path / "a.npz").read_bytes()), {k: np.ascontiguousarray(v) for k, v in want.items()})


def test_npy_headers_of_other_writers_and_versions(read, torch_files):
    texts = {
        "a": (1, b'{"shape": (2,), "descr": "<f4", "fortran_order": False}'),
        "b": (2, b"{'descr':'|u1','fortran_order':True,'shape':(2L, 4)}  \n"),
        "c": (3, b"{'descr': '<f8', 'fortran_order': False, 'shape': (), }\n"),
    }
    members = []
    for name, (version, text) in texts.items():
        length = struct.pack("<H" if version == 1 else "<I", len(text))
        members.append((f"{name}.npy", b"\x93NUMPY" + bytes([version, 0]) + length + text + bytes(8)))
    got = read(torch_files.zip_of(members))
    assert {k: (str(a.dtype), a.shape) for k, a in got.items()} == {
        "a": ("float32", (2,)),
        "b": ("uint8", (2, 4)),
        "c": ("float64", ()),
    }


KINDS = {"Byte": "u1", "Char": "i1", "Short": "i2", "Int": "i4", "Long": "i8", "Half": "f2", "Float": "f4"}
KINDS |= {"Double": "f8", "Bool": "?", "ComplexFloat": "c8", "ComplexDouble": "c16"}


@pytest.fixture(params=["zip", "deflated", "big-endian", "stream"])
def torch_file(request, torch_files):
    """torch_file(opcodes, {key: array}): a file of either format."""

    def torch_file(opcodes, storages):
        if request.param == "stream":
            runs = {key: (a.size, a.astype(a.dtype.newbyteorder("<")).tobytes()) for key, a in storages.items()}
            return torch_files.stream(opcodes, runs)
        order, code = ("big", ">") if request.param == "big-endian" else ("little", "<")
        method = zipfile.ZIP_DEFLATED if request.param == "deflated" else zipfile.ZIP_STORED
        data = {key: a.astype(a.dtype.newbyteorder(code)).tobytes() for key, a in storages.items()}
        return torch_files.zipped(opcodes, data, order, method)

    torch_file.view = b"N" if request.param == "stream" else None
    return torch_file


@pytest.mark.parametrize("kind", KINDS)
def test_every_dtype_of_pytorch_that_numpy_has(read, torch_files, torch_file, kind):
    a = np.array([0, 1, 3]).astype(KINDS[kind])
    storage = torch_files.storage(kind, "0", 3, torch_file.view)
    opcodes = torch_files.table({"a": torch_files.tensor(storage, 0, [3], [1])})
    same(read(torch_file(opcodes, {"0": a})), {"a": a})


def test_bfloat16_is_widened(read, torch_files, torch_file):
    a = np.array([1.0, -0.15625, np.inf, 3.0e38], np.float32)
    upper = a.view(np.uint32) >> 16
    storage = torch_files.storage("BFloat16", "0", 4, torch_file.view)
    opcodes = torch_files.table({"a": torch_files.tensor(storage, 1, [3], [1])})
    want = (upper << 16).view(np.float32)[1:]
    same(read(torch_file(opcodes, {"0": upper.astype(np.uint16)})), {"a": want})
    data = struct.pack("<Q", 58) + b'{"a":{"dtype":"BF16","shape":[2,2],"data_offsets":[0,8]}}'.ljust(58)
    same(read(data + upper.astype("<u2").tobytes()), {"a": np.append(a[:1], want).reshape(2, 2)})


def test_strides_offsets_and_storages_that_are_shared(read, torch_files, torch_file):
    a = np.arange(12, dtype=np.float32)
    storage = torch_files.storage("Float", "7", 12, torch_file.view)

    def tensor(offset, shape, strides, **options):
        return torch_files.tensor(storage, offset, shape, strides, **options)

    opcodes = {
        "all": tensor(0, [3, 4], [4, 1]),
        "turned": tensor(0, [4, 3], [1, 4]),
        "old": tensor(2, [2, 3], [4, 1], function="_rebuild_tensor"),
        "expanded": tensor(5, [2, 3], [0, 0]),
        "scalar": tensor(11, [], []),
        "empty": tensor(12, [2, 0], [1, 1]),
        "one": tensor(11, [1, 1], [100, 50]),
    }
    m = a.reshape(3, 4)
    want = {"all": m, "turned": m.T, "old": np.array([[2, 3, 4], [6, 7, 8]]), "scalar": a[11]}
    want |= {"expanded": np.full((2, 3), 5), "empty": np.empty((2, 0)), "one": a[11:].reshape(1, 1)}
    want = {name: np.asarray(want[name], np.float32).copy("C") for name in opcodes}
    got = read(torch_file(torch_files.table(opcodes), {"7": a}))
    same(got, want)
    got["all"][:] = 0
    assert got["turned"].any()  # each has a copy of its own


def test_views_of_storages_in_the_oldest_files(read, torch_files):
    view = torch_files.several(torch_files.text("8"), torch_files.whole(2), torch_files.whole(3))
    storage = torch_files.storage("Float", "7", 6, view)
    opcodes = torch_files.table({"a": torch_files.tensor(storage, 1, [2], [1])})
    a = np.arange(6, dtype="<f4")
    same(read(torch_files.stream(opcodes, {"7": (6, a.tobytes())})), {"a": a[3:5]})


def test_dtypes_without_a_storage_of_their_own(read, torch_files):
    t = torch_files
    parts = [t.text("storage"), t.name("torch.storage", "UntypedStorage"), t.text("0"), t.text("cpu"), t.whole(4)]
    hooks = t.name("collections", "OrderedDict") + b")R"
    shape = t.several(t.whole(2)), t.several(t.whole(1))
    arguments = t.several(t.several(*parts) + b"Q", t.whole(0), *shape, b"\x89", hooks, t.name("torch", "uint16"))
    tensor = t.name("torch._utils", "_rebuild_tensor_v3") + arguments + b"R"
    same(read(t.zipped(t.table({"a": tensor}), {"0": b"\1\0\2\0"})), {"a": np.array([1, 2], np.uint16)})


@pytest.fixture
def checkpoint(torch_files):
    """checkpoint(**entries): a zip file of a dict; a list of names stands for a dict of tensors by these names."""

    def value(entry):
        if isinstance(entry, list):
            storage = torch_files.storage("Float", "0", 2)
            return torch_files.table({name: torch_files.tensor(storage, 0, [2], [1]) for name in entry})
        return entry

    def checkpoint(**entries):
        opcodes = torch_files.table({name: value(entry) for name, entry in entries.items()})
        return torch_files.zipped(opcodes, {"0": bytes(8)})

    return checkpoint


def test_what_is_taken_of_a_checkpoint(read, checkpoint, torch_files):
    tensor = torch_files.tensor(torch_files.storage("Float", "0", 2), 0, [2], [1])
    epoch, optimizer = torch_files.whole(3), torch_files.table({"lr": b"G" + bytes(8), "state": b"}"})
    assert list(read(checkpoint(a=tensor, epoch=epoch, note=torch_files.text("x"), nothing=b"N"))) == ["a"]
    assert list(read(checkpoint(epoch=epoch, weights=["a", "b"], optimizer=optimizer))) == ["a", "b"]
    assert list(read(checkpoint(state_dict=["a"], ema=["b"], rng=tensor))) == ["a"]
    assert list(read(checkpoint(model=["a"], ema=["b"]), key="ema")) == ["b"]
    assert read(checkpoint()) == {}
    for entries, message in (
        ({"g": ["a"], "d": ["b"]}, "key=... must say which of 'g', 'd'"),
        ({"model": ["a"], "state_dict": ["b"]}, "key=... must say which of 'model', 'state_dict'"),
        ({"a": tensor, "more": ["b"]}, "must say which of 'more'"),
        ({"epoch": epoch}, "got one without any; its entries are 'epoch'"),
        ({"run": torch_files.table({"model": torch_files.table({"a": tensor})})}, "its entries are 'run'"),
        ({"a": tensor, "optimizer": optimizer}, "want tensors with texts as names, got a dict as 'optimizer'"),
    ):
        with pytest.raises(FormatError, match=message):
            read(checkpoint(**entries))
    nested = checkpoint(run=torch_files.table({"model": torch_files.table({"a": tensor})}))
    assert list(read(nested, key="run")) == ["a"]
    with pytest.raises(FormatError, match="want a dict as the entry 'x'; the entries are 'model'"):
        read(checkpoint(model=["a"]), key="x")
    with pytest.raises(FormatError, match="without any; its entries are 'epoch'"):
        read(checkpoint(model=torch_files.table({"epoch": epoch})), key="model")
    with pytest.raises(FormatError, match="in this format there are arrays alone"):
        read(safetensors(STATE), key="model")


def test_parameters_attributes_and_what_python_2_wrote(read, torch_files):
    t = torch_files
    ordered = t.name("collections", "OrderedDict")
    tensor = t.tensor(t.storage("Float", "0", 2), 0, [2], [1])
    parameter = t.name("torch._utils", "_rebuild_parameter") + t.several(tensor, b"\x88", ordered + b")R") + b"R"
    with_metadata = ordered + b")R(" + t.text("a") + parameter + b"u" + t.table({"_metadata": b"}"}) + b"b"
    want = {"a": np.array([1, 2], np.float32)}
    same(read(t.zipped(with_metadata, {"0": want["a"].tobytes()})), want)
    pairs = ordered + b"(](](U\1a" + tensor + b"eet" + b"R"  # OrderedDict([["a", tensor]]), "a" as bytes
    same(read(t.zipped(pairs, {"0": want["a"].tobytes()})), want)


def test_a_network_takes_what_was_read(read):
    net = nn.Sequential(nn.Conv2d(1, 2, 3, rng=0), nn.BatchNorm2d(2))
    state = net.state_dict() | {"1.num_batches_tracked": np.array(5)}
    other = nn.Sequential(nn.Conv2d(1, 2, 3, rng=1), nn.BatchNorm2d(2))
    other.load_state_dict(read(safetensors(state)))
    same(other.state_dict(), state)


def test_options_and_paths(read, tmp_path):
    with pytest.raises(ValueError, match="read_state: key: want a text, got 3"):
        read(safetensors(STATE), key=3)
    with pytest.raises(ValueError, match="read_state: max_bytes: want an int"):
        read(safetensors(STATE), max_bytes=-1)
    for path in (tmp_path, tmp_path / "missing.pth"):
        with pytest.raises(OSError, match=path.name):
            read_state(path)
    assert read_state(str(tmp_path / "weights")).keys() == STATE.keys()
