"""lightnn/optim/schedules.py: the learning rate by epoch."""

import math

import numpy as np
import pytest

from lightnn.nn import Parameter
from lightnn.optim import SGD, CosineLR, ExponentialLR, StepLR


def sgd(lr=0.8):
    return SGD([Parameter([1.0])], lr=lr)


def rates(schedule, epochs):
    """The learning rate in epoch 0, 1, ..."""
    seen = [schedule.optimizer.lr]
    for _ in range(epochs):
        schedule.step()
        seen.append(schedule.optimizer.lr)
    return seen


def test_step_lr_falls_every_step_size_epochs():
    np.testing.assert_allclose(rates(StepLR(sgd(), 2, 0.5), 5), [0.8, 0.8, 0.4, 0.4, 0.2, 0.2], rtol=1e-14)


def test_step_lr_divides_by_ten_by_default():
    np.testing.assert_allclose(rates(StepLR(sgd(), 1), 2), [0.8, 0.08, 0.008], rtol=1e-14)


def test_cosine_lr_goes_from_the_base_to_eta_min_and_stays():
    got = rates(CosineLR(sgd(), 4, eta_min=0.2), 6)
    half = math.cos(math.pi / 4)
    np.testing.assert_allclose(got, [0.8, 0.5 + 0.3 * half, 0.5, 0.5 - 0.3 * half, 0.2, 0.2, 0.2], rtol=1e-14)


def test_cosine_lr_ends_at_zero_by_default_and_never_rises():
    got = rates(CosineLR(sgd(), 10), 15)
    assert got[-1] == 0 and (np.diff(got) <= 0).all()


def test_the_schedule_only_touches_its_optimizer_when_it_steps():
    optimizer = sgd()
    schedule = CosineLR(optimizer, 4)
    assert optimizer.lr == 0.8
    schedule.step()
    assert optimizer.lr < 0.8


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda o: StepLR(o, 0), "StepLR: step_size: want an int >= 1, got 0"),
        (lambda o: StepLR(o, -2), "StepLR: step_size: want an int >= 1, got -2"),
        (lambda o: CosineLR(o, 0), "CosineLR: T_max: want an int >= 1, got 0"),
    ],
)
def test_options_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make(sgd())


def test_an_exponential_fall_ends_where_it_is_told_to():
    found = rates(ExponentialLR(sgd(0.8), epochs=3, last=0.1), 5)
    np.testing.assert_allclose(found, [0.8, 0.4, 0.2, 0.1, 0.1, 0.1], rtol=1e-12)
    for epochs, last in ((0, 0.1), (3, 0.0)):
        with pytest.raises(ValueError, match=r"ExponentialLR: (epochs|last): want"):
            ExponentialLR(sgd(), epochs, last)
    with pytest.raises(ValueError, match=r"ExponentialLR: optimizer.lr: want a finite number > 0, got 0"):
        ExponentialLR(sgd(0.0), 3, 0.1)


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("ours", "name", "options"),
    [
        (StepLR, "StepLR", {"step_size": 3}),
        (StepLR, "StepLR", {"step_size": 7, "gamma": 0.3}),
        (CosineLR, "CosineAnnealingLR", {"T_max": 20}),
        (CosineLR, "CosineAnnealingLR", {"T_max": 25, "eta_min": 0.1}),
    ],
)
def test_agrees_with_pytorch_for_20_epochs(ours, name, options, torch):
    twin = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.8)
    schedule, want = getattr(torch.optim.lr_scheduler, name)(twin, **options), [0.8]
    for _ in range(20):
        twin.step()
        schedule.step()
        want.append(twin.param_groups[0]["lr"])
    np.testing.assert_allclose(rates(ours(sgd(), **options), 20), want, rtol=1e-12, atol=1e-12)


def test_repr_shows_where_it_starts_and_where_it_is():
    optimizer = SGD([Parameter(np.zeros(2, np.float32))], 0.5)
    schedule = CosineLR(optimizer, T_max=10)
    schedule.step()
    assert repr(schedule) == "CosineLR(T_max=10, eta_min=0.0, base_lr=0.5, epoch=1)"
    assert repr(StepLR(SGD(optimizer.parameters, 0.1), 3)) == ("StepLR(step_size=3, gamma=0.1, base_lr=0.1, epoch=0)")
