"""lightnn/declare.py: an op that declares itself is understood by all who watch a run; no table changes."""

import numpy as np
import pytest

from lightnn import Tensor, compress, metrics, nn, op
from lightnn.declare import columns, mixes, same
from lightnn.tensor import watching


def double(x):
    return 2 * x, lambda dy: 2 * dy


def both_ways(x, w, b, *, sign=1):
    """A made-up layer: y = (x w^T + b) sign."""
    y = sign * (x @ w.T + b)
    return y, lambda dy: sign * dy @ w, lambda dy: sign * dy.T @ x, lambda dy: sign * dy.sum(0)


class BothWays(nn.Linear):
    layer_op = staticmethod(
        op(
            both_ways,
            channels=mixes,
            keeps_zero=True,
            weights=("w", "b"),
            macs=lambda y, x, w, b: 2 * y.size * w.shape[1],
        )
    )

    def forward(self, x):
        return self.layer_op(x, self.weight(), self.bias())


class Apply(nn.Module):
    def __init__(self, fn):
        self.fn = fn

    def forward(self, x):
        return self.fn(x)


def network(between):
    return nn.Sequential(
        nn.Conv2d(2, 6, 3, rng=0), Apply(between), nn.Flatten(), BothWays(24, 5, rng=1), nn.Linear(5, 3, rng=2)
    )


SHAPE = (1, 2, 4, 4)


def test_a_made_up_op_passes_channels_on():
    model = network(op(double, channels=same, keeps_zero=True))
    found = compress.channels(model, SHAPE)
    assert [found.reason("0", row) for row in range(6)] == [None] * 6
    thinned = compress.thin(model, compress.plan(model, found, {"0": [1, 4], "3": [0]}))
    assert thinned[3].weight.shape == (4, 16) and thinned[4].weight.shape == (3, 4)
    masked = compress.mask_channels(model, compress.plan(model, found, {"0": [1, 4], "3": [0]}))
    x = Tensor(np.random.default_rng(3).standard_normal(SHAPE, np.float32))
    np.testing.assert_allclose(thinned(x).data, masked(x).data, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "declared",
    [{}, {"channels": same}, {"channels": same, "keeps_zero": lambda options: False}],
    ids=["nothing", "channels", "not zeros"],
)
def test_an_op_that_does_not_declare_it_keeps_all_channels(declared):
    found = compress.channels(network(op(double, **declared)), SHAPE)
    assert found.reason("0", 3) == "double in 1 needs all channels"


def test_a_made_up_layer_is_counted():
    rows = {row.module: row for row in metrics.trace(network(op(double)), SHAPE)}
    assert (rows["3"].op, rows["3"].macs, rows["3"].parameters) == ("both_ways", 2 * 5 * 24, 5 * 24 + 5)
    assert rows["1"].macs == rows["1"].parameters == 0


@pytest.mark.parametrize(("finishes", "density"), [(False, 1.0), (True, 0.0)])
def test_a_made_up_activation_belongs_to_the_layer_before_it(finishes, density):
    @op(finishes_layer=finishes)
    def nothing(x):
        return np.zeros_like(x), lambda dy: np.zeros_like(dy)

    model, x = network(nothing), np.ones((4, *SHAPE[1:]), np.float32)
    assert compress.activation_density(model, x) == {"0": density, "3": 1.0, "4": 1.0}


def test_a_watcher_sees_the_options_with_their_defaults():
    seen = []
    with watching(lambda declared, arrays, options, y: seen.append((declared.name, options))):
        op(both_ways)(np.ones((1, 2)), np.ones((3, 2)), np.ones(3))
    assert seen == [("both_ways", {"sign": 1})]


def test_a_hardtanh_without_arguments_keeps_zero():
    found = compress.channels(nn.Sequential(nn.Conv2d(2, 6, 3), Apply(nn.Hardtanh()), nn.Conv2d(6, 1, 2)), SHAPE)
    assert found.reason("0", 3) is None


def test_weights_are_named_after_arguments():
    with pytest.raises(ValueError, match="op: both_ways has no argument 'v'"):
        op(both_ways, weights=("v",))


def test_columns_by_hand():
    np.testing.assert_array_equal(columns(np.array([7, 5]), (2, 3)), [7] * 6 + [5] * 6)
    np.testing.assert_array_equal(columns(np.array([3, 1]), ()), [3, 1])


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (1, 5, 1, 1), (3, 2, 2, 3), (1, 4, 7)])
def test_columns_say_where_flatten_puts_each_channel(shape):
    names = np.arange(10, 10 + shape[1])
    x = np.broadcast_to(names.reshape(-1, *[1] * len(shape[2:])), shape)
    np.testing.assert_array_equal(columns(names, shape[2:]), x.reshape(shape[0], -1)[0])
