"""lightnn/models/binary.py: the networks of the papers on one bit."""

import numpy as np
import pytest

from lightnn import Tensor, metrics, models, nn
from lightnn import functional as F


@pytest.mark.parametrize(
    ("make", "activation", "weights"),
    [(models.binaryconnect_mlp, nn.ReLU, 2_910_208), (models.bnn_mlp, nn.Sign, 10_014_720)],
)
def test_a_fully_connected_network_is_the_stack_that_it_says(make, activation, weights, rng):
    net, x = make(rng=0), rng.random((2, 1, 28, 28), np.float32)
    width = net.fc1.out_features
    assert weights == 784 * width + 2 * width**2 + 10 * width
    assert sum(layer.weight.size for layer in (net.fc1, net.fc2, net.fc3, net.fc4)) == weights
    blocks = [[getattr(net, f"{name}{i}") for name in ("fc", "bn", "act")] for i in (1, 2, 3)]
    assert all(type(block[2]) is activation for block in blocks)
    net.eval()
    stack = nn.Sequential(nn.Flatten(), *[layer for block in blocks for layer in block], net.fc4, net.bn4)
    np.testing.assert_array_equal(net(x).data, stack(x).data)


def test_the_lenet_of_signs_has_the_papers_block_order(rng):
    """Batch norm, sign, layer, pooling; the first layer reads pixels, the last one ReLUs."""
    net, x = models.xnor_lenet5(rng=0), rng.random((2, 1, 28, 28), np.float32)
    assert sum(p.size for p in net.parameters()) == 582_634
    assert sum(getattr(net, name).weight.size for name in ("conv1", "conv2", "fc1", "fc2")) == 581_408
    first = [net.conv1, net.pool, net.bn1, net.act1, net.conv2, net.pool2, net.bn2, net.act2]
    stack = nn.Sequential(*first, net.flatten, net.fc1, net.bn3, net.act3, net.fc2)
    np.testing.assert_array_equal(net(x).data, stack(x).data)
    ops = [row.op for row in metrics.trace(net, (1, 1, 28, 28)) if row.op not in ("flatten",)]
    assert ops[2:6] == ["batch_norm", "sign", "conv2d", "max_pool2d"]
    F.cross_entropy(net.train()(Tensor(x)), np.array([3, 7])).backward()
    assert all(p.grad is not None for p in net.parameters())


def test_sizes_that_are_none_are_refused():
    for make in (models.binaryconnect_mlp, models.bnn_mlp, models.xnor_lenet5):
        assert make(3, 2, rng=0).eval()(np.zeros((1, 2, 28, 28), np.float32)).shape == (1, 3)
        with pytest.raises(ValueError, match=f"{make.__name__}: num_classes: want an int >= 1, got 0"):
            make(0)
