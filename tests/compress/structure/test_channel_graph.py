"""lightnn/compress/structure/channel_graph.py: what depends on what, what is held, and why."""

import numpy as np
import pytest

from lightnn import Tensor, compress, models, nn
from lightnn import functional as F
from lightnn.compress.structure.channel_graph import join, root


class Net(nn.Module):
    """conv a, f, conv b: what f lets pass."""

    def __init__(self, f, c=6):
        self.a, self.b, self.f = nn.Conv2d(2, 6, 3, padding=1, rng=0), nn.Conv2d(c, 3, 1, rng=0), f

    def forward(self, x):
        return self.b(self.f(self.a(x)))


def found(f, c=6):
    return compress.channels(Net(f, c), (1, 2, 8, 8))


def test_root_finds_the_representative_and_shortens_the_way():
    parent = [0, 0, 1, 2, 3, 5]
    assert [root(parent, i) for i in range(6)] == [0, 0, 0, 0, 0, 5]
    deep = list(range(-1, 99))
    deep[0] = 0
    assert root(deep, 99) == 0
    assert deep[99] < 98


def test_root_of_a_representative_is_itself_and_changes_nothing():
    parent = [0, 1, 1]
    assert root(parent, 1) == 1 and parent == [0, 1, 1]


def test_join_makes_one_set_of_each_pair():
    parent = list(range(6))
    join(parent, [0, 1], [4, 5])
    assert [root(parent, i) for i in range(6)] == [0, 1, 2, 3, 0, 1]


def test_join_takes_whole_sets_along():
    """4 is with 0 already: so 1 and 0 are together too."""
    parent = [0, 1, 2, 3, 0]
    join(parent, [1], [4])
    assert [root(parent, i) for i in range(5)] == [0, 0, 2, 3, 0]


def test_join_is_the_same_in_any_order(rng):
    a, b = rng.integers(0, 30, (2, 25)).tolist()
    results = []
    for first, second in ((a, b), (b, a), (a[::-1], b[::-1])):
        parent = list(range(30))
        join(parent, first, second)
        results.append([root(parent, i) for i in range(30)])
    assert results[0] == results[1] == results[2]
    assert all(results[0][i] == results[0][j] <= min(i, j) for i, j in zip(a, b))


def test_join_wants_two_lists_of_one_length():
    with pytest.raises(ValueError, match="shorter"):
        join([0, 1, 2], [0, 1], [2])


PASSES = {
    "relu": F.relu,
    "tanh": F.tanh,
    "hardtanh": lambda x: F.hardtanh(x, min_val=-1, max_val=2),
    "dropout": lambda x: F.dropout(x, training=False),
    "max-pool": lambda x: F.max_pool2d(x, kernel_size=3, padding=1),
    "mean": lambda x: x.mean((2, 3), keepdims=True),
    "scaled": lambda x: 3 * x / 2,
    "crop": lambda x: x[:, :, 1:, ::2],
    "frame": lambda x: F.pad(x, padding=(1, 1, 2, 0)),
    "squared": lambda x: x * x,
    "silu": F.silu,
    "gate": lambda x: x * F.sigmoid(x.mean((2, 3), keepdims=True)),
    "gate first": lambda x: F.hardsigmoid(x) * x,
    "resized": lambda x: F.resize_bilinear(x, size=3),
    "reshape": lambda x: x.reshape(1, 6, 4, 16),
}


@pytest.mark.parametrize("name", PASSES)
def test_what_keeps_zero_lets_channels_pass(name):
    channels = found(PASSES[name])
    assert [channels.reason("a", row) for row in range(6)] == [None] * 6
    assert {(use.name, use.axis) for use in channels.uses} == {
        ("a.weight", 0), ("a.weight", 1), ("a.bias", 0), ("b.weight", 0), ("b.weight", 1), ("b.bias", 0)}  # fmt: skip


HOLDS = {
    "sigmoid": (F.sigmoid, "sigmoid in the network needs all channels"),
    "product of two gates": (lambda x: F.sigmoid(x) * F.sigmoid(-x), "sigmoid in the network needs all channels"),
    "half a gate": (lambda x: F.sigmoid(x) * 0.5, "sigmoid in the network needs all channels"),
    "gate that is added": (lambda x: x + F.sigmoid(x), "sigmoid in the network needs all channels"),
    "hardtanh": (lambda x: F.hardtanh(x, min_val=0.5, max_val=2), "hardtanh in the network"),
    "added number": (lambda x: x + 1, "add in the network"),
    "added array": (lambda x: x + Tensor(np.ones((1, 6, 1, 1), np.float32)), "add in the network"),
    "new channels": (lambda x: F.pad(x, padding=(0, 0, 0, 0, 0, 2))[:, :6], "pad in the network"),
    "frame of ones": (lambda x: F.pad(x, padding=(1, 1), value=1.0), "pad in the network"),
    "half of them": (lambda x: F.concat([x[:, :3], x[:, 3:]], dim=1), "getitem in the network"),
    "transposed": (lambda x: x.transpose(0, 1, 3, 2), "transpose in the network"),
    "softmax": (lambda x: F.softmax(x, dim=1), "softmax in the network"),
    "own weights": (
        lambda x: F.conv2d(x, Tensor(np.ones((6, 6, 1, 1), np.float32))),
        "a layer reads it with weights that are not its module's own",
    ),
}


@pytest.mark.parametrize("name", HOLDS)
def test_what_does_not_holds_them_and_says_so(name):
    f, message = HOLDS[name]
    channels = found(f)
    assert message in channels.reason("a", 2)
    model = Net(f)
    with pytest.raises(ValueError, match="row 2 of a can't be removed: "):
        compress.plan(model, channels, {"a": [2]})


def test_a_residual_block_ties_its_second_convolution_to_the_shortcut():
    channels = compress.channels(models.cifar_resnet(8, 4, True, rng=0), (1, 3, 8, 8))
    same = [channels.roots(channels.layers[f"layer2.0.{name}"]) for name in ("conv2", "downsample.0")]
    np.testing.assert_array_equal(*same)
    assert not set(channels.roots(channels.layers["layer2.0.conv1"])) & set(same[0])


def test_a_shortcut_of_zeros_holds_what_it_is_added_to():
    channels = compress.channels(models.cifar_resnet(8, 4, rng=0), (1, 3, 8, 8))
    assert channels.reason("layer1.0.conv1", 0) is None
    assert "pad in layer2.0" in channels.reason("layer1.0.conv2", 0)
    assert "pad in layer2.0" in channels.reason("layer2.0.conv2", 7)


def test_a_module_that_runs_twice_ties_what_it_reads():
    shared = nn.Conv2d(6, 6, 3, padding=1, rng=0)
    model = nn.Sequential(nn.Conv2d(2, 6, 1, rng=0), shared, nn.ReLU(), shared, nn.Conv2d(6, 2, 1, rng=0))
    channels = compress.channels(model, (1, 2, 5, 5))
    np.testing.assert_array_equal(channels.roots(channels.layers["0"]), channels.roots(channels.layers["1"]))
    cuts = compress.plan(model, channels, {"0": [0]})
    assert cuts.macs[0] == 25 * (12 + 2 * 324 + 12)


def test_it_is_printed_within_80_columns():
    text = str(compress.channels(models.cifar_resnet(8, 4, True, rng=0), (1, 3, 8, 8)))
    assert max(map(len, text.splitlines())) <= 80
    assert "layer2.0.downsample.0    8     8  cut with layer2.0.conv2" in text
    assert "layer2.0.conv1           8     8  cuts layer2.0.bn1, layer2.0.conv2" in text
    assert "fc                      10    10  stays: it is the network's output" in text


def test_it_is_a_table_in_jupyter_and_short_in_a_terminal():
    found = compress.channels(models.lenet5(rng=0), (1, 1, 28, 28))
    assert "<td" in found._repr_html_() and "cuts conv2" in found._repr_html_()
    assert repr(found) == "Channels(4 layers, 581 channels, 11 held)"


def test_tracing_leaves_modes_and_statistics_as_they_were():
    net = nn.Sequential(nn.Conv2d(1, 2, 1, rng=0), nn.BatchNorm2d(2))
    compress.channels(net, (2, 1, 3, 3))
    assert net.training and not net[1].running_mean.any()


def test_only_a_module_has_channels():
    with pytest.raises(TypeError, match="channels: want a Module, got str"):
        compress.channels("net", (1, 1))
