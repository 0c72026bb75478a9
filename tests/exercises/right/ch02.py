"""Right solutions of chapter 02 in other styles: all must pass."""

import math

import numpy as np

from lightnn.compress.pruning.magnitude import set_mask, threshold
from lightnn.compress.transforms.mask import Mask
from lightnn.nn import Parameter
from lightnn.tensor import op


# 02.1: the fraction first, and NumPy's square root
def adjust_dropout(rate, connections_before, connections_after):
    if rate < 0 or rate >= 1:
        raise ValueError("the rate is a probability below 1")
    if connections_before <= 0 or connections_after < 0 or connections_after > connections_before:
        raise ValueError("impossible numbers of connections")
    fraction = connections_after / connections_before
    return float(rate * np.sqrt(fraction))


# 02.1: a power of one half, errors at the end
def adjust_dropout(rate, connections_before, connections_after):
    if 0 <= rate < 1 and connections_before > 0 and 0 <= connections_after <= connections_before:
        return rate * (connections_after**0.5) / (connections_before**0.5)
    raise ValueError("no")


# 02.2: the formula, written out
def threshold(w, quality, mask=None):
    values = w.astype(np.float64)
    values = values.ravel() if mask is None else values[mask]
    if len(values) == 0:
        return 0.0
    mean = values.sum() / len(values)
    return quality * math.sqrt(((values - mean) ** 2).sum() / len(values))


# 02.2: plain loops
def threshold(w, quality, mask=None):
    kept = [float(x) for i, x in enumerate(w.ravel()) if mask is None or mask.ravel()[i]]
    if not kept:
        return 0.0
    mean = sum(kept) / len(kept)
    return quality * (sum((x - mean) ** 2 for x in kept) / len(kept)) ** 0.5


# 02.2: np.std with where
def threshold(w, quality, mask=None):
    if mask is None:
        mask = np.ones(w.shape, bool)
    if not mask.any():
        return 0.0
    return quality * np.std(w, dtype=np.float64, where=mask)


# 02.2: the mean of the squares minus the square of the mean
def threshold(w, quality, mask=None):
    w = np.float64(w if mask is None else w[mask])
    if w.size == 0:
        return 0.0
    return float(quality * np.sqrt(np.mean(w**2) - np.mean(w) ** 2))


# 02.3: a copy with zeros
@op
def masked(w, *, mask):
    if w.shape != mask.shape:
        raise ValueError("the mask is of another shape")
    y = w.copy()
    y[~mask] = 0
    return y, lambda dy: dy * mask


# 02.3: zeros with what is kept, in loops, and a named function
@op
def masked(w, *, mask):
    if np.shape(w) != np.shape(mask):
        raise ValueError(f"{np.shape(w)} is not {np.shape(mask)}")

    def select(a):
        out = np.zeros_like(a)
        for i in np.ndindex(a.shape):
            if mask[i]:
                out[i] = a[i]
        return out

    return select(w), select


# 02.3: np.copyto
@op
def masked(w, *, mask):
    if w.shape != mask.shape:
        raise ValueError("shapes")
    y = np.zeros(w.shape, w.dtype)
    np.copyto(y, w, where=mask)
    return y, lambda dy: np.where(mask, dy, 0).astype(w.dtype)


# 02.4: cases
def gradual_sparsity(t, s_i, s_f, t_0, n, dt):
    if not (n >= 1 and dt >= 1):
        raise ValueError("n and dt must be positive")
    if t <= t_0:
        return s_i
    if t >= t_0 + n * dt:
        return s_f
    t = t_0 + (t - t_0) // dt * dt
    return s_f + (s_i - s_f) * (1 - (t - t_0) / (n * dt)) ** 3


# 02.4: counting the steps in a loop
def gradual_sparsity(t, s_i, s_f, t_0, n, dt):
    if n <= 0 or dt <= 0:
        raise ValueError("too small")
    steps = 0
    while steps < n and t_0 + (steps + 1) * dt <= t:
        steps += 1
    left = ((n - steps) / n) ** 3
    return s_i * left + s_f * (1 - left)


# 02.4: np.clip
def gradual_sparsity(t, s_i, s_f, t_0, n, dt):
    if min(n, dt) < 1:
        raise ValueError("too small")
    done = np.clip(np.floor((t - t_0) / dt), 0, n) / n
    return float(s_f + (s_i - s_f) * (1 - done) ** 3)


# 02.5: the mask once more
def prune(p, quality):
    if quality < 0 or not np.isfinite(quality):
        raise ValueError("a quality is a finite number, at least 0")
    w = p().data
    if p.support is None:
        return set_mask(p, abs(w) > threshold(w, quality))
    old = p.support.mask
    return set_mask(p, old & (abs(w) > threshold(w, quality, old)))


# 02.5: without set_mask and threshold
def prune(p, quality):
    if not (math.isfinite(quality) and quality >= 0):
        raise ValueError("bad quality")
    w = p().data
    before = np.ones(w.shape, bool) if p.support is None else p.support.mask
    limit = quality * w[before].std(dtype=np.float64) if before.any() else 0.0
    mask = np.logical_or(w > limit, w < -limit)
    p.data = np.where(mask, p.data, 0).astype(p.data.dtype)
    p.support = Mask(mask)
    return float(mask.mean())


# 02.5: weight by weight, counting
def prune(p, quality):
    if not quality >= 0 or quality == math.inf:
        raise ValueError("bad quality")
    w = p().data
    limit = threshold(w, quality, p.support.mask if p.support else None)
    mask = np.zeros(w.shape, bool)
    for i in np.ndindex(*w.shape):
        mask[i] = abs(w[i]) > limit
    set_mask(p, mask)
    return int(mask.sum()) / mask.size


# 02.6: a loop
def flop_fractions(flops, kept, active):
    fractions, before, left = [], 1.0, 0.0
    for f, w, a in zip(flops, kept, active):
        fractions.append(float(w) * before)
        left += float(f) * fractions[-1]
        before = float(a)
    return np.array(fractions), left / float(sum(flops))


# 02.6: np.roll and np.average
def flop_fractions(flops, kept, active):
    inputs = np.roll(np.asarray(active, float), 1)
    inputs[0] = 1
    f = kept.astype(np.float64) * inputs
    return f, float(np.average(f, weights=flops))


# 02.6: a new array, filled
def flop_fractions(flops, kept, active):
    result = np.array(kept, np.float64)
    result[1:] *= active[:-1].astype(np.float64)
    return result, (result * flops).sum() / np.sum(flops)


# 02.7: a permutation
def random_mask(p, keep, rng):
    if keep <= 0 or keep > 1:
        raise ValueError("keep is a fraction")
    rng = np.random.default_rng(rng)
    old = np.ones(p.shape, bool) if p.support is None else p.support.mask
    places = rng.permutation(np.argwhere(old))[: round(keep * p.size)]
    mask = np.zeros(p.shape, bool)
    mask[tuple(places.T)] = True
    return mask


# 02.7: the largest of random numbers
def random_mask(p, keep, rng):
    if not (0 < keep and keep <= 1):
        raise ValueError("no")
    numbers = np.random.default_rng(rng).random(p.shape)
    if p.support is not None:
        numbers[~p.support.mask] = -1
    count = int(np.rint(keep * p.size))
    order = np.argsort(numbers, axis=None)[::-1][:count]
    mask = np.zeros(p.size, dtype=bool)
    mask[order] = True
    mask = mask.reshape(p.shape)
    return mask if p.support is None else mask & p.support.mask


# 02.7: drawn one by one
def random_mask(p, keep, rng):
    if not 0 < keep <= 1:
        raise ValueError("no")
    if not isinstance(rng, np.random.Generator):
        rng = np.random.default_rng(rng)
    left = list(range(p.size)) if p.support is None else np.flatnonzero(p.support.mask).tolist()
    mask = np.zeros(p.shape, bool)
    for _ in range(min(round(keep * p.size), len(left))):
        mask.flat[left.pop(rng.integers(len(left)))] = True
    return mask


# 02.8: two loops
def csr_matvec(values, columns, pointers, x):
    y = []
    for start, stop in zip(pointers[:-1], pointers[1:]):
        total = 0
        for k in range(start, stop):
            total += values[k] * x[columns[k]]
        y.append(total)
    return np.array(y, dtype=x.dtype)


# 02.8: bincount, whose sums are float64
def csr_matvec(values, columns, pointers, x):
    rows = np.repeat(np.arange(len(pointers) - 1), np.diff(pointers))
    return np.bincount(rows, values * x[columns], len(pointers) - 1).astype(x.dtype)


# 02.8: np.add.at
def csr_matvec(values, columns, pointers, x):
    y = np.zeros(pointers.size - 1, dtype=x.dtype)
    np.add.at(y, np.repeat(np.arange(y.size), pointers[1:] - pointers[:-1]), values * np.take(x, columns))
    return y


# 02.8: scalar products
def csr_matvec(values, columns, pointers, x):
    y = np.empty(len(pointers) - 1, x.dtype)
    for i, (a, b) in enumerate(zip(pointers, pointers[1:])):
        y[i] = np.dot(values[a:b], x[columns[a:b]])
    return y


# 02.9: a loop over the inputs
def fold_constants(w, b, values, constant):
    new = b.astype(np.result_type(w, b, values))
    for i in range(len(values)):
        if constant[i]:
            new += w[:, i] * values[i]
    return new


# 02.9: the other inputs set to 0
def fold_constants(w, b, values, constant):
    return w @ np.where(constant, values, 0).astype(values.dtype) + b


# 02.9: einsum over the chosen ones
def fold_constants(w, b, values, constant):
    at = np.flatnonzero(constant)
    return np.einsum("oi,i->o", w[:, at], values[at]) + b


# 02.9: products, then a sum
def fold_constants(w, b, values, constant):
    return b + (w * values * constant).sum(axis=1)
