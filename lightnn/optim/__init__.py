"""Optimizers and learning-rate schedules."""

from lightnn.optim.optimizers import SGD, Adam, Optimizer
from lightnn.optim.schedules import CosineLR, StepLR

__all__ = ["SGD", "Adam", "CosineLR", "Optimizer", "StepLR"]
