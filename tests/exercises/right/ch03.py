"""Right solutions of chapter 03, each in another style than the reference."""

import functools
import itertools
import math

import numpy as np

from lightnn.compress import filter_norms
from lightnn.compress.structure.channel_graph import root


# 03.1: np.linalg.norm of rows
def filter_norms(w, order=1):
    rows = np.asarray(w).astype(np.float64).reshape(w.shape[0], -1)
    return np.linalg.norm(rows, order, axis=1)


# 03.1: a loop over filters
def filter_norms(w, order=1):
    scores = []
    for f in w:
        f = f.astype(float)
        scores.append(abs(f).sum() if order == 1 else math.sqrt((f * f).sum()))
    return np.array(scores)


# 03.1: einsum, sum over all other axes
def filter_norms(w, order=1):
    w = w.astype("float64")
    axes = tuple(range(1, w.ndim))
    if order == 1:
        return np.sum(np.abs(w), axis=axes)
    return np.sqrt(np.einsum("o...,o...->o...", w, w).sum(axis=axes))


# 03.1: sum with dtype
def filter_norms(w, order=1):
    w = np.asarray(w, dtype=np.float64)
    a = np.where(w < 0, -w, w) if order == 1 else np.square(w)
    s = a.reshape(len(a), -1).sum(axis=-1, dtype=np.float64)
    return s if order == 1 else np.sqrt(s)


# 03.2: sorted with a key
def smallest(scores, count):
    n = len(scores)
    if count < 0:
        raise ValueError("count must not be negative")
    if count > n:
        raise ValueError
    ranked = sorted(range(n), key=lambda i: (scores[i], i))
    return np.array(sorted(ranked[:count]), dtype=np.int64)


# 03.2: lexsort
def smallest(scores, count):
    if count not in range(len(scores) + 1):
        raise ValueError("so many scores there are not")
    order = np.lexsort((np.arange(len(scores)), scores))
    chosen = order[:count].copy()
    chosen.sort()
    return chosen


# 03.2: a mask, filled one by one
def smallest(scores, count):
    if count < 0 or len(scores) < count:
        raise ValueError(f"bad count {count}")
    left = np.ones(len(scores), bool)
    for _ in range(count):
        where = np.flatnonzero(left)
        left[where[np.argmin(scores[where])]] = False
    return np.flatnonzero(~left)


# 03.2: the largest of the smallest, then ties
def smallest(scores, count):
    if not (0 <= count <= scores.size):
        raise ValueError("count out of range")
    if count == 0:
        return np.empty(0, dtype=np.int64)
    limit = np.sort(scores)[count - 1]
    below = np.flatnonzero(scores < limit)
    equal = np.flatnonzero(scores == limit)[: count - below.size]
    return np.sort(np.concatenate([below, equal]))


# 03.3: broadcast and flatten
def columns(channels, size):
    shaped = channels.reshape((-1,) + (1,) * len(size))
    return np.broadcast_to(shaped, (len(channels), *size)).flatten()


# 03.3: loops
def columns(channels, size):
    pixels = 1
    for n in size:
        pixels *= n
    out = np.empty(len(channels) * pixels, channels.dtype)
    for c in range(len(channels)):
        for p in range(pixels):
            out[c * pixels + p] = channels[c]
    return out


# 03.3: by index
def columns(channels, size):
    pixels = int(np.prod(size))
    return channels[np.arange(len(channels) * pixels) // pixels]


# 03.3: outer product with ones
def columns(channels, size):
    return (channels[:, None] * np.ones(functools.reduce(lambda a, b: a * b, size, 1), channels.dtype)).ravel()


# 03.4: np.delete
def greedy_norms(w, removed, order=1):
    return filter_norms(np.delete(w, np.asarray(removed, int), axis=1), order)


# 03.4: zeros instead of removal
def greedy_norms(w, removed, order=1):
    w = np.array(w, dtype=np.float64)
    for i in removed:
        w[:, i] = 0
    w = w.reshape(len(w), -1)
    return np.abs(w).sum(1) if order == 1 else np.sqrt((w**2).sum(1))


# 03.4: a mask of the kept
def greedy_norms(w, removed, order=1):
    keep = np.ones(w.shape[1], dtype=bool)
    for i in removed:
        keep[i] = False
    return filter_norms(w[:, keep], order=order)


# 03.4: the kept as a list
def greedy_norms(w, removed, order=1):
    gone = set(map(int, removed))
    total = np.zeros(w.shape[0])
    for i in range(w.shape[1]):
        if i not in gone:
            part = np.abs(w[:, i].astype(float)) ** order
            total += part.reshape(len(w), -1).sum(axis=1)
    return total if order == 1 else np.sqrt(total)


# 03.5: axis=(2, 3)
def map_statistics(maps):
    x = maps.astype(np.float64)
    l2 = np.linalg.norm(x, axis=(2, 3))
    return {
        "mean-mean": x.mean((2, 3)).mean(0),
        "mean-std": x.std(axis=(2, 3)).mean(0),
        "mean-l1": np.abs(x).sum((2, 3)).mean(0),
        "mean-l2": l2.mean(0),
        "variance-l2": l2.var(0),
    }


# 03.5: nested 2-norms are the 2-norm
def map_statistics(maps):
    x = np.asarray(maps, dtype=float)
    l2 = np.linalg.norm(np.linalg.norm(x, axis=3), axis=2)
    out = {"variance-l2": ((l2 - l2.mean(axis=0)) ** 2).mean(axis=0), "mean-l2": l2.mean(axis=0)}
    out["mean-mean"] = x.mean(axis=(0, 2, 3))
    out["mean-l1"] = np.linalg.norm(np.linalg.norm(x, 1, axis=3), 1, axis=2).mean(axis=0)
    out["mean-std"] = np.std(x.reshape(*x.shape[:2], -1), axis=-1).mean(axis=0)
    return out


# 03.5: loops over images and channels
def map_statistics(maps):
    n, c = maps.shape[:2]
    f = np.zeros((4, n, c))
    for i, j in itertools.product(range(n), range(c)):
        x = maps[i, j].astype(np.float64).ravel()
        m = x.sum() / x.size
        f[:, i, j] = m, math.sqrt(((x - m) ** 2).sum() / x.size), np.abs(x).sum(), math.sqrt(x @ x)
    means = f.mean(axis=1)
    result = dict(zip(["mean-mean", "mean-std", "mean-l1", "mean-l2"], means))
    result["variance-l2"] = f[3].var(axis=0)
    return result


# 03.6: a walrus and two steps
def root(parent, i):
    while i != (p := parent[i]):
        g = parent[p]
        parent[i] = g
        i = g
    return i


# 03.6: the way first, then the new parents
def root(parent, i):
    way = [i]
    while parent[way[-1]] != way[-1]:
        way.append(parent[way[-1]])
    for k in range(0, len(way) - 2, 2):
        parent[way[k]] = way[k + 2]
    return way[-1]


# 03.6: while True
def root(parent, i):
    while True:
        up = parent[i]
        if up == i:
            return i
        parent[i] = i = parent[up]


# 03.7: min and max
def join(parent, a, b):
    if len(a) != len(b):
        raise ValueError("a and b must be of one length")
    for k in range(len(a)):
        r, s = root(parent, a[k]), root(parent, b[k])
        parent[max(r, s)] = min(r, s)
    return parent


# 03.7: without root, no path halving
def join(parent, a, b):
    def top(i):
        while parent[i] != i:
            i = parent[i]
        return i

    if len(a) > len(b) or len(b) > len(a):
        raise ValueError(len(a), len(b))
    for i, j in zip(a, b):
        ti, tj = top(j), top(i)
        if ti < tj:
            parent[tj] = ti
        elif tj < ti:
            parent[ti] = tj
    return parent


# 03.7: every member relabelled
def join(parent, a, b):
    labels = [root(parent, i) for i in range(len(parent))]
    for i, k in zip(a, b, strict=True):
        low, high = sorted([labels[i], labels[k]])
        labels = [low if x == high else x for x in labels]
    parent[:] = labels
    return parent
