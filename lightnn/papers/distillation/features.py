"""Losses on features beside soft targets: a student of two narrow convolutions, and a teacher of two wide ones.

The features are those after the second pooling: the teacher's are 50 maps of 4 x 4, the student's 8.

    hint        (1 / 2) mean |r(a) - b|^2, r a 1 x 1 convolution to 50 maps, learned as well (FitNets, arXiv 1412.6550)
    attention   `attention_loss` (arXiv 1612.03928);   relation   `relation_loss` (arXiv 1904.05068)

FitNets first learns the hint alone and then the soft targets; here both parts of a loss are learned at once, and labels
take the place of the soft targets. Each loss has a weight, which the validation images choose for the first seed.
"""

import dataclasses
import functools

from lightnn import functional as F
from lightnn import nn
from lightnn.papers.distillation.controls import MOVED
from lightnn.papers.distillation.students import Student, errors, measured, trained
from lightnn.papers.lab.experiment import Experiment
from lightnn.training import FeatureStudent, Remembered, attention_loss, distil, features_of, relation_loss

FRONT = 6  # modules of the network whose output are the features
WIDTHS = {"teacher": (20, 50, 200), "student": (4, 8, 32)}
WEIGHTS = {"hint": (0.1, 1.0), "attention": (1.0, 10.0), "relation": (1.0, 10.0)}


def convolutional(widths: tuple[int, int, int], rng=None) -> nn.Module:
    """Two 5 x 5 convolutions, each with ReLU and max-pooling, then a hidden layer and 10 outputs."""
    rng, (a, b, units) = nn.init.generator(rng), widths
    front = [nn.Conv2d(1, a, 5, rng=rng), nn.ReLU(), nn.MaxPool2d(2)]
    front += [nn.Conv2d(a, b, 5, rng=rng), nn.ReLU(), nn.MaxPool2d(2)]
    back = [nn.Flatten(), nn.Linear(16 * b, units, rng=rng), nn.ReLU(), nn.Linear(units, 10, rng=rng)]
    return nn.Sequential(*front, *back)


def measure(run: Experiment) -> dict:
    """{"teacher": {"validation errors": [one], "test errors"}, name: row, with "weight" and "tried"}."""
    subject, x = dataclasses.replace(run.subject, lr=run.subject.conv_lr), run.images.training[0]
    run, epochs = dataclasses.replace(run, subject=subject), subject.conv_epochs
    how = Student(functools.partial(convolutional, WIDTHS["teacher"]), augment=MOVED, epochs=epochs)
    teacher, _ = run.journal.network("conv teacher", lambda: (trained(run, "conv teacher", how, 100), {}))
    found = {"teacher": _of_one(run, teacher)}
    make = functools.partial(convolutional, WIDTHS["student"])
    found["alone"] = measured(run, "conv student alone", Student(make, epochs=epochs))
    soft = distil(Remembered(teacher, x), subject.T, subject.weight)
    found["soft targets"] = measured(run, "conv student, soft targets", Student(make, soft, epochs))
    front = Remembered(nn.Sequential(*list(teacher)[:FRONT]), x)
    target = features_of(front, lambda net, x: (None, net(x)))
    for name, weights in WEIGHTS.items():
        found[name] = _best(run, name, weights, functools.partial(_student, make, epochs, name, target))
    return found


def _of_one(run, teacher):
    return {key: [n] for key, n in run.journal.step("errors of the conv teacher", lambda: errors(run, teacher)).items()}


def _best(run, name, weights, student):
    """The row of the weight with the fewest validation errors for the first seed."""
    first, tried = dataclasses.replace(run, subject=dataclasses.replace(run.subject, seeds=1)), {}
    for weight in weights:
        row = measured(first, f"conv student, {name}, weight {weight:g}", student(weight))
        tried[f"{weight:g}"] = row["validation errors"][0]
    best = float(min(tried, key=tried.get))
    row = measured(run, f"conv student, {name}, weight {best:g}", student(best))
    return row | {"weight": best, "tried": tried}


def _student(make, epochs, name, target, weight):
    apart = {"hint": _hint, "attention": attention_loss, "relation": relation_loss}[name]

    def wrap(model):
        r = nn.Conv2d(WIDTHS["student"][1], WIDTHS["teacher"][1], 1, rng=0) if name == "hint" else nn.Identity()
        return WithRegressor(model, r, target, apart, weight)

    return Student(make, epochs=epochs, wrap=wrap)


def _hint(a, b):
    return F.mse_loss(a, b) * 0.5


class WithRegressor(FeatureStudent):
    """A FeatureStudent whose features go through a regressor r, which is trained as well."""

    def __init__(self, student, r, target, apart, weight):
        super().__init__(student, self._features, target, apart, weight)
        self.r = r

    def _features(self, student, x):
        layers = list(student)
        for layer in layers[:FRONT]:
            x = layer(x)
        features = self.r(x)
        for layer in layers[FRONT:]:
            x = layer(x)
        return x, features
