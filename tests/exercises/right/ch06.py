"""Right solutions of chapter 06, each in another style than the reference."""

import math

import numpy as np

from lightnn import options


# 06.1: in bits
def product_bytes(n, d, k):
    for value in (n, d, k):
        if isinstance(value, str | None) or not 0 < value < math.inf:
            raise ValueError("numbers above 0")
    bits = (n / d) * math.log2(k) + 16 * k * d
    return bits / 8


# 06.1: codes and centroids apart
def product_bytes(n, d, k):
    n, d, k = options.numbers_above_0("mine", n=n, d=d, k=k)
    codes, centroids = n * math.log(k, 2) / d / 8, 2.0 * d * k
    return float(codes + centroids)


# 06.2: from above
def clamped(k, n):
    most = 1 << 40
    while most > 1 and 4 * most >= n:
        most //= 2
    return most if most < k else k


# 06.2: the length of a number in bits
def clamped(k, n):
    whole = -(-n // 4) - 1  # the largest int below n / 4
    return min(k, 1 if whole < 1 else 2 ** (whole.bit_length() - 1))


# 06.3: piece by piece
def blocks_of(w, d):
    if isinstance(d, bool) or not isinstance(d, int) or d < 1:
        raise ValueError("d")
    w = np.asarray(w)
    if w.ndim < 1 or w.size == 0:
        raise ValueError("w")
    found = []
    for row in w:
        flat = row.flatten()
        if len(flat) % d:
            raise ValueError("uneven")
        found.extend(flat[i : i + d] for i in range(0, len(flat), d))
    return np.array(found)


# 06.3: split
def blocks_of(w, d):
    d = options.count("d", d)
    w = np.asarray(w)
    if not w.ndim or not w.size:
        raise ValueError("w")
    rows = w.reshape(w.shape[0], -1)
    if rows.shape[1] % d:
        raise ValueError("uneven")
    return rows.reshape(rows.shape[0], rows.shape[1] // d, d).copy().reshape(-1, d)


# 06.4: a loop over the centroids
def mean_gradient(dc, codes):
    made = dc.copy()
    for j in range(len(dc)):
        count = int((codes == j).sum())
        if count:
            made[j] = dc[j] / count
    return made


# 06.4: unique
def mean_gradient(dc, codes):
    used, count = np.unique(codes, return_counts=True)
    scale = np.ones((len(dc), 1), dc.dtype)
    scale[used, 0] = 1 / count
    return dc * scale


# 06.5: block by block
def weighted_error(v, c, codes, G):
    total = 0.0
    for block, code in zip(v, codes):
        e = block - c[code]
        total += float(e @ G @ e)
    return total


# 06.5: einsum
def weighted_error(v, c, codes, G):
    e = v - c[codes]
    return float(np.einsum("pi,ij,pj->", e, G, e))


# 06.6: all differences
def nearest_blocks(v, c, G):
    e = v[:, None] - c[None]
    return np.einsum("pji,ik,pjk->pj", e, G, e).argmin(axis=1)


# 06.6: a loop
def nearest_blocks(v, c, G):
    found = np.zeros(len(v), np.int64)
    for p, block in enumerate(v):
        best = np.inf
        for j, centroid in enumerate(c):
            e = block - centroid
            distance = e @ G @ e
            if distance < best:
                best, found[p] = distance, j
    return found


# 06.7: the weight written out
def linear_by_tables(x, codes, c):
    w = c[codes].reshape(len(codes), -1)
    return x @ w.T


# 06.7: a loop over the blocks
def linear_by_tables(x, codes, c):
    d = c.shape[1]
    y = np.zeros((len(x), len(codes)), x.dtype)
    for b in range(codes.shape[1]):
        table = x[:, b * d : (b + 1) * d] @ c.T
        y += table[:, codes[:, b]]
    return y


# 06.8: a loop over the centroids
def best_centroids(v, codes, c, G):
    seen = np.linalg.pinv(G) @ G
    made = c.copy()
    for j in range(len(c)):
        own = v[codes == j]
        if len(own):
            made[j] = seen @ own.mean(axis=0)
    return made


# 06.8: eigenvectors
def best_centroids(v, codes, c, G):
    size, E = np.linalg.eigh(G)
    E = E[:, size > 1e-10 * max(size.max(), 1e-300)]
    hot = (codes[:, None] == np.arange(len(c))).astype(float)
    count = hot.sum(0)
    means = hot.T @ (v @ E @ E.T) / np.where(count, count, 1)[:, None]
    return np.where(count[:, None] > 0, means, c)


# 06.9: with a list of counts
def split_largest(codes, c, rng):
    made = np.array(c)
    count = [int((codes == j).sum()) for j in range(len(c))]
    for j in range(len(c)):
        if count[j] == 0 and j not in {int(i) for i in codes}:
            m = max(range(len(c)), key=lambda i: (count[i], -i))
            e = 1e-8 * rng.normal(size=made.shape[1])
            made[j] = made[m] + e
            made[m] = made[m] - e
            count[j] = count[m] // 2
            count[m] -= count[j]
    return made


# 06.9: all e are drawn first
def split_largest(codes, c, rng):
    made, count = c + 0.0, np.bincount(codes, minlength=len(c))
    empty = [j for j in range(len(c)) if not count[j]]
    for j, e in zip(empty, rng.normal(0, 1e-8, (len(empty), c.shape[1]))):
        m = int(np.argmax(count))
        made[j], made[m] = made[m] - e, made[m] + e
        half = int(count[m]) // 2
        count[j], count[m] = half, count[m] - half
    return made
