"""Which blocks a codebook holds: k-means in the norm of a layer's inputs (Stock et al. 2020, "And the Bit Goes Down",
arXiv 1907.05686, sections 3.1 to 3.3).

    minimise  sum_p |x (v_p - c_(I_p))|^2 = sum_p (v_p - c)' G (v_p - c),    G = x' x

v_p are the blocks of the weight, and the rows of x are the blocks of the layer's inputs, cut in the same way. So the
error of the layer's output is made small, not that of its weights; G, d x d, is all that must be kept of the inputs.
With G = I it is plain product quantization.
"""

import numpy as np

from lightnn import options
from lightnn.compress.finite import check_finite
from lightnn.compress.transforms.product import MOST_CENTROIDS, Product, blocks_of
from lightnn.exercise import exercise
from lightnn.functional import plain
from lightnn.nn import Conv2d, Linear, Module, Parameter

BLOCKS_A_CENTROID = 4  # at least; what n_centroids_threshold is in the authors' code (src/quantization/pq.py)
STEP_APART = 1e-8  # of a centroid that is split, as there
AT_ONCE = 1024  # blocks


def input_blocks(layer: Module, x: np.ndarray, d: int) -> np.ndarray:
    """The blocks (n, d) of what a Linear or Conv2d layer reads, x (N, I) or (N, I, H, W): each row that is multiplied
    with the flattened weights of an output, cut as `blocks_of` cuts these.

    The rows of a convolution are its windows, with zeros around the image. ValueError for a layer with groups."""
    if isinstance(layer, Linear):
        rows = np.asarray(x)
    elif isinstance(layer, Conv2d) and layer.groups == 1:
        (h, w), options_of = layer.padding, (layer.kernel_size, layer.stride)
        seen = plain.windows(np.asarray(x), *options_of, (h, h, w, w), layer.dilation)  # (N, C, Ho, Wo, KH, KW)
        rows = seen.transpose(0, 2, 3, 1, 4, 5).reshape(-1, layer.weight.data[0].size)
    else:
        raise ValueError(f"input_blocks: want a Linear or a Conv2d of one group, got {layer!r}")
    return blocks_of(rows, d)


def input_gram(layer: Module, x: np.ndarray, d: int, batch_size: int = 50) -> np.ndarray:
    """G = x' x / n (d, d), float64, of the n blocks of what the layer reads, see `input_blocks`."""
    where = "input_gram"
    d, batch_size = options.count(f"{where}: d", d), options.count(f"{where}: batch_size", batch_size)
    x, total, n = np.asarray(x), np.zeros((d, d)), 0
    for i in range(0, len(x), batch_size):
        blocks = input_blocks(layer, x[i : i + batch_size], d).astype(np.float64)
        total += blocks.T @ blocks
        n += len(blocks)
    return total / max(n, 1)


@exercise("06.5")
def weighted_error(v, c, codes, G):
    """What codes and centroids cost, a float: the error of the layer's outputs, up to a factor (arXiv 1907.05686,
    equation 2, with the inputs x in G = x' x):

        sum over p of  (v_p - c_(I_p))' G (v_p - c_(I_p))

    v (n, d): the blocks of the weight; c (k, d): the centroids; codes (n,): I_p, integers from 0 to k - 1; G (d, d):
    symmetric. v, c and G are float64 and stay as they are. Without blocks it is 0.0.
    """
    e = v - c[codes]
    return float((e @ G * e).sum())


@exercise("06.6")
def nearest_blocks(v, c, G):
    """The E-step (arXiv 1907.05686, equation 3): for each block of v (n, d) the number of the centroid of c (k, d) that
    is nearest in the norm of the inputs, the j with the least

        (v_p - c_j)' G (v_p - c_j)

    an int64 array (n,). Of centroids that are equally near, the first. G (d, d): symmetric, and no distance is below 0;
    some may be 0 for blocks that differ. v, c and G are float64 and stay as they are. The distances need not be
    computed in this form: v' G v is the same for all centroids.
    """
    return ((c @ G * c).sum(1) - 2 * (v @ G) @ c.T).argmin(1)


@exercise("06.8")
def best_centroids(v, codes, c, G):
    """The M-step (arXiv 1907.05686, equation 4): the centroids, float64 (k, d), that are best for the codes (n,) of the
    blocks v (n, d):

        c_j = mean of pinv(G) G v_p over the p with I_p = j

    pinv is the pseudo-inverse of the symmetric G (d, d). Where inputs span all directions, pinv(G) G = I: then it is
    the plain mean of the blocks. Where they do not, what no input sees is taken out. A centroid without blocks stays
    as it is in c (k, d). v, c and G are float64; nothing is changed.
    """
    count = np.bincount(codes, minlength=len(c))[:, None]
    sums = np.zeros_like(c)
    np.add.at(sums, codes, v @ (np.linalg.pinv(G, hermitian=True) @ G))
    return np.where(count > 0, sums / np.maximum(count, 1), c)


@exercise("06.9")
def split_largest(codes, c, rng):
    """The centroids, new, float64 (k, d), of which each that has no blocks stands beside the one that has most (as the
    authors' code resolves empty clusters):

        c_j = c_m + e,    c_m <- c_m - e,    e ~ N(0, I) 10^-8

    codes (n,): integers from 0 to k - 1, n > 0; c (k, d): float64; neither is changed. The empty centroids j are served
    in their order. m has most blocks at that time, the first of several: when c_m is split, count // 2 of its blocks
    are taken to be those of c_j, and the rest stay with c_m. So the next empty one may split another. c_m is the
    centroid at that time, too. All other centroids stay. rng: a NumPy generator that draws e, d numbers for each empty
    centroid.
    """
    c, count = c.copy(), np.bincount(codes, minlength=len(c))
    for j in np.flatnonzero(count == 0):
        m = count.argmax()
        e = rng.standard_normal(c.shape[1]) * STEP_APART
        c[j], c[m] = c[m] + e, c[m] - e
        count[j], count[m] = count[m] // 2, count[m] - count[m] // 2
    return c


@exercise("06.2")
def clamped(k, n):
    """How many centroids n blocks may have, an int, if k are wanted (the authors' code, n_centroids_threshold): k, or
    the largest power of two below n / 4 if that is less, and at least 1.

    So a small layer does not spend more on its codebook than its codes save. Below means below: n / 4 itself is too
    many. k and n are ints >= 1.
    """
    most = 1
    while 2 * most < n / BLOCKS_A_CENTROID:
        most *= 2
    return min(k, most)


def product_quantize(
    p: Parameter, k: int, d: int, G: np.ndarray | None = None, iterations: int = 100, rng: options.Rng = 0
) -> Product:
    """Let Parameter p, a weight (O, ...), use a codebook of at most k blocks of d weights; sets p.values, and returns
    it. k is clamped to what the layer's size bears (`clamped`).

    G (d, d): of the layer's inputs, see `input_gram`; None weighs all directions alike. The first centroids are
    blocks of the weight, drawn without replacement. An iteration is an E-step and an M-step; they end early when no
    code changes. ValueError for numbers that are not finite, or a d that cuts rows unevenly.
    """
    where = "product_quantize"
    k, rng = options.count(f"{where}: k", k, at_most=MOST_CENTROIDS), options.generator(f"{where}: rng", rng)
    iterations = options.times(f"{where}: iterations", iterations)
    w = p().data
    check_finite(f"{where}: p", w)
    v = blocks_of(w, d).astype(np.float64)
    G = np.eye(d) if G is None else _checked(where, G, d)
    k = clamped(k, len(v))
    c, codes = v[rng.choice(len(v), k, replace=False)], None
    for _ in range(iterations):
        new = _codes(v, c, G)
        if codes is not None and np.array_equal(new, codes):
            break
        codes = new
        c = split_largest(codes, best_centroids(v, codes, c, G), rng)
    codes = _codes(v, c, G)
    p.values = Product(c.astype(w.dtype), codes.reshape(len(w), -1), w.shape)
    return p.values


def _codes(v, c, G):
    """The E-step, some blocks at a time: their distances stay in the cache."""
    return np.concatenate([nearest_blocks(v[i : i + AT_ONCE], c, G) for i in range(0, len(v), AT_ONCE)])


def _checked(where, G, d):
    """G as float64, if it can be a Gram matrix."""
    G = np.asarray(G, np.float64)
    if G.shape != (d, d) or not np.array_equal(G, G.T):
        raise ValueError(f"{where}: want a symmetric G ({d}, {d}), got shape {G.shape}")
    check_finite(f"{where}: G", G)
    return G


@exercise("06.1")
def product_bytes(n, d, k):
    """The bytes that n weights take in blocks of d weights with k centroids, a float: a code of log2(k) bits for each
    block, and the centroids, d numbers each, in float16 (arXiv 1907.05686, section 4.1):

        n / d log2(k) / 8 + 2 k d

    log2(k) is not rounded to whole bits: 3 centroids have 1.58 bits; one has 0. n, d and k are numbers above 0;
    anything else gives a ValueError, as it comes from options.numbers_above_0.
    """
    n, d, k = options.numbers_above_0("product_bytes", n=n, d=d, k=k)
    return float(n / d * np.log2(k) / 8 + 2 * k * d)
