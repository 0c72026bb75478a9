"""Wrong solutions of chapter 06, beside the named mistakes of the sheet."""

import math

import numpy as np

from lightnn import options


# 06.1: a byte for each code
def product_bytes(n, d, k):
    n, d, k = options.numbers_above_0("mine", n=n, d=d, k=k)
    return float(n / d + 2 * k * d)


# 06.1: whole codes
def product_bytes(n, d, k):
    n, d, k = options.numbers_above_0("mine", n=n, d=d, k=k)
    return float(n // d * math.log2(k) / 8 + 2 * k * d)


# 06.1: infinity passes
def product_bytes(n, d, k):
    if not (n > 0 and d > 0 and k > 0):
        raise ValueError("above 0")
    return float(n / d * math.log2(k) / 8 + 2 * k * d)


# 06.2: n / 4 itself, no power of two
def clamped(k, n):
    return max(1, min(k, n // 4))


# 06.2: 0 centroids
def clamped(k, n):
    most = 0
    while 2 * max(most, 0.5) < n / 4:
        most = int(2 * max(most, 0.5))
    return min(k, most)


# 06.2: a power of two also of k
def clamped(k, n):
    most = 1
    while 2 * most < n / 4 and 2 * most <= k:
        most *= 2
    return most


# 06.3: cut from the back
def blocks_of(w, d):
    d = options.count("d", d)
    if not np.ndim(w) or not np.size(w) or w[0].size % d:
        raise ValueError("w")
    return np.array(w).reshape(-1, d)[::-1]


# 06.3: in memory's order, not in C order
def blocks_of(w, d):
    d = options.count("d", d)
    if not np.ndim(w) or not np.size(w) or w[0].size % d:
        raise ValueError("w")
    return np.array(w).ravel(order="K").reshape(-1, d)


# 06.3: one axis for the outputs
def blocks_of(w, d):
    d = options.count("d", d)
    if not np.ndim(w) or not np.size(w) or w[0].size % d:
        raise ValueError("w")
    return np.array(w).reshape(len(w), -1, d)


# 06.4: only the used ones are left
def mean_gradient(dc, codes):
    used, count = np.unique(codes, return_counts=True)
    return dc[used] / count[:, None].astype(dc.dtype)


# 06.4: in place
def mean_gradient(dc, codes):
    count = np.bincount(codes.ravel(), minlength=len(dc))
    dc /= np.maximum(count, 1)[:, None].astype(dc.dtype)
    return dc


# 06.5: an array
def weighted_error(v, c, codes, G):
    e = v - c[codes]
    return (e @ G * e).sum(1)


# 06.5: the absolute value
def weighted_error(v, c, codes, G):
    return float(np.abs((v - c[codes]) @ G).sum())


# 06.6: city blocks
def nearest_blocks(v, c, G):
    return np.abs((v[:, None] - c[None]) @ G).sum(2).argmin(1)


# 06.6: the angle
def nearest_blocks(v, c, G):
    size = np.sqrt(np.maximum((c @ G * c).sum(1), 1e-12))
    return ((v @ G) @ c.T / size).argmax(1)


# 06.7: one table for all images
def linear_by_tables(x, codes, c):
    T = x[:1].reshape(min(len(x), 1), codes.shape[1], -1) @ c.T if len(x) else np.zeros((0, codes.shape[1], len(c)))
    y = T[:, np.arange(codes.shape[1]), codes].sum(2)
    return np.repeat(y, len(x), 0) if len(x) else y


# 06.7: differences, not products
def linear_by_tables(x, codes, c):
    blocks = x.reshape(len(x), codes.shape[1], c.shape[1])
    T = ((blocks[:, :, None] - c) ** 2).sum(3)
    return T[:, np.arange(codes.shape[1]), codes].sum(2)


# 06.8: medians
def best_centroids(v, codes, c, G):
    made, seen = c.copy(), np.linalg.pinv(G, hermitian=True) @ G
    for j in set(codes.tolist()):
        made[j] = np.median(v[codes == j] @ seen, 0)
    return made


# 06.8: weighted by G's diagonal
def best_centroids(v, codes, c, G):
    made = c.copy()
    for j in set(codes.tolist()):
        made[j] = v[codes == j].mean(0) * (np.diag(G) > 0)
    return made


# 06.9: a block in the place of the empty one
def split_largest(codes, c, rng):
    made = c.copy()
    for j in np.flatnonzero(np.bincount(codes, minlength=len(c)) == 0):
        made[j] = c[rng.integers(len(c))]
    return made


# 06.9: two steps apart
def split_largest(codes, c, rng):
    made, count = c.copy(), np.bincount(codes, minlength=len(c))
    for j in np.flatnonzero(count == 0):
        m = count.argmax()
        e = 1e-8 * rng.standard_normal(c.shape[1])
        made[j], made[m] = c[m] + 3 * e, c[m] - e
        count[j], count[m] = count[m] // 2, count[m] - count[m] // 2
    return made
