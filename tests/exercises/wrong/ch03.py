"""Wrong solutions of chapter 03, beside the named mistakes of the sheet."""

import math

import numpy as np

from lightnn.compress import filter_norms
from lightnn.compress.structure.channel_graph import root


# 03.1: float32 sums, then float64
def filter_norms(w, order=1):
    rows = np.abs(w).reshape(len(w), -1)
    return ((rows**order).sum(1) ** (1 / order)).astype(np.float64)


# 03.1: dtype float32 remains
def filter_norms(w, order=1):
    return np.linalg.norm(w.reshape(len(w), -1), order, axis=1)


# 03.1: order is ignored
def filter_norms(w, order=1):
    return np.abs(np.asarray(w, np.float64)).reshape(len(w), -1).sum(1)


# 03.1: matrix norm of every filter
def filter_norms(w, order=1):
    w = np.asarray(w, np.float64)
    return np.array([np.linalg.norm(f.reshape(f.shape[0], -1), order) for f in w])


# 03.1: only 4-D weights
def filter_norms(w, order=1):
    w = np.asarray(w, np.float64)
    s = (np.abs(w) ** order).sum((1, 2, 3))
    return s ** (1 / order)


# 03.1: largest instead of sum
def filter_norms(w, order=1):
    return np.abs(np.asarray(w, np.float64)).reshape(len(w), -1).max(1)


# 03.1: one number for each kernel
def filter_norms(w, order=1):
    w = np.abs(np.asarray(w, np.float64))
    return (w**order).reshape(*w.shape[:2], -1).sum(2) ** (1 / order)


# 03.1: w is made positive in place
def filter_norms(w, order=1):
    np.abs(w, out=w)
    return (np.asarray(w, np.float64).reshape(len(w), -1) ** order).sum(1) ** (1 / order)


# 03.1: a list
def filter_norms(w, order=1):
    rows = np.abs(np.asarray(w, np.float64)).reshape(len(w), -1)
    return list((rows**order).sum(1) ** (1 / order))


# 03.1: root of the sum of both orders swapped
def filter_norms(w, order=1):
    rows = np.abs(np.asarray(w, np.float64)).reshape(len(w), -1)
    return rows.sum(1) if order == 2 else np.sqrt((rows**2).sum(1))


# 03.2: argpartition
def smallest(scores, count):
    if not 0 <= count <= len(scores):
        raise ValueError
    if count == len(scores):
        return np.arange(count)
    return np.sort(np.argpartition(scores, count)[:count])


# 03.2: the default argsort
def smallest(scores, count):
    if not 0 <= count <= len(scores):
        raise ValueError
    return np.sort(np.argsort(scores)[:count])


# 03.2: sort of the whole argsort
def smallest(scores, count):
    if not 0 <= count <= len(scores):
        raise ValueError
    return np.sort(np.argsort(scores, kind="stable"))[:count]


# 03.2: abs
def smallest(scores, count):
    if not 0 <= count <= len(scores):
        raise ValueError
    return np.sort(np.argsort(np.abs(scores), kind="stable")[:count])


# 03.2: int
def smallest(scores, count):
    if not 0 <= count <= len(scores):
        raise ValueError
    return np.sort(np.argsort(scores.astype(int), kind="stable")[:count])


# 03.2: the last of equal ones
def smallest(scores, count):
    if not 0 <= count <= len(scores):
        raise ValueError
    return np.sort(np.argsort(-scores, kind="stable")[len(scores) - count :])


# 03.2: all that are not above the limit, ties included
def smallest(scores, count):
    if not 0 <= count <= len(scores):
        raise ValueError
    if not count:
        return np.zeros(0, np.int64)
    return np.flatnonzero(scores <= np.sort(scores)[count - 1])


# 03.2: a negative count is not refused
def smallest(scores, count):
    if count > len(scores):
        raise ValueError
    return np.sort(np.argsort(scores, kind="stable")[:count])


# 03.2: a count too large is not refused
def smallest(scores, count):
    if count < 0:
        raise ValueError
    return np.sort(np.argsort(scores, kind="stable")[:count])


# 03.2: all of them is refused
def smallest(scores, count):
    if not 0 <= count < len(scores):
        raise ValueError
    return np.sort(np.argsort(scores, kind="stable")[:count])


# 03.2: none is refused
def smallest(scores, count):
    if not 0 < count <= len(scores):
        raise ValueError
    return np.sort(np.argsort(scores, kind="stable")[:count])


# 03.2: an IndexError
def smallest(scores, count):
    if not 0 <= count <= len(scores):
        raise IndexError(count)
    return np.sort(np.argsort(scores, kind="stable")[:count])


# 03.2: a mask
def smallest(scores, count):
    if not 0 <= count <= len(scores):
        raise ValueError
    mask = np.zeros(len(scores), bool)
    mask[np.argsort(scores, kind="stable")[:count]] = True
    return mask


# 03.2: sorts the argument
def smallest(scores, count):
    if not 0 <= count <= len(scores):
        raise ValueError
    found = np.sort(np.argsort(scores, kind="stable")[:count])
    scores.sort()
    return found


# 03.2: a list
def smallest(scores, count):
    if not 0 <= count <= len(scores):
        raise ValueError
    return sorted(np.argsort(scores, kind="stable")[:count].tolist())


# 03.3: tile
def columns(channels, size):
    return np.tile(channels, math.prod(size))


# 03.3: numbers of channels instead of what they are called
def columns(channels, size):
    return np.repeat(np.arange(len(channels)), math.prod(size))


# 03.3: two axes only
def columns(channels, size):
    return np.repeat(channels, size[0] * size[1])


# 03.3: two axes or none
def columns(channels, size):
    return np.repeat(channels, size[0] * size[-1] if size else 1)


# 03.3: the matrix is not flattened
def columns(channels, size):
    return np.repeat(channels[:, None], math.prod(size), axis=1)


# 03.3: int64 whatever the channels
def columns(channels, size):
    return np.array([int(c) for c in channels for _ in range(math.prod(size))], np.int64)


# 03.3: sorted
def columns(channels, size):
    return np.sort(np.repeat(channels, math.prod(size)))


# 03.3: no column for ()
def columns(channels, size):
    return np.repeat(channels, math.prod(size) if size else 0)


# 03.4: zeroed in place
def greedy_norms(w, removed, order=1):
    w[:, np.asarray(removed, int)] = 0
    return filter_norms(w, order)


# 03.4: float32 sums
def greedy_norms(w, removed, order=1):
    kept = np.delete(w, np.asarray(removed, int), 1)
    return (np.abs(kept.reshape(len(w), -1)) ** order).sum(1) ** (1 / order)


# 03.4: float32 sums, then float64
def greedy_norms(w, removed, order=1):
    kept = np.delete(w, np.asarray(removed, int), 1)
    return ((np.abs(kept.reshape(len(w), -1)) ** order).sum(1) ** (1 / order)).astype(np.float64)


# 03.4: axis 0
def greedy_norms(w, removed, order=1):
    return filter_norms(np.delete(w, np.asarray(removed, int), 0), order)


# 03.4: order left out
def greedy_norms(w, removed, order=1):
    return filter_norms(np.delete(w, np.asarray(removed, int), 1))


# 03.4: norm minus norm of the removed
def greedy_norms(w, removed, order=1):
    return filter_norms(w, order) - filter_norms(w[:, np.asarray(removed, int)], order)


# 03.4: as many from the front
def greedy_norms(w, removed, order=1):
    return filter_norms(w[:, len(removed) :], order)


# 03.4: empty list fails
def greedy_norms(w, removed, order=1):
    keep = np.ones(w.shape[1], bool)
    keep[np.asarray(removed)] = False
    return filter_norms(w[:, keep], order)


# 03.4: the mean over what remains
def greedy_norms(w, removed, order=1):
    kept = np.delete(w, np.asarray(removed, int), 1)
    return filter_norms(kept, order) * w.shape[1] / max(1, kept.shape[1])


# 03.4: removed read as a slice
def greedy_norms(w, removed, order=1):
    if not len(removed):
        return filter_norms(w, order)
    return filter_norms(np.delete(w, slice(min(removed), max(removed) + 1), 1), order)


# 03.5: std of rows
def map_statistics(maps):
    x = np.asarray(maps, np.float64)
    l2 = np.linalg.norm(x, axis=(2, 3))
    return {
        "mean-mean": x.mean((0, 2, 3)),
        "mean-std": x.std(3).mean(2).mean(0),
        "mean-l1": np.abs(x).sum((2, 3)).mean(0),
        "mean-l2": l2.mean(0),
        "variance-l2": l2.var(0),
    }


# 03.5: a 2-norm of rows, summed
def map_statistics(maps):
    x = np.asarray(maps, np.float64)
    l2 = np.linalg.norm(x, axis=3).sum(2)
    return {
        "mean-mean": x.mean((0, 2, 3)),
        "mean-std": x.std((2, 3)).mean(0),
        "mean-l1": np.abs(x).sum((2, 3)).mean(0),
        "mean-l2": l2.mean(0),
        "variance-l2": l2.var(0),
    }


# 03.5: 2-norm of the rows' 1-norms
def map_statistics(maps):
    x = np.asarray(maps, np.float64)
    l2 = np.linalg.norm(np.linalg.norm(x, 1, axis=3), 2, axis=2)
    return {
        "mean-mean": x.mean((0, 2, 3)),
        "mean-std": x.std((2, 3)).mean(0),
        "mean-l1": np.abs(x).sum((2, 3)).mean(0),
        "mean-l2": l2.mean(0),
        "variance-l2": l2.var(0),
    }


# 03.5: matrix norms
def map_statistics(maps):
    x = np.asarray(maps, np.float64)
    l2 = np.linalg.norm(x, 2, axis=(2, 3))
    return {
        "mean-mean": x.mean((0, 2, 3)),
        "mean-std": x.std((2, 3)).mean(0),
        "mean-l1": np.linalg.norm(x, 1, axis=(2, 3)).mean(0),
        "mean-l2": l2.mean(0),
        "variance-l2": l2.var(0),
    }


# 03.5: variance with n - 1
def map_statistics(maps):
    x = np.asarray(maps, np.float64)
    l2 = np.linalg.norm(x, axis=(2, 3))
    return {
        "mean-mean": x.mean((0, 2, 3)),
        "mean-std": x.std((2, 3)).mean(0),
        "mean-l1": np.abs(x).sum((2, 3)).mean(0),
        "mean-l2": l2.mean(0),
        "variance-l2": l2.var(0, ddof=1),
    }


# 03.5: other names
def map_statistics(maps):
    x = np.asarray(maps, np.float64)
    l2 = np.linalg.norm(x, axis=(2, 3))
    return {
        "mean": x.mean((0, 2, 3)),
        "std": x.std((2, 3)).mean(0),
        "l1": np.abs(x).sum((2, 3)).mean(0),
        "l2": l2.mean(0),
        "variance-l2": l2.var(0),
    }


# 03.5: in the dtype of the maps
def map_statistics(maps):
    x = maps.reshape(*maps.shape[:2], -1)
    l2 = np.sqrt((x**2).sum(2))
    each = {"mean-mean": x.mean(2), "mean-std": x.std(2), "mean-l1": np.abs(x).sum(2), "mean-l2": l2}
    return {name: f.mean(0) for name, f in each.items()} | {"variance-l2": l2.var(0)}


# 03.5: sums over the images
def map_statistics(maps):
    x = np.asarray(maps, np.float64).reshape(*maps.shape[:2], -1)
    l2 = np.sqrt((x**2).sum(2))
    each = {"mean-mean": x.mean(2), "mean-std": x.std(2), "mean-l1": np.abs(x).sum(2), "mean-l2": l2}
    return {name: f.sum(0) for name, f in each.items()} | {"variance-l2": l2.var(0)}


# 03.5: standard deviation instead of the variance
def map_statistics(maps):
    x = np.asarray(maps, np.float64).reshape(*maps.shape[:2], -1)
    l2 = np.sqrt((x**2).sum(2))
    each = {"mean-mean": x.mean(2), "mean-std": x.std(2), "mean-l1": np.abs(x).sum(2), "mean-l2": l2}
    return {name: f.mean(0) for name, f in each.items()} | {"variance-l2": l2.std(0)}


# 03.5: variance-l2 is missing
def map_statistics(maps):
    x = np.asarray(maps, np.float64).reshape(*maps.shape[:2], -1)
    l2 = np.sqrt((x**2).sum(2))
    each = {"mean-mean": x.mean(2), "mean-std": x.std(2), "mean-l1": np.abs(x).sum(2), "mean-l2": l2}
    return {name: f.mean(0) for name, f in each.items()}


# 03.6: only the first is hung
def root(parent, i):
    top = i
    while parent[top] != top:
        top = parent[top]
    parent[i] = top
    return top


# 03.6: only the first gets its grandparent
def root(parent, i):
    parent[i] = parent[parent[i]]
    while parent[i] != i:
        i = parent[i]
    return i


# 03.6: lower parents only
def root(parent, i):
    while parent[i] < i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


# 03.6: stops at 0
def root(parent, i):
    while parent[i] != i and i != 0:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


# 03.6: stops below 0
def root(parent, i):
    while parent[i] != i and parent[i] != 0:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return parent[i]


# 03.6: full path compression
def root(parent, i):
    way = []
    while parent[i] != i:
        way.append(i)
        i = parent[i]
    for k in way:
        parent[k] = i
    return i


# 03.6: path splitting
def root(parent, i):
    while parent[i] != i:
        parent[i], i = parent[parent[i]], parent[i]
    return i


# 03.6: recursion
def root(parent, i):
    if parent[i] == i:
        return i
    parent[i] = parent[parent[i]]
    return root(parent, parent[i])


# 03.6: two steps without a change
def root(parent, i):
    while parent[i] != i:
        i = parent[parent[i]]
    return i


# 03.6: the smallest of the set
def root(parent, i):
    low = i
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
        low = min(low, i)
    return low


# 03.6: nothing is returned
def root(parent, i):
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]


# 03.6: it never ends
def root(parent, i):
    while parent[i] != i:
        parent[i] = parent[parent[i]]
    return i


# 03.7: returns nothing
def join(parent, a, b):
    for i, k in zip(a, b, strict=True):
        low, high = sorted((root(parent, i), root(parent, k)))
        parent[high] = low


# 03.7: only a longer b is refused
def join(parent, a, b):
    if len(b) > len(a):
        raise ValueError
    for i, k in zip(a, b):
        low, high = sorted((root(parent, i), root(parent, k)))
        parent[high] = low
    return parent


# 03.7: only a longer a is refused
def join(parent, a, b):
    for n, i in enumerate(a):
        if n >= len(b):
            raise ValueError
        low, high = sorted((root(parent, i), root(parent, b[n])))
        parent[high] = low
    return parent


# 03.7: an IndexError
def join(parent, a, b):
    for n in range(max(len(a), len(b))):
        low, high = sorted((root(parent, a[n]), root(parent, b[n])))
        parent[high] = low
    return parent


# 03.7: b's root below a's
def join(parent, a, b):
    for i, k in zip(a, b, strict=True):
        parent[root(parent, k)] = root(parent, i)
    return parent


# 03.7: the element is hung, its root is not
def join(parent, a, b):
    for i, k in zip(a, b, strict=True):
        low, high = sorted((root(parent, i), root(parent, k)))
        parent[max(i, k)] = low
    return parent


# 03.7: parents instead of roots
def join(parent, a, b):
    for i, k in zip(a, b, strict=True):
        low, high = sorted((parent[i], parent[k]))
        parent[high] = low
    return parent


# 03.7: a copy
def join(parent, a, b):
    parent = parent.copy()
    for i, k in zip(a, b, strict=True):
        low, high = sorted((root(parent, i), root(parent, k)))
        parent[high] = low
    return parent


# 03.7: all in one set
def join(parent, a, b):
    for i, k in zip(a, b, strict=True):
        low = min(root(parent, int(j)) for j in [*a, *b])
        for j in (i, k):
            parent[root(parent, j)] = low
    return parent


# 03.7: roots of the start only
def join(parent, a, b):
    first = [root(parent, i) for i in range(len(parent))]
    for i, k in zip(a, b, strict=True):
        low, high = sorted((first[i], first[k]))
        parent[high] = low
    return parent


# 03.7: True
def join(parent, a, b):
    for i, k in zip(a, b, strict=True):
        low, high = sorted((root(parent, i), root(parent, k)))
        parent[high] = low
    return True
