"""Pictures of quantization: which code each number gets, and what a layer does with codes."""

from collections.abc import Sequence

import numpy as np

from lightnn.functional.quantize import affine_dequantize, affine_quantize
from lightnn.study.book.style import COLORS, HATCHES

WIDTHS = {8: (COLORS[2], HATCHES[0]), 32: ("#f0d9a8", HATCHES[1])}  # bits of what a box holds: face and hatch


def draw_codes(ax, x: Sequence[float], *, scale: float, zero_point: int, q_min: int, q_max: int) -> None:
    """Draw numbers x above a line, the levels S (q - Z) on it, and the codes below; an arrow from each x to its level.

    A number that is clipped has a dashed arrow."""
    codes = np.arange(q_min, q_max + 1)
    levels = affine_dequantize(codes, scale=scale, zero_point=zero_point)
    ends = levels[0] - scale / 2, levels[-1] + scale / 2
    q = affine_quantize(np.asarray(x, np.float64), scale=scale, zero_point=zero_point, q_min=q_min, q_max=q_max)
    ax.axhline(0, color="black", lw=1)
    ax.plot(levels, 0 * levels, "|", color="black", ms=14, mew=1.5)
    for level, code in zip(levels, codes):
        face = COLORS[1] if code == zero_point else "white"
        box = {"boxstyle": "round", "fc": face, "ec": "black", "lw": 1.8 if code == zero_point else 0.8}
        ax.text(level, -0.42, f"{level:g}", ha="center", va="center")
        ax.text(level, -0.95, f"{code}", ha="center", va="center", bbox=box)
    for value, code in zip(x, q):
        level = levels[int(code) - q_min]
        look = {"ls": "-" if ends[0] <= value <= ends[1] else "--"}
        ax.annotate("", (level, 0.12), (value, 0.85), arrowprops={"arrowstyle": "->", "color": COLORS[0], **look})
        ax.plot(value, 0.9, "o", color=COLORS[0])
        ax.text(value, 1.1, f"{value:g}", ha="center", va="bottom", color=COLORS[0])
    low, high = min(*x, ends[0]), max(*x, ends[1])
    for y, name in ((1.2, "numbers x"), (-0.42, "levels S (q - Z)"), (-0.95, "codes q")):
        ax.text(low - 0.4 * scale, y, name, ha="right", va="center")
    ax.set(xlim=(low - 3.2 * scale, high + scale / 2), ylim=(-1.3, 1.6))
    ax.axis("off")


def draw_chain(ax, boxes: Sequence[tuple[str, str, int]]) -> None:
    """Draw boxes in a row, with arrows between: (what it does, what it gives, bits of a number of that)."""
    for i, (does, gives, bits) in enumerate(boxes):
        face, hatch = WIDTHS[bits]
        ax.bar(i, 1, 0.74, bottom=0, facecolor="white", edgecolor=COLORS[0], lw=1.2)
        ax.bar(i, 0.32, 0.74, bottom=-0.32, facecolor=face, hatch=hatch, edgecolor=COLORS[0], lw=1.2)
        ax.text(i, 0.5, does, ha="center", va="center")
        note = {"fc": "white", "ec": "none", "pad": 1.5} if hatch else None
        ax.text(i, -0.17, gives, ha="center", va="center", bbox=note)
        if i:
            ax.annotate("", (i - 0.38, 0.5), (i - 0.62, 0.5), arrowprops={"arrowstyle": "->", "lw": 1.5})
    ax.set(xlim=(-0.42, len(boxes) - 0.58), ylim=(-0.36, 1.04))
    ax.axis("off")
