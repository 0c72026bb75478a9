"""lightnn/data/scenes.py: what a scene shows is what its labels say."""

import numpy as np
import pytest

from lightnn.data import make_scenes


def pictures(rng, n=6):
    return rng.uniform(0.3, 1, (n, 1, 5, 5)).astype("f"), np.arange(n) % 3


def test_the_same_seed_gives_the_same_scenes_and_labels_are_the_classes_plus_one(rng):
    x, y = pictures(rng)
    a, b = (make_scenes(x, y, 8, size=12, rng=3) for _ in range(2))
    assert np.array_equal(a.images, b.images) and np.array_equal(a.labels, b.labels)
    assert a.images.shape == (8, 1, 12, 12) and a.images.dtype == np.float32 and a.labels.dtype == np.int64
    assert 0 <= a.images.min() <= a.images.max() <= 1 and set(np.unique(a.labels)) == {0, 1, 2, 3}


def test_a_scene_of_one_thing_shows_it_whole_dimmed_or_mirrored(rng):
    x, y = pictures(rng, 1)
    scenes = make_scenes(x, y, 20, size=9, things=(1, 1), rng=1)
    for image, labels in zip(scenes.images, scenes.labels):
        rows, columns = np.nonzero(labels)
        assert len(rows) == 25  # every pixel of the picture is above the outline
        shown = image[0, rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        ratios = [shown / x[0, 0], shown / x[0, 0, :, ::-1]]
        ratio = min(ratios, key=np.ptp)
        assert np.ptp(ratio) < 1e-5 and 0.6 <= ratio.mean() <= 1


def test_several_things_hide_each_other(rng):
    x, y = pictures(rng)
    scenes = make_scenes(x, y, 30, size=8, things=(3, 3), rng=2)
    covered = (scenes.labels > 0).sum((1, 2))
    assert covered.min() >= 25 and covered.max() < 75


@pytest.mark.parametrize(
    "options", [{"size": 4}, {"things": (3, 2)}, {"things": (1,)}, {"things": (0, 1)}, {"count": 0}], ids=str
)
def test_what_does_not_fit_is_refused(options, rng):
    with pytest.raises(ValueError, match=r"make_scenes: .*want .*, got"):
        make_scenes(*pictures(rng), **{"count": 1, "size": 9, "rng": 0, **options})
