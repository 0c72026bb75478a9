"""lightnn/models/families.py and shift.py: small networks of all families, ShiftNet's counts, DeepLab's strides."""

import numpy as np
import pytest

from lightnn import Tensor, compress, io, metrics, models
from lightnn.models.segmentation import stages


@pytest.mark.compiled
@pytest.mark.thorough
@pytest.mark.parametrize("family", models.SMALL_FAMILIES)
def test_every_family_trains_saves_folds_and_becomes_integers(family, rng):
    net = models.small(family, rng=0)
    x = rng.random((4, 1, 28, 28), np.float32)
    net.train()(Tensor(x)).sum().backward()
    assert all(p.grad is not None and np.isfinite(p.grad).all() for p in net.parameters())
    again = io.from_bytes(io.to_bytes(net.eval()))
    y = net(Tensor(x)).data
    np.testing.assert_array_equal(again(Tensor(x)).data, y)
    integer = compress.quantize(net, x)(Tensor(x)).data
    assert integer.shape == y.shape == (4, 10) and np.abs(integer - y).max() <= 0.2 * np.abs(y).max()


def test_widths_come_in_steps_of_16():
    counts = [metrics.count_parameters(models.small("resnet", w, rng=0)) for w in (0.3, 1.0, 1.2, 2.0)]
    assert counts[1] == 174_970 and counts == sorted(counts) and counts[0] < counts[1] < counts[3]


def test_shiftnet_counts():
    """4.1 and 1.1 million in the paper; C is not checked against its table."""
    made = models.shiftnet_a(), models.shiftnet_b(), models.shiftnet_c()
    assert [metrics.count_parameters(net) for net in made] == [4_188_680, 1_183_480, 693_720]


def test_a_csc_module_with_stride_puts_means_beside_new_channels(rng):
    module = models.shift.CSC(4, 10, 2, 2, 3, 0).eval()
    x = rng.random((1, 4, 6, 6), np.float32)
    y = module(Tensor(x)).data
    assert y.shape == (1, 10, 3, 3)
    np.testing.assert_array_equal(y[:, 6:], module.pool(Tensor(x)).data)


@pytest.mark.parametrize(
    ("call", "want"),
    [
        (lambda: models.shiftnet((4, 8, 8, 16)), "shiftnet: widths: want four widths"),
        (lambda: models.shiftnet(first=(1, 2)), "shiftnet: first: want four ints"),
        (lambda: models.small("lenet"), "small: family: want alexnet or vgg"),
        (lambda: models.deeplab(output_stride=7), "deeplab: output_stride: want 4, 8, 16 or 32, got 7"),
    ],
)
def test_a_wrong_option_is_named(call, want):
    with pytest.raises(ValueError, match=want):
        call()


def test_dilation_takes_the_place_of_stride():
    assert stages(8) == [(1, (1, 1)), (2, (1, 1)), (1, (1, 2)), (1, (2, 4))]
    assert stages(32) == [(1, (1, 1)), (2, (1, 1)), (2, (1, 1)), (2, (1, 1))]
    assert stages(4)[1:] == [(1, (1, 2)), (1, (2, 4)), (1, (4, 8))]
    assert stages(8, dilated=False)[2:] == [(1, (1, 1)), (1, (1, 1))]
