"""Numba loops on plain arrays: what an operation costs when nothing but the machine limits it.

A kernel checks nothing (the op above it does) and never touches the tape. Importing this package compiles nothing:
every kernel is compiled at its first call and kept in Numba's on-disk cache.

Where an op ends:

    conv2d, grouped_conv2d   conv/dense.py        forward and dx; with few output channels conv/inplace.py
                             conv/winograd.py     both, for 3x3 of stride 1 in float32
                             conv/dense_weight.py dw; with few output channels conv/inplace_weight.py
    depthwise_conv2d         conv/depthwise.py    small planes: conv/depthwise_lanes.py
    shift2d                  conv/shift.py
    max_, avg_, adaptive_... conv/pool.py         an average is a depthwise convolution with weights 1
    batch_norm               conv/norm.py
    relu, hardswish, channel_shuffle, ...         conv/elementwise.py
    linear                   matrix/matmul.py           one row of x: matrix/matvec.py
    sparse_linear            matrix/sparse_linear.py    sums in matrix/sparse_rows.py
    sparse_conv2d            matrix/sparse.py           as well

and the same on bytes, channels last, with integers alone, for a network of 8 bits:

    conv, linear             quantized/conv.py          groups with one channel: quantized/depthwise.py
    float32 to bytes, back   quantized/convert.py
    pooling                  quantized/pool.py
    addition, concatenation  quantized/join.py

and on signs, one bit each, 64 to a word, for a binary network:

    floats to words, back    binary/words.py
    linear, conv             binary/product.py, binary/conv.py    images of words: binary/image.py
    pooling                  binary/pool.py
    batch norm and sign      binary/thresholds.py       one threshold a channel

A whole float network in channels last, all steps in one parallel region:

    runtime.lower            program/run.py             tasks: program/steps.py; tile and epilogue: program/tile.py

and what those files are made of:

    parallel.py              threads, the lock, the cache of compiled code; `run` cuts work into parts
    conv/windows.py          the padded image and its tap offsets; panels of patches       (dense, sparse)
    conv/planes.py           one padded plane in a scratch buffer; the size of an output   (depthwise, pool)
    vector/gemm.py           the register tile: ROWS x 3 vectors of sums; in LLVM: vector/gemm_llvm.py
    vector/filtering.py      Winograd's transforms: tiles and filters to points and back; vector/filtering_llvm.py
    vector/taps.py           sums of shifted copies, for one filter a channel
    vector/simd.py turn.py   copying in vectors; rows turned into columns
    quantized/quads.py       bytes, four to a number; by which instruction they are multiplied, if the host has it
    quantized/panel_llvm.py  the register tile of bytes, from sums to bytes in registers
    quantized/image.py       where the windows of an image of bytes lie
    quantized/depthwise_llvm.py                  a row of pixels of many channels, woven to quads in registers
    quantized/requantize.py requantize_llvm.py   from a 32-bit sum back to a byte: gemmlowp's fixed point
    binary/popcount.py words_llvm.py             the register tile of words: XOR, popcount; comparisons to bits

A reading order: ladder.py (one convolution in seven steps), vector/gemm.py, conv/windows.py, conv/dense.py;
vector/filtering.py, conv/winograd_parts.py, conv/winograd.py; then conv/planes.py, vector/taps.py, conv/depthwise.py;
then matrix/sparse_rows.py, matrix/sparse.py; quantized/requantize.py, quantized/quads.py, quantized/panel_llvm.py,
quantized/image.py, quantized/conv.py; binary/words.py, binary/popcount.py, binary/product.py, binary/image.py,
binary/conv.py; the rest as needed.

One letter, one thing, in all files:

    n image     c input channel    o output channel    g group       M filters in a group, or of a channel
    i, j output pixel              k, l kernel tap     s stride      d dilation     p padding
    h, w row and column of x       u, v row and column of a padded plane, a, b their phases of the stride
    t step of a sum: one tap (c, k, l)             e stored element of a sparse row
    q place of (i, j) in a plane that is counted as one run           r row of a tile: one filter

    quad       four bytes side by side, as one 32-bit number
    tap        where step t reads, counted from a pixel's place in the padded image
    plane      one channel of one image
    panel      numbers packed side by side for the micro-kernel, V (the lanes of a vector) or a few times V wide
    correlate  y[n, o, p] = sum_t weight[o, t] * padded[n, p + tap[t]]: what dense.py, inplace.py and sparse.py do
    gather     to fetch numbers one by one through a table of indices        turn   to transpose, V x V at a time
    pieces     what work can be cut into; parts: what it is cut into, one a thread; tasks: the parts of a prange

In matrix/ the letters are the matrices': c (M, N) = a (M, K) @ b (K, N).
"""

import pathlib

from lightnn.kernels.parallel import find_cache, forget_stale_code, parallel_njit

__all__ = ["forget_stale_code", "parallel_njit"]

forget_stale_code(pathlib.Path(__file__).parent)
find_cache(pathlib.Path(__file__).parent)
