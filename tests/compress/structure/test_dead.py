"""lightnn/compress/structure/dead.py: what pruning left without connections is removed, and no output changes."""

import numpy as np
import pytest

from lightnn import Tensor, compress, models, nn


def outputs(model, x):
    return model.eval()(Tensor(x)).data


def kill(p, rows, axis=0):
    mask = np.ones(p.shape, bool)
    np.moveaxis(mask, axis, 0)[rows] = False
    compress.set_mask(p, mask if p.support is None else mask & p.support.mask)


def test_fold_constants_by_hand():
    w = np.array([[1.0, 10.0, 100.0], [2.0, 20.0, 200.0]])
    folded = compress.fold_constants(w, np.array([0.5, -0.5]), np.array([3.0, 7.0, 2.0]), np.array([True, False, True]))
    np.testing.assert_array_equal(folded, [203.5, 405.5])


@pytest.mark.parametrize("count", [0, 1, 3])
def test_fold_constants_is_the_layer_on_them(count, rng):
    w, b, x = rng.standard_normal((4, 6)), rng.standard_normal(4), rng.standard_normal(6)
    constant = np.arange(6) < count
    b_before = b.copy()
    folded = compress.fold_constants(w, b, x, constant)
    np.testing.assert_allclose(w[:, ~constant] @ x[~constant] + folded, w @ x + b, atol=1e-12)
    np.testing.assert_array_equal(b, b_before)


@pytest.mark.parametrize("seed", range(8))
def test_no_output_changes_in_a_pruned_mlp(seed):
    """Random dead neurons of all kinds; those fed by nothing have biases that relu lets through."""
    rng = np.random.default_rng(seed)
    pairs = ((7, 9), (9, 8), (8, 6), (6, 3))
    model = nn.Sequential(*[m for a, b in pairs for m in (nn.Linear(a, b, rng=rng), nn.ReLU())][:-1])
    for p in model.parameters():
        p.data = rng.standard_normal(p.shape)
    for layer in list(model)[::2]:
        compress.set_mask(layer.weight, rng.random(layer.weight.shape) < 0.25)
    x = rng.standard_normal((20, 7))
    thinned, went = compress.remove_dead(model, (1, 7))
    np.testing.assert_allclose(outputs(thinned, x), outputs(model, x), atol=1e-12)
    assert "6" not in went
    for p in (layer.weight().data for layer in list(thinned)[:-1:2]):
        assert p.any(1).all() or len(p) == 1
    for p in (layer.weight().data for layer in list(thinned)[2::2]):
        assert p.any(0).all() or p.shape[1] == 1


def test_a_neuron_may_die_with_the_one_it_fed():
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.ReLU(), nn.Linear(4, 4, rng=1), nn.ReLU(), nn.Linear(4, 2, rng=2))
    kill(model[4].weight, [1], axis=1)  # nobody reads neuron 1 of layer 2
    only = np.ones((4, 4), bool)
    only[[0, 2, 3], 2] = False  # and neuron 2 of layer 0 is read by that one only
    compress.set_mask(model[2].weight, only)
    thinned, went = compress.remove_dead(model, (1, 3))
    assert went == {"0": 1, "2": 1}
    x = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    np.testing.assert_allclose(outputs(thinned, x), outputs(model, x), atol=1e-6)


def test_convolutions_fold_where_there_is_no_border(rng):
    model = models.lenet5(rng=0)
    kill(model.conv1.weight, [3, 7])
    kill(model.fc1.weight, [0, 1])
    kill(model.fc1.weight, range(32, 48), axis=1)
    x = rng.random((3, 1, 28, 28), np.float32)
    thinned, went = compress.remove_dead(model, (1, 1, 28, 28))
    assert went == {"conv1": 2, "conv2": 1, "fc1": 2}
    np.testing.assert_allclose(outputs(thinned, x), outputs(model, x), atol=1e-5)


def test_a_constant_map_before_a_padded_convolution_stays(rng):
    def net(padding, b):
        model = nn.Sequential(nn.Conv2d(1, 3, 1, rng=0), nn.ReLU(), nn.Conv2d(3, 2, 3, padding=padding, rng=1))
        kill(model[0].weight, [1])
        model[0].bias.data[1] = b
        return model

    for padding, b, want in ((0, 0.5, {"0": 1}), (1, 0.5, {}), (1, -0.5, {"0": 1})):
        model = net(padding, b)
        thinned, went = compress.remove_dead(model, (1, 1, 6, 6))
        assert went == want
        x = rng.standard_normal((2, 1, 6, 6)).astype(np.float32)
        np.testing.assert_allclose(outputs(thinned, x), outputs(model, x), atol=1e-6)


def test_a_layer_without_a_bias_takes_no_constant():
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.ReLU(), nn.Linear(3, 2, bias=False, rng=1))
    kill(model[0].weight, [0])
    model[0].bias.data[:] = 1
    assert compress.remove_dead(model, (1, 2))[1] == {}
    model[0].bias.data[0] = -1
    assert compress.remove_dead(model, (1, 2))[1] == {"0": 1}


def test_a_residual_network_keeps_what_the_shortcut_feeds(rng):
    model = models.cifar_resnet(8, 4, True, rng=0)
    for p in model.parameters():
        p.data = rng.standard_normal(p.shape) * 0.5
    kill(model.layer1[0].conv1.weight, [0])
    kill(model.layer2[0].conv2.weight, [2])
    for bn in (model.layer1[0].bn1, model.layer2[0].bn2):
        bn.bias.data[:] = -1
    x = rng.standard_normal((2, 3, 8, 8))
    thinned, went = compress.remove_dead(model, (1, 3, 8, 8))
    assert went == {"layer1.0.conv1": 1}
    np.testing.assert_allclose(outputs(thinned, x), outputs(model, x), atol=1e-10)


def test_of_an_all_dead_layer_one_neuron_is_left():
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.ReLU(), nn.Linear(3, 2, rng=1))
    kill(model[0].weight, [0, 1, 2])
    thinned, went = compress.remove_dead(model, (1, 2))
    assert went == {"0": 2} and thinned[0].out_features == 1
    x = np.ones((1, 2), np.float32)
    np.testing.assert_allclose(outputs(thinned, x), outputs(model, x), atol=1e-6)


def test_the_model_is_left_as_it_was():
    model = models.lenet_300_100(rng=0)
    kill(model.fc1.weight, [4])
    before = model.state_dict()
    compress.remove_dead(model, (1, 1, 28, 28))
    assert model.training
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
