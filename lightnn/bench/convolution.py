"""Convolutions, forward and both gradients, as a ratio against PyTorch CPU eager: `python -m lightnn bench`.

For each shape, both libraries run in short bursts that take turns, on equal threads. Between bursts the process rests,
because the threads of one library would otherwise still spin on the cores of the other. A figure is the median of all
calls; the ratio is the opponent's time over ours. Without PyTorch the opponent is plain NumPy: im2col and a matrix
product for convolutions, slicing for the shift.
"""

import statistics
from collections.abc import Callable

import numba
import numpy as np

from lightnn.bench.suite import Suite
from lightnn.bench.timing import find_torch, medians_ms, opponent_name
from lightnn.kernels.conv import dense, depthwise, shift
from lightnn.kernels.conv.planes import out_size

SIZES = [(1024, 7), (512, 14), (256, 28), (128, 56), (32, 112)]  # channels and height of depthwise planes and shifts
DENSE = {  # name: N, C, H, O, kernel, stride, padding, dilation, groups
    "LeNet-5 conv1 b64": (64, 1, 28, 20, 5, 1, 0, 1, 1),
    "LeNet-5 conv2 b64": (64, 20, 12, 50, 5, 1, 0, 1, 1),
    "ResNet 16@32 b32": (32, 16, 32, 16, 3, 1, 1, 1, 1),
    "ResNet 16-32@32 /2 b32": (32, 16, 32, 32, 3, 2, 1, 1, 1),
    "ResNet 32@16 b32": (32, 32, 16, 32, 3, 1, 1, 1, 1),
    "ResNet 64@8 b32": (32, 64, 8, 64, 3, 1, 1, 1, 1),
    "stem 7x7 /2 b1": (1, 3, 224, 64, 7, 2, 3, 1, 1),
    **{
        f"3x3 {c}@{h} b{n}": (n, c, h, c, 3, 1, 1, 1, 1)
        for n in (1, 16)
        for c, h in ((64, 56), (128, 28), (256, 14), (512, 7))
    },
    "3x3 128-256@28 /2 b16": (16, 128, 28, 256, 3, 2, 1, 1, 1),
    **{f"3x3 256@28 dilation {d} b1": (1, 256, 28, 256, 3, 1, d, d, 1) for d in (2, 4)},
    **{
        f"1x1 {c}-{o}@{h} b{n}": (n, c, h, o, 1, 1, 0, 1, 1)
        for n in (1, 16)
        for c, o, h in ((64, 256, 56), (512, 128, 28), (1024, 256, 14), (2048, 512, 7))
    },
}
GROUPED = {
    f"g{g} {k}x{k} {c}@{h} b{n}": (n, c, h, c, k, 1, k // 2, 1, g)
    for g in (2, 3, 4, 8, 32)
    for k in (1, 3)
    for c, h, n in ((240 if g == 3 else 256, 28, 1), (240 if g == 3 else 256, 14, 16))
}
DEPTHWISE = {
    f"dw {k}x{k} /{s} {c}@{h} b{n}": (n, c, h, c, k, s, k // 2, 1, c)
    for k in (3, 5)
    for s in (1, 2)
    for c, h in SIZES
    for n in (1, 16)
}
SHIFT = {f"shift {c}@{h} b{n}": (n, c, h) for n in (1, 16) for c, h in SIZES}
FAMILIES = {"dense": DENSE, "depthwise": DEPTHWISE, "grouped": GROUPED, "shift": SHIFT}


def arrays(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    """Normally distributed float32 arrays, the same at every call."""
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape, np.float32) for shape in shapes]


def convolution(case, torch):
    """[(ours, theirs)]: forward, gradient of x, gradient of w."""
    n, c, h, o, k, s, p, d, g = case
    out = out_size(h, k, s, p, p, d)
    x, w, dy = arrays((n, c, h, h), (o, c // g, k, k), (n, o, out, out))
    kernel, options = (depthwise, ()) if g == c > 1 else (dense, (g,))
    options = (s, s), (p,) * 4, (d, d), *options
    ours = (
        lambda: kernel.forward(x, w, None, *options),
        lambda: kernel.backward_input(dy, w, x.shape, *options),
        lambda: kernel.backward_weight(dy, x, w.shape, *options),
    )
    theirs = by_torch(torch, x, w, dy, case) if torch else by_im2col(x, w, dy, case)
    return list(zip(ours, theirs, strict=True))


def by_torch(torch, x, w, dy, case):
    *_, s, p, d, g = case
    x, w, dy = map(torch.from_numpy, (x, w, dy))
    options = (s, s), (p, p), (d, d), False, (0, 0), g

    def back(mask):
        return torch.ops.aten.convolution_backward(dy, x, w, None, *options, mask)

    return (
        lambda: torch.nn.functional.conv2d(x, w, None, s, p, d, g),
        lambda: back((True, False, False)),
        lambda: back((False, True, False)),
    )


def by_im2col(x, w, dy, case):
    n, c, h, o, k, s, p, d, g = case
    out = dy.shape[2]
    wg, dyg = w.reshape(g, o // g, -1), dy.reshape(n, g, o // g, -1)

    def windows(padded):
        view = np.lib.stride_tricks.sliding_window_view(padded, (d * (k - 1) + 1,) * 2, (2, 3))
        return view[:, :, ::s, ::s, ::d, ::d][:, :, :out, :out].transpose(0, 1, 4, 5, 2, 3)

    def columns():
        padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        return windows(padded).reshape(n, g, -1, out * out)

    def back_input():
        d_columns = (wg.swapaxes(1, 2) @ dyg).reshape(n, c, k, k, out, out)
        dx = np.zeros((n, c, h + 2 * p, h + 2 * p), x.dtype)
        for i, j in np.ndindex(k, k):
            dx[:, :, i * d : i * d + s * out : s, j * d : j * d + s * out : s] += d_columns[:, :, i, j]
        return dx[:, :, p : p + h, p : p + h]

    return lambda: wg @ columns(), back_input, lambda: (dyg @ columns().swapaxes(2, 3)).sum(0)


def shifting(case, torch):
    """([(ours, theirs)], copy): shift and shift back, and a plain memory copy of as many bytes."""
    n, c, h = case
    x, g = arrays((n, c, h, h), (n, c, h, h))
    dy, dx = shift.assignment(c)
    like, (tx, tg) = (torch.zeros_like, map(torch.from_numpy, (x, g))) if torch else (np.zeros_like, (x, g))

    def by_slices(t, sign):
        """Channels i, i + 9, ... have one offset: nine slices with a step, the best that slicing can do."""
        out, moved = like(t), c // 9 * 9
        for i in range(9):
            a, b = sign * int(dy[i]), sign * int(dx[i])
            to = slice(max(0, -a), h - max(0, a)), slice(max(0, -b), h - max(0, b))
            source = slice(max(0, a), h - max(0, -a)), slice(max(0, b), h - max(0, -b))
            out[:, i:moved:9, *to] = t[:, i:moved:9, *source]
        out[:, moved:] = t[:, moved:]
        return out

    spare = np.empty_like(x)

    def ours():
        return shift.forward(x, dy, dx), shift.backward(g, dy, dx)

    def theirs():
        return by_slices(tx, 1), by_slices(tg, -1)

    return [(ours, theirs)], lambda: (np.copyto(spare, x), np.copyto(spare, g))


def measure(family, case, torch):
    """{"ours ms", "theirs ms", "ratio", ...} of forward and both gradients together."""
    if family == "shift":
        pairs, copy = shifting(case, torch)
        ours, theirs, copied = medians_ms([*pairs[0], copy])
        return {"ours ms": ours, "theirs ms": theirs, "ratio": theirs / ours, "copy / ours": copied / ours}
    parts = [medians_ms(pair) for pair in convolution(case, torch)]
    ours, theirs = (sum(column) for column in zip(*parts, strict=True))
    by_part = {name: t / o for name, (o, t) in zip(("forward", "input", "weight"), parts, strict=True)}
    return {"ours ms": ours, "theirs ms": theirs, "ratio": theirs / ours, **by_part}


def run(families: tuple[str, ...] = tuple(FAMILIES), say: Callable[[str], None] = print) -> dict:
    """Measure every shape of the families: {"opponent", "threads", "summary", "rows"}. Prints as it measures."""
    torch = find_torch()
    opponent = opponent_name(torch)
    threads, rows, summary = numba.get_num_threads(), {}, {}
    say(f"ratio = time of {opponent}\n        / time of lightnn, float32, {threads} threads")
    for family in families:
        say(f"\n{family:<25} {'ours ms':>8} {'theirs':>8} {'ratio':>6}")
        rows[family] = {}
        for name, case in FAMILIES[family].items():
            row = rows[family][name] = measure(family, case, torch)
            note = " ".join(f"{k} {v:.2f}" for k, v in row.items() if " ms" not in k and k != "ratio")
            note = note.replace("forward", "fwd").replace("input", "dx").replace("weight", "dw")
            say(f"{name:<25} {row['ours ms']:8.3f} {row['theirs ms']:8.3f} {row['ratio']:6.2f}  {note}")
        ratios = [row["ratio"] for row in rows[family].values()]
        summary[family] = {"geometric mean": statistics.geometric_mean(ratios), "least": min(ratios)}
        say(f"{'geometric mean, least':<43} {summary[family]['geometric mean']:6.2f}  {min(ratios):.2f}")
    return {"opponent": opponent, "threads": threads, "summary": summary, "rows": rows}


def plot(result: dict, path: str) -> None:
    """Draw a bar for each shape, a panel for each family; 1 is as fast as the opponent."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    counts = [len(rows) for rows in result["rows"].values()]
    size = 7, 0.15 * sum(counts) + 0.9 * len(counts)
    fig, axes = plt.subplots(len(counts), 1, figsize=size, height_ratios=counts, layout="constrained")
    for ax, (family, rows) in zip(np.atleast_1d(axes), result["rows"].items(), strict=True):
        ax.barh(list(rows), [row["ratio"] for row in rows.values()], color="0.45", label="ratio")
        ax.axvline(1, color="black", ls="--", lw=1, label="as fast")
        ax.tick_params(axis="y", labelsize=5.5)
        ax.set(title=family, xlabel="time of the opponent / time of lightnn")
        ax.margins(y=0.5 / len(rows))
        ax.invert_yaxis()
        ax.legend(fontsize=7)
    fig.suptitle(f"against {result['opponent']}, {result['threads']} threads", fontsize=9)
    fig.savefig(path, dpi=110)
    plt.close(fig)


SUITE = Suite(tuple(FAMILIES), "convolutions, forward and gradients", run, plot, default=True)
