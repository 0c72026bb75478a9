"""Equalisation and bias correction (Nagel, van Baalen, Blankevoort & Welling 2019, "Data-Free Quantization Through
Weight Equalization and Bias Correction", arXiv 1906.04721): what they save when a weight tensor has one scale.

    W1' = S^-1 W1,   W2' = W2 S,   s_i = sqrt(r1_i r2_i) / r2_i            (equalisation, equation 11)
    b'  = b + E[W x + b] - E[W~ x~ + b]                                    (bias correction, on images)

After batch-norm folding the channels of a depthwise layer differ in size by orders of magnitude, and one scale rounds
most of them to a few levels. The paper shows that on MobileNets and ImageNet. Here a small depthwise network is trained
on Fashion-MNIST, for three seeds, and its weights are rounded to 8 bits and fewer; activations have 8 bits throughout.
AdaRound (Nagel et al. 2020, arXiv 2004.10568) stands against the nearest codes of the same scales.

The network's recipe is that of bench/filters.py. The steps of AdaRound were chosen on the validation images, which also
pick the epoch. The test images are used once for each network.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

from lightnn import compress, data, metrics, models, nn, optim
from lightnn.journal import draws
from lightnn.papers.lab import stage
from lightnn.papers.lab.experiment import Experiment
from lightnn.papers.lab.session import Session
from lightnn.training import Recipe

SEEDS, CALIBRATION, SHAPE = 3, 1000, (1, 1, 28, 28)
PLAIN, BOTH = "plain rounding", "equalised, corrected"


@dataclass(frozen=True)
class Way:
    """Which of the methods are used, in this order."""

    equalised: bool = False
    corrected: bool = False
    per_channel: bool = False
    adaround: bool = False


WAYS = {
    PLAIN: Way(),
    "equalised": Way(equalised=True),
    "corrected": Way(corrected=True),
    BOTH: Way(equalised=True, corrected=True),
    "a scale a channel": Way(per_channel=True),
    "equalised, AdaRound": Way(equalised=True, adaround=True),
    "channel, AdaRound": Way(per_channel=True, adaround=True),
}
NEAREST = {"equalised, AdaRound": "equalised", "channel, AdaRound": "a scale a channel"}  # at the same scales


@dataclass(frozen=True)
class Subject:
    """The network, how it is trained, and what is measured. images: how many of the training images are used; steps:
    of AdaRound, for each layer."""

    recipe: Recipe
    images: int
    bits: tuple[int, ...]
    steps: int
    make: Callable[..., nn.Module] = models.filternet_separable


def recipe(epochs: int) -> Recipe:
    """SGD with momentum and weight decay, while lr falls along a cosine to 0."""
    optimizer = functools.partial(optim.SGD, momentum=0.9, weight_decay=5e-4)
    return Recipe(epochs, 0.1, optimizer, batch_size=50, schedule=optim.CosineLR)


FULL = Subject(recipe(4), images=20_000, bits=(8, 6, 4, 3), steps=300)
QUICK = Subject(recipe(1), images=5_000, bits=(8, 4), steps=50)


def reproduce(session: Session) -> dict:
    """{"parameters", "images", "epochs", "steps", "seeds", "float": [test accuracy in % of each seed], "ways":
    {way: {bits: [one of each seed]}}, "seconds"}. DataNotFoundError says what to do without Fashion-MNIST."""
    subject, seeds = QUICK if session.quick else FULL, session.seeds(1 if session.quick else SEEDS)
    images = stage.split(data.load_fashion_mnist())
    images = images._replace(training=tuple(a[: subject.images] for a in images.training))
    result = {"float": [], "ways": {name: {str(K): [] for K in subject.bits} for name in WAYS}}
    for each in seeds:
        run = Experiment("filternet_separable", subject, images, session.of_seed(each))
        model, _ = run.network("reference", run.fresh(), subject.recipe)
        result["float"].append(_note(run, "float", run.test("float", model)))
        for K in subject.bits:
            for name, accuracy in _ways(run, model, K).items():
                result["ways"][name][str(K)].append(accuracy)
    how = {"parameters": metrics.count_parameters(model), "images": subject.images, "epochs": subject.recipe.epochs}
    return {**how, "steps": subject.steps, "seeds": seeds, **result, "seconds": session.journal.seconds}


def _ways(run, model, K):
    """{way: test accuracy in %} with weights of K bits."""
    found = {}
    for name, way in WAYS.items():
        step = f"{name}, {K} bits"
        numbers = run.journal.step(step, lambda w=way, s=step: _tested(run, rounded(run, model, K, w, s)))
        found[name] = _note(run, step, numbers["error %"])
    return found


def _tested(run, model):
    return {"error %": stage.error(model, run.images.test)}


def _note(run, what, error):
    """The accuracy, printed."""
    run.say(f"seed {run.seed}  {what:<32}{100 - error:6.2f} %")
    return round(100 - error, 2)


def rounded(run: Experiment, model: nn.Module, bits: int, way: Way, name: str) -> nn.Module:
    """The model with weights of `bits` bits and activations of 8, calibrated on training images."""
    x = run.images.training[0][:CALIBRATION]
    folded = compress.fold_batch_norm(model, SHAPE)
    folded = compress.equalize(folded, SHAPE) if way.equalised else folded
    new = compress.quantize(folded, x, weight_bits=bits, per_channel=way.per_channel)
    new = compress.correct_bias(new, x) if way.corrected else new
    if way.adaround:
        new = compress.adaround(new, x, iterations=run.subject.steps, rng=draws(run.seed, name))
    return new
