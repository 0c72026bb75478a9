"""lightnn/metrics/counting.py: Han's tables, zeros, and what is held at once."""

import numpy as np
import pytest

from lightnn import compress, models, nn
from lightnn.metrics import flops_left, peak_activations, peak_bytes, sparse_macs


def test_flops_left_is_table_2_of_han2015():
    left, whole = flops_left([235_200, 30_000, 1_000], [0.08, 0.09, 0.26], [0.38, 0.65, 1.0])
    assert [round(100 * part) for part in left] == [8, 3, 17] and round(100 * whole) in (7, 8)


def test_flops_left_is_table_3_of_han2015():
    macs = [288_000, 1_600_000, 400_000, 5_000]
    left, whole = flops_left(macs, [0.66, 0.12, 0.08, 0.19], [0.82, 0.72, 0.55, 1.0])
    assert [round(100 * part) for part in left] == [66, 10, 6, 10] and round(100 * whole) == 16


def test_zero_weights_and_zero_inputs_are_seen():
    model = nn.Sequential(nn.Linear(4, 8, rng=0), nn.ReLU(), nn.Linear(8, 2, rng=0))
    compress.set_mask(model[0].weight, np.arange(32).reshape(8, 4) % 4 == 0)
    rows = sparse_macs(model, np.array([[1, 0, 2, 0]], np.float32))
    assert [(r.module, r.macs) for r in rows] == [("0", 32), ("2", 16)]
    assert rows[0][2:] == (0.25, 0.5) and rows[1].weights == 1 and 0 < rows[1].inputs <= 1


def test_peak_bytes_by_hand():
    assert peak_bytes([]) == 0 and peak_bytes([(5, 0, 0)]) == 5
    assert peak_bytes([(4, 0, 1), (8, 1, 2), (2, 2, 3)]) == 12
    assert peak_bytes([(4, 0, 3), (8, 1, 2), (8, 2, 3), (1, 4, 4)]) == 20


def test_a_shortcut_is_held_across_its_block():
    class Residual(nn.Module):
        def __init__(self):
            self.a, self.b = nn.Linear(10, 10, rng=0), nn.Linear(10, 10, rng=0)

        def forward(self, x):
            x = self.a(x)
            return x + self.b(self.b(x))

    chain = nn.Sequential(*[nn.Linear(10, 10, rng=0) for _ in range(4)])
    assert peak_activations(chain, (1, 10)) == 2 * 40
    assert peak_activations(Residual(), (1, 10)) == 3 * 40


def test_lenet5_holds_most_where_it_pools_first():
    conv, pooled = 20 * 24 * 24, 20 * 12 * 12
    assert peak_activations(models.lenet5(rng=0), (1, 1, 28, 28)) == pytest.approx(4 * (conv + pooled))
