"""What each technique saves and what it costs, on one LeNet-5: `python -m lightnn bench techniques`.

One network is trained on a few images of MNIST. Each technique starts from it and trains on for as long, and so does
"trained on", to which nothing is done. Measured of each: the file, what gzip makes of the plain numbers, the bytes held
to run, MACs, those without zero weights, the latency as it is lowered, the energy by Horowitz's table, what a training
step holds at its peak, the error on some test images, and how long the training took. Times are CPU times of
one thread, the least of many short runs.
"""

import copy
import gzip
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
IMAGES, EPOCHS, MORE, TEST, BATCH = 1_500, 4, 1, 2_000, 64
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


def run(say: Callable[[str], None] = print, images: int = IMAGES, epochs: tuple[int, int] = (EPOCHS, MORE)) -> dict:
    """{"threads", "images", "epochs", "rows": {technique: ...}}. Prints as it measures."""
    threads = get_num_threads()
    set_num_threads(1)
    try:
        return _measured(say, images, epochs)
    finally:
        set_num_threads(threads)


def _measured(say, images, epochs):
    mnist = stage.mnist()
    training, test = (tuple(a[:n] for a in xy) for n, xy in ((images, mnist.training), (TEST, mnist.test)))
    mnist = mnist._replace(training=training, test=test)
    reference, rows, lowered = models.lenet5(rng=0), {}, {}
    fit = {"best": False, "progress": False}
    stage.fit_and_tell(reference, mnist, draws(0, "reference"), stage.recipe(epochs[0], 0.05), **fit)
    for name, (do, lr) in TECHNIQUES.items():
        model, start = copy.deepcopy(reference), time.perf_counter()
        model = model if do is None else do(model, mnist.training[0])
        if lr:
            stage.fit_and_tell(model, mnist, draws(0, "training on"), stage.recipe(epochs[1], lr), **fit)
        rows[name] = {"training s": time.perf_counter() - start if do else 0.0, **_row(model.eval(), name, mnist)}
        lowered[name] = _lowered(model, name)
        say(f"{name:<18}{rows[name]['error %']:>6.2f} %{rows[name]['file bytes']:>12,} bytes"
            f"{rows[name]['held bytes']:>12,} held{rows[name]['MACs without zeros']:>12,} MACs")  # fmt: skip
    for name, ms in _times(lowered).items():
        rows[name] |= ms
        say(f"{name:<18}{ms['latency ms']:>9.3f} ms alone{ms['ms an image in a batch']:>9.4f} ms in a batch")
    plan = {
        "threads": get_num_threads(),
        "images": images,
        "test images": TEST,
        "epochs": list(epochs),
        "techniques": list(TECHNIQUES),
    }
    return {**plan, "rows": rows}


def _row(model, name, mnist):
    m = measure(model, SHAPE, timing=False, training=name not in ("int8",))
    n, integers = metrics.counts(model, SHAPE), name == "int8"
    bits = 8 * m.file_bytes / n.weights
    energy = metrics.energy(n._replace(macs=m.macs_kept), bits, 8 if integers else 32, integers)
    floats = b"".join(p().data.tobytes() for p in stored(model))
    return {
        "error %": round(100 - 100 * evaluate(model, *mnist.test, progress=False), 2),
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
