"""lightnn/compress/pruning/filters.py: which filters go, by norms and by feature maps, one layer after the other."""

import numpy as np
import pytest

from lightnn import Tensor, compress, models, nn
from lightnn import functional as F


def test_filter_norms_by_hand():
    w = np.array([[[[1.0, -2.0]], [[3.0, 0.0]]], [[[-0.5, 0.5]], [[0.0, 0.0]]]])
    np.testing.assert_array_equal(compress.filter_norms(w), [6, 1])
    np.testing.assert_allclose(compress.filter_norms(w, 2), [14**0.5, 0.5**0.5])


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("shape", [(5, 3, 3, 2), (4, 7), (1, 1, 1, 1), (3, 1, 5, 5)])
def test_filter_norms_are_numpys(order, shape, rng):
    w = rng.standard_normal(shape)
    want = [np.linalg.norm(f.ravel(), order) for f in w]
    np.testing.assert_allclose(compress.filter_norms(w, order), want, rtol=1e-12)


def test_filter_norms_of_many_small_float32_weights_do_not_drift():
    w = np.full((1, 64, 512, 9), 0.1, np.float32)
    np.testing.assert_allclose(compress.filter_norms(w), [w.size * float(np.float32(0.1))], rtol=1e-9)


def test_smallest_by_hand():
    np.testing.assert_array_equal(compress.smallest([5, 1, 4, 1, 3], 3), [1, 3, 4])
    np.testing.assert_array_equal(compress.smallest([2, 2, 2, 2], 2), [0, 1])
    np.testing.assert_array_equal(compress.smallest([3.0, -1.0], 2), [0, 1])
    assert compress.smallest([1, 2], 0).size == 0


def test_smallest_leaves_nothing_smaller(rng):
    scores = rng.integers(0, 9, 30)
    for count in range(31):
        gone = compress.smallest(scores, count)
        left = np.delete(scores, gone)
        assert len(set(gone.tolist())) == count and (np.diff(gone) > 0).all()
        assert not count or not left.size or scores[gone].max() <= left.min()


@pytest.mark.parametrize("count", [-1, 3])
def test_smallest_takes_no_more_than_there_are(count):
    with pytest.raises(ValueError, match=rf"want 0 <= count <= 2, got {count}"):
        compress.smallest([1.0, 2.0], count)


def test_greedy_norms_by_hand():
    w = np.array([[[[1.0]], [[10.0]], [[-100.0]]], [[[2.0]], [[0.0]], [[3.0]]]])
    np.testing.assert_array_equal(compress.greedy_norms(w, [1]), [101, 5])
    np.testing.assert_array_equal(compress.greedy_norms(w, [0, 1], 2), [100, 3])
    np.testing.assert_array_equal(compress.greedy_norms(w, []), [111, 5])


@pytest.mark.parametrize("order", [1, 2])
def test_greedy_norms_are_those_of_the_thinned_layer(order, rng):
    w = rng.standard_normal((6, 5, 3, 3))
    before = w.copy()
    for removed in ([4], [0, 3], [1, 2, 3]):
        want = compress.filter_norms(np.delete(w, removed, 1), order)
        np.testing.assert_allclose(compress.greedy_norms(w, removed, order), want)
    np.testing.assert_array_equal(w, before)


def test_map_statistics_by_hand():
    """Two images, one map of 2 pixels: (3, 4) and (0, -2)."""
    got = compress.map_statistics(np.array([3.0, 4.0, 0.0, -2.0]).reshape(2, 1, 1, 2))
    want = {"mean-mean": 1.25, "mean-std": 0.75, "mean-l1": 4.5, "mean-l2": 3.5, "variance-l2": 2.25}
    assert set(got) == set(want)
    for name, value in want.items():
        np.testing.assert_allclose(got[name], [value], err_msg=name)


def test_map_statistics_of_each_channel_are_its_own(rng):
    maps = rng.standard_normal((7, 4, 3, 5)).astype(np.float32)
    whole = compress.map_statistics(maps)
    for c in range(4):
        for name, score in compress.map_statistics(maps[:, [c]]).items():
            np.testing.assert_allclose(whole[name][c], score[0], rtol=1e-6)
    np.testing.assert_allclose(compress.map_statistics(maps[:, :, 0, 0])["mean-mean"], maps[:, :, 0, 0].mean(0), 1e-5)


def test_feature_maps_are_what_the_next_layer_reads(rng):
    model = models.cifar_resnet(8, 4, True, rng=0)
    x = rng.standard_normal((2, 3, 8, 8)).astype(np.float32)
    found = compress.channels(model, (1, 3, 8, 8))
    maps = compress.feature_maps(model, found, x)
    assert set(maps) == set(found.layers) and model.training
    model.eval()
    stem = F.relu(model.bn1(model.conv1(Tensor(x))))
    block = model.layer1[0]
    np.testing.assert_array_equal(maps["layer1.0.conv1"], F.relu(block.bn1(block.conv1(stem))).data)
    np.testing.assert_array_equal(maps["fc"], model(Tensor(x)).data)


def test_select_takes_the_share_of_each_layer_and_rounds_what_stays_down():
    model = models.lenet5(rng=0)
    found = compress.channels(model, (1, 1, 28, 28))
    rows = compress.select(found, compress.norms(model, found), {"conv1": 0.3, "conv2": 0.01, "fc1": 0})
    assert {layer: len(gone) for layer, gone in rows.items()} == {"conv1": 6, "conv2": 1, "fc1": 0}
    norms = compress.filter_norms(model.conv1.weight.data)
    assert norms[rows["conv1"]].max() < np.delete(norms, rows["conv1"]).min()


def test_select_takes_whole_units(rng):
    model = models.filternet_grouped(width=16, rng=0)
    found = compress.channels(model, (1, 1, 12, 12))
    rows = compress.select(found, compress.norms(model, found), {"stem.0": 0.5})
    assert set(rows["stem.0"] % 4) == set(rows["stem.0"][:2]) and len(rows["stem.0"]) == 8
    compress.plan(model, found, rows)


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ({"conv9": 0.5}, "select: fractions: layer: want conv1 .*, got 'conv9'"),
        ({"conv1": 1.0}, "select: fractions of conv1: want a finite number >= 0 and < 1, got 1.0"),
    ],
)
def test_select_refuses_what_is_not_there(shares, message):
    model = models.lenet5(rng=0)
    found = compress.channels(model, (1, 1, 28, 28))
    with pytest.raises(ValueError, match=message):
        compress.select(found, compress.norms(model, found), shares)


def test_greedy_differs_from_independent_where_an_input_that_went_was_large(rng):
    """Filter 0 of the second layer is large only by the channel that the first layer loses."""
    model = nn.Sequential(nn.Conv2d(1, 3, 1, rng=0), nn.Conv2d(3, 2, 1, rng=0), nn.Flatten(), nn.Linear(2, 2, rng=0))
    model[0].weight.data[:] = np.array([0.1, 1.0, 2.0]).reshape(3, 1, 1, 1)
    model[1].weight.data[:] = np.array([[9.0, 1, 1], [0, 2, 2]]).reshape(2, 3, 1, 1)
    found = compress.channels(model, (1, 1, 1, 1))
    shares = {"0": 0.3, "1": 0.5}
    independent = compress.select(found, compress.norms(model, found), shares)
    greedy = compress.select_greedily(model, found, shares)
    assert {k: v.tolist() for k, v in independent.items()} == {"0": [0], "1": [1]}
    assert {k: v.tolist() for k, v in greedy.items()} == {"0": [0], "1": [0]}


def test_greedy_is_independent_where_nothing_was_lost_before():
    model = models.vgg16_cifar(width_mult=0.1, rng=0)
    found = compress.channels(model, (1, 3, 32, 32))
    shares = {"features.24": 0.5}
    want = compress.select(found, compress.norms(model, found), shares)
    np.testing.assert_array_equal(compress.select_greedily(model, found, shares)["features.24"], want["features.24"])


def test_prune_filters_is_all_steps_in_one():
    model = models.lenet5(rng=0)
    shape, shares = (1, 1, 28, 28), {"conv1": 0.5, "fc1": 0.2}
    found = compress.channels(model, shape)
    for order in (1, 2):
        rows = compress.select(found, compress.norms(model, found, order), shares)
        want = compress.thin(model, compress.plan(model, found, rows)).state_dict()
        got = compress.prune_filters(model, shape, shares, order).state_dict()
        for name, array in want.items():
            np.testing.assert_array_equal(got[name], array)
