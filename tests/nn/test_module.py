"""lightnn/nn/module.py: a network is a tree, found from plain attributes; its state can be saved, loaded, copied."""

import copy

import numpy as np
import pytest

from lightnn import Tensor, nn
from lightnn.compress import Codebook, Mask
from lightnn.nn import Module, Parameter


class Scale(Module):
    """y = a x, with a running count as its buffer."""

    buffers = ("count",)

    def __init__(self, a):
        self.a, self.count, self.note = Parameter(np.array(a, np.float64)), np.array(0), "not part of the state"

    def forward(self, x):
        return self.a() * x


class Net(Module):
    def __init__(self):
        self.last = Scale([1.0])
        self.w = Parameter(np.array([[2.0, 3.0]]))
        self.blocks = [Scale([4.0]), Parameter(np.array(5.0)), (), "text", Scale([6.0])]
        self.part = nn.Sequential(Scale([7.0]), nn.Sequential(Scale([8.0])))
        self.constant, self.missing = np.ones(3), None

    def forward(self, x):
        return self.part(self.last(x)) + self.w()


NAMES = ["last.a", "w", "blocks.0.a", "blocks.1", "blocks.4.a", "part.0.a", "part.1.0.a"]


def test_parameters_are_found_in_definition_order_lists_included():
    names, parameters = zip(*Net().named_parameters(), strict=True)
    assert list(names) == NAMES
    assert [p.data.flat[0] for p in parameters] == [1, 2, 4, 5, 6, 7, 8]
    net = Net()
    assert [id(p) for p in net.parameters()] == [id(p) for _, p in net.named_parameters()]


def test_modules_are_found_by_their_path():
    net = Net()
    modules = dict(net.named_modules())
    assert list(modules) == ["", "last", "blocks.0", "blocks.4", "part", "part.0", "part.1", "part.1.0"]
    assert modules[""] is net and modules["part.1.0"] is net.part[1][0]
    assert list(net.modules()) == list(modules.values())


def test_a_part_that_is_used_twice_is_one_part():
    net = Net()
    net.again, net.tied = net.last, net.w
    assert [name for name, _ in net.named_parameters()] == NAMES


def test_an_attribute_set_later_belongs_to_the_tree_and_one_taken_away_does_not():
    net = Net()
    net.new = Scale([9.0])
    del net.part
    net.w = None
    assert [name for name, _ in net.named_parameters()] == ["last.a", "blocks.0.a", "blocks.1", "blocks.4.a", "new.a"]


def test_values_and_support_belong_to_the_tree():
    layer = nn.Linear(3, 2)
    layer.weight.values = Codebook(np.array([0.5, 1.0], np.float32), np.zeros((2, 3), int))
    layer.weight.support = Mask(np.ones((2, 3), bool))
    assert [name for name, _ in layer.named_parameters()] == ["weight", "weight.values.codebook", "bias"]
    assert [name for name, _ in layer.named_modules()] == ["", "weight.values", "weight.support"]
    assert {"weight.values.codes", "weight.support.mask"} < layer.state_dict().keys()


def test_train_and_eval_reach_every_part():
    net = Net()
    net.w.support = Mask(np.ones((1, 2), bool))
    assert net.training
    assert net.eval() is net and {m.training for m in net.modules()} == {False}
    assert net.train() is net and {m.training for m in net.modules()} == {True}
    assert net.train(False).part[1].training is False


def test_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match="Module defines no forward"):
        Module()(1)


def test_printing_shows_the_tree_and_the_arguments():
    text = repr(nn.Sequential(nn.Linear(3, 2), nn.Sequential(nn.MaxPool2d(2))).eval())
    assert text.splitlines()[0] == "Sequential("
    assert "  0: Linear(in_features=3, out_features=2)" in text
    assert "    0: MaxPool2d(kernel_size=(2, 2)" in text
    assert "training" not in text


def test_options_are_shown_where_they_differ_from_the_default():
    assert repr(nn.Conv2d(1, 4, 3, padding=1, bias=False)) == (
        "Conv2d(in_channels=1, out_channels=4, kernel_size=(3, 3), padding=(1, 1), bias=False)"
    )
    assert repr(nn.BatchNorm2d(4, eps=1e-3)) == "BatchNorm2d(num_features=4, eps=0.001)"
    assert repr(nn.ReLU()) == "ReLU()" and repr(nn.Dropout(0.2)) == "Dropout(p=0.2)"


def test_a_compressed_layer_prints_what_its_weight_holds():
    layer = nn.Linear(3, 2)
    layer.weight.support = Mask(np.ones((2, 3), bool))
    assert repr(layer).splitlines() == [
        "Linear(",
        "  in_features=3, out_features=2",
        f"  weight: Parameter(shape=(2, 3), support={layer.weight.support!r})",
        ")",
    ]
    frozen = Parameter(np.zeros(3))
    frozen.requires_grad = False
    assert repr(frozen) == "Parameter(shape=(3,), float64, requires_grad=False)"


# Parameter


def test_a_parameter_is_a_tensor_that_wants_a_gradient():
    p = Parameter([1.0, 2.0])
    assert isinstance(p, Tensor) and p.requires_grad and p.dtype == np.float32
    assert p() is p and p.values is p.support is None
    assert type(p + 1) is Tensor


def test_calling_a_parameter_applies_values_then_support():
    p = Parameter(np.array([10.0, 20.0, 30.0]))
    p.support = Mask(np.array([True, False, True]))
    np.testing.assert_array_equal(p().data, [10, 0, 30])
    p.values = Codebook(np.array([-1.0, 7.0]), np.array([0, 1, 1]))
    np.testing.assert_array_equal(p().data, [-1, 0, 7])
    np.testing.assert_array_equal(p.data, [10, 20, 30])


def test_gradients_reach_the_latent_weight_or_the_codebook():
    p = Parameter(np.array([10.0, 20.0, 30.0, 40.0]))
    p.support = Mask(np.array([True, False, True, True]))
    p().backward(np.array([1.0, 2.0, 3.0, 4.0]))
    np.testing.assert_array_equal(p.grad, [1, 0, 3, 4])
    p.grad, p.values = None, Codebook(np.array([-1.0, 7.0]), np.array([0, 0, 0, 1]))
    p().backward(np.array([1.0, 2.0, 3.0, 4.0]))
    np.testing.assert_array_equal(p.values.codebook.grad, [1 + 3, 4])
    assert p.grad is None


# The state


def test_state_dict_round_trip():
    first, second = Net(), Net()
    for i, p in enumerate(first.parameters()):
        p.data = np.full(p.shape, 10.0 + i)
    first.part[0].count = np.array(3)
    second.load_state_dict(first.state_dict())
    assert (
        first.state_dict().keys()
        == second.state_dict().keys()
        == {*NAMES} | {n.removesuffix("a") + "count" for n in NAMES if n.endswith(".a")}
    )
    for name, a in first.state_dict().items():
        np.testing.assert_array_equal(second.state_dict()[name], a)
    x = np.array([1.0, 2.0])
    np.testing.assert_array_equal(first(x).data, second(x).data)


def test_a_state_is_a_copy_in_both_directions():
    net = Net()
    state = net.state_dict()
    net.w.data[:] = -1
    np.testing.assert_array_equal(state["w"], [[2, 3]])
    net.load_state_dict(state)
    state["w"][:] = -2
    np.testing.assert_array_equal(net.w.data, [[2, 3]])


def test_loading_keeps_the_parameter_and_its_dtype():
    net = Net()
    w = net.w
    net.load_state_dict({**net.state_dict(), "w": np.array([[8, 9]], np.float32)})
    assert net.w is w and w.dtype == np.float64
    np.testing.assert_array_equal(w.data, [[8, 9]])


def test_not_strict_loads_what_fits_by_name():
    net = Net()
    net.load_state_dict({"w": np.array([[8.0, 9.0]]), "unknown": np.ones(1)}, strict=False)
    np.testing.assert_array_equal(net.w.data, [[8, 9]])
    np.testing.assert_array_equal(net.last.a.data, [1])


MISSING, UNEXPECTED, MISSHAPED = (r"missing .*part\.0\.a", "unexpected .*typo", r"w: want \(1, 2\), got \(2,\)")


@pytest.mark.parametrize(
    ("drop", "add", "strict", "wanted"),
    [
        (["part.0.a"], {}, True, [MISSING]),
        ([], {"typo": np.ones(1)}, True, [UNEXPECTED]),
        ([], {"w": np.ones(2)}, True, [MISSHAPED]),
        ([], {"w": np.ones(2)}, False, [MISSHAPED]),
        (["part.0.a"], {"typo": np.ones(1), "w": np.ones(2)}, True, [MISSING, UNEXPECTED, MISSHAPED]),
    ],
    ids=["missing", "unexpected", "mis-shaped", "mis-shaped, not strict", "all three"],
)
def test_a_state_that_does_not_fit_is_described_and_changes_nothing(drop, add, strict, wanted):
    net = Net()
    before = net.state_dict()
    state = {k: v + 1 for k, v in before.items() if k not in drop} | add
    with pytest.raises((KeyError, ValueError)) as error:
        net.load_state_dict(state, strict)
    for part in wanted:
        assert error.match("load_state_dict: .*" + part)
    for name, a in net.state_dict().items():
        np.testing.assert_array_equal(a, before[name])


# Copies


def compressed():
    layer = nn.Linear(3, 2, rng=0)
    layer.weight.values = Codebook(np.array([0.5, 1.0], np.float32), np.array([[0, 1, 0], [1, 1, 0]]))
    layer.weight.support = Mask(np.array([[True, True, False], [True, False, True]]))
    return layer


@pytest.mark.parametrize("make", [Net, compressed])
def test_a_deep_copy_is_equal_and_independent(make):
    net = make()
    for p in net.parameters():
        p.grad = np.ones_like(p.data)
    twin = copy.deepcopy(net)
    assert [n for n, _ in twin.named_parameters()] == [n for n, _ in net.named_parameters()]
    before = net.state_dict()
    for name, a in twin.state_dict().items():
        np.testing.assert_array_equal(a, before[name])
    for p in twin.parameters():
        p.data[...] = p.grad[...] = 0
    for m in twin.modules():
        for name in m.buffers:
            getattr(m, name)[...] = 0
    twin.eval()
    for name, a in net.state_dict().items():
        np.testing.assert_array_equal(a, before[name])
    assert all(p.grad.all() for p in net.parameters()) and net.training


def test_a_deep_copy_uses_its_own_codebook_and_mask():
    layer = compressed()
    twin = copy.deepcopy(layer)
    assert type(twin.weight) is Parameter and twin.weight.values is not layer.weight.values
    twin.weight.values.codebook.data[:] = 9
    np.testing.assert_array_equal(twin.weight().data, [[9, 9, 0], [9, 0, 9]])
    np.testing.assert_array_equal(layer.weight().data, [[0.5, 1, 0], [1, 0, 0.5]])
    twin.weight().backward(np.ones((2, 3)))
    assert layer.weight.values.codebook.grad is None


def test_a_deep_copy_of_tied_weights_is_tied():
    net = Net()
    net.last.a = net.part[0].a
    twin = copy.deepcopy(net)
    assert twin.last.a is twin.part[0].a is not net.last.a
