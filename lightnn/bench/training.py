"""Training time and memory of both LeNets against PyTorch: `python -m lightnn bench training`.

Both libraries train in turn on the same batches of MNIST, with SGD, momentum and weight decay, on equal threads. The
ratio is PyTorch's time over ours in each round; the median is quoted. Memory is the peak resident size of a separate
process that trains with one library, everything in it counted (on Linux only).
"""

import pathlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numba
import numpy as np

from lightnn import data, functional, models, optim
from lightnn.bench.suite import Suite
from lightnn.bench.timing import find_torch
from lightnn.kernels.parallel import set_num_threads
from lightnn.tensor import Tensor

BATCH_SIZE, ROUNDS = 64, 7
MODELS = ("lenet_300_100", "lenet5")
OPTIONS = {"lr": 0.05, "momentum": 0.9, "weight_decay": 1e-5}


def lightnn_step(name: str) -> Callable[[np.ndarray, np.ndarray], None]:
    """step(x, y): one update of a new network, by lightnn."""
    model = getattr(models, name)(rng=0)
    optimizer = optim.SGD(model.parameters(), **OPTIONS)

    def step(x, y):
        loss = functional.cross_entropy(model(Tensor(x)), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def torch_layers(name, nn):
    if name == "lenet5":
        filters = nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.MaxPool2d(2)
        return *filters, nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10)
    hidden = nn.Flatten(), nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU()
    return *hidden, nn.Linear(100, 10)


def torch_step(name: str) -> Callable[[np.ndarray, np.ndarray], None]:
    """step(x, y): one update of a new network, by PyTorch."""
    torch = find_torch()
    model = torch.nn.Sequential(*torch_layers(name, torch.nn))
    optimizer = torch.optim.SGD(model.parameters(), **OPTIONS)

    def step(x, y):
        loss = torch.nn.functional.cross_entropy(model(torch.from_numpy(x)), torch.from_numpy(y))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


STEPS = {"lightnn": lightnn_step, "PyTorch": torch_step}


def epoch_seconds(step, x, y):
    start = time.perf_counter()
    for xb, yb in data.batches(x, y, BATCH_SIZE, rng=0):
        step(xb, yb)
    return time.perf_counter() - start


def print_peak(library: str, model: str, batches: int) -> None:
    """Train on this many batches with one library, and print this process's peak resident size in MB.

    It is read from Linux's /proc: what getrusage says includes the parent's size before exec.
    """
    mnist, count = data.load_mnist(), batches * BATCH_SIZE
    epoch_seconds(STEPS[library](model), mnist.x_train[:count], mnist.y_train[:count])
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    print(next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024)


def peak_megabytes(library: str, model: str, batches: int = 100) -> float:
    """What `print_peak` prints in a new process."""
    code = f"from lightnn.bench.training import print_peak; print_peak({library!r}, {model!r}, {batches})"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def measure(model: str, mnist: data.Dataset, rounds: int) -> dict:
    """{"lightnn s", "PyTorch s": medians of an epoch, "ratio", "least", "most"} and, on Linux, "lightnn MB", ..."""
    steps = {library: make(model) for library, make in STEPS.items()}
    for step in steps.values():
        epoch_seconds(step, mnist.x_train[:6400], mnist.y_train[:6400])
    seconds = {library: [] for library in steps}
    for _ in range(rounds):
        for library, step in steps.items():
            seconds[library].append(epoch_seconds(step, mnist.x_train, mnist.y_train))
    ratios = np.array(seconds["PyTorch"]) / np.array(seconds["lightnn"])
    row = {f"{library} s": statistics.median(times) for library, times in seconds.items()}
    row |= {"ratio": float(np.median(ratios)), "least": float(ratios.min()), "most": float(ratios.max())}
    if sys.platform == "linux":
        row |= {f"{library} MB": peak_megabytes(library, model) for library in steps}
    return row


def run(names: tuple[str, ...] = MODELS, rounds: int = ROUNDS, say: Callable[[str], None] = print) -> dict:
    """Measure both LeNets: {"opponent", "threads", "batch size", "rounds", "rows"}. Prints as it measures."""
    torch, threads, rows = find_torch(), numba.get_num_threads(), {}
    if torch is None:
        raise ValueError("want PyTorch to compare with, which is not installed: pip install -e '.[oracles]'")
    set_num_threads(threads)
    mnist, opponent = data.load_mnist(), f"PyTorch {torch.__version__}"
    say(
        f"one MNIST epoch, batch {BATCH_SIZE}, {threads} threads, {rounds} rounds in turn; ratio = {opponent} / lightnn"
    )
    for name in names:
        row = rows[name] = measure(name, mnist, rounds)
        times = ", ".join(f"{library} {row[f'{library} s']:.2f} s" for library in STEPS)
        say(f"{name:<14} {times}; ratio {row['ratio']:.2f}, {row['least']:.2f} to {row['most']:.2f}")
        if "lightnn MB" in row:
            say(f"{'':<14} peak memory: lightnn {row['lightnn MB']:.0f} MB, PyTorch {row['PyTorch MB']:.0f} MB")
    return {"opponent": opponent, "threads": threads, "batch size": BATCH_SIZE, "rounds": rounds, "rows": rows}


SUITE = Suite(("training",), "training time and memory of both LeNets", lambda families: run())
