"""lightnn/nn/binary.py: layers with activations of one bit."""

import numpy as np
import pytest

from lightnn import Tensor, nn
from lightnn import functional as F
from lightnn.compress import use_binary_filters


def test_signs_are_layers(rng):
    x = rng.standard_normal((2, 3))
    for layer, op in ((nn.Sign(), F.sign), (nn.ApproxSign(), F.approx_sign)):
        np.testing.assert_array_equal(layer(x).data, op(x).data)


@pytest.mark.parametrize("bias", [True, False])
def test_a_scaled_convolution_of_signs_is_its_equation(rng, bias):
    layer = nn.XnorConv2d(3, 4, (2, 3), stride=(1, 2), padding=(1, 0), bias=bias, rng=0)
    values = use_binary_filters(layer.weight)
    x = rng.standard_normal((2, 3, 5, 6)).astype(np.float32)
    alpha, B = values.scale_of(layer.weight), np.where(layer.weight.data >= 0, 1, -1).astype(np.float32)
    product = F.conv2d(np.where(x >= 0, 1, -1).astype(np.float32), B, stride=(1, 2), padding=(1, 0)).data
    K = F.input_scale(x, kernel_size=(2, 3), stride=(1, 2), padding=(1, 0)).data
    want = product * alpha[:, None, None] * K + (layer.bias.data[:, None, None] if bias else 0)
    np.testing.assert_allclose(layer(x).data, want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("bias", [True, False])
def test_a_scaled_product_of_signs_is_its_equation(rng, bias):
    layer = nn.XnorLinear(5, 4, bias=bias, rng=0)
    x = rng.standard_normal((3, 5)).astype(np.float32)
    signs, w = np.where(x >= 0, 1, -1), layer.weight.data
    want = signs @ w.T * np.abs(x).mean(1, keepdims=True) + (layer.bias.data if bias else 0)
    np.testing.assert_allclose(layer(x).data, want, rtol=1e-5, atol=1e-6)
    again = nn.XnorConv2d(5, 4, 1, bias=bias, rng=0)
    again.weight.data, again.bias = w[:, :, None, None], layer.bias
    np.testing.assert_allclose(again(x[:, :, None, None]).data[:, :, 0, 0], layer(x).data, rtol=1e-5, atol=1e-6)


def test_all_that_a_scaled_layer_has_gets_a_gradient(rng):
    for layer, shape in ((nn.XnorConv2d(2, 3, 2, rng=0), (2, 2, 4, 4)), (nn.XnorLinear(6, 3, rng=0), (2, 6))):
        x = Tensor(rng.standard_normal(shape).astype(np.float32), requires_grad=True)
        layer(x).sum().backward()
        assert x.grad.any() and layer.weight.grad.any() and layer.bias.grad.any()


def test_pooling_signs_loses_what_pooling_before_them_keeps(rng):
    """Why the block order is batch norm, sign, layer, pooling: of signs, nearly every window has a +1."""
    x = rng.standard_normal((8, 4, 12, 12)).astype(np.float32)
    after = F.sign(F.batch_norm(F.max_pool2d(x, kernel_size=3), *norm(), training=True, **statistics())).data
    before = F.max_pool2d(F.sign(x), kernel_size=3).data
    assert abs(after.mean()) < 0.2 and before.mean() > 0.99


def norm():
    return np.ones(4, np.float32), np.zeros(4, np.float32)


def statistics():
    return {"running_mean": np.zeros(4, np.float32), "running_var": np.ones(4, np.float32)}
