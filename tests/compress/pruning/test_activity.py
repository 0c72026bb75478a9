"""lightnn/compress/pruning/activity.py: the fraction of a layer's outputs that are not zero."""

import numpy as np
import pytest

from lightnn.compress import activation_density
from lightnn.models import lenet_300_100
from lightnn.nn import BatchNorm2d, Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential
from lightnn.tensor import Tensor


def test_a_layer_is_counted_after_its_batch_norm_and_relu(rng):
    model = Sequential(Conv2d(1, 3, 3, rng=0), BatchNorm2d(3), ReLU(), MaxPool2d(2), Flatten(), Linear(27, 5, rng=1))
    model[1].bias.data[:] = [-1, 0, 1]
    x = rng.standard_normal((7, 1, 8, 8)).astype(np.float32)
    model.eval()
    after_relu = model[2](model[1](model[0](Tensor(x)))).data
    found = activation_density(model, x, batch_size=3)  # the last batch has one image
    assert list(found) == ["0", "5"] and found["5"] == 1
    assert found["0"] == np.count_nonzero(after_relu) / after_relu.size < 1


def test_a_layer_that_runs_twice_is_counted_twice():
    class Twice(Sequential):
        def forward(self, x):
            return self[0](self[1](self[0](x)))

    model = Twice(Linear(2, 2, bias=False), ReLU())
    model[0].weight.data[:] = [[1, 0], [0, -1]]
    # (1, 1) -> (1, -1), after the ReLU (1, 0) -> (1, 0): one of two, and then one of two without a ReLU
    assert activation_density(model, np.ones((3, 2), np.float32)) == {"0": 0.5}
    # (0, -1) -> (0, 1) -> (0, 1) -> (0, -1)
    assert activation_density(model, np.array([[1, -1]], np.float32)) == {"0": 1.0}


def test_pruned_outputs_are_zero_and_the_model_is_left_as_it_was(rng):
    model = lenet_300_100(rng=0)
    model.fc1.weight.data[:150], model.fc1.bias.data[:150] = 0, 0
    model.train()
    found = activation_density(model, rng.random((20, 1, 28, 28), np.float32))
    assert list(found) == ["fc1", "fc2", "fc3"] and found["fc1"] <= 0.5 and found["fc3"] == 1
    assert model.training and model.fc1.training


def test_no_images_are_an_empty_table():
    assert activation_density(lenet_300_100(rng=0), np.zeros((0, 1, 28, 28), np.float32)) == {}


@pytest.mark.parametrize("batch_size", [1, 7, 100])
def test_the_batch_size_changes_nothing(rng, batch_size):
    model, x = lenet_300_100(rng=0), rng.random((20, 1, 28, 28), np.float32)
    assert activation_density(model, x, batch_size=batch_size) == pytest.approx(activation_density(model, x), abs=1e-3)
