"""Training and evaluation.

recipe.py    Recipe: how to train, as one value
loop.py      train (options one by one), follow (a Recipe), evaluate, predict, and the History of a training
parallel.py  train_parallel: the same on several workers, which exchange encoded gradients
replica.py   the workers' side of it
statistics.py  reestimate_batch_norm: running statistics for weights that have changed
codec.py     what they exchange: GradientCodec, and Uncompressed (the others are in lightnn/compress/gradients)
"""

from lightnn.training.codec import GradientCodec, Uncompressed
from lightnn.training.loop import History, evaluate, follow, predict, train
from lightnn.training.parallel import ParallelHistory, Workers, train_parallel
from lightnn.training.recipe import Recipe
from lightnn.training.statistics import reestimate_batch_norm

__all__ = [
    "GradientCodec",
    "History",
    "ParallelHistory",
    "Recipe",
    "Uncompressed",
    "Workers",
    "evaluate",
    "follow",
    "predict",
    "reestimate_batch_norm",
    "train",
    "train_parallel",
]
