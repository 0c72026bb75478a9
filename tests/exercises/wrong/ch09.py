"""Wrong solutions of chapter 09, beside the named mistakes of the sheet."""

import numpy as np

from lightnn.declare import same
from lightnn.functional.plain import windows
from lightnn.tensor import op


def floats(x):
    if x.dtype not in (np.float32, np.float64):
        raise TypeError("dtype")


def signs(x):
    return np.where(np.isnan(x), x, np.where(x >= 0, x.dtype.type(1), x.dtype.type(-1)))


# 09.1: the sign bit, so -0.0 is -1
@op(channels=same, finishes_layer=True)
def sign(x):
    floats(x)
    y = np.where(np.isnan(x), x, np.copysign(x.dtype.type(1), x))
    return y, lambda dy: np.where(np.abs(x) <= 1, dy, dy.dtype.type(0))


# 09.1: the slope of tanh
@op(channels=same, finishes_layer=True)
def sign(x):
    floats(x)
    return signs(x), lambda dy: dy * (1 - np.tanh(x) ** 2)


# 09.1: NaN is -1
@op(channels=same, finishes_layer=True)
def sign(x):
    floats(x)
    y = np.where(x >= 0, 1, -1).astype(x.dtype)
    return y, lambda dy: np.where(np.abs(x) <= 1, dy, dy.dtype.type(0))


# 09.1: int8 out
@op(channels=same, finishes_layer=True)
def sign(x):
    floats(x)
    return np.where(x >= 0, 1.0, -1.0), lambda dy: np.where(np.abs(x) <= 1, dy, 0).astype(x.dtype)


# 09.1: 0 and 1
@op(channels=same, finishes_layer=True)
def sign(x):
    floats(x)
    return np.where(np.isnan(x), x, x >= 0).astype(x.dtype), lambda dy: np.where(np.abs(x) <= 1, dy, 0 * dy)


# 09.1: any dtype
@op(channels=same, finishes_layer=True)
def sign(x):
    return signs(x), lambda dy: np.where(np.abs(x) <= 1, dy, dy.dtype.type(0))


# 09.2: the mean of each column
def filter_scales(W):
    return np.abs(W).reshape(len(W), -1).mean(0)


# 09.2: without filters of no weights
def filter_scales(W):
    return np.abs(W).reshape(len(W), -1).mean(1)


# 09.2: the norm over n
def filter_scales(W):
    rows = W.reshape(len(W), int(np.prod(W.shape[1:])))
    return np.sqrt((rows**2).sum(1)) / max(rows.shape[1], 1)


# 09.2: float64
def filter_scales(W):
    rows = np.abs(W).reshape(len(W), int(np.prod(W.shape[1:]))).astype(np.float64)
    return rows.sum(1) / max(rows.shape[1], 1)


# 09.2: the channels alone
def filter_scales(W):
    return np.abs(W).mean(1)


# 09.3: normal noise
def draw_signs(W, rng):
    return rng.standard_normal(W.shape) < W


# 09.3: numbers, not bool
def draw_signs(W, rng):
    return np.where(rng.random(W.shape) < np.clip((W + 1) / 2, 0, 1), 1.0, -1.0)


# 09.3: a generator of its own
def draw_signs(W, rng):
    return np.random.default_rng(0).random(W.shape) < np.clip((W + 1) / 2, 0, 1)


# 09.3: the sigmoid itself
def draw_signs(W, rng):
    return rng.random(W.shape) < 1 / (1 + np.exp(-np.clip(np.nan_to_num(W, nan=-50), -50, 50)))


# 09.3: one draw for each column
def draw_signs(W, rng):
    return np.broadcast_to(rng.random(W.shape[-1:]), W.shape) < np.clip((W + 1) / 2, 0, 1)


# 09.4: the slope of the hard tanh
@op(channels=same, finishes_layer=True)
def approx_sign(x):
    floats(x)
    return signs(x), lambda dy: np.where(np.abs(x) <= 1, dy, dy.dtype.type(0))


# 09.4: the curve itself going forward
@op(channels=same, finishes_layer=True)
def approx_sign(x):
    floats(x)
    c = np.clip(x, -1, 1)
    slope = np.fmax(2 - 2 * np.fmin(np.abs(x), 2), 0)
    return np.where(c < 0, 2 * c + c * c, 2 * c - c * c), lambda dy: dy * slope


# 09.4: NaN has a gradient of NaN
@op(channels=same, finishes_layer=True)
def approx_sign(x):
    floats(x)
    return signs(x), lambda dy: dy * np.maximum(2 - 2 * np.minimum(np.abs(x), 1), 0)


# 09.4: 1 - x^2
@op(channels=same, finishes_layer=True)
def approx_sign(x):
    floats(x)
    return signs(x), lambda dy: dy * (1 - np.fmin(np.abs(x), 1) ** 2)


# 09.5: the derivative with the cross terms, which the paper leaves out
@op
def binarize(W, *, alpha, n):
    def back(dy):
        cross = np.sign(W) / n * (dy * np.sign(W)).sum()
        return (alpha * (np.abs(W) <= 1) * dy + cross).astype(W.dtype)

    return alpha * signs(W), back


# 09.5: 1 / n times the sign
@op
def binarize(W, *, alpha, n):
    return alpha * signs(W), lambda dy: (dy * (np.sign(W) / n + alpha * (np.abs(W) <= 1))).astype(W.dtype)


# 09.5: alpha is measured anew
@op
def binarize(W, *, alpha, n):
    alpha = np.abs(W).mean()
    return alpha * signs(W), lambda dy: (dy * (1 / n + alpha * (np.abs(W) <= 1))).astype(W.dtype)


# 09.5: the gradient in float64
@op
def binarize(W, *, alpha, n):
    slope = np.float64(1) / n + alpha * (np.abs(W) <= 1)
    return (np.float64(1) * alpha * signs(W)).astype(np.float64), lambda dy: dy * slope


# 09.6: the cross entropy of one class alone
@op
def squared_hinge(x, target):
    own = x[np.arange(len(x)), target]
    margin = np.maximum(0, 1 - own)

    def back(dy):
        dx = np.zeros_like(x)
        dx[np.arange(len(x)), target] = -2 * margin / len(x)
        return dy * dx

    return (margin**2).mean(), back, None


# 09.6: the margin to the right class, as for several classes at once
@op
def squared_hinge(x, target):
    own = x[np.arange(len(x)), target][:, None]
    margin = np.maximum(0, 1 + x - own)
    margin[np.arange(len(x)), target] = 0
    d = 2 * margin / len(x)
    d[np.arange(len(x)), target] = -d.sum(1)
    return np.asarray((margin**2).sum() / len(x), x.dtype)[()], lambda dy: dy * d, None


# 09.6: labels are not checked
@op
def squared_hinge(x, target):
    floats(x)
    t = np.full(x.shape, -1, x.dtype)
    t[np.arange(len(x)), target] = 1
    margin = np.maximum(0, 1 - t * x)
    n = x.dtype.type(len(x))
    return x.dtype.type((margin * margin).sum(dtype=np.float64) / n), lambda dy: -2 * dy * t * margin / n, None


# 09.7: an array
def greedy_scales(W, M):
    left, scales = np.abs(W).ravel(), []
    for _ in range(M):
        scales.append(left.mean() if left.size else 0.0)
        left = np.abs(left - scales[-1])
    return np.array(scales)


# 09.7: halved each time
def greedy_scales(W, M):
    a = float(np.abs(W).sum() / max(W.size, 1))
    return [a / 2**m for m in range(M)]


# 09.7: in place
def greedy_scales(W, M):
    scales = []
    for _ in range(M):
        scales.append(float(np.abs(W).mean()) if W.size else 0.0)
        W -= scales[-1] * np.where(W >= 0, 1, -1)
    return scales


# 09.8: the most significant bit first
def pack_signs(x):
    k = x.shape[-1]
    padded = np.zeros((*x.shape[:-1], -(-k // 64) * 64), bool)
    padded[..., :k] = x >= 0
    packed = np.ascontiguousarray(np.packbits(padded, axis=-1))
    return packed.view(">u8").astype(np.uint64).reshape(*x.shape[:-1], -(-k // 64))


# 09.8: 32 to a word
def pack_signs(x):
    k = x.shape[-1]
    padded = np.zeros((*x.shape[:-1], -(-k // 32) * 32), bool)
    padded[..., :k] = x >= 0
    packed = np.ascontiguousarray(np.packbits(padded, axis=-1, bitorder="little"))
    return packed.view("<u4").reshape(*x.shape[:-1], -(-k // 32))


# 09.8: powers of two in float64
def pack_signs(x):
    k = x.shape[-1]
    padded = np.zeros((*x.shape[:-1], -(-k // 64) * 64))
    padded[..., :k] = x >= 0
    rows = padded.reshape(*x.shape[:-1], -1, 64) if k else padded.reshape(*x.shape[:-1], 0, 64)
    return np.minimum(rows @ 2.0 ** np.arange(64), 2.0**63).astype(np.uint64)


# 09.9: the product of the bits 0 and 1
def xnor_dot(a, b, count):
    return int(np.bitwise_count(a & b).sum())


# 09.9: in uint8, as bitwise_count gives it
def xnor_dot(a, b, count):
    return count - 2 * int(np.bitwise_count(a ^ b).sum(dtype=np.uint8))


# 09.9: a NumPy number is right, an array is not
def xnor_dot(a, b, count):
    return count - 2 * np.bitwise_count(a ^ b).astype(np.int64)


# 09.10: a scale for each channel
def input_scale(x, kernel, stride, padding):
    return windows(np.abs(x), kernel, stride, padding, (1, 1)).mean((4, 5))


# 09.10: the root of the mean square
def input_scale(x, kernel, stride, padding):
    return np.sqrt((windows(x, kernel, stride, padding, (1, 1)) ** 2).mean((1, 4, 5), keepdims=False)[:, None])


# 09.10: only whole windows within the image, and one number for all
def input_scale(x, kernel, stride, padding):
    K = windows(np.abs(x), kernel, stride, padding, (1, 1)).mean((1, 4, 5))[:, None]
    return np.broadcast_to(K.mean((2, 3), keepdims=True), K.shape).copy()


# 09.10: the magnitude of the mean
def input_scale(x, kernel, stride, padding):
    return np.abs(windows(x.mean(1, keepdims=True), kernel, stride, padding, (1, 1)).mean((4, 5)))


# 09.11: divided by the magnitude of gamma
def fold_threshold(gamma, beta, mean, var, eps):
    gamma, beta, mean, var = (a.astype(np.float64) for a in (gamma, beta, mean, var))
    with np.errstate(all="ignore"):
        t = mean - beta * np.sqrt(var + eps) / np.abs(gamma)
    T = np.where(gamma > 0, np.ceil(t), np.where(gamma < 0, np.floor(t) + 1, -(2.0**31)))
    return np.clip(np.nan_to_num(T), -(2**31), 2**31 - 1).astype(np.int64), np.where(gamma == 0, beta < 0, gamma < 0)


# 09.11: rounded to the nearest
def fold_threshold(gamma, beta, mean, var, eps):
    gamma, beta, mean, var = (a.astype(np.float64) for a in (gamma, beta, mean, var))
    with np.errstate(all="ignore"):
        t = np.nan_to_num(np.rint(mean - beta * np.sqrt(var + eps) / gamma))
    T = np.where(gamma == 0, -(2.0**31), np.clip(t, -(2**31), 2**31 - 1))
    return T.astype(np.int64), np.where(gamma == 0, beta < 0, gamma < 0)


# 09.11: the threshold is a float
def fold_threshold(gamma, beta, mean, var, eps):
    with np.errstate(all="ignore"):
        t = mean - beta * np.sqrt(var + eps) / gamma
    return t, gamma < 0
