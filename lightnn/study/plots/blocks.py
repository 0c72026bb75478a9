"""A block of a network as boxes and arrows, drawn from the module itself: one run shows what reads what.

A box is a convolution with what follows it alone (batch norm, activation), or another op. Steps from top to bottom,
branches side by side; what skips steps, such as a shortcut, is a curved arrow.
"""

from collections.abc import Sequence
from typing import NamedTuple

from lightnn import nn
from lightnn.compress.structure.wiring import INPUT, wiring
from lightnn.nn import Module
from lightnn.study.book.style import COLORS

NAMES = {
    "add": "+", "_concat": "concat", "mul": "x", "batch_norm": "BN", "relu": "ReLU", "relu6": "ReLU6", "silu": "swish",
    "max_pool2d": "max-pool", "avg_pool2d": "mean-pool", "adaptive_avg_pool2d": "mean", "channel_shuffle": "shuffle",
    "shift2d": "shift", "getitem": "part", "resize_bilinear": "resize", "linear": "fc",
}  # fmt: skip
FOLLOW = ("batch_norm", "relu", "relu6", "silu", "hardswish", "hardsigmoid", "sigmoid")


class Box(NamedTuple):
    """label: its lines. inputs: the boxes that it reads, by number; -1 is the block's input. level: from the top."""

    label: str
    inputs: tuple[int, ...]
    level: int


def boxes_of(module: Module, input_shape: Sequence[int]) -> list[Box]:
    """The boxes of the module, in the order of a run on input_shape (N, C, H, W)."""
    found, modules = wiring("boxes_of", module, input_shape), dict(module.named_modules())
    place, boxes = {INPUT: INPUT}, []
    for number, step in enumerate(found.steps):
        inputs = tuple(dict.fromkeys(place[i] for i in step.inputs))
        before = step.inputs[0]
        alone = len(step.inputs) == 1 and before != INPUT and len(found.readers[before]) == 1
        if step.op.name in FOLLOW and alone:
            place[number] = place[before]
            box = boxes[place[before]]
            joint = ", " if "\n" in box.label else "\n"
            boxes[place[before]] = box._replace(label=f"{box.label}{joint}{NAMES.get(step.op.name, step.op.name)}")
            continue
        level = 1 + max((boxes[i].level if i >= 0 else 0) for i in inputs)
        place[number] = len(boxes)
        boxes.append(Box(_label(step, modules.get(step.module)), inputs, level))
    return boxes


def _label(step, module):
    if not isinstance(module, nn.Conv2d):
        return NAMES.get(step.op.name, step.op.name)
    kernel, stride, dilation = module.kernel_size, module.stride, module.dilation
    kernel, stride, dilation = (v if isinstance(v, tuple) else (v, v) for v in (kernel, stride, dilation))
    text = f"{kernel[0]}x{kernel[1]}"
    if module.groups > 1:
        depthwise = module.groups == module.in_channels and kernel != (1, 1)
        text += " depthwise" if depthwise else f", {module.groups} groups"
    text += f", {module.out_channels}"
    text += f", /{stride[0]}" if max(stride) > 1 else ""
    return text + (f", rate {dilation[0]}" if max(dilation) > 1 else "")


def draw_block(ax, module: Module, input_shape: Sequence[int], title: str = "") -> None:
    """Draw the module's boxes on ax."""
    boxes = boxes_of(module, input_shape)
    places = _places(boxes)
    style = {"boxstyle": "round,pad=0.25", "fc": "white", "ec": COLORS[0], "lw": 1.2}
    for i, box in enumerate(boxes):
        joins = box.label.split("\n")[0] in ("+", "concat", "x")
        face = {"fc": "#f0d9a8"} if joins else {}
        ax.text(*places[i], box.label, ha="center", va="center", fontsize=8, bbox={**style, **face}, zorder=3)
    ax.text(*places[INPUT], "x", ha="center", va="center", fontsize=9, bbox={**style, "boxstyle": "circle"}, zorder=3)
    for i, box in enumerate(boxes):
        for j in box.inputs:
            skips = box.level - (boxes[j].level if j >= 0 else 0) > 1 and _between(places, places[j], places[i])
            bend = 0.45 if skips else 0
            look = {"arrowstyle": "->", "color": COLORS[0], "lw": 1.2, "shrinkA": 11, "shrinkB": 11}
            look["connectionstyle"] = f"arc3,rad={bend}"
            ax.annotate("", places[i], places[j], arrowprops=look, zorder=2)
    x = [place[0] for place in places.values()]
    y = [place[1] for place in places.values()]
    ax.set(xlim=(min(x) - 0.75, max(x) + 0.75), ylim=(min(y) - 0.5, max(y) + 0.5))
    ax.set_title(title, fontsize=9)
    ax.axis("off")


def _places(boxes):
    """{box: (x, y)}: a row a level, its boxes in the order of what they read."""
    places, rows = {INPUT: (0.0, 0.0)}, {}
    for i, box in enumerate(boxes):
        rows.setdefault(box.level, []).append(i)
    for level in sorted(rows):
        row = sorted(rows[level], key=lambda i: (sum(places[j][0] for j in boxes[i].inputs) / len(boxes[i].inputs), i))
        widths = [0.35 + 0.095 * max(map(len, boxes[i].label.split("\n"))) for i in row]
        for k, i in enumerate(row):
            own = sum(places[j][0] for j in boxes[i].inputs) / len(boxes[i].inputs)
            left = sum(widths[:k]) + widths[k] / 2 - sum(widths) / 2
            places[i] = (left if len(row) > 1 else own, -float(level))
    return places


def _between(places, a, b):
    """Whether a box lies on the straight line between two places."""
    for place in places.values():
        if b[1] < place[1] < a[1]:
            x = a[0] + (b[0] - a[0]) * (place[1] - a[1]) / (b[1] - a[1])
            if abs(x - place[0]) < 0.6:
                return True
    return False
