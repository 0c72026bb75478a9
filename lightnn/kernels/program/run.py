"""All threads walk through the steps of a program together, in one parallel region.

A step is cut into tasks. Each thread takes the next task that nobody has, until none is left, and then waits until the
last task of the step is done, since the next step reads what it wrote. A region of its own for each step would wake the
threads each time, which takes longer than most steps. Nothing depends on how many threads there are: a thread that
comes late, or never, finds the tasks done by others. Nor do the numbers: which task sums what is written in the
program.

While a thread waits it pauses, and offers its processor to other threads now and then.
"""

import numba
import numpy as np

from lightnn.kernels.parallel import parallel_njit
from lightnn.kernels.program import atomic, steps
from lightnn.kernels.program.steps import Step
from lightnn.kernels.program.tile import Bounds

APART = 16  # numbers from one counter to the next: two cache lines


def run(program, bounds, memory, weights, table, given, result):
    """program: int64 (steps, len(Step._fields)); bounds: float32 (steps, 2); memory, weights, given and result float32
    and table int64, flat."""
    counters = np.zeros((2 * len(program) + 1) * APART, np.int64)
    work = program[:, 1].max()
    threads = numba.get_num_threads() if work > 1 else 1
    if threads == 1:
        _walk(program, bounds, memory, weights, table, given, result, counters)
    else:
        _together(program, bounds, memory, weights, table, given, result, counters, threads)


@parallel_njit
def _together(program, bounds, memory, weights, table, given, result, counters, threads):
    for _ in numba.prange(threads):
        _walk(program, bounds, memory, weights, table, given, result, counters)


@numba.njit(cache=True, nogil=True)
def _walk(program, bounds, memory, weights, table, given, result, counters):
    for number in range(len(program)):
        s = _step(program, number)
        todo, done = 2 * number * APART, (2 * number + 1) * APART
        low_high = Bounds(bounds[number, 0], bounds[number, 1])
        while True:
            task = atomic.take(counters, todo)
            if task >= s.tasks:
                break
            _do(s, task, low_high, memory, weights, table, given, result)
            atomic.take(counters, done)
        tries = 0
        while atomic.read(counters, done) < s.tasks:
            atomic.rest(tries)
            tries += 1


@numba.njit(cache=True, nogil=True)
def _step(program, n):
    r = program[n]
    return Step(r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13], r[14], r[15],
                r[16], r[17], r[18])  # fmt: skip


@numba.njit(cache=True, nogil=True)
def _do(s, task, bounds, memory, weights, table, given, result):
    if s.kind == steps.DENSE:
        steps.dense_task(s, task, memory, weights, table, bounds)
    elif s.kind == steps.DEPTHWISE:
        steps.depthwise_task(s, task, memory, weights, table, bounds)
    elif s.kind == steps.EACH:
        steps.each_task(s, task, memory, weights, table, bounds)
    elif s.kind == steps.MAX:
        steps.max_task(s, task, memory, table)
    elif s.kind == steps.MEAN:
        steps.mean_task(s, task, memory, table)
    elif s.kind == steps.ZERO:
        steps.zero_task(s, task, memory, table)
    elif s.kind == steps.ENTER:
        steps.enter_task(s, task, memory, table, given)
    else:
        steps.leave_task(s, task, memory, table, result)
