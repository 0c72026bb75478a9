"""A description that asks for a huge network costs next to nothing: shapes first, arrays after.

Time is counted in Python calls, a clock that other programs do not slow down; memory as tracemalloc sees it, which
counts NumPy's arrays. Both are measured for the whole of `load`. The aim is a second and 64 MB over the file's size.
"""

import inspect
import json
import struct
import tracemalloc
import zlib

import pytest

import lightnn
from lightnn import FormatError, load, nn
from lightnn.io.cursor import Writer
from lightnn.io.lnn import MAGIC, TO_RUN, VERSION
from lightnn.models import ARCHITECTURES, LAYERS, build, describe, parse, to_text
from lightnn.models.description import MAX_ARRAYS, MAX_DEPTH, MAX_TEXT
from lightnn.nn import sketch

MOST_BYTES = 16e6
MOST_CALLS = 60_000  # about 30 ms; a network of 110 layers takes 10,000
OF_LIGHTNN = {name: make for name, make in ARCHITECTURES.items() if make.__module__.startswith("lightnn.")}
HOSTILE = [
    0, -1, 1000, 4_194_002, 4_194_004, 2**63, 10**400, -(10**30), 0.5, 1e5, -1e308, 1e308, 4_194_004.0, float("inf"),
    float("nan"), True, None, "8", "x" * 1000, [10**9, 10**9], [2**21, 2**21], [1] * 8, [0] * 10_000, [[[3]]], {"a": 1},
]  # fmt: skip


def a_file(description, count=0, rest=b""):
    """A .lnn file of this description (bytes, or what JSON can hold) that says it has `count` arrays."""
    out = Writer()
    out.raw(MAGIC + struct.pack("<HB", VERSION, TO_RUN))
    out.sized(description if isinstance(description, bytes) else json.dumps(description).encode())
    out.number(0)  # no kinds of transforms
    out.number(count)
    out.raw(rest)
    return bytes(out.data) + struct.pack("<I", zlib.crc32(out.data))


@pytest.fixture
def refused(tmp_path, calls_of):
    """refused(data): whether load gives FormatError for the file; it may not cost more than is allowed."""
    path = tmp_path / "hostile.lnn"

    def refused(data):
        path.write_bytes(data)
        error = []

        def read():
            try:
                load(path)
            except FormatError as caught:
                error.append(caught)

        tracemalloc.start()
        calls = calls_of(read)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert calls < MOST_CALLS + len(data) and peak < MOST_BYTES + 4 * len(data), (calls, peak, data[:200])
        return bool(error)

    return refused


@pytest.mark.parametrize("text", ['{"type":"mobilenet_v1","args":{"width_mult":4194004}}',
                                  '{"type":"cifar_resnet","args":{"depth":4194002}}'])  # fmt: skip
@pytest.mark.parametrize("count", [0, 1, 60, 2**48])
def test_the_two_descriptions_that_took_minutes(refused, text, count):
    assert refused(a_file(text.encode(), count))


def required(make):
    """Values for the arguments that have no default."""
    sizes = {"kernel_size": 3, "output_size": 1, "groups": 2, "p": 0.5}
    return {p.name: sizes.get(p.name, 4) for p in inspect.signature(make).parameters.values() if p.default is p.empty}


# Of the networks every fourth; `--thorough` takes them all.
SOME = [pytest.param(kind, marks=[pytest.mark.thorough] if i % 4 else []) for i, kind in enumerate(OF_LIGHTNN)]


@pytest.mark.parametrize("kind", [*SOME, *(name for name in LAYERS if name != "Sequential")])
def test_no_value_of_any_argument_of_anything_that_is_registered_costs_much(refused, thorough, kind):
    """Without --thorough each argument gets a quarter of the values."""
    make = ARCHITECTURES.get(kind) or LAYERS[kind]
    for i, name in enumerate(inspect.signature(make).parameters):
        for value in HOSTILE if thorough else HOSTILE[i % 4 :: 4]:
            refused(a_file({"type": kind, "args": required(make) | {name: value}}, 40, bytes(160)))


@pytest.mark.parametrize("kind", OF_LIGHTNN)
def test_nor_do_all_of_them_at_once(refused, thorough, kind):
    names = [name for name in inspect.signature(OF_LIGHTNN[kind]).parameters if name != "rng"]
    for value in (14, 1_048_574, 500_000.0) if thorough else (1_048_574,):
        refused(a_file({"type": kind, "args": dict.fromkeys(names, value)}))
        for times in (2, 300):
            refused(a_file({"type": "Sequential", "items": [{"type": kind, "args": {names[-1]: value}}] * times}))


def test_a_network_has_no_more_arrays_than_its_file(monkeypatch):
    """What bounds the work: how many arrays there may be while it is built."""
    made = []
    whole = sketch.array_of
    monkeypatch.setattr(sketch, "array_of", lambda *args: made.append(args) or whole(*args))
    for arrays, most in ((0, 100), (3, 112), (None, MAX_ARRAYS), (10**9, MAX_ARRAYS)):
        made.clear()
        with pytest.raises(ValueError, match=f"the network has more than {most} arrays"):
            build({"type": "cifar_resnet", "args": {"depth": 100_004}}, arrays)
        assert len(made) == most + 1


RELU, NORM = {"type": "ReLU", "args": {}}, {"type": "BatchNorm2d", "args": {"num_features": 400}}
SHAPED = {"type": "lenet5", "args": {}}
TEXTS = {
    "a million layers": b'{"type":"Sequential","items":[' + b",".join([b'{"type":"ReLU","args":{}}'] * 10**6) + b"]}",
    "as many layers as there may be": json.dumps({"type": "Sequential", "items": [RELU] * 6500}).encode(),
    "as many arrays as there may be": json.dumps({"type": "Sequential", "items": [NORM] * 3000}).encode(),
    "10,000 Sequentials deep": b'{"type":"Sequential","items":[' * 10_000 + b"]}" * 10_000,
    "5,000 Sequentials deep": b'{"type":"Sequential","items":[' * 5000 + b"]}" * 5000,
    "400 Sequentials deep": b'{"type":"Sequential","items":[' * 400 + b"]}" * 400,
    "101 Sequentials deep": b'{"type":"Sequential","items":[' * 104 + b"]}" * 104,
    "10,000 lists deep": b'{"type":"lenet5","args":{"in_channels":' + b"[" * 10_000 + b"]" * 10_000 + b"}}",
    "10,000 dicts deep": b'{"type":"lenet5","args":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"}",
    "brackets": b"[" * 200_000,
    "empty lists": b"[" + b"[]," * 80_000 + b"1]",
    "empty dicts": b"[" + b"{}," * 80_000 + b"1]",
    "numbers": b"[" + b"1234567," * 30_000 + b"1]",
    "floats": b'{"type":"lenet5","args":{"dropout":[' + b"0.1," * 60_000 + b"1]}}",
    "more digits than Python reads": b'{"type":"lenet5","args":{"in_channels":' + b"9" * 5000 + b"}}",
    "many digits": b'{"type":"lenet5","args":{"in_channels":' + b"9" * 4000 + b"}}",
    "an exponent": b'{"type":"lenet5","args":{"in_channels":1e400}}',
    "many names": json.dumps({"type": "lenet5", "args": {f"a{i}": i for i in range(15_000)}}).encode(),
    "a long name": json.dumps({"type": "x" * 250_000, "args": {}}).encode(),
    "a long name of an argument": json.dumps({"type": "lenet5", "args": {"x" * 250_000: 1}}).encode(),
    "many shapes": json.dumps(SHAPED | {"shapes": {f"a{i}": [1] for i in range(15_000)}}).encode(),
    "huge shapes": json.dumps(SHAPED | {"shapes": {"fc1.weight": [2**21, 2**20]}}).encode(),
    "shapes that are none": json.dumps(SHAPED | {"shapes": [1, 2]}).encode(),
    "a shape of many numbers": json.dumps(SHAPED | {"shapes": {"fc1.weight": [1] * 100_000}}).encode(),
    "huge offsets": b'{"type":"filternet_shift","args":{},"shapes":{"blocks.0.1.offsets":[2,4000000]}}',
    "many modules": json.dumps(SHAPED | {"modules": {f"a{i}": RELU for i in range(6000)}}).encode(),
    "a module in its place many times": json.dumps(
        {"type": "Sequential", "items": [RELU] * 100, "modules": {f"{i % 100}": NORM for i in range(100)} | {"x": RELU}}
    ).encode(),
    "a module at the root": json.dumps(SHAPED | {"modules": {"": RELU}}).encode(),
    "a module for a weight": json.dumps(SHAPED | {"modules": {"fc1.weight": RELU}}).encode(),
    "a module for an attribute": json.dumps(SHAPED | {"modules": {"training": RELU}}).encode(),
    "a module for a method": json.dumps(SHAPED | {"modules": {"forward": RELU}}).encode(),
    "modules in a list": json.dumps(SHAPED | {"modules": [RELU]}).encode(),
    "a module that is none": json.dumps(SHAPED | {"modules": {"fc1": 3}}).encode(),
    "a module of an unknown type": json.dumps(
        SHAPED | {"modules": {"fc1": {"type": "os.system", "args": {}}}}
    ).encode(),
    "a huge module": b'{"type":"lenet5","args":{},"modules":{"fc1":{"type":"cifar_resnet","args":{"depth":4194002}}}}',
    "a module with many arrays": json.dumps(
        SHAPED | {"modules": {"fc1": {"type": "Sequential", "items": [NORM] * 3000}}}
    ).encode(),
    "a path of many names": json.dumps(SHAPED | {"modules": {"a" + ".a" * 100_000: RELU}}).encode(),
    "modules within modules": json.dumps(
        {
            "type": "Sequential",
            "items": [RELU],
            "modules": {"0" + ".0" * i: {"type": "Sequential", "items": [RELU]} for i in range(1000)},
        }
    ).encode(),
    "the shape of a module that is gone": json.dumps(
        SHAPED | {"modules": {"fc1": RELU}, "shapes": {"fc1.weight": [1, 1]}}
    ).encode(),
    "rates of nothing": json.dumps(SHAPED | {"dropout": {f"a{i}": 0.5 for i in range(10_000)}}).encode(),
    "a rate of 1": json.dumps(SHAPED | {"dropout": {"dropout": 1}}).encode(),
    "a rate that is none": json.dumps(SHAPED | {"dropout": {"dropout": [0.5]}}).encode(),
    "a rate for a layer": json.dumps(SHAPED | {"dropout": {"fc1": 0.5}}).encode(),
    "rates in a list": json.dumps(SHAPED | {"dropout": [0.5]}).encode(),
    "a rate of NaN": b'{"type":"lenet5","args":{},"dropout":{"dropout":NaN}}',
}


@pytest.mark.parametrize("which", TEXTS)
def test_a_description_of_any_form_costs_little(tmp_path, which):
    data, most = a_file(TEXTS[which]), 64e6 + len(TEXTS[which])
    (tmp_path / "a.lnn").write_bytes(data)

    tracemalloc.start()
    try:
        if which == "as many layers as there may be":
            assert len(load(tmp_path / "a.lnn")) == 6500
        else:
            with pytest.raises(FormatError) as caught:
                load(tmp_path / "a.lnn")
            assert str(caught.value).isprintable() and len(str(caught.value)) < 1000
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


def test_what_is_too_long_or_too_deep_for_load_is_not_saved(tmp_path):
    deep = nn.ReLU()
    for _ in range(MAX_DEPTH):
        deep = nn.Sequential(deep)
    lightnn.save(deep, tmp_path / "a.lnn")
    assert describe(load(tmp_path / "a.lnn")) == describe(deep)
    for _ in range(10):
        deep = nn.Sequential(deep)
    for model in (deep, nn.Sequential(*[nn.Hardtanh() for _ in range(8000)])):
        with pytest.raises(TypeError, match=r"nested deeper than 100|of this network has 464031 bytes"):
            lightnn.save(model, tmp_path / "b.lnn")
    assert not (tmp_path / "b.lnn").exists()
    with pytest.raises(ValueError, match=f"want a description of at most {MAX_TEXT} bytes"):
        parse(b" " * (MAX_TEXT + 1))
    assert parse(to_text({"type": "ReLU", "args": {}})) == {"type": "ReLU", "args": {}}


def test_a_sketch_ends_with_its_context():
    with pytest.raises(ValueError, match="more than 1 arrays"), sketch.shapes_only(1):
        nn.Linear(2, 3)
    weight = nn.Linear(2, 3, rng=0).weight.data
    assert weight.flags.writeable and weight.any() and nn.BatchNorm2d(3).weight.data.flags.writeable
