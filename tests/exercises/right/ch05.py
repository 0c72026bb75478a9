"""Right solutions of chapter 05, each in another style than the reference."""

import numpy as np

from lightnn.functional import check
from lightnn.tensor import op


# 05.1: logarithms first
def soft_targets(v, T=1.0):
    if not 2.0**-20 <= T <= 2.0**20:
        raise ValueError("want a temperature above 0")
    u = v / v.dtype.type(T)
    return np.exp(u - np.logaddexp.reduce(u, axis=-1, keepdims=True))


# 05.1: each against the others
def soft_targets(v, T=1.0):
    if not (np.isfinite(T) and 2.0**-20 <= T <= 2.0**20):
        raise ValueError("T")
    gaps = np.minimum((v[..., None, :] - v[..., :, None]) / T, 80)
    return 1 / np.exp(gaps).sum(-1)


# 05.2: a mixture of two teachers
def smooth_labels(y, K, e=0.1, dtype=np.float32):
    onehot = np.eye(K)[np.asarray(y, int)]
    return ((1 - e) * onehot + e * np.full(K, 1 / K)).astype(dtype)


# 05.2: a comparison with all classes
def smooth_labels(y, K, e=0.1, dtype=np.float32):
    return np.where(np.arange(K) == np.asarray(y)[:, None], 1 - e + e / K, e / K).astype(dtype)


# 05.3: a copy for each offset
def best_offset(v, y, classes, offsets=np.linspace(0, 15, 151)):
    best, fewest = None, len(y) + 1
    for offset in offsets:
        moved = np.array(v, float)
        moved[:, list(classes)] += offset
        errors = int(np.count_nonzero(np.argmax(moved, axis=1) != y))
        if errors < fewest:
            best, fewest = float(offset), errors
    return best


# 05.3: all offsets at once
def best_offset(v, y, classes, offsets=np.linspace(0, 15, 151)):
    chosen = np.isin(np.arange(v.shape[1]), list(classes))
    moved = v[None] + np.asarray(offsets)[:, None, None] * chosen
    right = (moved.argmax(2) == y).sum(1)
    return float(offsets[right.argmax()])


# 05.4: the largest logit off by hand
def mean_logits(v, kind):
    if kind not in ("arithmetic", "geometric"):
        raise ValueError(kind)
    if v.ndim != 3 or v.shape[0] == 0:
        raise ValueError(v.shape)
    z = v - v.max(2, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(2, keepdims=True))
    if kind == "arithmetic":
        top = log_p.max(0)
        return top + np.log(np.exp(log_p - top).mean(0))
    z = log_p.mean(0)
    z = z - z.max(1, keepdims=True)
    return z - np.log(np.exp(z).sum(1, keepdims=True))


# 05.4: the mean of the logits as they are, and a loop over the teachers
def mean_logits(v, kind):
    if np.ndim(v) != 3 or len(v) == 0 or kind not in {"arithmetic", "geometric"}:
        raise ValueError("want v (M, N, K) and a kind")
    if kind == "geometric":
        mean = np.mean(v, axis=0)
        return mean - np.logaddexp.reduce(mean, axis=1)[:, None]
    total = None
    for one in v:
        log_p = one - np.logaddexp.reduce(one, axis=1)[:, None]
        total = log_p if total is None else np.logaddexp(total, log_p)
    return total - v.dtype.type(np.log(len(v)))


# 05.5: image by image
@op
def distillation_loss(z, v, *, T=4.0):
    check.floating("distillation_loss", z=z, v=v)
    if z.ndim != 2 or z.shape != v.shape or z.shape[0] < 1 or not 2.0**-20 <= T <= 2.0**20:
        raise ValueError("want logits (N, K) and a temperature")
    total, dz = 0.0, np.zeros(z.shape)
    for n, (student, teacher) in enumerate(zip(z.astype(float), v.astype(float))):
        log_q = student / T - np.logaddexp.reduce(student / T)
        log_p = teacher / T - np.logaddexp.reduce(teacher / T)
        total += T**2 * np.sum(np.exp(log_p) * (log_p - log_q)) / len(z)
        dz[n] = T * (np.exp(log_q) - np.exp(log_p)) / len(z)
    return z.dtype.type(total), lambda dy: (dz * dy).astype(z.dtype), None


# 05.5: the largest logit off by hand
@op
def distillation_loss(z, v, *, T=4.0):
    if not np.isfinite(T) or T < 2.0**-20 or T > 2.0**20:
        raise ValueError("T")
    if z.dtype != v.dtype or z.dtype not in (np.float32, np.float64):
        raise TypeError("dtypes")
    if z.shape != v.shape or z.ndim != 2 or z.size == 0:
        raise ValueError("shapes")
    s, t = (np.subtract(a, a.max(1, keepdims=True), dtype=float) / T for a in (z, v))
    sums = [np.exp(a).sum(1, keepdims=True) for a in (s, t)]
    q, p = np.exp(s) / sums[0], np.exp(t) / sums[1]
    kl = np.sum(p * (t - s + np.log(sums[0]) - np.log(sums[1])), axis=1)
    return np.asarray(T * T * kl.mean(), z.dtype)[()], lambda dy: ((q - p) * (dy * T / len(z))).astype(z.dtype), None


# 05.6: image by image
@op
def attention_loss(a, b):
    check.floating("attention_loss", a=a, b=b)
    if a.ndim != 4 or b.ndim != 4 or len(a) != len(b) or not len(a) or a.shape[2:] != b.shape[2:]:
        raise ValueError("want features (N, C, H, W)")
    total, da = 0.0, np.zeros_like(a)
    for n in range(len(a)):
        f, g = np.square(a[n]).sum(0), np.square(b[n]).sum(0)
        length = max(np.sqrt(np.square(f).sum()), 1e-12)
        q = f / length
        gap = q - g / max(np.sqrt(np.square(g).sum()), 1e-12)
        total += np.square(gap).sum()
        turn = gap - q * np.vdot(gap, q)
        da[n] = 4 / len(a) * a[n] * turn / length
    return a.dtype.type(total / len(a)), lambda dy: (dy * da).astype(a.dtype), None


# 05.6: einsum
@op
def attention_loss(a, b):
    check.floating("attention_loss", a=a, b=b)
    if not (a.ndim == b.ndim == 4 and len(a) and len(a) == len(b) and a.shape[2:] == b.shape[2:]):
        raise ValueError("shapes")
    F, G = np.einsum("nchw,nchw->nhw", a, a), np.einsum("nchw,nchw->nhw", b, b)
    least = a.dtype.type(1e-12)
    s, r = (np.maximum(np.sqrt(np.einsum("nhw,nhw->n", f, f)), least)[:, None, None] for f in (F, G))
    gap = F / s - G / r
    along = np.einsum("nhw,nhw->n", gap, F / s)[:, None, None]
    slope = (gap - F / s * along) / s * (4 / len(a))
    value = a.dtype.type(np.einsum("nhw,nhw->", gap, gap) / len(a))
    return value, lambda dy: dy * a * slope[:, None].astype(a.dtype), None


# 05.7: pair by pair
@op
def relation_loss(a, b):
    check.floating("relation_loss", a=a, b=b)
    if len(a) != len(b) or len(a) < 2:
        raise ValueError("want two features of one batch")
    n, rows, others = len(a), a.reshape(len(a), -1).astype(float), b.reshape(len(b), -1).astype(float)
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    d, r = (np.array([np.linalg.norm(f[i] - f[j]) for i, j in pairs]) for f in (rows, others))
    mean = max(d.mean(), 1e-12)
    t = d / mean - r / max(r.mean(), 1e-12)
    h = np.where(abs(t) < 1, 0.5 * t**2, abs(t) - 0.5)
    g = np.clip(t, -1, 1) / len(pairs)
    slope = g / mean - (g * d).sum() / (len(pairs) * mean**2)
    da = np.zeros_like(rows)
    for (i, j), length, s in zip(pairs, d, slope):
        if length > 1e-12:
            way = s * (rows[i] - rows[j]) / length
            da[i] += way
            da[j] -= way
    da = da.reshape(a.shape)
    return a.dtype.type(h.mean()), lambda dy: (dy * da).astype(a.dtype), None


# 05.7: all differences
@op
def relation_loss(a, b):
    check.floating("relation_loss", a=a, b=b)
    n = len(a)
    if n < 2 or n != len(b):
        raise ValueError("N > 1")
    x, y = a.reshape(n, -1).astype(float), b.reshape(n, -1).astype(float)
    gaps = x[:, None] - x[None]
    d, e = np.sqrt((gaps**2).sum(2)), np.sqrt(((y[:, None] - y[None]) ** 2).sum(2))
    pairs = n * n - n
    m, k = (max(f.sum() / pairs, 1e-12) for f in (d, e))
    t = d / m - e / k
    size = np.abs(t)
    value = np.where(size > 1, size - 0.5, size**2 / 2).sum() / pairs

    def vjp(dy):
        g = np.clip(t, -1, 1) / pairs
        slope = g / m - (g * d).sum() / (pairs * m * m)
        unit = np.divide(gaps, d[:, :, None], out=np.zeros_like(gaps), where=d[:, :, None] > 0)
        return (2 * dy * (slope[:, :, None] * unit).sum(1)).reshape(a.shape).astype(a.dtype)

    return a.dtype.type(value), vjp, None
