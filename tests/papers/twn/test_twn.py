"""lightnn/papers/twn on few images: all layers are ternary, and the table."""

import numba
import numpy as np
import pytest

from lightnn.papers import twn

needs_compiler = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="training convolutions takes the compiler")


@needs_compiler
def test_all_layers_are_ternary_and_the_threshold_is_the_one_of_the_way(few_bits_run):
    result, network = few_bits_run(twn)
    assert list(result["ways"]) == ["float control", *twn.WAYS]
    for name, factor in zip(twn.WAYS, (0.7, 0.75), strict=True):
        for path in twn.experiment.LAYERS:
            weight = getattr(network(name), path).weight
            alpha = np.abs(weight().data).max()
            assert set(np.unique(weight().data)) <= {-alpha, 0, alpha} and weight.values.factor[0] == factor
            assert (weight().data != 0).any()
    text = twn.format_tables(result)
    assert max(map(len, text.splitlines())) <= 80 and "99.35" in text and ">= 99.2" in text
