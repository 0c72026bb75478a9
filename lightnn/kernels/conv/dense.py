"""Dense convolution as an implicit matrix product, with both gradients.

What it computes, with P output pixels (n, i, j) and T taps (c, k, l), the steps of a sum:

    forward          y[o, P]  = sum_T w[o, T] * patches[T, P]
    backward_input   dx[c, P] = sum_(o,k,l) w[o, c, k, l] * dy[o, P - (k, l)]   one product for each phase of the stride
    backward_weight  dw[o, T] = sum_P patches[T, P] * dy[o, P]

How memory is walked. The first two are one routine, `correlate`: a task owns a few panels of output pixels (and maybe
a part of the rows); for each block of STEPS taps it packs the panels, then runs down the rows of w, ROWS at a time. A
panel lies in the second-level cache, ROWS rows of w in the first, the tile of y in registers: the im2col matrix never
exists. `backward_weight` is in dense_weight.py. With few output channels nothing is packed (inplace.py,
inplace_weight.py). A float32 3x3 convolution of stride 1 goes to winograd.py, where that pays.

Why it is fast. Each packed number is used O times, each weight once a pixel panel; all the arithmetic is in gemm.py's
micro-kernel. Arithmetic intensity from main memory is 2*O*T*P flops over 4*(O*T + C*H*W*N + O*P) bytes: 64 -> 64 3x3
at 56x56 is about 140 flops a byte, far on the compute side of any laptop's roofline.

Every sum has a fixed order for a given thread count, and only the weight gradient may depend on that count.
"""

import functools
from typing import NamedTuple

import numba
import numpy as np

from lightnn.kernels.conv import dense_weight, inplace, inplace_weight, winograd
from lightnn.kernels.conv.windows import (
    Axis,
    Spot,
    axes,
    find_runs,
    pack_panel,
    pad_image,
    tap_offsets,
)
from lightnn.kernels.conv.winograd_parts import Filters
from lightnn.kernels.parallel import parallel_njit
from lightnn.kernels.vector.gemm import ROWS, VECTORS, At, Left, Right, aligned_empty, block_depth, rows_apart, tile
from lightnn.kernels.vector.simd import VECTOR_BYTES, lanes

PANELS = 4  # panels in a block: ROWS rows of the weights are read from memory once for all of them


class Tasks(NamedTuple):
    """How a product is cut: a task is one block of panels of one group, and one part of the group's rows."""

    n: int  # images, channels, height and width of y
    o: int
    ho: int
    wo: int
    groups: int
    blocks: int
    parts: int


class Task(NamedTuple):
    group: int
    first_row: int  # within the group
    last_row: int
    first_panel: int
    last_panel: int


def forward(x, w, b, stride, padding, dilation, groups=1):
    """y (N, O, Ho, Wo)."""
    vertical, horizontal = axes(x.shape, w.shape[2:], stride, padding, dilation)
    o, c = w.shape[:2]
    y = np.empty((len(x), o, vertical.out, horizontal.out), x.dtype)
    if winograd.fits(x.dtype, w.shape[2:], stride, c, o // groups, y.shape[2:], dilation):
        filters = Filters(np.ascontiguousarray(w).reshape(-1), o // groups * c * 9, c * 9, 9, False)
        winograd.correlate(x, filters, y, b, groups, (padding[0], padding[2]), dilation)
        return y
    padded = pad_image(x, vertical, horizontal)
    tap = tap_offsets(vertical, horizontal, c, padded.channel)
    left = Left(np.ascontiguousarray(w).reshape(-1), rows_apart(o // groups, len(tap)), np.arange(len(tap)))
    correlate(left, padded, tap, y, b, groups)
    return y


def backward_input(dy, w, x_shape, stride, padding, dilation, groups=1):
    """dx (N, C, H, W). Rows of one phase (row + top) % sh meet the same taps, so each phase is a convolution of stride
    1."""
    o_group, c_group, kh, kw = w.shape[0] // groups, *w.shape[1:]
    if winograd.fits(dy.dtype, (kh, kw), stride, o_group, c_group, x_shape[2:], dilation):
        dx = np.empty(x_shape, dy.dtype)
        filters = Filters(np.ascontiguousarray(w).reshape(-1), o_group * c_group * 9, 9, c_group * 9, True)
        before = 2 * dilation[0] - padding[0], 2 * dilation[1] - padding[2]
        winograd.correlate(dy, filters, dx, None, groups, before, dilation)
        return dx
    row_phases, vertical = _input_phases(x_shape[2], dy.shape[2], kh, stride[0], padding[0], dilation[0])
    column_phases, horizontal = _input_phases(x_shape[3], dy.shape[3], kw, stride[1], padding[2], dilation[1])
    padded = pad_image(dy, vertical, horizontal)
    flat, o = np.ascontiguousarray(w).reshape(-1), np.arange(o_group)[:, None]
    dx = np.empty(x_shape, dy.dtype) if stride == (1, 1) else np.zeros(x_shape, dy.dtype)
    for y0, high, rows in row_phases:
        for x0, wide, columns in column_phases:
            kernel = np.array([k * kw + l for k, _ in rows for l, _ in columns])
            shift = np.array([u * padded.row + v for _, u in rows for _, v in columns])
            if high and wide and len(kernel):
                step = (o * (c_group * kh * kw) + kernel).reshape(-1)
                left, tap = Left(flat, rows_apart(c_group, kh * kw), step), (o * padded.channel + shift).reshape(-1)
                part = dx if stride == (1, 1) else np.empty((*x_shape[:2], high, wide), dy.dtype)
                correlate(left, padded, tap, part, None, groups)
                if stride != (1, 1):
                    dx[:, :, y0 :: stride[0], x0 :: stride[1]] = part
    return dx


@functools.lru_cache
def _input_phases(size, out, kernel, stride, before, dilation):
    """Of each phase (first pixel, pixels, [(tap, shift)]); and the Axis of the padded dy."""
    first = [(k * dilation - before) % stride for k in range(kernel)]
    reach = [(first[k] + before - k * dilation) // stride for k in range(kernel)]  # dy row = pixel number + reach
    low = min(reach)
    phases = [
        (y0, len(range(y0, size, stride)), [(k, reach[k] - low) for k in range(kernel) if first[k] == y0])
        for y0 in range(stride)
    ]
    high = max(count + max((u for _, u in taps), default=0) for _, count, taps in phases)
    return phases, Axis(out, high, 1, -low, (0,), ())


def backward_weight(dy, x, w_shape, stride, padding, dilation, groups=1):
    """dw (O, C/groups, KH, KW), summed over pixels in a fixed order."""
    vertical, horizontal = axes(x.shape, w_shape[2:], stride, padding, dilation)
    dw = np.zeros(w_shape, dy.dtype)
    if dy.size == 0 or dw.size == 0:
        return dw
    padded, dy = pad_image(x, vertical, horizontal), np.ascontiguousarray(dy)
    tap = tap_offsets(vertical, horizontal, w_shape[1], padded.channel)
    way = inplace_weight if inplace_weight.fits(padded, tap.max(), dy.shape, groups) else dense_weight
    way.run(dy, padded, tap, dw, groups)
    return dw


def correlate(left, padded, tap, y, b, groups):
    """y[n, g*M + m, p] = sum_t left[g, m, t] * padded[n, g, p + tap[t]] (+ b[g*M + m]): choose the tasks and run
    them."""
    if y.size == 0:
        return
    if inplace.fits(padded, y, groups):
        inplace.correlate(left, padded, tap, y, b, groups)
        return
    n, o, ho, wo = y.shape
    threads, width, m = numba.get_num_threads(), VECTORS * lanes(y.dtype), o // groups
    panels = -(-n * ho * wo // width)
    parts = threads if panels * groups < 4 * threads and m >= 4 * ROWS * threads else 1
    blocks = -(-panels // PANELS)
    if parts == 1:  # as many tasks for each thread, where there are panels enough
        blocks = min(panels, -(-blocks * groups // threads) * threads // groups)
    per_task = -(-panels // blocks)
    size = per_task * block_depth(len(tap)) * (width + width // VECTORS) + ROWS * width
    scratch = aligned_empty((threads, size), y.dtype)
    scratch[:] = 0  # lanes never filled must hold numbers: multiplying denormal rubbish is slow
    bias = np.zeros(0, y.dtype) if b is None else np.ascontiguousarray(b)
    _correlate(left, padded, tap, y.reshape(-1), bias, scratch, Tasks(*y.shape, groups, blocks, parts))


@parallel_njit
def _correlate(left, x, tap, y, bias, scratch, tasks):
    n, o, ho, wo, groups, blocks, parts = tasks
    m = o // groups
    part = -(-m // (ROWS * parts)) * ROWS
    panels = -(-n * ho * wo // (VECTORS * (VECTOR_BYTES // y.itemsize)))
    for number in numba.prange(parts * groups * blocks):
        block, group, first = number % blocks, number // blocks % groups, number // blocks // groups * part
        task = Task(group, first, min(m, first + part), block * panels // blocks, (block + 1) * panels // blocks)
        _correlate_block(left, x, tap, y, bias, scratch[numba.get_thread_id()], tasks, task)


@numba.njit(cache=True, nogil=True)
def _correlate_block(left, x, tap, y, bias, own, tasks, task):
    """Block by block of the steps: pack all the task's panels, then use them for all its rows."""
    steps, deepest = len(tap), block_depth(len(tap))
    pitch = (VECTORS + 1) * (VECTOR_BYTES // y.itemsize)
    step = np.empty(steps, np.int64)
    for t in range(steps):
        step[t] = t % deepest * pitch
    right = Right(own, step)
    edge = own[(task.last_panel - task.first_panel) * deepest * pitch :]
    for t in range(0, steps, deepest):
        depth = min(deepest, steps - t)
        _pack_panels(own, x, tap, t, depth, deepest * pitch, tasks, task)
        for row in range(task.first_row, task.last_row, ROWS):
            _multiply_rows(left, right, bias, y, edge, (t, depth, deepest * pitch, row), tasks, task)


@numba.njit(cache=True, nogil=True)
def _pack_panels(own, x, tap, first, depth, size, tasks, task):
    """The panels of a task, `size` numbers apart, for the taps first .. first + depth."""
    total, width = tasks.n * tasks.ho * tasks.wo, VECTORS * (VECTOR_BYTES // own.itemsize)
    runs = np.empty((width, 3), np.int64)
    for panel in range(task.first_panel, task.last_panel):
        count = min(width, total - panel * width)
        found = find_runs(runs, panel * width, count, tasks, x)
        at, x_at = (panel - task.first_panel) * size, task.group * (x.image // tasks.groups)
        pack_panel(own, at, x.data, x_at, tap, first, depth, runs[:found])


@numba.njit(cache=True, nogil=True)
def _multiply_rows(left, right, bias, y, edge, block, tasks, task):
    """ROWS rows times every panel of the task; a tile that crosses an image or a border of y goes through `edge`."""
    n, o, ho, wo, groups, _, _ = tasks
    t, depth, size, row = block
    area, m, a_at = ho * wo, o // groups, task.group * (len(left.numbers) // groups)
    lane_count = VECTOR_BYTES // y.itemsize
    width = VECTORS * lane_count
    for panel in range(task.first_panel, task.last_panel):
        pixel = panel * width
        count = min(width, n * area - pixel)
        spot = Spot(pixel, count, task.group * m + row, min(ROWS, task.last_row - row))
        vectors = -(-count // lane_count)
        b_at = (panel - task.first_panel) * size
        if pixel % area + vectors * lane_count <= area and row + ROWS <= task.last_row:
            y_at = (pixel // area * o + spot.row) * area + pixel % area
            tile(vectors, depth, left, right, At(a_at, row, t, b_at, y_at), y, area, t > 0)
        else:
            tile(vectors, depth, left, right, At(a_at, row, t, b_at, 0), edge, width, False)
            _store_tile(edge, width, y, tasks, spot, t > 0)
        if t + depth == len(left.step) and len(bias):
            _add_bias(bias, y, tasks, spot)


@numba.njit(cache=True, nogil=True)
def _store_tile(edge, width, y, tasks, spot, add):
    """Store (or add) the rows of `edge`, `width` apart, into a piece of y that may cross images."""
    o, area, done = tasks.o, tasks.ho * tasks.wo, 0
    while done < spot.count:
        image, q = (spot.pixel + done) // area, (spot.pixel + done) % area
        length = min(area - q, spot.count - done)
        for r in range(spot.rows):
            at, source = (image * o + spot.row + r) * area + q, r * width + done
            if add:
                for i in range(length):
                    y[at + i] += edge[source + i]
            else:
                for i in range(length):
                    y[at + i] = edge[source + i]
        done += length


@numba.njit(cache=True, nogil=True)
def _add_bias(bias, y, tasks, spot):
    """Add b[o] to a finished tile while it is in the first-level cache."""
    o, area, done = tasks.o, tasks.ho * tasks.wo, 0
    while done < spot.count:
        image, q = (spot.pixel + done) // area, (spot.pixel + done) % area
        length = min(area - q, spot.count - done)
        for r in range(spot.rows):
            at = (image * o + spot.row + r) * area + q
            for i in range(length):
                y[at + i] += bias[spot.row + r]
        done += length
