"""lightnn/papers/ttq on few images: which layers are ternary, and that both values are learned."""

import numba
import numpy as np
import pytest

from lightnn.papers import ttq

needs_compiler = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="training convolutions takes the compiler")


@needs_compiler
def test_the_inner_layers_are_ternary_and_their_values_are_learned(few_bits_run):
    result, network = few_bits_run(ttq)
    reference, (learned, measured) = network("reference"), (network(name) for name in ttq.WAYS)
    for path in ("conv2", "fc1"):
        assert all(len(np.unique(getattr(net, path).weight().data)) == 3 for net in (learned, measured))
        began = getattr(ttq.WAYS["TTQ, t = 0.05"].quantize(reference, None), path).weight.values
        assert (getattr(learned, path).weight.values.scale.data != began.scale.data).all()
    assert learned.conv1.weight.values is None and learned.fc2.weight.values is None
    assert max(map(len, ttq.format_tables(result).splitlines())) <= 80
