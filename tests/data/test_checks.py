"""lightnn/data/checks.py: what passes, and the one error that each kind of bad input gives."""

import numpy as np
import pytest

from lightnn.data import check_images_labels


def good():
    return np.zeros((4, 1, 3, 3), np.float32), np.array([0, 1, 2, 9])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(4, 1, 3, 3), (4, 9)])
@pytest.mark.parametrize("label_dtype", [np.uint8, np.int32, np.int64])
def test_good_input_passes(dtype, shape, label_dtype):
    check_images_labels(np.ones(shape, dtype), np.array([0, 1, 2, 9], label_dtype), 10)
    check_images_labels(np.ones(shape, dtype), np.array([0, 1, 2, 99], label_dtype))


def test_large_finite_values_pass():
    x, y = good()
    x[:] = np.finfo(np.float32).max  # their sum is infinite
    check_images_labels(x, y, 10)


def with_value(index, value):
    x, _ = good()
    x[index] = value
    return x


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (
            good()[0].astype(np.uint8),
            r"want x a float32 or float64 array \(N, C, H, W\) or \(N, D\); got uint8 \(4, 1, 3, 3\)",
        ),
        (good()[0].astype(np.float16), r"got float16"),
        (good()[0][:, 0], r"got float32 \(4, 3, 3\)"),
        (good()[0].tolist(), "got list"),
        (good()[0][:0], r"want at least one image and one pixel in x; got float32 \(0, 1, 3, 3\)"),
        (good()[0][:, :0], "want at least one image and one pixel"),
        (
            with_value((2, 0, 1, 1), np.nan),
            r"want finite values in x; got nan at index \(2, 0, 1, 1\) \(1 such values\)",
        ),
        (with_value((slice(1, 3), 0, 0, 0), np.inf), r"got inf at index \(1, 0, 0, 0\) \(2 such values\)"),
        (with_value((0, 0, 0, slice(0, 2)), [np.inf, -np.inf]), r"got inf at index \(0, 0, 0, 0\) \(2 such"),
    ],
)
def test_bad_images(x, message):
    with pytest.raises(ValueError, match="train: .*" + message):
        check_images_labels(x, good()[1], 10, where="train")


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.array([0.0, 1, 2, 3]), r"want y an integer array \(N,\); got float64 \(4,\)"),
        (np.array([True, False, True, True]), "got bool"),
        (np.array([[0], [1], [2], [3]]), r"got int64 \(4, 1\)"),
        ([0, 1, 2, 3], "got list"),
        (np.array([0, 1, 2]), "want as many labels as images; got 4 images and 3 labels"),
        (np.array([0, 10, 2, 11]), r"want labels from 0 to 9; got 10 at index 1 \(2 such labels\)"),
        (np.array([0, 1, -1, 2]), r"want labels from 0 to 9; got -1 at index 2"),
    ],
)
def test_bad_labels(y, message):
    with pytest.raises(ValueError, match="data: " + ".*" + message):
        check_images_labels(good()[0], y, 10)


def test_negative_labels_without_a_number_of_classes():
    with pytest.raises(ValueError, match="want labels >= 0; got -5 at index 3"):
        check_images_labels(good()[0], np.array([0, 1, 2, -5]))
