"""Wrong solutions of chapter 05, beside the named mistakes of the sheet."""

import numpy as np

from lightnn.tensor import op


# 05.1: the base of the power is T
def soft_targets(v, T=1.0):
    if not 2.0**-20 <= T <= 2.0**20:
        raise ValueError("T")
    e = np.power(v.dtype.type(T), v - v.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


# 05.1: an int divides, and the result of ints is checked only
def soft_targets(v, T=1.0):
    if T <= 0:
        raise ValueError("T")
    e = np.exp((v - v.max(-1, keepdims=True)) // T)
    return e / e.sum(-1, keepdims=True)


# 05.1: v is changed
def soft_targets(v, T=1.0):
    if not 2.0**-20 <= T <= 2.0**20:
        raise ValueError("T")
    v -= v.max(-1, keepdims=True)
    e = np.exp(v / T)
    return e / e.sum(-1, keepdims=True)


# 05.2: e of the one-hot, and nothing for the others
def smooth_labels(y, K, e=0.1, dtype=np.float32):
    return ((1 - e) * np.eye(K)[y]).astype(dtype)


# 05.2: the label and the others are swapped
def smooth_labels(y, K, e=0.1, dtype=np.float32):
    q = np.full((len(y), K), (1 - e) / K, dtype)
    q[np.arange(len(y)), y] += e
    return q


# 05.2: transposed
def smooth_labels(y, K, e=0.1, dtype=np.float32):
    q = np.full((K, len(y)), e / K, dtype)
    q[y, np.arange(len(y))] += 1 - e
    return q


# 05.3: only images of the classes count
def best_offset(v, y, classes, offsets=np.linspace(0, 15, 151)):
    own, moved = np.isin(y, classes), np.isin(np.arange(v.shape[1]), classes)
    errors = [((v + o * moved).argmax(1) != y)[own].sum() for o in offsets]
    return float(offsets[int(np.argmin(errors))])


# 05.3: v is changed
def best_offset(v, y, classes, offsets=np.linspace(0, 15, 151)):
    errors = []
    for o in offsets:
        v[:, list(classes)] += o
        errors.append((v.argmax(1) != y).sum())
    return float(offsets[int(np.argmin(errors))])


# 05.3: the frequency of the classes is matched, not the errors
def best_offset(v, y, classes, offsets=np.linspace(0, 15, 151)):
    moved, share = np.isin(np.arange(v.shape[1]), classes), np.isin(y, classes).mean()
    apart = [abs(np.isin((v + o * moved).argmax(1), classes).mean() - share) for o in offsets]
    return float(offsets[int(np.argmin(apart))])


# 05.4: a mean of the logits for both
def mean_logits(v, kind):
    if kind not in ("arithmetic", "geometric") or v.ndim != 3 or not len(v):
        raise ValueError("kind")
    mean = v.mean(0)
    return mean - np.logaddexp.reduce(mean, 1, keepdims=True)


# 05.4: the votes are counted
def mean_logits(v, kind):
    if kind not in ("arithmetic", "geometric") or v.ndim != 3 or not len(v):
        raise ValueError("kind")
    votes = np.eye(v.shape[2])[v.argmax(2)].mean(0)
    return np.log(np.maximum(votes, 1e-12)).astype(v.dtype)


# 05.4: the harmonic mean
def mean_logits(v, kind):
    if kind not in ("arithmetic", "geometric") or v.ndim != 3 or not len(v):
        raise ValueError("kind")
    log_p = v - np.logaddexp.reduce(v, 2, keepdims=True)
    if kind == "geometric":
        return -np.logaddexp.reduce(-log_p, 0)
    return np.logaddexp.reduce(log_p, 0) - v.dtype.type(np.log(len(v)))


# 05.5: the squared distance of the logits
@op
def distillation_loss(z, v, *, T=4.0):
    if z.dtype != v.dtype or z.dtype.kind != "f":
        raise TypeError("dtypes")
    if z.shape != v.shape or z.ndim != 2 or not len(z) or not 2.0**-20 <= T <= 2.0**20:
        raise ValueError("shapes")
    gap = z - v
    return np.asarray((gap**2).sum() / 2 / z.size, z.dtype)[()], lambda dy: dy * gap / z.size, None


# 05.5: the teacher's hard answer
@op
def distillation_loss(z, v, *, T=4.0):
    if z.dtype != v.dtype or z.dtype.kind != "f":
        raise TypeError("dtypes")
    if z.shape != v.shape or z.ndim != 2 or not len(z) or not 2.0**-20 <= T <= 2.0**20:
        raise ValueError("shapes")
    p = np.eye(z.shape[1])[v.argmax(1)]
    log_q = z / T - np.logaddexp.reduce(z / T, 1, keepdims=True)
    L = -(T * T * p * log_q).sum() / len(z)
    return np.asarray(L, z.dtype)[()], lambda dy: (dy * T * (np.exp(log_q) - p) / len(z)).astype(z.dtype), None


# 05.5: v gets a gradient's place, z none
@op
def distillation_loss(z, v, *, T=4.0):
    if z.dtype != v.dtype or z.dtype.kind != "f":
        raise TypeError("dtypes")
    if z.shape != v.shape or z.ndim != 2 or not len(z) or not 2.0**-20 <= T <= 2.0**20:
        raise ValueError("shapes")
    log_p, log_q = (a / T - np.logaddexp.reduce(a / T, 1, keepdims=True) for a in (v.astype(float), z.astype(float)))
    L = T * T * (np.exp(log_p) * (log_p - log_q)).sum() / len(z)
    return np.asarray(L, z.dtype)[()], lambda dy: (dy * 0 * np.exp(log_q)).astype(z.dtype), None


# 05.6: the maps are compared channel by channel
@op
def attention_loss(a, b):
    if a.dtype != b.dtype or a.dtype.kind != "f":
        raise TypeError("dtypes")
    if a.ndim != 4 or a.shape[2:] != b.shape[2:] or len(a) != len(b) or not len(a) or b.ndim != 4:
        raise ValueError("shapes")
    gap = (a**2).mean(1) - (b**2).mean(1)
    return a.dtype.type((gap**2).sum() / len(a)), lambda dy: 4 * dy * a * gap[:, None] / (len(a) * a.shape[1]), None


# 05.6: one minus the cosine
@op
def attention_loss(a, b):
    if a.dtype != b.dtype or a.dtype.kind != "f":
        raise TypeError("dtypes")
    if a.ndim != 4 or a.shape[2:] != b.shape[2:] or len(a) != len(b) or not len(a) or b.ndim != 4:
        raise ValueError("shapes")
    q, r = ((f * f).sum(1).reshape(len(f), -1) for f in (a, b))
    q, r = (f / np.maximum(np.sqrt((f * f).sum(1, keepdims=True)), 1e-12).astype(f.dtype) for f in (q, r))
    return a.dtype.type((1 - (q * r).sum(1)).mean()), np.ones_like(a).__mul__, None


# 05.7: the maximum in the place of the mean
@op
def relation_loss(a, b):
    if a.dtype != b.dtype or a.dtype.kind != "f":
        raise TypeError("dtypes")
    if len(a) != len(b) or len(a) < 2:
        raise ValueError("N")
    x, y = a.reshape(len(a), -1), b.reshape(len(b), -1)
    d, e = (np.sqrt(((f[:, None] - f[None]) ** 2).sum(2)) for f in (x, y))
    t = d / max(d.max(), 1e-12) - e / max(e.max(), 1e-12)
    pairs = len(a) * (len(a) - 1)
    return a.dtype.type((t * t / 2).sum() / pairs), lambda dy: np.zeros_like(a), None


# 05.7: no gradient
@op
def relation_loss(a, b):
    if a.dtype != b.dtype or a.dtype.kind != "f":
        raise TypeError("dtypes")
    if len(a) != len(b) or len(a) < 2:
        raise ValueError("N")
    x, y = a.reshape(len(a), -1).astype(float), b.reshape(len(b), -1).astype(float)
    d, e = (np.sqrt(((f[:, None] - f[None]) ** 2).sum(2)) for f in (x, y))
    pairs = len(a) * (len(a) - 1)
    t = d / max(d.sum() / pairs, 1e-12) - e / max(e.sum() / pairs, 1e-12)
    value = np.where(abs(t) <= 1, t * t / 2, abs(t) - 0.5).sum() / pairs
    return a.dtype.type(value), lambda dy: np.zeros_like(a), None
