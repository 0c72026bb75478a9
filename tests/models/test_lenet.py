"""lightnn/models/lenet.py: the LeNets, with the counts that the papers give."""

import numpy as np
import pytest

from lightnn import Tensor, models, nn
from lightnn import functional as F

LENETS = {"lenet_300_100": models.lenet_300_100, "lenet5": models.lenet5}
SHAPES = {  # of every parameter, in definition order
    "lenet_300_100": {
        "fc1.weight": (300, 784),
        "fc1.bias": (300,),
        "fc2.weight": (100, 300),
        "fc2.bias": (100,),
        "fc3.weight": (10, 100),
        "fc3.bias": (10,),
    },
    "lenet5": {
        "conv1.weight": (20, 1, 5, 5),
        "conv1.bias": (20,),
        "conv2.weight": (50, 20, 5, 5),
        "conv2.bias": (50,),
        "fc1.weight": (500, 800),
        "fc1.bias": (500,),
        "fc2.weight": (10, 500),
        "fc2.bias": (10,),
    },
}
COUNTS = {"lenet_300_100": 266_610, "lenet5": 431_080}  # Han et al. 2015, arXiv 1506.02626, table 1: 267K and 431K


def images(rng, channels=1, n=2):
    return rng.random((n, channels, 28, 28), dtype=np.float32)


@pytest.mark.parametrize("name", LENETS)
def test_parameters(name):
    parameters = dict(LENETS[name]().named_parameters())
    assert {n: p.shape for n, p in parameters.items()} == SHAPES[name]
    assert list(parameters) == list(SHAPES[name])
    assert sum(p.size for p in parameters.values()) == COUNTS[name]
    assert {p.dtype for p in parameters.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize(("num_classes", "in_channels"), [(10, 1), (3, 1), (10, 3)])
@pytest.mark.parametrize("name", LENETS)
def test_logits_for_any_channels_and_classes(name, num_classes, in_channels, rng):
    model = LENETS[name](num_classes=num_classes, in_channels=in_channels)
    y = model(Tensor(images(rng, in_channels)))
    assert (y.shape, y.dtype) == ((2, num_classes), np.float32)


@pytest.mark.parametrize("name", LENETS)
def test_every_parameter_gets_a_gradient(name, rng):
    model = LENETS[name](rng=0)
    F.cross_entropy(model(Tensor(images(rng))), np.array([3, 7])).backward()
    for n, p in model.named_parameters():
        assert p.grad is not None and p.grad.shape == p.shape and p.grad.any(), n


@pytest.mark.parametrize("name", LENETS)
def test_weights_follow_the_seed(name):
    def weights(rng):
        return np.concatenate([p.data.ravel() for p in LENETS[name](rng=rng).parameters()])

    np.testing.assert_array_equal(weights(1), weights(1))
    np.testing.assert_array_equal(weights(1), weights(np.random.default_rng(1)))
    assert (weights(1) != weights(2)).any()


@pytest.mark.parametrize("name", LENETS)
def test_dropout_is_off_unless_asked_for(name, rng):
    x = Tensor(images(rng))
    plain, dropping = LENETS[name](rng=0), LENETS[name](dropout=0.5, rng=0)
    np.testing.assert_array_equal(plain(x).data, plain(x).data)
    assert (dropping(x).data != dropping(x).data).any()
    np.testing.assert_array_equal(dropping.eval()(x).data, plain(x).data)


@pytest.mark.parametrize("name", LENETS)
def test_an_image_of_another_size_is_named(name):
    with pytest.raises(ValueError, match=r"linear: .*got x \(2, \d+\), w \(\d+, \d+\)"):
        LENETS[name]()(np.ones((2, 1, 32, 32), np.float32))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_classes": 0}, "num_classes: want an int >= 1, got 0"),
        ({"in_channels": 0}, "in_channels: want an int >= 1, got 0"),
        ({"dropout": 1.5}, "dropout: want a finite number >= 0 and <= 1, got 1.5"),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", LENETS)
def test_options_that_cannot_be(name, options, message):
    with pytest.raises(ValueError, match=message):
        LENETS[name](**options)


@pytest.mark.parametrize("name", LENETS)
def test_it_is_the_stack_of_layers_that_it_says(name, rng):
    model, x = LENETS[name](rng=0), images(rng)
    if name == "lenet5":
        layers = [model.conv1, nn.MaxPool2d(2), model.conv2, nn.MaxPool2d(2)]
        layers += [nn.Flatten(), model.fc1, nn.ReLU(), model.fc2]
    else:
        layers = [nn.Flatten(), model.fc1, nn.ReLU(), model.fc2, nn.ReLU(), model.fc3]
    np.testing.assert_array_equal(model(x).data, nn.Sequential(*layers)(x).data)


@pytest.mark.oracle
def test_lenet5_agrees_with_pytorch(torch, rng):
    from torch.nn import Conv2d, Flatten, Linear, MaxPool2d, ReLU

    parts = {
        "conv1": Conv2d(1, 20, 5),
        "pool1": MaxPool2d(2),
        "conv2": Conv2d(20, 50, 5),
        "pool2": MaxPool2d(2),
        "flatten": Flatten(),
        "fc1": Linear(800, 500),
        "relu": ReLU(),
        "fc2": Linear(500, 10),
    }
    theirs, ours, x = torch.nn.Sequential(), models.lenet5(), images(rng)
    for name, part in parts.items():
        theirs.add_module(name, part)
    ours.load_state_dict({name: t.numpy() for name, t in theirs.state_dict().items()})
    np.testing.assert_allclose(ours(x).data, theirs(torch.tensor(x)).detach().numpy(), rtol=1e-4, atol=1e-5)


def test_the_lenet_of_ternary_weight_networks(rng):
    """Conv, batch norm, ReLU, pool, as in the network description of the paper's code (fengfu-chris/caffe-twns)."""
    net, x = models.twn_lenet5(rng=0), images(rng)
    assert sum(p.size for p in net.parameters()) == 583_242
    assert sum(net.__dict__[name].weight.size for name in ("conv1", "conv2", "fc1", "fc2")) == 581_408
    first = [net.conv1, net.bn1, net.relu1, net.pool, net.conv2, net.bn2, net.relu2, net.pool2]
    stack = nn.Sequential(*first, net.flatten, net.fc1, net.bn3, net.relu3, net.fc2)
    np.testing.assert_array_equal(net(x).data, stack(x).data)
    assert models.twn_lenet5(3, 2)(Tensor(images(rng, 2))).shape == (2, 3)
    F.cross_entropy(net(Tensor(x)), np.array([3, 7])).backward()
    assert all(p.grad is not None for p in net.parameters())
    with pytest.raises(ValueError, match="twn_lenet5: num_classes: want an int >= 1, got 0"):
        models.twn_lenet5(0)
