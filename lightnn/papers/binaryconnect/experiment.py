"""BinaryConnect (Courbariaux, Bengio & David 2015, "BinaryConnect: Training Deep Neural Networks with binary weights
during propagations", arXiv 1511.00363) on MNIST, with the paper's network of 3 x 1024 units.

    w = sign(W),    or +1 with probability clip((W + 1) / 2, 0, 1), else -1
    W <- clip(W - lr dL/dw, -1, 1)

As in the paper: batch norm after each layer, the loss of an L2-SVM, batches of 200, a learning rate that falls
exponentially, all four layers binary, no augmentation, no preprocessing. The paper trains for up to 1000 epochs with
SGD; we train with Adam and steps scaled as in the authors' code, for as long as a laptop bears. After random signs the
paper tests the latent weights, floats; their signs are tested, too."""

import copy
import dataclasses
import functools

from lightnn import models
from lightnn.compress import use_binary, use_stochastic_binary
from lightnn.compress.quantization.post_training import layers_with_weights
from lightnn.papers.lab import one_bit
from lightnn.papers.lab.one_bit import RECIPE, Subject, Way, binary
from lightnn.training import reestimate_batch_norm

FULL = Subject("binaryconnect_mlp on MNIST", dataclasses.replace(RECIPE, epochs=40))


def deterministic(rng):
    return binary(models.binaryconnect_mlp(rng=rng), use_binary, rng)


def stochastic(rng):
    return binary(models.binaryconnect_mlp(rng=rng), functools.partial(use_stochastic_binary, rng=rng), rng)


def with_values(model, values):
    """A copy whose weights have these values: use_binary, or None for the latent weights as they are."""
    twin = copy.deepcopy(model)
    for layer in layers_with_weights(twin).values():
        layer.weight.values = None
        if values is not None:
            values(layer.weight)
    return twin


def latent(model, images):
    return with_values(model, None)


def latent_again(model, images):
    return reestimate_batch_norm(latent(model, images), images.training[0])


def signs_again(model, images):
    return reestimate_batch_norm(with_values(model, use_binary), images.training[0])


FORMS = {"latent weights": latent, "latent weights, norms again": latent_again, "signs, norms again": signs_again}
WAYS = {
    "floats": Way("32", "32", lambda rng: models.binaryconnect_mlp(rng=rng)),
    "deterministic": Way("1", "32", deterministic, {"signs, norms again": signs_again}),
    "stochastic": Way("1", "32", stochastic, FORMS),
}

reproduce = one_bit.reproduction(FULL, WAYS)
