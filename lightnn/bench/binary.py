"""Products of signs against PyTorch's float32: `python -m lightnn bench binary`.

Floats go in and floats come out: signs of activations are packed in every call, weights once beforehand, as they are
held. Calls take turns, on equal threads (timing.py); ratio = PyTorch's time / ours, of medians. Columns:

    ms        ours, packing included: one parallel region does both
    packing   what packing takes alone, as a fraction of it
    ratio     float32's time over ours; without PyTorch, NumPy's product and our convolution

The roofline. On Zen 4 a core does at most 410 products of signs a cycle (popcount.py) and 16 of floats. PyTorch comes
close to its 16 in the larger rows: there 25.6 is the end, the tile reaches five sixths of it, and packing comes on top.
With few outputs bytes decide: packing one number takes as long as 60 products, and 64 outputs have 64 for it. In the
smallest rows the call itself counts, a third of the time. So on such a machine the aim of 25 is out of reach; where
PyTorch stays below its peak the ratio is higher.

At the end a LeNet-5 of XNOR-Net's kind, its first and last layer float, against the same network with float weights and
ReLU: as it is, or with its batch norms folded, whichever is faster. Weights are not trained: that changes no time.
"""

import statistics
from collections.abc import Callable

import numba
import numpy as np

from lightnn import compress, models, nn, runtime
from lightnn.bench.suite import Suite
from lightnn.bench.timing import find_torch, medians_ms, opponent_name
from lightnn.kernels.binary import conv, product
from lightnn.kernels.binary.words import pack_planes, pack_rows, pack_signs
from lightnn.kernels.conv import dense
from lightnn.tensor import Tensor, no_grad

MATRICES = {  # name: M outputs, K inputs, N rows of activations
    f"linear {m}x{k} of {n}": (m, k, n)
    for m, k, n in ((64, 1152, 1024), (256, 2304, 1024), (512, 4608, 784), (64, 1152, 3072), (1024, 1024, 200))
}
CONVOLUTIONS = {  # name: batch, channels, height and width; 3x3, as many filters as channels, padding 1
    f"conv {c} of {size}x{size}, batch {n}": (n, c, size) for c in (64, 128, 256) for size in (14, 28) for n in (1, 8)
}
PARTS = {"matrices": MATRICES, "convolutions": CONVOLUTIONS}
AIMS = {"geometric mean": 25.0, "least": 10.0, "LeNet-5": 5.0}
BATCH = 64


def linear(case: tuple[int, int, int], torch) -> list[Callable]:
    """[ours, its packing, the opponent]."""
    m, k, n = case
    x, w = numbers((n, k), 0), numbers((m, k), 1)
    panels, scale, bias = product.pack(pack_signs(w), k), numbers((m,), 2), numbers((m,), 3)
    ours = [lambda: product.linear_of_signs(x, panels, scale, bias), lambda: pack_rows(x)]
    if torch is None:
        return [*ours, lambda: x @ w.T + bias]
    tx, tw, tb = map(torch.from_numpy, (x, w, bias))
    return [*ours, lambda: torch.nn.functional.linear(tx, tw, tb)]


def convolution(case: tuple[int, int, int], torch) -> list[Callable]:
    """[ours, its packing, the opponent]."""
    n, c, size = case
    x, w, scale, bias = numbers((n, c, size, size), 0), numbers((c, c, 3, 3), 1), numbers((c,), 2), numbers((c,), 3)
    grid = (1, 1), (1, 1, 1, 1), (1, 1)
    filters = conv.pack(w, *grid)
    ours = [lambda: conv.forward_of_signs(x, filters, scale, bias), lambda: pack_planes(x)]
    if torch is None:
        return [*ours, lambda: dense.forward(x, w, bias, *grid, 1)]
    tx, tw, tb = map(torch.from_numpy, (x, w, bias))
    return [*ours, lambda: torch.nn.functional.conv2d(tx, tw, tb, 1, 1)]


def numbers(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def networks(images: np.ndarray) -> dict[str, nn.Module]:
    """{"float32", "folded", "binary"}: the float twin as it is, with folded batch norms, and the network of bits."""
    twin, binary, shape = models.xnor_lenet5(rng=0), models.xnor_lenet5(rng=0), images.shape
    twin.act1, twin.act2 = nn.ReLU(), nn.ReLU()
    for layer in (binary.conv2, binary.fc1):
        compress.use_binary_filters(layer.weight)
    with no_grad():
        for model in (twin, binary):
            for _ in range(20):
                model.train()(Tensor(images))
    folded = runtime.lower(compress.fold_batch_norm(twin.eval(), shape))
    return {"float32": twin, "folded": folded, "binary": runtime.lower_binary(binary.eval(), shape)}


def measure_network(rounds: int = 5) -> dict[str, float]:
    """{"float32 ms", "folded ms", "binary ms", "ratio": the faster float / binary} of a batch of BATCH images."""
    x = np.random.default_rng(0).random((BATCH, 1, 28, 28), np.float32)
    calls = [lambda model=model: model(Tensor(x)) for model in networks(x).values()]
    with no_grad():
        ms = dict(zip(("float32 ms", "folded ms", "binary ms"), medians_ms(calls, rounds), strict=True))
    return {**ms, "ratio": min(ms["float32 ms"], ms["folded ms"]) / ms["binary ms"]}


def run(parts: dict[str, dict] = PARTS, rounds: int = 3, say: Callable[[str], None] = print) -> dict:
    """{"opponent", "threads", "aims", "summary", "rows", "LeNet-5"}. Prints as it measures."""
    torch, threads, rows = find_torch(), numba.get_num_threads(), {}
    say(f"ratio = time of {opponent_name(torch)} in float32\n        / time of lightnn's bits, {threads} threads")
    for part, cases in parts.items():
        say(f"\n{part:<28}{'ms':>9}{'packing':>9}{'ratio':>8}")
        for name, case in cases.items():
            ours, packing, other = medians_ms((linear if part == "matrices" else convolution)(case, torch), rounds)
            rows[name] = {"ms": ours, "packing": packing / ours, "ratio": other / ours}
            say(f"{name:<28}{ours:>9.3f}{packing / ours:>9.0%}{other / ours:>8.1f}")
    ratios = [row["ratio"] for row in rows.values()]
    summary = {"geometric mean": statistics.geometric_mean(ratios), "least": min(ratios)}
    network = measure_network(rounds)
    summary["LeNet-5"] = network["ratio"]
    say("")
    for what, value in summary.items():
        say(f"{what:<28}{value:>26.1f}   aim {AIMS[what]:g}: {'yes' if value >= AIMS[what] else 'no'}")
    say(f"LeNet-5, batch {BATCH}: " + ", ".join(f"{key} {network[key]:.3f}" for key in network if "ms" in key))
    return {"opponent": opponent_name(torch), "threads": threads, "aims": AIMS, "summary": summary, "rows": rows,
            "LeNet-5": network}  # fmt: skip


SUITE = Suite(("binary",), "products of signs against float32", lambda families: run())
