"""lightnn/models/description.py: a network as data, and back, without running any code of the file's."""

import inspect
import json

import numpy as np
import pytest

from lightnn import Tensor, models, nn
from lightnn.models import build, describe

NETWORKS = {  # name: (how it is made, a shape it takes)
    "lenet_300_100": (lambda: models.lenet_300_100(num_classes=7, dropout=0.25), (2, 1, 28, 28)),
    "lenet5": (lambda: models.lenet5(3, 2), (2, 2, 28, 28)),
    "Linear": (lambda: nn.Linear(3, 2), (4, 3)),
    "no bias": (
        lambda: nn.Sequential(nn.Conv2d(2, 4, 3, bias=False), nn.Flatten(), nn.Linear(4, 2, False)),
        (1, 2, 3, 3),
    ),
    "Conv2d": (lambda: nn.Conv2d(4, 6, (3, 2), (2, 1), 1, 2, 2), (1, 4, 7, 7)),
    "layers": (
        lambda: nn.Sequential(nn.ReLU(), nn.Sigmoid(), nn.Tanh(), nn.Identity(), nn.Flatten(2), nn.Dropout(0.1)),
        (1, 2, 3, 3),
    ),
    "pools": (
        lambda: nn.Sequential(nn.MaxPool2d(3, 2, 1), nn.AvgPool2d((2, 1)), nn.MaxPool2d(2, None, (1, 0))),
        (1, 1, 9, 9),
    ),
    "nested": (
        lambda: nn.Sequential(nn.Sequential(nn.Flatten(), nn.Sequential()), models.lenet_300_100()),
        (2, 1, 28, 28),
    ),
    "empty": (lambda: nn.Sequential(), (2, 3)),
}


def through_json(model):
    return json.loads(json.dumps(describe(model)))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_description_gives_a_network_of_the_same_shape(name):
    model = NETWORKS[name][0]()
    twin = build(through_json(model))
    assert repr(twin) == repr(model)
    assert {n: p.shape for n, p in twin.named_parameters()} == {n: p.shape for n, p in model.named_parameters()}
    assert describe(twin) == describe(model)


@pytest.mark.parametrize("name", NETWORKS)
def test_with_the_state_it_computes_the_same(name, rng):
    make, shape = NETWORKS[name]
    model, x = make().eval(), Tensor(rng.random(shape, dtype=np.float32))
    twin = build(through_json(model)).eval()
    twin.load_state_dict(model.state_dict())
    np.testing.assert_array_equal(twin(x).data, model(x).data)


@pytest.mark.parametrize("name", models.LAYERS)
def test_every_layer_can_be_described(name):
    """A layer in the table keeps its arguments as attributes of the same names."""
    sizes = {"in_features": 4, "out_features": 4, "in_channels": 4, "out_channels": 4, "kernel_size": 2, "p": 1}
    layer = models.LAYERS[name]
    wanted = [] if name == "Sequential" else inspect.signature(layer).parameters.values()
    model = layer(**{p.name: sizes.get(p.name, 4) for p in wanted if p.default is p.empty})
    assert describe(build(through_json(model))) == describe(model)


def test_the_weights_of_a_built_network_take_no_memory():
    (w, b) = build({"type": "Linear", "args": {"in_features": 1000, "out_features": 1000}}).parameters()
    assert w.shape == (1000, 1000) and not w.data.any() and not w.data.flags.writeable
    assert w.data.strides == (0, 0) and b.data.strides == (0,)


def test_a_built_network_can_be_trained_once_it_has_weights(rng):
    model = models.lenet_300_100(dropout=0.25)
    twin = build(through_json(model))
    twin.load_state_dict(model.state_dict())
    y = twin.train()(rng.random((2, 1, 28, 28), dtype=np.float32))  # its dropout has a real generator
    y.sum().backward()
    for p in twin.parameters():
        p.data -= 0.1 * p.grad


def test_what_has_no_description():
    own, wider = type("Own", (nn.Module,), {}), type("Wider", (nn.Linear,), {})
    for model in (own(), wider(2, 3), nn.Sequential(own()), nn.ModuleList()):
        with pytest.raises(TypeError, match=r"describe: (Own|Wider|ModuleList) is neither built by lightnn.models nor"):
            describe(model)


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ({"type": "os.system", "args": {}}, "unknown layer or architecture 'os.system'"),
        ({"type": "Module", "args": {}}, "unknown layer or architecture 'Module'"),
        ({"type": ["Linear"], "args": {}}, "unknown layer or architecture"),
        ({"args": {}}, "unknown layer or architecture 'None'"),
        ("Linear", "unknown layer or architecture"),
        (None, "unknown layer or architecture"),
        ({"type": "x" * 1000}, r"unknown layer or architecture 'x{40}'\. If it is your own, first put @"),
        ({"type": "ReLU"}, "want a dict in the description, got NoneType"),
        ({"type": "Linear", "args": [3, 2]}, "want a dict in the description, got list"),
        ({"type": "Sequential", "items": {}}, "want a list in the description, got dict"),
        ({"type": "Sequential", "items": [{"type": "Gone"}]}, "unknown layer or architecture 'Gone'"),
        ({"type": "Linear", "args": {"in_features": 3}}, "Linear does not take these arguments: .*out_features"),
        ({"type": "ReLU", "args": {"inplace": True}}, "ReLU does not take these arguments"),
        ({"type": "Linear", "args": {"in_features": 3, "out_features": 2, "rng": 0}}, "does not take these arguments"),
        ({"type": "Linear", "args": {"in_features": 3, "out_features": "2"}}, "want out_features to be"),
        ({"type": "Linear", "args": {"in_features": 3, "out_features": -2}}, "Linear: out_features: want an int >= 1"),
        ({"type": "lenet5", "args": {"dropout": "half"}}, "lenet5.* dropout .*'half'"),
        ({"type": "Flatten", "args": {"start_dim": "x"}}, "start_dim"),
        ({"type": "Linear", "args": {"in_features": 2**22, "out_features": 2}}, "too large to be real"),
        ({"type": "Conv2d", "args": {"kernel_size": [2**40, 1]}}, "too large to be real"),
    ],
)
def test_a_description_that_describe_never_makes(description, message):
    with pytest.raises(ValueError, match=message):
        build(description)


def test_the_network_remembers_its_defaults_but_not_its_seed():
    args = {"num_classes": 5, "in_channels": 1, "dropout": 0.0}
    assert describe(models.lenet5(5, rng=3)) == {"type": "lenet5", "args": args}
    assert models.ARCHITECTURES["lenet5"] is models.lenet5
    assert models.lenet5.__doc__.startswith("LeNet-5")
