"""Depthwise convolution of small planes: V channels side by side, one a vector lane.

What it computes. The three functions of depthwise.py (m = 1), with its windows, phases and tap offsets; but each place
of the padded buffer holds a vector of V channels, and each tap a vector of V weights.

How memory is walked. V neighbouring planes are read together and turned in registers (turn.spread), V x V numbers at a
time, each vector going straight to its padded place; a table says where. The outputs are turned back the same way. If
V does not divide the number of channels, the last block starts early and overlaps the one before.

Why it is fast. A 7 x 7 plane is too short for vectors along its rows: copying 7 numbers, and the waste at the end of
each run, cost more than the arithmetic. Side by side, every load and store is a whole aligned vector (two a cycle
instead of one), whatever the size of the plane. Turning costs about half a cycle a number, against KH*KW / V / 2 for
the arithmetic. Arithmetic intensity as in depthwise.py; oneDNN's nChw16c layout is the same idea, kept from layer to
layer.
"""

import functools

import numba
import numpy as np

from lightnn.kernels.conv import planes
from lightnn.kernels.parallel import parallel_njit
from lightnn.kernels.vector import correlate, simd, turn

LARGEST = 400  # numbers in a plane above which runs along the rows are as good


def suits(x_shape, out_shape, win, m, lanes):
    """Whether the planes are small enough to gain and large enough (V numbers in and out) to be turned."""
    small, large = sorted((x_shape[2] * x_shape[3], out_shape[0] * out_shape[1]))
    return m == 1 and x_shape[1] >= lanes <= small and large <= LARGEST and win.band == win.out_h


def forward_args(x_shape, win, lanes):
    """(places of x in the buffer, places of y in the run, channels)."""
    return _slots(x_shape[2:], (win.sh, win.sw), (win.top, win.left), win, lanes), _run_slots(win, lanes), x_shape[1]


def input_args(win, steps, lanes):
    """(places of dy in the buffer, places of dx in the sections of the phases)."""
    return _slots((win.height, win.width), (1, 1), (win.top, win.left), win, lanes), _section_slots(win, steps, lanes)


@functools.lru_cache
def _slots(shape, stride, before, win, lanes):
    """Where each number of a plane goes in the buffer; what no window reads goes behind its end."""
    h, w = (np.arange(size) + first for size, first in zip(shape, before, strict=True))
    (u, a), (v, b) = (divmod(k, step) for k, step in ((h, stride[0]), (w, stride[1])))
    slot = ((a[:, None] * win.wide + b) * win.rows + u[:, None]) * win.pitch + v
    read = ((a < win.high) & (u >= 0) & (u < win.rows))[:, None] & (b < win.wide) & (v >= 0) & (v < win.pitch)
    spare = win.high * win.wide * win.rows * win.pitch + correlate.BLOCK
    return (np.where(read, slot, spare).reshape(-1) * lanes).astype(np.int64)


@functools.lru_cache
def _run_slots(win, lanes):
    """Where output (i, j) lies in the run of outputs."""
    return ((np.arange(win.out_h)[:, None] * win.pitch + np.arange(win.out_w)).reshape(-1) * lanes).astype(np.int64)


@functools.lru_cache
def _section_slots(win, steps, lanes):
    """Where pixel (h, w) of dx lies in the runs of its phases, one run after the other."""
    sh, sw, height, width, h0, skip = steps
    (u, a), (v, b) = divmod(np.arange(height) - h0, sh), divmod(np.arange(width) + skip, sw)
    section = win.band * win.pitch + correlate.BLOCK
    return (((a[:, None] * sw + b) * section + u[:, None] * win.pitch + v).reshape(-1) * lanes).astype(np.int64)


@numba.njit(cache=True, nogil=True)
def _zeros(places, like):
    """Zeroed scratch for `places` vectors and the overrun, on a cache line."""
    lanes = simd.VECTOR_BYTES // like.itemsize
    size = (places + correlate.BLOCK + 1) * lanes
    raw = np.zeros(size + 64 // like.itemsize, like.dtype)
    start = -raw.ctypes.data % 64 // like.itemsize
    return raw[start : start + size]


@numba.njit(cache=True, nogil=True)
def _side_by_side(to, w, at, taps, lanes):
    """The weights of `lanes` channels, tap by tap."""
    for t in range(taps):
        for lane in range(lanes):
            to[t * lanes + lane] = w[at + lane * taps + t]


@numba.njit(cache=True, nogil=True)
def forward_blocks(x, w, b, y, win, offset, x_slot, y_slot, channels, first, last):
    """Piece p is image p % N of block p // N."""
    size, lanes, taps = len(x_slot), simd.VECTOR_BYTES // x.itemsize, len(offset)
    images = len(x) // (channels * size)
    buffer, out = _zeros(planes.buffer_size(win), x), _zeros(win.band * win.pitch, x)
    weights = _zeros(taps, x)
    offset = offset * lanes
    for piece in range(first, last):
        c = min(piece // images * lanes, channels - lanes)
        plane = piece % images * channels + c
        _side_by_side(weights, w, c * taps, taps, lanes)
        turn.spread(buffer, x_slot, x, plane * size, size, size)
        count = win.band * win.pitch * lanes
        correlate.add_taps_by_lane(out, count, buffer, offset, weights, 0, taps, b[c : c + lanes])
        turn.gather(y, plane * len(y_slot), len(y_slot), out, y_slot, len(y_slot))


@parallel_njit
def forward_parallel(x, w, b, y, win, offset, x_slot, y_slot, channels, pieces, parts):
    for p in numba.prange(parts):
        first, last = p * pieces // parts, (p + 1) * pieces // parts
        forward_blocks(x, w, b, y, win, offset, x_slot, y_slot, channels, first, last)


@numba.njit(cache=True, nogil=True)
def input_blocks(dy, w, dx, win, offset, phase_start, dy_slot, dx_slot, channels, first, last):
    size, lanes, taps = len(dx_slot), simd.VECTOR_BYTES // dy.itemsize, len(offset)
    images, phases = len(dx) // (channels * size), len(phase_start) - 1
    section = (win.band * win.pitch + correlate.BLOCK) * lanes
    buffer, out = _zeros(planes.buffer_size(win), dy), _zeros(phases * section // lanes, dy)
    weights, nothing = _zeros(taps, dy), np.zeros(lanes, dy.dtype)
    offset = offset * lanes
    for piece in range(first, last):
        c = min(piece // images * lanes, channels - lanes)
        plane = piece % images * channels + c
        _side_by_side(weights, w, c * taps, taps, lanes)
        turn.spread(buffer, dy_slot, dy, plane * len(dy_slot), len(dy_slot), len(dy_slot))
        for phase in range(phases):
            tap, end = phase_start[phase], phase_start[phase + 1]
            run = out[phase * section : (phase + 1) * section]
            count = win.band * win.pitch * lanes
            correlate.add_taps_by_lane(run, count, buffer, offset, weights, tap, end - tap, nothing)
        turn.gather(dx, plane * size, size, out, dx_slot, size)


@parallel_njit
def input_parallel(dy, w, dx, win, offset, phase_start, dy_slot, dx_slot, channels, pieces, parts):
    for p in numba.prange(parts):
        first, last = p * pieces // parts, (p + 1) * pieces // parts
        input_blocks(dy, w, dx, win, offset, phase_start, dy_slot, dx_slot, channels, first, last)


@numba.njit(cache=True, nogil=True)
def weight_blocks(dy, x, dw, win, offset, taps, x_slot, y_slot, channels, first, last):
    """Piece p is block p, all images."""
    size, out_size, lanes = len(x_slot), len(y_slot), simd.VECTOR_BYTES // x.itemsize
    buffer, run = _zeros(planes.buffer_size(win), x), _zeros(win.band * win.pitch, x)
    total = np.empty(len(offset) * lanes, np.float64)
    offset = offset * lanes
    for piece in range(first, last):
        c = min(piece * lanes, channels - lanes)
        total[:] = 0
        for plane in range(c, len(x) // size, channels):
            turn.spread(buffer, x_slot, x, plane * size, size, size)
            turn.spread(run, y_slot, dy, plane * out_size, out_size, out_size)
            for t in range(0, taps, correlate.GROUP):
                correlate.dot_taps_by_lane(total, t, run, win.band * win.pitch * lanes, buffer, offset, t)
        for lane in range(lanes):
            for t in range(taps):
                dw[(c + lane) * taps + t] = total[t * lanes + lane]


@parallel_njit
def weight_parallel(dy, x, dw, win, offset, taps, x_slot, y_slot, channels, pieces, parts):
    for p in numba.prange(parts):
        first, last = p * pieces // parts, (p + 1) * pieces // parts
        weight_blocks(dy, x, dw, win, offset, taps, x_slot, y_slot, channels, first, last)
