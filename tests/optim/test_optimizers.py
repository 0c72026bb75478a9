"""lightnn/optim/optimizers.py: the update rules, a step at a time."""

import math

import numpy as np
import pytest

from lightnn import Tensor
from lightnn.nn import Linear, Parameter
from lightnn.optim import SGD, Adam


def walk(make, gradients, start=1.0, shape=(1,)):
    """The values that one weight takes under the given gradients."""
    p, path = Parameter(np.full(shape, start)), []
    optimizer = make([p])
    for g in gradients:
        p.grad = np.full(shape, float(g))
        optimizer.step()
        path.append(p.data.item())
    return path


@pytest.mark.parametrize(
    ("options", "path"),  # lr 0.1, w = 1, gradients 1, 2, -1
    [
        ({}, [0.9, 0.7, 0.8]),
        ({"momentum": 0.5}, [0.9, 0.65, 0.625]),  # v = 1, 2.5, 0.25
        ({"momentum": 0.5, "nesterov": True}, [0.85, 0.525, 0.6125]),  # g + v / 2 = 1.5, 3.25, -0.875
        ({"weight_decay": 0.5}, [0.85, 0.6075, 0.677125]),  # g + w / 2
        ({"momentum": 0.5, "weight_decay": 1.0}, [0.8, 0.42, 0.288]),  # v = 2, 3.8, 1.32
    ],
    ids=str,
)
@pytest.mark.parametrize("shape", [(1,), ()], ids=str)
def test_sgd_by_hand(options, path, shape):
    np.testing.assert_allclose(walk(lambda p: SGD(p, 0.1, **options), [1, 2, -1], shape=shape), path, rtol=1e-14)


@pytest.mark.parametrize("shape", [(1,), ()], ids=str)
def test_adam_by_hand(shape):
    """Two steps with b1 = 1/2, b2 = 3/4, eps = 0: m = 1/2, 5/4; s = 1/4, 19/16, over 1 - b^t."""
    second = (5 / 4) / (1 - 1 / 4) / math.sqrt((19 / 16) / (1 - 9 / 16))
    path = walk(lambda p: Adam(p, 0.1, (0.5, 0.75), 0), [1, 2], shape=shape)
    np.testing.assert_allclose(path, [0.9, 0.9 - 0.1 * second], rtol=1e-14)


@pytest.mark.parametrize("shape", [(3, 40_000), (400, 300)], ids=str)
def test_adam_updates_a_large_array_as_it_updates_its_rows(shape, rng):
    w, g = rng.standard_normal((2, *shape))
    whole, rows = Parameter(w.copy()), [Parameter(row.copy()) for row in w]
    adams = Adam([whole], 0.1, weight_decay=0.01), Adam(rows, 0.1, weight_decay=0.01)
    for _ in range(2):
        whole.grad = g
        for row, part in zip(rows, g):
            row.grad = part
        for adam in adams:
            adam.step()
    assert all(np.array_equal(part, row.data) for part, row in zip(whole.data, rows))
    assert not np.array_equal(whole.data, w)


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_the_first_step_of_adam_is_lr_whatever_the_gradient(size):
    np.testing.assert_allclose(walk(lambda p: Adam(p, 0.01, eps=0), [-size], start=0.0), [0.01], rtol=1e-12)


def test_eps_is_added_to_the_root():
    np.testing.assert_allclose(walk(lambda p: Adam(p, 0.1, eps=1), [3.0], start=0.0), [-0.1 * 3 / (3 + 1)], rtol=1e-12)


def test_adams_weight_decay_adds_to_the_gradient():
    with_decay = walk(lambda p: Adam(p, 0.1, weight_decay=0.5), [1.0])
    np.testing.assert_allclose(with_decay, walk(lambda p: Adam(p, 0.1), [1.0 + 0.5]), rtol=1e-14)


RULES = {
    "SGD": lambda p: SGD(p, 0.1),
    "momentum": lambda p: SGD(p, 0.1, momentum=0.9, weight_decay=0.01),
    "nesterov": lambda p: SGD(p, 0.1, momentum=0.9, nesterov=True),
    "Adam": lambda p: Adam(p, 0.1, weight_decay=0.01),
}


@pytest.mark.parametrize("make", RULES.values(), ids=RULES)
def test_a_quadratic_is_minimised(make):
    p = Parameter(np.array([3.0, -2.0]))
    optimizer = make([p])
    for _ in range(300):
        optimizer.zero_grad()
        ((p() - np.array([1.0, 2.0])) ** 2).sum().backward()
        optimizer.step()
    np.testing.assert_allclose(p.data, [1, 2], atol=0.02)


@pytest.mark.parametrize("make", RULES.values(), ids=RULES)
def test_a_step_changes_the_array_in_place_and_keeps_float32_and_the_gradient(make):
    p = Parameter(np.ones((2, 3), np.float32))
    data, optimizer = p.data, make([p])
    for _ in range(3):
        p.grad = np.full((2, 3), 0.5, np.float32)
        optimizer.step()
        assert p.data is data and p.dtype == np.float32
        np.testing.assert_array_equal(p.grad, np.full((2, 3), 0.5))


@pytest.mark.parametrize("make", RULES.values(), ids=RULES)
def test_a_parameter_without_a_gradient_stays(make):
    still, moving = Parameter([1.0]), Parameter([1.0])
    moving.grad = np.ones(1, np.float32)
    make([still, moving]).step()
    assert still.data == 1 and moving.data != 1


@pytest.mark.parametrize("make", RULES.values(), ids=RULES)
def test_each_parameter_has_its_own_memory(make):
    """Two weights under two histories move as each would alone."""
    histories = ([1.0, -2.0, 3.0], [0.5, 0.5, 0.5])
    both = [Parameter(np.ones(1)), Parameter(np.ones(1))]
    optimizer = make(both)
    for gradients in zip(*histories, strict=True):
        for p, g in zip(both, gradients, strict=True):
            p.grad = np.array([g])
        optimizer.step()
    for p, gradients in zip(both, histories, strict=True):
        assert p.data.item() == walk(make, gradients)[-1]


def test_zero_grad_forgets_the_gradients():
    layer = Linear(2, 1)
    optimizer = SGD(layer.parameters(), lr=0.1)
    layer(np.ones((1, 2), np.float32)).sum().backward()
    optimizer.zero_grad()
    before = layer.state_dict()
    optimizer.step()
    assert all(p.grad is None for p in layer.parameters())
    np.testing.assert_array_equal(layer.weight.data, before["weight"])


def test_the_learning_rate_may_be_changed_on_the_way():
    p = Parameter(np.array([1.0]))
    optimizer = SGD([p], lr=0.1)
    optimizer.lr = 0.5
    p.grad = np.array([1.0])
    optimizer.step()
    assert p.data == 0.5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: SGD([], lr=0.1), "SGD: want at least one parameter, got none"),
        (lambda p: Adam(iter(())), "Adam: want at least one parameter, got none"),
        (lambda p: SGD(p, lr=-1), "SGD: lr: want a finite number >= 0, got -1"),
        (lambda p: SGD(p, lr=math.nan), "SGD: lr: want a finite number >= 0, got nan"),
        (lambda p: Adam(p, lr=math.inf), "Adam: lr: want a finite number >= 0, got inf"),
        (lambda p: SGD(p, 0.1, momentum=-0.1), "SGD: momentum: want a finite number >= 0, got -0.1"),
        (lambda p: SGD(p, 0.1, weight_decay=-0.1), "SGD: weight_decay: want a finite number >= 0, got -0.1"),
        (lambda p: SGD(p, 0.1, nesterov=True), "SGD: nesterov: want momentum > 0 with it, got 0"),
        (lambda p: Adam(p, betas=(0.9, 1.0)), r"Adam: betas: want a finite number >= 0 and < 1, got 1.0"),
        (lambda p: Adam(p, betas=(0.9,)), r"Adam: betas: want two numbers >= 0 and < 1, got \(0.9,\)"),
        (lambda p: Adam(p, eps=-1e-8), "Adam: eps: want a finite number >= 0, got -1e-08"),
        (lambda p: Adam(p, weight_decay=-1), "Adam: weight_decay: want a finite number >= 0, got -1"),
    ],
)
def test_options_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make([Parameter([1.0])])


@pytest.mark.parametrize(
    "parameters",
    [Parameter([[1.0, 2.0]]), [np.ones(2)], [("w", Parameter([1.0]))], [Tensor([1.0])]],
    ids=["one Parameter", "an array", "named_parameters", "a Tensor without gradient"],
)
@pytest.mark.parametrize("make", [lambda p: SGD(p, lr=0.1), Adam], ids=["SGD", "Adam"])
def test_what_is_not_a_list_of_parameters_is_refused(make, parameters):
    with pytest.raises((TypeError, ValueError), match=r"(SGD|Adam): want .*[Pp]arameters"):
        make(parameters)


OPTIONS = {
    "SGD": [
        {"lr": 0.1},
        {"lr": 0.1, "weight_decay": 0.1},
        {"lr": 0.05, "momentum": 0.9},
        {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1, "nesterov": True},
    ],
    "Adam": [{}, {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-3}, {"lr": 0.01, "weight_decay": 0.1}],
}


@pytest.mark.oracle
@pytest.mark.parametrize(("name", "options"), [(n, o) for n, all_ in OPTIONS.items() for o in all_], ids=str)
def test_agrees_with_pytorch_for_20_steps(name, options, torch, rng):
    shapes = [(4, 3), (3,), ()]
    ours = [Parameter(np.asarray(rng.standard_normal(s))) for s in shapes]
    theirs = [torch.tensor(p.data, requires_grad=True) for p in ours]  # torch.tensor copies
    optimizer, twin = {"SGD": SGD, "Adam": Adam}[name](ours, **options), getattr(torch.optim, name)(theirs, **options)
    for step in range(20):
        for p, q in zip(ours, theirs, strict=True):
            g = np.asarray(rng.standard_normal(p.shape))
            p.grad, q.grad = (g, torch.tensor(g)) if step % 5 or p.shape else (None, None)  # now and then none
        optimizer.step()
        twin.step()
        for p, q in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=1e-12, atol=1e-12)


def test_repr_shows_the_options_that_are_set():
    p = [Parameter(np.zeros(2, np.float32))]
    assert repr(SGD(p, 0.1, momentum=0.9)) == "SGD(lr=0.1, momentum=0.9)"
    assert repr(SGD(p, 0.1, 0.9, 1e-4, nesterov=True)) == (
        "SGD(lr=0.1, momentum=0.9, weight_decay=0.0001, nesterov=True)"
    )
    assert repr(Adam(p)) == "Adam(lr=0.001, betas=(0.9, 0.999), eps=1e-08)"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_adam_without_memory_does_not_drift(dtype):
    """With betas (0, 0), m is the gradient to the last digit, whatever came before: a step is lr sign(g)."""
    p = Parameter(np.zeros(4, dtype))
    optimizer = Adam([p], lr=2.0**-10, betas=(0.0, 0.0), eps=0.0)
    steps = np.array([[1, -1, 1e-3, 1], [1e6, -1e-6, 3, -1], [1e-7, -1e7, 0.3, 1e3], [1 / 3, -7, 0.1, -1e-3]], dtype)
    for g in [*steps] * 50:
        p.grad = g
        optimizer.step()
    signs = np.sign(steps).sum(0) * 50
    np.testing.assert_allclose(p.data, -(2.0**-10) * signs, rtol=1e-5)


@pytest.mark.oracle
@pytest.mark.parametrize("betas", [(0.0, 0.0), (0.0, 0.9), (0.9, 0.0), (0.4, 0.4), (0.6, 0.999)])
def test_adam_agrees_with_pytorch_for_any_betas(betas, torch, rng):
    p = Parameter(rng.standard_normal(20))
    twin = torch.tensor(p.data, requires_grad=True)
    ours, theirs = Adam([p], lr=0.01, betas=betas), torch.optim.Adam([twin], lr=0.01, betas=betas)
    for _ in range(50):
        g = rng.standard_normal(20) * 10.0 ** rng.integers(-6, 6, 20)
        p.grad, twin.grad = g, torch.tensor(g)
        ours.step()
        theirs.step()
        np.testing.assert_allclose(p.data, twin.detach().numpy(), rtol=1e-9, atol=1e-12)
