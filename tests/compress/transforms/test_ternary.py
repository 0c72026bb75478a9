"""lightnn/compress/transforms/ternary.py: ternary weight networks."""

import numpy as np
import pytest

from lightnn.compress import Mask, Ternary, use_ternary
from lightnn.nn import Parameter


@pytest.mark.parametrize("factor", [0.7, 0.75, 0.0])
def test_it_obeys_the_laws_of_a_transform(laws, factor):
    laws(lambda latent: Ternary(factor=factor))


def test_by_hand():
    """E|W| = 2, D = 1.4, alpha = (3 + 4) / 2; the gradient passes (STE)."""
    p = Parameter(np.array([[3.0, -1.0], [0.0, -4.0]], np.float32))
    use_ternary(p)
    assert p().data.tolist() == [[3.5, 0], [0, -3.5]]
    dy = np.array([[1, 2], [3, 4]], np.float32)
    p().backward(dy)
    assert (p.grad == dy).all()


def best_ternary(w):
    """The exact optimum by sorting: of the k largest, the best k has the largest (sum of |w|)^2 / k."""
    a = np.sort(np.abs(w).ravel())[::-1]
    k = np.argmax(np.cumsum(a) ** 2 / np.arange(1, a.size + 1)) + 1
    return np.where(np.abs(w) >= a[k - 1], np.sign(w) * a[:k].mean(), 0)


def test_sorting_finds_the_optimum(rng):
    for _ in range(20):
        w = rng.standard_normal(7)
        errors = []
        for t in np.ndindex(*[3] * 7):
            t = np.array(t) - 1.0
            alpha = max(t @ w / (t @ t), 0) if t.any() else 0
            errors += [((w - alpha * t) ** 2).sum()]
        assert ((w - best_ternary(w)) ** 2).sum() == pytest.approx(min(errors), rel=1e-12)


@pytest.mark.parametrize(
    ("draw", "factor", "worse"),
    [("standard_normal", 0.7, 1.01), ("standard_normal", 0.75, 1.01), ("uniform", 0.7, 1.01)],
)
def test_both_thresholds_are_near_the_optimum(rng, draw, factor, worse):
    w = getattr(rng, draw)(size=10_000)
    w = w if draw == "standard_normal" else 2 * w - 1
    p = Parameter(w)
    use_ternary(p, factor)
    error, best = (((w - q) ** 2).sum() for q in (p().data, best_ternary(w)))
    assert best <= error <= worse * best


def test_what_is_pruned_is_not_measured():
    p = Parameter(np.array([[9.0, 3.0, -1.0]], np.float32))
    p.support = Mask(np.array([[False, True, True]]))
    use_ternary(p)
    assert p().data.tolist() == [[0, 3, 0]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bits": np.array(3)}, "Ternary: bits: want an int from 2 to 2, got 3"),
        ({"scale": np.float32([np.inf, 1])}, "scale: want finite numbers"),
        ({"scale": np.ones(1, np.float32)}, r"scale: want an array \(2,\)"),
        ({"codes": np.array([3])}, "want codes from 0 to 2, got 3 to 3"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change, message):
    parts = Ternary().encode(np.ones(1, np.float32)) | change
    with pytest.raises(ValueError, match=message):
        Ternary.decode(parts)
