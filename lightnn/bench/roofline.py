"""The roofline of this machine, one core, and where kernels lie under it: `python -m lightnn bench roofline`.

    attainable FLOP/s = min(peak, bandwidth * FLOP/byte)            lightnn/metrics/roofline.py

Peaks and bandwidths are measured (peaks.py), not read from a data sheet. A kernel's bytes are those that must move
once: input, weights, output at their widths. Its roof is that of the fastest memory that holds them all. All times are
CPU times, the least of many short runs. Beside it, on one core: one convolution as loops of Python up to bits, and one
product by its size, in blocks and without.
"""

from collections.abc import Callable

import numba
import numpy as np

from lightnn.bench import int8, peaks
from lightnn.bench.suite import Suite
from lightnn.kernels import ladder
from lightnn.kernels.binary import conv as binary_conv
from lightnn.kernels.binary import product
from lightnn.kernels.binary.words import pack_signs
from lightnn.kernels.conv import dense, depthwise
from lightnn.kernels.matrix.matmul import matmul
from lightnn.kernels.matrix.matvec import matvec
from lightnn.kernels.parallel import get_num_threads, set_num_threads
from lightnn.kernels.quantized import conv as int8_conv
from lightnn.metrics import attainable

GRID = (1, 1), (1, 1, 1, 1), (1, 1)
STEPS = (8, 14, 16)  # channels, side, filters of the convolution of the ladder
PRODUCTS = (32, 64, 128, 192, 256, 384, 512, 768)


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape, np.float32)


def kernels() -> dict[str, tuple[Callable, int, int, str]]:
    """{kernel: (call, FLOP, bytes, type)}."""
    x, w, d = numbers(1, 64, 28, 28), numbers(64, 64, 3, 3), numbers(64, 1, 3, 3)
    p, a, b, v, m = numbers(64, 64, 1, 1), numbers(512, 512), numbers(512, 512), numbers(4096), numbers(1000, 4096)
    bias, y = numbers(1000), x.size
    bytes_in, small, filters, out = _int8(x, w)
    signs, rows = product.pack(pack_signs(m), 4096), numbers(64, 4096)
    one = (1, 1), (0, 0, 0, 0), (1, 1)
    return {
        "dense 3x3, 64 of 28x28": (lambda: dense.forward(x, w, None, *GRID, 1), 2 * y * 576, 8 * y + 4 * w.size, "f"),
        "1x1, 64 of 28x28": (lambda: dense.forward(x, p, None, *one, 1), 2 * y * 64, 8 * y + 4 * p.size, "f"),
        "depthwise 3x3": (lambda: depthwise.forward(x, d, None, *GRID), 2 * y * 9, 8 * y + 4 * d.size, "f"),
        "product 512x512x512": (lambda: matmul(a, b), 2 * 512**3, 3 * 4 * 512**2, "f"),
        "one row, 4096 to 1000": (lambda: matvec(m, v, bias), 2 * m.size, 4 * m.size, "f"),
        "ReLU, 50,176 numbers": (lambda: np.maximum(x, 0), y, 8 * y, "f"),
        "int8 3x3, 64 of 28x28": (lambda: int8_conv.forward(bytes_in, filters, out, *GRID[:2]), 2 * y * 576,
                                  2 * y + small.size, "i"),
        "signs, 64 rows, 4096 to 1000": (lambda: product.linear_of_signs(rows, signs, bias, bias), 2 * 64 * m.size,
                                         4 * rows.size + m.size // 8 + 4 * 64_000, "s"),
    }  # fmt: skip


def _int8(x, w):
    channels_last = (x.shape[0], *x.shape[2:], x.shape[1])
    bytes_in, small, _, out = int8.operands(channels_last, w.shape)
    return bytes_in, small, int8_conv.pack(small), out


def place(peak: dict[str, float], read: dict[int, float], caches: dict[str, int]) -> dict[str, dict]:
    """{kernel: {"FLOP/byte", "FLOP/s", "roof", "fraction"}} under the roof of its type and its memory."""
    best = {kind: max(v for name, v in peak.items() if name.startswith(word)) for kind, word in
            (("f", "float32"), ("s", "signs"))}  # fmt: skip
    best["i"] = max((v for name, v in peak.items() if name.startswith("int8")), default=best["f"])
    found = {}
    for name, (call, flop, size, kind) in kernels().items():
        speed = flop / peaks.least_seconds(call, 400)
        roof = attainable(best[kind], bandwidth(read, caches, size), flop / size)
        found[name] = {"FLOP/byte": flop / size, "bytes": size, "FLOP/s": speed, "roof": roof, "fraction": speed / roof}
    return found


def bandwidth(read: dict[int, float], caches: dict[str, int], size: int) -> float:
    """bytes/s from the smallest cache that holds so many bytes: the fastest of the arrays measured within it."""
    lower = 0
    for limit in [*sorted(caches.values()), float("inf")]:
        inside = [rate for measured, rate in read.items() if lower < measured <= 0.75 * limit]
        if size <= limit and inside:
            return float(max(inside))
        lower = limit
    return float(min(read.values()))


def climb() -> dict[str, float]:
    """{step: seconds} of one convolution: the ladder of kernels/ladder.py, then all threads, int8 and signs."""
    c, side, o = STEPS
    x, w = numbers(1, c, side, side), numbers(o, c, 3, 3)
    found = {f.__name__: peaks.least_seconds(lambda f=f: f(x, w, 1, 1), 3 if i == 0 else 100)
             for i, f in enumerate(ladder.LADDER)}  # fmt: skip
    found["dense.forward"] = peaks.least_seconds(lambda: dense.forward(x, w, None, *GRID, 1))
    bytes_in, _, filters, out = _int8(x, w)
    found["int8"] = peaks.least_seconds(lambda: int8_conv.forward(bytes_in, filters, out, *GRID[:2]))
    packed, scale = binary_conv.pack(w, *GRID), np.ones(o, np.float32)
    found["signs"] = peaks.least_seconds(lambda: binary_conv.forward_of_signs(x, packed, scale, scale))
    return found


@numba.njit(nogil=True)
def plain_product(a, b, c):
    """Row times column: every number of b is fetched again for every row of a, a whole row of b apart."""
    for i in range(len(a)):
        for j in range(b.shape[1]):
            total = np.float32(0)
            for k in range(len(b)):
                total += a[i, k] * b[k, j]
            c[i, j] = total


def blocking(sizes: tuple[int, ...] = PRODUCTS) -> dict[str, dict[int, float]]:
    """{"plain loops", "in blocks": {n: FLOP/s}} of n x n x n products."""
    found = {"plain loops": {}, "in blocks": {}}
    for n in sizes:
        a, b, c = numbers(n, n), numbers(n, n), np.empty((n, n), np.float32)
        slow = peaks.least_seconds(lambda a=a, b=b, c=c: plain_product(a, b, c), 3 if n > 300 else 10)
        found["plain loops"][n] = 2 * n**3 / slow
        found["in blocks"][n] = 2 * n**3 / peaks.least_seconds(lambda a=a, b=b: matmul(a, b), 300)
    return found


def run(say: Callable[[str], None] = print) -> dict:
    """{"note", "peak", "caches", "reading", "kernels", "ladder", "blocking"}. Prints as it measures."""
    threads = get_num_threads()
    set_num_threads(1)
    try:
        peak, caches, read = peaks.arithmetic(), peaks.levels(), peaks.reading()
        for name, rate in peak.items():
            say(f"{name:<16}{rate / 1e9:>10.1f} G products and sums a second, one core")
        for size, rate in read.items():
            say(f"read {size / 1024:>9,.0f} KB{rate / 1e9:>12.1f} GB/s")
        placed, steps, sizes = place(peak, read, caches), climb(), blocking()
    finally:
        set_num_threads(threads)
    say(f"\n{'kernel':<30}{'FLOP/byte':>10}{'GFLOP/s':>10}{'roof':>10}{'of it':>7}")
    for name, row in placed.items():
        say(f"{name:<30}{row['FLOP/byte']:>10.1f}{row['FLOP/s'] / 1e9:>10.1f}{row['roof'] / 1e9:>10.1f}"
            f"{row['fraction']:>7.0%}")  # fmt: skip
    for name, seconds in steps.items():
        say(f"{name:<30}{1e6 * seconds:>14,.1f} us")
    read = {str(size): rate for size, rate in read.items()}
    sizes = {way: {str(n): rate for n, rate in rates.items()} for way, rates in sizes.items()}
    return {"note": "CPU time of one core, the least of many short runs, on a busy machine", "peak": peak,
            "caches": caches, "reading": read, "kernels": placed, "ladder": steps, "blocking": sizes}  # fmt: skip


SUITE = Suite(("roofline",), "peaks, bandwidths, and kernels under the roof", lambda families: run())
