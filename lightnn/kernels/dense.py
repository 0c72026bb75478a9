"""Dense convolution as an implicit matrix product, with both gradients.

What it computes, with P output pixels (n, oy, ox) and K = C*KH*KW taps (c, i, j):
    forward          y[o, P]  = sum_K w[o, K] * patches[K, P]
    backward_input   dx[c, P] = sum_(o,i,j) w[o, c, i, j] * dy[o, P - (i, j)]   one product for each phase of the stride
    backward_weight  dw[o, K] = sum_P patches[K, P] * dy[o, P]

How memory is walked. The first two are one routine, `correlate`: a task owns a few panels of output pixels (and maybe
a part of the rows); for each block of STEPS taps it packs the panels, then runs down the rows of w, ROWS at a time. A
panel lies in the second-level cache, ROWS rows of w in the first, the tile of y in registers. In `backward_weight` the
panel is a transposed piece of dy and the broadcast operand is the padded image itself, read in place: the im2col
matrix never exists.

Why it is fast. Each packed number is used O times, each weight once a pixel panel; all the arithmetic is in gemm.py's
micro-kernel. Arithmetic intensity from main memory is 2*O*K*P flops over 4*(O*K + C*H*W*N + O*P) bytes: 64 -> 64 3x3
at 56x56 is about 140 flops a byte, far on the compute side of any laptop's roofline.

Every sum has a fixed order for a given thread count, and only backward_weight with few taps depends on that count.
"""

import numba
import numpy as np

from lightnn.kernels import inplace, inplace_weight, parallel_njit
from lightnn.kernels.gemm import ROWS, VECTORS, aligned_empty, lanes, tile, transpose_block
from lightnn.kernels.windows import Axis, axes, find_runs, forward_planes, pack_panel, unit_planes

STEPS = 512  # most taps in a block: a panel is 96 KB
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
    x_group = planes.channel * _channels(planes, n, groups)
    _correlate(
        flat, a_row, a_step, planes.data, (planes.image, x_group, planes.row), x_tap,
        y.reshape(-1), (ho, wo), bias, scratch, sizes, lanes(y.dtype),
    )  # fmt: skip


def _channels(planes, n, groups):
    return planes.image // planes.channel // groups


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
def block_depth(steps):
    """Taps in a block: blocks of about equal depth, at most STEPS."""
    return -(-steps // -(-steps // STEPS))


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


PIXELS = 256  # pixels in a block of backward_weight


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
        run_weight(dy, planes, x_tap, dw, groups)
    return dw


def run_weight(dy, planes, x_tap, dw, groups):
    """dw[g, m, k] = sum_(n, p) planes[n, g, pixel p + x_tap[k]] * dy[n, g*M + m, p]: choose the tasks and run them."""
    n, o, ho, wo = dy.shape
    m, k, pixels = o // groups, len(x_tap), n * ho * wo
    threads = numba.get_num_threads()
    by_taps = threads if k >= 8 * ROWS * threads and groups < 2 * threads else 1
    chunks = threads if by_taps == 1 and groups < 4 * threads else 1
    chunks = min(chunks, pixels)
    lane_count = lanes(dy.dtype)
    k_part = -(-k // (ROWS * by_taps)) * ROWS
    x_row = np.append(x_tap, np.repeat(x_tap[-1], by_taps * k_part - k))
    m_wide = -(-m // lane_count) * lane_count
    sums = aligned_empty((chunks, groups, by_taps * k_part * m_wide), dy.dtype)
    panels = aligned_empty((threads, PIXELS * VECTORS * lane_count), dy.dtype)
    panels[:] = 0
    strides = planes.image, planes.channel * _channels(planes, n, groups), planes.row
    sizes = groups, m, k_part, by_taps, chunks
    _weight(planes.data, strides, x_row, dy.reshape(-1), (n, ho, wo), sums, panels, sizes, lane_count)
    _sum_chunks(sums, dw.reshape(-1), (groups, m, k), lane_count)


@parallel_njit
def _weight(x, strides, x_row, dy, out_shape, sums, panels, sizes, lane_count):
    groups, m, k_part, by_taps, chunks = sizes
    pixels = out_shape[0] * out_shape[1] * out_shape[2]
    for task in numba.prange(chunks * by_taps * groups):
        chunk, taps, g = task // (by_taps * groups), task // groups % by_taps, task % groups
        bounds = chunk * pixels // chunks, (chunk + 1) * pixels // chunks
        own = panels[numba.get_thread_id()]
        _weight_block(
            x, strides, x_row, dy, out_shape, sums[chunk, g], own, sizes, lane_count, g, taps * k_part, bounds
        )


@numba.njit(cache=True, nogil=True)
def _weight_block(x, strides, x_row, dy, out_shape, sums, own, sizes, lane_count, g, k0, bounds):
    """sums[panel][k0 : k0 + k_part, lane] over the pixels within bounds; panel = up to 3 vectors of output channels."""
    groups, m, k_part, by_taps, _ = sizes
    width = 3 * lane_count
    offsets, b_step = np.empty(PIXELS, np.int64), np.empty(PIXELS, np.int64)
    for p in range(bounds[0], bounds[1], PIXELS):
        depth = min(PIXELS, bounds[1] - p)
        pixel_offsets(offsets, p, depth, out_shape, strides)
        for o in range(0, m, width):
            vectors = min(3, -(-(m - o) // lane_count))
            wide = vectors * lane_count
            for t in range(depth):
                b_step[t] = t * wide
            transpose_dy(own, wide, dy, out_shape, groups * m, g * m + o, min(wide, m - o), p, depth, lane_count)
            c_at = o * by_taps * k_part
            for k in range(k0, k0 + k_part, ROWS):
                tile(
                    vectors, depth, x, g * strides[1], x_row, k, offsets, 0,
                    own, 0, b_step, sums, c_at + k * wide, wide, p > bounds[0],
                )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def pixel_offsets(offsets, p, depth, out_shape, strides):
    """Where the planes hold output pixels p .. p+depth (tap 0)."""
    _, ho, wo = out_shape
    for i in range(depth):
        q = (p + i) % (ho * wo)
        offsets[i] = (p + i) // (ho * wo) * strides[0] + q // wo * strides[2] + q % wo


@numba.njit(cache=True, nogil=True)
def transpose_dy(own, wide, dy, out_shape, all_rows, row, rows, pixel, depth, lane_count):
    """own[p, lane] = dy[n, row + lane, q] of pixel p = (n, q): blocks of lane_count x lane_count where they fit."""
    area = out_shape[1] * out_shape[2]
    done = 0
    while done < depth:
        image, q = (pixel + done) // area, (pixel + done) % area
        length = min(area - q, depth - done)
        at = (image * all_rows + row) * area + q
        for lane in range(0, wide, lane_count):
            whole = length // lane_count * lane_count
            if at + (lane + lane_count) * area > len(dy):  # a block would read rows beyond the last
                whole = 0
            for i in range(0, whole, lane_count):
                transpose_block(own, (done + i) * wide + lane, wide, dy, at + lane * area + i, area)
            for r in range(lane, min(rows, lane + lane_count) if whole < length else 0):
                for i in range(whole, length):
                    own[(done + i) * wide + r] = dy[at + r * area + i]
        done += length


@parallel_njit
def _sum_chunks(sums, dw, shape, lane_count):
    """dw[g, m, k] = sum over chunks, in order, of sums[chunk, g, panel, k, lane]."""
    groups, m, k = shape
    chunks, _, size = sums.shape
    panels = -(-m // (3 * lane_count))
    parts = -(-k // 256)
    k_all = size // (-(-m // lane_count) * lane_count)
    for task in numba.prange(groups * panels * parts):
        g, o, part = task // (panels * parts), task // parts % panels * 3 * lane_count, task % parts
        wide = min(3 * lane_count, -(-(m - o) // lane_count) * lane_count)
        first, last = part * 256, min(k, part * 256 + 256)
        start = o * k_all
        for chunk in range(1, chunks):
            for i in range(start + first * wide, start + last * wide):
                sums[0, g, i] += sums[chunk, g, i]
        for r in range(0, wide, lane_count):
            rows = min(lane_count, m - o - r)
            for t in range(first, last, lane_count):
                source, to = start + t * wide + r, (g * m + o + r) * k + t
                if rows == lane_count and t + lane_count <= last:
                    transpose_block(dw, to, k, sums[0, g], source, wide)
                else:
                    for i in range(min(lane_count, last - t)):
                        for j in range(rows):
                            dw[to + j * k + i] = sums[0, g, source + i * wide + j]
