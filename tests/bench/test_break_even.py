"""lightnn/bench/break_even.py: formulas against the bytes that the formats really take, and the table's width."""

import math

import numpy as np
import pytest

from lightnn import compress, io, nn
from lightnn.bench import break_even, look_up
from lightnn.io import huffman


@pytest.mark.parametrize(("k", "want"), [(2, 3), (16, 19), (256, 342)])
def test_a_codebook_pays_from_the_first_number_that_is_smaller(k, want):
    def smaller(n):
        return math.log2(k) * n + 32 * k < 32 * n

    assert break_even.weights_from(math.log2(k), 32 * k) == want
    assert smaller(want) and not smaller(want - 1)


def test_huffmans_table_costs_five_bits_a_symbol():
    """1/2, 1/4, 1/8, 1/8: 1.75 bits instead of 2, so 20 bits of a table are paid by more than 80 codes."""
    assert break_even.huffman_from([4, 2, 1, 1]) == 81
    assert break_even.huffman_from([1] * 16) == 0
    n = break_even.huffman_from(break_even.bell(16))
    for size, pays in ((n // 2, False), (2 * n, True)):
        counts = np.maximum(np.round(size * break_even.bell(16) / break_even.bell(16).sum()), 1).astype(int)
        assert (huffman.coded_bytes(counts) < counts.sum() * 4 / 8) == pays


@pytest.mark.parametrize("density", [0.02, 0.1, 0.5, 0.9])
def test_an_index_takes_what_the_formula_says(density, tmp_path):
    """In a file of 40,000 weights, within 5 %."""
    net = nn.Sequential(nn.Linear(200, 200, bias=False, rng=0))
    compress.prune_to_fraction(net[0].weight, density)
    io.save(net, tmp_path / "a.lnn")
    stored = io.inspect(tmp_path / "a.lnn").bytes_by_part()
    index = sum(size for part, size in stored.items() if part in ("mask", "Huffman table"))
    assert 8 * index / 40_000 == pytest.approx(break_even.index_bits(density), rel=0.05)


@pytest.mark.parametrize(("bits", "low", "high"), [(32, 0.95, 0.98), (8, 0.8, 0.9), (4, 0.65, 0.8), (1, 0.2, 0.3)])
def test_more_bits_a_weight_pay_for_an_index_earlier(bits, low, high):
    p = break_even.sparse_below(bits)
    assert low < p < high
    assert bits * 0.99 * p + break_even.index_bits(0.99 * p) < bits


def test_tables_pay_from_some_outputs_on():
    n = break_even.tables_from(256, 4)
    shape = (look_up.CACHE_BYTES * 4, 256, 4)
    assert look_up.costs(n, *shape)["predicted"] > 1 >= look_up.costs(n - 1, *shape)["predicted"]
    assert break_even.tables_from(256, 2) == 0  # two entries a cycle are as slow as reading the weights


@pytest.mark.parametrize(("seconds", "before", "after", "want"), [(10, 3, 1, 5000), (10, 1, 1, math.inf)])
def test_training_is_paid_by_images(seconds, before, after, want):
    assert break_even.images_until_paid(seconds, before, after) == want


def test_the_table_has_every_saving_and_fits_the_screen():
    text = break_even.format_table()
    assert max(map(len, text.splitlines())) <= 80
    assert [saves for saves, _ in break_even.points()] == ["bytes on disk", "bytes held to run", "milliseconds"]
    assert "from 19 weights on" in text and "below 50% kept" in text
