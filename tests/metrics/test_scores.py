"""lightnn/metrics/scores.py: regression values, units, and what rankings say."""

import itertools
import math

import numpy as np
import pytest

from lightnn.metrics import information_density, netscore, pareto, rank_agreement

KNOWN = {  # accuracy in %, millions of parameters, billions of MACs, D, Omega: torchvision's accuracies, our counts
    "alexnet": (56.522, 61.1008, 0.7142, 0.925, 53.690),
    "resnet18": (69.758, 11.6895, 1.8141, 5.968, 60.479),
    "squeezenet1_0": (58.092, 1.2484, 0.8189, 46.532, 70.469),
    "squeezenet1_1": (58.178, 1.2355, 0.3492, 47.089, 74.241),
    "mobilenet_v2": (71.878, 3.5049, 0.3008, 20.508, 74.034),
    "mobilenet_v1": (70.700, 4.2320, 0.5687, 16.706, 70.163),
    "shufflenet_v2_x1_5": (72.996, 3.5036, 0.2958, 20.834, 74.377),
    "shufflenet_v2_x1_0": (69.400, 2.2786, 0.1449, 30.457, 78.467),
}


@pytest.mark.parametrize("name", KNOWN)
def test_density_and_netscore_of_known_networks(name):
    a, p, m, D, omega = KNOWN[name]
    assert information_density(accuracy=a, params=1e6 * p) == pytest.approx(D, abs=2e-3)
    assert netscore(accuracy=a, params=1e6 * p, macs=1e9 * m) == pytest.approx(omega, abs=3e-3)


def test_netscore_by_hand_and_its_exponents():
    assert netscore(accuracy=100, params=1e6, macs=1e9) == pytest.approx(80)
    assert netscore(accuracy=100, params=1e8, macs=1e9) == pytest.approx(80 - 20)
    assert netscore(accuracy=10, params=1e6, macs=1e9, alpha=1) == pytest.approx(20)
    assert netscore(accuracy=10, params=1e7, macs=1e6, beta=0, gamma=1) == pytest.approx(40 + 60)


@pytest.mark.parametrize("wrong", [{"accuracy": 0}, {"accuracy": 101}, {"params": 0}, {"macs": math.inf}, {"beta": -1}])
def test_what_netscore_refuses(wrong):
    with pytest.raises(ValueError, match=rf"netscore: {next(iter(wrong))}: want .*, got"):
        netscore(**{"accuracy": 50, "params": 1, "macs": 1} | wrong)


def test_the_pareto_front_is_the_definition():
    rng = np.random.default_rng(0)
    for n, k in itertools.product((1, 5, 30), (1, 2, 3)):
        c = rng.integers(0, 5, (n, k))
        beaten = [any((c[j] <= c[i]).all() and (c[j] < c[i]).any() for j in range(n)) for i in range(n)]
        assert pareto(c).tolist() == [i for i in range(n) if not beaten[i]]
    assert pareto(np.zeros((0, 2))).size == 0
    with pytest.raises(ValueError, match="pareto: want numbers"):
        pareto([[1.0, np.nan]])


def test_rank_agreement_by_hand():
    assert rank_agreement([1, 2, 3], [10, 20, 30]) == 1 and rank_agreement([1, 2, 3], [3, 2, 1]) == -1
    assert rank_agreement([1, 2, 3, 4], [1, 3, 2, 4]) == pytest.approx((5 - 1) / 6)
    assert rank_agreement([1, 1, 2], [1, 2, 3]) == pytest.approx(2 / math.sqrt(2 * 3))
    with pytest.raises(ValueError, match="different numbers"):
        rank_agreement([1, 1], [1, 2])
