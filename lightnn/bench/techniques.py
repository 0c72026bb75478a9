"""What each technique saves and what it costs, on one LeNet-5: `python -m lightnn bench techniques`.

One network is trained on some of MNIST's images. Each technique starts from it and trains on for as long, and so does
"trained on", to which nothing is done; all that for three seeds, of which the errors are given, and their mean.
Measured of each, for the first seed: the file, what gzip makes of the plain numbers, the bytes held to run, MACs, those
without zero weights, the latency as it is lowered, the energy by Horowitz's table, what a training step holds at its
peak, and how long the training took. Times are CPU times of one thread, the least of many short runs.
"""

import copy
import gzip
import statistics
import time
from collections.abc import Callable

import numpy as np

from lightnn import compress, metrics, models, runtime
from lightnn.bench.peaks import least_seconds
from lightnn.bench.suite import Suite
from lightnn.journal import draws
from lightnn.kernels.parallel import get_num_threads, set_num_threads
from lightnn.papers.composition import experiment as composition
from lightnn.papers.composition.sizes import stored
from lightnn.papers.lab import stage
from lightnn.reporting import measure
from lightnn.tensor import Tensor, no_grad
from lightnn.training import evaluate

SHAPE = (1, 1, 28, 28)
IMAGES, EPOCHS, MORE, TEST, BATCH, SEEDS = 6_000, 8, 2, 10_000, 64, (0, 1, 2)
FILTERS = {"conv1": 0.5, "conv2": 0.5, "fc1": 0.5}


def prune(model, x):
    composition.apply("prune", model)
    return model


def share(model, x):
    composition.apply("share", model)
    return model


def both(model, x):
    return share(prune(model, x), x)


def filters(model, x):
    return compress.prune_filters(model, SHAPE, FILTERS)


def int8(model, x):
    return compress.quantize(model, x[:500])


def binary(model, x):
    for layer in (model.conv2, model.fc1):
        compress.use_binary_filters(layer.weight)
    return model


TECHNIQUES = {  # name: (what is done, learning rate of the training after it, 0 for none)
    "float32": (None, 0.0),
    "trained on": (lambda model, x: model, 0.02),
    "pruned": (prune, 0.02),
    "shared": (share, composition.SHARED_LR[False]),
    "pruned, shared": (both, composition.SHARED_LR[True]),
    "half the filters": (filters, 0.02),
    "int8": (int8, 0.0),
    "binary filters": (binary, 0.005),
}


def run(
    say: Callable[[str], None] = print,
    images: int = IMAGES,
    epochs: tuple[int, int] = (EPOCHS, MORE),
    seeds: tuple[int, ...] = SEEDS,
) -> dict:
    """{"threads", "images", "epochs", "seeds", "rows": {technique: ...}}. Prints as it measures."""
    threads = get_num_threads()
    set_num_threads(1)
    try:
        return _measured(say, images, epochs, seeds)
    finally:
        set_num_threads(threads)


def _measured(say, images, epochs, seeds):
    mnist = stage.mnist()
    training, test = (tuple(a[:n] for a in xy) for n, xy in ((images, mnist.training), (TEST, mnist.test)))
    mnist = mnist._replace(training=training, test=test)
    rows, lowered, errors = {}, {}, {name: [] for name in TECHNIQUES}
    for seed in seeds:
        for name, model, seconds in _made(mnist, epochs, seed):
            errors[name].append(round(100 - 100 * evaluate(model, *mnist.test, progress=False), 2))
            say(f"seed {seed}  {name:<18}{errors[name][-1]:>6.2f} %")
            if seed == seeds[0]:
                rows[name] = {"training s": seconds, **_row(model, name)}
                lowered[name] = _lowered(model, name)
    for name, ms in _times(lowered).items():
        rows[name] = {"error %": statistics.mean(errors[name]), "errors %": errors[name], **rows[name], **ms}
        say(f"{name:<18}{rows[name]['file bytes']:>10,} bytes{rows[name]['held bytes']:>10,} held"
            f"{ms['latency ms']:>8.3f} ms{ms['ms an image in a batch']:>8.4f} in a batch")  # fmt: skip
    plan = {"threads": get_num_threads(), "images": images, "test images": TEST, "epochs": list(epochs)}
    return {**plan, "seeds": list(seeds), "techniques": list(TECHNIQUES), "rows": rows}


def _made(mnist, epochs, seed):
    """(technique, its network, the seconds that it took), one after the other."""
    fit, reference = {"best": False, "progress": False}, models.lenet5(rng=seed)
    stage.fit_and_tell(reference, mnist, draws(seed, "reference"), stage.recipe(epochs[0], 0.05), **fit)
    for name, (do, lr) in TECHNIQUES.items():
        model, start = copy.deepcopy(reference), time.perf_counter()
        model = model if do is None else do(model, mnist.training[0])
        if lr:
            stage.fit_and_tell(model, mnist, draws(seed, "training on"), stage.recipe(epochs[1], lr), **fit)
        yield name, model.eval(), time.perf_counter() - start if do else 0.0


def _row(model, name):
    m = measure(model, SHAPE, timing=False, training=name not in ("int8",))
    n, integers = metrics.counts(model, SHAPE), name == "int8"
    bits = 8 * m.file_bytes / n.weights
    energy = metrics.energy(n._replace(macs=m.macs_kept), bits, 8 if integers else 32, integers)
    floats = b"".join(p().data.tobytes() for p in stored(model))
    return {
        "file bytes": m.file_bytes,
        "gzip bytes": len(gzip.compress(floats, 9)),
        "held bytes": runtime.held_bytes(_lowered(model, name)).held,
        "MACs": m.macs,
        "MACs without zeros": m.macs_kept,
        "energy uJ": energy.total / 1e6,
        "training peak bytes": m.training and m.training[1],
    }


def _lowered(model, name):
    if name == "int8":
        return runtime.lower_integers(model, SHAPE)
    return runtime.lower(model)


@no_grad()
def _times(lowered, repeats=20):
    """{technique: {"latency ms", "ms an image in a batch"}}."""
    (one, many), found = (Tensor(np.zeros((n, *SHAPE[1:]), np.float32)) for n in (1, BATCH)), {}
    for name, model in lowered.items():
        alone = least_seconds(lambda model=model: model(one), 5 * repeats)
        found[name] = {"latency ms": 1e3 * alone}
        together = least_seconds(lambda model=model: model(many), repeats)
        found[name]["ms an image in a batch"] = 1e3 * together / BATCH
    return found


SUITE = Suite(("techniques",), "bytes, time, energy, error of each technique", lambda families: run())
