"""Distilling the Knowledge in a Neural Network (Hinton, Vinyals & Dean 2015, arXiv 1503.02531), section 3, on MNIST.

    loss = (1 - weight) cross-entropy + weight T^2 KL(softmax(v / T) || softmax(z / T))

The teacher, 784-1200-1200-10, is trained with dropout, weights whose norm is bounded, and images moved by up to two
pixels. The student, 784-800-800-10, sees the plain images, alone or beside the teacher's soft targets; smaller students
show what T does. Then two transfer sets that lack digits: all but the threes, and sevens and eights alone. There the
bias of what was not seen (or seen too often) is put right by one number, chosen on the validation images; the paper
chose it on the test images.

The paper gives neither epochs nor learning rates nor the weight of the soft targets; ours are in `Subject`. The last
10,000 training images are for choices. The test images are used once for each network that the table shows.
"""

import dataclasses
import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lightnn import data, metrics, nn, optim
from lightnn.exercise import exercise
from lightnn.journal import draws
from lightnn.papers.lab import stage
from lightnn.papers.lab.clipping import ClippedSGD
from lightnn.papers.lab.experiment import Experiment
from lightnn.papers.lab.networks import mlp
from lightnn.papers.lab.session import Session
from lightnn.training import Recipe, Remembered, distil, predict

VALIDATION = 10_000
UNITS, TEMPERATURES = (800, 300, 30), (1.0, 2.5, 4.0, 8.0, 20.0)
OFFSETS = np.linspace(0, 15, 151)  # of biases, tried on the validation images


@dataclass(frozen=True)
class Subject:
    """How long the teacher, the students of 800 units and those of the sweep train; on the first so many images."""

    teacher_epochs: int = 150
    epochs: int = 30
    sweep_epochs: int = 10
    images: int = 50_000
    teacher_units: int = 1200
    units: tuple[int, ...] = UNITS
    temperatures: tuple[float, ...] = TEMPERATURES
    lr: float = 0.1
    weight: float = 0.9  # of the soft targets
    T: float = 20.0
    max_norm: float = 3.5  # of the weights into one unit of the teacher

    def make(self, rng=None) -> nn.Module:
        return mlp(self.units[0], rng)


FULL = Subject()
QUICK = Subject(teacher_epochs=3, epochs=2, sweep_epochs=1, images=10_000, units=(800, 30), temperatures=(1.0, 20.0))


def bound_norms(model: nn.Module, most: float) -> None:
    """Scale the weights into each unit of the hidden layers down to a norm of at most `most` (max-norm)."""
    layers = [m for m in model.modules() if isinstance(m, nn.Linear)]
    for layer in layers[:-1]:
        w = layer.weight.data
        norms = np.sqrt(np.einsum("oi,oi->o", w, w))
        over = norms > most
        w[over] *= (most / norms[over])[:, None]


@exercise("05.3")
def best_offset(v: np.ndarray, y: np.ndarray, classes: Sequence[int], offsets=OFFSETS) -> float:
    """The first offset with the fewest errors when it is added to the logits v (N, K) of the classes; y (N,): labels.

    This is how the bias of a digit is put right that the student has never seen (Hinton et al. 2015, section 3). The
    answer of an image is the class of its largest logit, of equal ones the first. Returns a float; v stays as it is.
    """
    shown = np.zeros(v.shape[1])
    shown[list(classes)] = 1
    errors = [((v + offset * shown).argmax(1) != y).sum() for offset in offsets]
    return float(offsets[int(np.argmin(errors))])


def reproduce(session: Session) -> dict:
    """{"seed", the Subject's numbers, "teacher", "alone", "distilled": {"test errors", "validation errors",
    "parameters"}, "sweep": {units: {"alone" or T: the same}}, "without threes", "sevens and eights": {"test errors",
    "offset", "test errors corrected", "threes": {"number", "errors", "errors corrected"}}, "seconds"}. Errors are
    numbers of images."""
    subject = QUICK if session.quick else FULL
    images = stage.split(data.load_mnist(), VALIDATION)
    images = images._replace(training=tuple(a[: subject.images] for a in images.training))
    run = Experiment("hinton2015", subject, images, session)
    result = {"seed": session.seed} | {f.name: getattr(subject, f.name) for f in dataclasses.fields(subject)}
    result |= {"units": list(subject.units), "temperatures": list(subject.temperatures)}
    teacher, result["teacher"] = _network(run, "teacher", lambda: _teacher(run))
    teacher = Remembered(teacher, images.training[0])
    own = subject.units[0]
    _, result["alone"] = _student(run, "alone", own, None, subject.epochs)
    _, result["distilled"] = _student(run, "distilled", own, distil(teacher, subject.T, subject.weight), subject.epochs)
    result["sweep"] = {str(units): _sweep(run, teacher, units) for units in subject.units}
    result["without threes"] = _lacking(run, teacher, "without threes", [3], lambda y: y != 3)
    result["sevens and eights"] = _lacking(
        run, teacher, "sevens and eights", [0, 1, 2, 3, 4, 5, 6, 9], lambda y: (y == 7) | (y == 8)
    )
    return {**result, "seconds": session.journal.seconds}


def _teacher(run):
    subject = run.subject
    model = mlp(subject.teacher_units, draws(run.seed, "teacher's weights"), (0.2, 0.5))
    recipe = _recipe(subject, subject.teacher_epochs)
    two = functools.partial(stage.jitter, max_shift=2)
    bound = functools.partial(bound_norms, model, subject.max_norm)
    _train(run, "teacher", model, dataclasses.replace(recipe, augment=two, after_step=bound), run.images.training)
    return model


def _recipe(subject, epochs, loss=None):
    recipe = Recipe(epochs, subject.lr, stage.without_decay, stage.BATCH_SIZE, optim.CosineLR)
    return recipe if loss is None else dataclasses.replace(recipe, optimizer=_clipped, loss=loss)


def _clipped(parameters, lr):
    """At T = 20 the loss is steep: the first steps towards a teacher with logits of 50 would throw a student off."""
    return ClippedSGD(parameters, lr, momentum=0.9)


def _student(run, name, units, loss, epochs, training=None):
    """(network, numbers) of a student that is trained with this loss on these images."""

    def work():
        model = mlp(units, draws(run.seed, "student's weights"))
        _train(run, name, model, _recipe(run.subject, epochs, loss), training or run.images.training)
        return model

    return _network(run, name, work)


def _network(run, name, work):
    """(network, numbers), as a step of the journal and printed."""
    model, _ = run.journal.network(name, lambda: (work(), {}))
    numbers = run.journal.step(f"errors of {name}", lambda: _errors(run, model))
    run.say(f"{name:<32}{numbers['test errors']:>6} test errors")
    return model, numbers


def _errors(run, model):
    wrong = {
        f"{part} errors": int((predict(model, x).argmax(1) != y).sum())
        for part, (x, y) in (("validation", run.images.validation), ("test", run.images.test))
    }
    return {**wrong, "parameters": metrics.count_parameters(model)}


def _sweep(run, teacher, units):
    subject, found = run.subject, {}
    for T in (None, *subject.temperatures):
        name = f"{units} units, alone" if T is None else f"{units} units, T = {T:g}"
        loss = None if T is None else distil(teacher, T, subject.weight)
        found["alone" if T is None else f"{T:g}"] = _student(run, name, units, loss, subject.sweep_epochs)[1]
    return found


def _lacking(run, teacher, name, raised, of):
    """A student of soft targets on the images whose labels `of` picks, before and after the biases of the classes
    `raised` are raised by one number (as good as lowering all others)."""
    subject, (x, y) = run.subject, run.images.training
    kept, loss = of(y), distil(teacher, subject.T, subject.weight)
    model, numbers = _student(run, name, subject.units[0], loss, subject.epochs, (x[kept], y[kept]))

    def correct():
        x, y = run.images.validation
        offset = best_offset(predict(model, x), y, raised)
        x, y = run.images.test
        v, threes = predict(model, x), y == 3
        shifted = v.copy()
        shifted[:, raised] += v.dtype.type(offset)
        before, after = v.argmax(1) != y, shifted.argmax(1) != y
        found = {"number": int(threes.sum()), "errors": int(before[threes].sum())}
        found["errors corrected"] = int(after[threes].sum())
        return {"offset": offset, "test errors corrected": int(after.sum()), "threes": found}

    return {**numbers, **run.journal.step(f"biases of {name}", correct)}


def _train(run, name, model, recipe, training):
    images = run.images._replace(training=training)
    stage.fit_and_tell(model, images, draws(run.seed, name), recipe, progress=run.progress, description=name)
