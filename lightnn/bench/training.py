"""Training time and memory of a LeNet against PyTorch: `python -m lightnn.bench.training --model lenet5`.

Both train in turn on the same batches of MNIST, with SGD, momentum and weight decay, on the same number of threads
(set OPENBLAS_NUM_THREADS; default all). The ratio is PyTorch's time over ours, round by round; the median is quoted.
Memory is the peak resident size of a process of its own that trains with one library, all of it counted.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np

import lightnn
from lightnn import data, functional, models, optim


def lightnn_step(name):
    model = getattr(models, name)(rng=0)
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-5)

    def step(x, y):
        loss = functional.cross_entropy(model(lightnn.Tensor(x)), y)
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


def torch_step(name, threads):
    import torch

    torch.set_num_threads(threads)
    model = torch.nn.Sequential(*torch_layers(name, torch.nn))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-5)

    def step(x, y):
        loss = torch.nn.functional.cross_entropy(model(torch.from_numpy(x)), torch.from_numpy(y))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def epoch_seconds(step, x, y, batch_size):
    start = time.perf_counter()
    for xb, yb in data.batches(x, y, batch_size, rng=0):
        step(xb, yb)
    return time.perf_counter() - start


def own_peak_megabytes():
    """Peak resident size of this process, on Linux. (What getrusage says includes the parent's before exec.)"""
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def peak_megabytes(library, arguments):
    """Peak resident size of a new process that trains on 100 batches with one library."""
    command = [
        sys.executable,
        "-m",
        "lightnn.bench.training",
        "--model",
        arguments.model,
        "--batch-size",
        str(arguments.batch_size),
    ]
    done = subprocess.run([*command, "--memory", library], capture_output=True, text=True, check=True)
    return float(done.stdout)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--batch-size", type=int, default=64)
    arguments.add_argument("--model", choices=["lenet_300_100", "lenet5"], default="lenet_300_100")
    arguments.add_argument("--memory", choices=["lightnn", "PyTorch"], help=argparse.SUPPRESS)
    arguments = arguments.parse_args()
    threads = int(os.environ.get("OPENBLAS_NUM_THREADS", os.cpu_count()))
    mnist, size = data.load_mnist(), arguments.batch_size
    x, y = mnist.x_train, mnist.y_train
    make = {"lightnn": lambda: lightnn_step(arguments.model), "PyTorch": lambda: torch_step(arguments.model, threads)}
    if arguments.memory:
        epoch_seconds(make[arguments.memory](), x[: 100 * size], y[: 100 * size], size)
        print(own_peak_megabytes())
        return
    steps = {name: step() for name, step in make.items()}
    for step in steps.values():
        epoch_seconds(step, x[:6400], y[:6400], size)
    seconds = {name: [] for name in steps}
    for _ in range(arguments.rounds):
        for name, step in steps.items():
            seconds[name].append(epoch_seconds(step, x, y, size))
    ratios = np.array(seconds["PyTorch"]) / np.array(seconds["lightnn"])
    print(f"{arguments.model}, one MNIST epoch, batch {size}, {threads} threads, {arguments.rounds} rounds in turn")
    for name, times in seconds.items():
        megabytes = peak_megabytes(name, arguments)
        print(f"{name:>8}: median {statistics.median(times):.2f} s, peak resident memory {megabytes:.0f} MB")
    print(f"ratio PyTorch / lightnn: median {np.median(ratios):.2f}, {ratios.min():.2f} to {ratios.max():.2f}")


if __name__ == "__main__":
    sys.exit(main())
