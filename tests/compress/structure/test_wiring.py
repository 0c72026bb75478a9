"""lightnn/compress/structure/wiring.py: which op reads what, in which module, and who returned it."""

import pytest

from lightnn import functional as F
from lightnn import models, nn
from lightnn.compress.structure.wiring import INPUT, wiring


class Joined(nn.Module):
    def __init__(self):
        self.pool, self.dropout, self.conv, self.relu = nn.MaxPool2d(1), nn.Dropout(), nn.Conv2d(1, 1, 1), nn.ReLU()
        self.same = nn.Identity()

    def forward(self, x):
        y = self.relu(self.same(self.conv(self.dropout(self.pool(x)))))
        return F.concat([y, self.relu(y + x)], 1)


def test_a_small_network_by_hand():
    model = Joined()
    run = wiring("test", model, (1, 1, 2, 2))
    assert [(s.op.name, s.module, s.inputs) for s in run.steps] == [
        ("max_pool2d", "pool", (INPUT,)),
        ("conv2d", "conv", (0,)),
        ("relu", "relu", (1,)),
        ("add", "", (2, INPUT)),
        ("relu", "relu", (3,)),
        ("concat", "", (2, 4)),
    ]
    assert run.readers == {INPUT: [0, 3], 0: [1], 1: [2], 2: [3, 5], 3: [4], 4: [5]}
    assert run.returned == {0: "pool", 1: "conv", 2: "relu", 4: "relu", 5: ""}
    assert run.taken[INPUT] == ["", "pool"] and run.taken[1] == ["same", "relu"]
    assert run.calls == {"": 1, "pool": 1, "dropout": 1, "conv": 1, "same": 1, "relu": 2}
    assert run.output == 5 and "forward" not in vars(model) and model.training


def test_the_layers_of_a_network_of_the_library():
    run = wiring("test", models.lenet5(), (1, 1, 28, 28))
    assert [s.module for s in run.steps if s.op.is_layer] == ["conv1", "conv2", "fc1", "fc2"]
    assert run.calls["pool"] == 2


def test_a_network_that_computes_nothing():
    run = wiring("test", nn.Identity(), (1, 2))
    assert run.steps == [] and run.output == INPUT and run.taken == {INPUT: [""]}
    assert wiring("test", nn.Flatten(0), (2, 2)).output == 0


def test_errors_say_who_asked():
    with pytest.raises(TypeError, match="plan: want a Module, got int"):
        wiring("plan", 3, (1, 2))
    with pytest.raises(ValueError, match="plan: input_shape: want ints from 1"):
        wiring("plan", nn.ReLU(), (0,))
