"""Lowered networks against PyTorch eager and ONNX Runtime, one image: `python -m lightnn bench inference`.

`runtime.lower` of each network, float32, 224 x 224, batch 1, random weights, on equal threads. Bursts of calls take
turns, with rests, each library in its own process (opponents.py), and must give the same outputs. A time is a median;
ratio = the opponent's over ours. Peak sizes are those of whole processes, with Python and all that the library loads.
All of them import lightnn, so freed memory is kept in all (startup.py), which PyTorch gains from.
Likewise a training step of two small networks on 32 x 32, batch 64, with momentum. Then a fully connected layer and one
image against NumPy's x @ w.T + b, and a layer while NumPy's threads still spin. The committed result is
chapters/results/inference_bench.json.
"""

import contextlib
import importlib.util
import math
import pathlib
import statistics
import tempfile
import time
from collections.abc import Callable

import numba
import numpy as np

from lightnn import functional as F
from lightnn import io, models
from lightnn.bench.opponents import LIBRARIES, TRAINED, Process, after_numpy
from lightnn.bench.suite import Suite
from lightnn.bench.timing import medians_ms
from lightnn.kernels.parallel import set_num_threads
from lightnn.tensor import Tensor, no_grad

NETWORKS = ("resnet18", "mobilenet_v2", "shufflenet_v2_x1_0", "squeezenet1_1", "efficientnet_lite0")
SHAPE, ROUNDS, SECONDS = (1, 3, 224, 224), 5, 0.2
TRAINING_SHAPE, TRAINING_OPPONENTS = (64, 3, 32, 32), ("lightnn", "PyTorch")
LINEAR = ((784, 300), (300, 100), (1280, 1000))
PACKAGES = {"PyTorch": "torch", "ONNX Runtime": "onnxruntime"}
AIMS = {"PyTorch": 1.2, "ONNX Runtime": 0.6}  # of the geometric mean


def installed() -> list[str]:
    """lightnn, and those of the opponents that are there."""
    return [name for name in LIBRARIES if name not in PACKAGES or importlib.util.find_spec(PACKAGES[name])]


def measure(name: str, libraries: list[str], shape=SHAPE, rounds: int = ROUNDS, seconds: float = SECONDS) -> dict:
    """{"lightnn ms", ..., "lightnn MB", ..., "ratio to PyTorch", ...} of one network. ValueError if outputs differ."""
    threads, times = numba.get_num_threads(), {library: [] for library in libraries}
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        file = str(pathlib.Path(folder, "net.onnx"))
        if "ONNX Runtime" in libraries:
            io.to_onnx(getattr(models, name)(rng=0).eval(), file, shape)
        started = [stack.enter_context(Process(library, name, shape, threads, file)) for library in libraries]
        outputs = [process.ready() for process in started]
        for process, y in zip(started, outputs):
            if np.abs(y - outputs[0]).max() > 1e-3 * np.abs(outputs[0]).max():
                raise ValueError(f"{name}: {process.library} gives {y}, {libraries[0]} {outputs[0]}")
        for _ in range(rounds):
            for process in started:
                time.sleep(0.02)
                times[process.library] += process.burst(seconds)
        row = {f"{library} ms": statistics.median(ms) for library, ms in times.items()}
        row |= {f"{process.library} MB": process.end() for process in started}
    return row | {f"ratio to {other}": row[f"{other} ms"] / row["lightnn ms"] for other in libraries[1:]}


def linear(inputs: int, outputs: int, rounds: int = ROUNDS) -> dict:
    """{"lightnn us", "NumPy us", "ratio to NumPy"} of one row times a layer's weights."""
    rng = np.random.default_rng(0)
    x, w, b = (rng.standard_normal(shape, np.float32) for shape in ((1, inputs), (outputs, inputs), (outputs,)))
    ours = [Tensor(a) for a in (x, w, b)]
    with no_grad():
        lightnn, numpy = medians_ms([lambda: F.linear(*ours), lambda: x @ w.T + b], rounds)
    return {"lightnn us": 1e3 * lightnn, "NumPy us": 1e3 * numpy, "ratio to NumPy": numpy / lightnn}


def run(names=NETWORKS, shape=SHAPE, rounds: int = ROUNDS, say: Callable[[str], None] = print) -> dict:
    """{"threads", "aims", "networks": {name: row}, "means": {opponent: geometric mean, least}, "training":
    {name: row}, "linear": {...}, "after NumPy": {...}}."""
    threads, libraries, rows = numba.get_num_threads(), installed(), {}
    set_num_threads(threads)
    say(
        f"one image of {shape[2]} x {shape[3]}, {threads} threads: median ms (MB of the process); ratio = theirs / ours"
    )
    say(f"{'':<20}" + "".join(f"{library:>16}" for library in libraries) + "   ratios")
    for name in names:
        row = rows[name] = measure(name, libraries, shape, rounds)
        ms = "".join(f"{row[f'{each} ms']:>9.2f} ({row[f'{each} MB'] or 0:>4.0f})" for each in libraries)
        say(f"{name:<20}{ms}   " + "  ".join(f"{row[f'ratio to {other}']:.2f}" for other in libraries[1:]))
    means = {}
    for other in libraries[1:]:
        ratios = [row[f"ratio to {other}"] for row in rows.values()]
        means[other] = {"mean": math.exp(statistics.fmean(map(math.log, ratios))), "least": min(ratios)}
        say(f"against {other}: geometric mean {means[other]['mean']:.2f}, aim {AIMS[other]}; least {min(ratios):.2f}")
    steps = {}
    if "PyTorch" in libraries:
        for name in TRAINED:
            row = steps[name] = measure(name, list(TRAINING_OPPONENTS), TRAINING_SHAPE, rounds)
            times = f"lightnn {row['lightnn ms']:.1f} ms, PyTorch {row['PyTorch ms']:.1f} ms"
            say(f"training step, {name}: {times}; ratio {row['ratio to PyTorch']:.2f}")
    layers = {f"{i} to {o}": linear(i, o, rounds) for i, o in LINEAR}
    for name, row in layers.items():
        times = f"{row['lightnn us']:.1f} us, NumPy {row['NumPy us']:.1f} us"
        say(f"linear {name}, one row: {times}; ratio {row['ratio to NumPy']:.2f}")
    waits = after_numpy()
    for way, ms in waits.items():
        say(f"a layer right after NumPy's product, threads {way}: {ms['after']:.2f} ms, alone {ms['alone']:.2f} ms")
    return {
        "threads": threads,
        "aims": AIMS,
        "networks": rows,
        "means": means,
        "training": steps,
        "linear": layers,
        "after NumPy": waits,
    }


SUITE = Suite(("inference",), "lowered networks, PyTorch, ONNX Runtime", lambda families: run())
