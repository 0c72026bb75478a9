"""Kernels of 8-bit integers, as ratios against PyTorch's, float32 and quantized: `python -m lightnn bench int8`.

Both sides hold what they hold in a network: activations are bytes with channels last, weights are packed beforehand
where the opponent can do that. Calls take turns, on equal threads (timing.py). The columns are the opponent's time over
ours:

    float32   conv2d or linear; without PyTorch NumPy's product, and our convolution
    _int_mm   torch._int_mm, whose results are 32-bit sums: against ours that stop there
    quantized torch.ops.quantized.conv2d or linear, of PyTorch's engines the fastest one on the shape
    ours      our float32 kernel, for depthwise convolutions
"""

import contextlib
import statistics
import warnings
from collections.abc import Callable

import numba
import numpy as np

from lightnn.bench.convolution import DENSE, DEPTHWISE, GROUPED
from lightnn.bench.suite import Suite
from lightnn.bench.timing import find_torch, medians_ms, opponent_name
from lightnn.kernels.conv import dense
from lightnn.kernels.conv import depthwise as float_depthwise
from lightnn.kernels.quantized import conv, depthwise, requantize

LINEAR = {  # name: M outputs, K inputs, N rows of activations
    f"linear {m}x{k} of {n}": (m, k, n)
    for m, k, n in ((512, 1152, 960), (64, 576, 3072), (256, 256, 12480), (8, 4096, 4080))
}
PARTS = {"linear": LINEAR, "dense": DENSE, "grouped": GROUPED, "depthwise": DEPTHWISE}
ENGINES = "x86", "onednn", "fbgemm"
S1, S2, Z = 1 / 64, 1 / 512, 128  # scales of activations and weights, the zero point of both sides of a layer


def operands(x_shape: tuple[int, ...], w_shape: tuple[int, ...], seed: int = 0):
    """x uint8, w int8, S3 and an Output; sums of such numbers spread over the bytes."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 256, x_shape).astype(np.uint8)
    w = rng.integers(-127, 128, w_shape).astype(np.int8)
    s3 = S1 * S2 * 74 * 73 * max(1, w[0].size) ** 0.5 / 50
    return x, w, s3, requantize.output(w, None, S1 * S2 / s3, Z, Z)


def linear(case, torch):
    """{opponent: call}; "lightnn" and "sums" are ours."""
    m, k, n = case
    x, w, s3, out = operands((n, k), (m, k))
    filters, fx, fw = conv.pack(w), x.astype(np.float32), w.astype(np.float32)
    calls = {"lightnn": lambda: conv.linear(x, filters, out), "sums": lambda: conv.linear_sums(x, filters, out.b)}
    if torch is None:
        return {**calls, "float32": lambda: fx @ fw.T}
    fx, fw = map(torch.from_numpy, (fx, fw))
    ix, iw = torch.from_numpy((x >> 1).astype(np.int8)), torch.from_numpy(w).t()
    calls |= {"float32": lambda: torch.nn.functional.linear(fx, fw), "_int_mm": lambda: torch._int_mm(ix, iw)}
    operators = torch.ops.quantized
    for engine, qx, qw in quantized(torch, x, w):
        packed = operators.linear_prepack(qw, None)
        calls[engine] = lambda qx=qx, packed=packed: operators.linear(qx, packed, s3, Z)
    return calls


def convolution(case, torch):
    """{opponent: call}; "lightnn" is ours, and for depthwise "ours" our float32 kernel."""
    n, c, h, o, k, s, p, d, g = case
    x, w, s3, out = operands((n, h, h, c), (o, c // g, k, k))
    fx, fw = np.ascontiguousarray(x.transpose(0, 3, 1, 2), np.float32), w.astype(np.float32)
    options, grid = ((s, s), (p,) * 4), ((s, s), (p,) * 4, (d, d))
    if g == c > 1:
        own = depthwise.pack(w, o // c, (d, d))
        calls = {"lightnn": lambda: depthwise.forward(x, own, out, *options)}
        calls["ours"] = lambda: float_depthwise.forward(fx, fw, None, *grid)
    else:
        filters = conv.pack(w, g, (d, d))
        calls = {"lightnn": lambda: conv.forward(x, filters, out, *options)}
    if torch is None:
        return {**calls, "float32": lambda: dense.forward(fx, fw, None, *grid, g)}
    tx, tw = map(torch.from_numpy, (fx, fw))
    calls["float32"] = lambda: torch.nn.functional.conv2d(tx, tw, None, s, p, d, g)
    operators = torch.ops.quantized
    for engine, qx, qw in quantized(torch, x.transpose(0, 3, 1, 2), w):
        packed = operators.conv2d_prepack(qw, None, [s, s], [p, p], [d, d], g)
        calls[engine] = lambda qx=qx, packed=packed: operators.conv2d(qx, packed, s3, Z)
    return calls


def quantized(torch, x, w):
    """For each engine (name, x, w) as PyTorch's quantized tensors, while it is the one that packs."""
    before = torch.backends.quantized.engine
    for engine in ENGINES:
        if engine in torch.backends.quantized.supported_engines:
            torch.backends.quantized.engine = engine
            with warnings.catch_warnings(), contextlib.ExitStack() as after:
                warnings.simplefilter("ignore")  # that quantized tensors will go
                after.callback(setattr, torch.backends.quantized, "engine", before)
                qx = torch._make_per_tensor_quantized_tensor(torch.from_numpy(x), S1, Z)
                qx = qx.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else qx
                scales, zeros = torch.full((len(w),), S2, dtype=torch.float64), torch.zeros(len(w), dtype=torch.long)
                qw = torch._make_per_channel_quantized_tensor(torch.from_numpy(w), scales, zeros, 0)
                yield engine, qx, qw


def measure(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """{"ours ms", and the ratio of each column}."""
    ms = dict(zip(calls, medians_ms(list(calls.values())), strict=True))
    row = {"ours ms": ms["lightnn"], "float32": ms["float32"] / ms["lightnn"]}
    if "_int_mm" in ms:
        row["_int_mm"] = ms["_int_mm"] / ms["sums"]
    engines = [ms[engine] for engine in ENGINES if engine in ms]
    if engines:
        row["quantized"] = min(engines) / ms["lightnn"]
    if "ours" in ms:
        row["ours"] = ms["ours"] / ms["lightnn"]
    return row


def run(
    families: tuple[str, ...] = ("int8",),
    parts: dict[str, dict] = PARTS,
    say: Callable[[str], None] = print,
) -> dict:
    """Measure every shape: {"opponent", "threads", "summary", "rows"}. Prints as it measures."""
    torch, threads, rows, summary = find_torch(), numba.get_num_threads(), {}, {}
    say(f"ratio = time of {opponent_name(torch)}\n        / time of lightnn's bytes, {threads} threads")
    for part, cases in parts.items():
        rows[part] = {}
        for name, case in cases.items():
            row = rows[part][name] = measure((linear if part == "linear" else convolution)(case, torch))
            if len(rows[part]) == 1:
                say(f"\n{part:<25} " + " ".join(f"{column:>9}" for column in row))
            say(
                f"{name:<25} "
                + " ".join(f"{value:9.3f}" if "ms" in key else f"{value:9.2f}" for key, value in row.items())
            )
        columns = [column for column in row if column != "ours ms"]
        values = {column: [r[column] for r in rows[part].values()] for column in columns}
        summary[part] = {
            c: {"geometric mean": statistics.geometric_mean(v), "least": min(v)} for c, v in values.items()
        }
        for what in ("geometric mean", "least"):
            say(f"{what:<35} " + " ".join(f"{summary[part][column][what]:9.2f}" for column in columns))
    return {"opponent": opponent_name(torch), "threads": threads, "summary": summary, "rows": rows}


SUITE = Suite(("int8",), "kernels of 8-bit integers", run)
