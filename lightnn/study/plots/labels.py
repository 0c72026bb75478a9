"""Names beside the points of a scatter plot, moved apart so that none covers another name or a point."""

import math
from collections.abc import Sequence

import numpy as np

DISTANCES, DIRECTIONS = range(5, 61, 4), 16  # pixels from a point to its name; the first ones are tried first
POINT = 4  # pixels that a point takes to each side
GAP = 2  # pixels that are left free around a name
NEARER = 25  # what it costs, in pixels of overlap, if another point is nearer to a name than its own
FAR = 12  # pixels from which on a thin line joins a name to its point


def place_labels(ax, x: Sequence[float], y: Sequence[float], names: Sequence[str], fontsize: float = 7) -> list:
    """Write each name beside its point (x, y), where there is room; a thin line joins those that stand apart.

    Call it when scales, limits and axis labels are set and all points are drawn. Every name is tried at growing
    distances all around its point, within the axes; the first place without an overlap is taken, or else the one with
    the least. Returns the annotations."""
    ax.figure.draw_without_rendering()  # so that the layout is final
    points = ax.transData.transform(np.column_stack([np.asarray(x, float), np.asarray(y, float)]))
    taken = [(px - POINT, py - POINT, px + POINT, py + POINT) for px, py in points]
    frame, found = ax.get_window_extent().extents, [None] * len(names)
    for i in _crowded_first(points):
        text = ax.annotate(names[i], (x[i], y[i]), (0, 0), textcoords="offset pixels", va="bottom", fontsize=fontsize)
        text.set_in_layout(False)
        size = text.get_window_extent(ax.figure.canvas.get_renderer())
        others = np.delete(points, i, axis=0)
        box = _best(points[i], others, (size.width, size.height), frame, taken)
        taken.append(box)
        text.set_position((box[0] - points[i][0], box[1] - points[i][1]))
        if (line := _line(points[i], others, box)) is not None:
            ax.plot(
                *ax.transData.inverted().transform(line).T, color="0.6", lw=0.5, zorder=0.5, scalex=False, scaley=False
            )
        found[i] = text
    return found


def _crowded_first(points):
    """Indices, those with the nearest neighbours first."""
    apart = np.hypot(*(points[:, None] - points).transpose(2, 0, 1))
    return np.argsort(np.sort(apart, axis=1)[:, :4].sum(1), kind="stable")


def _best(point, others, size, frame, taken):
    """The first box (left, bottom, right, top) that overlaps nothing, or the one that overlaps least."""
    best, least = None, math.inf
    for distance in DISTANCES:
        for box in _boxes(point, *size, distance):
            wide = (box[0] - GAP, box[1] - GAP, box[2] + GAP, box[3] + GAP)
            cost = sum(overlap(wide, other) for other in taken) + _outside(box, frame)
            cost += NEARER * _ambiguous(point, others, box)
            if cost < least - 1e-9:
                best, least = box, cost
        if least == 0:
            break
    return best


def _boxes(point, width, height, distance):
    """Boxes whose nearest edge is that far from the point, to the right first."""
    for k in range(DIRECTIONS):
        angle = 2 * math.pi * k / DIRECTIONS
        cx = point[0] + math.cos(angle) * (distance + width / 2)
        cy = point[1] + math.sin(angle) * (distance + height / 2)
        yield cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2


def overlap(a: Sequence[float], b: Sequence[float]) -> float:
    """The area that two boxes (left, bottom, right, top) have in common."""
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return max(wide, 0) * max(high, 0)


def _outside(box, frame):
    return (box[2] - box[0]) * (box[3] - box[1]) - overlap(box, frame)


def _apart(points, box):
    """How far points (..., 2) are from a box."""
    return np.hypot(*(np.clip(points, box[:2], box[2:]) - points).T)


def _ambiguous(point, others, box):
    """Whether another point is as near to the box as its own."""
    return len(others) > 0 and _apart(others, box).min() <= _apart(point, box) + 1


def _line(point, others, box):
    """From the point to the nearest place of its box, [(x, y), (x, y)]; None if it is clear whose name it is."""
    near = np.clip(point, box[:2], box[2:])
    return [point, near] if _apart(point, box) >= FAR or _ambiguous(point, others, box) else None


def plain_ticks(ax, axis: str = "x") -> None:
    """Plain numbers at 1, 2, 3 and 5 times the powers of ten, on a logarithmic axis."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    one = getattr(ax, f"{axis}axis")
    one.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
    one.set_major_formatter(StrMethodFormatter("{x:,g}"))
    one.set_minor_formatter(NullFormatter())
