"""Weight pruning by magnitude (Han, Pool, Tran & Dally 2015, "Learning both Weights and Connections", arXiv
1506.02626).

Train, remove the connections whose weight is small, train what is left; repeat the last two.
"""

import math

import numpy as np

from lightnn import options
from lightnn.compress.finite import check_finite
from lightnn.compress.transforms.mask import Mask
from lightnn.exercise import exercise
from lightnn.nn import Module, Parameter
from lightnn.options import fraction


@exercise("02.2")
def threshold(w: np.ndarray, quality: float, mask: np.ndarray | None = None) -> np.float64:
    """The layer's pruning threshold (section 3.3): weights that are not larger in magnitude are removed.

        thr = q std(W) = q sqrt(mean((w - mean(w))^2))

    quality: q. mask: a bool array of w's shape; mean and std are over the weights where it is True, zeros among them
    included, or over all of w if it is None. The paper does not say which; a weight that was removed is no longer part
    of the layer.

    Returns a float, computed in float64 whatever w's dtype is; 0.0 if no weight remains, as where mask is all False.
    w and mask stay as they are.
    """
    options.any_number("threshold: quality", quality)
    w = np.asarray(w)
    survivors = w if mask is None else w[mask]
    if not np.isfinite(survivors).all():
        raise ValueError("threshold: want finite weights w, got NaN or infinite ones among them")
    return quality * (survivors.std(dtype=np.float64) if survivors.size else np.float64(0))


@exercise("02.5")
def prune(p: Parameter, quality: float) -> float:
    """Prune by magnitude: give Parameter p a new mask that keeps the weights above the layer's `threshold`.

        m = 1[|w| > quality std(w)]

    w = p().data, the weights that the network uses now (p.data may be others, if p.values is a Codebook or after a step
    of the optimizer). std(w) is over the weights that remain: all of them if p.support is None, else those where
    p.support.mask is True. A weight exactly at the threshold goes, and none comes back: w is 0 where one was removed.

    Returns the fraction of all of p's weights that is kept, a float. Afterwards p.support is the new Mask, and p.data
    is 0 where a weight was removed, as `set_mask` leaves them. The array of the old mask stays as it was, and so does
    p.values. ValueError unless quality is finite and at least 0.
    """
    options.any_number("prune: quality", quality)
    if not 0 <= quality < math.inf:
        raise ValueError(f"prune: want a finite quality >= 0, got {quality!r}")
    w, mask = p().data, None if p.support is None else p.support.mask
    return set_mask(p, np.abs(w) > threshold(w, quality, mask))


def set_mask(p: Parameter, mask: np.ndarray) -> float:
    """Keep Parameter p's weights where the bool array `mask` is True, make the others 0, in p.data and from now on in
    p() by a new Mask, p.support, and return the fraction that is kept, a float."""
    support = Mask(mask)
    p.data = np.array(support(p.detach()).data)
    p.support = support
    return density(p)


def quality_for(w: np.ndarray, keep: float, mask: np.ndarray | None = None) -> float:
    """Converts a target density to the paper's quality parameter: with it, `threshold` keeps the fraction `keep` of
    all of w."""
    keep = fraction("quality_for: keep", keep)
    w = np.asarray(w)
    check_finite("quality_for: w", w)
    std = threshold(w, 1.0, mask)
    size = np.sort(np.abs(w), axis=None).astype(np.float64)
    below = w.size - round(keep * w.size)
    if not below or not std:
        return 0.0
    last = size[below - 1]  # the largest that goes; halfway from it to the next larger one is the threshold
    larger = np.searchsorted(size, last, side="right")
    return float((last + (size[larger] if larger < w.size else 2 * last)) / 2 / std)


@exercise("02.7")
def random_mask(p: Parameter, keep: float, rng: np.random.Generator | int) -> np.ndarray:
    """A mask that keeps the fraction `keep` of all of p's weights, drawn at random from the weights that are left: the
    baseline that pruning by magnitude must beat.

    It is True for exactly round(keep * p.size) weights, Python's round. They are drawn from all weights if p.support is
    None, else from those where p.support.mask is True: no weight comes back, so if fewer than that are left, it keeps
    all of these. Every such mask is equally likely, whatever the weights are.

    rng: a Generator, from which it draws, or a seed s, which stands for np.random.default_rng(s); a Generator in the
    same state gives the same mask again. Returns a bool array of p's shape; p stays as it is. ValueError unless
    0 < keep <= 1.
    """
    options.number("random_mask: keep", keep)
    if not 0 < keep <= 1:
        raise ValueError(f"random_mask: want 0 < keep <= 1, got {keep!r}")
    rng = options.generator("random_mask: rng", rng)
    places = np.arange(p.size) if p.support is None else np.flatnonzero(p.support.mask)
    kept = min(round(keep * p.size), places.size)
    mask = np.zeros(p.size, bool)
    mask[np.random.default_rng(rng).choice(places, kept, replace=False)] = True
    return mask.reshape(p.shape)


def density(p: Parameter) -> float:
    """The fraction of p's weights that may be non-zero."""
    return float(p.support.mask.mean()) if p.support is not None and p.size else 1.0


def sensitivity(model: Module, parameters: dict[str, Parameter], score, keeps) -> dict[str, list]:
    """Each parameter pruned alone, without retraining (section 3.3, figure 6).

    parameters: {name: Parameter} of the model; score(model) -> accuracy; keeps: fractions to keep, from 0 to 1.
    Returns {name: [score for each of keeps]}. The model is left as it was.
    """
    keeps = options.listed("sensitivity: keeps", keeps, "numbers > 0 and <= 1")
    keeps, curves = [fraction("sensitivity: keeps", keep) for keep in keeps], {}
    options.function("sensitivity: score", score)
    for name, p in parameters.items():
        check_finite(f"sensitivity: {name}", p().data)
    for name, p in parameters.items():
        data, support = p.data, p.support
        curves[name] = []
        try:
            for keep in keeps:
                prune_to_fraction(p, keep)
                curves[name].append(score(model))
                p.data, p.support = data, support
        finally:
            p.data, p.support = data, support
    return curves


@exercise("02.1")
def adjust_dropout(rate: float, connections_before: int, connections_after: int) -> float:
    """The drop probability for retraining (section 3.2, equation 2): a sparse layer overfits less, so less is dropped.

        D_r = D_o sqrt(C_ir / C_io)

    rate: D_o, the probability of dropping a neuron before pruning. C_io and C_ir: how many connections the layer has
    before and after pruning. Returns D_r, a float. ValueError unless 0 <= rate < 1 and 0 <= connections_after <=
    connections_before; also if connections_before is 0.
    """
    options.number("adjust_dropout: connections_before", connections_before)
    options.number("adjust_dropout: connections_after", connections_after)
    options.number("adjust_dropout: rate", rate)
    if not 0 <= rate < 1 or not 0 <= connections_after <= connections_before or not connections_before:
        raise ValueError(
            "adjust_dropout: want 0 <= rate < 1 and 0 <= connections_after <= connections_before, not 0; "
            f"got {rate!r}, {connections_after!r}, {connections_before!r}"
        )
    return rate * math.sqrt(connections_after / connections_before)


def prune_to_fraction(p: Parameter, keep: float) -> float:
    """Prune Parameter p by magnitude to the fraction `keep` of all its weights. Returns the fraction that is kept."""
    check_finite("prune_to_fraction: p", p().data)
    return prune(p, quality_for(p().data, keep, None if p.support is None else p.support.mask))


prune_to_share = prune_to_fraction  # its name before `share` came to mean weight sharing only
