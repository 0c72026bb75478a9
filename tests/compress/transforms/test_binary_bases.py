"""lightnn/compress/transforms/binary_bases.py: sums of binary weights."""

import itertools

import numpy as np
import pytest

from lightnn.compress import Binary, BinaryBases, use_binary_bases
from lightnn.compress.transforms.binary_bases import greedy_scales, nearest_level
from lightnn.nn import Parameter


@pytest.mark.parametrize("bits", [1, 2, 3])
def test_it_obeys_the_laws_of_a_transform(laws, bits):
    laws(lambda latent: BinaryBases(bits))


def test_by_hand():
    """E|W| = 3 leaves 1, -1, 1, -1 of 4, 2, -2, -4: then E|R| = 1. The sums are -4, -2, 2, 4."""
    p = Parameter(np.array([4.0, 2.0, -2.0, -4.0]))
    assert greedy_scales(p.data, 2) == [3, 1]
    use_binary_bases(p, 2)
    assert p().data.tolist() == [4, 2, -2, -4]
    dy = np.arange(1.0, 5.0)
    p().backward(dy)
    assert p.grad.tolist() == [0, 0, 0, 0]  # STE: |W| > 1
    p.data /= 4
    p.grad = None
    p().backward(dy)
    assert p.grad.tolist() == dy.tolist()


def test_each_base_leaves_less_and_one_base_is_binary(rng):
    w = rng.standard_normal(5000)
    errors = []
    for bits in (1, 2, 3, 4):
        p = Parameter(w.copy())
        use_binary_bases(p, bits)
        assert len(np.unique(p().data)) == 2**bits
        errors.append(((w - p().data) ** 2).mean())
    assert all(more < 0.6 * less for less, more in itertools.pairwise(errors))
    one = Parameter(w.copy())
    one.values = Binary(np.nan)
    np.testing.assert_allclose(((w - one().data) ** 2).mean(), errors[0], rtol=1e-12)


def test_no_sum_is_nearer_than_the_one_that_is_taken(rng):
    W, levels = rng.standard_normal(50), np.array([-1.5, -0.25, 0.0, 0.7])
    codes = nearest_level(W, levels)
    assert (np.abs(W - levels[codes]) == np.abs(W[:, None] - levels).min(1)).all()
    assert nearest_level(np.array([-0.125, 0.35]), levels).tolist() == [1, 2]  # as near: the first


def test_scales_of_no_weights_and_what_is_refused():
    assert greedy_scales(np.zeros(0), 2) == [0, 0]
    with pytest.raises(ValueError, match="BinaryBases: bits: want an int from 1 to 4, got 5"):
        BinaryBases(5)
    with pytest.raises(ValueError, match="use_binary_bases: p: want finite numbers"):
        use_binary_bases(Parameter(np.array([np.inf])), 2)
    parts = BinaryBases(2).encode(np.ones(3, np.float32))
    for change, message in (
        ({"scale": np.ones(3, np.float32)}, r"BinaryBases: scale: want an array \(2,\)"),
        ({"bits": np.array(7)}, "BinaryBases: bits: want an int from 1 to 4"),
        ({"codes": np.array([4])}, "want codes from 0 to 3, got 4 to 4"),
    ):
        with pytest.raises(ValueError, match=message):
            BinaryBases.decode(parts | change)
