"""lightnn/models/scaling.py: the rule; its values are graded in tests/exercises/ch13.py."""

import pytest

from lightnn.models.efficient import EFFICIENTNET_SCALES
from lightnn.models.scaling import compound_scale, macs_factor


def test_macs_grow_by_the_same_factor_with_each_step_of_phi():
    one = macs_factor(*compound_scale(1))
    assert one == pytest.approx(1.92027)
    for phi in (-1, 0, 0.5, 3, 7):
        assert macs_factor(*compound_scale(phi)) == pytest.approx(one**phi)


def test_the_released_networks_are_not_exactly_the_rule():
    b2 = EFFICIENTNET_SCALES["b2"]
    d, w, r = compound_scale(1)
    assert (b2.depth_mult, b2.width_mult) == (d, w) and b2.size / 224 == pytest.approx(r, rel=0.01)
    assert EFFICIENTNET_SCALES["b7"].depth_mult < compound_scale(7)[0]
