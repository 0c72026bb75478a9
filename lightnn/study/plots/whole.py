"""The one figure of the whole book: every compressed network, bytes and milliseconds against fidelity, by technique."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lightnn.study.book.compressed import Variant
from lightnn.study.book.style import COLORS
from lightnn.study.plots.labels import plain_ticks

LOOKS = {  # technique: (color, marker), two that share a color have filled and thin markers
    "floats": (COLORS[3], "o"),
    "pruned": (COLORS[0], "s"),
    "shared": (COLORS[1], "D"),
    "pruned, few values": (COLORS[5], "*"),
    "fewer filters": (COLORS[4], "^"),
    "integers": (COLORS[2], "v"),
    "few bits": (COLORS[2], "x"),
    "ternary": (COLORS[0], "+"),
    "binary": (COLORS[1], "1"),
}
OF_RECORD = {
    "twn": "ternary",
    "ttq": "ternary",
    "xnor": "binary",
    "dorefa": "few bits",
    "lsq": "few bits",
    "pact": "few bits",
    "jacob2018": "integers",
}
OF_ROW = {"half the filters": "fewer filters", "int8": "integers", "binary filters": "binary"}


class Measured(NamedTuple):
    """One network. kind: one of LOOKS. ms: None if it was not timed. fidelity: what the figure's y axis says."""

    kind: str
    size_bytes: int
    ms: float | None
    fidelity: float


def kind_of(words: str) -> str:
    """The technique of a row of results: which of pruning, sharing, quantizing and integers its name tells of."""
    pruned, shared, quantized = ("prune" in words, "share" in words, "quantize" in words)
    if pruned:
        return "pruned, few values" if shared or quantized else "pruned"
    if shared or quantized:
        return "shared" if shared else "few bits"
    return "integers" if "bits" in words else OF_ROW.get(words, "floats")


def lenets(found: Iterable[Variant], techniques: Mapping[str, Mapping]) -> list[Measured]:
    """Every LeNet-5 of `variants()`, without times, and those of `bench techniques`. fidelity: points of accuracy
    against the floats that were trained as long."""
    points = []
    for v in found:
        if "lenet5" in v.network or v.network == "LeNet-5":
            words = "prune share" if v.technique == "Deep Compression" else v.technique
            points.append(Measured(OF_RECORD.get(v.record) or kind_of(words), v.size_bytes, None, -v.lost))
    for name, row in techniques.items():
        control = techniques["trained on" if row["training peak bytes"] and name != "float32" else "float32"]
        lost = row["error %"] - control["error %"]
        points.append(Measured(kind_of(name), row["file bytes"], row["latency ms"], -lost))
    return points


def lite0s(rows: Mapping[str, Mapping], ms: Mapping[str, float]) -> list[Measured]:
    """EfficientNet-Lite0 in every row of `reproduce lite0`; ms: {row: latency}. fidelity: how often the class is the
    floats', in %."""
    return [Measured(kind_of(name), row["bytes"], ms.get(name), row["top-1 %"]) for name, row in rows.items()]


def draw_whole(axes, rows: Mapping[str, tuple[list[Measured], str]]) -> None:
    """Draw rows {title: (networks, what fidelity is)} into axes (len(rows), 2): bytes on the left, milliseconds on
    the right, those that were timed."""
    for pair, (title, (points, label)) in zip(axes, rows.items(), strict=True):
        for ax, cost, unit in zip(pair, ("size_bytes", "ms"), ("KB on disk", "ms, one image"), strict=True):
            for kind, (color, marker) in LOOKS.items():
                mine = [p for p in points if p.kind == kind and getattr(p, cost) is not None]
                x = [getattr(p, cost) / (1e3 if cost == "size_bytes" else 1) for p in mine]
                ax.scatter(x, [p.fidelity for p in mine], s=40, color=color, marker=marker, alpha=0.9)
            ax.set(xscale="log", xlabel=unit, ylabel=label)
            ax.margins(0.08, 0.08)
            plain_ticks(ax)
        pair[0].set_title(title, loc="left")
    used = {p.kind for points, _ in rows.values() for p in points}
    marks = {
        kind: axes[0][0].scatter([], [], s=40, color=c, marker=m) for kind, (c, m) in LOOKS.items() if kind in used
    }
    axes[0][0].figure.legend(marks.values(), marks.keys(), loc="outside lower center", ncols=5, fontsize=8)
