"""Training and evaluation.

recipe.py    Recipe: how to train, as one value
loop.py      train (options one by one), follow (a Recipe), evaluate, predict, and the History of a training
distillation.py  a teacher beside the labels
parallel.py  train_parallel: the same on several workers, which exchange encoded gradients
replica.py   the workers' side of it
codec.py     what they exchange: GradientCodec, and Uncompressed (the others are in lightnn/compress/gradients)
"""

from lightnn.training.codec import GradientCodec, Uncompressed
from lightnn.training.distillation import Distillation, distillation_loss
from lightnn.training.loop import History, evaluate, follow, predict, train
from lightnn.training.parallel import ParallelHistory, Workers, train_parallel
from lightnn.training.recipe import Recipe

__all__ = [
    "Distillation",
    "GradientCodec",
    "History",
    "ParallelHistory",
    "Recipe",
    "Uncompressed",
    "Workers",
    "distillation_loss",
    "evaluate",
    "follow",
    "predict",
    "train",
    "train_parallel",
]
