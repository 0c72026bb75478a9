"""Optimizers and learning-rate schedules."""

from lightnn.optim.optimizers import SGD, Adam, Optimizer
from lightnn.optim.schedules import CosineLR, ExponentialLR, StepLR

__all__ = ["SGD", "Adam", "CosineLR", "ExponentialLR", "Optimizer", "StepLR"]
