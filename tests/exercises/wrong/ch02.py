"""Wrong solutions of chapter 02: all must be rejected."""

import math

import numpy as np

from lightnn.compress.pruning.magnitude import set_mask, threshold
from lightnn.compress.transforms.mask import Mask
from lightnn.nn import Parameter
from lightnn.tensor import op


# 02.1: rounded as the paper prints it
def adjust_dropout(rate, connections_before, connections_after):
    if not 0 <= rate < 1 or not 0 <= connections_after <= connections_before or not connections_before:
        raise ValueError
    return round(rate * math.sqrt(connections_after / connections_before), 4)


# 02.1: no change above half
def adjust_dropout(rate, connections_before, connections_after):
    if not 0 <= rate < 1 or not 0 <= connections_after <= connections_before or not connections_before:
        raise ValueError
    if connections_after > connections_before / 2:
        return rate
    return rate * math.sqrt(connections_after / connections_before)


# 02.1: integer division
def adjust_dropout(rate, connections_before, connections_after):
    if not 0 <= rate < 1 or not 0 <= connections_after <= connections_before or not connections_before:
        raise ValueError
    return rate * math.sqrt(connections_after // connections_before)


# 02.1: the keep probability is scaled, not the drop probability
def adjust_dropout(rate, connections_before, connections_after):
    if not 0 <= rate < 1 or not 0 <= connections_after <= connections_before or not connections_before:
        raise ValueError
    return 1 - (1 - rate) * math.sqrt(connections_after / connections_before)


# 02.1: no errors
def adjust_dropout(rate, connections_before, connections_after):
    return rate * math.sqrt(connections_after / connections_before)


# 02.1: a rate of 1 is taken
def adjust_dropout(rate, connections_before, connections_after):
    if not 0 <= rate <= 1 or not 0 <= connections_after <= connections_before or not connections_before:
        raise ValueError
    return rate * math.sqrt(connections_after / connections_before)


# 02.1: nothing left is an error
def adjust_dropout(rate, connections_before, connections_after):
    if not 0 <= rate < 1 or not 0 < connections_after <= connections_before:
        raise ValueError
    return rate * math.sqrt(connections_after / connections_before)


# 02.1: more connections than before are taken
def adjust_dropout(rate, connections_before, connections_after):
    if not 0 <= rate < 1 or connections_after < 0 or not connections_before:
        raise ValueError
    return rate * math.sqrt(connections_after / connections_before)


# 02.1: errors are assertions
def adjust_dropout(rate, connections_before, connections_after):
    assert 0 <= rate < 1 and 0 <= connections_after <= connections_before and connections_before
    return rate * math.sqrt(connections_after / connections_before)


# 02.2: the sample's standard deviation
def threshold(w, quality, mask=None):
    w = w.ravel() if mask is None else w[mask]
    return quality * w.std(ddof=1, dtype=np.float64) if w.size > 1 else 0.0


# 02.2: in the dtype of w
def threshold(w, quality, mask=None):
    w = w.ravel() if mask is None else w[mask]
    return quality * w.std() if w.size else 0.0


# 02.2: the weights that are not 0 instead of the mask
def threshold(w, quality, mask=None):
    w = w[w != 0].astype(np.float64)
    return quality * w.std() if w.size else 0.0


# 02.2: the root of the mean square, as if the mean were 0
def threshold(w, quality, mask=None):
    w = (w if mask is None else w[mask]).astype(np.float64)
    return quality * np.sqrt((w**2).mean()) if w.size else 0.0


# 02.2: the spread of the magnitudes
def threshold(w, quality, mask=None):
    w = np.abs(w if mask is None else w[mask]).astype(np.float64)
    return quality * w.std() if w.size else 0.0


# 02.2: no weights, not a number
def threshold(w, quality, mask=None):
    w = w if mask is None else w[mask]
    return quality * w.std(dtype=np.float64)


# 02.2: None when nothing is left
def threshold(w, quality, mask=None):
    w = w if mask is None else w[mask]
    return quality * w.std(dtype=np.float64) if w.size else None


# 02.2: one standard deviation a row
def threshold(w, quality, mask=None):
    w = w if mask is None else w[mask]
    return quality * w.std(axis=0, dtype=np.float64).mean() if w.size else 0.0


# 02.2: the mask is applied to w itself
def threshold(w, quality, mask=None):
    if mask is not None:
        kept = w[mask]
        w[~mask] = 0
        w = kept
    return quality * w.std(dtype=np.float64) if w.size else 0.0


# 02.3: in place on the Tensor
@op
def masked(w, *, mask):
    if w.shape != mask.shape:
        raise ValueError
    w[~mask] = 0
    return w, lambda dy: dy * mask


# 02.3: a product
@op
def masked(w, *, mask):
    if w.shape != mask.shape:
        raise ValueError
    return w * mask, lambda dy: dy * mask


# 02.3: a product without the NaN; -0 stays
@op
def masked(w, *, mask):
    if w.shape != mask.shape:
        raise ValueError
    return np.where(~mask & ~np.isfinite(w), 0, w) * mask, lambda dy: dy * mask


# 02.3: NaN and infinity of kept weights are removed
@op
def masked(w, *, mask):
    if w.shape != mask.shape:
        raise ValueError
    return np.where(mask, np.nan_to_num(w), 0), lambda dy: dy * mask


# 02.3: the gradient of all weights
@op
def masked(w, *, mask):
    if w.shape != mask.shape:
        raise ValueError
    return np.where(mask, w, 0), lambda dy: dy


# 02.3: the gradient where w is not 0, times w
@op
def masked(w, *, mask):
    if w.shape != mask.shape:
        raise ValueError
    return np.where(mask, w, 0), lambda dy: np.where(mask, dy * w, 0)


# 02.3: broadcasting
@op
def masked(w, *, mask):
    return np.where(mask, w, w.dtype.type(0)), lambda dy: dy * mask


# 02.3: only the sizes are compared
@op
def masked(w, *, mask):
    if w.size != mask.size:
        raise ValueError
    mask = mask.reshape(w.shape)
    return np.where(mask, w, w.dtype.type(0)), lambda dy: dy * mask


# 02.3: always float64
@op
def masked(w, *, mask):
    if w.shape != mask.shape:
        raise ValueError
    y = np.zeros(w.shape)
    y[mask] = w[mask]
    return y, lambda dy: dy * mask


# 02.3: no gradient
@op
def masked(w, *, mask):
    if w.shape != mask.shape:
        raise ValueError
    return np.where(mask, w, w.dtype.type(0)), None


# 02.3: one that is not an op
def masked(w, *, mask):
    if w.shape != mask.shape:
        raise ValueError
    return np.where(mask, w.data, w.data.dtype.type(0))


# 02.4: only n or dt of exactly 0 is an error
def gradual_sparsity(t, s_i, s_f, t_0, n, dt):
    if n == 0 or dt == 0:
        raise ValueError
    done = min(max((t - t_0) // dt, 0), n) / n
    return s_f + (s_i - s_f) * (1 - done) ** 3


# 02.4: errors only for both
def gradual_sparsity(t, s_i, s_f, t_0, n, dt):
    if n < 1 and dt < 1:
        raise ValueError
    done = min(max((t - t_0) // dt, 0), n) / n
    return s_f + (s_i - s_f) * (1 - done) ** 3


# 02.4: before t_0 the power grows
def gradual_sparsity(t, s_i, s_f, t_0, n, dt):
    if n < 1 or dt < 1:
        raise ValueError
    done = min((t - t_0) // dt, n) / n
    return s_f + (s_i - s_f) * (1 - done) ** 3


# 02.4: nothing before t_0
def gradual_sparsity(t, s_i, s_f, t_0, n, dt):
    if n < 1 or dt < 1:
        raise ValueError
    if t < t_0:
        return 0.0
    done = min((t - t_0) // dt, n) / n
    return s_f + (s_i - s_f) * (1 - done) ** 3


# 02.4: rounded to the nearest step
def gradual_sparsity(t, s_i, s_f, t_0, n, dt):
    if n < 1 or dt < 1:
        raise ValueError
    done = min(max(round((t - t_0) / dt), 0), n) / n
    return s_f + (s_i - s_f) * (1 - done) ** 3


# 02.4: t counted from 0
def gradual_sparsity(t, s_i, s_f, t_0, n, dt):
    if n < 1 or dt < 1:
        raise ValueError
    done = min(max(t // dt, 0), n) / n
    return s_f + (s_i - s_f) * (1 - done) ** 3


# 02.4: the end is n steps, whatever dt
def gradual_sparsity(t, s_i, s_f, t_0, n, dt):
    if n < 1 or dt < 1:
        raise ValueError
    done = min(max(t - t_0, 0), n) / n
    return s_f + (s_i - s_f) * (1 - done) ** 3


# 02.4: as if the start were 0
def gradual_sparsity(t, s_i, s_f, t_0, n, dt):
    if n < 1 or dt < 1:
        raise ValueError
    done = min(max((t - t_0) // dt, 0), n) / n
    return s_f - s_f * (1 - done) ** 3


# 02.5: the latent weights
def prune(p, quality):
    if not 0 <= quality < math.inf:
        raise ValueError
    w, mask = p.data, None if p.support is None else p.support.mask
    keep = np.abs(w) > threshold(w, quality, mask)
    return set_mask(p, keep if mask is None else keep & mask)


# 02.5: the mask changed in place
def prune(p, quality):
    if not 0 <= quality < math.inf:
        raise ValueError
    w, mask = p().data, None if p.support is None else p.support.mask
    keep = np.abs(w) > threshold(w, quality, mask)
    if mask is None:
        return set_mask(p, keep)
    mask &= keep
    return set_mask(p, mask)


# 02.5: the mask changed in place, and no new one
def prune(p, quality):
    if not 0 <= quality < math.inf:
        raise ValueError
    if p.support is None:
        return set_mask(p, np.abs(p().data) > threshold(p().data, quality))
    p.support.mask[np.abs(p().data) <= threshold(p().data, quality, p.support.mask)] = False
    p.data = p().data
    return float(p.support.mask.mean())


# 02.5: the fraction of the weights that were left
def prune(p, quality):
    if not 0 <= quality < math.inf:
        raise ValueError
    w, mask = p().data, np.ones(p.shape, bool) if p.support is None else p.support.mask
    keep = np.abs(w) > threshold(w, quality, mask)
    set_mask(p, keep)
    return float(keep.sum() / max(mask.sum(), 1))


# 02.5: the fraction that is removed
def prune(p, quality):
    if not 0 <= quality < math.inf:
        raise ValueError
    w, mask = p().data, None if p.support is None else p.support.mask
    return 1 - set_mask(p, np.abs(w) > threshold(w, quality, mask))


# 02.5: nothing is returned
def prune(p, quality):
    if not 0 <= quality < math.inf:
        raise ValueError
    w, mask = p().data, None if p.support is None else p.support.mask
    set_mask(p, np.abs(w) > threshold(w, quality, mask))


# 02.5: the weights become 0, without a mask
def prune(p, quality):
    if not 0 <= quality < math.inf:
        raise ValueError
    w = p().data
    keep = np.abs(w) > threshold(w, quality, None if p.support is None else p.support.mask)
    p.data = np.where(keep, w, 0)
    return float(keep.mean())


# 02.5: a mask, but the weights stay
def prune(p, quality):
    if not 0 <= quality < math.inf:
        raise ValueError
    w = p().data
    keep = np.abs(w) > threshold(w, quality, None if p.support is None else p.support.mask)
    p.support = Mask(keep)
    return float(keep.mean())


# 02.5: the quality is the threshold
def prune(p, quality):
    if not 0 <= quality < math.inf:
        raise ValueError
    return set_mask(p, np.abs(p().data) > quality)


# 02.5: the distance from the mean
def prune(p, quality):
    if not 0 <= quality < math.inf:
        raise ValueError
    w, mask = p().data, None if p.support is None else p.support.mask
    return set_mask(p, np.abs(w - w.mean()) > threshold(w, quality, mask))


# 02.5: any quality
def prune(p, quality):
    w, mask = p().data, None if p.support is None else p.support.mask
    return set_mask(p, np.abs(w) > threshold(w, quality, mask))


# 02.5: a quality of 0 is an error
def prune(p, quality):
    if not 0 < quality < math.inf:
        raise ValueError
    w, mask = p().data, None if p.support is None else p.support.mask
    return set_mask(p, np.abs(w) > threshold(w, quality, mask))


# 02.5: an infinite quality prunes everything
def prune(p, quality):
    if not quality >= 0:
        raise ValueError
    w, mask = p().data, None if p.support is None else p.support.mask
    return set_mask(p, np.abs(w) > threshold(w, quality, mask))


# 02.5: nan is let through
def prune(p, quality):
    if quality < 0 or quality == math.inf:
        raise ValueError
    w, mask = p().data, None if p.support is None else p.support.mask
    return set_mask(p, np.abs(w) > threshold(w, quality, mask))


# 02.6: active is changed
def flop_fractions(flops, kept, active):
    active[1:] = active[:-1].copy()
    active[0] = 1
    fractions = kept.astype(np.float64) * active
    return fractions, float(fractions @ flops / flops.sum())


# 02.6: kept is changed
def flop_fractions(flops, kept, active):
    kept[1:] *= active[:-1]
    return kept.astype(np.float64), float(kept.astype(np.float64) @ flops / flops.sum())


# 02.6: in the arrays' dtype
def flop_fractions(flops, kept, active):
    fractions = kept * np.concatenate([[1], active[:-1]]).astype(active.dtype)
    return fractions, float(fractions @ flops / flops.sum())


# 02.6: the last layer's outputs feed the first
def flop_fractions(flops, kept, active):
    fractions = kept.astype(np.float64) * np.roll(active, 1)
    return fractions, float(fractions @ flops / flops.sum())


# 02.6: the following layer's activity
def flop_fractions(flops, kept, active):
    fractions = kept.astype(np.float64) * np.append(active[1:], 1.0)
    return fractions, float(fractions @ flops / flops.sum())


# 02.6: weights that survive survive in all later layers
def flop_fractions(flops, kept, active):
    fractions = np.cumprod(kept.astype(np.float64)) * np.concatenate([[1.0], active[:-1]])
    return fractions, float(fractions @ flops / flops.sum())


# 02.6: operations instead of fractions
def flop_fractions(flops, kept, active):
    left = flops * kept.astype(np.float64) * np.concatenate([[1.0], active[:-1]])
    return left, float(left.sum() / flops.sum())


# 02.6: what is saved, not what is left
def flop_fractions(flops, kept, active):
    fractions = 1 - kept.astype(np.float64) * np.concatenate([[1.0], active[:-1]])
    return fractions, float(fractions @ flops / flops.sum())


# 02.6: the total is not divided
def flop_fractions(flops, kept, active):
    fractions = kept.astype(np.float64) * np.concatenate([[1.0], active[:-1]])
    return fractions, float(fractions @ flops)


# 02.6: percent
def flop_fractions(flops, kept, active):
    fractions = 100 * kept.astype(np.float64) * np.concatenate([[1.0], active[:-1]])
    return fractions, float(fractions @ flops / flops.sum())


# 02.6: in the other order
def flop_fractions(flops, kept, active):
    fractions = kept.astype(np.float64) * np.concatenate([[1.0], active[:-1]])
    return float(fractions @ flops / flops.sum()), fractions


# 02.6: a list
def flop_fractions(flops, kept, active):
    fractions = kept.astype(np.float64) * np.concatenate([[1.0], active[:-1]])
    return list(fractions), float(fractions @ flops / flops.sum())


# 02.7: rounded up
def random_mask(p, keep, rng):
    if not 0 < keep <= 1:
        raise ValueError
    places = np.arange(p.size) if p.support is None else np.flatnonzero(p.support.mask)
    mask = np.zeros(p.size, bool)
    mask[np.random.default_rng(rng).choice(places, min(math.ceil(keep * p.size), places.size), replace=False)] = True
    return mask.reshape(p.shape)


# 02.7: rounded down
def random_mask(p, keep, rng):
    if not 0 < keep <= 1:
        raise ValueError
    places = np.arange(p.size) if p.support is None else np.flatnonzero(p.support.mask)
    mask = np.zeros(p.size, bool)
    mask[np.random.default_rng(rng).choice(places, min(int(keep * p.size), places.size), replace=False)] = True
    return mask.reshape(p.shape)


# 02.7: halves rounded up
def random_mask(p, keep, rng):
    if not 0 < keep <= 1:
        raise ValueError
    places = np.arange(p.size) if p.support is None else np.flatnonzero(p.support.mask)
    mask = np.zeros(p.size, bool)
    mask[np.random.default_rng(rng).choice(places, min(int(keep * p.size + 0.5), places.size), replace=False)] = True
    return mask.reshape(p.shape)


# 02.7: one contiguous block, which wraps around
def random_mask(p, keep, rng):
    if not 0 < keep <= 1:
        raise ValueError
    places = np.arange(p.size) if p.support is None else np.flatnonzero(p.support.mask)
    kept = min(round(keep * p.size), places.size)
    mask = np.zeros(p.size, bool)
    mask[np.roll(places, np.random.default_rng(rng).integers(max(places.size, 1)))[:kept]] = True
    return mask.reshape(p.shape)


# 02.7: the first ones
def random_mask(p, keep, rng):
    if not 0 < keep <= 1:
        raise ValueError
    places = np.arange(p.size) if p.support is None else np.flatnonzero(p.support.mask)
    mask = np.zeros(p.size, bool)
    mask[places[: round(keep * p.size)]] = True
    return mask.reshape(p.shape)


# 02.7: whole rows
def random_mask(p, keep, rng):
    if not 0 < keep <= 1:
        raise ValueError
    mask = np.zeros(p.shape, bool)
    mask[np.random.default_rng(rng).permutation(len(mask))[: round(keep * len(mask))]] = True
    return mask if p.support is None else mask & p.support.mask


# 02.7: a random mask, within the old one afterwards: too few
def random_mask(p, keep, rng):
    if not 0 < keep <= 1:
        raise ValueError
    mask = np.zeros(p.size, bool)
    mask[np.random.default_rng(rng).choice(p.size, round(keep * p.size), replace=False)] = True
    mask = mask.reshape(p.shape)
    return mask if p.support is None else mask & p.support.mask


# 02.7: an error if fewer are left
def random_mask(p, keep, rng):
    if not 0 < keep <= 1:
        raise ValueError
    places = np.arange(p.size) if p.support is None else np.flatnonzero(p.support.mask)
    mask = np.zeros(p.size, bool)
    mask[np.random.default_rng(rng).choice(places, round(keep * p.size), replace=False)] = True
    return mask.reshape(p.shape)


# 02.7: rng is ignored
def random_mask(p, keep, rng):
    if not 0 < keep <= 1:
        raise ValueError
    places = np.arange(p.size) if p.support is None else np.flatnonzero(p.support.mask)
    mask = np.zeros(p.size, bool)
    mask[np.random.default_rng(0).choice(places, min(round(keep * p.size), places.size), replace=False)] = True
    return mask.reshape(p.shape)


# 02.7: NumPy's global random numbers
def random_mask(p, keep, rng):
    if not 0 < keep <= 1:
        raise ValueError
    places = np.arange(p.size) if p.support is None else np.flatnonzero(p.support.mask)
    mask = np.zeros(p.size, bool)
    mask[np.random.choice(places, min(round(keep * p.size), places.size), replace=False)] = True
    return mask.reshape(p.shape)


# 02.7: seeds only
def random_mask(p, keep, rng):
    if not 0 < keep <= 1:
        raise ValueError
    places = np.arange(p.size) if p.support is None else np.flatnonzero(p.support.mask)
    mask = np.zeros(p.size, bool)
    rng = np.random.RandomState(rng)
    mask[rng.choice(places, min(round(keep * p.size), places.size), replace=False)] = True
    return mask.reshape(p.shape)


# 02.7: Generators only
def random_mask(p, keep, rng):
    if not 0 < keep <= 1:
        raise ValueError
    places = np.arange(p.size) if p.support is None else np.flatnonzero(p.support.mask)
    mask = np.zeros(p.size, bool)
    mask[rng.choice(places, min(round(keep * p.size), places.size), replace=False)] = True
    return mask.reshape(p.shape)


# 02.7: a Generator is not used, only a seed
def random_mask(p, keep, rng):
    if not 0 < keep <= 1:
        raise ValueError
    places = np.arange(p.size) if p.support is None else np.flatnonzero(p.support.mask)
    mask = np.zeros(p.size, bool)
    rng = np.random.default_rng(rng if isinstance(rng, int) else 0)
    mask[rng.choice(places, min(round(keep * p.size), places.size), replace=False)] = True
    return mask.reshape(p.shape)


# 02.7: large weights are likelier
def random_mask(p, keep, rng):
    if not 0 < keep <= 1:
        raise ValueError
    numbers = np.random.default_rng(rng).random(p.shape) * (1 + np.abs(p().data))
    if p.support is not None:
        numbers[~p.support.mask] = -1
    mask = np.zeros(p.size, bool)
    mask[np.argsort(-numbers, axis=None)[: round(keep * p.size)]] = True
    mask = mask.reshape(p.shape)
    return mask if p.support is None else mask & p.support.mask


# 02.7: p gets the mask
def random_mask(p, keep, rng):
    if not 0 < keep <= 1:
        raise ValueError
    places = np.arange(p.size) if p.support is None else np.flatnonzero(p.support.mask)
    mask = np.zeros(p.size, bool)
    mask[np.random.default_rng(rng).choice(places, min(round(keep * p.size), places.size), replace=False)] = True
    set_mask(p, mask.reshape(p.shape))
    return mask.reshape(p.shape)


# 02.7: the old mask is changed
def random_mask(p, keep, rng):
    if not 0 < keep <= 1:
        raise ValueError
    rng = np.random.default_rng(rng)
    mask = np.ones(p.shape, bool) if p.support is None else p.support.mask
    gone = max(int(mask.sum()) - round(keep * p.size), 0)
    mask.flat[rng.choice(np.flatnonzero(mask), gone, replace=False)] = False
    return mask


# 02.7: a flat mask
def random_mask(p, keep, rng):
    if not 0 < keep <= 1:
        raise ValueError
    places = np.arange(p.size) if p.support is None else np.flatnonzero(p.support.mask)
    mask = np.zeros(p.size, bool)
    mask[np.random.default_rng(rng).choice(places, min(round(keep * p.size), places.size), replace=False)] = True
    return mask


# 02.7: numbers instead of bool
def random_mask(p, keep, rng):
    if not 0 < keep <= 1:
        raise ValueError
    places = np.arange(p.size) if p.support is None else np.flatnonzero(p.support.mask)
    mask = np.zeros(p.size)
    mask[np.random.default_rng(rng).choice(places, min(round(keep * p.size), places.size), replace=False)] = 1
    return mask.reshape(p.shape)


# 02.7: keep is not checked
def random_mask(p, keep, rng):
    places = np.arange(p.size) if p.support is None else np.flatnonzero(p.support.mask)
    mask = np.zeros(p.size, bool)
    mask[np.random.default_rng(rng).permutation(places)[: max(0, round(keep * p.size))]] = True
    return mask.reshape(p.shape)


# 02.7: evenly spaced, from a random start
def random_mask(p, keep, rng):
    if not 0 < keep <= 1:
        raise ValueError
    places = np.arange(p.size) if p.support is None else np.flatnonzero(p.support.mask)
    kept = min(round(keep * p.size), places.size)
    step = np.linspace(0, places.size, kept, endpoint=False).astype(int)
    mask = np.zeros(p.size, bool)
    mask[places[(step + np.random.default_rng(rng).integers(max(places.size, 1))) % max(places.size, 1)]] = True
    return mask.reshape(p.shape)


# 02.8: always float64
def csr_matvec(values, columns, pointers, x):
    y = np.zeros(len(pointers) - 1)
    for i in range(len(y)):
        k = slice(pointers[i], pointers[i + 1])
        y[i] = (values[k] * x[columns[k]]).sum()
    return y


# 02.8: bincount without minlength
def csr_matvec(values, columns, pointers, x):
    rows = np.repeat(np.arange(len(pointers) - 1), np.diff(pointers))
    return np.bincount(rows, values * x[columns]).astype(x.dtype)


# 02.8: reduceat, which knows no empty rows
def csr_matvec(values, columns, pointers, x):
    if len(values) == 0:
        return np.zeros(len(pointers) - 1, x.dtype)
    at = np.minimum(pointers[:-1], len(values) - 1)
    return np.add.reduceat(values * x[columns], at).astype(x.dtype)


# 02.8: a dense product
def csr_matvec(values, columns, pointers, x):
    w = np.zeros((len(pointers) - 1, len(x)), x.dtype)
    w[np.repeat(np.arange(len(w)), np.diff(pointers)), columns] = values
    return w @ x


# 02.8: the last element of each row wins
def csr_matvec(values, columns, pointers, x):
    y = np.zeros(len(pointers) - 1, x.dtype)
    for i in range(len(y)):
        for k in range(pointers[i], pointers[i + 1]):
            y[i] = values[k] * x[columns[k]]
    return y


# 02.8: pointers taken for lengths
def csr_matvec(values, columns, pointers, x):
    y, k = np.zeros(len(pointers) - 1, x.dtype), 0
    for i in range(len(y)):
        for _ in range(pointers[i + 1]):
            if k < len(values):
                y[i] += values[k] * x[columns[k]]
                k += 1
    return y


# 02.8: the elements before a row are added to it
def csr_matvec(values, columns, pointers, x):
    sums = np.concatenate([[0], np.cumsum(values * x[columns])])
    return sums[pointers[1:]].astype(x.dtype)


# 02.8: empty rows are left out
def csr_matvec(values, columns, pointers, x):
    rows = [slice(a, b) for a, b in zip(pointers, pointers[1:]) if b > a]
    return np.array([(values[k] * x[columns[k]]).sum() for k in rows], x.dtype)


# 02.8: a list
def csr_matvec(values, columns, pointers, x):
    rows = [slice(a, b) for a, b in zip(pointers, pointers[1:])]
    return [(values[k] * x[columns[k]]).sum() for k in rows]


# 02.8: rows and columns exchanged
def csr_matvec(values, columns, pointers, x):
    y = np.zeros(len(pointers) - 1, x.dtype)
    for i in range(len(y)):
        for k in range(pointers[i], pointers[i + 1]):
            if columns[k] < len(y):
                y[columns[k]] += values[k] * x[min(i, len(x) - 1)]
    return y


# 02.9: added to b itself
def fold_constants(w, b, values, constant):
    b += (w[:, constant] @ values[constant]).astype(b.dtype)
    return b


# 02.9: in the dtype of b
def fold_constants(w, b, values, constant):
    return (b + w[:, constant] @ values[constant]).astype(b.dtype)


# 02.9: always float64
def fold_constants(w, b, values, constant):
    return (b + w[:, constant] @ values[constant]).astype(np.float64)


# 02.9: rows instead of columns
def fold_constants(w, b, values, constant):
    if len(constant) != len(w):
        return b + w[:, constant] @ values[constant]
    return b + w[constant].T @ values[constant] if w.shape[0] == w.shape[1] else b


# 02.9: only positive constants, as if a ReLU followed
def fold_constants(w, b, values, constant):
    return b + w[:, constant] @ np.maximum(values[constant], 0)


# 02.9: subtracted
def fold_constants(w, b, values, constant):
    return b - w[:, constant] @ values[constant]


# 02.9: the mean over the constant inputs
def fold_constants(w, b, values, constant):
    return b + w[:, constant] @ values[constant] / max(constant.sum(), 1)


# 02.9: only the first constant input
def fold_constants(w, b, values, constant):
    if not constant.any():
        return b.copy()
    i = int(np.argmax(constant))
    return b + w[:, i] * values[i]


# 02.9: the others are put to 0 in place
def fold_constants(w, b, values, constant):
    values[~constant] = 0
    return b + w @ values


# 02.9: one number for all outputs
def fold_constants(w, b, values, constant):
    return b + (w[:, constant] @ values[constant]).sum()
