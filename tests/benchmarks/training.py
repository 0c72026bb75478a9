"""Training time of LeNet-300-100 as a ratio against the same network in PyTorch: `python tests/benchmarks/training.py`.

Both train in turn on the same batches of MNIST, with SGD, momentum and weight decay, on the same number of threads
(set OPENBLAS_NUM_THREADS; default all). The ratio is PyTorch's time over ours, round by round; the median is quoted.
"""

import argparse
import os
import statistics
import sys
import time

import numpy as np

import lightnn
from lightnn import data, functional, models, optim


def lightnn_step(batch_size):
    model = models.lenet_300_100(rng=0)
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-5)

    def step(x, y):
        loss = functional.cross_entropy(model(lightnn.Tensor(x)), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def torch_step(batch_size, threads):
    import torch

    torch.set_num_threads(threads)
    model = torch.nn.Sequential(
        torch.nn.Flatten(),
        torch.nn.Linear(784, 300),
        torch.nn.ReLU(),
        torch.nn.Linear(300, 100),
        torch.nn.ReLU(),
        torch.nn.Linear(100, 10),
    )
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


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--batch-size", type=int, default=64)
    arguments = arguments.parse_args()
    threads = int(os.environ.get("OPENBLAS_NUM_THREADS", os.cpu_count()))
    mnist, size = data.load_mnist(), arguments.batch_size
    x, y = mnist.x_train, mnist.y_train
    steps = {"lightnn": lightnn_step(size), "PyTorch": torch_step(size, threads)}
    for step in steps.values():
        epoch_seconds(step, x[:6400], y[:6400], size)
    seconds = {name: [] for name in steps}
    for _ in range(arguments.rounds):
        for name, step in steps.items():
            seconds[name].append(epoch_seconds(step, x, y, size))
    ratios = np.array(seconds["PyTorch"]) / np.array(seconds["lightnn"])
    print(f"LeNet-300-100, one MNIST epoch, batch {size}, {threads} threads, {arguments.rounds} rounds in turn")
    for name, times in seconds.items():
        print(f"{name:>8}: median {statistics.median(times):.2f} s")
    print(f"ratio PyTorch / lightnn: median {np.median(ratios):.2f}, {ratios.min():.2f} to {ratios.max():.2f}")


if __name__ == "__main__":
    sys.exit(main())
