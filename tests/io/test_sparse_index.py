"""lightnn/io/sparse_index.py: steps from one kept weight to the next, with filler zeros."""

import numpy as np
import pytest

from lightnn.io import FormatError
from lightnn.io.sparse_index import absolute, count_fillers, relative


def test_figure_2_of_deep_compression():
    """Weights at 1, 4 and 15 with 3 bits, which reach 8: from 4 to 15 a filler stands at 12.

    The steps are 2 (from -1), 3, 8 and 3; each is stored less one.
    """
    differences, is_filler = relative([1, 4, 15], 3)
    assert differences.tolist() == [1, 2, 7, 2]
    assert is_filler.tolist() == [False, False, True, False]
    assert absolute(differences, is_filler, 16).tolist() == [1, 4, 15]


@pytest.mark.parametrize("bits", [0, 1, 2, 5, 8, 10])
@pytest.mark.parametrize("density", [0, 0.003, 0.08, 0.5, 1])
def test_absolute_inverts_relative(rng, density, bits):
    for size in (0, 1, 7, 3000):
        positions = np.flatnonzero(rng.random(size) < density)
        differences, is_filler = relative(positions, bits)
        np.testing.assert_array_equal(absolute(differences, is_filler, size), positions)
        assert len(differences) == len(is_filler) == len(positions) + count_fillers(positions, bits) <= size
        assert is_filler.sum() == count_fillers(positions, bits)
        assert ((differences >= 0) & (differences < 2**bits)).all()
        assert (differences[is_filler] == 2**bits - 1).all()


@pytest.mark.parametrize(("gap", "fillers"), [(1, 0), (8, 0), (9, 1), (16, 1), (17, 2), (80, 9)])
def test_a_filler_is_needed_only_beyond_the_reach(gap, fillers):
    for positions in ([gap - 1], [3, 3 + gap]):
        assert count_fillers(positions, 3) == relative(positions, 3)[1].sum() == fillers


def test_the_papers_8_percent_with_5_bits_needs_a_filler_for_7_percent_of_its_weights(rng):
    """A gap of random positions is longer than 32 n with probability .92^(32 n)."""
    positions = np.flatnonzero(rng.random(1_000_000) < 0.08)
    expected = sum(0.92 ** (32 * n) for n in range(1, 100))
    assert count_fillers(positions, 5) / len(positions) == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("positions", [[3, 3], [3, 2], [-1, 4]])
def test_positions_must_ascend(positions):
    with pytest.raises(ValueError, match="want ascending positions >= 0"):
        relative(positions, 3)


def test_a_step_out_of_the_array_is_refused():
    differences, is_filler = relative([1, 4, 15], 3)
    with pytest.raises(FormatError, match="points at element 15 of 15"):
        absolute(differences, is_filler, 15)
