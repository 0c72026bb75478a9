"""How transferable are features in deep neural networks? (Yosinski et al. 2014, arXiv 1411.1792), on small images.

The ten classes of Fashion-MNIST are halved at random into A and B, as the paper halves ImageNet. base B is trained on
B. Then the first n layers of a trained network are kept, the others begin anew, and the network is trained on B:

    BnB, BnB+    the layers are base B's own: the control. What BnB loses is layers torn from what they grew with
    AnB, AnB+    the layers are base A's: transfer. What AnB loses more than BnB is that they are A's
    RnB          the layers are random

Without a +, the n layers are frozen; with it, they are trained on. base B is also trained a second time, for what is
trained on has been trained for twice as long. Then the same from MNIST's digits to all of Fashion-MNIST, and with few
labels (few.py). Images are halved to 14 x 14, for speed: a network has three convolutions and two linear layers.
"""

import dataclasses
import functools
from dataclasses import dataclass

from lightnn import data
from lightnn.journal import draws
from lightnn.papers.lab import stage
from lightnn.papers.lab.experiment import Experiment
from lightnn.papers.lab.session import Session
from lightnn.papers.yosinski2014 import few
from lightnn.papers.yosinski2014.transfer import LAYERS, accuracy, first, halved, kept, network, of_classes, train


@dataclass(frozen=True)
class Subject:
    """images: of each half, and twice as many of MNIST and of all of Fashion-MNIST. labels: of each class."""

    images: int = 2000
    test: int = 4000
    epochs: int = 4
    seeds: int = 3
    labels: tuple[int, ...] = (10, 100, 1000)
    steps: int = 80  # at least so many, with few labels
    lr: float = 0.003
    pixels: int = 64  # of an image that EfficientNet-Lite0 sees


FULL = Subject()
QUICK = Subject(images=500, test=500, epochs=2, seeds=1, labels=(10, 50), steps=10, pixels=32)


def reproduce(session: Session) -> dict:
    """{"seed", the Subject's numbers, "halves": {"base B", "base B, twice": [% a seed], "BnB", ...: {n: [% a seed]}},
    "digits": {"base F", "MnF", "MnF+", "RnF": the same, one seed}, "few": {"halves", "digits", "lite0"}, "seconds"}.

    All figures are test accuracies. DataNotFoundError says what to do without Fashion-MNIST."""
    subject = QUICK if session.quick else FULL
    fashion, digits = (_small(d, subject) for d in (data.load_fashion_mnist(), data.load_mnist()))
    run = Experiment("yosinski2014", subject, fashion, session)
    result = {"seed": session.seed} | dataclasses.asdict(subject) | {"labels": list(subject.labels)}
    parts = [_halves(run, i) for i in range(subject.seeds)]
    result["halves"] = {name: _joined([part[0][name] for part in parts]) for name in parts[0][0]}
    base, result["digits"] = _digits(run, digits)
    result["few"] = few.measure(run, [part[1:] for part in parts], base)
    return {**result, "seconds": session.journal.seconds}


def _small(d, subject):
    images = stage.Images((halved(d.x_train), d.y_train), (d.x_test[:0], d.y_test[:0]), (halved(d.x_test), d.y_test))
    return images._replace(test=tuple(a[: subject.test] for a in images.test))


def _halves(run, i):
    """({name: % or {n: %}} of one seed, base A, all images of B, the seed)."""
    classes = draws(run.seed, f"halves {i}").permutation(10)
    whole = of_classes(run.images, classes[5:])
    A, B = (first(half, run.subject.images) for half in (of_classes(run.images, classes[:5]), whole))
    bases = {}
    for name, images in (("A", A), ("B", B)):
        work = functools.partial(_base, run, f"base {name}, {i}", images, 5)
        bases[name] = run.journal.network(f"base {name}, {i}", work)[0]
    random = network(5, draws(run.seed, f"random {i}"))
    found = {"base B": accuracy(bases["B"], B.test), "base B, twice": kept(run, f"twice, {i}", bases["B"], LAYERS, B)}
    for name, base in (("BnB", bases["B"]), ("AnB", bases["A"])):
        found[name] = _curve(run, f"{name}, {i}", base, B)
        found[f"{name}+"] = _curve(run, f"{name}+, {i}", base, B, frozen=False)
    found["RnB"] = _curve(run, f"RnB, {i}", random, B)
    run.say(f"halves {i}: base B {found['base B']:.1f} %, AnB {found['AnB']}, BnB {found['BnB']}")
    return found, bases["A"], whole, i


def _digits(run, digits):
    """(the network of digits, {name: [%] or {n: [%]}})."""
    count = 2 * run.subject.images
    work = functools.partial(_base, run, "digits", first(digits, count), 10)
    base, _ = run.journal.network("digits", work)
    fashion, random = first(run.images, count), network(10, draws(run.seed, "random digits"))
    scratch = kept(run, "fashion", random, 0, fashion)
    found = {"base F": scratch, "MnF": _curve(run, "MnF", base, fashion)}
    found["MnF+"] = _curve(run, "MnF+", base, fashion, frozen=False)
    found["RnF"] = _curve(run, "RnF", random, fashion)
    run.say(f"digits to Fashion-MNIST: {found}")
    return base, {name: _joined([part]) for name, part in found.items()}


def _curve(run, name, base, images, frozen=True):
    return {str(n): kept(run, f"{name}, n = {n}", base, n, images, frozen) for n in range(1, LAYERS)}


def _joined(parts):
    """[5.0, 6.0] of two seeds; of curves {n: [5.0, 6.0]}."""
    return {n: [part[n] for part in parts] for n in parts[0]} if isinstance(parts[0], dict) else parts


def _base(run, name, images, classes):
    model = network(classes, draws(run.seed, f"weights of {name}"))
    train(run, name, model, images.training, run.subject.epochs)
    return model, {}
