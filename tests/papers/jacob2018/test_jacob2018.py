"""lightnn/papers/jacob2018 on few images: bits, scales that follow the weights, the formula, and the integers."""

import numba
import numpy as np
import pytest

from lightnn import models
from lightnn.compress.quantization.post_training import layers_with_weights
from lightnn.papers import jacob2018
from lightnn.papers.jacob2018.sizes import code_bytes, other_bytes

needs_compiler = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="training convolutions takes the compiler")


@pytest.fixture(scope="module")
def run(few_bits_run):
    return few_bits_run(jacob2018)


@pytest.mark.thorough
@needs_compiler
def test_scales_follow_the_weights_where_they_are_trained(run):
    result, network = run
    for name, way in jacob2018.WAYS.items():
        bits, per_channel = int(way.weights), "tensor" not in name
        for layer in layers_with_weights(network(name)).values():
            w = layer.weight.data.reshape(len(layer.weight.data), -1)
            want = np.abs(w).max(1) if per_channel else np.abs(w).max(keepdims=True)[0]
            np.testing.assert_allclose(layer.weight.values.scale, want / (2 ** (bits - 1) - 1), rtol=1e-6)
            assert len(layer.weight.values.scale) == (len(w) if per_channel else 1)
        assert result["ways"][name]["trained"] == name.startswith("trained")
    assert max(map(len, jacob2018.format_tables(result).splitlines())) <= 80


@needs_compiler
def test_what_is_trained_has_moved_and_what_is_rounded_has_not(run):
    _, network = run
    weights = [layers_with_weights(network(name)) for name in jacob2018.WAYS]
    np.testing.assert_array_equal(weights[0]["fc1"].weight.data, weights[1]["fc1"].weight.data)
    assert (weights[1]["fc1"].weight.data != weights[2]["fc1"].weight.data).any()


@needs_compiler
def test_the_file_and_the_integers_of_a_way(run):
    result, _ = run
    for name in jacob2018.WAYS:
        row = result["ways"][name]
        assert row["bytes"] <= row["packed bytes"] == pytest.approx(row["formula bytes"], rel=0.05)
        assert row["other classes"] <= 10 and abs(row["test accuracy % in integers"] - row["test accuracy %"]) <= 5


@needs_compiler
@pytest.mark.parametrize("bits", [8, 4])
def test_the_formula_counts_the_bits_of_the_paper_network(bits):
    x = np.random.default_rng(0).random((4, 1, 28, 28), dtype=np.float32)
    network = jacob2018.experiment.quantized(models.twn_lenet5(rng=0), x, bits)
    assert code_bytes(network) == 581_408 * bits // 8
    channels, ranges = 32 + 64 + 512 + 10, 5
    assert other_bytes(network) == 8 * channels + 13 * ranges
