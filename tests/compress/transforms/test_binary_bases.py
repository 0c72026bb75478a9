"""lightnn/compress/transforms/binary_bases.py: sums of binary weights."""

import numpy as np
import pytest

from lightnn.compress import BinaryBases, use_binary_bases
from lightnn.compress.transforms.binary_bases import greedy_scales
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
