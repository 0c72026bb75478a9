"""Dense convolution as an implicit matrix product, with both gradients.

What it computes, with P output pixels (n, oy, ox) and K = C*KH*KW taps (c, i, j):
    forward          y[o, P]  = sum_K w[o, K] * patches[K, P]
    backward_input   dx[c, P] = sum_(o,i,j) w[o, c, i, j] * dy[o, P - (i, j)]   one product for each phase of the stride
    backward_weight  dw[o, K] = sum_P patches[K, P] * dy[o, P]

How memory is walked. The first two are one routine, `correlate`: a task owns a few panels of output pixels (and maybe
a part of the rows); for each block of STEPS taps it packs the panels, then runs down the rows of w, ROWS at a time. A
panel lies in the second-level cache, ROWS rows of w in the first, the tile of y in registers: the im2col matrix never
exists. `backward_weight` is in dense_weight.py. With few output channels nothing is packed (inplace.py,
inplace_weight.py).

Why it is fast. Each packed number is used O times, each weight once a pixel panel; all the arithmetic is in gemm.py's
micro-kernel. Arithmetic intensity from main memory is 2*O*K*P flops over 4*(O*K + C*H*W*N + O*P) bytes: 64 -> 64 3x3
at 56x56 is about 140 flops a byte, far on the compute side of any laptop's roofline.

Every sum has a fixed order for a given thread count, and only the weight gradient may depend on that count.
"""

import numba
import numpy as np

from lightnn.kernels.conv import dense_weight, inplace, inplace_weight
from lightnn.kernels.conv.windows import Axis, axes, find_runs, forward_planes, pack_panel, unit_planes
from lightnn.kernels.parallel import parallel_njit
from lightnn.kernels.vector.gemm import ROWS, VECTORS, aligned_empty, block_depth, lanes, tile

PANELS = 4  # panels in a block: ROWS rows of the weights are read from memory once for all of them


def forward(x, w, b, stride, padding, dilation, groups=1):
    """y (N, O, Ho, Wo)."""
    vertical, horizontal = axes(x.shape, w.shape[2:], stride, padding, dilation)
    n, o = x.shape[0], w.shape[0]
    y = np.empty((n, o, vertical.out, horizontal.out), x.dtype)
    planes, taps = forward_planes(x, vertical, horizontal, stride, padding)
    k = w[0].size
    x_tap = (np.arange(w.shape[1])[:, None] * planes.channel + taps).reshape(-1)
    weights = np.ascontiguousarray(w).reshape(-1), np.arange(o // groups) * k, np.arange(k)
    run_correlate(weights, planes, x_tap, y, b, groups)
    return y


def backward_input(dy, w, x_shape, stride, padding, dilation, groups=1):
    """dx (N, C, H, W). Pixels iy of one phase (iy + top) % sh meet the same taps, so each phase is a convolution of
    stride 1."""
    o_group, c_group, kh, kw = w.shape[0] // groups, *w.shape[1:]
    vertical = _input_phases(x_shape[2], dy.shape[2], kh, stride[0], padding[0], dilation[0])
    horizontal = _input_phases(x_shape[3], dy.shape[3], kw, stride[1], padding[2], dilation[1])
    planes = unit_planes(dy, (vertical[1], horizontal[1]), vertical[2], horizontal[2])
    flat = np.ascontiguousarray(w).reshape(-1)
    dx = np.empty(x_shape, dy.dtype) if stride == (1, 1) else np.zeros(x_shape, dy.dtype)
    o = np.arange(o_group)[:, None]
    for y0, high, rows in vertical[0]:
        for x0, wide, columns in horizontal[0]:
            kernel = np.array([i * kw + j for i, _ in rows for j, _ in columns])
            shift = np.array([u * planes.row + v for _, u in rows for _, v in columns])
            if high and wide and len(kernel):
                a_step = (o * (c_group * kh * kw) + kernel).reshape(-1)
                x_tap = (o * planes.channel + shift).reshape(-1)
                weights = flat, np.arange(c_group) * (kh * kw), a_step
                part = dx if stride == (1, 1) else np.empty((*x_shape[:2], high, wide), dy.dtype)
                run_correlate(weights, planes, x_tap, part, None, groups)
                if stride != (1, 1):
                    dx[:, :, y0 :: stride[0], x0 :: stride[1]] = part
    return dx


def _input_phases(size, out, kernel, stride, before, dilation):
    """Of each phase (first pixel, pixels, [(tap, shift)]); the padding before dy; the Axis of the padded dy."""
    first = [(k * dilation - before) % stride for k in range(kernel)]
    reach = [(first[k] + before - k * dilation) // stride for k in range(kernel)]  # dy row = pixel number + reach
    low = min(reach)
    phases = [
        (y0, len(range(y0, size, stride)), [(k, reach[k] - low) for k in range(kernel) if first[k] == y0])
        for y0 in range(stride)
    ]
    high = max(count + max((u for _, u in taps), default=0) for _, count, taps in phases)
    return phases, -low, Axis(out, high, (0,), ())


def run_correlate(weights, planes, x_tap, y, b, groups):
    """y[n, g*M + m, p] = sum_k a[g, m, k] * planes[n, g, pixel p + x_tap[k]] (+ b): choose the tasks and run them."""
    flat, a_row, a_step = weights
    n, rows, ho, wo = y.shape
    m, steps = rows // groups, len(x_tap)
    if y.size == 0:
        return
    if inplace.fits(planes, y, groups):
        inplace.correlate(weights, planes, x_tap, y, b, groups)
        return
    threads = numba.get_num_threads()
    width = VECTORS * lanes(y.dtype)
    panels = -(-n * ho * wo // width)
    split = threads if panels * groups < 4 * threads and m >= 4 * ROWS * threads else 1
    blocks = -(-panels // PANELS)
    if split == 1:  # as many tasks for each thread, where there are panels enough
        blocks = min(panels, -(-blocks * groups // threads) * threads // groups)
    per_task = -(-panels // blocks)
    a_row = np.append(a_row, np.repeat(a_row[-1], -m % ROWS))  # rows beyond the last repeat it, and are not stored
    scratch = aligned_empty(
        (threads, per_task * block_depth(steps) * (width + width // VECTORS) + ROWS * width), y.dtype
    )
    scratch[:] = 0  # lanes never filled must hold numbers: multiplying denormal rubbish is slow
    bias = np.zeros(0, y.dtype) if b is None else np.ascontiguousarray(b)
    sizes = n, groups, m, steps, blocks, split
    _correlate(
        flat, a_row, a_step, planes.data, (planes.image, planes.image // groups, planes.row), x_tap,
        y.reshape(-1), (ho, wo), bias, scratch, sizes, lanes(y.dtype),
    )  # fmt: skip


@parallel_njit
def _correlate(a, a_row, a_step, x, x_strides, x_tap, y, out_shape, bias, scratch, sizes, lane_count):
    n, groups, m, _, blocks, split = sizes
    part = -(-m // (ROWS * split)) * ROWS
    for task in numba.prange(split * groups * blocks):
        g = task // blocks % groups
        first = task // blocks // groups * part
        rows = first, min(m, first + part)
        own = scratch[numba.get_thread_id()]
        _correlate_block(
            a, a_row, a_step, x, x_strides, x_tap, y, out_shape, bias, own, sizes, lane_count, g, task % blocks, rows
        )


@numba.njit(cache=True, nogil=True)
def _correlate_block(a, a_row, a_step, x, x_strides, x_tap, y, out_shape, bias, own, sizes, lane_count, g, block, rows):
    n, groups, m, steps, blocks, _ = sizes
    width = 3 * lane_count
    pitch = width + lane_count  # room for what the last run of a row writes too much
    area = out_shape[0] * out_shape[1]
    total = n * area
    runs = np.empty((3, width), np.int64)
    panels = -(-total // width)
    first, last = block * panels // blocks, (block + 1) * panels // blocks
    deepest = block_depth(steps)
    b_step = np.empty(steps, np.int64)
    for t in range(steps):
        b_step[t] = t % deepest * pitch
    edge = own[(last - first) * deepest * pitch :]
    for k in range(0, steps, deepest):
        depth = min(deepest, steps - k)
        for panel in range(first, last):
            count = min(width, total - panel * width)
            n_runs = find_runs(runs, panel * width, count, out_shape, x_strides[0], x_strides[2])
            at = (panel - first) * deepest * pitch
            pack_panel(own, at, pitch, x, g * x_strides[1], x_tap, k, depth, runs, n_runs, lane_count)
        for r in range(rows[0], rows[1], ROWS):
            for panel in range(first, last):
                pixel = panel * width
                count = min(width, total - pixel)
                vectors = -(-count // lane_count)
                at = (panel - first) * deepest * pitch
                a_at = g * m * len(a) // (groups * m)
                inside = pixel % area + vectors * lane_count <= area and r + ROWS <= rows[1]
                y_at = (pixel // area * groups * m + g * m + r) * area + pixel % area
                if inside:
                    tile(vectors, depth, a, a_at, a_row, r, a_step, k, own, at, b_step, y, y_at, area, k > 0)
                else:
                    tile(vectors, depth, a, a_at, a_row, r, a_step, k, own, at, b_step, edge, 0, width, False)
                    scatter_tile(
                        edge, width, min(ROWS, rows[1] - r), count, y, pixel, g * m + r, groups * m, area, k > 0
                    )
                if k + depth == steps and len(bias):
                    add_bias(bias, g * m + r, min(ROWS, rows[1] - r), count, y, pixel, groups * m, area)


@numba.njit(cache=True, nogil=True)
def scatter_tile(edge, width, rows, count, y, pixel, row, all_rows, area, add):
    """Store a tile that crosses an image, or a border of y."""
    done = 0
    while done < count:
        image, q = (pixel + done) // area, (pixel + done) % area
        length = min(area - q, count - done)
        for r in range(rows):
            at = (image * all_rows + row + r) * area + q
            if add:
                for i in range(length):
                    y[at + i] += edge[r * width + done + i]
            else:
                for i in range(length):
                    y[at + i] = edge[r * width + done + i]
        done += length


@numba.njit(cache=True, nogil=True)
def add_bias(bias, row, rows, count, y, pixel, all_rows, area):
    """Add b[o] to a finished tile while it is in the first-level cache."""
    done = 0
    while done < count:
        image, q = (pixel + done) // area, (pixel + done) % area
        length = min(area - q, count - done)
        for r in range(rows):
            at = (image * all_rows + row + r) * area + q
            for i in range(length):
                y[at + i] += bias[row + r]
        done += length


def backward_weight(dy, x, w_shape, stride, padding, dilation, groups=1):
    """dw (O, C/groups, KH, KW), summed over pixels in a fixed order."""
    vertical, horizontal = axes(x.shape, w_shape[2:], stride, padding, dilation)
    dw = np.zeros(w_shape, dy.dtype)
    if dy.size == 0 or dw.size == 0:
        return dw
    planes, taps = forward_planes(x, vertical, horizontal, stride, padding)
    x_tap = (np.arange(w_shape[1])[:, None] * planes.channel + taps).reshape(-1)
    dy = np.ascontiguousarray(dy)
    if inplace_weight.fits(planes, x_tap.max(), dy.shape, groups):
        inplace_weight.run(dy, planes, x_tap, dw, groups)
    else:
        dense_weight.run(dy, planes, x_tap, dw, groups)
    return dw
