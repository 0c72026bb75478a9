"""Training and evaluation.

recipe.py    Recipe: how to train, as one value
loop.py      train (options one by one), follow (a Recipe), evaluate, predict, and the History of a training
distillation.py  a teacher beside the labels
ensembles.py several teachers as one, and answers that are remembered
relatives.py losses on features: hints, attention, relations
parallel.py  train_parallel: the same on several workers, which exchange encoded gradients
replica.py   the workers' side of it
gradients.py gradients of a network of few bits beside those of its twin in floats; latent weights
statistics.py  reestimate_batch_norm: running statistics for weights that have changed
codec.py     what they exchange: GradientCodec, and Uncompressed (the others are in lightnn/compress/gradients)
"""

from lightnn.training.codec import GradientCodec, Uncompressed
from lightnn.training.distillation import distil, distillation_loss, soft_targets
from lightnn.training.ensembles import Ensemble, Remembered, mean_logits
from lightnn.training.gradients import cosine, gradient_cosines, latent_histogram, sign_flips, weight_gradients
from lightnn.training.loop import History, evaluate, follow, predict, train
from lightnn.training.parallel import ParallelHistory, Workers, train_parallel
from lightnn.training.recipe import Recipe
from lightnn.training.relatives import FeatureStudent, attention_loss, features_of, relation_loss
from lightnn.training.statistics import reestimate_batch_norm

__all__ = [
    "Ensemble",
    "FeatureStudent",
    "GradientCodec",
    "History",
    "ParallelHistory",
    "Recipe",
    "Remembered",
    "Uncompressed",
    "Workers",
    "attention_loss",
    "cosine",
    "distil",
    "distillation_loss",
    "evaluate",
    "features_of",
    "follow",
    "gradient_cosines",
    "latent_histogram",
    "mean_logits",
    "predict",
    "reestimate_batch_norm",
    "relation_loss",
    "sign_flips",
    "soft_targets",
    "train",
    "train_parallel",
    "weight_gradients",
]
