"""Right solutions of chapter 09, each in another style than the reference."""

import numpy as np

from lightnn.declare import same
from lightnn.tensor import op


def floats(x):
    if x.dtype not in (np.float32, np.float64):
        raise TypeError("floats, please")


# 09.1: a mask for each side
@op(channels=same, finishes_layer=True)
def sign(x):
    floats(x)
    y = x.copy()
    y[x >= 0], y[x < 0] = 1, -1

    def back(dy):
        dx = dy.copy()
        dx[~((x >= -1) & (x <= 1))] = 0
        return dx

    return y, back


# 09.1: two steps around 0
@op(channels=same, finishes_layer=True)
def sign(x):
    if x.dtype.kind != "f" or x.dtype.itemsize < 4:
        raise TypeError(x.dtype)
    y = (x >= 0).astype(x.dtype) - (x < 0).astype(x.dtype) + 0 * np.where(np.isnan(x), x, 0)
    return y, lambda dy: dy * (np.abs(x) <= 1)


# 09.2: a loop over the filters
def filter_scales(W):
    alpha = np.zeros(len(W), W.dtype)
    for o, filter in enumerate(W):
        if filter.size:
            alpha[o] = (np.abs(filter).astype(np.float64) / filter.size).sum()
    return alpha


# 09.2: all axes but the first
def filter_scales(W):
    if W.size == 0:
        return np.zeros(W.shape[0], W.dtype)
    n = W[0].size
    return np.sum(np.abs(W) / n, axis=tuple(range(1, W.ndim)), dtype=np.float64).astype(W.dtype)


# 09.3: uniform in -1 .. 1
def draw_signs(W, rng):
    return rng.uniform(-1, 1, W.shape) < W


# 09.3: one weight after the other
def draw_signs(W, rng):
    b = np.zeros(W.shape, bool)
    for i in np.ndindex(W.shape):
        p = min(max((float(W[i]) + 1) / 2, 0.0), 1.0) if W[i] == W[i] else 0.0
        b[i] = rng.random() < p
    return b


# 09.3: draws of -1 and +1 from a binomial
def draw_signs(W, rng):
    p = np.clip(0.5 * np.nan_to_num(W.astype(float), nan=-1.0) + 0.5, 0.0, 1.0)
    return rng.binomial(1, p) == 1


# 09.4: one parabola for each side
@op(channels=same, finishes_layer=True)
def approx_sign(x):
    floats(x)
    y = np.where(x >= 0, 1, np.where(x < 0, -1, x)).astype(x.dtype)

    def back(dy):
        slope = np.zeros_like(x)
        left, right = (x > -1) & (x < 0), (x >= 0) & (x < 1)
        slope[left], slope[right] = 2 + 2 * x[left], 2 - 2 * x[right]
        return slope * dy

    return y, back


# 09.4: the distance from the ends
@op(channels=same, finishes_layer=True)
def approx_sign(x):
    if x.dtype.name not in ("float32", "float64"):
        raise TypeError(x.dtype)
    y = np.copysign(np.ones_like(x), x + 0.0)
    inside = np.abs(x) < 1
    return np.where(np.isnan(x), x, y), lambda dy: np.where(
        inside, 2 * (1 - np.where(inside, np.abs(x), 1)) * dy, 0 * dy
    )


# 09.5: two terms
@op
def binarize(W, *, alpha, n):
    w = np.where(W >= 0, alpha, np.where(W < 0, -alpha, W))
    return w.astype(W.dtype), lambda dy: (dy / n + np.where(np.abs(W) <= 1, alpha * dy, 0)).astype(W.dtype)


# 09.5: the slope first
@op
def binarize(W, *, alpha, n):
    slope = np.zeros(W.shape) + 1 / np.asarray(n, float)
    slope += np.where((W >= -1) & (W <= 1), alpha, 0)
    signs = 2.0 * (W >= 0) - 1
    signs[np.isnan(W)] = np.nan
    return (alpha * signs).astype(W.dtype), lambda dy: (slope * dy).astype(W.dtype)


# 09.6: the right class apart from the others
@op
def squared_hinge(x, target):
    if x.dtype not in (np.float32, np.float64) or target.dtype.kind not in "iu":
        raise TypeError("floats and integers, please")
    if x.ndim != 2 or len(x) == 0 or target.shape != x.shape[:1] or target.min() < 0 or target.max() >= x.shape[1]:
        raise ValueError("shapes or labels")
    own = np.eye(x.shape[1], dtype=bool)[target]
    m = np.where(own, np.maximum(1 - x, 0), np.maximum(1 + x, 0))
    slope = np.where(own, -2 * m, 2 * m) / len(x)
    return x.dtype.type(np.square(m).sum(dtype=float) / len(x)), lambda dy: (dy * slope).astype(x.dtype), None


# 09.6: a loop over the batch
@op
def squared_hinge(x, target):
    if x.dtype.kind != "f" or target.dtype.kind not in "iu":
        raise TypeError("dtype")
    if x.ndim != 2 or target.ndim != 1 or len(target) != len(x) or not len(x):
        raise ValueError("shapes")
    loss, dx = 0.0, np.zeros_like(x)
    for n, k in enumerate(target):
        if not 0 <= k < x.shape[1]:
            raise ValueError("labels")
        t = -np.ones(x.shape[1], x.dtype)
        t[int(k)] = 1
        margin = (1 - t * x[n]).clip(min=0)
        loss += float((margin.astype(np.float64) ** 2).sum()) / len(x)
        dx[n] = -2 * t * margin / len(x)
    return x.dtype.type(loss), lambda dy: dx * dy, None


# 09.7: magnitudes alone
def greedy_scales(W, M):
    left, scales = np.abs(W).ravel(), []
    for _ in range(M):
        scales.append(float(left.mean()) if left.size else 0.0)
        left = np.abs(left - scales[-1])
    return scales


# 09.7: by recursion
def greedy_scales(W, M):
    if M == 0:
        return []
    a = float(np.abs(W).sum() / max(W.size, 1))
    return [a, *greedy_scales(np.where(W >= 0, W - a, W + a), M - 1)]


# 09.8: Python integers
def pack_signs(x):
    *shape, k = x.shape
    words = np.zeros((*shape, (k + 63) // 64), np.uint64)
    for i in np.ndindex(*words.shape):
        some = x[i[:-1]][64 * i[-1] : 64 * i[-1] + 64]
        words[i] = sum(1 << place for place, number in enumerate(some) if number >= 0)
    return words


# 09.8: np.packbits
def pack_signs(x):
    k = x.shape[-1]
    padded = np.zeros((*x.shape[:-1], -(-k // 64) * 64), bool)
    padded[..., :k] = x >= 0
    packed = np.packbits(padded, axis=-1, bitorder="little")
    return np.ascontiguousarray(packed).view("<u8").astype(np.uint64).reshape(*x.shape[:-1], -(-k // 64))


# 09.9: Python's bit count
def xnor_dot(a, b, count):
    differ = sum((int(v) ^ int(w)).bit_count() for v, w in zip(a, b))
    return (count - differ) - differ


# 09.9: XNOR, without what is beyond the last sign
def xnor_dot(a, b, count):
    equal = int(np.bitwise_count(~(a ^ b)).sum()) - (64 * len(a) - count)
    return 2 * equal - count


# 09.10: a loop over the outputs
def input_scale(x, kernel, stride, padding):
    top, bottom, left, right = padding
    A = np.abs(x).sum(1, keepdims=True) / x.dtype.type(x.shape[1])
    A = np.pad(A, ((0, 0), (0, 0), (top, bottom), (left, right)))
    rows = range(0, A.shape[2] - kernel[0] + 1, stride[0])
    columns = range(0, A.shape[3] - kernel[1] + 1, stride[1])
    K = np.zeros((len(x), 1, len(rows), len(columns)), x.dtype)
    for a, i in enumerate(rows):
        for b, j in enumerate(columns):
            K[:, :, a, b] = A[:, :, i : i + kernel[0], j : j + kernel[1]].mean((2, 3))
    return K


# 09.10: a loop over the taps, the channels at the end
def input_scale(x, kernel, stride, padding):
    top, bottom, left, right = padding
    big = np.zeros((*x.shape[:2], x.shape[2] + top + bottom, x.shape[3] + left + right), np.float64)
    big[:, :, top : top + x.shape[2], left : left + x.shape[3]] = np.abs(x)
    H, W = (big.shape[2] - kernel[0]) // stride[0] + 1, (big.shape[3] - kernel[1]) // stride[1] + 1
    total = 0
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            tap = big[:, :, i:, j:][:, :, :: stride[0], :: stride[1]]
            total = total + tap[:, :, :H, :W]
    return (total.sum(1, keepdims=True) / (x.shape[1] * kernel[0] * kernel[1])).astype(x.dtype)


# 09.11: a loop over the channels
def fold_threshold(gamma, beta, mean, var, eps):
    T, flip = np.zeros(len(gamma), np.int64), np.zeros(len(gamma), bool)
    for c in range(len(gamma)):
        g, b, m, v = (float(a[c]) for a in (gamma, beta, mean, var))
        flip[c] = b < 0 if g == 0 else g < 0
        if g == 0:
            T[c] = -(2**31)
            continue
        t = m - b * (v + eps) ** 0.5 / g
        T[c] = min(max(int(np.floor(t)) + 1 if g < 0 else int(np.ceil(t)), -(2**31)), 2**31 - 1)
    return T, flip


# 09.11: masks, and a ceil for both sides
def fold_threshold(gamma, beta, mean, var, eps):
    gamma, beta, mean, var = (a.astype(np.float64) for a in (gamma, beta, mean, var))
    T, flip = np.full(gamma.shape, -(2.0**31)), np.signbit(beta) & (beta != 0)
    some = gamma != 0
    t = mean[some] - beta[some] * np.sqrt(var[some] + eps) / gamma[some]
    T[some] = np.where(gamma[some] > 0, np.ceil(t), 1 - np.ceil(-t))
    flip[some] = gamma[some] < 0
    return T.clip(-(2**31), 2**31 - 1).astype(np.int64), flip
