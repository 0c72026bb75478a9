"""A network that was changed after it was built is saved as what it is, or refused; never as the unchanged one."""

import functools
import inspect
import types

import numpy as np
import pytest

from lightnn import Tensor, load, models, nn, save
from lightnn import functional as F
from lightnn.compress import channels, plan, prune, share, thin
from lightnn.models import ARCHITECTURES, LAYERS, describe


def resnet():
    return models.cifar_resnet(8, 4, rng=0)


class LeakyReLU(nn.ReLU):
    def forward(self, x):
        return F.relu(x) - F.relu(-x) * 0.01


def edited(path, value):
    """A change: sets the attribute at a dotted path to value, which may be a function of the old one."""

    def change(model):
        *owners, name = path.split(".")
        owner = functools.reduce(getattr, owners, model)
        setattr(owner, name, value)

    return change


def own_parameter(model):
    model.fc.bias = type("Scaled", (nn.Parameter,), {})(np.zeros(10, np.float32))


def add_member(model):
    model.extra = nn.Linear(2, 2, rng=0)


def remove_member(model):
    del model.layer1[0].relu


def reorder(model):
    conv1 = model.conv1
    del model.conv1
    model.conv1 = conv1


def put_leaky(model):
    model.layer1[0].relu.__class__ = LeakyReLU


def append(model):
    model.layer2.append(nn.Tanh())


def tie(model):
    model.layer1[0].conv2 = model.layer1[0].conv1


def hide(model):
    model.extra = {"one": nn.Linear(2, 2, rng=0)}


CHANGES = {  # how a residual network is changed: what the error says
    "another activation": (
        edited("layer1.0.relu", nn.Hardswish()),
        r"save: layer1\.0\.relu is Hardswish here, ReLU in the cifar_resnet that its description builds$",
    ),
    "a subclass": (edited("layer1.0.relu", LeakyReLU()), r"layer1\.0\.relu is LeakyReLU here, ReLU in"),
    "another class of the same module": (put_leaky, r"layer1\.0\.relu is LeakyReLU here, ReLU in"),
    "a class of the same name": (
        edited("relu", type("ReLU", (nn.ReLU,), {})()),
        r"relu is [\w.]*test_silent_change\.ReLU here, lightnn\.nn\.activation\.ReLU in",
    ),
    "another pool": (edited("avgpool", nn.MaxPool2d(8)), r"avgpool is MaxPool2d here, AdaptiveAvgPool2d in"),
    "the pool's size": (edited("avgpool.output_size", (2, 2)), r"avgpool\.output_size\.0 is 2 here, 1 in"),
    "eps": (edited("bn1.eps", 1e-3), r"save: bn1\.eps is 0\.001 here, 1e-05 in the cifar_resnet"),
    "momentum": (edited("bn1.momentum", 0.5), r"bn1\.momentum is 0\.5 here, 0\.1 in"),
    "stride": (edited("layer2.0.conv1.stride", (1, 1)), r"layer2\.0\.conv1\.stride\.0 is 1 here, 2 in"),
    "stride, one number": (edited("conv1.stride", 2), r"conv1\.stride\.0 is 2 here, 1 in"),
    "dilation": (edited("conv1.dilation", (2, 2)), r"conv1\.dilation\.0 is 2 here, 1 in"),
    "padding": (edited("conv1.padding", (1, 0)), r"conv1\.padding\.1 is 0 here, 1 in"),
    "an option of the block": (edited("layer2.0.stride", 1), r"layer2\.0\.stride is 1 here, 2 in"),
    "a kernel's size": (edited("conv1.kernel_size", (5, 5)), r"conv1\.kernel_size\.0 is 5 here, 3 in"),
    "forward of a module": (
        edited("layer1.0.relu.forward", lambda x: x),
        r"save: layer1\.0\.relu\.forward is <lambda> here, ReLU\.forward in the cifar_resnet",
    ),
    "forward of the network": (
        edited("forward", types.MethodType(lambda self, x: x, nn.ReLU())),
        r"save: forward is \S+ here, CifarResNet\.forward in",
    ),
    "the names of the buffers": (edited("bn1.buffers", ()), r"bn1\.buffers is \(\) here"),
    "the shortcut": (edited("layer2.0.downsample", nn.Identity()), r"layer2\.0\.downsample is Identity here, None in"),
    "no bias": (edited("fc.bias", None), r"fc\.bias is None here, an array of shape \(10,\) in"),
    "a wider layer": (edited("fc", nn.Linear(16, 20)), r"fc\.\w+ is .* here, .* in"),
    "a buffer of another shape": (
        edited("bn1.running_mean", np.zeros(1, np.float32)),
        r"bn1\.running_mean is an array of shape \(1,\) here, an array of shape \(4,\) in",
    ),
    "one module more": (add_member, r"save: extra is Linear here, nothing in"),
    "one module more at the end": (append, r"layer2\.1 is Tanh here, nothing in"),
    "one module less": (remove_member, r"layer1\.0\.relu is nothing here, ReLU in"),
    "another order": (reorder, r"the order of the parts of the network is bn1, .*conv1 here, conv1, bn1, .* in"),
    "two layers made one": (tie, r"layer1\.0\.conv2 is the same module as layer1\.0\.conv1 here, another one in"),
    "modules in a dict": (hide, r"extra.*is .*Linear.* here, nothing in|extra.*is inside a dict"),
    "a function for a module": (edited("relu", F.relu), r"save: relu is relu here, ReLU in"),
    "a parameter of a class of one's own": (
        own_parameter,
        r"fc\.bias is Scaled here, Parameter in the",
    ),
}


@pytest.mark.parametrize("which", CHANGES)
def test_a_changed_network_is_refused_and_the_change_named(which, tmp_path):
    change, message = CHANGES[which]
    model = resnet().eval()
    save(model, tmp_path / "a.lnn")
    old = (tmp_path / "a.lnn").read_bytes()
    change(model)
    with pytest.raises(TypeError, match=message):
        save(model, tmp_path / "a.lnn")
    assert (tmp_path / "a.lnn").read_bytes() == old


def test_a_note_on_a_module_changes_nothing(tmp_path):
    model = resnet().eval()
    model.note, model.bn1.seen, model.losses = "trained on Monday", 3, [0.5, 0.25]
    save(model, tmp_path / "a.lnn")
    assert load(tmp_path / "a.lnn").bn1.eps == 1e-5


def test_an_option_that_says_the_same_in_another_way_is_no_change(tmp_path):
    model = resnet()
    model.conv1.stride, model.bn1.eps, model.layer1[0].stride = 1, np.float64(1e-5), np.int64(1)
    save(model, tmp_path / "a.lnn")


def test_what_training_changes_is_no_change(rng, tmp_path):
    model = models.lenet_300_100(dropout=0.5, rng=0)
    model.fc1.weight.requires_grad = False
    model.dropout1.rng = np.random.default_rng(7)
    model(Tensor(rng.random((2, 1, 28, 28), np.float32))).sum().backward()
    save(model.train(), tmp_path / "a.lnn")


def test_layers_are_described_as_they_are_now(rng, tmp_path):
    """A network of layers has no other description than its layers' options, so these may be changed."""
    model = nn.Sequential(nn.Conv2d(1, 2, 3, rng=0), nn.BatchNorm2d(2), nn.ReLU(), nn.Dropout(0.25)).eval()
    model[0].stride, model[0].padding, model[1].eps, model[3].p = 2, (1, 0), 0.1, 0.5
    setattr(model, "2", nn.Hardswish())
    x = Tensor(rng.standard_normal((2, 1, 9, 9), np.float32))
    save(model, tmp_path / "a.lnn")
    loaded = load(tmp_path / "a.lnn")
    np.testing.assert_array_equal(loaded(x).data, model(x).data)
    assert loaded[3].p == 0.5
    model[1].forward = lambda x: x
    with pytest.raises(TypeError, match=r"save: 1\.forward is .* here, _BatchNorm\.forward in the Sequential"):
        save(model, tmp_path / "a.lnn")


def test_one_module_without_weights_may_stand_in_two_places(rng, tmp_path):
    relu = nn.ReLU()
    model, x = nn.Sequential(relu, nn.Tanh(), relu), Tensor(rng.standard_normal((2, 3), np.float32))
    save(model, tmp_path / "a.lnn")
    np.testing.assert_array_equal(load(tmp_path / "a.lnn")(x).data, model(x).data)


def test_the_rates_of_dropout_are_saved(rng, tmp_path):
    """Deep Compression lowers them while it prunes; the loaded network trains on like the saved one."""
    model = models.lenet_300_100(dropout=0.5, rng=0)
    model.dropout1.p = np.float64(0.125)
    save(model, tmp_path / "a.lnn")
    loaded = load(tmp_path / "a.lnn")
    assert (loaded.dropout1.p, loaded.dropout2.p) == (0.125, 0.5)
    assert describe(loaded) == describe(model) and describe(model)["dropout"] == {"dropout1": 0.125}
    x = Tensor(rng.random((2, 1, 28, 28), np.float32))
    model.dropout1.rng, model.dropout2.rng = (m.rng for m in (loaded.dropout1, loaded.dropout2))
    states = [m.rng.bit_generator.state for m in (model.dropout1, model.dropout2)]
    want = model.train()(x).data
    for m, state in zip((loaded.dropout1, loaded.dropout2), states):
        m.rng.bit_generator.state = state
    np.testing.assert_array_equal(loaded.train()(x).data, want)
    loaded.dropout1.p = 0.5
    assert "dropout" not in describe(loaded)
    model.dropout2.p = 1.5
    with pytest.raises(TypeError, match=r"want a rate 0 <= p <= 1 of a Dropout, got 1\.5 for 'dropout2'"):
        save(model, tmp_path / "a.lnn")


def test_a_thinned_network_is_no_changed_one_until_it_is_changed(rng, tmp_path):
    model, x = resnet().eval(), Tensor(rng.standard_normal((2, 3, 8, 8), np.float32))
    found = channels(model, (1, 3, 8, 8))
    thinned = thin(model, plan(model, found, {"layer1.0.conv1": [0, 2]}))
    both = nn.Sequential(thinned, nn.ReLU()).eval()  # its shapes have other names now
    for network in (thinned, both):
        save(network, tmp_path / "a.lnn")
        loaded = load(tmp_path / "a.lnn")
        np.testing.assert_array_equal(loaded(x).data, network(x).data)
        assert describe(loaded) == describe(network)
    thinned.layer1[0].bn1.eps = 0.5
    for network, name in ((thinned, r"layer1\.0\.bn1\.eps"), (both, r"0\.layer1\.0\.bn1\.eps")):
        with pytest.raises(TypeError, match=f"save: {name} is 0.5 here"):
            save(network, tmp_path / "a.lnn")


# Every architecture and layer

SMALL = {"cifar_resnet": {"depth": 8, "width": 4}}
SMALL |= {name: {"width_mult": 0.1} for name in ("vgg16_cifar", "mobilenet_v1", "mobilenet_v1_full", "mobilenet_v2")}
SMALL |= {name: {"width_mult": 0.1} for name in ("mobilenet_v3_small", "mobilenet_v3_large", "mnasnet", "resnet18")}
SMALL |= {name: {"width_mult": 0.1} for name in ("squeezenet1_0", "squeezenet1_1", "resnet34", "resnet50", "googlenet")}
SMALL |= {name: {"width_mult": 0.05} for name in ("alexnet", "vgg16", "inception_v3")}
SMALL |= {name: {"width_mult": 0.1, "depth_mult": 0.5} for name in ("efficientnet", "efficientnet_lite")}
SMALL |= {"densenet": {"blocks": (2, 3), "growth": 4, "width": 8}, "shufflenet_v2": {"width": 8, "last": 16}}
SMALL |= {"deeplab": {"blocks": (1, 1, 1, 1), "rates": (1, 2), "aux_loss": True, "width_mult": 0.1}}
SMALL |= {"shiftnet": {"widths": (4, 8, 12, 16), "blocks": (1, 2, 1, 1)}}
SMALL |= {"binaryconnect_mlp": {"width": 20}, "bnn_mlp": {"width": 20}}
OF_LIGHTNN = [name for name, make in ARCHITECTURES.items() if make.__module__.startswith("lightnn.")]
SIDE = dict.fromkeys(["lenet_300_100", "lenet5", "twn_lenet5", "xnor_lenet5", "binaryconnect_mlp", "bnn_mlp"], 28)
SIDE |= {"alexnet": 63, "inception_v3": 75}
LAYER_OPTIONS = {
    "in_features": 5, "out_features": 4, "in_channels": 4, "out_channels": 4, "num_features": 4, "kernel_size": 3,
    "output_size": 2, "groups": 2, "bits": 2, "p": 0.5,
}  # fmt: skip
LAYER_SHAPES = {"Linear": (2, 5), "XnorLinear": (2, 5), "BatchNorm1d": (2, 4)}


def an_architecture(name):
    make = ARCHITECTURES[name]
    model = make(**SMALL.get(name, {}), rng=3)
    channels = inspect.signature(make).parameters["in_channels"].default
    return model, (2, channels, SIDE.get(name, 32), SIDE.get(name, 32))


def a_layer(name):
    wanted = [] if name == "Sequential" else inspect.signature(LAYERS[name]).parameters.values()
    options = {p.name: LAYER_OPTIONS[p.name] for p in wanted if p.default is p.empty}
    return LAYERS[name](**options), LAYER_SHAPES.get(name, (2, 4, 6, 6))


def randomize(model, rng):
    """Every array of the network gets its own numbers: weights around 0, and positive vectors (variances)."""
    for _, owner, attribute in model._slots():
        array = getattr(owner, attribute)
        if array.dtype.kind == "f":
            low = -0.1 if array.ndim > 1 else 0.1
            setattr(owner, attribute, (rng.random(array.shape) * 0.2 + low).astype(array.dtype))


SMALLEST = ("lenet", "twn", "cifar_resnet", "filternet_separable", "mobilenet_v1")
LONG = pytest.mark.compiled, pytest.mark.thorough
NAMES = [*(pytest.param(n, marks=() if n.startswith(SMALLEST) else LONG) for n in OF_LIGHTNN), *LAYERS]


@pytest.mark.parametrize("name", NAMES)
def test_every_architecture_and_layer_comes_back_bit_for_bit(name, rng, tmp_path):
    model, shape = an_architecture(name) if name in ARCHITECTURES else a_layer(name)
    randomize(model, rng)
    weights = [p for n, p in model.named_parameters() if n.endswith("weight") and p.ndim > 1 and p.size < 10**6]
    x = Tensor(rng.standard_normal(shape, np.float32))
    for prepare in (lambda: None, lambda: [prune(p, 0.5) for p in weights], lambda: [share(p, 2) for p in weights]):
        prepare()
        save(model.eval(), tmp_path / "a.lnn")
        loaded = load(tmp_path / "a.lnn")
        assert describe(loaded) == describe(model) and repr(loaded) == repr(model)
        np.testing.assert_array_equal(loaded(x).data, model(x).data, strict=True)


@pytest.mark.parametrize("name", NAMES)
def test_no_attribute_of_any_module_can_be_changed_silently(name, tmp_path):
    """Each plain option of each type of module: it is described, or refused. A counter of batches is no option."""
    model, _ = an_architecture(name) if name in ARCHITECTURES else a_layer(name)
    first_of_type = {type(m): m for m in reversed(list(model.modules()))}
    for module in first_of_type.values():
        for option, value in list(vars(module).items()):
            if option in ("architecture", "rng", *module.counters) or not isinstance(
                value, bool | int | float | tuple | None
            ):
                continue
            other = not value if isinstance(value, bool) else value + 1 if isinstance(value, int) else 0.75
            setattr(module, option, (2, 3) if isinstance(value, tuple) else other)
            try:
                save(model, tmp_path / "a.lnn")
            except (TypeError, ValueError):
                pass
            else:
                loaded = dict(load(tmp_path / "a.lnn").named_modules())
                path = next(path for path, m in model.named_modules() if m is module)
                assert getattr(loaded[path], option) == getattr(module, option), (path, option)
            setattr(module, option, value)
