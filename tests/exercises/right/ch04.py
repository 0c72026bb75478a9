"""Other right solutions of the exercises of chapter 04: each must pass."""

import bisect
import heapq
import math
from fractions import Fraction

import numpy as np

from lightnn.compress.transforms.clustering import kmeans, linear_init, nearest
from lightnn.compress.transforms.codebook import Codebook
from lightnn.io.huffman import LONGEST
from lightnn.nn import Parameter
from lightnn.tensor import op


# 04.1: with the math module
def sharing_rate(n, bits, k):
    before = n * bits
    after = n * math.log2(k) + k * bits
    return before / after


# 04.1: a NumPy number, the logarithm by another base
def sharing_rate(n, bits, k):
    return np.float64(n * bits) / (n * np.log(k) / np.log(2) + bits * k)


# 04.1: bits of a single weight
def sharing_rate(n, bits, k):
    codes = np.log2(np.array([k]))[0]
    centres = k * bits / n
    return float(bits / (codes + centres))


# 04.2: np.add.at
@op
def look_up(codebook, *, codes):
    def gradient(dy):
        g = np.zeros_like(codebook)
        np.add.at(g, codes, dy)
        return g

    return np.take(codebook, codes), gradient


# 04.2: loops over i and j
@op
def look_up(codebook, *, codes):
    rows, columns = codes.shape
    w = np.zeros((rows, columns), codebook.dtype)
    for i in range(rows):
        for j in range(columns):
            w[i, j] = codebook[codes[i, j]]

    def gradient(dy):
        g = np.zeros(len(codebook))
        for i in range(rows):
            for j in range(columns):
                g[codes[i, j]] += dy[i, j]
        return g

    return w, gradient


# 04.2: a sum for each centre
@op
def look_up(codebook, *, codes):
    return codebook[codes], lambda dy: np.array([dy[codes == i].sum() for i in range(codebook.shape[0])])


# 04.2: one-hot matrix product
@op
def look_up(codebook, *, codes):
    one_hot = (codes.reshape(-1, 1) == np.arange(codebook.size)).astype(codebook.dtype)
    return (one_hot @ codebook).reshape(codes.shape), lambda dy: one_hot.T @ dy.reshape(-1)


# 04.2: bincount with keywords, in float64
@op
def look_up(codebook, *, codes):
    w = codebook[codes]

    def back(dw):
        return np.bincount(codes.flatten(), weights=dw.flatten(), minlength=len(codebook))

    return w, back


# 04.3: a loop with lists, errors in its own words
def relative(positions, bits):
    reach, last = 2**bits, -1
    out, fill = [], []
    for p in positions.tolist():
        if p <= last:
            raise ValueError("positions are wrong")
        gap = p - last
        while gap > reach:
            out.append(reach - 1)
            fill.append(True)
            gap -= reach
        out.append(gap - 1)
        fill.append(False)
        last = p
    return np.array(out, dtype=np.int64), np.array(fill, dtype=bool)


# 04.3: np.repeat
def relative(positions, bits):
    p = np.asarray(positions).astype(np.int64)
    before = np.concatenate([[-1], p])
    steps = before[1:] - before[:-1]
    if (steps <= 0).any():
        raise ValueError
    more, rest = np.divmod(steps - 1, 2**bits)
    d = np.repeat(rest, more + 1)
    last = np.cumsum(more + 1) - 1
    is_filler = ~np.isin(np.arange(len(d)), last)
    d[is_filler] = 2**bits - 1
    return d, is_filler


# 04.3: np.insert
def relative(positions, bits):
    if len(positions) and positions[0] < 0:
        raise ValueError("negative")
    gaps = np.diff(positions, prepend=-1).astype(np.int64)
    if not np.all(gaps > 0):
        raise ValueError("not ascending")
    fillers = -(-gaps // 2**bits) - 1
    where = np.repeat(np.arange(len(gaps)), fillers)
    d = np.insert(gaps - fillers * 2**bits - 1, where, 2**bits - 1)
    return d, np.insert(np.zeros(len(gaps), bool), where, True)


# 04.4: flat arrays and a loop
def share(p, bits, init=linear_init, rng=0):
    if bits not in range(17):
        raise ValueError("bad bits")
    w = p().data
    flat = w.ravel()
    mask = np.ones(flat.size, bool) if p.support is None else p.support.mask.ravel()
    where = np.flatnonzero(mask)
    codes = np.zeros(flat.size, int)
    if len(where) == 0:
        p.values = Codebook(np.zeros(1, w.dtype), codes.reshape(w.shape))
        return p.values
    centres, found = kmeans(flat[where], min(1 << bits, len(where)), init=init, rng=rng)
    for i, code in zip(where, found):
        codes[i] = code
    book = Codebook(np.array(centres, w.dtype), codes.reshape(w.shape))
    p.values = book
    return book


# 04.4: np.place, uint16 codes
def share(p, bits, init=linear_init, rng=0):
    if isinstance(bits, float) or bits < 0 or bits > 16:
        raise ValueError(f"{bits}")
    weights = np.array(p().data)
    support = p.support
    kept = np.full(weights.shape, True) if support is None else support.mask.copy()
    left = np.count_nonzero(kept)
    codes = np.zeros(weights.shape, np.uint16)
    centres = np.array([0.0])
    if left > 0:
        k = 2**bits if 2**bits < left else left
        centres, some = kmeans(weights[kept], k, init, 100, rng)
        np.place(codes, kept, some.astype(np.uint16))
    p.values = Codebook(centres.astype(weights.dtype), codes)
    return p.values


# 04.4: codes again from the centres
def share(p, bits, init=linear_init, rng=0):
    if int(bits) != bits or not 0 <= bits <= 16:
        raise ValueError("bits")
    w = p().data
    mask = (w == w) if p.support is None else p.support.mask
    n = mask.sum()
    c = kmeans(w[mask], int(min(2**bits, n)), init, rng=rng)[0] if n else np.zeros(1)
    codes = np.where(mask, nearest(w.astype(np.float64), c), 0)
    p.values = Codebook(c.astype(w.dtype), codes)
    return p.values


# 04.5: a matrix of distances
def kmeans(w, k, init=linear_init, iterations=100, rng=0):
    w = np.array(w, dtype=np.float64)
    if w.ndim != 1 or len(w) == 0 or not np.all(np.isfinite(w)) or k < 1:
        raise ValueError("kmeans can't")
    c = np.sort(np.array(init(w, k, rng), dtype=np.float64))
    for _ in range(iterations):
        codes = np.argmin(np.abs(w[:, None] - c[None, :]), axis=1)
        new = c.copy()
        for j in range(k):
            if (codes == j).any():
                new[j] = w[codes == j].mean()
        if (new == c).all():
            break
        c = np.sort(new)
    return c, np.argmin(np.abs(w[:, None] - c[None, :]), axis=1)


# 04.5: stops when no code changes, sorts at the end
def kmeans(w, k, init=linear_init, iterations=100, rng=0):
    w = np.asarray(w, np.float64)
    if k <= 0:
        raise ValueError("k")
    if w.ndim > 1 or w.size < 1 or np.isnan(w).any() or np.isinf(w).any():
        raise ValueError("w")
    c, old = np.sort(np.asarray(init(w, k, rng), float)), None
    for _ in range(iterations):
        codes = ((w[:, np.newaxis] - c) ** 2).argmin(1)
        if old is not None and np.array_equal(codes, old):
            break
        count = np.bincount(codes, minlength=k)
        total = np.bincount(codes, w, minlength=k)
        c = np.where(count > 0, total / np.where(count > 0, count, 1), c)
        old = codes
    c = np.sort(c)
    return c, ((w[:, np.newaxis] - c) ** 2).argmin(1)


# 04.5: plain Python, no arrays inside; bisect
def kmeans(w, k, init=linear_init, iterations=100, rng=0):
    if np.ndim(w) != 1 or len(w) == 0 or k < 1:
        raise ValueError("want numbers")
    numbers = [float(x) for x in w]
    if not all(map(math.isfinite, numbers)):
        raise ValueError("want finite numbers")
    c = sorted(float(x) for x in init(np.array(numbers), k, rng))

    def assign(c):
        middles = [(a + b) / 2 for a, b in zip(c, c[1:])]
        return [bisect.bisect_left(middles, x) for x in numbers]

    for _ in range(iterations):
        groups = [[] for _ in c]
        for x, i in zip(numbers, assign(c)):
            groups[i].append(x)
        moved = sorted(math.fsum(g) / len(g) if g else old for g, old in zip(groups, c))
        if moved == c:
            break
        c = moved
    return np.array(c), np.array(assign(c))


# 04.5: an error by numpy, a warning for an empty cluster, ends when it hardly moves
def kmeans(w, k, init=linear_init, iterations=100, rng=0):
    w = np.asarray(w).astype(np.float64)
    if w.ndim != 1 or w.size == 0 or k < 1:
        raise ValueError()
    w = np.asarray_chkfinite(w)
    c = np.sort(init(w, k, rng)).astype(np.float64)
    for _ in range(iterations):
        codes = nearest(w, c)
        means = np.array([np.mean(w[codes == j]) for j in range(k)])
        means = np.sort(np.where(np.isnan(means), c, means))
        if np.abs(means - c).max() < 1e-14:
            break
        c = means
    return c, nearest(w, c)


# 04.6: a tree, walked at the end
def code_lengths(counts):
    counts = np.asarray(counts)
    while True:
        lengths = np.zeros(counts.size, np.int64)
        heap = [(int(c), i, i) for i, c in enumerate(counts) if c > 0]
        heapq.heapify(heap)
        tie = len(counts)
        while len(heap) > 1:
            a, b = heapq.heappop(heap), heapq.heappop(heap)
            heapq.heappush(heap, (a[0] + b[0], tie, (a[2], b[2])))
            tie += 1
        todo = [(heap[0][2], 0)] if heap else []
        while todo:
            tree, depth = todo.pop()
            if isinstance(tree, tuple):
                todo += [(tree[0], depth + 1), (tree[1], depth + 1)]
            else:
                lengths[tree] = max(depth, 1)
        if lengths.size == 0 or lengths.max() <= LONGEST:
            return lengths
        counts = (counts + 1) // 2


# 04.6: ties to the latest tree, a sorted list instead of a heap
def code_lengths(counts):
    lengths = np.zeros(len(counts), int)
    trees = [(int(c), [i]) for i, c in enumerate(counts) if c]
    if len(trees) == 1:
        lengths[trees[0][1]] = 1
    while len(trees) > 1:
        trees.sort(key=lambda t: (t[0], -len(t[1])))
        (a, x), (b, y) = trees[:2]
        for i in x + y:
            lengths[i] += 1
        trees = [*trees[2:], (a + b, x + y)]
    if len(counts) and max(lengths) > LONGEST:
        return code_lengths(-(-np.asarray(counts) // 2))
    return lengths


# 04.6: two queues, parents
def code_lengths(counts):
    counts = np.array(counts, dtype=np.int64)
    used = [int(i) for i in np.argsort(counts, kind="stable") if counts[i] > 0]
    lengths = np.zeros(counts.shape[0], np.int64)
    if len(used) == 1:
        lengths[used[0]] = 1
        return lengths
    n = len(used)
    weight = [int(counts[i]) for i in used]
    parent = [0] * max(2 * n - 1, 0)
    leaf, inner = 0, n
    for node in range(n, 2 * n - 1):
        total = 0
        for _ in range(2):
            if leaf < n and (inner >= node or weight[leaf] <= weight[inner]):
                total, parent[leaf], leaf = total + weight[leaf], node, leaf + 1
            else:
                total, parent[inner], inner = total + weight[inner], node, inner + 1
        weight.append(total)
    depth = [0] * max(2 * n - 1, 0)
    for node in range(2 * n - 3, -1, -1):
        depth[node] = depth[parent[node]] + 1
    for i, symbol in enumerate(used):
        lengths[symbol] = depth[i]
    return lengths if max(depth, default=0) <= LONGEST else code_lengths(counts // 2 + counts % 2)


# 04.7: infinite logarithms and a warning
def log_codes(w, bits, top):
    w = np.asarray(w)
    if np.isnan(w).any() or np.isinf(w).any():
        raise ValueError("bad weights")
    n = 2 ** (bits - 1) - 1
    place = np.round(np.log2(np.abs(w))) - (top - n)
    place = np.minimum(np.maximum(place, 0), n)
    return np.where(w < 0, -place, place).astype(np.int8)


# 04.7: a loop
def log_codes(w, bits, top):
    levels = 2 ** (bits - 1) - 1
    codes = np.zeros(w.shape, dtype=np.int8)
    for index in np.ndindex(*w.shape):
        x = float(w[index])
        if not math.isfinite(x):
            raise ValueError(f"{x} is not finite")
        if x == 0:
            continue
        e = round(math.log2(abs(x)))
        place = min(e - (top - levels + 1) + 1, levels)
        if place > 0:
            codes[index] = place if x > 0 else -place
    return codes


# 04.7: frexp, the border is 1 / sqrt(2)
def log_codes(w, bits, top):
    if not np.isfinite(w).all():
        raise ValueError("w")
    n = (1 << (bits - 1)) - 1
    fraction, exponent = np.frexp(np.abs(w).astype(np.float64))
    e = np.where(fraction > np.sqrt(0.5), exponent, exponent - 1)
    place = np.clip(e - top + n, 0, n)
    place[w == 0] = 0
    return (np.sign(w) * place).astype("int8")


# 04.7: exponents compared one by one
def log_codes(w, bits, top):
    if not np.all(np.isfinite(w)):
        raise ValueError
    n, size = 2 ** (bits - 1) - 1, np.abs(w).astype(np.float64)
    place = sum((size > 2.0 ** (top - n + i - 0.5)).astype(np.int8) for i in range(1, n + 1))
    return np.copysign(place, w).astype(np.int8)
