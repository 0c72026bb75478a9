"""Dilation, pooling or neither (segmentation.py), trained alike on synthetic scenes.

The scenes are Fashion-MNIST's things on a textured ground (data/scenes.py): those of its training set to learn from,
those of its test set for the test. Nothing is chosen here, so there are no validation scenes: each network is tested
once, after its last epoch.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from lightnn import data, metrics
from lightnn.journal import draws
from lightnn.papers.deeplab.segmentation import CLASSES, SIZE, WAYS, network, segment, train
from lightnn.papers.lab.session import Session

SHOWN, GREYS = 3, 16  # scenes that the record keeps, and their levels of grey


@dataclass(frozen=True)
class Subject:
    """How many scenes a network learns from, how often it sees them, and how many it is tested on."""

    scenes: int = 800
    epochs: int = 8
    test_scenes: int = 200
    seeds: int = 2


FULL, QUICK = Subject(), Subject(scenes=40, epochs=1, test_scenes=40, seeds=1)


def reproduce(session: Session) -> dict:
    """{"scenes", "epochs", "test scenes", "seeds", "ways": {way: {"parameters", "macs", "mIoU %": [one a seed],
    "pixels right %"}}, "images": [rows of text for each scene shown], "labels": the same, "found": {way: the same},
    "seconds"}; a row is its pixels' levels of grey, or classes, in hexadecimal.

    DataNotFoundError says what to do without Fashion-MNIST.
    """
    subject, d = QUICK if session.quick else FULL, data.load_fashion_mnist()
    learn = data.make_scenes(d.x_train, d.y_train, subject.scenes, size=SIZE, rng=11)
    test = data.make_scenes(d.x_test, d.y_test, subject.test_scenes, size=SIZE, rng=12)
    seeds, ways, found = session.seeds(subject.seeds), {}, {}
    for way in WAYS:
        steps = []
        for each in seeds:
            work = partial(_one, way, learn, test, subject.epochs, each, session.progress)
            steps.append(session.journal.step(f"{way}, {each}", work))
            session.say(f"seed {each}  {way:<12} {steps[-1]['mIoU %']:6.2f} % mIoU")
        ways[way] = {key: steps[0][key] for key in ("parameters", "macs")}
        ways[way] |= {key: [step[key] for step in steps] for key in ("mIoU %", "pixels right %")}
        found[way] = steps[0]["found"]
    plan = {"scenes": subject.scenes, "epochs": subject.epochs, "test scenes": subject.test_scenes, "seeds": seeds}
    greys = (test.images[:SHOWN, 0] * (GREYS - 1)).round().astype(int)
    shown = {"images": rows(greys), "labels": rows(test.labels[:SHOWN]), "found": found}
    return {**plan, "ways": ways, **shown, "seconds": session.journal.seconds}


def _one(way, learn, test, epochs, seed, progress):
    model = network(way, rng=seed)
    train(model, learn, epochs, draws(seed, "segmentation"), progress=progress)
    predicted = segment(model, test.images)
    counts = metrics.confusion(predicted, test.labels, CLASSES)
    macs = metrics.count_macs(model, (1, 1, SIZE, SIZE))
    numbers = {"parameters": metrics.count_parameters(model), "macs": macs}
    numbers["mIoU %"] = round(100 * metrics.mean_iou(counts), 2)
    numbers["pixels right %"] = round(100 * float(np.trace(counts) / counts.sum()), 2)
    return {**numbers, "found": rows(predicted[:SHOWN])}


def rows(numbers: np.ndarray) -> list[list[str]]:
    """Numbers (N, H, W) from 0 to 15 as N lists of H lines of text."""
    return [["".join(f"{k:x}" for k in row) for row in each] for each in numbers.tolist()]


def picture(lines: list[str]) -> np.ndarray:
    """One of `rows` as numbers (H, W) again."""
    return np.array([[int(k, 16) for k in row] for row in lines])
