"""Weight pruning by magnitude (Han, Pool, Tran & Dally 2015, "Learning both Weights and Connections", arXiv
1506.02626).

Train, remove the connections whose weight is small, train what is left; repeat the last two.
"""

import math

import numpy as np

from lightnn.compress.transforms.base import Mask
from lightnn.exercise import exercise


@exercise("02.2")
def threshold(w, quality, mask=None):
    """The layer's pruning threshold, quality * std(W) (section 3.3).

    std is over the weights that are still there (`mask`, a bool array of w's shape; None means all): the paper does
    not say, and a weight that was removed is no longer part of the layer.
    """
    w = np.asarray(w)
    survivors = w if mask is None else w[mask]
    return quality * (survivors.std(dtype=np.float64) if survivors.size else np.float64(0))


@exercise("02.5")
def prune(p, quality):
    """Give Parameter p the mask |w| > quality * std(w), on top of the one it has. Returns the share that is kept."""
    if not 0 <= quality < math.inf:
        raise ValueError(f"prune: want a finite quality >= 0, got {quality!r}")
    w, mask = p().data, None if p.support is None else p.support.mask
    keep = np.abs(w) > threshold(w, quality, mask)
    return set_mask(p, keep if mask is None else keep & mask)


def set_mask(p, mask):
    """Let p keep its weights where `mask`; elsewhere they are 0 from now on. Returns the share that is kept."""
    support = Mask(mask)
    p.data = np.array(support(p.detach()).data)
    p.support = support
    return density(p)


def quality_for(w, keep, mask=None):
    """The quality with which `threshold` keeps the share `keep` of all of w: the one place to turn from "how much"
    to the paper's parameter."""
    if not 0 < keep <= 1:
        raise ValueError(f"quality_for: want 0 < keep <= 1, got {keep!r}")
    w = np.asarray(w)
    std = threshold(w, 1.0, mask)
    size = np.sort(np.abs(w), axis=None).astype(np.float64)
    below = w.size - round(keep * w.size)
    if not below or not std:
        return 0.0
    last = size[below - 1]  # the largest that goes; halfway from it to the next larger one is the threshold
    larger = np.searchsorted(size, last, side="right")
    return float((last + (size[larger] if larger < w.size else 2 * last)) / 2 / std)


@exercise("02.7")
def random_mask(p, keep, rng):
    """A mask with which p keeps the share `keep` of all its weights, drawn by chance among those that are still there:
    the baseline that pruning by magnitude must beat. No weight comes back, so it may keep fewer, never more.

    rng: a Generator or a seed. ValueError unless 0 < keep <= 1.
    """
    if not 0 < keep <= 1:
        raise ValueError(f"random_mask: want 0 < keep <= 1, got {keep!r}")
    places = np.arange(p.size) if p.support is None else np.flatnonzero(p.support.mask)
    kept = min(round(keep * p.size), places.size)
    mask = np.zeros(p.size, bool)
    mask[np.random.default_rng(rng).choice(places, kept, replace=False)] = True
    return mask.reshape(p.shape)


def density(p):
    """The share of p's weights that may be non-zero."""
    return float(p.support.mask.mean()) if p.support is not None and p.size else 1.0


def sensitivity(model, parameters, score, keeps):
    """Each parameter pruned alone, without retraining (section 3.3, figure 6).

    parameters: {name: Parameter} of the model; score(model) -> accuracy; keeps: shares to keep, from 0 to 1.
    Returns {name: [score for each of keeps]}. The model is left as it was.
    """
    curves = {}
    for name, p in parameters.items():
        data, support = p.data, p.support
        curves[name] = []
        try:
            for keep in keeps:
                prune_to_share(p, keep)
                curves[name].append(score(model))
                p.data, p.support = data, support
        finally:
            p.data, p.support = data, support
    return curves


@exercise("02.1")
def adjust_dropout(rate, connections_before, connections_after):
    """The drop probability for retraining, D_r = D_o sqrt(C_ir / C_io) (section 3.2, equation 2): a sparse layer
    overfits less, so less is dropped."""
    if not 0 <= rate < 1 or not 0 <= connections_after <= connections_before or not connections_before:
        raise ValueError(
            "adjust_dropout: want 0 <= rate < 1 and 0 <= connections_after <= connections_before, not 0; "
            f"got {rate!r}, {connections_after!r}, {connections_before!r}"
        )
    return rate * math.sqrt(connections_after / connections_before)


def prune_to_share(p, keep):
    """Prune Parameter p by magnitude until it keeps the share `keep` of all its weights. Returns the share kept."""
    return prune(p, quality_for(p().data, keep, None if p.support is None else p.support.mask))
