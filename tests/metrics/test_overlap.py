"""lightnn/metrics/overlap.py and formulas.py: by hand, and against a run."""

import numpy as np
import pytest

from lightnn import metrics, models
from lightnn.models.resnet import Bottleneck


def test_confusion_counts_rows_by_label_and_columns_by_what_was_said():
    predicted, labels = np.array([[0, 1], [1, 2]]), np.array([[0, 1], [0, 2]])
    n = metrics.confusion(predicted, labels, 4)
    assert n.tolist() == [[1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    assert metrics.mean_iou(n) == pytest.approx((1 / 2 + 1 / 2 + 1) / 3)


@pytest.mark.parametrize(
    ("predicted", "labels", "want"),
    [
        (np.array([0]), np.array([0, 1]), "two arrays of ints of one shape"),
        (np.array([0.0]), np.array([0]), "two arrays of ints of one shape"),
        (np.array([3]), np.array([0]), "classes from 0 to 2, got 3 to 3"),
        (np.array([0]), np.array([-1]), "classes from 0 to 2, got -1 to -1"),
    ],
)
def test_confusion_refuses_what_is_no_class(predicted, labels, want):
    with pytest.raises(ValueError, match=f"confusion: want {want}"):
        metrics.confusion(predicted, labels, 3)


@pytest.mark.parametrize(("c", "width", "size", "stride"), [(8, 2, 6, 1), (6, 2, 7, 2), (6, 3, 5, 1)])
def test_a_bottleneck_costs_what_a_run_counts(c, width, size, stride):
    block = Bottleneck(c, width, stride, 1, 0)
    assert metrics.bottleneck_macs(c, width, size, stride) == metrics.count_macs(block, (1, c, size, size))


def test_dense_layers_read_what_the_network_says():
    reads = metrics.dense_channels(8, 4, (2, 3))
    features = models.densenet((2, 3), 4, 8, rng=0).features
    blocks = [features.denseblock1, features.denseblock2]
    assert reads == [[layer.norm1.num_features for _, layer in block.members()] for block in blocks]


def test_a_residual_block_is_the_librarys_with_batch_norm_that_does_nothing(rng):
    from lightnn import Tensor
    from lightnn.functional import plain
    from lightnn.models.resnet import BasicBlock

    block = BasicBlock(3, 6, 2, False, 0).eval()
    for norm in (block.bn1, block.bn2):
        norm.running_var[:] = 1 - norm.eps
    x = rng.standard_normal((2, 3, 6, 6)).astype("f")
    want = plain.residual_block(x, block.conv1.weight.data, block.conv2.weight.data, 2)
    np.testing.assert_allclose(block(Tensor(x)).data, want, rtol=1e-4, atol=1e-5)
