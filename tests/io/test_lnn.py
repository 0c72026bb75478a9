"""lightnn/io/lnn.py: a network in a file, bit for bit."""

import os
import struct
import zlib

import numpy as np
import pytest

from lightnn import FormatError, Tensor, compress, inspect, load, nn, save
from lightnn import functional as F
from lightnn.compress import prune, quality_for, share
from lightnn.io import save_to_train, to_bytes
from lightnn.models import lenet5, lenet_300_100
from lightnn.optim import SGD


def layers():
    return nn.Sequential(
        nn.Conv2d(1, 4, (3, 5), stride=2, padding=(1, 0), rng=0),
        nn.Tanh(),
        nn.Sequential(nn.Conv2d(4, 6, 3, padding=2, dilation=2, groups=2, bias=False, rng=1), nn.ReLU()),
        nn.MaxPool2d(2, stride=1, padding=1),
        nn.AvgPool2d((2, 3)),
        nn.Identity(),
        nn.Flatten(),
        nn.Sigmoid(),
        nn.Dropout(0.25, rng=2),
        nn.Linear(6 * 7 * 4, 10, rng=3),
    )


MODELS = {
    "lenet_300_100": lambda: lenet_300_100(rng=0),
    "lenet_300_100 with options": lambda: lenet_300_100(num_classes=7, in_channels=2, dropout=0.3, rng=0),
    "lenet5": lambda: lenet5(rng=0),
    "Sequential": layers,
    "one layer": lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 10, bias=False, rng=0)),
    "no weights": lambda: nn.Sequential(nn.Flatten()),
}
STATES = {
    "plain": lambda weights: None,
    "pruned": lambda weights: [prune(p, 1.0) for p in weights],
    "shared": lambda weights: [share(p, 4) for p in weights],
    "pruned and shared": lambda weights: [(prune(p, 1.0), share(p, 4)) for p in weights],
    "alternately": lambda weights: [prune(p, 1.5) if i % 2 else share(p, 2) for i, p in enumerate(weights)],
    "all gone": lambda weights: [(prune(p, 99.0), share(p, 4)) for p in weights],
}


def a_model(name, state="plain"):
    model = MODELS[name]().eval()
    STATES[state]([p for name, p in model.named_parameters() if name.endswith("weight")])
    return model


def images(model):
    channels = 2 if "options" in model else 1
    return np.random.default_rng(0).random((5, channels, 28, 28), dtype=np.float32)


def bits_of(model):
    return [(name, p.dtype, p().data.tobytes()) for name, p in model.named_parameters()]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", MODELS)
def test_what_is_loaded_is_what_was_saved(tmp_path, name, state):
    model = a_model(name, state)
    save(model, tmp_path / "a.lnn")
    loaded = load(tmp_path / "a.lnn")
    assert repr(loaded) == repr(model) and bits_of(loaded) == bits_of(model)
    x = Tensor(images(name))
    np.testing.assert_array_equal(loaded(x).data, model(x).data, strict=True)
    assert to_bytes(loaded) == to_bytes(model)
    assert not any(m.training for m in loaded.modules())


@pytest.mark.parametrize("state", STATES)
def test_training_goes_on_from_the_file_as_if_nothing_had_happened(tmp_path, state):
    model = a_model("lenet_300_100", state)
    save(model, tmp_path / "a.lnn")
    x, y = Tensor(images("lenet_300_100")), np.arange(5)
    results = []
    for m in (model, load(tmp_path / "a.lnn")):
        optimizer = SGD(m.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3)
        for _ in range(3):
            optimizer.zero_grad()
            F.cross_entropy(m(x), y).backward()
            optimizer.step()
        results.append(to_bytes(m))
    assert results[0] == results[1]
    assert results[0] != (tmp_path / "a.lnn").read_bytes()


@pytest.mark.parametrize("state", STATES)
def test_a_file_to_go_on_training_keeps_the_latent_weights(tmp_path, state):
    model = a_model("lenet_300_100", state)
    for p in model.parameters():
        p.data = p.data + np.float32(0.25)  # also where a mask hides it
    save_to_train(model, tmp_path / "a.lnn")
    loaded = load(tmp_path / "a.lnn")
    assert bits_of(loaded) == bits_of(model) and to_bytes(loaded) == to_bytes(model)
    for name, array in model.state_dict().items():
        again = loaded.state_dict()[name]
        assert again.dtype == array.dtype and again.tobytes() == array.tobytes(), name
    assert inspect(tmp_path / "a.lnn").size_bytes == os.path.getsize(tmp_path / "a.lnn")


def test_a_damaged_training_state_is_named(tmp_path):
    layer = nn.Linear(3, 2, rng=0)
    prune(layer.weight, 0.5)
    save_to_train(layer, tmp_path / "a.lnn")
    body = bytearray((tmp_path / "a.lnn").read_bytes()[:-4])
    at = body.rindex(b"\2\2\3\3") + 1  # the shape of the latent weight
    for wrong, message in ((9, "training state: want an array of shape"), (255, "training state: want an array")):
        body[at] = wrong
        if wrong == 255:
            body[at - 1] = 0
        (tmp_path / "a.lnn").write_bytes(bytes(body) + struct.pack("<I", zlib.crc32(body)))
        with pytest.raises(FormatError, match=message):
            load(tmp_path / "a.lnn")


@pytest.mark.parametrize("alpha", [1e-39, 1e300, np.inf])
def test_a_training_state_that_could_not_be_stored_again_is_refused(tmp_path, alpha):
    layer = nn.Linear(3, 2, rng=0)
    compress.use_binary(layer.weight)
    save_to_train(layer, tmp_path / "a.lnn")
    body, one = (tmp_path / "a.lnn").read_bytes()[:-4], struct.pack("<d", 1.0)
    at = body.rindex(one)
    body = body[:at] + struct.pack("<d", alpha) + body[at + 8 :]
    (tmp_path / "a.lnn").write_bytes(body + struct.pack("<I", zlib.crc32(body)))
    with pytest.raises(FormatError, match="want finite numbers from 2\\^-126 on"):
        load(tmp_path / "a.lnn")


def test_an_unknown_kind_is_refused_by_its_name(tmp_path, monkeypatch):
    layer = nn.Linear(3, 2, rng=0)
    share(layer.weight, 1)
    save(layer, tmp_path / "a.lnn")
    monkeypatch.delitem(compress.VALUES, "codebook")
    with pytest.raises(FormatError, match="unknown kind of transform 'codebook'; known are float"):
        load(tmp_path / "a.lnn")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.thorough if n.startswith("lenet_300") else ()) for n in MODELS]
)
def test_the_parts_of_inspect_are_the_file(tmp_path, name, state):
    path = tmp_path / "a.lnn"
    model = a_model(name, state)
    size = save(model, path)
    report = inspect(path)
    assert size == os.path.getsize(path) == report.size_bytes == len(to_bytes(model))
    assert sum(report.bytes_by_part().values()) == size
    assert list(report.bytes_by_array)[1:] == [n for n, _ in MODELS[name]().named_parameters()]
    for parts in report.bytes_by_array.values():
        assert set(parts) <= set(report.parts) and min(parts.values()) >= 0
    lines = str(report).splitlines()
    assert lines[0] == f"{path}: {size:,} bytes" and len({len(line) for line in lines[1:]}) == 1
    assert lines[-1].split()[0] == "total" and lines[-1].split()[-1] == f"{size:,}"


def test_compression_is_seen_in_the_file(tmp_path):
    """8 % of the weights, 5 bits each and their indices: about a fiftieth of the dense file."""
    dense, small = a_model("lenet_300_100"), a_model("lenet_300_100")
    for p in (small.fc1.weight, small.fc2.weight, small.fc3.weight):
        prune(p, quality_for(p.data, 0.08))
        share(p, 5)
    sizes = [save(m, tmp_path / "a.lnn") for m in (dense, small)]
    assert 4 * 266_610 < sizes[0] < 4 * 266_610 + 500
    assert 40 < sizes[0] / sizes[1] < 60


def test_options_and_special_numbers_come_back(tmp_path):
    layer = nn.Linear(3, 2, rng=0)
    layer.weight.data = np.array([[np.nan, -0.0, np.inf], [-np.inf, 1e-310, 1.7e308]])  # float64, too
    model = nn.Sequential(nn.Dropout(0.125), layer)
    save(model, tmp_path / "a.lnn")
    loaded = load(str(tmp_path / "a.lnn"))
    assert loaded[0].p == 0.125 and bits_of(loaded) == bits_of(model)


def test_sizes_that_numpy_counted_can_be_saved(tmp_path):
    model = nn.Sequential(nn.Linear(np.int64(3), np.int32(2)), nn.Dropout(np.float32(0.5)))
    save(model, tmp_path / "a.lnn")
    assert bits_of(load(tmp_path / "a.lnn")) == bits_of(model)


def unknown_layer():
    class Mine(nn.Module):
        pass

    return nn.Sequential(nn.Linear(3, 2), Mine())


def replaced_layer():
    model = lenet_300_100(rng=0)
    model.fc3 = nn.Linear(100, 20)
    return model


def tied_layers():
    layer = nn.Linear(3, 3)
    return nn.Sequential(layer, nn.ReLU(), layer)


@pytest.mark.parametrize("make", [unknown_layer, replaced_layer, tied_layers])
def test_a_network_that_the_file_can_not_describe_is_refused_when_it_is_saved(tmp_path, make):
    """Not when it is loaded: then it would be too late."""
    (tmp_path / "a.lnn").write_bytes(b"old")
    with pytest.raises(TypeError):
        save(make(), tmp_path / "a.lnn")
    assert (tmp_path / "a.lnn").read_bytes() == b"old"


def test_an_unknown_module_is_named(tmp_path):
    with pytest.raises(TypeError, match=r"Mine is neither built by .* nor a layer of"):
        save(unknown_layer(), tmp_path / "a.lnn")


def test_a_save_that_fails_midway_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.lnn"
    save(a_model("one layer"), path)
    old = path.read_bytes()

    def fail(*paths):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match=r"cannot write .*a\.lnn: No space left on device"):
        save(a_model("lenet5"), path)
    assert path.read_bytes() == old and os.listdir(tmp_path) == ["a.lnn"]


@pytest.mark.parametrize("where", ["missing/a.lnn", "."])
def test_a_place_that_can_not_be_written_is_named(tmp_path, where):
    with pytest.raises(OSError, match="cannot write "):
        save(a_model("one layer"), tmp_path / where)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("read", [load, inspect])
def test_max_bytes_bounds_what_a_small_file_may_unfold_to(tmp_path, read):
    unfolded = 4 * 266_610
    size = save(a_model("lenet_300_100", "all gone"), tmp_path / "a.lnn")
    assert size < unfolded / 100
    read(tmp_path / "a.lnn", max_bytes=unfolded)
    for limit in (unfolded - 1, size, size - 1, 0):
        with pytest.raises(FormatError, match=r"(more|larger) than the"):
            read(tmp_path / "a.lnn", max_bytes=limit)


def test_the_frame_is_as_the_docstring_says():
    data = to_bytes(nn.Sequential(nn.ReLU()))
    text = b'{"type":"Sequential","items":[{"type":"ReLU","args":{}}]}'
    assert data[:4] == b"\x89LNN" and struct.unpack_from("<H", data, 4) == (2,)
    assert data[6:-4] == b"\0" + bytes([len(text)]) + text + b"\0\0"


def test_the_same_network_gives_the_same_bytes():
    assert to_bytes(a_model("lenet5", "pruned and shared")) == to_bytes(a_model("lenet5", "pruned and shared"))
