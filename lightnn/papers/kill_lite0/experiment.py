"""And the Bit Goes Down (Stock et al. 2020, arXiv 1907.05686) on EfficientNet-Lite0 with its ImageNet weights.

The paper's way needs no labels: the float network is the teacher, and photographs without labels show what layers read.
Batch norms are folded first: a few photographs do not have ImageNet's statistics (papers/lite0). All 1x1 convolutions
and the classifier get codebooks of blocks of four weights (or of two: twice the codes); the stem and the depthwise
layers, which have few weights, share 256 values each (Han et al. 2016, arXiv 1510.00149). Trained are centroids and
biases.

Agreement with the float network is measured on crops of photographs from which nothing was learned. It is no accuracy.
"""

import copy
import functools
from dataclasses import dataclass

import numpy as np

from lightnn import compress, metrics, models, nn
from lightnn.compress.quantization.correcting import means
from lightnn.compress.quantization.post_training import layers_with_weights
from lightnn.journal import Interrupted, draws
from lightnn.papers.lab.centroids import for_centroids, only
from lightnn.papers.lab.low_bits import file_bytes
from lightnn.papers.lab.photographs import Fold, folds
from lightnn.papers.lab.session import Session
from lightnn.pretrained import efficientnet_lite0
from lightnn.training import follow, predict

BATCH = 24
TRAINED_BATCH = 8


@dataclass(frozen=True)
class Subject:
    """calibration, test: crops of each photograph. seen: crops that show what layers read, and on which a layer's
    centroids are trained; iterations: of k-means; epochs: at the end, on all crops."""

    calibration: int = 12
    test: int = 12
    seen: int = 24
    k: int = 512
    iterations: int = 20
    epochs: int = 3
    layer_lr: float = 0.01
    lr: float = 0.01


@dataclass(frozen=True)
class Way:
    """block: so many weights; weighted: in the norm of the inputs; corrected: each layer's bias takes back the mean
    error of its outputs; tuned: with training."""

    block: int = 4
    weighted: bool = True
    corrected: bool = True
    tuned: bool = False


FULL = Subject()
QUICK = Subject(calibration=1, test=3, seen=8, k=64, iterations=3, epochs=1)
WAYS = {
    "plain": Way(weighted=False, corrected=False),
    "weighted": Way(corrected=False),
    "weighted, biases": Way(),
    "weighted, tuned": Way(tuned=True),
    "blocks of 2, biases": Way(block=2),
}


def reproduce(session: Session) -> dict:
    """{"parameters", "crops", "photographs", "k", "float bytes", "ways": {way: {"bytes", "top-1 %", "top-5 %", "KL",
    "bits a weight"}}, "seconds"}. ValueError says what to install if weights or photographs are missing."""
    subject = QUICK if session.quick else FULL
    run = _Run(session, subject, folds(session.seed, subject.calibration, subject.test)[0])
    ways = {}
    for name, way in WAYS.items():
        model, numbers = session.journal.network(name, functools.partial(run.made, name, way))
        ways[name] = {**session.journal.step(f"test {name}", functools.partial(run.measured, model)), **numbers}
        session.say(f"{name:<20}{ways[name]['bytes']:>12,} bytes, top-1 {ways[name]['top-1 %']:.1f} %")
    size = session.journal.step("float bytes", lambda: {"bytes": file_bytes(run.teacher, run.fold.test[:2])})
    about = {"parameters": metrics.count_parameters(run.teacher), "crops": len(run.fold.names), "k": subject.k}
    about |= {"photographs": len(set(run.fold.names)), "float bytes": size["bytes"]}
    return {**about, "ways": ways, "seconds": session.journal.seconds}


class _Run:
    """What all ways start from."""

    def __init__(self, session: Session, subject: Subject, fold: Fold):
        self.session, self.subject, self.fold = session, subject, fold
        self.teacher = efficientnet_lite0()
        self.seen = fold.calibration[:: max(1, len(fold.calibration) // subject.seen)][: subject.seen]
        outputs = session.journal.step(
            "float outputs", lambda: {"y": predict(self.teacher, fold.test, batch_size=BATCH).tolist()}
        )
        self.floats = np.array(outputs["y"], np.float32)

    @functools.cached_property
    def start(self) -> nn.Module:
        """The teacher without batch norms and without what is dropped in training."""
        folded = compress.fold_batch_norm(self.teacher, (1, *self.seen.shape[1:]))
        dropping = [path for path, m in folded.named_modules() if isinstance(m, nn.Dropout | nn.StochasticDepth)]
        return models.replace(folded, {path: nn.Identity() for path in dropping})

    def sizes(self, way: Way) -> dict[str, int]:
        """{path: weights in a block} of the layers that get blocks, the same ones for all ways."""
        return compress.block_sizes(self.start, pointwise=way.block, linear=way.block)

    @functools.cached_property
    def want(self) -> dict[str, np.ndarray]:
        """The mean of each channel that the layers give in the teacher."""
        return means(self.start, list(self.sizes(Way())), self.seen)

    def made(self, name: str, way: Way) -> tuple[nn.Module, dict]:
        """(network, numbers) of one way."""
        model, subject, sizes = copy.deepcopy(self.start), self.subject, self.sizes(way)
        for path, layer in layers_with_weights(model).items():
            if path not in sizes:
                compress.share(layer.weight, bits=8)
                layer.weight.values.codebook.requires_grad = False
        tune = functools.partial(self.tune, name, way) if way.corrected else None
        options = {"weighted": way.weighted, "iterations": subject.iterations, "tune": tune}
        model = compress.quantize_blocks(
            model, self.seen, sizes, subject.k, **options, rng=draws(self.session.seed, "first")
        )
        if way.tuned:
            self.train(f"{name}, all layers", model, self.fold.calibration, subject.epochs, subject.lr)
        return model, {"bits a weight": round(bits(model, sizes), 3)}

    def tune(self, name: str, way: Way, model: nn.Module, path: str) -> None:
        """What one layer gives is put right: its mean, and by training its centroids against the teacher."""
        layer = dict(model.named_modules())[path]
        shift = self.want[path] - means(model, [path], self.seen)[path]
        layer.bias.data = (layer.bias.data + shift).astype(layer.bias.dtype)
        if way.tuned:
            with only(model, [layer.weight, layer.weight.values.codebook, layer.bias]):
                self.train(f"{name}, {path}", model, self.seen, 1, self.subject.layer_lr)

    def train(self, name: str, model: nn.Module, x: np.ndarray, epochs: int, lr: float) -> None:
        """Against the teacher's outputs; the labels are zeros that nobody reads."""
        recipe = for_centroids(self.teacher, epochs, lr, TRAINED_BATCH, mirrored)
        options = {"rng": draws(self.session.seed, name), "progress": self.session.progress, "description": name}
        if follow(recipe, model, (x, np.zeros(len(x), np.int64)), **options).interrupted:
            raise Interrupted(f"interrupted in '{name}'; the same command continues from here")

    def measured(self, model: nn.Module) -> dict:
        """The file's bytes, and the agreement with the float network."""
        others = predict(model, self.fold.test, batch_size=BATCH)
        top_1, top_5, KL = metrics.agreement(self.floats, others)
        found = {"top-1 %": round(100 * top_1, 2), "top-5 %": round(100 * top_5, 2), "KL": round(KL, 4)}
        return {"bytes": file_bytes(model, self.fold.test[:2]), **found}


def mirrored(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Half of the images, left and right exchanged."""
    return np.where(rng.random(len(x))[:, None, None, None] < 0.5, x[..., ::-1], x)


def bits(model: nn.Module, sizes: dict[str, int]) -> float:
    """A weight of the layers with blocks takes so many, codes and centroids, by the paper's count."""
    layers = dict(model.named_modules())
    weights = {path: layers[path].weight for path in sizes}
    size = sum(compress.product_bytes(p.size, sizes[path], len(p.values.codebook)) for path, p in weights.items())
    return 8 * size / sum(p.size for p in weights.values())
