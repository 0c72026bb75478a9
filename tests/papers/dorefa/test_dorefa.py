"""lightnn/papers/dorefa on few images: the levels of weights and activations, and gradients that are rounded."""

import numba
import numpy as np
import pytest

from lightnn import Tensor, compress
from lightnn.papers import dorefa
from lightnn.papers.lab import low_bits

needs_compiler = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="training convolutions takes the compiler")


@pytest.mark.thorough
@needs_compiler
def test_each_way_has_its_bits_and_only_training_rounds_gradients(few_bits_run, images):
    result, network = few_bits_run(dorefa)
    x = Tensor(images.x_test[:20])
    for (W, A, _), name in zip(dorefa.experiment.BITS, dorefa.WAYS, strict=True):
        net = network(name).eval()
        assert all(len(np.unique(getattr(net, path).weight().data)) <= 2**W for path in low_bits.INNER)
        assert net.conv1.weight.values is None and net.fc2.weight.values is None
        codes = net.relu1(net.bn1(net.conv1(x))).data * (2**A - 1)
        np.testing.assert_allclose(codes, np.rint(codes), atol=1e-5)
        assert not any(isinstance(m, compress.GradientQuantizer) for m in net.modules())
    weights = [network(name).fc1.weight.data for name in ("W1 A2 G32", "W1 A2 G6")]
    assert (weights[0] != weights[1]).any()
    assert max(map(len, dorefa.format_tables(result).splitlines())) <= 80
