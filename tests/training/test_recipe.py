"""lightnn/training: a Recipe holds how to train, and `follow` does what `train` does with the same options."""

import dataclasses
import functools

import numpy as np
import pytest

from lightnn import functional as F
from lightnn import nn, train
from lightnn.optim import SGD, CosineLR
from lightnn.training import History, Recipe, follow

DATA = np.random.default_rng(0).standard_normal((40, 2)).astype(np.float32), np.arange(40) % 3


def noise(x, rng):
    return x + rng.normal(0, 0.1, x.shape).astype(x.dtype)


def test_follow_and_train_give_the_same_bits():
    momentum = functools.partial(SGD, momentum=0.9)
    recipe = Recipe(3, lr=0.1, optimizer=momentum, batch_size=16, schedule=CosineLR, augment=noise)
    one, two = nn.Linear(2, 3, rng=0), nn.Linear(2, 3, rng=0)
    first = follow(recipe, one, DATA, validation=DATA, rng=5, progress=False)
    optimizer = SGD(two.parameters(), lr=0.1, momentum=0.9)
    options = {"batch_size": 16, "schedule": CosineLR(optimizer, 3), "augment": noise, "validation": DATA, "rng": 5}
    second = train(two, DATA, epochs=3, optimizer=optimizer, progress=False, **options)
    np.testing.assert_array_equal(one.weight.data, two.weight.data)
    assert (first.loss, first.val_accuracy) == (second.loss, second.val_accuracy)


def test_each_training_makes_its_own_optimizer():
    recipe, models = Recipe(2, lr=0.1, optimizer=functools.partial(SGD, momentum=0.9)), []
    for _ in range(2):
        models.append(nn.Linear(2, 3, rng=0))
        follow(recipe, models[-1], DATA, progress=False)
    np.testing.assert_array_equal(models[0].weight.data, models[1].weight.data)


def test_after_step_is_called_after_each_update():
    model, seen = nn.Linear(2, 3, rng=0), []
    recipe = Recipe(2, lr=0.1, batch_size=16, after_step=lambda: seen.append(model.weight.data.copy()))
    follow(recipe, model, DATA, progress=False)
    assert len(seen) == 6 and (seen[0] != seen[1]).any()
    np.testing.assert_array_equal(seen[-1], model.weight.data)


def test_the_repr_names_what_is_not_the_default():
    recipe = Recipe(3, 0.1, functools.partial(SGD, momentum=0.9), batch_size=100, schedule=CosineLR, augment=noise)
    want = "epochs=3, lr=0.1, optimizer=SGD(momentum=0.9), batch_size=100, schedule=CosineLR, augment=noise"
    assert repr(recipe) == f"Recipe({want})"
    assert repr(Recipe(1, lr=0.05)) == "Recipe(epochs=1, lr=0.05)"
    assert (
        repr(dataclasses.replace(recipe, loss=F.mse_loss))
        == f"Recipe({want.replace('augment', 'loss=mse_loss, augment')})"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": -1}, "train: epochs: want an int >= 0, got -1"),
        ({"batch_size": 0}, "train: batch_size: want an int >= 1, got 0"),
        ({"batch_size": 2.5}, "train: batch_size: want an int >= 1, got 2.5"),
        ({"lr": float("nan")}, "train: lr: want a finite number >= 0, got nan"),
        ({"loss": "mse"}, "train: loss: want a function, got 'mse'"),
    ],
)
def test_a_recipe_that_nobody_can_follow(options, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**{"epochs": 1, "lr": 0.1} | options)


def test_a_history_prints_as_a_table():
    history = History([0.5, 0.25], [0.75, 0.9], [0.8, 0.875], [1.0, 2.0], best_epoch=1)
    lines = str(history).splitlines()
    assert lines[0].split() == ["epoch", "loss", "accuracy", "seconds", "validation"]
    assert lines[2].split() == ["1", "0.2500", "90.00%", "2.0", "87.50%", "best"]
    assert "<table>" in history._repr_html_()
    assert repr(history) == "History(2 epochs, loss 0.2500, validation 87.50%, best epoch 1)"
    assert repr(History(interrupted=True)) == "History(0 epochs, interrupted)"
    assert str(History(interrupted=True)).splitlines()[0] == "interrupted"
