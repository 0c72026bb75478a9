"""Depthwise convolution of small planes: V channels side by side, one a vector lane.

What it computes. The three functions of depthwise.py (m = 1), with its windows, phases and tap offsets; but each place
of the padded buffer holds a vector of V channels, and each tap a vector of V weights.

How memory is walked. V neighbouring planes are read together and turned in registers (turn.py), V x V numbers at a
time, each vector going straight to its padded place; a table says where. The outputs are turned back the same way. If
V does not divide the number of channels, the last block starts early and overlaps the one before.

Why it is fast. A 7 x 7 plane is too short for vectors along its rows: copying 7 numbers, and the waste at the end of
each run, cost more than the arithmetic. Side by side, every load and store is a whole aligned vector (two a cycle
instead of one), whatever the size of the plane. Turning costs about half a cycle a number, against KH*KW / V / 2 for
the arithmetic. Arithmetic intensity as in depthwise.py; oneDNN's nChw16c layout is the same idea, kept from layer to
layer.
"""

import functools
from typing import NamedTuple

import numba
import numpy as np

from lightnn.kernels.conv import planes
from lightnn.kernels.parallel import parallel_njit
from lightnn.kernels.vector import simd, taps, turn

LARGEST = 400  # numbers in a plane above which runs along the rows are as good


class Slots(NamedTuple):
    """Where each number of a plane goes in the scratch array that holds V planes side by side."""

    source: np.ndarray  # of the plane that is read
    to: np.ndarray  # of the plane that is written; in the weight gradient of dy
    channels: int


def suits(x_shape, out_shape, win, channels, lanes):
    """Whether the planes are small enough to gain and large enough (V numbers in and out) to be turned."""
    small, large = sorted((x_shape[0] * x_shape[1], out_shape[0] * out_shape[1]))
    return channels >= lanes <= small and large <= LARGEST and win.band == win.out_h


def forward_slots(x_shape, win, channels, lanes):
    """x in the buffer, y in the run."""
    source = _slots(tuple(x_shape), (win.sh, win.sw), (win.top, win.left), win, lanes)
    return Slots(source, _run_slots(win, lanes), channels)


def input_slots(win, grid, channels, lanes):
    """dy in the buffer, dx in the sections of the phases."""
    source = _slots((win.height, win.width), (1, 1), (win.top, win.left), win, lanes)
    return Slots(source, _section_slots(win, grid, lanes), channels)


@functools.lru_cache
def _slots(shape, stride, before, win, lanes):
    """Where each number of a plane goes in the buffer; what no window reads goes behind its end."""
    h, w = (np.arange(size) + first for size, first in zip(shape, before, strict=True))
    (u, a), (v, b) = divmod(h, stride[0]), divmod(w, stride[1])
    slot = ((a[:, None] * win.wide + b) * win.rows + u[:, None]) * win.pitch + v
    read = ((a < win.high) & (u >= 0) & (u < win.rows))[:, None] & (b < win.wide) & (v >= 0) & (v < win.pitch)
    spare = win.high * win.wide * win.rows * win.pitch + taps.BLOCK
    return (np.where(read, slot, spare).reshape(-1) * lanes).astype(np.int64)


@functools.lru_cache
def _run_slots(win, lanes):
    """Where output (i, j) lies in the run of outputs."""
    return ((np.arange(win.out_h)[:, None] * win.pitch + np.arange(win.out_w)).reshape(-1) * lanes).astype(np.int64)


@functools.lru_cache
def _section_slots(win, grid, lanes):
    """Where pixel (h, w) of dx lies in the runs of its phases, one run after the other."""
    sh, sw, height, width, h0, skip, _, _ = grid
    (u, a), (v, b) = divmod(np.arange(height) - h0, sh), divmod(np.arange(width) + skip, sw)
    section = win.band * win.pitch + taps.BLOCK
    return (((a[:, None] * sw + b) * section + u[:, None] * win.pitch + v).reshape(-1) * lanes).astype(np.int64)


@numba.njit(cache=True, nogil=True)
def _zeros(places, like):
    """Zeroed scratch for `places` vectors and the overrun, on a cache line."""
    lanes = simd.VECTOR_BYTES // like.itemsize
    size = (places + taps.BLOCK + 1) * lanes
    raw = np.zeros(size + 64 // like.itemsize, like.dtype)
    start = -raw.ctypes.data % 64 // like.itemsize
    return raw[start : start + size]


@numba.njit(cache=True, nogil=True)
def _side_by_side(to, w, at, n_taps, lanes):
    """The weights of `lanes` channels, tap by tap."""
    for t in range(n_taps):
        for lane in range(lanes):
            to[t * lanes + lane] = w[at + lane * n_taps + t]


@numba.njit(cache=True, nogil=True)
def forward_blocks(x, filters, b, y, win, slots, first, last):
    """Piece p is image p % N of block p // N."""
    x_slot, y_slot, channels = slots
    size, lanes, n_taps = len(x_slot), simd.VECTOR_BYTES // x.itemsize, len(filters.offset)
    images, count = len(x) // (channels * size), win.band * win.pitch * lanes
    buffer, out, weights = _zeros(planes.buffer_size(win), x), _zeros(win.band * win.pitch, x), _zeros(n_taps, x)
    by_lane = taps.Filter(weights, filters.offset * lanes)
    for piece in range(first, last):
        c = min(piece // images * lanes, channels - lanes)
        plane = piece % images * channels + c
        _side_by_side(weights, filters.w, c * n_taps, n_taps, lanes)
        turn.to_lanes(buffer, x_slot, x, plane * size, size, size)
        taps.add_taps_by_lane(out, count, buffer, by_lane, 0, n_taps, b[c : c + lanes])
        turn.from_lanes(y, plane * len(y_slot), len(y_slot), out, y_slot, len(y_slot))


@parallel_njit
def forward_parallel(x, filters, b, y, win, slots, pieces, parts):
    for part in numba.prange(parts):
        first, last = part * pieces // parts, (part + 1) * pieces // parts
        forward_blocks(x, filters, b, y, win, slots, first, last)


@numba.njit(cache=True, nogil=True)
def input_blocks(dy, filters, dx, win, phase_start, slots, first, last):
    dy_slot, dx_slot, channels = slots
    size, lanes, n_taps = len(dx_slot), simd.VECTOR_BYTES // dy.itemsize, len(filters.offset)
    images, phases, count = len(dx) // (channels * size), len(phase_start) - 1, win.band * win.pitch * lanes
    section = (win.band * win.pitch + taps.BLOCK) * lanes
    buffer, out = _zeros(planes.buffer_size(win), dy), _zeros(phases * section // lanes, dy)
    weights, nothing = _zeros(n_taps, dy), np.zeros(lanes, dy.dtype)
    by_lane = taps.Filter(weights, filters.offset * lanes)
    for piece in range(first, last):
        c = min(piece // images * lanes, channels - lanes)
        plane = piece % images * channels + c
        _side_by_side(weights, filters.w, c * n_taps, n_taps, lanes)
        turn.to_lanes(buffer, dy_slot, dy, plane * len(dy_slot), len(dy_slot), len(dy_slot))
        for phase in range(phases):
            run = out[phase * section : (phase + 1) * section]
            taps.add_taps_by_lane(run, count, buffer, by_lane, phase_start[phase], phase_start[phase + 1], nothing)
        turn.from_lanes(dx, plane * size, size, out, dx_slot, size)


@parallel_njit
def input_parallel(dy, filters, dx, win, phase_start, slots, pieces, parts):
    for part in numba.prange(parts):
        first, last = part * pieces // parts, (part + 1) * pieces // parts
        input_blocks(dy, filters, dx, win, phase_start, slots, first, last)


@numba.njit(cache=True, nogil=True)
def weight_blocks(dy, x, dw, win, offset, slots, first, last):
    """Piece p is block p, all images."""
    x_slot, y_slot, channels = slots
    size, dy_size, lanes, n_taps = len(x_slot), len(y_slot), simd.VECTOR_BYTES // x.itemsize, len(dw) // channels
    buffer, run = _zeros(planes.buffer_size(win), x), _zeros(win.band * win.pitch, x)
    total = np.empty(len(offset) * lanes, np.float64)
    offset = offset * lanes
    for piece in range(first, last):
        c = min(piece * lanes, channels - lanes)
        total[:] = 0
        for plane in range(c, len(x) // size, channels):
            turn.to_lanes(buffer, x_slot, x, plane * size, size, size)
            turn.to_lanes(run, y_slot, dy, plane * dy_size, dy_size, dy_size)
            for t in range(0, n_taps, taps.GROUP):
                taps.dot_taps_by_lane(total, t, run, win.band * win.pitch * lanes, buffer, offset, t)
        for lane in range(lanes):
            for t in range(n_taps):
                dw[(c + lane) * n_taps + t] = total[t * lanes + lane]


@parallel_njit
def weight_parallel(dy, x, dw, win, offset, slots, pieces, parts):
    for part in numba.prange(parts):
        first, last = part * pieces // parts, (part + 1) * pieces // parts
        weight_blocks(dy, x, dw, win, offset, slots, first, last)
