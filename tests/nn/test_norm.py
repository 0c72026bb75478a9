"""lightnn/nn/norm.py: which shapes a batch norm takes, and the count of its batches."""

import copy

import numpy as np
import pytest

from lightnn import Tensor, load, nn, save

X = {n: np.random.default_rng(0).standard_normal((4, 3, 5, 6, 2)[:n]).astype(np.float32) for n in range(1, 6)}


@pytest.mark.parametrize("kind", [nn.BatchNorm1d, nn.BatchNorm2d])
@pytest.mark.parametrize("ndim", X)
@pytest.mark.parametrize("training", [True, False])
def test_which_shapes_it_takes(kind, ndim, training):
    layer = kind(3).train(training)
    want, axes = {nn.BatchNorm1d: ("(N, C) or (N, C, L)", (2, 3)), nn.BatchNorm2d: ("(N, C, H, W)", (4,))}[kind]
    if ndim in axes:
        assert layer(Tensor(X[ndim])).shape == X[ndim].shape and layer.num_batches_tracked == training
        return
    before = copy.deepcopy(layer.state_dict())
    with pytest.raises(ValueError) as caught:
        layer(Tensor(X[ndim]))
    assert str(caught.value) == f"{kind.__name__}: want x {want}; got {X[ndim].shape}"
    for name, array in layer.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def trained():
    model = nn.Sequential(nn.Linear(3, 3, rng=0), nn.BatchNorm1d(3))
    for _ in range(3):
        model(Tensor(X[2]))
    return model


def test_the_count_is_in_the_state_and_comes_back():
    model = trained()
    state = model.state_dict()
    assert list(state)[-1] == "1.num_batches_tracked" and state["1.num_batches_tracked"] == 3
    assert state["1.num_batches_tracked"].dtype == np.int64
    other = nn.Sequential(nn.Linear(3, 3, rng=1), nn.BatchNorm1d(3))
    other.load_state_dict(state)
    assert other[1].num_batches_tracked == 3 and type(other[1].num_batches_tracked) is int
    del state["1.num_batches_tracked"]  # as in files from before there was one
    other.load_state_dict(state)
    model.eval()(Tensor(X[2]))
    assert copy.deepcopy(model)[1].num_batches_tracked == 3


def test_a_count_of_another_module_is_unexpected():
    state = trained().state_dict() | {"0.num_batches_tracked": np.array(1)}
    with pytest.raises(KeyError, match=r"unexpected 0.num_batches_tracked"):
        trained().load_state_dict(state)


def test_a_trained_network_is_saved_and_its_count_is_not_needed(tmp_path):
    model = trained()
    save(model, tmp_path / "a.lnn")
    again = load(tmp_path / "a.lnn")
    np.testing.assert_array_equal(again(Tensor(X[2])).data, model.eval()(Tensor(X[2])).data)


@pytest.mark.oracle
def test_pytorchs_state_with_counts_loads_unchanged_both_ways(torch):
    def network(nn):
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())

    theirs, ours = network(torch.nn), network(nn)
    theirs(torch.tensor(X[4]))
    ours.load_state_dict({name: t.numpy() for name, t in theirs.state_dict().items()})
    assert ours[1].num_batches_tracked == 1
    theirs.load_state_dict({name: torch.tensor(a) for name, a in ours.state_dict().items()})
    np.testing.assert_allclose(
        ours.eval()(X[4]).data, theirs.eval()(torch.tensor(X[4])).detach().numpy(), rtol=1e-5, atol=1e-6
    )
