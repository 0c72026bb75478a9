"""Wrong solutions of the exercises of chapter 04: each must be rejected."""

import heapq
import math

import numpy as np

from lightnn.compress.transforms.clustering import kmeans, linear_init, nearest
from lightnn.compress.transforms.codebook import Codebook
from lightnn.io.huffman import LONGEST
from lightnn.nn import Parameter
from lightnn.tensor import op


# 04.1: ceil(log2 k)
def sharing_rate(n, bits, k):
    return n * bits / (n * math.ceil(math.log2(k)) + k * bits)


# 04.1: bit_length of k - 1
def sharing_rate(n, bits, k):
    return n * bits / (n * (k - 1).bit_length() + k * bits)


# 04.1: integer division
def sharing_rate(n, bits, k):
    return n * bits // (n * int(math.log2(k)) + k * bits)


# 04.1: rounded
def sharing_rate(n, bits, k):
    return round(n * bits / (n * np.log2(k) + k * bits), 2)


# 04.1: the codes' bits times b
def sharing_rate(n, bits, k):
    return n * bits / (n * np.log2(k) * bits + k * bits)


# 04.1: an array
def sharing_rate(n, bits, k):
    return np.array([n * bits / (n * np.log2(k) + k * bits)])


# 04.1: precedence
def sharing_rate(n, bits, k):
    return n * bits / n * np.log2(k) + k * bits


# 04.1: n log2 n
def sharing_rate(n, bits, k):
    return n * bits / (n * np.log2(n) + k * bits)


# 04.1: saved bits in place of the rate
def sharing_rate(n, bits, k):
    return 1 - (n * np.log2(k) + k * bits) / (n * bits)


# 04.1: log2(k) at least 1
def sharing_rate(n, bits, k):
    return n * bits / (n * max(1, np.log2(k)) + k * bits)


# 04.1: the codebook is counted with 32 bits
def sharing_rate(n, bits, k):
    return n * bits / (n * np.log2(k) + k * 32)


# 04.2: bincount without minlength
@op
def look_up(codebook, *, codes):
    return codebook[codes], lambda dy: np.bincount(codes.ravel(), dy.ravel())


# 04.2: g[codes] += dy
@op
def look_up(codebook, *, codes):
    def gradient(dy):
        g = np.zeros_like(codebook)
        g[codes] += dy
        return g

    return codebook[codes], gradient


# 04.2: g[codes] = dy
@op
def look_up(codebook, *, codes):
    def gradient(dy):
        g = np.zeros(len(codebook))
        g[codes] = dy
        return g

    return codebook[codes], gradient


# 04.2: the mean
@op
def look_up(codebook, *, codes):
    return codebook[codes], lambda dy: np.array([dy[codes == i].mean() for i in range(len(codebook))])


# 04.2: counts
@op
def look_up(codebook, *, codes):
    return codebook[codes], lambda dy: np.bincount(codes.ravel(), minlength=len(codebook)).astype(float)


# 04.2: the gradient is dy
@op
def look_up(codebook, *, codes):
    return codebook[codes], lambda dy: dy


# 04.2: no gradient
@op
def look_up(codebook, *, codes):
    return codebook[codes]


# 04.2: the gradient is None
@op
def look_up(codebook, *, codes):
    return codebook[codes], None


# 04.2: without op
def look_up(codebook, *, codes):
    return codebook.data[codes]


# 04.2: the gradient for unused codes is that of the first
@op
def look_up(codebook, *, codes):
    return codebook[codes], lambda dy: np.bincount(codes.ravel(), dy.ravel(), max(len(codebook), 3))


# 04.2: a sum for each column
@op
def look_up(codebook, *, codes):
    return codebook[codes], lambda dy: dy.sum(0)


# 04.2: dy in another order than codes
@op
def look_up(codebook, *, codes):
    return codebook[codes], lambda dy: np.bincount(codes.ravel("F"), dy.ravel(), len(codebook))


# 04.2: a flat w
@op
def look_up(codebook, *, codes):
    return codebook[codes.ravel()], lambda dy: np.bincount(codes.ravel(), dy.ravel(), len(codebook))


# 04.2: always float64
@op
def look_up(codebook, *, codes):
    return codebook[codes].astype(np.float64), lambda dy: np.bincount(codes.ravel(), dy.ravel(), len(codebook))


# 04.2: codes as a mask
@op
def look_up(codebook, *, codes):
    codes = codes.astype(np.int8)
    return codebook[codes], lambda dy: np.bincount(codes.ravel(), dy.ravel(), len(codebook))


# 04.3: reach 2^bits - 1
def relative(positions, bits):
    reach = 2**bits - 1
    gaps = np.diff(np.asarray(positions, np.int64), prepend=-1)
    if (gaps < 1).any():
        raise ValueError("ascending")
    d, f = [], []
    for g in gaps:
        while g > reach:
            d.append(reach)
            f.append(True)
            g -= reach
        d.append(g - 1)
        f.append(False)
    return np.array(d, np.int64), np.array(f, bool)


# 04.3: empty lists become float64
def relative(positions, bits):
    last, d, f = -1, [], []
    for p in positions:
        if p <= last:
            raise ValueError("ascending")
        g = int(p) - last
        while g > 2**bits:
            d.append(2**bits - 1)
            f.append(True)
            g -= 2**bits
        d.append(g - 1)
        f.append(False)
        last = int(p)
    return np.array(d), np.array(f)


# 04.3: no error
def relative(positions, bits):
    last, d, f = -1, [], []
    for p in positions:
        g = int(p) - last
        while g > 2**bits:
            d.append(2**bits - 1)
            f.append(True)
            g -= 2**bits
        d.append(g - 1)
        f.append(False)
        last = int(p)
    return np.array(d, np.int64), np.array(f, bool)


# 04.3: equal positions are let through
def relative(positions, bits):
    last, d, f = -1, [], []
    for p in positions:
        g = int(p) - last
        if g < 0:
            raise ValueError("ascending")
        while g > 2**bits:
            d.append(2**bits - 1)
            f.append(True)
            g -= 2**bits
        d.append(g - 1)
        f.append(False)
        last = int(p)
    return np.array(d, np.int64), np.array(f, bool)


# 04.3: only the order is checked, not the sign
def relative(positions, bits):
    if (np.diff(positions) < 1).any():
        raise ValueError("ascending")
    gaps = np.diff(np.asarray(positions, np.int64), prepend=-1)
    fillers = np.maximum(gaps - 1, 0) // 2**bits
    where = np.repeat(np.arange(len(gaps)), fillers)
    d = np.insert(gaps - 1 - fillers * 2**bits, where, 2**bits - 1)
    return d, np.insert(np.zeros(len(gaps), bool), where, True)


# 04.3: the filler comes after
def relative(positions, bits):
    gaps = np.diff(np.asarray(positions, np.int64), prepend=-1)
    if (gaps < 1).any():
        raise ValueError("ascending")
    fillers = (gaps - 1) // 2**bits
    where = np.repeat(np.arange(1, len(gaps) + 1), fillers)
    d = np.insert(gaps - 1 - fillers * 2**bits, where, 2**bits - 1)
    return d, np.insert(np.zeros(len(gaps), bool), where, True)


# 04.3: one filler at most
def relative(positions, bits):
    last, d, f = -1, [], []
    for p in positions:
        g = int(p) - last
        if g < 1:
            raise ValueError("ascending")
        if g > 2**bits:
            d.append(2**bits - 1)
            f.append(True)
            g -= 2**bits
        d.append(g - 1)
        f.append(False)
        last = int(p)
    return np.array(d, np.int64), np.array(f, bool)


# 04.3: lists
def relative(positions, bits):
    last, d, f = -1, [], []
    for p in positions.tolist():
        g = p - last
        if g < 1:
            raise ValueError("ascending")
        while g > 2**bits:
            d.append(2**bits - 1)
            f.append(True)
            g -= 2**bits
        d.append(g - 1)
        f.append(False)
        last = p
    return d, f


# 04.3: fillers as 0 and 1
def relative(positions, bits):
    last, d, f = -1, [], []
    for p in positions.tolist():
        g = p - last
        if g < 1:
            raise ValueError("ascending")
        while g > 2**bits:
            d.append(2**bits - 1)
            f.append(1)
            g -= 2**bits
        d.append(g - 1)
        f.append(0)
        last = p
    return np.array(d, np.int64), np.array(f, np.int64)


# 04.3: the codes of fillers are 2^bits
def relative(positions, bits):
    gaps = np.diff(np.asarray(positions, np.int64), prepend=-1)
    if (gaps < 1).any():
        raise ValueError("ascending")
    fillers = (gaps - 1) // 2**bits
    where = np.repeat(np.arange(len(gaps)), fillers)
    d = np.insert(gaps - 1 - fillers * 2**bits, where, 2**bits)
    return d, np.insert(np.zeros(len(gaps), bool), where, True)


# 04.3: the positions' own dtype
def relative(positions, bits):
    gaps = np.diff(positions, prepend=positions.dtype.type(-1))
    if (gaps < 1).any():
        raise ValueError("ascending")
    fillers = (gaps - 1) // 2**bits
    where = np.repeat(np.arange(len(gaps)), fillers)
    d = np.insert(gaps - 1 - fillers * 2**bits, where, 2**bits - 1)
    return d, np.insert(np.zeros(len(gaps), bool), where, True)


# 04.3: 32 bits
def relative(positions, bits):
    gaps = np.diff(positions.astype(np.int32), prepend=-1)
    if (gaps < 1).any():
        raise ValueError("ascending")
    fillers = (gaps - 1) // 2**bits
    where = np.repeat(np.arange(len(gaps)), fillers)
    d = np.insert(gaps - 1 - fillers * 2**bits, where, 2**bits - 1).astype(np.int64)
    return d, np.insert(np.zeros(len(gaps), bool), where, True)


# 04.3: sorts instead of refusing
def relative(positions, bits):
    gaps = np.diff(np.unique(positions).astype(np.int64), prepend=-1)
    fillers = (gaps - 1) // 2**bits
    where = np.repeat(np.arange(len(gaps)), np.maximum(fillers, 0))
    d = np.insert(gaps - 1 - fillers * 2**bits, where, 2**bits - 1)
    return d, np.insert(np.zeros(len(gaps), bool), where, True)


# 04.3: an AssertionError
def relative(positions, bits):
    gaps = np.diff(np.asarray(positions, np.int64), prepend=-1)
    assert (gaps >= 1).all(), "ascending"
    fillers = (gaps - 1) // 2**bits
    where = np.repeat(np.arange(len(gaps)), fillers)
    d = np.insert(gaps - 1 - fillers * 2**bits, where, 2**bits - 1)
    return d, np.insert(np.zeros(len(gaps), bool), where, True)


# 04.4: codes left 0
def share(p, bits, init=linear_init, rng=0):
    if not isinstance(bits, int) or not 0 <= bits <= 16:
        raise ValueError("bits")
    w = p().data
    kept = np.ones(w.shape, bool) if p.support is None else p.support.mask
    codes = np.zeros(w.shape, int)
    c = kmeans(w[kept], min(2**bits, int(kept.sum())), init, rng=rng)[0] if kept.any() else np.zeros(1)
    p.values = Codebook(c.astype(w.dtype), codes)
    return p.values


# 04.4: reversed
def share(p, bits, init=linear_init, rng=0):
    if not isinstance(bits, int) or not 0 <= bits <= 16:
        raise ValueError("bits")
    w = p().data
    kept = np.ones(w.shape, bool) if p.support is None else p.support.mask
    codes, c = np.zeros(w.shape, int), np.zeros(1)
    if kept.any():
        c, codes[kept] = kmeans(w[kept], min(2**bits, int(kept.sum())), init, rng=rng)
        c, codes[kept] = c[::-1], len(c) - 1 - codes[kept]
    p.values = Codebook(c.astype(w.dtype), codes)
    return p.values


# 04.4: codes reversed, centres not
def share(p, bits, init=linear_init, rng=0):
    if not isinstance(bits, int) or not 0 <= bits <= 16:
        raise ValueError("bits")
    w = p().data
    kept = np.ones(w.shape, bool) if p.support is None else p.support.mask
    codes, c = np.zeros(w.shape, int), np.zeros(1)
    if kept.any():
        c, found = kmeans(w[kept], min(2**bits, int(kept.sum())), init, rng=rng)
        codes[kept] = found[::-1]
    p.values = Codebook(c.astype(w.dtype), codes)
    return p.values


# 04.4: permuted
def share(p, bits, init=linear_init, rng=0):
    if not isinstance(bits, int) or not 0 <= bits <= 16:
        raise ValueError("bits")
    w = p().data
    kept = np.ones(w.shape, bool) if p.support is None else p.support.mask
    codes, c = np.zeros(w.shape, int), np.zeros(1)
    if kept.any():
        c, found = kmeans(np.sort(w[kept]), min(2**bits, int(kept.sum())), init, rng=rng)
        codes[kept] = found
    p.values = Codebook(c.astype(w.dtype), codes)
    return p.values


# 04.4: codes in the order of columns
def share(p, bits, init=linear_init, rng=0):
    if not isinstance(bits, int) or not 0 <= bits <= 16:
        raise ValueError("bits")
    w = p().data
    kept = np.ones(w.shape, bool) if p.support is None else p.support.mask
    codes, c = np.zeros(w.shape, int), np.zeros(1)
    if kept.any():
        c, found = kmeans(w.T[kept.T], min(2**bits, int(kept.sum())), init, rng=rng)
        codes[kept] = found
    p.values = Codebook(c.astype(w.dtype), codes)
    return p.values


# 04.4: p.data overwritten
def share(p, bits, init=linear_init, rng=0):
    if not isinstance(bits, int) or not 0 <= bits <= 16:
        raise ValueError("bits")
    w = p().data
    kept = np.ones(w.shape, bool) if p.support is None else p.support.mask
    codes, c = np.zeros(w.shape, int), np.zeros(1)
    if kept.any():
        c, codes[kept] = kmeans(w[kept], min(2**bits, int(kept.sum())), init, rng=rng)
    p.values = Codebook(c.astype(w.dtype), codes)
    p.data[...] = p.values.codebook.data[codes]
    return p.values


# 04.4: p.data of pruned weights set to 0 in place
def share(p, bits, init=linear_init, rng=0):
    if not isinstance(bits, int) or not 0 <= bits <= 16:
        raise ValueError("bits")
    w = p().data
    kept = np.ones(w.shape, bool) if p.support is None else p.support.mask
    codes, c = np.zeros(w.shape, int), np.zeros(1)
    if kept.any():
        c, codes[kept] = kmeans(w[kept], min(2**bits, int(kept.sum())), init, rng=rng)
    p.values = Codebook(c.astype(w.dtype), codes)
    p.data[~kept] = 0
    return p.values


# 04.4: p.values not set
def share(p, bits, init=linear_init, rng=0):
    if not isinstance(bits, int) or not 0 <= bits <= 16:
        raise ValueError("bits")
    w = p().data
    kept = np.ones(w.shape, bool) if p.support is None else p.support.mask
    codes, c = np.zeros(w.shape, int), np.zeros(1)
    if kept.any():
        c, codes[kept] = kmeans(w[kept], min(2**bits, int(kept.sum())), init, rng=rng)
    return Codebook(c.astype(w.dtype), codes)


# 04.4: returns nothing
def share(p, bits, init=linear_init, rng=0):
    if not isinstance(bits, int) or not 0 <= bits <= 16:
        raise ValueError("bits")
    w = p().data
    kept = np.ones(w.shape, bool) if p.support is None else p.support.mask
    codes, c = np.zeros(w.shape, int), np.zeros(1)
    if kept.any():
        c, codes[kept] = kmeans(w[kept], min(2**bits, int(kept.sum())), init, rng=rng)
    p.values = Codebook(c.astype(w.dtype), codes)


# 04.4: what is zero counts as pruned
def share(p, bits, init=linear_init, rng=0):
    if not isinstance(bits, int) or not 0 <= bits <= 16:
        raise ValueError("bits")
    w = p().data
    kept = w != 0
    codes, c = np.zeros(w.shape, int), np.zeros(1)
    if kept.any():
        c, codes[kept] = kmeans(w[kept], min(2**bits, int(kept.sum())), init, rng=rng)
    p.values = Codebook(c.astype(w.dtype), codes)
    return p.values


# 04.4: fewer than 2^bits weights are refused
def share(p, bits, init=linear_init, rng=0):
    if not isinstance(bits, int) or not 0 <= bits <= 16:
        raise ValueError("bits")
    w = p().data
    kept = np.ones(w.shape, bool) if p.support is None else p.support.mask
    if kept.sum() < 2**bits:
        raise ValueError("too few")
    codes = np.zeros(w.shape, int)
    c, codes[kept] = kmeans(w[kept], 2**bits, init, rng=rng)
    p.values = Codebook(c.astype(w.dtype), codes)
    return p.values


# 04.4: a mask of nothing crashes
def share(p, bits, init=linear_init, rng=0):
    if not isinstance(bits, int) or not 0 <= bits <= 16:
        raise ValueError("bits")
    w = p().data
    kept = np.ones(w.shape, bool) if p.support is None else p.support.mask
    codes = np.zeros(w.shape, int)
    c, codes[kept] = kmeans(w[kept], min(2**bits, int(kept.sum())), init, rng=rng)
    p.values = Codebook(c.astype(w.dtype), codes)
    return p.values


# 04.4: the number of different weights is the limit
def share(p, bits, init=linear_init, rng=0):
    if not isinstance(bits, int) or not 0 <= bits <= 16:
        raise ValueError("bits")
    w = p().data
    kept = np.ones(w.shape, bool) if p.support is None else p.support.mask
    codes, c = np.zeros(w.shape, int), np.zeros(1)
    if kept.any():
        c, codes[kept] = kmeans(w[kept], min(2**bits, len(np.unique(w)) - 1), init, rng=rng)
    p.values = Codebook(c.astype(w.dtype), codes)
    return p.values


# 04.4: no check of bits
def share(p, bits, init=linear_init, rng=0):
    w = p().data
    kept = np.ones(w.shape, bool) if p.support is None else p.support.mask
    codes, c = np.zeros(w.shape, int), np.zeros(1)
    if kept.any():
        c, codes[kept] = kmeans(w[kept], int(min(2**bits, kept.sum())), init, rng=rng)
    p.values = Codebook(c.astype(w.dtype), codes)
    return p.values


# 04.4: bits of 0 refused
def share(p, bits, init=linear_init, rng=0):
    if not isinstance(bits, int) or not 0 < bits <= 16:
        raise ValueError("bits")
    w = p().data
    kept = np.ones(w.shape, bool) if p.support is None else p.support.mask
    codes, c = np.zeros(w.shape, int), np.zeros(1)
    if kept.any():
        c, codes[kept] = kmeans(w[kept], min(2**bits, int(kept.sum())), init, rng=rng)
    p.values = Codebook(c.astype(w.dtype), codes)
    return p.values


# 04.4: one more centre for the zeros
def share(p, bits, init=linear_init, rng=0):
    if not isinstance(bits, int) or not 0 <= bits <= 16:
        raise ValueError("bits")
    w = p().data
    kept = np.ones(w.shape, bool) if p.support is None else p.support.mask
    codes, c = np.zeros(w.shape, int), np.zeros(1)
    if kept.any():
        c, codes[kept] = kmeans(w[kept], min(2**bits, int(kept.sum())), init, rng=rng)
    if not kept.all():
        c, codes[kept] = np.append(0, c), codes[kept] + 1
    p.values = Codebook(c.astype(w.dtype), codes)
    return p.values


# 04.4: pruned weights get the last code
def share(p, bits, init=linear_init, rng=0):
    if not isinstance(bits, int) or not 0 <= bits <= 16:
        raise ValueError("bits")
    w = p().data
    kept = np.ones(w.shape, bool) if p.support is None else p.support.mask
    codes, c = np.zeros(w.shape, int), np.zeros(1)
    if kept.any():
        c, codes[kept] = kmeans(w[kept], min(2**bits, int(kept.sum())), init, rng=rng)
        codes[~kept] = len(c) - 1
    p.values = Codebook(c.astype(w.dtype), codes)
    return p.values


# 04.4: the mask is dropped
def share(p, bits, init=linear_init, rng=0):
    if not isinstance(bits, int) or not 0 <= bits <= 16:
        raise ValueError("bits")
    w = p().data
    kept = np.ones(w.shape, bool) if p.support is None else p.support.mask
    codes, c = np.zeros(w.shape, int), np.zeros(1)
    if kept.any():
        c, codes[kept] = kmeans(w[kept], min(2**bits, int(kept.sum())), init, rng=rng)
    p.values, p.support = Codebook(c.astype(w.dtype), codes), None
    return p.values


# 04.4: always float32
def share(p, bits, init=linear_init, rng=0):
    if not isinstance(bits, int) or not 0 <= bits <= 16:
        raise ValueError("bits")
    w = p().data.astype(np.float32)
    kept = np.ones(w.shape, bool) if p.support is None else p.support.mask
    codes, c = np.zeros(w.shape, int), np.zeros(1)
    if kept.any():
        c, codes[kept] = kmeans(w[kept], min(2**bits, int(kept.sum())), init, rng=rng)
    p.values = Codebook(c.astype(np.float32), codes)
    return p.values


# 04.5: rng ignored
def kmeans(w, k, init=linear_init, iterations=100, rng=0):
    w = np.asarray(w, np.float64)
    if w.ndim != 1 or not w.size or not np.isfinite(w).all() or k < 1:
        raise ValueError("want finite numbers")
    c = np.sort(init(w, k, 0))
    for _ in range(iterations):
        codes = nearest(w, c)
        new = np.sort([w[codes == j].mean() if (codes == j).any() else c[j] for j in range(k)])
        if (new == c).all():
            break
        c = new
    return c, nearest(w, c)


# 04.5: unsorted start
def kmeans(w, k, init=linear_init, iterations=100, rng=0):
    w = np.asarray(w, np.float64)
    if w.ndim != 1 or not w.size or not np.isfinite(w).all() or k < 1:
        raise ValueError("want finite numbers")
    c = np.array(init(w, k, rng), np.float64)
    for _ in range(iterations):
        codes = nearest(w, c)
        new = np.array([w[codes == j].mean() if (codes == j).any() else c[j] for j in range(k)])
        if (new == c).all():
            break
        c = new
    return c, nearest(w, c)


# 04.5: float32 centres
def kmeans(w, k, init=linear_init, iterations=100, rng=0):
    w = np.asarray(w)
    if w.ndim != 1 or not w.size or not np.isfinite(w).all() or k < 1:
        raise ValueError("want finite numbers")
    c = np.sort(init(w, k, rng))
    for _ in range(iterations):
        codes = nearest(w, c)
        new = np.sort([w[codes == j].mean() if (codes == j).any() else c[j] for j in range(k)]).astype(w.dtype)
        if (new == c).all():
            break
        c = new
    return c, nearest(w, c)


# 04.5: reckoned in float32, then float64
def kmeans(w, k, init=linear_init, iterations=100, rng=0):
    w = np.asarray(w, np.float32)
    if w.ndim != 1 or not w.size or not np.isfinite(w).all() or k < 1:
        raise ValueError("want finite numbers")
    c = np.sort(init(w, k, rng))
    for _ in range(iterations):
        codes = nearest(w, c)
        new = np.sort([w[codes == j].mean() if (codes == j).any() else c[j] for j in range(k)])
        if (new == c).all():
            break
        c = new
    return c.astype(np.float64), nearest(w, c)


# 04.5: stop at 1e-3
def kmeans(w, k, init=linear_init, iterations=100, rng=0):
    w = np.asarray(w, np.float64)
    if w.ndim != 1 or not w.size or not np.isfinite(w).all() or k < 1:
        raise ValueError("want finite numbers")
    c = np.sort(init(w, k, rng))
    for _ in range(iterations):
        codes = nearest(w, c)
        new = np.sort([w[codes == j].mean() if (codes == j).any() else c[j] for j in range(k)])
        if np.abs(new - c).max() < 1e-3:
            break
        c = new
    return c, nearest(w, c)


# 04.5: stop at 1e-3, after the move
def kmeans(w, k, init=linear_init, iterations=100, rng=0):
    w = np.asarray(w, np.float64)
    if w.ndim != 1 or not w.size or not np.isfinite(w).all() or k < 1:
        raise ValueError("want finite numbers")
    c = np.sort(init(w, k, rng)).astype(float)
    for _ in range(iterations):
        codes = nearest(w, c)
        old, c = c, np.sort([w[codes == j].mean() if (codes == j).any() else c[j] for j in range(k)])
        if np.abs(old - c).max() < 1e-3:
            break
    return c, nearest(w, c)


# 04.5: Gauss-Seidel centres
def kmeans(w, k, init=linear_init, iterations=100, rng=0):
    w = np.asarray(w, np.float64)
    if w.ndim != 1 or not w.size or not np.isfinite(w).all() or k < 1:
        raise ValueError("want finite numbers")
    c = np.sort(init(w, k, rng)).astype(float)
    for _ in range(iterations):
        old = c.copy()
        for j in range(k):
            codes = nearest(w, c)
            if (codes == j).any():
                c[j] = w[codes == j].mean()
        c.sort()
        if (old == c).all():
            break
    return c, nearest(w, c)


# 04.5: iterations ignored
def kmeans(w, k, init=linear_init, iterations=100, rng=0):
    w = np.asarray(w, np.float64)
    if w.ndim != 1 or not w.size or not np.isfinite(w).all() or k < 1:
        raise ValueError("want finite numbers")
    c = np.sort(init(w, k, rng))
    while True:
        codes = nearest(w, c)
        new = np.sort([w[codes == j].mean() if (codes == j).any() else c[j] for j in range(k)])
        if (new == c).all():
            return c, codes
        c = new


# 04.5: at most 10 iterations
def kmeans(w, k, init=linear_init, iterations=100, rng=0):
    w = np.asarray(w, np.float64)
    if w.ndim != 1 or not w.size or not np.isfinite(w).all() or k < 1:
        raise ValueError("want finite numbers")
    c = np.sort(init(w, k, rng))
    for _ in range(min(iterations, 10)):
        codes = nearest(w, c)
        c = np.sort([w[codes == j].mean() if (codes == j).any() else c[j] for j in range(k)])
    return c, nearest(w, c)


# 04.5: the mean of an empty cluster is nan
def kmeans(w, k, init=linear_init, iterations=100, rng=0):
    w = np.asarray(w, np.float64)
    if w.ndim != 1 or not w.size or not np.isfinite(w).all() or k < 1:
        raise ValueError("want finite numbers")
    c = np.sort(init(w, k, rng))
    for _ in range(iterations):
        codes = nearest(w, c)
        c = np.sort([w[codes == j].mean() for j in range(k)])
    return c, nearest(w, c)


# 04.5: empty clusters are dropped
def kmeans(w, k, init=linear_init, iterations=100, rng=0):
    w = np.asarray(w, np.float64)
    if w.ndim != 1 or not w.size or not np.isfinite(w).all() or k < 1:
        raise ValueError("want finite numbers")
    c = np.sort(init(w, k, rng))
    for _ in range(iterations):
        codes = nearest(w, c)
        c = np.sort([w[codes == j].mean() for j in range(len(c)) if (codes == j).any()])
    return c, nearest(w, c)


# 04.5: codes before the last move
def kmeans(w, k, init=linear_init, iterations=100, rng=0):
    w = np.asarray(w, np.float64)
    if w.ndim != 1 or not w.size or not np.isfinite(w).all() or k < 1:
        raise ValueError("want finite numbers")
    c = np.sort(init(w, k, rng)).astype(float)
    codes = nearest(w, c)
    for _ in range(iterations):
        codes = nearest(w, c)
        c = np.sort([w[codes == j].mean() if (codes == j).any() else c[j] for j in range(k)])
    return c, codes


# 04.5: centres of a random start by its own
def kmeans(w, k, init=linear_init, iterations=100, rng=0):
    w = np.asarray(w, np.float64)
    if w.ndim != 1 or not w.size or not np.isfinite(w).all() or k < 1:
        raise ValueError("want finite numbers")
    c = np.sort(np.random.default_rng(rng).choice(w, k))
    for _ in range(iterations):
        codes = nearest(w, c)
        new = np.sort([w[codes == j].mean() if (codes == j).any() else c[j] for j in range(k)])
        if (new == c).all():
            break
        c = new
    return c, nearest(w, c)


# 04.5: the codes of the sorted weights
def kmeans(w, k, init=linear_init, iterations=100, rng=0):
    w = np.sort(np.asarray(w, np.float64))
    if w.ndim != 1 or not w.size or not np.isfinite(w).all() or k < 1:
        raise ValueError("want finite numbers")
    c = np.sort(init(w, k, rng))
    for _ in range(iterations):
        codes = nearest(w, c)
        new = np.sort([w[codes == j].mean() if (codes == j).any() else c[j] for j in range(k)])
        if (new == c).all():
            break
        c = new
    return c, nearest(w, c)


# 04.5: sorts w in place
def kmeans(w, k, init=linear_init, iterations=100, rng=0):
    original = np.array(w, np.float64)
    w = np.asarray(w, np.float64)
    if w.ndim != 1 or not w.size or not np.isfinite(w).all() or k < 1:
        raise ValueError("want finite numbers")
    w.sort()
    c = np.sort(init(w, k, rng))
    for _ in range(iterations):
        codes = nearest(w, c)
        new = np.sort([w[codes == j].mean() if (codes == j).any() else c[j] for j in range(k)])
        if (new == c).all():
            break
        c = new
    return c, nearest(original, c)


# 04.5: more centres than weights are refused
def kmeans(w, k, init=linear_init, iterations=100, rng=0):
    w = np.asarray(w, np.float64)
    if w.ndim != 1 or not w.size or not np.isfinite(w).all() or not 1 <= k <= len(w):
        raise ValueError("want finite numbers")
    c = np.sort(init(w, k, rng))
    for _ in range(iterations):
        codes = nearest(w, c)
        new = np.sort([w[codes == j].mean() if (codes == j).any() else c[j] for j in range(k)])
        if (new == c).all():
            break
        c = new
    return c, nearest(w, c)


# 04.5: the other order of the result
def kmeans(w, k, init=linear_init, iterations=100, rng=0):
    w = np.asarray(w, np.float64)
    if w.ndim != 1 or not w.size or not np.isfinite(w).all() or k < 1:
        raise ValueError("want finite numbers")
    c = np.sort(init(w, k, rng))
    for _ in range(iterations):
        codes = nearest(w, c)
        new = np.sort([w[codes == j].mean() if (codes == j).any() else c[j] for j in range(k)])
        if (new == c).all():
            break
        c = new
    return nearest(w, c), c


# 04.5: a tie goes to the upper centre
def kmeans(w, k, init=linear_init, iterations=100, rng=0):
    w = np.asarray(w, np.float64)
    if w.ndim != 1 or not w.size or not np.isfinite(w).all() or k < 1:
        raise ValueError("want finite numbers")

    def upper(w, c):
        return np.searchsorted((c[1:] + c[:-1]) / 2, w, side="right")

    c = np.sort(init(w, k, rng))
    for _ in range(iterations):
        codes = upper(w, c)
        new = np.sort([w[codes == j].mean() if (codes == j).any() else c[j] for j in range(k)])
        if (new == c).all():
            break
        c = new
    return c, upper(w, c)


# 04.5: a tie goes to the upper centre while the centres move
def kmeans(w, k, init=linear_init, iterations=100, rng=0):
    w = np.asarray(w, np.float64)
    if w.ndim != 1 or not w.size or not np.isfinite(w).all() or k < 1:
        raise ValueError("want finite numbers")
    c = np.sort(init(w, k, rng))
    for _ in range(iterations):
        codes = np.searchsorted((c[1:] + c[:-1]) / 2, w, side="right")
        new = np.sort([w[codes == j].mean() if (codes == j).any() else c[j] for j in range(k)])
        if (new == c).all():
            break
        c = new
    return c, nearest(w, c)


# 04.5: no errors
def kmeans(w, k, init=linear_init, iterations=100, rng=0):
    w = np.asarray(w, np.float64)
    c = np.sort(init(w, k, rng))
    for _ in range(iterations):
        codes = nearest(w, c)
        new = np.sort([w[codes == j].mean() if (codes == j).any() else c[j] for j in range(k)])
        if (new == c).all():
            break
        c = new
    return c, nearest(w, c)


# 04.5: two dimensions are flattened
def kmeans(w, k, init=linear_init, iterations=100, rng=0):
    w = np.ravel(w).astype(np.float64)
    if not w.size or not np.isfinite(w).all() or k < 1:
        raise ValueError("want finite numbers")
    c = np.sort(init(w, k, rng))
    for _ in range(iterations):
        codes = nearest(w, c)
        new = np.sort([w[codes == j].mean() if (codes == j).any() else c[j] for j in range(k)])
        if (new == c).all():
            break
        c = new
    return c, nearest(w, c)


# 04.5: nan is let through
def kmeans(w, k, init=linear_init, iterations=100, rng=0):
    w = np.asarray(w, np.float64)
    if w.ndim != 1 or not w.size or np.isinf(w).any() or k < 1:
        raise ValueError("want finite numbers")
    c = np.sort(init(w, k, rng))
    for _ in range(iterations):
        codes = nearest(w, c)
        new = np.sort([w[codes == j].mean() if (codes == j).any() else c[j] for j in range(k)])
        if (new == c).all():
            break
        c = new
    return c, nearest(w, c)


# 04.6: Shannon's lengths
def code_lengths(counts):
    counts = np.asarray(counts, np.int64)
    lengths = np.zeros(len(counts), np.int64)
    used = counts > 0
    if used.sum() == 1:
        lengths[used] = 1
    elif used.any():
        lengths[used] = np.ceil(np.log2(counts.sum() / counts[used])).astype(int)
    return np.minimum(lengths, LONGEST)


# 04.6: fixed length
def code_lengths(counts):
    lengths = np.zeros(len(counts), np.int64)
    used = np.flatnonzero(counts)
    lengths[used] = max(1, math.ceil(math.log2(len(used)))) if len(used) else 0
    return lengths


# 04.6: unary by rank
def code_lengths(counts):
    counts = np.asarray(counts)
    lengths = np.zeros(len(counts), np.int64)
    order = [i for i in np.argsort(-counts.astype(np.int64), kind="stable") if counts[i]]
    for place, i in enumerate(order):
        lengths[i] = max(1, min(place + 1, len(order) - 1))
    return lengths


# 04.6: no limit
def code_lengths(counts):
    lengths = np.zeros(len(counts), np.int64)
    heap = [(int(c), [i]) for i, c in enumerate(counts) if c]
    if len(heap) == 1:
        lengths[heap[0][1]] = 1
    heapq.heapify(heap)
    while len(heap) > 1:
        (a, x), (b, y) = heapq.heappop(heap), heapq.heappop(heap)
        lengths[x + y] += 1
        heapq.heappush(heap, (a + b, x + y))
    return lengths


# 04.6: the limit is one less
def code_lengths(counts):
    lengths = np.zeros(len(counts), np.int64)
    heap = [(int(c), [i]) for i, c in enumerate(counts) if c]
    if len(heap) == 1:
        lengths[heap[0][1]] = 1
    heapq.heapify(heap)
    while len(heap) > 1:
        (a, x), (b, y) = heapq.heappop(heap), heapq.heappop(heap)
        lengths[x + y] += 1
        heapq.heappush(heap, (a + b, x + y))
    return lengths if lengths.max() < LONGEST else code_lengths((np.asarray(counts) + 1) // 2)


# 04.6: the counts are halved once only
def code_lengths(counts):
    counts = np.asarray(counts)
    for _ in range(2):
        lengths = np.zeros(len(counts), np.int64)
        heap = [(int(c), [i]) for i, c in enumerate(counts) if c]
        if len(heap) == 1:
            lengths[heap[0][1]] = 1
        heapq.heapify(heap)
        while len(heap) > 1:
            (a, x), (b, y) = heapq.heappop(heap), heapq.heappop(heap)
            lengths[x + y] += 1
            heapq.heappush(heap, (a + b, x + y))
        if lengths.max() <= LONGEST:
            break
        counts = (counts + 1) // 2
    return lengths


# 04.6: zeros join
def code_lengths(counts):
    lengths = np.zeros(len(counts), np.int64)
    heap = [(int(c), [i]) for i, c in enumerate(counts)]
    if len(heap) == 1:
        lengths[0] = 1
    heapq.heapify(heap)
    while len(heap) > 1:
        (a, x), (b, y) = heapq.heappop(heap), heapq.heappop(heap)
        lengths[x + y] += 1
        heapq.heappush(heap, (a + b, x + y))
    return lengths


# 04.6: zeros join, and get 0 at the end
def code_lengths(counts):
    lengths = np.zeros(len(counts), np.int64)
    heap = [(int(c), [i]) for i, c in enumerate(counts)]
    if len(heap) == 1:
        lengths[0] = 1
    heapq.heapify(heap)
    while len(heap) > 1:
        (a, x), (b, y) = heapq.heappop(heap), heapq.heappop(heap)
        lengths[x + y] += 1
        heapq.heappush(heap, (a + b, x + y))
    lengths[np.asarray(counts) == 0] = 0
    return lengths


# 04.6: a single symbol gets 0
def code_lengths(counts):
    lengths = np.zeros(len(counts), np.int64)
    heap = [(int(c), [i]) for i, c in enumerate(counts) if c]
    heapq.heapify(heap)
    while len(heap) > 1:
        (a, x), (b, y) = heapq.heappop(heap), heapq.heappop(heap)
        lengths[x + y] += 1
        heapq.heappush(heap, (a + b, x + y))
    return lengths


# 04.6: a queue that is not kept in order
def code_lengths(counts):
    lengths = np.zeros(len(counts), np.int64)
    trees = sorted((int(c), [i]) for i, c in enumerate(counts) if c)
    if len(trees) == 1:
        lengths[trees[0][1]] = 1
    while len(trees) > 1:
        (a, x), (b, y) = trees.pop(0), trees.pop(0)
        lengths[x + y] += 1
        trees.append((a + b, x + y))
    return lengths


# 04.6: the joined tree stays in front
def code_lengths(counts):
    lengths = np.zeros(len(counts), np.int64)
    trees = sorted((int(c), [i]) for i, c in enumerate(counts) if c)
    if len(trees) == 1:
        lengths[trees[0][1]] = 1
    while len(trees) > 1:
        (a, x), (b, y) = trees.pop(0), trees.pop(0)
        lengths[x + y] += 1
        trees.insert(0, (a + b, x + y))
    return lengths


# 04.6: a list
def code_lengths(counts):
    lengths = np.zeros(len(counts), np.int64)
    heap = [(int(c), [i]) for i, c in enumerate(counts) if c]
    if len(heap) == 1:
        lengths[heap[0][1]] = 1
    heapq.heapify(heap)
    while len(heap) > 1:
        (a, x), (b, y) = heapq.heappop(heap), heapq.heappop(heap)
        lengths[x + y] += 1
        heapq.heappush(heap, (a + b, x + y))
    return lengths.tolist()


# 04.6: float lengths
def code_lengths(counts):
    lengths = np.zeros(len(counts))
    heap = [(int(c), [i]) for i, c in enumerate(counts) if c]
    if len(heap) == 1:
        lengths[heap[0][1]] = 1
    heapq.heapify(heap)
    while len(heap) > 1:
        (a, x), (b, y) = heapq.heappop(heap), heapq.heappop(heap)
        lengths[x + y] += 1
        heapq.heappush(heap, (a + b, x + y))
    return lengths


# 04.6: only the lengths of the symbols that occur
def code_lengths(counts):
    counts = np.asarray(counts)
    counts = counts[counts > 0]
    lengths = np.zeros(len(counts), np.int64)
    heap = [(int(c), [i]) for i, c in enumerate(counts) if c]
    if len(heap) == 1:
        lengths[heap[0][1]] = 1
    heapq.heapify(heap)
    while len(heap) > 1:
        (a, x), (b, y) = heapq.heappop(heap), heapq.heappop(heap)
        lengths[x + y] += 1
        heapq.heappush(heap, (a + b, x + y))
    return lengths


# 04.6: sums overflow in the dtype of counts
def code_lengths(counts):
    lengths = np.zeros(len(counts), np.int64)
    heap = [(c, [i]) for i, c in enumerate(counts) if c]
    if len(heap) == 1:
        lengths[heap[0][1]] = 1
    while len(heap) > 1:
        heap.sort(key=lambda t: (len(t[1]), t[0]))
        (a, x), (b, y) = heap[:2]
        lengths[x + y] += 1
        heap = [*heap[2:], (a + b, x + y)]
    return lengths


# 04.7: floor
def log_codes(w, bits, top):
    if not np.isfinite(w).all():
        raise ValueError("finite")
    n = 2 ** (bits - 1) - 1
    e = np.floor(np.log2(np.abs(w)))
    return (np.sign(w) * np.clip(e - top + n, 0, n)).astype(np.int8)


# 04.7: the nearest power, not the nearest exponent
def log_codes(w, bits, top):
    if not np.isfinite(w).all():
        raise ValueError("finite")
    n = 2 ** (bits - 1) - 1
    e = np.floor(np.log2(np.abs(w) / 0.75))
    return (np.sign(w) * np.clip(e - top + n, 0, n)).astype(np.int8)


# 04.7: below the range takes place 1
def log_codes(w, bits, top):
    if not np.isfinite(w).all():
        raise ValueError("finite")
    n = 2 ** (bits - 1) - 1
    e = np.rint(np.log2(np.abs(w)))
    return (np.sign(w) * np.clip(e - top + n, 1, n)).astype(np.int8)


# 04.7: above the range becomes 0
def log_codes(w, bits, top):
    if not np.isfinite(w).all():
        raise ValueError("finite")
    n = 2 ** (bits - 1) - 1
    place = np.rint(np.log2(np.abs(w))) - top + n
    return (np.sign(w) * np.where((place < 1) | (place > n), 0, place)).astype(np.int8)


# 04.7: no sign
def log_codes(w, bits, top):
    if not np.isfinite(w).all():
        raise ValueError("finite")
    n = 2 ** (bits - 1) - 1
    e = np.rint(np.log2(np.abs(w)))
    return np.clip(e - top + n, 0, n).astype(np.int8)


# 04.7: places from the top down
def log_codes(w, bits, top):
    if not np.isfinite(w).all():
        raise ValueError("finite")
    n = 2 ** (bits - 1) - 1
    e = np.rint(np.log2(np.abs(w)))
    return (np.sign(w) * np.clip(top - e + 1, 0, n)).astype(np.int8)


# 04.7: places from 0
def log_codes(w, bits, top):
    if not np.isfinite(w).all():
        raise ValueError("finite")
    n = 2 ** (bits - 1) - 1
    e = np.rint(np.log2(np.abs(w)))
    return (np.sign(w) * np.clip(e - top + n - 1, 0, n - 1)).astype(np.int8)


# 04.7: 2^bits - 1 places
def log_codes(w, bits, top):
    if not np.isfinite(w).all():
        raise ValueError("finite")
    n = 2**bits - 1
    e = np.rint(np.log2(np.abs(w)))
    return (np.sign(w) * np.clip(e - top + n, 0, n)).astype(np.int8)


# 04.7: 2^(bits-1) places
def log_codes(w, bits, top):
    if not np.isfinite(w).all():
        raise ValueError("finite")
    n = 2 ** (bits - 1)
    e = np.rint(np.log2(np.abs(w)))
    return (np.sign(w) * np.clip(e - top + n, 0, n)).astype(np.int8)


# 04.7: int64
def log_codes(w, bits, top):
    if not np.isfinite(w).all():
        raise ValueError("finite")
    n = 2 ** (bits - 1) - 1
    e = np.rint(np.log2(np.abs(w)))
    return (np.sign(w) * np.clip(e - top + n, 0, n)).astype(np.int64)


# 04.7: floats
def log_codes(w, bits, top):
    if not np.isfinite(w).all():
        raise ValueError("finite")
    n = 2 ** (bits - 1) - 1
    e = np.rint(np.log2(np.abs(w)))
    return np.sign(w) * np.clip(e - top + n, 0, n)


# 04.7: powers of two, not codes
def log_codes(w, bits, top):
    if not np.isfinite(w).all():
        raise ValueError("finite")
    n = 2 ** (bits - 1) - 1
    e = np.clip(np.rint(np.log2(np.abs(w))), top - n + 1, top)
    return np.sign(w) * 2.0**e


# 04.7: no error
def log_codes(w, bits, top):
    n = 2 ** (bits - 1) - 1
    e = np.rint(np.log2(np.abs(w)))
    return (np.sign(w) * np.clip(e - top + n, 0, n)).astype(np.int8)


# 04.7: only nan is refused
def log_codes(w, bits, top):
    if np.isnan(w).any():
        raise ValueError("finite")
    n = 2 ** (bits - 1) - 1
    e = np.rint(np.log2(np.abs(w)))
    return (np.sign(w) * np.clip(e - top + n, 0, n)).astype(np.int8)


# 04.7: the integer of log2 is cut toward 0
def log_codes(w, bits, top):
    if not np.isfinite(w).all():
        raise ValueError("finite")
    n = 2 ** (bits - 1) - 1
    with np.errstate(divide="ignore"):
        e = np.trunc(np.log2(np.abs(w)))
    return (np.sign(w) * np.clip(e - top + n, 0, n)).astype(np.int8)


# 04.7: zero as a small number, w changed in place
def log_codes(w, bits, top):
    if not np.isfinite(w).all():
        raise ValueError("finite")
    n = 2 ** (bits - 1) - 1
    w[w == 0] = 2.0**-60
    e = np.rint(np.log2(np.abs(w)))
    return (np.sign(w) * np.clip(e - top + n, 0, n)).astype(np.int8)


# 04.7: flat
def log_codes(w, bits, top):
    if not np.isfinite(w).all():
        raise ValueError("finite")
    n = 2 ** (bits - 1) - 1
    e = np.rint(np.log2(np.abs(w)))
    return (np.sign(w) * np.clip(e - top + n, 0, n)).astype(np.int8).ravel()


# 04.7: a loop over rows and columns that leaves out the last
def log_codes(w, bits, top):
    if not np.isfinite(w).all():
        raise ValueError("finite")
    n = 2 ** (bits - 1) - 1
    codes = np.zeros(w.shape, np.int8)
    for index in np.ndindex(*w.shape):
        if abs(w[index]) >= 2.0 ** (top - n + 1):
            codes[index] = np.sign(w[index]) * min(round(math.log2(abs(w[index]))) - top + n, n)
    return codes
