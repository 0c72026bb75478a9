"""Training and evaluation.

recipe.py  Recipe: how to train, as one value
loop.py    train (options one by one), follow (a Recipe), evaluate, predict, and the History of a training
"""

from lightnn.training.loop import History, evaluate, follow, predict, train
from lightnn.training.recipe import Recipe

__all__ = ["History", "Recipe", "evaluate", "follow", "predict", "train"]
