"""Sparse layers against dense ones and against PyTorch's CSR: `python -m lightnn bench sparse`.

Two questions, timed as in timing.py on equal threads, in float32, with random masks:

1. A sparse matrix times 1 and 64 columns: the ratio of PyTorch's time (CSR with int32 indices, the faster kind, times a
   dense matrix) to ours, at densities from 2 to 30 %. For a vector x, PyTorch's `CSR @ x` is another routine; one
   column is compared with it as well ("vector").
2. Break-even: up to which density is a sparse layer faster than a dense one? Linear layers and convolutions at two
   batch sizes, against dense NumPy (for convolutions im2col and a product), dense lightnn, dense PyTorch and PyTorch
   CSR (for convolutions on `unfold`).

Without PyTorch only NumPy and lightnn are opponents, and question 1 is asked of a dense NumPy product.
"""

import statistics
import warnings

import numba
import numpy as np

from lightnn.bench.convolution import by_im2col
from lightnn.bench.suite import Suite
from lightnn.bench.timing import find_torch, medians_ms, opponent_name
from lightnn.kernels.conv import dense
from lightnn.kernels.matrix import sparse
from lightnn.kernels.matrix.matmul import matmul
from lightnn.kernels.matrix.sparse_linear import linear
from lightnn.kernels.parallel import set_num_threads
from lightnn.runtime import to_csr

SEED = 0
LAYERS = {  # question 1: M, K
    "LeNet-300-100 fc1": (300, 784),
    "LeNet-5 fc1": (500, 800),
    "AlexNet fc8": (1000, 4096),
    "AlexNet fc6": (4096, 9216),
}
DENSITIES = (0.02, 0.05, 0.1, 0.2, 0.3)
COLUMNS = (1, 64)
CASES = {  # question 2: linear N, I, O; convolutions N, C, H, O, kernel, padding
    **{f"{name} b{n}": (n, k, m) for name, (m, k) in list(LAYERS.items())[:2] for n in (1, 64)},
    **{f"LeNet-5 conv2 b{n}": (n, 20, 12, 50, 5, 0) for n in (1, 16)},
    **{f"3x3 64@28 b{n}": (n, 64, 28, 64, 3, 1) for n in (1, 16)},
}
SWEEP = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)


def pruned(shape, density, rng):
    """w with zeros, its Rows, and its values, columns and pointers."""
    mask = rng.random(shape) < density
    w = np.where(mask, rng.standard_normal(shape, np.float32), np.float32(0))
    values, columns, pointers = to_csr(w.reshape(len(w), -1), mask.reshape(len(w), -1))
    return w, sparse.Rows(values, np.empty(0, np.float32), columns, pointers)


def torch_csr(torch, rows, k):
    parts = (torch.from_numpy(a) for a in (rows.pointers, rows.columns, rows.values))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta", UserWarning)
        return torch.sparse_csr_tensor(*parts, size=(len(rows.pointers) - 1, k), check_invariants=False)


def products(shape, density, n, torch, rng):
    """{"ours": call, "theirs": call, "vector": call or missing}: w @ b with n columns."""
    w, rows = pruned(shape, density, rng)
    b = rng.standard_normal((shape[1], n), np.float32)
    if not torch:
        return {"ours": lambda: sparse.matmul(rows, b), "theirs": lambda: w @ b}
    csr, tb = torch_csr(torch, rows, shape[1]), torch.from_numpy(b)
    calls = {"ours": lambda: sparse.matmul(rows, b), "theirs": lambda: csr @ tb}
    return calls | ({"vector": lambda: csr @ tb[:, 0]} if n == 1 else {})


def linear_layer(case, density, torch, rng):
    """{who: call giving y (N, O)}."""
    n, k, m = case
    w, rows = pruned((m, k), density, rng)
    x = rng.standard_normal((n, k), np.float32)
    calls = {
        "sparse": lambda: linear(rows, x),
        "NumPy": lambda: x @ w.T,
        "lightnn": lambda: matmul(x, w.T) if n > m else np.ascontiguousarray(matmul(w, x.T).T),
    }
    if torch:
        tx, tw, csr = torch.from_numpy(x), torch.from_numpy(w), torch_csr(torch, rows, k)
        calls["PyTorch"] = lambda: torch.nn.functional.linear(tx, tw)
        calls["CSR"] = (lambda: (csr @ tx[0])[None]) if n == 1 else lambda: (csr @ tx.T).T
    return calls


def convolution_layer(case, density, torch, rng):
    """{who: call giving y (N, O, Ho, Wo), perhaps with other axes}."""
    n, c, h, o, k, p = case
    out = h + 2 * p - k + 1
    w, rows = pruned((o, c, k, k), density, rng)
    x = rng.standard_normal((n, c, h, h), np.float32)
    options = (1, 1), (p, p, p, p), (1, 1)
    plain, *_ = by_im2col(x, w, np.empty((n, o, out, out), np.float32), (n, c, h, o, k, 1, p, 1, 1))
    calls = {
        "sparse": lambda: sparse.conv2d(rows, x, None, (k, k), *options),
        "NumPy": plain,
        "lightnn": lambda: dense.forward(x, w, None, *options),
    }
    if torch:
        tx, tw, csr = torch.from_numpy(x), torch.from_numpy(w), torch_csr(torch, rows, c * k * k)
        F = torch.nn.functional

        def on_unfolded():
            columns = F.unfold(tx, k, padding=p).transpose(0, 1).reshape(c * k * k, -1)
            return (csr @ columns).reshape(o, n, -1).transpose(0, 1).contiguous()

        calls |= {"PyTorch": lambda: F.conv2d(tx, tw, None, 1, p), "CSR": on_unfolded}
    return calls


def layer(case, density, torch, rng):
    return (linear_layer if len(case) == 3 else convolution_layer)(case, density, torch, rng)


def break_even(densities, ours, theirs):
    """The density at which our time first reaches theirs, interpolated linearly between two measured densities: the
    last density if our time is always smaller, 0 if it is never smaller."""
    lead = [b - a for a, b in zip(ours, theirs, strict=True)]
    lost = next((i for i, ahead in enumerate(lead) if ahead <= 0), None)
    if lost is None:
        return densities[-1]
    if lost == 0:
        return 0.0
    fraction = lead[lost - 1] / (lead[lost - 1] - lead[lost])
    return densities[lost - 1] + fraction * (densities[lost] - densities[lost - 1])


def compare_csr(layers, densities, torch, say):
    """{layer: {columns: {density: {"ours ms", "theirs ms", "ratio", "vector ratio"}}}}"""
    rng, result = np.random.default_rng(SEED), {}
    say(f"\nratio = time of {'PyTorch CSR @ dense' if torch else 'a dense NumPy product'} / time of sparse lightnn")
    head = "".join(f"{d:>8.0%}" for d in densities)
    say(f"{'layer':<18} {'M x K':>10} {'columns':>8}{head}   least")
    for name, shape in layers.items():
        result[name] = {}
        for n in COLUMNS:
            rows = result[name][str(n)] = {}
            for density in densities:
                calls = products(shape, density, n, torch, rng)
                ms = dict(zip(calls, medians_ms(calls.values()), strict=True))
                row = {"ours ms": ms["ours"], "theirs ms": ms["theirs"], "ratio": ms["theirs"] / ms["ours"]}
                rows[str(density)] = row | ({"vector ratio": ms["vector"] / ms["ours"]} if "vector" in ms else {})
            for kind in [k for k in ("ratio", "vector ratio") if k in row | rows[str(densities[0])]]:
                ratios = [row[kind] for row in rows.values()]
                size, label = f"{shape[0]}x{shape[1]}", str(n) if kind == "ratio" else "vector"
                say(f"{name:<18} {size:>10} {label:>8}{''.join(f'{r:8.2f}' for r in ratios)}{min(ratios):8.2f}")
    return result


def sweep(cases, densities, torch, say):
    """{case: {"densities", "ms": {who: [ms]}, "break-even": {opponent: density}}}. A dense time does not depend on the
    density: the median over all densities is used."""
    rng, result = np.random.default_rng(SEED), {}
    for name, case in cases.items():
        ms = {}
        for density in densities:
            calls = layer(case, density, torch, rng)
            for who, time_ms in zip(calls, medians_ms(calls.values()), strict=True):
                ms.setdefault(who, []).append(time_ms)
        for who in set(ms) - {"sparse", "CSR"}:
            ms[who] = [statistics.median(ms[who])] * len(densities)
        even = {who: break_even(densities, ms["sparse"], ms[who]) for who in ms if who != "sparse"}
        result[name] = {"densities": list(densities), "ms": ms, "break-even": even}
        say(f"\n{name:<21}" + "".join(f"{who:>11}" for who in ms))
        for i, density in enumerate(densities):
            say(f"{density:>18.0%} ms" + "".join(f"{times[i]:11.4f}" for times in ms.values()))
        say(f"{'break-even at':>21}{'':11}" + "".join(f"{density:>11.1%}" for density in even.values()))
    return result


def run(layers=LAYERS, cases=CASES, densities=DENSITIES, swept=SWEEP, say=print):
    """Ask both questions: {"opponent", "threads", "least ratio", "csr", "layers"}. Prints as it measures."""
    torch, threads = find_torch(), numba.get_num_threads()
    set_num_threads(threads)
    opponent = opponent_name(torch)
    say(f"against {opponent}, float32, {threads} threads")
    csr = compare_csr(layers, densities, torch, say)
    every = [(n, row) for by_columns in csr.values() for n, rows in by_columns.items() for row in rows.values()]
    least = {n: min(row["ratio"] for m, row in every if m == n) for n in map(str, COLUMNS)}
    say("least ratio: " + ", ".join(f"{ratio:.2f} with {n} columns" for n, ratio in least.items()))
    return {
        "opponent": opponent, "threads": threads, "least ratio": least, "csr": csr,
        "layers": sweep(cases, swept, torch, say),
    }  # fmt: skip


def plot(result: dict, path: str) -> None:
    """Draw times over density, a panel for each layer; the break-even is where the sparse line crosses another one."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    rows = -(-len(result["layers"]) // 2)
    fig, axes = plt.subplots(rows, 2, figsize=(7, 2.1 * rows), layout="constrained", squeeze=False)
    for ax, (name, row) in zip(axes.flat, result["layers"].items()):
        for who, style in zip(row["ms"], ("-", "--", "-.", ":", (0, (1, 3)))):
            ax.plot(row["densities"], row["ms"][who], ls=style, color="black" if who == "sparse" else "0.4", label=who)
        ax.set(title=name, xlabel="density", ylabel="ms", xscale="log", yscale="log")
        ax.legend(fontsize=6)
    fig.suptitle(f"{result['opponent']}, {result['threads']} threads", fontsize=9)
    fig.savefig(path, dpi=110)
    plt.close(fig)


SUITE = Suite(("sparse",), "sparse layers against dense ones and CSR", lambda families: run(), plot)
