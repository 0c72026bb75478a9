"""lightnn/metrics/tracing.py: counts against formulas, published counts, and PyTorch's shapes."""

import numpy as np
import pytest

import lightnn
from lightnn import compress, metrics, models, nn
from lightnn import functional as F


def only(model, shape):
    (row,) = metrics.trace(model, shape)
    return row


@pytest.mark.parametrize("groups", [1, 2, 8])
def test_a_convolution(groups):
    row = only(nn.Conv2d(8, 16, 3, stride=2, padding=1, groups=groups), (2, 8, 9, 7))
    weights = 16 * 8 // groups * 9
    assert (row.module, row.op, row.in_shape, row.out_shape) == ("", "conv2d", (2, 8, 9, 7), (2, 16, 5, 4))
    assert (row.parameters, row.macs) == (weights + 16, 2 * 5 * 4 * weights)
    assert row.activation_bytes == 4 * 2 * 16 * 5 * 4
    assert row.moved_bytes == row.activation_bytes + 4 * (2 * 8 * 9 * 7 + weights + 16)


def test_a_fully_connected_layer():
    row = only(nn.Linear(30, 7), (5, 30))
    assert (row.op, row.parameters, row.macs) == ("linear", 217, 5 * 210)


@pytest.mark.parametrize("layer", [nn.ReLU(), nn.Shift2d(), nn.ChannelShuffle(3), nn.MaxPool2d(2)], ids=repr)
def test_what_multiplies_nothing_costs_bytes_only(layer):
    row = only(layer, (1, 9, 4, 4))
    assert row.macs == row.parameters == 0 < row.activation_bytes <= row.moved_bytes


def test_lenet5_counts_are_the_papers():
    """Han 2015, table 3: weights 0.5K 25K 400K 5K, 2 FLOP a MAC 576K 3200K 800K 10K."""
    rows = {row.module: row for row in metrics.trace(models.lenet5(), (1, 1, 28, 28)) if row.macs}
    assert [2 * row.macs for row in rows.values()] == [576_000, 3_200_000, 800_000, 10_000]
    assert list(rows) == ["conv1", "conv2", "fc1", "fc2"]
    assert sum(row.parameters for row in rows.values()) == metrics.count_parameters(models.lenet5()) == 431_080


@pytest.mark.parametrize(
    ("make", "parameters", "macs"),
    [(models.mobilenet_v1, 4_231_976, 568_740_352), (models.mobilenet_v1_full, 29_294_088, 4_867_293_184)],
    ids=["separable", "full"],
)
def test_mobilenet_counts_are_the_papers(make, parameters, macs):
    """Howard 2017, table 4: 4.2 and 29.3 million parameters, 569 and 4866 million MACs (4,867 by our count)."""
    model = make(rng=0)
    assert metrics.count_parameters(model) == parameters
    assert metrics.count_macs(model, (1, 3, 32, 32)) == sum_of_macs(macs)


def sum_of_macs(at_224):
    """At 32 x 32 every feature map is (32/224)^2 of that at 224 x 224; the classifier's 1,024,000 stay."""
    return (at_224 - 1_024_000) * 32**2 // 224**2 + 1_024_000


def test_a_transformed_weight_counts_as_the_weight(rng):
    net = models.lenet_300_100(rng=0)
    before = metrics.trace(net, (1, 1, 28, 28))
    compress.prune(net.fc1.weight, quality=1.0)
    compress.share(net.fc1.weight, bits=3)
    after = {row.module: row for row in metrics.trace(net, (1, 1, 28, 28)) if row.op == "linear"}
    assert after["fc1"].parameters == 784 * 300 + 300
    assert sum(row.macs for row in after.values()) == before.macs == 266_200


def test_the_table_has_every_row_and_the_totals():
    trace = metrics.trace(models.lenet5(), (1, 1, 28, 28))
    lines = str(trace).splitlines()
    assert len(lines) == len(trace) + 2 and max(map(len, lines)) <= 100
    assert lines[1].split()[:3] == ["conv1", "conv2d", "1x20x24x24"] and "2,293,000" in lines[-1]
    assert ">2,293,000</td>" in trace._repr_html_()
    assert repr(trace) == "Trace(9 ops, 431,080 parameters, 2,293,000 MACs)"


def test_the_model_is_left_as_it_was():
    net = nn.Sequential(nn.BatchNorm2d(3), nn.Dropout(rng=0))
    net[1].eval()
    metrics.trace(net, (2, 3, 4, 4))
    assert net.training and net[0].training and not net[1].training
    np.testing.assert_array_equal(net[0].running_mean, np.zeros(3))


def test_nothing_is_watched_outside(rng):
    seen = []
    with lightnn.tensor.watching(lambda *call: seen.append(call[0].name)):
        F.relu(lightnn.Tensor([1.0]))
    F.relu(lightnn.Tensor([1.0]))
    assert seen == ["relu"]


@pytest.mark.parametrize("shape", [(), (0, 3), (1, 2.5), (-1,)])
def test_a_wrong_shape_is_named(shape):
    with pytest.raises(ValueError, match=r"trace: input_shape: want ints from 1 to .*, batch first, got"):
        metrics.trace(nn.ReLU(), shape)


def test_a_wrong_model_is_named():
    with pytest.raises(TypeError, match="trace: want a Module, got str"):
        metrics.trace("lenet5", (1,))
