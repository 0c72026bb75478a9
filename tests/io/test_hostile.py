"""A damaged, foreign or malicious .lnn file gives FormatError and nothing else: no crash, hang or huge allocation."""

import contextlib
import json
import struct
import sys
import time
import tracemalloc
import zlib

import pytest

from lightnn import FormatError, inspect, load, nn
from lightnn.compress import prune, share
from lightnn.io import to_bytes
from lightnn.io.cursor import Writer
from lightnn.io.lnn import MAGIC, TO_TRAIN, _to_bytes
from lightnn.models import lenet_300_100

MOST_EXTRA_BYTES = 200e6
LONGEST_LOOP_SECONDS = 120  # far more than needed: it is there to end a loop that would not end


def compressed(model):
    for p in [p for name, p in model.named_parameters() if name.endswith("weight")]:
        prune(p, 1.6)
        share(p, 4)
    return to_bytes(model)


LENET = compressed(lenet_300_100(rng=0))
SMALL = compressed(nn.Sequential(nn.Conv2d(1, 4, 3, rng=0), nn.Flatten(), nn.Linear(20, 15, rng=1)))
TINY = compressed(nn.Linear(3, 2, rng=0))


def to_train():
    model = nn.Sequential(nn.Conv2d(1, 4, 3, rng=0), nn.Flatten(), nn.Linear(20, 15, rng=1))
    compressed(model)
    return _to_bytes(model, TO_TRAIN)


TRAINING = to_train()


def sealed(body):
    """The bytes with a checksum that fits."""
    return bytes(body) + struct.pack("<I", zlib.crc32(body))


def a_file(description, *arrays, name=b"weight"):
    """A file of this architecture (bytes, or what JSON can hold), with arrays given as bytes after their name."""
    out = Writer()
    out.raw(MAGIC + b"\2\0\0")
    out.sized(description if isinstance(description, bytes) else json.dumps(description).encode())
    out.number(3)
    for kind in (b"float", b"codebook", b"mask"):
        out.sized(kind)
    out.number(len(arrays))
    for array in arrays:
        out.sized(name)
        out.raw(array)
    return sealed(out.data)


@contextlib.contextmanager
def limited_address_space(extra=2**31):
    """A test that fails must not take the machine with it: here, a huge allocation is a MemoryError."""
    if sys.platform != "linux":
        yield
        return
    import resource

    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    old = resource.getrlimit(resource.RLIMIT_AS)
    hard = old[1] if old[1] != resource.RLIM_INFINITY else now + extra
    resource.setrlimit(resource.RLIMIT_AS, (min(now + extra, hard), old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, old)


@pytest.fixture
def attempt(tmp_path):
    """attempt(data, read=load): the FormatError of reading a file of these bytes, or None if it could be read; any
    other exception and a large allocation fail the test."""
    path = tmp_path / "hostile.lnn"
    tracemalloc.start()

    def attempt(data, read=load):
        path.write_bytes(data)
        tracemalloc.reset_peak()
        before, error = tracemalloc.get_traced_memory()[0], None
        try:
            read(path)
        except FormatError as caught:
            error = caught
            assert not isinstance(error.__context__, MemoryError), "it tried to allocate more than there is"
            assert str(error).startswith(str(path)) and str(error).isprintable() and len(str(error)) < 1000
        assert tracemalloc.get_traced_memory()[1] - before < MOST_EXTRA_BYTES
        return error

    with limited_address_space():
        yield attempt
    tracemalloc.stop()


def test_the_files_themselves_can_be_read(attempt):
    for data in (LENET, SMALL, TINY, a_file({"type": "ReLU", "args": {}})):
        assert attempt(data) is None and attempt(data, inspect) is None


def test_every_bit_counts(attempt):
    for at in range(len(TINY)):
        for bit in range(8):
            data = bytearray(TINY)
            data[at] ^= 1 << bit
            assert attempt(data), f"bit {bit} of byte {at}"


def test_a_damaged_or_truncated_network_is_refused(attempt, rng):
    for at, mask in zip(rng.integers(0, len(LENET), 1000), rng.integers(1, 256, 1000)):
        data = bytearray(LENET)
        data[at] ^= mask
        assert attempt(data), f"byte {at} ^ {mask}"
    for length in [*range(20), *rng.integers(0, len(LENET), 200)]:
        assert attempt(LENET[:length]), f"{length} bytes"


def flip(body, at, rng):
    body[at] ^= int(rng.integers(1, 256))


def delete(body, at, rng):
    del body[at : at + int(rng.integers(1, 10))]


def insert(body, at, rng):
    body[at:at] = rng.bytes(int(rng.integers(1, 10)))


def duplicate(body, at, rng):
    body[at:at] = body[at : at + int(rng.integers(1, 200))]


def enlarge(body, at, rng):
    """Put a large varint in the place of a byte."""
    out = Writer()
    out.number(int(2 ** rng.uniform(7, 55)))
    body[at : at + 1] = out.data


MUTATIONS = [flip, delete, insert, duplicate, enlarge]


@pytest.mark.parametrize("mutate", MUTATIONS)
@pytest.mark.parametrize(
    ("data", "times"),
    [(SMALL, 300), (TRAINING, 96), pytest.param(LENET, 4, marks=pytest.mark.thorough)],
    ids=["small", "to train", "lenet"],
)
def test_a_mutation_with_a_checksum_that_fits_loads_or_is_refused(attempt, rng, thorough, mutate, data, times):
    deadline, refused = time.monotonic() + LONGEST_LOOP_SECONDS, 0
    for i in range(times if thorough else times // 4):
        body = bytearray(data[:-4])
        at = int(rng.integers(4, len(body) if i % 2 else 400))  # half of them where most of the lengths are
        mutate(body, at, rng)
        for read in (load, inspect):
            refused += attempt(sealed(body), read) is not None
            assert time.monotonic() < deadline, f"mutation {i} at byte {at}"
    assert refused > 0


def linear(**args):
    return {"type": "Linear", "args": {"in_features": 3, "out_features": 2} | args}


def sequential(*items):
    return {"type": "Sequential", "items": list(items)}


ARCHITECTURES = {
    "not JSON": b"{",
    "no text": b"",
    "not UTF-8": b'{"type":"\xff"}',
    "a number": 3,
    "null": None,
    "a list": [],
    "no type": {},
    "unknown type": {"type": "os.system", "args": {}},
    "a type that is no layer": {"type": "Module", "args": {}},
    "a type that is no text": {"type": ["Linear"], "args": {}},
    "no arguments": {"type": "Linear"},
    "arguments in a list": {"type": "Linear", "args": [3, 2]},
    "missing argument": {"type": "Linear", "args": {"in_features": 3}},
    "unknown argument": linear(evil=1),
    "a generator": linear(rng=0),
    "negative size": linear(in_features=-3),
    "zero size": linear(in_features=0),
    "fraction": linear(in_features=3.5),
    "text for a size": linear(in_features="3"),
    "null for a size": linear(in_features=None),
    "NaN": b'{"type":"Dropout","args":{"p":NaN}}',
    "infinity": b'{"type":"Linear","args":{"in_features":Infinity,"out_features":1}}',
    "large exponent": b'{"type":"Linear","args":{"in_features":1e999,"out_features":1}}',
    "huge size": linear(in_features=10**12),
    "larger than any float": linear(in_features=10**400),
    "more digits than Python reads": b'{"type":"Linear","args":{"in_features":' + b"9" * 5000 + b"}}",
    "huge sizes together": {"type": "Conv2d", "args": dict.fromkeys(["in_channels", "out_channels"], 2**20)},
    "huge kernel": {"type": "Conv2d", "args": {"in_channels": 1, "out_channels": 1, "kernel_size": [2**21, 2**20]}},
    "three kernel sizes": {"type": "Conv2d", "args": {"in_channels": 1, "out_channels": 1, "kernel_size": [1, 1, 1]}},
    "channels that groups do not divide": {
        "type": "Conv2d",
        "args": {"in_channels": 3, "out_channels": 2, "kernel_size": 1, "groups": 2},
    },
    "text times 784": {"type": "lenet_300_100", "args": {"in_channels": "a" * 1_000_000}},
    "list times 784": {"type": "lenet_300_100", "args": {"in_channels": [0] * 300_000}},
    "long text": linear(in_features="a" * 1_000_000),
    "items that are no list": {"type": "Sequential", "items": 3},
    "no items": {"type": "Sequential"},
    "an item that is no layer": sequential(3),
    "nested a thousand deep": b'{"type":"Sequential","items":[' * 1000 + b"]}" * 1000,
    "nested 300 deep": b'{"type":"Sequential","items":[' * 300 + b"3" + b"]}" * 300,
    "brackets": b"[" * 1_000_000,
    "no arrays for its weights": linear(),
}


@pytest.mark.parametrize("which", ARCHITECTURES)
def test_an_impossible_architecture_is_refused(attempt, which):
    assert attempt(a_file(ARCHITECTURES[which]))


@pytest.mark.parametrize("value", ["x", [1], {}, None, True, -1, 2**60, 0.5])
@pytest.mark.parametrize("model", [nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), nn.Flatten(), lenet_300_100()])
def test_an_argument_of_any_type_loads_or_is_refused(attempt, model, value):
    body = to_bytes(model)
    length = body[7] & 127 | (body[8] << 7 if body[7] > 127 else 0)
    start = 8 if body[7] < 128 else 9
    description = json.loads(body[start : start + length])
    for argument in description["args"]:
        changed = description | {"args": description["args"] | {argument: value}}
        out = Writer()
        out.raw(body[:7])
        out.sized(json.dumps(changed).encode())
        attempt(sealed(out.data + body[start + length : -4]))


def test_twice_the_layers_take_twice_the_time(tmp_path, calls_of):
    counts = []
    for n in (400, 800):
        (tmp_path / "a.lnn").write_bytes(a_file(sequential(*[{"type": "ReLU", "args": {}}] * n)))
        counts.append(calls_of(lambda: load(tmp_path / "a.lnn")))
    assert counts[1] < 2.5 * counts[0]


MILLION = b"\xc0\x84\x3d"
ARRAYS = {
    # float32, (1000, 1000000): 4 GB from a few bytes
    "a mask of nothing": b"\0\2\xe8\x07" + MILLION + b"\0\3" + b"\0\1\0\0\3\0" + b"\3",
    "one value for all": b"\0\2\xe8\x07" + MILLION + b"\1\0" + b"\1\1\3\0\0\0\0" + b"\1\0\0\1\0",
    "a mask of nothing, shared": (
        b"\0\2\xe8\x07" + MILLION + b"\1\3" + b"\0\1\0\0\3\0" + b"\1\1\3\0\0\0\0" + b"\1\0\0\1\0"
    ),
    "no elements, impossible shape": b"\0\3\0" + 2 * b"\xff\xff\xff\xff\xff\xff\x3f" + b"\0\0",
    "eight dimensions": b"\0\x08" + 8 * b"\xff\xff\xff\xff\xff\xff\x3f" + b"\0\0",
    "integers for a weight": b"\2\2\2\3\0\0\5" + bytes(48),
    "integers with a mask": b"\2\2\2\3\0\3" + b"\0\1\0\0\3\0",
    "another shape": b"\0\2\3\2\0\0\3" + bytes(24),
    "more bytes than there are": b"\0\2\2\3\0\0\3",
    "more bytes than were asked for": b"\0\2\2\3\0\0\3" + bytes(25),
    "a huge codebook of one symbol": b"\0\2\2\3\1\0" + b"\1\xff\xff\xff\x7f\1\0\0\1\0",
}


@pytest.mark.parametrize("read", [load, inspect])
@pytest.mark.parametrize("which", ARRAYS)
def test_an_array_that_the_architecture_does_not_want_is_refused_before_it_is_unfolded(attempt, which, read):
    assert attempt(a_file(linear(bias=False), ARRAYS[which]), read)


@pytest.mark.parametrize("read", [load, inspect])
def test_a_network_that_is_larger_than_its_file_can_be_is_refused(attempt, read):
    """4 GB of weights are described, and all are pruned or share one value."""
    huge = linear(in_features=1_000_000, out_features=1000, bias=False)
    for array in list(ARRAYS.values())[:3]:
        assert attempt(a_file(huge, array), read)


GOOD = b"\0\2\2\3\0\0\3" + bytes(24)


@pytest.mark.parametrize("name", [b"bias", b"file", b"", b"a\nb", b"\x1b[2J", b"\xff", "무게".encode()])
def test_an_array_of_another_name_is_refused(attempt, name):
    assert "want the array weight here, got " in str(attempt(a_file(linear(bias=False), GOOD, name=name)))


def test_an_array_too_many_or_too_few_is_refused(attempt):
    for arrays in ([], [GOOD, GOOD]):
        assert f"want the 1 arrays weight, got {len(arrays)}" in str(attempt(a_file(linear(bias=False), *arrays)))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a .lnn file"),
        (b"\x89LN", "not a .lnn file"),
        (MAGIC, "truncated after 4 bytes"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not a .lnn file: want it to begin with b'\\x89LNN', got b'\\x89PNG'"),
        (b"PK\3\4" + bytes(100), "not a .lnn file"),
        (b'{"type": "Linear"}', "not a .lnn file"),
        (sealed(MAGIC + b"\1\0" + TINY[6:-4]), "the file is of version 1; this lightnn reads version 2"),
        (MAGIC + b"\0\1" + TINY[6:], "the file is of version 256"),
        (TINY + b"\0", "the checksum does not fit"),
        (TINY[:-1], "the checksum does not fit"),
        (sealed(TINY[:-4] + b"\0"), "1 bytes are left over"),
    ],
    ids=range(11),
)
def test_a_foreign_newer_or_incomplete_file_is_named(attempt, data, message):
    for read in (load, inspect):
        assert message in str(attempt(data, read))


def test_what_is_no_file_is_an_os_error(tmp_path):
    for path in (tmp_path, tmp_path / "missing.lnn"):
        with pytest.raises(OSError, match=path.name):
            load(path)


def test_nothing_in_a_file_is_executed(attempt, monkeypatch):
    """Names are looked up in two tables, so this reaches neither eval nor an attribute of lightnn.nn."""
    monkeypatch.setattr(nn.Module, "__init__", lambda self: pytest.fail("built"), raising=False)
    for name in ("Module", "ModuleList", "init", "__class__", "nn.Linear", "lightnn.models.lenet5", "exit()"):
        assert "unknown layer or architecture" in str(attempt(a_file({"type": name, "args": {}})))
