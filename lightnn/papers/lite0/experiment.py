"""EfficientNet-Lite0 with its ImageNet weights, compressed without training: bytes, and agreement with the floats.

Post-training integers (Jacob et al. 2018, arXiv 1712.05877) of 8, 6 and 4 bits with a scale a channel, ranges by two
rules, channels balanced (balancing.py); weights pruned by size,
and shared (Han et al. 2016, arXiv 1510.00149), with Huffman codes in the file. Integers run in integers
(runtime.lower_integers).

ImageNet is not to be had here, so no accuracy is measured but agreement with the float network, on crops of photographs
that were not used for calibration (photographs.py). Nothing is chosen: every way is in the table, as it is.
"""

import copy
import functools
import os
import pathlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lightnn import compress, io, metrics, nn
from lightnn import functional as F
from lightnn.compress.quantization.post_training import layers_with_weights, set_bits
from lightnn.papers.lab.photographs import Fold, folds
from lightnn.papers.lab.session import Session
from lightnn.papers.lite0.balancing import balanced
from lightnn.pretrained import efficientnet_lite0
from lightnn.runtime import lower_integers
from lightnn.tensor import Tensor
from lightnn.training import predict
from lightnn.training.statistics import reestimate_batch_norm

SHAPE, BATCH = (1, 3, 224, 224), 24
SURE = 0.5  # the probability of its class from which the float network counts as sure
RULES = {"min-max": compress.min_max_range, "MSE": compress.mse_range}


@dataclass(frozen=True)
class Subject:
    """How much is measured. calibration, test: crops of each photograph."""

    calibration: int
    test: int
    folds: int
    rules: tuple[str, ...] = ("min-max", "MSE")
    bits: tuple[int, ...] = (8, 6, 4)
    pruned: tuple[int, ...] = (10, 50)
    shared: tuple[int, ...] = (8, 6, 4)


FULL = Subject(calibration=4, test=12, folds=3)
QUICK = Subject(1, 3, 1, ("min-max",), (8, 4), (50,), (6,))


def reproduce(session: Session) -> dict:
    """{"parameters", "crops", "photographs", "sure": crops of which the float network is sure, "calibration crops",
    "rows": {way: {"bytes", "packed bytes", "top-1 %", "top-5 %", "KL", "sure %": top-1 on these crops, "by photograph":
    {name: top-1 %}}}, "seconds"}. ValueError says what to install if weights or photographs are missing."""
    subject = QUICK if session.quick else FULL
    parts = folds(session.seed, subject.calibration, subject.test)[: subject.folds]
    found = [_Run(session.part(f"fold {k}"), k, fold, subject).all() for k, fold in enumerate(parts)]
    names, sure = ([each for fold in found for each in fold[what]] for what in ("names", "sure"))
    rows = {way: joined([fold["ways"][way] for fold in found], names, np.array(sure)) for way in found[0]["ways"]}
    about = {"parameters": found[0]["parameters"], "crops": len(names), "photographs": len(set(names))}
    about["sure"] = sum(sure)
    return {**about, "calibration crops": found[0]["calibration"], "rows": rows, "seconds": session.journal.seconds}


def joined(parts: list[dict], names: list[str], sure: np.ndarray) -> dict:
    """One way's row: what was measured crop by crop, over all folds; the bytes of the first fold's file."""
    row = {size: parts[0][size] for size in ("bytes", "packed bytes")}
    crop = {what: np.concatenate([part[what] for part in parts]) for what in ("top-1", "top-5", "KL")}
    row |= {f"{what} %": round(100 * float(crop[what].mean()), 2) for what in ("top-1", "top-5")}
    row["KL"] = round(float(crop["KL"].mean()), 5)
    row["sure %"] = round(100 * float(crop["top-1"][sure].mean()), 2) if sure.any() else None
    own = {name: crop["top-1"][[n == name for n in names]].mean() for name in dict.fromkeys(names)}
    return row | {"by photograph": {name: round(100 * float(mean), 1) for name, mean in own.items()}}


class _Run:
    """One fold: every way, calibrated on its images and measured on the others."""

    def __init__(self, session: Session, k: int, fold: Fold, subject: Subject):
        self.journal, self.say, self.k, self.fold, self.subject = session.journal, session.say, k, fold, subject
        model = self.model = efficientnet_lite0()
        self.outputs = self.journal.step(
            "float32 outputs", lambda: {"y": predict(model, fold.test, batch_size=BATCH).tolist()}
        )
        self.floats = np.array(self.outputs["y"], np.float32)

    def all(self) -> dict:
        """{"names", "sure", "ways": {way: numbers}, "calibration", "parameters"}."""
        ways = {}
        for way, make in self.ways().items():
            ways[way] = self.journal.step(way, lambda make=make: self.measured(*make()))
            self.say(f"fold {self.k}  {way:<34}top-1 {100 * np.mean(ways[way]['top-1']):5.1f} %")
        p = F.softmax(Tensor(self.floats)).data.max(1)
        about = {"names": list(self.fold.names), "sure": (p >= SURE).tolist(), "ways": ways}
        return about | {"calibration": len(self.fold.calibration), "parameters": metrics.count_parameters(self.model)}

    def ways(self) -> dict[str, Callable[[], tuple[nn.Module, nn.Module]]]:
        """{way: a function that makes (the network to store, the network to run)}."""
        do, subject = functools.partial, self.subject
        ways = {"float32": lambda: (self.model, self.model)}
        ways |= {f"8 bits, {rule}": do(self.integers, 8, rule) for rule in subject.rules}
        ways |= {f"{K} bits, balanced": do(self.integers, K, balance=True) for K in subject.bits}
        ways |= {f"{bits} bits shared": do(self.shared, bits) for bits in subject.shared}
        ways["batch norms re-estimated"] = do(self.estimated, lambda model: model)
        ways |= {f"pruned {percent} %": do(self.pruned, percent) for percent in subject.pruned}
        last = subject.pruned[-1]
        ways[f"pruned {last} %, batch norms"] = do(self.estimated, do(pruned, percent=last))
        ways[f"pruned {last} %, batch norms, 8 bits"] = do(self.pruned_integers, last)
        return ways

    def integers(self, bits, rule="min-max", balance=False):
        x, name = self.fold.calibration, "balance, calibrate" if balance else "calibrate"
        model, ranges = self.journal.network(name, lambda: calibrated(self.balanced() if balance else self.model, x))
        for layer, (low, high) in zip(roundings(model), ranges[rule], strict=True):
            layer.set_range(low, high)
        if bits != 8:
            for path, layer in layers_with_weights(model).items():
                set_bits(path, layer, bits)
        return model, lower_integers(model, SHAPE)

    def balanced(self):
        return balanced(compress.fold_batch_norm(self.model, SHAPE), self.fold.calibration)

    def shared(self, bits):
        model = copy.deepcopy(self.model)
        for layer in layers_with_weights(model).values():
            compress.share(layer.weight, bits)
        return model, model

    def pruned(self, percent):
        model = pruned(self.model, percent)
        return model, model

    def estimated(self, change):
        model = reestimate_batch_norm(change(self.model), self.fold.calibration, batch_size=BATCH)
        return model, model

    def pruned_integers(self, percent):
        model, _ = calibrated(self.estimated(lambda m: pruned(m, percent))[0], self.fold.calibration)
        return model, lower_integers(model, SHAPE)

    def measured(self, stored: nn.Module, runs: nn.Module) -> dict:
        """The file's bytes in the first fold, and crop by crop whether the classes are the same, and the divergence."""
        others = predict(runs, self.fold.test, batch_size=BATCH)
        crop = np.array([metrics.agreement(a[None], b[None]) for a, b in zip(self.floats, others, strict=True)])
        top_1, top_5, KL = crop.T.tolist()
        return {**(sizes(stored) if self.k == 0 else {}), "top-1": top_1, "top-5": top_5, "KL": KL}


def calibrated(model: nn.Module, x: np.ndarray) -> tuple[nn.Module, dict]:
    """(the network in 8 bits, {rule: the range of each tensor, in the order of `roundings`})."""
    seen = []

    def choose(each, bits):
        seen.append(each)
        return compress.min_max_range(each, bits)

    model = compress.quantize(model, x, choose=choose)
    return model, {name: [list(map(float, rule(each, 8))) for each in seen] for name, rule in RULES.items()}


def roundings(model: nn.Module) -> list[nn.FakeQuantize]:
    return [m for m in model.modules() if isinstance(m, nn.FakeQuantize)]


def pruned(model: nn.Module, percent: int) -> nn.Module:
    """A copy without that many of the smallest weights of each 1x1 convolution and of fc. The stem and the depthwise
    layers stay whole: they have few weights, and many of the MACs that each weight decides."""
    model = copy.deepcopy(model)
    for path, layer in layers_with_weights(model).items():
        if path != "conv_stem" and getattr(layer, "groups", 1) == 1:
            compress.prune_to_fraction(layer.weight, 1 - percent / 100)
    return model


def sizes(model: nn.Module) -> dict:
    """{"bytes": of the file, "packed bytes": had its affine codes K bits each, in place of Huffman's}."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "lite0.lnn"
        io.save(model, path)
        size_bytes, parts = os.path.getsize(path), io.inspect(path).bytes_by_part()
    weights = [layer.weight for layer in layers_with_weights(model).values()]
    if any(p.values is None or p.support is not None for p in weights):
        return {"bytes": size_bytes, "packed bytes": size_bytes}
    packed = sum(
        -(-p.size * (len(np.unique(compress.encode(p).parts["codes"])) - 1).bit_length() // 8) for p in weights
    )
    return {"bytes": size_bytes, "packed bytes": size_bytes - parts["codes"] - parts.get("Huffman table", 0) + packed}
