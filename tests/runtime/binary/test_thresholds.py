"""lower_binary: thresholds instead of batch norms, and the same bits."""

import numpy as np
import pytest

from lightnn import compress, models, nn, runtime
from lightnn.runtime import held_bytes, lower, lower_binary
from lightnn.runtime.binary.thresholds import float_threshold, integer_threshold
from lightnn.tensor import Tensor, no_grad


def prepared(model, shape, rng, layers):
    """The model with bits in its layers, statistics of some inputs, and gammas of both signs and 0."""
    for name, p in list(model.named_parameters()):
        if name.removesuffix(".weight") in layers:
            compress.use_binary_filters(p)
    with no_grad():
        for _ in range(3):
            model.train()(Tensor(rng.random((16, *shape[1:]), np.float32)))
    for m in model.modules():
        if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d):
            m.weight.data[::3] *= -1
            m.weight.data[1], m.bias.data[...] = 0, rng.standard_normal(len(m.bias.data)) / 3
    return model.eval()


def small():
    """Conv and linear layers, a pool, and what may not be folded: a batch norm that is read twice."""
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 3, rng=0), nn.BatchNorm2d(6), nn.Sign(), nn.Conv2d(6, 9, 3, padding=1, rng=1)),
        *(nn.MaxPool2d(2), nn.BatchNorm2d(9), nn.Sign(), nn.Conv2d(9, 4, 3, bias=False, rng=2), nn.BatchNorm2d(4)),
        *(nn.ApproxSign(), nn.Flatten(), nn.Linear(4 * 3 * 3, 8, rng=3), nn.BatchNorm1d(8), nn.Sign()),
        *(nn.Linear(8, 5, rng=4), nn.BatchNorm1d(5)),
    )


def test_the_bits_are_those_of_the_lowered_network(rng):
    shape = (1, 1, 12, 12)
    model = prepared(small(), shape, rng, {"3", "7", "11", "14"})
    folded, lowered = lower_binary(model, shape), lower(model)
    x = Tensor(rng.random((40, 1, 12, 12), np.float32))
    for i in (2, 6, 9, 13):
        a, b = x, x
        for m, n in zip(list(folded)[: i + 1], list(lowered)[: i + 1], strict=True):
            a, b = m(a), n(b)
        np.testing.assert_array_equal(a.words, b.words)
    np.testing.assert_array_equal(folded(x).data, lowered(x).data)
    np.testing.assert_allclose(folded(x).data, model(x).data, rtol=1e-4, atol=1e-4)
    assert [type(folded[i]).__name__ for i in (1, 4, 5, 8, 12, 15)] == ["Identity"] * 5 + ["BatchNorm1d"]


def test_a_layer_before_a_threshold_gives_whole_sums_and_holds_bits_alone(rng):
    model = prepared(small(), (1, 1, 12, 12), rng, {"3", "7", "11", "14"})
    folded = lower_binary(model, (1, 1, 12, 12))
    rows = {row.module: row for row in held_bytes(folded)}
    assert rows["3"].parts == {"values": 61, "scale": 0, "bias": 0}  # 486 bits
    assert rows["14"].parts == {"values": 5, "scale": 20, "bias": 20}
    assert rows["6"].parts == {"thresholds": 36, "flips": 8} and "5" not in rows
    x = Tensor(rng.random((2, 1, 12, 12), np.float32))
    y = folded[3](folded[2](folded[1](folded[0](x)))).data
    np.testing.assert_array_equal(y, np.rint(y))
    assert (folded[6].least == np.rint(folded[6].least)).all()


def test_integer_thresholds_for_every_sum(rng):
    model = prepared(small(), (1, 1, 12, 12), rng, {"3", "7", "11", "14"})
    layer, norm = lower(model)[3], model[5]
    T, flip = integer_threshold(norm, layer)
    scale, bias = layer.numbers()
    for s in range(-54, 55):
        y = norm(Tensor((np.float32(s) * scale + bias).reshape(1, -1, 1, 1))).data.reshape(-1)
        np.testing.assert_array_equal((s >= T) ^ flip, y >= 0)


def test_float_thresholds_beside_their_neighbours(rng):
    norm = prepared(nn.Sequential(nn.BatchNorm1d(50)), (1, 50), rng, ())[0]
    T, flip = float_threshold(norm)
    assert T.dtype == np.float32
    near = np.clip(T, np.float32(-1e37), np.float32(1e37))
    for x in (near, np.nextafter(near, -np.float32(np.inf)), np.nextafter(near, np.float32(np.inf)), -near, near * 3):
        np.testing.assert_array_equal((x >= T) ^ flip, norm(Tensor(x[None])).data[0] >= 0)


class Twice(nn.Module):
    """A batch norm that a sign and an addition read, and one sign for two norms."""

    def __init__(self):
        self.a, self.b = nn.BatchNorm1d(6), nn.BatchNorm1d(6)
        self.sign, self.other = nn.Sign(), nn.Sign()

    def forward(self, x):
        a = self.a(x)
        return self.other(a) + a + self.sign(self.b(x)) + self.sign(x)


def test_what_is_read_twice_stays(rng):
    model = prepared(Twice(), (1, 6), rng, ())
    folded, x = lower_binary(model, (1, 6)), Tensor(rng.standard_normal((9, 6), np.float32))
    assert isinstance(folded.a, nn.BatchNorm1d) and isinstance(folded.b, nn.BatchNorm1d)
    np.testing.assert_array_equal(folded(x).data, model(x).data)


@pytest.mark.parametrize("build", [models.xnor_lenet5, models.bnn_mlp])
def test_the_papers_networks(build, rng):
    layers = {"xnor_lenet5": {"conv2", "fc1"}, "bnn_mlp": {"fc1", "fc2", "fc3", "fc4"}}[build.__name__]
    model = build(rng=0) if build is models.xnor_lenet5 else build(width=64, rng=0)
    model = prepared(model, (1, 1, 28, 28), rng, layers)
    folded, x = lower_binary(model, (1, 1, 28, 28)), Tensor(rng.random((5, 1, 28, 28), np.float32))
    np.testing.assert_array_equal(folded(x).data, lower(model)(x).data)
    assert sum(isinstance(m, nn.Identity) for m in folded.modules()) == (4 if build is models.xnor_lenet5 else 3)


def test_the_model_is_left_as_it_was_and_a_wrong_call_is_one_line(rng):
    model = prepared(small(), (1, 1, 12, 12), rng, {"3", "7"})
    before = {name: a.copy() for name, a in model.state_dict().items()}
    lower_binary(model, (1, 1, 12, 12))
    for name, a in model.state_dict().items():
        np.testing.assert_array_equal(a, before[name])
    assert isinstance(model[1], nn.BatchNorm2d)
    with pytest.raises(TypeError, match="lower_binary: want a Module, got int"):
        lower_binary(3, (1, 2))
    with pytest.raises(ValueError, match="lower_binary: input_shape"):
        runtime.lower_binary(model, ())
