"""BNN (Courbariaux, Hubara, Soudry, El-Yaniv & Bengio 2016, "Binarized Neural Networks: Training Neural Networks with
Weights and Activations Constrained to +1 or -1", arXiv 1602.02830) on MNIST, with the paper's 3 x 2048 units.

    h = sign(batch norm(sign(W) h_before)),    dL/dx = dL/dh 1[|x| <= 1]

As in the paper: batch norm after each layer, the loss of an L2-SVM, all four layers binary, batches of 100, no
augmentation; the first layer reads the pixels, not signs. A fifth of the pixels is dropped, as in the authors' code of
their Theano run, which drops half of the hidden units too. The paper's Torch7 run takes shift-based batch norm and
AdaMax, we take the exact ones with Adam, and train for fewer epochs."""

import dataclasses

from lightnn import models
from lightnn.compress import use_binary
from lightnn.papers.lab import one_bit, stage
from lightnn.papers.lab.one_bit import RECIPE, Subject, Way, binary

LONGER = dataclasses.replace(RECIPE, epochs=12, batch_size=100, augment=stage.drop_pixels)
FULL = Subject("bnn_mlp on MNIST", LONGER)


def bnn(rng):
    return binary(models.bnn_mlp(rng=rng), use_binary, rng)


WAYS = {"BNN": Way("1", "1", bnn)}

reproduce = one_bit.reproduction(FULL, WAYS)
