"""One small network with five filters on MNIST, three seeds each: `python -m lightnn bench filters`.

The networks are those of lightnn/models/filternet.py. The seed sets the initial weights and the order of the digits.
The error is that on 5,000 digits of the training set which are not trained on; the test set is not used. The committed
result is chapters/results/filters_mnist.json.
"""

import time
from collections.abc import Callable, Sequence

from lightnn import data, models, optim, training
from lightnn.bench.suite import Suite

KINDS, SEEDS = ("full", "separable", "grouped", "unshuffled", "shift"), (0, 1, 2)
DIGITS, VALIDATION, EPOCHS, BATCH_SIZE = 10_000, 5_000, 3, 50


def validation_error(kind: str, seed: int, mnist: data.Dataset, digits: int = DIGITS, epochs: int = EPOCHS) -> float:
    """% of the validation digits that a network with filters of this kind gets wrong after its training."""
    net = getattr(models, f"filternet_{kind}")(rng=seed)
    optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    options = {"batch_size": BATCH_SIZE, "schedule": optim.CosineLR(optimizer, epochs), "description": kind}
    training.train(
        net, (mnist.x_train[:digits], mnist.y_train[:digits]), epochs=epochs, optimizer=optimizer, rng=seed, **options
    )
    held_out = mnist.x_train[-VALIDATION:], mnist.y_train[-VALIDATION:]
    return round(100 - 100 * training.evaluate(net, *held_out, progress=False), 4)


def run(kinds: Sequence[str] = KINDS, seeds: Sequence[int] = SEEDS, say: Callable[[str], None] = print) -> dict:
    """Train each kind from each seed: {"digits", "epochs", "seeds", "seconds", "error %": {kind: [one a seed]}}."""
    mnist, errors, start = data.load_mnist(), {}, time.perf_counter()
    for kind in kinds:
        errors[kind] = [validation_error(kind, seed, mnist) for seed in seeds]
        say(f"{kind:<12} {'  '.join(f'{error:.2f} %' for error in errors[kind])}")
    seconds = round(time.perf_counter() - start, 1)
    return {"digits": DIGITS, "epochs": EPOCHS, "seeds": list(seeds), "seconds": seconds, "error %": errors}


SUITE = Suite(("filters",), "a network with five filters, three seeds", lambda families: run())
