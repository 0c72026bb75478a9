"""lightnn/compress/transforms/affine.py: evenly spaced weights, w = S (q - Z)."""

import numpy as np
import pytest

from lightnn.compress import use_affine
from lightnn.nn import Parameter


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize(("per_channel", "symmetric"), [(True, True), (False, True), (True, False), (False, False)])
def test_it_obeys_the_laws_of_a_transform(laws, bits, per_channel, symmetric):
    laws(lambda latent: use_affine(Parameter(latent), bits, per_channel, symmetric))


def test_by_hand():
    p = Parameter(np.array([[127.0, -3.4, 0.5], [-254.0, 2.9, 0.0]], np.float32))
    assert use_affine(p).scale.tolist() == [1, 2]
    assert p().data.tolist() == [[127, -3, 0], [-254, 2, 0]]
    assert use_affine(p, 8, per_channel=False, symmetric=False).zero_point.tolist() == [170]


def test_weights_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match=r"use_affine: p: want finite numbers, got 1 of 2"):
        use_affine(Parameter(np.array([1.0, np.nan])))
