"""Signs as a lowered network passes them on."""

import numpy as np
import pytest

from lightnn import functional as F
from lightnn import nn
from lightnn.kernels.binary.words import pack_planes
from lightnn.runtime import PackSigns, SignTensor, lower
from lightnn.tensor import Tensor


@pytest.mark.parametrize("layer", [nn.Sign(), nn.ApproxSign()], ids=repr)
@pytest.mark.parametrize("shape", [(3, 5), (2, 70), (2, 5, 3, 4), (2, 65, 7), (0, 5)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_lowered_sign_gives_the_same_numbers(layer, shape, dtype, rng):
    x = Tensor(rng.integers(-1, 2, shape).astype(dtype))
    y = lower(layer)(x)
    assert isinstance(y, SignTensor) and (y.shape, y.dtype, y.ndim) == (shape, dtype, len(shape))
    assert y.data.dtype == dtype and y.size == x.size
    np.testing.assert_array_equal(y.data, layer(x).data)
    np.testing.assert_array_equal(F.relu(y).data, layer(x).data > 0)


def test_shapes_without_channels_are_signs_as_they_were():
    for x in (np.float32([1, -2, 0]), np.zeros((3, 0), np.float32)):
        np.testing.assert_array_equal(lower(nn.Sign())(Tensor(x)).data, F.sign(Tensor(x)).data)


def test_a_sign_tensor_makes_its_numbers_once(rng):
    x = rng.standard_normal((2, 9, 4), np.float32)
    y = SignTensor(pack_planes(x), 9)
    assert y.data is y.data and not y.requires_grad and y.detach().data is y.data
    np.testing.assert_array_equal(y.numpy(), np.where(x >= 0, 1, -1))
    np.testing.assert_array_equal((y + 1).data, np.where(x >= 0, 2, 0))


def test_thresholds_by_channel():
    layer = PackSigns.of_thresholds(np.float32([1, -1, 0]), np.array([False, True, False])).eval()
    x = Tensor(np.float32([[1, -1, 0], [0.5, -1.5, -0.0]]))
    assert layer(x).data.tolist() == [[1, -1, 1], [-1, 1, 1]]
    assert {name: a.nbytes for name, a in layer.stored().items()} == {"thresholds": 12, "flips": 8}
    with pytest.raises(ValueError, match=r"PackSigns: want x \(N, 3, \.\.\.\); got x \(2, 4\)"):
        layer(Tensor(np.zeros((2, 4), np.float32)))
    with pytest.raises(TypeError, match="PackSigns: want floating-point arrays of one dtype, got x int64"):
        lower(nn.Sign())(Tensor(np.zeros((2, 4), np.int64)))


@pytest.mark.parametrize(
    "pool", [nn.MaxPool2d(2), nn.MaxPool2d(3, 2, 1), nn.MaxPool2d((1, 3), ceil_mode=True)], ids=repr
)
def test_thresholds_first_then_pooling(pool, rng):
    """max s >= T where one s >= T, whichever way the sign goes afterwards."""
    least, flip = rng.standard_normal(70).astype(np.float32), rng.random(70) < 0.5
    x = Tensor(rng.standard_normal((2, 70, 7, 9), np.float32))
    options = {name: getattr(pool, name) for name in ("kernel_size", "stride", "padding", "ceil_mode")}
    bits = PackSigns.of_thresholds(least, flip, options).eval()
    want = (pool(x).data >= least[:, None, None]) ^ flip[:, None, None]
    np.testing.assert_array_equal(bits(x).data, np.where(want, 1, -1))
    assert repr(bits) == "PackSigns(70 thresholds, max pooling)"
