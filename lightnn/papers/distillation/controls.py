"""How much of the gain is dark knowledge? The same student, with one thing changed in each row.

label smoothing          soft targets of a teacher that knows only the label (Szegedy et al. 2016, arXiv 1512.00567)
born again               the teacher is a student like this one (Furlanello et al. 2018, arXiv 1805.04770)
wrong classes shuffled   the teacher's probabilities of the wrong classes, dealt out again for each image: as sure of
                         the answer, but it no longer says what else the image looks like (the same paper, DKPP)
moved images             what the teacher trained on, without the teacher, and with it
"""

import copy
import functools

import numpy as np

from lightnn import functional as F
from lightnn import nn
from lightnn.journal import draws
from lightnn.papers.distillation.students import Student, errors, measured, mlp, told, trained
from lightnn.papers.lab import stage
from lightnn.papers.lab.experiment import Experiment
from lightnn.training import Remembered, distil

MOVED = functools.partial(stage.jitter, max_shift=2)
SMOOTHED = (0.1, 0.2)


def measure(run: Experiment, teacher: nn.Module) -> tuple[list[nn.Module], dict[str, dict]]:
    """(the students that were trained alone, {name: row})."""
    subject = run.subject
    known = Remembered(teacher, run.images.training[0])
    soft, make = functools.partial(distil, T=subject.T, weight=subject.weight), functools.partial(mlp, subject.units)
    ways = {
        "alone, three times as long": Student(make, epochs=3 * subject.epochs),
        **{f"label smoothing, e = {e:g}": Student(make, _smoothed(e)) for e in SMOOTHED},
        "soft targets": Student(make, soft(known)),
        "wrong classes shuffled": Student(make, soft(shuffled(known, draws(run.seed, "shuffled")))),
        "moved images, alone": Student(make, augment=MOVED),
        "moved images, soft targets": Student(make, soft(teacher), augment=MOVED),
    }
    alone, found = _generations(run, make, soft)
    return alone, found | {name: measured(run, name, how) for name, how in ways.items()}


def _smoothed(e):
    return functools.partial(F.cross_entropy, label_smoothing=e)


def _generations(run, make, soft):
    """(students alone, rows): alone, then two generations of students whose teacher is one of the generation before, of
    another seed."""
    found, first, teachers = {}, None, [None] * run.subject.seeds
    for name in ("alone", "born again", "born again, twice"):
        losses = [F.cross_entropy if t is None else soft(Remembered(t, run.images.training[0])) for t in teachers]
        nets = [_kept(run, name, Student(make, loss), i) for i, loss in enumerate(losses)]
        rows = [run.journal.step(f"errors, {name}, {i}", functools.partial(errors, run, n)) for i, n in enumerate(nets)]
        found[name], teachers, first = told(run, name, rows), [*nets[1:], nets[0]], first or nets
    return first, found


def _kept(run, name, how, i):
    return run.journal.network(f"{name}, {i}", lambda: (trained(run, name, how, i), {}))[0]


def shuffled(known: Remembered, rng: np.random.Generator) -> Remembered:
    """A copy whose logits of the wrong classes, all but the largest of an image, have changed places."""
    twin = copy.copy(known)
    v = known.answers.copy()
    for row, top in zip(v, v.argmax(1)):
        wrong = np.delete(np.arange(len(row)), top)
        row[wrong] = row[rng.permutation(wrong)]
    twin.answers = v
    return twin
