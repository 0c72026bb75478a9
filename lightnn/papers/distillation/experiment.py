"""What a teacher is worth, with controls, on the first few thousand images of MNIST, where a teacher has much to say.

    ensembles    1 to 10 teachers as one: errors, bytes, milliseconds, and those of one student that learned from all
    controls     what else gains: label smoothing, longer training, another student as the teacher, soft targets
                 whose wrong classes are shuffled, moved images without any teacher
    features     hints, attention and relations beside soft targets, between convolutional networks
    composition  pruned, ternary, binary and 2-bit students, trained on with a float teacher and without

Every student of a row has its own seed, for its weights and the order of the images; the rows share the seeds. The last
5,000 training images serve for choices, the test images once for each network.
"""

import dataclasses
import functools
from dataclasses import dataclass

from lightnn import data, io, metrics
from lightnn.journal import draws
from lightnn.papers.distillation import composition, controls, features
from lightnn.papers.distillation.students import Student, measured, mlp, trained
from lightnn.papers.lab import stage
from lightnn.papers.lab.experiment import Experiment
from lightnn.papers.lab.session import Session
from lightnn.training import Ensemble, Remembered, distil, predict
from lightnn.training.ensembles import KINDS

INPUT = (1, 1, 28, 28)


@dataclass(frozen=True)
class Subject:
    """How much is trained. later_epochs: of compressed students, after `epochs` in floats."""

    images: int = 2000
    seeds: int = 3
    sizes: tuple[int, ...] = (1, 3, 10)
    teacher_units: int = 200
    units: int = 100
    epochs: int = 20
    conv_epochs: int = 10
    later_epochs: int = 10
    lr: float = 0.05
    conv_lr: float = 0.02  # at 0.05 some convolutional students of soft targets die
    T: float = 4.0
    weight: float = 0.9  # of the soft targets


FULL = Subject()
QUICK = Subject(500, 2, (1, 2), 100, 30, 6, 2, 2)


def reproduce(session: Session) -> dict:
    """{"seed", the Subject's numbers, "ensembles": {size: ...}, "controls", "features", "composition", "seconds"}.

    A row of students is {"test errors": [one a seed], "validation errors"}; errors are numbers of images."""
    subject = QUICK if session.quick else FULL
    images = stage.split(data.load_mnist())
    images = images._replace(training=tuple(a[: subject.images] for a in images.training))
    run = Experiment("distillation", subject, images, session)
    result = {"seed": session.seed} | dataclasses.asdict(subject) | {"sizes": list(subject.sizes)}
    teachers = [_teacher(run, i) for i in range(max(subject.sizes))]
    result["ensembles"] = {str(size): _ensemble(run, teachers[:size]) for size in subject.sizes}
    floats, result["controls"] = controls.measure(run, teachers[0])
    result["features"] = features.measure(run)
    result["composition"] = composition.measure(run, teachers[0], floats)
    return {**result, "seconds": session.journal.seconds}


def _teacher(run, i):
    subject = run.subject

    def work():
        how = Student(functools.partial(mlp, subject.teacher_units), augment=controls.MOVED)
        return trained(run, f"teacher {i}", how, 100 + i), {}

    return run.journal.network(f"teacher {i}", work)[0]


def _ensemble(run, teachers):
    """{"bytes", "ms", kind of mean: test errors, "student": {"bytes", "ms", and a row}} of so many teachers."""
    subject, (x, y) = run.subject, run.images.test
    size = len(teachers)

    def errors():
        return {kind: int((predict(Ensemble(teachers, kind), x).argmax(1) != y).sum()) for kind in KINDS}

    found = run.journal.step(f"errors of {size} teachers", errors)
    known = Remembered(Ensemble(teachers), run.images.training[0])
    how = Student(functools.partial(mlp, subject.units), distil(known, subject.T, subject.weight))
    student = measured(run, f"student of {size}", how)
    costs = run.journal.step(f"costs of {size} teachers", lambda: _costs(run, teachers))
    return costs["ensemble"] | found | {"student": costs["student"] | student}


def _costs(run, teachers):
    """Bytes of the files, and milliseconds of one image, the median of many."""
    student = mlp(run.subject.units, draws(run.seed, "costs"))
    nets = {"ensemble": Ensemble(teachers), "student": student}
    ms = metrics.compare_latency(nets, INPUT, rounds=50)
    sizes = {"ensemble": sum(len(io.to_bytes(t)) for t in teachers), "student": len(io.to_bytes(student))}
    return {name: {"bytes": sizes[name], "ms": round(ms[name].median_ms, 4)} for name in nets}
