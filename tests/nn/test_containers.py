"""lightnn/nn/containers.py: modules in a row, and modules in a list."""

import numpy as np
import pytest

from lightnn import Tensor, nn


def test_sequential_applies_its_parts_in_order():
    x = np.array([[-1.0, 2.0]], np.float32)
    relu_first, linear = nn.ReLU(), nn.Linear(2, 3, rng=0)
    want = linear(relu_first(x)).data
    np.testing.assert_array_equal(nn.Sequential(relu_first, linear)(x).data, want)
    assert not np.array_equal(nn.Sequential(linear, nn.ReLU())(x).data, want)


def test_an_empty_sequential_is_the_identity():
    x = Tensor([1.0, 2.0])
    assert nn.Sequential()(x) is x


def test_members_are_named_by_number():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Sequential(nn.ReLU(), nn.Linear(3, 1, bias=False)))
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias", "2.1.weight"]
    assert list(model.state_dict()) == ["0.weight", "0.bias", "2.1.weight"]


@pytest.mark.parametrize("make", [lambda parts: nn.ModuleList(parts), lambda parts: nn.Sequential(*parts)])
def test_a_container_is_a_list(make):
    parts = [nn.ReLU() for _ in range(12)]
    container = make(parts)
    assert len(container) == 12 and list(container) == parts
    assert container[0] is parts[0] and container[-1] is container[11] is parts[11]
    with pytest.raises(IndexError):
        container[12]
    more = nn.Tanh()
    assert container.append(more) is container and container[12] is more
    assert [name for name, _ in container.named_modules()] == ["", *map(str, range(13))]


def test_a_module_list_is_part_of_the_tree():
    class Net(nn.Module):
        def __init__(self):
            self.layers = nn.ModuleList([nn.Linear(2, 2, bias=False) for _ in range(2)])

        def forward(self, x):
            for layer in self.layers:
                x = layer(x)
            return x

    net = Net()
    assert [name for name, _ in net.named_parameters()] == ["layers.0.weight", "layers.1.weight"]
    net(np.ones((1, 2), np.float32)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Sequential(nn.ReLU(), "relu"), "Sequential: want Modules, got str"),
        (lambda: nn.Sequential([nn.ReLU()]), "Sequential: want Modules, got list"),
        (lambda: nn.Sequential(nn.ReLU), "Sequential: want Modules, got type"),
        (lambda: nn.ModuleList([nn.Parameter([1.0])]), "ModuleList: want Modules, got Parameter"),
    ],
)
def test_only_modules_are_taken(make, message):
    with pytest.raises(TypeError, match=message):
        make()
