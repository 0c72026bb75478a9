"""Weight sharing by k-means (Han, Mao & Dally 2016, "Deep Compression", arXiv 1510.00149, section 3).

The surviving weights of a layer are clustered. Each weight becomes the centre of its cluster, and only the centres are
trained from then on.
"""

import numbers

import numpy as np

from lightnn import options
from lightnn.compress.transforms.codebook import Codebook
from lightnn.exercise import exercise
from lightnn.nn import Parameter

__all__ = ["density_init", "kmeans", "linear_init", "nearest", "random_init", "share", "sharing_rate"]


def linear_init(w: np.ndarray, k: int, rng=None) -> np.ndarray:
    """k centres equally spaced from min(w) to max(w), both included. The paper's choice: large weights matter most, and
    there are few of them."""
    return np.linspace(w.min(), w.max(), options.count("linear_init: k", k))


def density_init(w: np.ndarray, k: int, rng=None) -> np.ndarray:
    """Centres at k equal steps of the cumulative distribution, c_i = F^-1((i + 1/2) / k). The paper does not give
    the end points: these are ours."""
    k = options.count("density_init: k", k)
    return np.quantile(w, (np.arange(k) + 0.5) / k)


def random_init(w: np.ndarray, k: int, rng=0) -> np.ndarray:
    """Forgy: k of the weights, drawn without replacement."""
    k, rng = options.count("random_init: k", k), options.generator("random_init: rng", rng)
    return np.sort(rng.choice(w, k, replace=len(w) < k))


@exercise("04.5")
def kmeans(w, k, init=linear_init, iterations=100, rng=0):
    """k-means by Lloyd's iterations: k centres c for the numbers in the array w (n,).

        argmin_c sum_i min_j |w_i - c_j|^2

    The first centres are init(w, k, rng), in any order. An iteration assigns every weight to its nearest centre, and
    then moves every centre to the mean of its weights; a centre without weights stays where it is. This ends when no
    centre moves any more, or after `iterations` of them (0: the first centres stay).

    Returns (centres, codes): the centres, ascending, a float64 array (k,) whatever w's dtype; and for each weight the
    number of its nearest centre among these, an int64 array (n,). Halfway between two centres the lower one counts as
    nearest. w stays as it is. ValueError unless w has one dimension, is not empty and is finite, and k >= 1.

    In one dimension a cluster is an interval: here an iteration is k searches in the sorted weights and k differences
    of their running sum.
    """
    w = np.asarray(w, np.float64)
    if w.ndim != 1 or not w.size or not np.isfinite(w).all():
        raise ValueError(f"kmeans: want finite numbers w (n,), n > 0; got shape {w.shape}")
    options.count("kmeans: k", k)
    options.function("kmeans: init", init)
    options.times("kmeans: iterations", iterations)
    order = np.sort(w)
    running = np.concatenate([[0.0], np.cumsum(order)])
    c = np.sort(init(w, k, rng))
    for _ in range(iterations):
        ends = np.concatenate([[0], np.searchsorted(order, (c[1:] + c[:-1]) / 2, side="right"), [w.size]])
        count = np.diff(ends)
        means = np.where(count > 0, np.diff(running[ends]) / np.maximum(count, 1), c)
        if np.array_equal(means, c):
            break
        c = np.sort(means)
    return c, nearest(w, c)


def nearest(w: np.ndarray, c: np.ndarray) -> np.ndarray:
    """The index of the centre nearest to each number of w, for centres c (k,) in ascending order; halfway between two
    of them it is the lower one's."""
    return np.searchsorted((c[1:] + c[:-1]) / 2, w, side="left")


@exercise("04.4")
def share(p: Parameter, bits: int, init=linear_init, rng=0) -> Codebook:
    """Let the weights of Parameter p share at most 2^bits values: w_ij <- c_(I_ij). Sets p.values to the Codebook of c
    and I, and returns it.

    What is clustered, by `kmeans` with init and rng, are the weights that the network uses, w = p().data, where
    p.support.mask is True (all of them if p.support is None). The number of centres k is 2^bits, or the number of these
    weights if that is less; if there are none, the Codebook has the single value 0.

    Codebook(centres, codes): the centres of `kmeans`, in the dtype of w; and the code of each weight, an integer array
    of w's shape, 0 for a weight that is pruned. p.data and p.support stay as they are. ValueError unless bits is an
    integer from 0 to 16.
    """
    options.whole("share: bits", bits)
    if not isinstance(bits, numbers.Integral) or not 0 <= bits <= 16:
        raise ValueError(f"share: want bits from 0 to 16, got {bits!r}")
    options.function("share: init", init)
    w = p().data
    kept = np.ones(w.shape, bool) if p.support is None else p.support.mask
    codes = np.zeros(w.shape, np.int64)
    c = np.zeros(1)
    if kept.any():
        c, codes[kept] = kmeans(w[kept], min(2 ** int(bits), int(kept.sum())), init, rng=rng)
    p.values = Codebook(c.astype(w.dtype), codes)
    return p.values


@exercise("04.1")
def sharing_rate(n, bits, k):
    """The compression rate of sharing alone, a float (arXiv 1510.00149, equation 1):

        r = n b / (n log2(k) + k b)

    for n weights of b = `bits` bits each, which share k centres of b bits each. log2(k) is not rounded to whole bits.
    """
    n, bits, k = options.numbers_above_0("sharing_rate", n=n, bits=bits, k=k)
    return n * bits / (n * np.log2(k) + k * bits)
