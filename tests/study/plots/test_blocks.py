"""lightnn/study/plots/blocks.py: the boxes of a block say what it is made of, and which of them reads what."""

import pytest

from lightnn import models
from lightnn.study.plots.blocks import boxes_of, draw_block


def test_a_residual_block_is_two_convolutions_and_a_sum_that_reads_the_input():
    boxes = boxes_of(models.resnet.BasicBlock(4, 4, 1, True, 0), (1, 4, 6, 6))
    assert boxes == [("3x3, 4\nBN, ReLU", (-1,), 1), ("3x3, 4\nBN", (0,), 2), ("+\nReLU", (1, -1), 3)]


def test_branches_stand_side_by_side_and_a_depthwise_convolution_and_strides_say_so():
    boxes = boxes_of(models.shufflenet2.ShuffleUnit(4, 8, 2, 0), (1, 4, 6, 6))
    labels = [box.label for box in boxes]
    assert "3x3 depthwise, 4, /2\nBN" in labels and labels[-2:] == ["concat", "shuffle"]
    assert sum(box.inputs == (-1,) for box in boxes) == 2
    dilated = boxes_of(models.segmentation.ASPP(4, 4, (2,), 0), (1, 4, 6, 6))
    assert any("rate 2" in box.label for box in dilated)


def test_it_is_drawn():
    pytest.importorskip("matplotlib").use("Agg")
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    draw_block(ax, models.dense.DenseBlock(4, 2, 2, 0), (1, 4, 6, 6), "dense")
    assert ax.get_title() == "dense" and [t.get_text() for t in ax.texts].count("concat") == 2
    plt.close(figure)
