"""lightnn/compress/transforms/levels.py: what the techniques whose weights are codes of a few levels share."""

import copy
import math

import numpy as np
import pytest

import lightnn
from lightnn import Tensor, nn, optim
from lightnn import functional as F
from lightnn.compress import (
    Mask,
    channels,
    decode_parameter,
    encode,
    mask_channels,
    plan,
    thin,
    use_additive_powers,
    use_dorefa,
    use_lsq,
    use_ternary,
    use_trained_ternary,
)
from lightnn.compress.transforms.levels import kept, mean_magnitude
from lightnn.io import save_to_train, to_bytes
from lightnn.nn import Parameter

USES = {  # (bits of a code, use)
    "dorefa 1": (1, lambda p: use_dorefa(p, 1)),
    "dorefa 3": (3, lambda p: use_dorefa(p, 3)),
    "lsq 4": (4, lambda p: use_lsq(p, 4)),
    "ternary": (2, lambda p: use_ternary(p, 0.75)),
    "trained ternary": (2, lambda p: use_trained_ternary(p, 0.2)),
    "additive powers": (4, lambda p: use_additive_powers(p, 4)),
}
EACH = pytest.mark.parametrize(("bits", "use"), USES.values(), ids=USES)


def network(use, width=8):
    model = nn.Sequential(nn.Linear(6, width, rng=0), nn.ReLU(), nn.Linear(width, 3, rng=1))
    for layer in (model[0], model[2]):
        use(layer.weight)
    return model


def train(model, rng, steps=30):
    """The mean loss of the first and of the last five steps towards a network that was drawn."""
    x = rng.standard_normal((60, 6)).astype(np.float32)
    y = np.argmax(x @ rng.standard_normal((6, 3)), 1)
    optimizer, losses = optim.SGD(model.parameters(), lr=0.1, momentum=0.9), []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(Tensor(x)), y)
        loss.backward()
        optimizer.step()
        losses += [float(loss.data)]
    return np.mean(losses[:5]), np.mean(losses[-5:])


@EACH
def test_it_trains_also_after_it_was_loaded(bits, use, rng, tmp_path):
    model = network(use, width=30)
    first, last = train(model, rng)
    assert last < 0.8 * first
    for write in (lightnn.save, save_to_train):
        write(model.eval(), tmp_path / "a.lnn")
        again = lightnn.load(tmp_path / "a.lnn").train()
        first, last = train(again, rng)
        assert last < first


@EACH
def test_going_on_from_a_file_to_train_is_going_on(bits, use, rng, tmp_path):
    model = network(use)
    train(model, rng, 3)
    save_to_train(model.eval(), tmp_path / "a.lnn")
    again, seed = lightnn.load(tmp_path / "a.lnn"), int(rng.integers(1000))
    assert train(again.train(), np.random.default_rng(seed)) == train(model.train(), np.random.default_rng(seed))


@EACH
def test_a_thinned_network_computes_what_the_masked_one_does(bits, use, rng):
    """What was measured before a channel is cut stays as it was."""
    model = network(use)
    cut = plan(model, channels(model, (1, 6)), {"0": [1, 4]})
    x = Tensor(rng.standard_normal((5, 6)).astype(np.float32))
    thinned = thin(model, cut)
    assert thinned[0].weight.shape == (6, 6)
    np.testing.assert_array_equal(thinned[0].weight().data, np.delete(model[0].weight().data, [1, 4], 0))
    np.testing.assert_array_equal(thinned[2].weight().data, np.delete(model[2].weight().data, [1, 4], 1))
    h = F.relu(model[0](x)).data
    h[:, [1, 4]] = 0
    np.testing.assert_allclose(thinned(x).data, model[2](Tensor(h)).data, rtol=1e-5, atol=1e-6)
    assert mask_channels(model, cut)[0].weight.support is not None


@EACH
def test_the_file_is_as_long_as_the_formula_says(bits, use, rng):
    """K n / 8 bytes of codes or fewer, the scale, and a header that does not grow with n."""
    for rows in (50, 100):
        model = nn.Sequential(nn.Linear(300, rows, bias=False, rng=0))
        use(model[0].weight)
        assert len(to_bytes(model)) - math.ceil(bits * 300 * rows / 8) <= 200


@EACH
def test_a_copy_is_another_one(bits, use, rng):
    model = network(use)
    twin, before = copy.deepcopy(model), model[0].weight().data
    train(twin, rng, 3)
    np.testing.assert_array_equal(model[0].weight().data, before)


@EACH
def test_what_is_not_finite_is_named_when_it_is_saved(bits, use):
    model = network(use)
    model[2].weight.data[0, 0] = np.nan
    assert np.isnan(model[2].weight().data[0, 0])
    with pytest.raises(ValueError, match=r"save: 2\.weight: .*want finite numbers, got 1 of 24"):
        to_bytes(model)


@EACH
def test_pruned_weights_do_not_matter(bits, use, rng):
    """The kept weights are the same whatever the pruned latent weights are, and so is what is stored."""
    p, q = (Parameter(np.array([[0.5, -0.25, 0.75, x]], np.float32)) for x in (0.0, 9.0))
    for each in (p, q):
        each.support = Mask(np.array([[True, True, True, False]]))
        use(each)
    np.testing.assert_array_equal(p().data, q().data)
    np.testing.assert_array_equal(decode_parameter(encode(p))().data, decode_parameter(encode(q))().data)


def test_a_mean_that_overflows_nothing():
    assert mean_magnitude(np.array([1e308, -1e308, 1e308])) == pytest.approx(1e308)
    assert mean_magnitude(np.zeros(0)) == mean_magnitude(np.zeros(3)) == 0
    assert kept(np.ones((2, 2))).shape == kept(Tensor(np.ones((2, 2)))).shape == (4,)
