"""The networks of the survey's table: published counts to the digit, one step of training, the file.

Parameters are counted on shapes alone (lightnn.nn.sketch). MACs need a run: the small networks at their papers' size,
the others with --thorough.
"""

import numpy as np
import pytest

import lightnn
from lightnn import Tensor, metrics, models, optim
from lightnn import functional as F
from lightnn.models.efficient import EFFICIENTNET_SCALES
from lightnn.models.efficient_lite import EFFICIENTNET_LITE_SCALES
from lightnn.nn.sketch import shapes_only

COUNTS = {  # name: (parameters, million MACs)
    "alexnet": (61_100_840, 714.2), "vgg16": (138_357_544, 15_470.3), "googlenet": (6_624_904, 1_498.4),
    "inception_v3": (23_834_568, 5_713.2), "resnet18": (11_689_512, 1_814.1), "resnet34": (21_797_672, 3_663.8),
    "resnet50": (25_557_032, 4_089.2), "densenet121": (7_978_856, 2_834.2), "squeezenet1_0": (1_248_424, 818.9),
    "squeezenet1_1": (1_235_496, 349.2), "mobilenet_v2": (3_504_872, 300.8), "mobilenet_v3_small": (2_542_856, 56.5),
    "mobilenet_v3_large": (5_483_032, 216.6), "shufflenet_v2_x0_5": (1_366_792, 40.5),
    "shufflenet_v2_x1_0": (2_278_604, 144.9), "shufflenet_v2_x1_5": (3_503_624, 295.8),
    "shufflenet_v2_x2_0": (7_393_996, 583.3), "mnasnet0_5": (2_218_512, 104.5), "mnasnet0_75": (3_170_208, 215.5),
    "mnasnet1_0": (4_383_312, 314.4), "mnasnet1_3": (6_282_256, 526.4), "efficientnet_b0": (5_288_548, 385.8),
    "efficientnet_b1": (7_794_184, 686.8), "efficientnet_b2": (9_109_994, 993.6),
    "efficientnet_b3": (12_233_232, 1_827.1), "efficientnet_b4": (19_341_616, 4_393.8),
    "efficientnet_b5": (30_389_784, 10_266.4),
    "efficientnet_b6": (43_040_704, 19_067.6), "efficientnet_b7": (66_347_960, 37_745.9),
    "efficientnet_lite0": (4_652_008, 385.2), "efficientnet_lite1": (5_416_680, 600.2),
    "efficientnet_lite2": (6_092_072, 859.7), "efficientnet_lite3": (8_197_096, 1_383.3),
    "efficientnet_lite4": (13_006_568, 2_553.0),
}  # fmt: skip
SIZES = {"inception_v3": 299} | {f"efficientnet_{name}": s.size for name, s in EFFICIENTNET_SCALES.items()}
SIZES |= {f"efficientnet_{name}": s.size for name, s in EFFICIENTNET_LITE_SCALES.items()}
WITHOUT_AUX = {"googlenet": {"aux_logits": False}, "inception_v3": {"aux_logits": False}}
QUICK = {
    "mobilenet_v2",
    "mobilenet_v3_small",
    "shufflenet_v2_x0_5",
    "shufflenet_v2_x1_0",
    "mnasnet0_5",
    "squeezenet1_1",
}
QUICK |= {"efficientnet_b0", "efficientnet_lite0"}


@pytest.mark.parametrize("name", COUNTS)
def test_parameters_are_the_published_ones(name):
    with shapes_only(10**6):
        model = getattr(models, name)(**WITHOUT_AUX.get(name, {}))
    assert metrics.count_parameters(model) == COUNTS[name][0]


def test_parameters_with_auxiliary_classifiers():
    with shapes_only(10**6):
        made = models.googlenet(), models.inception_v3(), models.deeplabv3_resnet50(aux_loss=True)
    assert [metrics.count_parameters(m) for m in made] == [13_004_888, 27_161_264, 42_004_074]


@pytest.mark.compiled
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.thorough) for name in COUNTS]
)
def test_macs_are_the_published_ones(name):
    size = SIZES.get(name, 224)
    model = getattr(models, name)(**WITHOUT_AUX.get(name, {}))
    assert metrics.count_macs(model, (1, 3, size, size)) / 1e6 == pytest.approx(COUNTS[name][1], abs=0.05)


SMALL = {  # name: (its options, side of the image)
    "alexnet": ({"width_mult": 0.05}, 63),
    "vgg16": ({"width_mult": 0.1}, 32),
    "googlenet": ({"width_mult": 0.1}, 32),
    "inception_v3": ({"width_mult": 0.1, "aux_logits": False}, 75),
    "resnet18": ({"width_mult": 0.1}, 32),
    "resnet50": ({"width_mult": 0.1}, 32),
    "densenet": ({"blocks": (2, 3), "growth": 4, "width": 8}, 32),
    "squeezenet1_0": ({"width_mult": 0.25}, 32),
    "squeezenet1_1": ({"width_mult": 0.25}, 32),
    "mobilenet_v2": ({"width_mult": 0.1}, 32),
    "mobilenet_v3_small": ({"width_mult": 0.1}, 32),
    "shufflenet_v2": ({"width": 8, "last": 16}, 32),
    "mnasnet": ({"width_mult": 0.1}, 32),
    "efficientnet": ({"width_mult": 0.1, "depth_mult": 0.5}, 32),
    "efficientnet_lite": ({"width_mult": 0.1, "depth_mult": 0.5}, 32),
}


def small(name, **more):
    options, size = SMALL[name]
    return getattr(models, name)(**options | {"num_classes": 4, "in_channels": 1} | more, rng=0), size


@pytest.mark.thorough
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in ("densenet", "shufflenet_v2") else pytest.mark.compiled) for n in SMALL]
)
def test_one_step_moves_every_parameter_and_the_file_holds_the_network(name, rng, tmp_path):
    net, size = small(name)
    x, labels = rng.standard_normal((8, 1, size, size), np.float32), np.arange(8) % 4
    before = [p.data.copy() for p in net.parameters()]
    sgd = optim.SGD(net.parameters(), lr=0.1)
    outputs = net.train()(Tensor(x))
    loss = models.auxiliary_loss(outputs, labels) if isinstance(outputs, tuple) else F.cross_entropy(outputs, labels)
    loss.backward()
    sgd.step()
    assert np.isfinite(loss.item())
    for (key, p), old in zip(net.named_parameters(), before):
        assert p.grad is not None and np.isfinite(p.grad).all(), key
        assert (p.data != old).any() or not p.grad.any(), key
    lightnn.save(net.eval(), tmp_path / "net.lnn")
    np.testing.assert_array_equal(lightnn.predict(lightnn.load(tmp_path / "net.lnn"), x), lightnn.predict(net, x))


@pytest.mark.thorough
@pytest.mark.compiled
@pytest.mark.parametrize("name", ["mobilenet_v3_small", "shufflenet_v2", "densenet"])
def test_a_small_network_learns(name, rng):
    """Eight images by heart, in twelve steps."""
    net, size = small(name)
    x, labels = rng.standard_normal((8, 1, size, size), np.float32), np.arange(8) % 4
    adam = optim.Adam(net.parameters(), lr=0.005)
    losses = []
    for _ in range(12):
        loss = F.cross_entropy(net.train()(Tensor(x)), labels)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.compiled
def test_blocks_are_skipped_in_training_only(rng):
    net, size = small("efficientnet_lite")
    x = Tensor(rng.standard_normal((8, 1, size, size), np.float32))
    net.dropout.p = 0.0
    assert (net.train()(x).data != net(x).data).any()  # the statistics of batch norm are the batch's both times
    for m in net.modules():
        if hasattr(m, "stochastic_depth"):
            m.stochastic_depth.p = 0.0
    np.testing.assert_array_equal(net(x).data, net(x).data)


@pytest.mark.compiled
def test_what_a_network_with_auxiliary_classifiers_returns(rng):
    net, size = small("googlenet")
    x = Tensor(rng.standard_normal((2, 1, size, size), np.float32))
    outputs = net.train()(x)
    assert outputs._fields == ("logits", "aux_logits2", "aux_logits1") and all(y.shape == (2, 4) for y in outputs)
    losses = [F.cross_entropy(y, np.array([1, 2])).item() for y in outputs]
    got = models.auxiliary_loss(outputs, np.array([1, 2]), 0.5).item()
    assert got == pytest.approx(losses[0] + 0.5 * (losses[1] + losses[2]), rel=1e-5)
    assert net.eval()(x).shape == (2, 4)
    plain, _ = small("googlenet", aux_logits=False)
    assert plain.train()(x).shape == (2, 4) and not any(name.startswith("aux") for name in plain.state_dict())


@pytest.mark.compiled
def test_deeplab_has_a_class_for_each_pixel(rng, tmp_path):
    net = models.deeplab((1, 1, 1, 1), (1, 2, 3), True, 5, 1, 0.1, rng=0)
    x = rng.standard_normal((2, 1, 33, 40), np.float32)
    outputs, labels = net.train()(Tensor(x)), rng.integers(0, 5, (2, 33, 40))
    assert outputs.out.shape == outputs.aux.shape == (2, 5, 33, 40)
    parts = [F.cross_entropy(y.transpose(0, 2, 3, 1).reshape(-1, 5), labels.reshape(-1)) for y in outputs]
    (parts[0] + 0.5 * parts[1]).backward()
    assert all(p.grad is not None and np.isfinite(p.grad).all() for p in net.parameters())
    assert net.eval()(Tensor(x)).shape == (2, 5, 33, 40)
    lightnn.save(net, tmp_path / "net.lnn")
    np.testing.assert_array_equal(lightnn.predict(lightnn.load(tmp_path / "net.lnn"), x), lightnn.predict(net, x))


@pytest.mark.compiled
def test_atrous_convolutions_keep_an_eighth_of_the_pixels(rng):
    net = models.deeplab((1, 1, 1, 1), (1,), width_mult=0.05, rng=0)
    rows = {r.module: r.out_shape[2:] for r in metrics.trace(net, (1, 3, 64, 64))}
    assert rows["backbone.layer2.0.conv3"] == rows["backbone.layer4.0.conv3"] == (8, 8)


@pytest.mark.compiled
def test_inception_branches_stand_side_by_side():
    rows = metrics.trace(models.googlenet(aux_logits=False, width_mult=0.25, rng=0), (1, 3, 32, 32))
    joined = [r for r in rows if r.op == "concat" and r.module == "inception3a"]
    assert joined[0].out_shape[1] == (64 + 128 + 32 + 32) // 4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: models.googlenet(in_channels=1, transform_input=True),
            "transform_input: want in_channels=3 with it, got 1",
        ),
        (lambda: models.inception_v3(aux_logits=1), "inception_v3: aux_logits: want True or False, got 1"),
        (
            lambda: models.shufflenet_v2(7),
            "shufflenet_v2: width: want an even number of channels, which are halved; got 7",
        ),
        (lambda: models.densenet(()), "densenet: blocks: want one to eight numbers of layers, each >= 1, got "),
        (lambda: models.densenet((3, 0)), "densenet: blocks: want one to eight numbers of layers, each >= 1, got "),
        (lambda: models.efficientnet(depth_mult=0), "efficientnet: depth_mult: want a finite number"),
        (lambda: models.efficientnet_lite(width_mult=-1), "efficientnet_lite: width_mult: want a finite number"),
        (lambda: models.deeplab((1, 2, 3)), "deeplab: want four blocks and one to eight rates"),
        (lambda: models.alexnet(num_classes=0), "alexnet: num_classes: want an int >= 1, got 0"),
    ],
)
def test_what_can_not_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
