"""lightnn/papers/lsq on few images: the bits of each layer and of what it reads."""

import numba
import pytest

from lightnn import nn
from lightnn.papers import lsq

needs_compiler = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="training convolutions takes the compiler")


@pytest.mark.thorough
@needs_compiler
def test_the_ends_have_8_bits_and_the_inner_layers_those_of_the_way(few_bits_run):
    result, network = few_bits_run(lsq)
    for bits, name in zip(lsq.experiment.BITS, lsq.WAYS, strict=True):
        net = network(name)
        layers = [net.conv1[1], net.conv2, net.fc1, net.fc2]
        inputs = [net.conv1[0], net.relu1, net.relu2, net.relu3]
        assert [layer.weight.values.bits for layer in layers] == [8, bits, bits, 8]
        assert all(isinstance(m, nn.LSQActivation) for m in inputs)
        assert [m.bits for m in inputs] == [8, bits, bits, 8] and not any(m.signed for m in inputs)
    assert max(map(len, lsq.format_tables(result).splitlines())) <= 80
