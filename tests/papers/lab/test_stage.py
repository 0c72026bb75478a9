"""lightnn/papers/lab/stage.py: what is set apart, and what changes the images."""

import numpy as np

from lightnn.papers.lab import stage


def test_split_sets_the_last_images_apart(images):
    found = stage.split(images, 30)
    assert len(found.training[0]) == len(images.x_train) - 30 and len(found.validation[1]) == 30
    np.testing.assert_array_equal(np.concatenate([found.training[0], found.validation[0]]), images.x_train)
    assert found.test[0] is images.x_test


def test_dropped_pixels_are_0_and_the_mean_stays(rng):
    x = np.full((50, 1, 28, 28), 0.5, np.float32)
    dropped = stage.drop_pixels(x, rng)
    assert dropped.dtype == np.float32 and set(np.unique(dropped)) == {0, np.float32(0.5) / np.float32(0.8)}
    np.testing.assert_allclose((dropped == 0).mean(), 0.2, atol=0.01)
    np.testing.assert_allclose(dropped.mean(), 0.5, atol=0.01)
    assert (x == 0.5).all(), "the images stay as they are"
