"""lightnn/papers/lab/spread.py."""

from lightnn.papers.lab.spread import cell


def test_several_seeds_are_a_mean_and_half_their_range_and_one_is_itself():
    assert cell([80.0, 82.0]) == "81.00 (1.00)" and cell([80.0]) == "80.00"
