"""With few labels: a network from scratch, one whose layers are transferred and frozen, all but the last, and one
whose layers are transferred and trained on. And features of EfficientNet-Lite0 with its ImageNet weights, frozen, under
one linear layer, where the group `photos` is installed."""

import numpy as np

from lightnn import functional as F
from lightnn import nn
from lightnn.data.photographs import MEAN, STD
from lightnn.papers.lab.experiment import Experiment
from lightnn.papers.lab.stage import Images
from lightnn.papers.yosinski2014.transfer import BATCH_SIZE, accuracy, kept, train
from lightnn.pretrained import efficientnet_lite0
from lightnn.runtime import lower
from lightnn.tensor import Tensor

WAYS = {"from scratch": (0, False), "frozen": (4, True), "fine-tuned": (4, False)}  # layers kept, frozen


def measure(run: Experiment, halves: list[tuple], digits: nn.Module) -> dict:
    """{"halves": {way: {labels: [% a seed]}}, "digits": the same, one seed, "lite0": {"frozen": ...} or {"left out"}}.

    halves: (base A, the images of B, the seed) of each seed."""
    parts = [_ways(run, f"few of B, {i}", base, B, 5) for base, B, i in halves]
    found = {"halves": {way: {n: [p[way][n] for p in parts] for n in parts[0][way]} for way in WAYS}}
    ways = _ways(run, "few of Fashion-MNIST", digits, run.images, 10)
    found["digits"] = {way: {n: [accuracy] for n, accuracy in row.items()} for way, row in ways.items()}
    found["lite0"] = run.journal.step("lite0", lambda: _lite0(run))
    run.say(f"few labels: {found}")
    return found


def _ways(run, name, base, images, classes):
    found = {way: {} for way in WAYS}
    for labels in run.subject.labels:
        few = chosen(images, classes, labels)
        epochs = max(run.subject.epochs, -(-run.subject.steps * BATCH_SIZE // max(len(few.training[1]), BATCH_SIZE)))
        for way, (n, frozen) in WAYS.items():
            what = f"{name}, {labels}, {way}"
            found[way][str(labels)] = kept(run, what, base, n, few, frozen, epochs)
    return found


def chosen(images: Images, classes: int, labels: int) -> Images:
    """The first `labels` training images of each class (of all there are)."""
    x, y = images.training
    kept = np.sort(np.concatenate([np.flatnonzero(y == c)[:labels] for c in range(classes)]))
    return images._replace(training=(x[kept], y[kept]))


def _lite0(run):
    """{"pixels", "frozen": {labels: [%]}}, or {"left out": why}."""
    try:
        model = efficientnet_lite0()
    except ValueError as error:
        return {"left out": str(error).splitlines()[0]}
    see = lower(nn.Sequential(*_all_but_the_last(model)))
    most = chosen(run.images, 10, max(run.subject.labels))
    features = [_features(see, x, run.subject.pixels) for x in (most.training[0], run.images.test[0])]
    mean, std = features[0].mean(0), features[0].std(0) + 1e-3
    train_x, test_x = ((f - mean) / std for f in features)
    images, found = Images((train_x, most.training[1]), most.validation, (test_x, run.images.test[1])), {}
    for labels in run.subject.labels:
        few = chosen(images, 10, labels)
        probe = nn.Linear(train_x.shape[1], 10, rng=run.seed)
        epochs = max(run.subject.epochs, -(-run.subject.steps * BATCH_SIZE // len(few.training[1])))
        train(run, f"probe, {labels}", probe, few.training, epochs, lr=0.001)
        found[str(labels)] = [accuracy(probe, few.test)]
    return {"pixels": run.subject.pixels, "frozen": found}


def _all_but_the_last(model):
    stem = [model.pad, model.conv_stem, model.bn0, model.relu0]
    return [*stem, model.blocks, model.conv_head, model.bn1, model.relu1, model.avgpool, model.flatten]


def _features(see, x, pixels, batch=50):
    """(N, 1280) of grey images, enlarged to pixels x pixels, as colours of ImageNet."""
    found = []
    for i in range(0, len(x), batch):
        large = F.resize_bilinear(Tensor(x[i : i + batch]), size=pixels).data
        colours = (large - MEAN.reshape(3, 1, 1)) / STD.reshape(3, 1, 1)
        found.append(see(Tensor(colours.astype(np.float32))).data.copy())
    return np.concatenate(found)
