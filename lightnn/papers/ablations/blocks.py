"""The networks of the ablations: for each question two or more that differ in one thing, in one frame.

The frame reads 28 x 28 images at half their size: a 3x3 stem, stages of two blocks on 14, 7 and 4 pixels, global
average pooling, a fully connected layer.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from lightnn import nn
from lightnn.models.blocks import conv_norm
from lightnn.models.dense import DenseBlock, Transition
from lightnn.models.inception_v1 import BasicConv2d, Inception
from lightnn.models.resnet import BasicBlock, Bottleneck
from lightnn.models.shift import ShiftBlock
from lightnn.models.shufflenet import ShuffleUnit

Make = Callable[..., nn.Module]  # make(rng=) gives a network


class Question(NamedTuple):
    """variants: {name: a function of rng that makes the network}. equal: what the variants have in common."""

    asks: str
    equal: str
    variants: dict[str, Make]


def frame(stem: int, body: Callable, *, rng) -> nn.Module:
    """body(c, rng) gives (layers, channels of the last one)."""
    layers, c = body(stem, rng)
    last = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, 10, rng=rng)
    return nn.Sequential(nn.AvgPool2d(2), conv_norm(1, stem, 3, rng=rng), *layers, *last)


def two_a_stage(block, widths, c, rng):
    """block(c_in, c_out, stride, rng), twice for each width."""
    layers = []
    for stage, width in enumerate(widths):
        layers += [block(c, width, 2 if stage else 1, rng), block(width, width, 1, rng)]
        c = width
    return layers, c


def framed(stem: int, block: Callable, widths) -> Make:
    return partial(frame, stem, partial(two_a_stage, block, widths))


def basic(c_in, c_out, stride, rng):
    return BasicBlock(c_in, c_out, stride, True, rng)


def bottleneck(c_in, c_out, stride, rng):
    return Bottleneck(c_in, c_out // 4, stride, 1, rng)


def dense(growth, layers, c, rng):
    blocks = []
    for stage in range(3):
        blocks += [Transition(c, rng)] * (stage > 0)
        c = c // 2 if stage else c
        blocks.append(DenseBlock(c, layers, growth, rng))
        c += layers * growth
    return [*blocks, nn.BatchNorm2d(c), nn.ReLU()], c


def pooled(layers, stride):
    """The layers, after a max-pooling where the map is to shrink."""
    return nn.Sequential(nn.MaxPool2d(3, 2, 1), *layers) if stride > 1 else nn.Sequential(*layers)


def inception(c_in, c_out, stride, rng):
    widths = c_out // 4, c_out // 4, c_out // 2, c_out // 16, c_out // 8, c_out // 8
    return pooled([Inception(c_in, widths, rng)], stride)


def one_by_one(c_in, c_out, stride, rng):
    return pooled([BasicConv2d(c_in, c_out, 1, rng=rng)], stride)


def three_by_three(c_in, c_out, stride, rng):
    first = BasicConv2d(c_in, c_out // 4, 1, rng=rng)
    return pooled([first, BasicConv2d(c_out // 4, c_out, 3, 1, 1, rng=rng)], stride)


def pooling(c_in, c_out, stride, rng):
    return pooled([nn.MaxPool2d(3, 1, 1), BasicConv2d(c_in, c_out, 1, rng=rng)], stride)


def shuffled(shuffle, c_in, c_out, stride, rng):
    """ShuffleNet V1's unit in 4 groups; without shuffle, what begins in a group stays in it."""
    unit = ShuffleUnit(c_in, c_out, 2 if c_in != c_out else 1, 4, 4, rng)
    unit.shuffle = unit.shuffle if shuffle else nn.Identity()
    return unit


def moved(by, c_in, c_out, stride, rng):
    """ShiftResNet's block, with its shift, or a depthwise 3x3 or nothing in its place."""
    block = ShiftBlock(c_in, c_out, stride, 3, rng)
    mid = 3 * c_out
    if by != "shift":
        depthwise = by == "depthwise"
        block.shift = nn.Conv2d(mid, mid, 3, 1, 1, groups=mid, bias=False, rng=rng) if depthwise else nn.Identity()
    return block


WIDE, DOUBLE = (16, 32, 64), (32, 64, 128)
QUESTIONS = {
    "bottleneck": Question(
        "a bottleneck, or two 3x3?",
        "MACs",
        {"two 3x3": framed(16, basic, WIDE), "bottleneck": framed(16, bottleneck, (56, 112, 224))},
    ),
    "dense": Question(
        "put maps beside each other, or add them?",
        "parameters",
        {"residual": framed(16, basic, (12, 24, 48)), "dense": partial(frame, 16, partial(dense, 12, 4))},
    ),
    "inception": Question(
        "four filters side by side, or one of them?",
        "channels",
        {
            "all side by side": framed(16, inception, DOUBLE),
            "1x1 alone": framed(16, one_by_one, DOUBLE),
            "3x3 alone": framed(16, three_by_three, DOUBLE),
            "pooling alone": framed(16, pooling, DOUBLE),
        },
    ),
    "shuffle": Question(
        "do groups need the shuffle?",
        "MACs",
        {
            "shuffled": framed(16, partial(shuffled, True), (64, 128, 256)),
            "not shuffled": framed(16, partial(shuffled, False), (64, 128, 256)),
        },
    ),
    "shift": Question(
        "can a shift replace a depthwise 3x3?",
        "1x1 convolutions",
        {name: framed(16, partial(moved, name), WIDE) for name in ("depthwise", "shift", "nothing")},
    ),
}
