"""Learning-rate schedules. A schedule's `step`, called once an epoch, sets `optimizer.lr`."""

import math

from lightnn import options
from lightnn.optim.optimizers import Optimizer


class Schedule:
    """lr = base_lr factor(epoch); base_lr is the optimizer's lr at epoch 0. A subclass defines `factor`."""

    options = ()  # attributes that `repr` shows

    def __init__(self, optimizer: Optimizer):
        self.optimizer, self.base_lr, self.epoch = optimizer, optimizer.lr, 0

    def step(self) -> None:
        self.epoch += 1
        self.optimizer.lr = self.base_lr * self.factor(self.epoch)

    def factor(self, epoch: int) -> float:
        raise NotImplementedError(f"{type(self).__name__} defines no factor")

    def __repr__(self):
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in (*self.options, "base_lr", "epoch"))
        return f"{type(self).__name__}({shown})"


class StepLR(Schedule):
    """lr = base_lr gamma^floor(epoch / step_size)."""

    options = ("step_size", "gamma")

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1):
        super().__init__(optimizer)
        self.step_size = options.count("StepLR: step_size", step_size)
        self.gamma = options.number("StepLR: gamma", gamma, at_least=0)

    def factor(self, epoch):
        return self.gamma ** (epoch // self.step_size)


class ExponentialLR(Schedule):
    """lr = base_lr (last / base_lr)^(epoch / epochs): lr falls by one factor each epoch, and is `last` after `epochs`,
    where it stays. lr and `last` are > 0."""

    options = ("epochs", "last")

    def __init__(self, optimizer: Optimizer, epochs: int, last: float):
        super().__init__(optimizer)
        self.epochs = options.count("ExponentialLR: epochs", epochs)
        self.last = options.number("ExponentialLR: last", last, above=0)
        options.number("ExponentialLR: optimizer.lr", self.base_lr, above=0)

    def factor(self, epoch):
        return (self.last / self.base_lr) ** (min(epoch, self.epochs) / self.epochs)


class CosineLR(Schedule):
    """lr = eta_min + (base_lr - eta_min)(1 + cos(pi epoch / T_max)) / 2 (Loshchilov & Hutter 2017, arXiv 1608.03983,
    equation 5, without restarts). After T_max it stays at eta_min, where PyTorch's CosineAnnealingLR rises again."""

    options = ("T_max", "eta_min")

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0):
        super().__init__(optimizer)
        self.T_max = options.count("CosineLR: T_max", T_max)
        self.eta_min = options.number("CosineLR: eta_min", eta_min, at_least=0)

    def factor(self, epoch):
        low = self.eta_min / self.base_lr if self.base_lr else 0.0
        return low + (1 - low) * (1 + math.cos(math.pi * min(epoch, self.T_max) / self.T_max)) / 2
