"""lightnn/compress/structure/surgery.py: the thinned network is the masked network, whatever depends on what in it."""

import numpy as np
import pytest

import lightnn
from lightnn import Tensor, compress, metrics, models, nn, optim
from lightnn import functional as F
from lightnn.testing import check_codec

ZOO = {
    "lenet_300_100": (models.lenet_300_100, (2, 1, 28, 28)),
    "lenet5": (models.lenet5, (2, 1, 28, 28)),
    "filternet_full": (models.filternet_full, (2, 1, 12, 12)),
    "filternet_separable": (models.filternet_separable, (2, 1, 12, 12)),
    "filternet_grouped": (models.filternet_grouped, (2, 1, 12, 12)),
    "filternet_shift": (models.filternet_shift, (2, 1, 12, 12)),
    "cifar_resnet": (lambda rng: models.cifar_resnet(8, 4, rng=rng), (2, 3, 12, 12)),
    "cifar_resnet, projections": (lambda rng: models.cifar_resnet(8, 4, True, rng=rng), (2, 3, 12, 12)),
    "mobilenet_v1": (lambda rng: models.mobilenet_v1(10, width_mult=0.05, rng=rng), (2, 3, 32, 32)),
    "mobilenet_v3_small": (lambda rng: models.mobilenet_v3_small(10, width_mult=0.1, rng=rng), (2, 3, 32, 32)),
    "efficientnet": (lambda rng: models.efficientnet(0.1, 0.3, num_classes=10, rng=rng), (2, 3, 32, 32)),
    "efficientnet_lite": (lambda rng: models.efficientnet_lite(0.1, 0.3, num_classes=10, rng=rng), (2, 3, 32, 32)),
    "densenet": (lambda rng: models.densenet((2, 2), 4, 8, 10, rng=rng), (2, 3, 32, 32)),
    "googlenet": (lambda rng: models.googlenet(10, width_mult=0.1, rng=rng), (2, 3, 32, 32)),
    "shufflenet_v2": (lambda rng: models.shufflenet_v2(8, 16, 10, rng=rng), (2, 3, 32, 32)),
    "deeplab": (lambda rng: models.deeplab((1, 1, 1, 1), (1, 2), width_mult=0.1, rng=rng), (2, 3, 33, 33)),
    "vgg16_cifar": (lambda rng: models.vgg16_cifar(width_mult=0.05, rng=rng), (2, 3, 32, 32)),
}
LARGER = {
    "mobilenet_v3_small",
    "efficientnet",
    "efficientnet_lite",
    "densenet",
    "googlenet",
    "shufflenet_v2",
    "deeplab",
}


def cut_at_random(nets, model, shape, seed):
    """(Plan, thinned, masked) of a random removal."""
    rng = np.random.default_rng(seed)
    found = compress.channels(model, shape)
    for _ in range(20):
        try:
            cuts = compress.plan(model, found, nets.random_rows(found, rng))
        except ValueError as error:
            assert "nothing would be left" in str(error)
            continue
        if cuts.changed():
            return cuts, compress.thin(model, cuts), compress.mask_channels(model, cuts)
    pytest.skip("nothing in this network can be removed")


def outputs(model, x):
    return model.eval()(Tensor(x)).data


@pytest.mark.parametrize("seed", range(40))
def test_thinned_is_masked_on_random_networks(seed, nets):
    rng = np.random.default_rng(seed)
    model = nets.RandomNet(rng)
    before = model.state_dict()
    cuts, thinned, masked = cut_at_random(nets, model, nets.SHAPE, seed)
    x = rng.standard_normal(nets.SHAPE)
    got, want = outputs(thinned, x), outputs(masked, x)
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-10)
    assert metrics.count_parameters(thinned) == cuts.parameters[1] < cuts.parameters[0]
    assert metrics.count_parameters(masked) == metrics.count_parameters(model) == cuts.parameters[0]
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_the_random_networks_have_every_kind_of_block(nets):
    kinds = {kind for seed in range(40) for kind in nets.RandomNet(np.random.default_rng(seed)).kinds}
    assert kinds == set(nets.BLOCKS)


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.compiled if n in LARGER else ()) for n in ZOO])
def test_thinned_is_masked_on_the_zoo_and_is_what_its_file_holds(name, nets, rng, tmp_path):
    make, shape = ZOO[name]
    model = make(rng=0)
    for p in model.parameters():
        p.data = rng.standard_normal(p.shape).astype(np.float32) * np.float32(0.3)
    cuts, thinned, masked = cut_at_random(nets, model, shape, 5)
    x = rng.standard_normal(shape).astype(np.float32)
    got, want = outputs(thinned, x), outputs(masked, x)
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-4 * np.abs(want).max())
    assert cuts.macs == (metrics.count_macs(model, shape), metrics.count_macs(thinned, shape))
    lightnn.save(thinned, tmp_path / "thin.lnn")
    again = lightnn.load(tmp_path / "thin.lnn")
    np.testing.assert_array_equal(outputs(again, x), got)
    assert repr(again) == repr(thinned)
    assert lightnn.save(again, tmp_path / "again.lnn") == lightnn.save(thinned, tmp_path / "thin.lnn")
    assert (tmp_path / "again.lnn").read_bytes() == (tmp_path / "thin.lnn").read_bytes()


def test_a_thinned_network_can_be_thinned_again_and_saved(nets, rng, tmp_path):
    model = models.filternet_shift(width=8, rng=0)
    for seed in (1, 2):
        _, model, masked = cut_at_random(nets, model, (1, 1, 12, 12), seed)
    x = rng.standard_normal((2, 1, 12, 12)).astype(np.float32)
    np.testing.assert_allclose(outputs(model, x), outputs(masked, x), rtol=0, atol=1e-5)
    lightnn.save(model, tmp_path / "thin.lnn")
    np.testing.assert_array_equal(outputs(lightnn.load(tmp_path / "thin.lnn"), x), outputs(model, x))


@pytest.mark.thorough
def test_thinned_and_masked_train_alike(nets, rng):
    """Masked channels stay 0, so that gradients, and steps with momentum and weight decay, are the same."""
    model = nets.RandomNet(rng)
    _, thinned, masked = cut_at_random(nets, model, nets.SHAPE, 3)
    x, y = rng.standard_normal(nets.SHAPE), np.array([1, 3])
    for net in (thinned, masked):
        sgd = optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=0.01)
        for _ in range(3):
            loss = F.cross_entropy(net.train()(Tensor(x)), y)
            sgd.zero_grad()
            loss.backward()
            sgd.step()
    np.testing.assert_allclose(outputs(thinned, x), outputs(masked, x), atol=1e-8)


def test_pruned_and_shared_weights_are_cut_with_their_transforms(nets, rng):
    model = models.lenet5(rng=0)
    for name in ("conv1", "conv2", "fc1"):
        layer = getattr(model, name)
        compress.prune(layer.weight, 0.5)
        compress.share(layer.weight, 3)
    _, thinned, masked = cut_at_random(nets, model, (1, 1, 28, 28), 0)
    x = rng.standard_normal((2, 1, 28, 28)).astype(np.float32)
    np.testing.assert_allclose(outputs(thinned, x), outputs(masked, x), atol=1e-5)
    check_codec(thinned.conv2.weight)


def test_a_flattened_channel_takes_all_its_columns(rng):
    """Channel 1 of 3, maps of 2 x 2: columns 4 to 7."""
    model = nn.Sequential(nn.Conv2d(1, 3, 1, rng=0), nn.Flatten(), nn.Linear(12, 2, rng=0))
    found = compress.channels(model, (1, 1, 2, 2))
    cuts = compress.plan(model, found, {"0": [1]})
    np.testing.assert_array_equal(cuts["2.weight"].keep[1], [0, 1, 2, 3, 8, 9, 10, 11])
    thinned = compress.thin(model, cuts)
    np.testing.assert_array_equal(thinned[2].weight.data, np.delete(model[2].weight.data, range(4, 8), 1))
    assert (thinned[0].out_channels, thinned[2].in_features) == (2, 8)


def test_the_plan_says_what_it_would_do():
    model = models.lenet5(rng=0)
    text = str(compress.plan(model, compress.channels(model, (1, 1, 28, 28)), {"conv1": range(10), "fc1": [499]}))
    assert text.splitlines() == [
        "conv1.weight   20 x 1 x 5 x 5 -> 10 x 1 x 5 x 5",
        "conv1.bias                 20 -> 10",
        "conv2.weight  50 x 20 x 5 x 5 -> 50 x 10 x 5 x 5",
        "fc1.weight          500 x 800 -> 499 x 800",
        "fc1.bias                  500 -> 499",
        "fc2.weight           10 x 500 -> 10 x 499",
        "parameters            431,080 -> 417,509  (-3.1%)",
        "MACs                2,293,000 -> 1,348,190  (-41.2%)",
    ]


def test_the_plan_is_a_table_in_jupyter_and_short_in_a_terminal():
    model = models.lenet5(rng=0)
    cuts = compress.plan(model, compress.channels(model, (1, 1, 28, 28)), {"fc1": [499]})
    assert ">499 x 800</td>" in cuts._repr_html_() and "(-0.2%)" in cuts._repr_html_()
    assert repr(cuts) == "Plan(3 arrays cut, parameters 431,080 -> 430,269, MACs 2,293,000 -> 2,292,190)"


def test_li_2016_vgg16_a_to_the_digit():
    """Table 1: 34.2 % fewer FLOP, 64.0 % fewer parameters (of convolutions and fully connected layers)."""
    model = models.vgg16_cifar(rng=0)
    found = compress.channels(model, (1, 3, 32, 32))
    convs = [layer for layer in found.layers if layer.startswith("features")]
    halved = {convs[i - 1]: 0.5 for i in (1, 8, 9, 10, 11, 12, 13)}
    cuts = compress.plan(model, found, compress.select(found, compress.norms(model, found), halved))
    assert cuts.macs == (313_463_808, 206_279_680)
    before, after = (
        sum(row.parameters for row in metrics.trace(net, (1, 3, 32, 32)) if row.macs)
        for net in (model, compress.thin(model, cuts))
    )
    assert (before, after) == (14_982_474, 5_393_354)
    assert (round(100 * (1 - 206_279_680 / 313_463_808), 1), round(100 * (1 - after / before), 1)) == (34.2, 64.0)


@pytest.mark.parametrize(
    ("remove", "message"),
    [
        ({"conv9": [0]}, "plan: remove: layer: want conv1 or conv2 or fc1 or fc2, got 'conv9'"),
        ({"conv1": [20]}, r"want rows of conv1 from 0 to 19, got \[20\]"),
        ({"conv1": [-1]}, r"want rows of conv1 from 0 to 19, got \[-1\]"),
        ({"fc2": [3]}, "row 3 of fc2 can't be removed: it is the network's output"),
        ({"conv2": range(50)}, "nothing would be left of conv2.weight: all its 50 channels would be removed"),
    ],
)
def test_a_plan_that_can_not_hold_is_refused(remove, message):
    model = models.lenet5(rng=0)
    with pytest.raises(ValueError, match=message):
        compress.plan(model, compress.channels(model, (1, 1, 28, 28)), remove)


def test_a_plan_for_another_network_is_refused():
    model, other = models.lenet5(rng=0), models.lenet5(num_classes=7, rng=0)
    cuts = compress.plan(model, compress.channels(model, (1, 1, 28, 28)), {"conv1": [1]})
    for use in (compress.thin, compress.mask_channels):
        with pytest.raises(ValueError, match=r"for another network: want fc2.weight \(10, 500\), got \(7, 500\)"):
            use(other, cuts)


def test_a_weight_that_two_layers_share_is_not_cut():
    model = nn.Sequential(nn.Linear(4, 4, rng=0), nn.ReLU(), nn.Linear(4, 4, rng=1), nn.Linear(4, 2, rng=2))
    model[2].weight = model[0].weight
    with pytest.raises(ValueError, match=r"2.weight is another layer's too, so it can't be cut"):
        compress.plan(model, compress.channels(model, (1, 4)), {"2": [0]})


@pytest.mark.parametrize(
    "shapes",
    [{"conv1.weight": [30, 1, 5, 5]}, {"conv1.weight": [3]}, {"conv9.weight": [1]}, {"conv1.weight": "x"},
     {"conv1.weight": [0, 1, 5, 5]}, {"pool.offsets": [2, 3]}, {"conv1.kernel_size": [1, 1]}],
)  # fmt: skip
def test_a_description_with_shapes_that_no_surgery_gives_is_refused(shapes):
    with pytest.raises(ValueError, match="want the shape of"):
        models.build({**models.describe(models.lenet5()), "shapes": shapes})


def test_randomize_leaves_no_number_as_it_was(nets, rng):
    model = nets.RandomNet(rng)
    before = model.state_dict()
    nets.randomize(model, rng)
    numbers = {name: a for name, a in model.state_dict().items() if not name.endswith("num_batches_tracked")}
    assert all((array != before[name]).all() for name, array in numbers.items())
