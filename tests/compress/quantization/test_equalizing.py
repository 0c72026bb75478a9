"""lightnn/compress/quantization/equalizing.py: the network computes the same, and its ranges are equal."""

import numpy as np
import pytest

from lightnn import Tensor, load, models, nn, save
from lightnn.compress import fold_batch_norm, share
from lightnn.compress.quantization.equalizing import equalize, equalized_pairs, equalizing_scale

ZOO = {
    "lenet_300_100": (models.lenet_300_100, (2, 1, 28, 28), 2),
    "lenet5": (models.lenet5, (2, 1, 28, 28), 3),
    "filternet_separable": (models.filternet_separable, (2, 1, 12, 12), 9),
    "filternet_grouped": (models.filternet_grouped, (2, 1, 12, 12), 1),
    "filternet_unshuffled": (models.filternet_unshuffled, (2, 1, 12, 12), 5),
    "filternet_shift": (models.filternet_shift, (2, 1, 12, 12), 9),
    "cifar_resnet": (lambda rng: models.cifar_resnet(8, 4, rng=rng), (2, 3, 12, 12), 3),
    "vgg16_cifar": (lambda rng: models.vgg16_cifar(width_mult=0.05, rng=rng), (2, 3, 32, 32), 14),
}


def uneven(model, rng):
    """The model with channels of very different sizes."""
    for m in model.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.weight.data = (10 ** rng.uniform(-1.5, 1.5, m.num_features)).astype(np.float32)
            m.bias.data = rng.standard_normal(m.num_features).astype(np.float32)
    return model.eval()


@pytest.mark.parametrize("name", ZOO)
def test_the_network_computes_the_same(name, rng, tmp_path):
    make, shape, count = ZOO[name]
    model, x = fold_batch_norm(uneven(make(rng=0), rng), shape), Tensor(rng.standard_normal(shape, np.float32))
    before = model(x).data
    equal = equalize(model, shape)
    pairs = equalized_pairs(model, shape)
    assert len(pairs) == count
    np.testing.assert_allclose(equal(x).data, before, rtol=1e-3, atol=1e-4 * np.abs(before).max())
    np.testing.assert_array_equal(model(x).data, before)
    save(equal, tmp_path / "a.lnn")
    np.testing.assert_array_equal(load(tmp_path / "a.lnn")(x).data, equal(x).data)


def test_the_ranges_of_a_pair_are_equal(rng):
    model = fold_batch_norm(uneven(models.filternet_separable(rng=0), rng), (1, 1, 12, 12))
    equal = dict(equalize(model, (1, 1, 12, 12)).named_modules())
    for a, b in equalized_pairs(model, (1, 1, 12, 12)):
        w1, w2 = equal[a].weight.data, equal[b].weight.data
        w2 = w2 if equal[b].__class__ is nn.Conv2d and equal[b].groups > 1 else w2.swapaxes(0, 1)
        r1, r2 = (np.abs(w.reshape(len(w), -1)).max(1) for w in (w1, w2))
        np.testing.assert_allclose(r1, r2, rtol=0.01)


def test_by_hand():
    model = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1, bias=False)).eval()
    model[0].weight.data, model[0].bias.data = np.array([[8.0], [1.0]], np.float32), np.array([4.0, 2.0], np.float32)
    model[2].weight.data = np.array([[2.0, 4.0]], np.float32)
    equal = equalize(model, (1, 1))
    np.testing.assert_allclose(equal[0].weight.data, [[4.0], [2.0]])
    np.testing.assert_allclose(equal[0].bias.data, [2.0, 4.0])
    np.testing.assert_allclose(equal[2].weight.data, [[4.0, 2.0]])
    np.testing.assert_allclose(equalizing_scale([8, 1, 0, 3], [2, 4, 1, 0]), [2, 0.5, 1, 1])


def test_what_lies_between_decides(rng):
    def pair(*between):
        return nn.Sequential(nn.Conv2d(1, 2, 3, rng=0), *between, nn.Conv2d(2, 2, 1, rng=1))

    shared = nn.ReLU()
    for between, count in (
        ((), 1),
        ((nn.ReLU(), nn.MaxPool2d(2), nn.AvgPool2d(1), nn.Shift2d(3), nn.Dropout()), 1),
        ((shared, shared), 1),
        ((nn.ReLU6(),), 0),
        ((nn.Sigmoid(),), 0),
        ((nn.BatchNorm2d(2),), 0),
        ((nn.ChannelShuffle(2),), 0),
    ):
        assert len(equalized_pairs(pair(*between).eval(), (1, 1, 8, 8))) == count
    coded = pair()
    share(coded[1].weight, 2)
    assert equalized_pairs(coded, (1, 1, 8, 8)) == []


def test_errors():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight.data[0, 1] = np.nan
    with pytest.raises(ValueError, match=r"equalize: 1\.weight: want finite numbers"):
        equalize(model, (1, 2))
    with pytest.raises(TypeError, match="equalize: want a Module, got int"):
        equalize(3, (1, 2))
