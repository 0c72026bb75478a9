"""lightnn/kernels/program: the compiled tiles are the plain ones, exp is exp, and threads share out the work."""

import math
import threading

import numba
import numpy as np
import pytest

from lightnn.kernels.program import atomic, tail, tile
from lightnn.kernels.program.tile import At, Bounds, V
from lightnn.kernels.vector.gemm import ROWS

needs_compiler = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="compares compiled code with plain code")


@numba.njit
def run_wide(vectors, memory, weights, table, at, bounds):
    tile.wide(vectors, memory, weights, table, at, bounds)


@numba.njit
def run_one(vectors, memory, weights, table, at, bounds):
    tile.one(vectors, memory, weights, table, at, bounds)


@numba.njit
def run_depthwise(vectors, memory, weights, table, at, bounds):
    tile.depthwise(memory, weights, table, at, bounds)


@needs_compiler
@pytest.mark.parametrize("ends", [(0, 0), (0, 1), (1, 1)])  # the first block of a long sum, a short sum, a last block
@pytest.mark.parametrize(
    "compiled, rows, vectors",
    [
        (run_wide, ROWS, 1),
        (run_wide, ROWS, 2),
        (run_wide, ROWS, 3),
        (run_one, 1, 1),
        (run_one, 1, 3),
        (run_depthwise, ROWS, 1),
    ],
)
def test_a_tile_is_its_definition(compiled, rows, vectors, ends, rng):
    depth, wide, dense = 5, vectors * V, compiled is not run_depthwise
    memory = rng.standard_normal(4000).astype(np.float32)
    weights = rng.standard_normal(1000).astype(np.float32)
    x_row, step = rng.integers(0, 200, rows), rng.integers(0, 99, depth)
    y_row, z_row = 1000 + np.arange(rows) * (wide + 3), 2500 + np.arange(rows) * (wide + 1)
    table = np.concatenate([x_row, step, y_row, z_row])
    at = At(depth, 0, 2, rows, 7, wide + 1, rows + depth, 1, 2 * rows + depth if ends[1] else -1, 400, *ends)
    bounds, want, got = Bounds(np.float32(-1), np.float32(2)), memory.copy(), memory.copy()
    tile._plain_tile(rows, vectors, dense)(want, weights, table, at, bounds)
    compiled(vectors, got, weights, table, at, bounds)
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-5)
    assert (want != memory).sum() > rows  # something was written


@pytest.mark.parametrize("kind, f", [
    (tail.SILU, lambda x: x / (1 + np.exp(-x))),
    (tail.SIGMOID, lambda x: 1 / (1 + np.exp(-x))),
    (tail.HARDSWISH, lambda x: x * np.clip(x + 3, 0, 6) / 6),
    (tail.HARDSIGMOID, lambda x: np.clip(x + 3, 0, 6) / 6),
])  # fmt: skip
def test_activations_are_accurate(kind, f):
    x = np.concatenate([np.linspace(-30, 30, 401), [0, -80, 80, np.nan]]).astype(np.float32)
    memory = x.copy()
    tail.apply(kind, memory, 1, len(x) - 1)
    assert memory[0] == x[0]
    np.testing.assert_allclose(memory[1:], f(x[1:].astype(np.float64)), rtol=4e-7, atol=1e-30)


def test_exp_is_within_a_rounding_or_two():
    for x in np.linspace(-87, 87, 301).astype(np.float32):
        assert abs(tail.exp(x) - math.exp(x)) <= 3e-7 * math.exp(x)


@needs_compiler
def test_no_two_threads_take_the_same_task():
    @numba.njit(nogil=True)
    def take_all(counters, taken, most):
        while True:
            i = atomic.take(counters, 3)
            if i >= most:
                return
            taken[i] += 1

    counters, taken = np.zeros(8, np.int64), np.zeros(20_000, np.int64)
    take_all(np.full(8, 20_000), taken, 20_000)
    threads = [threading.Thread(target=take_all, args=(counters, taken, len(taken))) for _ in range(4)]
    [t.start() for t in threads], [t.join() for t in threads]
    assert (taken == 1).all() and counters[3] == len(taken) + 4
