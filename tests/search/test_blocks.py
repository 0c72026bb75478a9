"""lightnn/search/blocks.py: sets of channels, their sizes and MACs, against the networks that they stand for."""

import pytest

from lightnn import metrics, models
from lightnn.search import Blocks
from lightnn.search.blocks import multiples

SHAPE = (1, 1, 28, 28)


@pytest.mark.parametrize("family", ["mobilenet_v1", "resnet", "vgg"])
def test_macs_and_channels_of_widths_are_those_of_the_thinner_network(family):
    model = models.small(family, rng=0)
    blocks = Blocks(model, SHAPE)
    assert blocks.macs(blocks.widths) == metrics.count_macs(model, SHAPE)
    widths = {block: max(1, n * (k % 3 + 1) // 4) for k, (block, n) in enumerate(blocks.widths.items())}
    thin = blocks.thin(model, widths)
    assert blocks.macs(widths) == metrics.count_macs(thin, SHAPE)
    modules = dict(thin.named_modules())
    for path, (c_in, c_out) in blocks.channels(widths).items():
        weight = modules[path].weight
        assert weight.shape[0] == c_out and (blocks.layers[path].depthwise or weight.shape[1] == c_in)
    assert Blocks(thin, SHAPE).widths == widths


def test_lenet5_by_hand():
    """A pixel of 4 x 4 is a column of fc1 each, so fc1 loses 16 columns a channel of conv2."""
    blocks = Blocks(models.lenet5(rng=0), SHAPE)
    assert blocks.widths == {"conv1": 20, "conv2": 50, "fc1": 500}
    assert blocks.layers["fc1"].columns == (0, {"conv2": 16}) and blocks.layers["fc2"].rows == (10, {})
    few = {"conv1": 2, "conv2": 3, "fc1": 5}
    assert blocks.channels(few) == {"conv1": (1, 2), "conv2": (2, 3), "fc1": (48, 5), "fc2": (5, 10)}
    assert blocks.macs(few) == 2 * 25 * 24 * 24 + 2 * 3 * 25 * 8 * 8 + 48 * 5 + 5 * 10
    assert "fc1" in str(blocks) and repr(blocks) == "Blocks(conv1 20, conv2 50, fc1 500)"


def test_shortcuts_tie_layers_into_one_block():
    assert "features.1.conv2, features.2.conv2" in str(Blocks(models.small("resnet", rng=0), SHAPE))


def test_the_widths_that_are_tried():
    assert multiples(32, 8) == [24, 16, 8] and multiples(30, 8) == [24, 16, 8]
    assert multiples(8, 8) == [] and multiples(9, 8) == [8]
