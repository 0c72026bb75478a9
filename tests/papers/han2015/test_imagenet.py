"""lightnn/papers/han2015/imagenet.py: the paper's tables 4 and 5 agree with themselves."""

import numpy as np
import pytest

from lightnn.papers.han2015 import imagenet

PRINTED = {  # the columns Weights and FLOP of the paper, in millions
    "AlexNet": ([0.035, 0.307, 0.885, 0.663, 0.442, 38, 17, 4], [211, 448, 299, 224, 150, 75, 34, 8]),
    "VGG-16": (
        [0.002, 0.037, 0.074, 0.148, 0.295, 0.59, 0.59, 1, 2, 2, 2, 2, 2, 103, 17, 4],
        [200, 3700, 1800, 3700, 1800, 3700, 3700, 1800, 3700, 3700, 925, 925, 925, 206, 34, 8],
    ),
}


@pytest.mark.parametrize("network", imagenet.NETWORKS)
def test_the_shapes_give_the_papers_weights_and_flop(network):
    rows, (weights, flop) = imagenet.NETWORKS[network].values(), PRINTED[network]
    np.testing.assert_allclose([row.weights / 1e6 for row in rows], weights, rtol=0.21, atol=0.0005)
    np.testing.assert_allclose([2 * row.weights * row.positions / 1e6 for row in rows], flop, rtol=0.14)


@pytest.mark.parametrize("network", imagenet.NETWORKS)
def test_the_papers_percentages_follow_from_each_other(network):
    rows, total = list(imagenet.NETWORKS[network].values()), imagenet.count(network)
    active = [100, *(row.active for row in rows[:-1])]
    np.testing.assert_allclose([row.kept * a / 100 for row, a in zip(rows, active)], [row.flop for row in rows], atol=1)
    kept, flop = imagenet.TOTALS[network]
    assert 100 * total.weights_left / total.weights == pytest.approx(kept, abs=0.3)
    assert 100 * total.flop_left / total.flop == pytest.approx(flop, abs=1.1)
    assert round(total.rate) == imagenet.TABLE_1[network][-1]


def test_the_layers_add_up():
    for network in imagenet.NETWORKS:
        parts = imagenet.count(network, "conv"), imagenet.count(network, "fc")
        assert np.sum(parts, axis=0) == pytest.approx(imagenet.count(network))


def test_a_table_has_a_line_for_each_layer():
    lines = imagenet.format_network("VGG-16").splitlines()
    assert len(lines) == 1 + 16 + 1 and max(map(len, lines)) <= 80
    assert lines[14].split() == ["fc6", "102,760,448", "205.5", "38", "4", "1", "0.8", "4,110,418"]
