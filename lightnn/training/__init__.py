"""Training and evaluating: the plain loop."""

from lightnn.training.loop import History, evaluate, predict, train

__all__ = ["History", "evaluate", "predict", "train"]
