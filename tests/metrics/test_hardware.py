"""lightnn/metrics: roofline.py, systolic.py and eie.py against loops and their formulas."""

import itertools

import numpy as np
import pytest

from lightnn import metrics


def test_one_row_makes_half_a_flop_of_each_byte():
    assert metrics.product_intensity(1, 4096, 4096) == pytest.approx(0.5, rel=1e-3)
    assert metrics.product_intensity(1, 4096, 4096, w_bytes=1) == pytest.approx(2.0, rel=5e-3)
    assert metrics.product_intensity(2, 3, 4, 1, 2, 8) == 2 * 24 / (6 + 24 + 64)


def test_the_roof_and_its_ridge():
    assert metrics.attainable(100, 10, 3) == 30 and metrics.attainable(100, 10, 10) == metrics.attainable(100, 10, 50)


def test_amdahl():
    assert metrics.amdahl(0.5, 2) == pytest.approx(4 / 3) and metrics.amdahl(0, 9) == 1 and metrics.amdahl(1, 9) == 9


SHAPES = [(1, 1, 1), (5, 7, 3), (3, 4, 4), (6, 2, 9)]


@pytest.mark.parametrize(("shape", "array"), list(itertools.product(SHAPES, [(1, 1), (4, 2), (2, 3), (8, 8)])))
def test_simulated_arrays_give_the_product_in_the_formulas_cycles(shape, array):
    (m, k, n), rng = shape, np.random.default_rng(0)
    x, w = rng.standard_normal((m, k)), rng.standard_normal((k, n))
    y, cycles = metrics.simulate_systolic(x, w, *array)
    np.testing.assert_allclose(y, x @ w)
    assert cycles == metrics.systolic_cycles(*shape, *array)
    y, cycles = metrics.simulate_output_stationary(x, w, *array)
    np.testing.assert_allclose(y, x @ w)
    assert cycles == metrics.output_stationary_cycles(*shape, *array)


def test_a_long_dense_product_fills_the_array_and_a_depthwise_layer_does_not():
    dense = metrics.utilisation(10_000, 64, 64, metrics.systolic_cycles(10_000, 64, 64, 16, 16), 16, 16)
    depthwise = metrics.utilisation(10_000, 9, 1, metrics.systolic_cycles(10_000, 9, 1, 16, 16), 16, 16)
    assert dense > 0.99 and depthwise == pytest.approx(9 / 256, rel=0.01)


def test_eie_by_hand_and_by_loop():
    w = np.array([[1, 0, 2], [0, 0, 3], [4, 5, 0], [0, 6, 7]])
    assert metrics.eie_cycles(w, np.array([1, 0, 1]), 2) == (3, 4)  # work of rows 0, 2: 2 and 1; of 1, 3: 0 and 2
    rng = np.random.default_rng(0)
    for processors in (1, 3, 8):
        w, x = rng.random((20, 30)) * (rng.random((20, 30)) < 0.2), rng.random(30) * (rng.random(30) < 0.4)
        work = [
            [sum(w[i, j] != 0 for i in range(p, 20, processors)) for j in range(30) if x[j]] for p in range(processors)
        ]
        want = max(map(sum, work)), sum(max(column) for column in zip(*work))
        assert metrics.eie_cycles(w, x, processors) == want
    assert metrics.eie_cycles(w, 0 * x, 4) == (0, 0) and metrics.dense_cycles(w, 8) == 3 * 30
