"""lightnn/compress/structure/norm_folding.py: the folded network computes the same, and what can't be folded stays."""

import numpy as np
import pytest

from lightnn import Tensor, compress, load, models, nn, optim, save
from lightnn import functional as F
from lightnn.compress import channels, fold_batch_norm, mask_channels, plan, plan_folding, prune, thin

ZOO = {
    "lenet5": (models.lenet5, (2, 1, 28, 28), 0),
    "filternet_separable": (models.filternet_separable, (2, 1, 12, 12), 9),
    "filternet_grouped": (models.filternet_grouped, (2, 1, 12, 12), 5),
    "filternet_shift": (models.filternet_shift, (2, 1, 12, 12), 9),
    "cifar_resnet": (lambda rng: models.cifar_resnet(8, 4, rng=rng), (2, 3, 12, 12), 7),
    "projections": (lambda rng: models.cifar_resnet(8, 4, True, rng=rng), (2, 3, 12, 12), 9),
    "mobilenet_v1": (lambda rng: models.mobilenet_v1(10, width_mult=0.05, rng=rng), (2, 3, 32, 32), 27),
    "vgg16_cifar": (lambda rng: models.vgg16_cifar(width_mult=0.05, rng=rng), (2, 3, 32, 32), 13),
    "shufflenet_v1": (lambda rng: models.shufflenet_v1(2, 0.2, 10, rng=rng), (2, 3, 32, 32), 49),
    "shift_resnet": (lambda rng: models.shift_resnet(8, 1, rng=rng), (2, 3, 12, 12), 9),
    "resnet50": (lambda rng: models.resnet50(10, width_mult=0.05, rng=rng), (2, 3, 32, 32), 53),
    "googlenet": (lambda rng: models.googlenet(10, 3, 0.1, False, rng=rng), (2, 3, 32, 32), 57),
    "mobilenet_v2": (lambda rng: models.mobilenet_v2(10, width_mult=0.1, rng=rng), (2, 3, 32, 32), 52),
    "mobilenet_v3_small": (lambda rng: models.mobilenet_v3_small(10, width_mult=0.1, rng=rng), (2, 3, 32, 32), 32),
    "shufflenet_v2": (lambda rng: models.shufflenet_v2(8, 16, 10, rng=rng), (2, 3, 32, 32), 56),
    "efficientnet_lite": (lambda rng: models.efficientnet_lite(0.1, 0.3, num_classes=10, rng=rng), (2, 3, 32, 32), 25),
}
LARGER = {"resnet50", "googlenet", "mobilenet_v2", "mobilenet_v3_small", "shufflenet_v2", "efficientnet_lite"}


def norms(model):
    return [m for m in model.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]


def randomized(model, rng):
    for m in norms(model):
        for p in (m.weight, m.bias):
            p.data = (p.data + 0.5 * rng.random(p.shape)).astype(p.dtype)
        m.running_mean = rng.standard_normal(m.num_features).astype(np.float32)
        m.running_var = (0.5 + rng.random(m.num_features)).astype(np.float32)
    return model.eval()


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.compiled if n in LARGER else ()) for n in ZOO])
def test_every_network_of_the_library_folds_whole_and_is_saved(name, rng, tmp_path):
    make, shape, count = ZOO[name]
    model, x = randomized(make(rng=0), rng), Tensor(rng.standard_normal(shape, np.float32))
    found, before = plan_folding(model, shape), model(x).data
    assert len(found) == len(found.pairs) == len(norms(model)) == count
    folded = fold_batch_norm(model, shape)
    assert norms(folded) == []
    np.testing.assert_allclose(folded(x).data, before, rtol=1e-3, atol=1e-4 * np.abs(before).max())
    np.testing.assert_array_equal(model(x).data, before)
    save(folded, tmp_path / "a.lnn")
    np.testing.assert_array_equal(load(tmp_path / "a.lnn")(x).data, folded(x).data)


@pytest.mark.parametrize("seed", [0, 1, 2, *(pytest.param(i, marks=pytest.mark.thorough) for i in range(3, 12))])
def test_random_networks_fold_where_they_can(nets, seed):
    rng = np.random.default_rng(seed)
    model, x = nets.RandomNet(rng).eval(), Tensor(rng.standard_normal(nets.SHAPE))
    found, folded = plan_folding(model, nets.SHAPE), fold_batch_norm(model, nets.SHAPE)
    assert len(norms(folded)) == len(found) - len(found.pairs) == sum("concat in" in fold.why for fold in found)
    np.testing.assert_allclose(folded(x).data, model(x).data, rtol=1e-9, atol=1e-9)


def test_by_hand():
    model = nn.Sequential(nn.Linear(1, 2), nn.BatchNorm1d(2)).eval()
    fc, norm = model
    fc.weight.data, fc.bias.data = np.array([[3.0], [1.0]], np.float32), np.array([1.0, 0.0], np.float32)
    norm.eps, norm.running_var, norm.running_mean = 0.0, np.array([4.0, 1.0]), np.array([5.0, -1.0])
    norm.weight.data, norm.bias.data = np.array([6.0, -1.0], np.float32), np.array([0.5, 2.0], np.float32)
    folded = fold_batch_norm(model, (1, 1))
    np.testing.assert_array_equal(folded[0].weight.data, [[9.0], [-1.0]])
    np.testing.assert_array_equal(folded[0].bias.data, [-11.5, 1.0])
    assert type(folded[1]) is nn.Identity


def test_a_mask_stays_and_training_revives_nothing(rng):
    model = randomized(models.cifar_resnet(8, 4, rng=0), rng)
    prune(model.conv1.weight, 1.0)
    cuts = plan(model, channels(model, (1, 3, 8, 8)), {"layer1.0.conv1": [1]})
    masked = mask_channels(model, cuts)
    folded, x = fold_batch_norm(masked, (1, 3, 8, 8)), Tensor(rng.standard_normal((4, 3, 8, 8), np.float32))
    np.testing.assert_array_equal(folded.conv1.weight.support.mask, model.conv1.weight.support.mask)
    thinned = fold_batch_norm(thin(model, cuts), (1, 3, 8, 8))
    np.testing.assert_allclose(folded(x).data, thinned(x).data, rtol=1e-4, atol=1e-5)
    optimizer = optim.SGD(folded.train().parameters(), 0.1, momentum=0.9)
    for _ in range(2):
        (folded(x) ** 2).sum().backward()
        optimizer.step()
    inner = folded.layer1[0].conv1
    assert not inner.weight().data[1].any() and inner.bias().data[1] == 0 and inner.weight().data[0].any()
    assert not folded.conv1.weight().data[~model.conv1.weight.support.mask].any()


class Odd(nn.Module):
    """Batch norms that nothing can take over."""

    def __init__(self):
        self.first, self.conv, self.read_twice = nn.BatchNorm2d(3), nn.Conv2d(3, 3, 1, rng=0), nn.BatchNorm2d(3)
        self.twice, self.after_twice = nn.Conv2d(3, 3, 1, rng=1), nn.BatchNorm2d(3)
        self.relu, self.after_relu = nn.ReLU(), nn.BatchNorm2d(3)
        self.shared, self.codes, self.after_codes = nn.BatchNorm2d(3), nn.Conv2d(3, 3, 1, rng=2), nn.BatchNorm2d(3)
        self.own, self.own_norm = nn.Conv2d(3, 3, 1, rng=3), type("OwnNorm", (nn.BatchNorm2d,), {})(3)
        self.a, self.b, self.after_a = nn.Conv2d(3, 3, 1, rng=4), nn.Conv2d(3, 3, 1, rng=4), nn.BatchNorm2d(3)
        self.b.weight = self.a.weight
        self.unused, self.fc, self.columns = nn.BatchNorm2d(3), nn.Linear(4, 5, rng=0), nn.BatchNorm1d(3)
        compress.share(self.codes.weight, 2)

    def forward(self, x):
        y = self.conv(self.first(x))
        y = self.read_twice(y) + y
        y = self.twice(self.twice(y))
        y = self.after_relu(self.relu(self.after_twice(y)))
        y = self.after_codes(self.codes(self.shared(self.shared(y))))
        y = self.after_a(self.a(self.b(self.own_norm(self.own(y)))))
        return self.columns(self.fc(F.flatten(y, start_dim=2)))


def test_what_can_not_be_folded_stays_and_says_why(rng):
    model = randomized(Odd(), rng)
    found = plan_folding(model, (1, 3, 2, 2))
    assert {fold.norm: fold.why for fold in found} == {
        "first": "it reads the network's input",
        "read_twice": "what conv gives is read elsewhere, too",
        "after_twice": "twice is called 2 times",
        "after_relu": "it reads relu in relu",
        "shared": "it is called 2 times",
        "after_codes": "codes has codebook weights",
        "own_norm": "its class is OwnNorm, not lightnn's",
        "after_a": "it shares weights, or a does",
        "unused": "it is called 0 times",
        "columns": "its channels are not the columns of fc",
    }
    assert found.pairs == {} and repr(found) == "Folding(0 of 10 batch norms)"
    assert "read_twice" in str(found) and "stays: what conv gives" in str(found)
    assert max(map(len, str(found).splitlines())) <= 80, str(found)
    x = Tensor(rng.standard_normal((2, 3, 2, 2), np.float32))
    np.testing.assert_array_equal(model(x).data, model(x).data)


def test_numbers_that_are_not_finite_are_errors_that_name_the_layer():
    for attribute, value, message in (
        ("running_var", np.array([1.0, -1.0]), "fold_batch_norm: 0: want variances"),
        ("running_var", np.array([1.0, np.nan]), "fold_batch_norm: 0: want variances"),
        ("running_mean", np.array([1.0, np.inf]), r"fold_batch_norm: 0\.bias: want finite"),
    ):
        model = nn.Sequential(nn.Linear(1, 2), nn.BatchNorm1d(2)).eval()
        setattr(model[1], attribute, value)
        with pytest.raises(ValueError, match=message):
            fold_batch_norm(model, (1, 1))
    with pytest.raises(TypeError, match="plan_folding: want a Module, got int"):
        plan_folding(3, (1, 1))
