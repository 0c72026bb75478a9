"""The measures of one network: the survey's of design and of compression, as far as a network alone tells them."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from lightnn import functional as F
from lightnn import io, metrics, nn, optim, options, runtime
from lightnn.kernels.parallel import get_num_threads
from lightnn.metrics import Energy, Latency, TrainingMemory
from lightnn.tensor import Tensor, no_grad

BATCH = 8


@dataclass(frozen=True)
class Measures:
    """What `measure` finds. Bytes, counts and picojoules of one image; accuracy in %, None if it is not known.

    macs_kept: MACs with weights that are not 0. file_bytes: of the .lnn file, held_bytes: of the lowered network.
    latency, images_per_second, training: None if they were not taken. training: (counted from the tape, measured peak).
    """

    input_shape: tuple[int, ...]
    parameters: int
    macs: int
    macs_kept: int
    activation_bytes: int
    peak_activation_bytes: int
    file_bytes: int
    held_bytes: int
    energy: Energy
    threads: int
    accuracy: float | None = None
    latency: Latency | None = None
    images_per_second: float | None = None
    training: tuple[TrainingMemory, int] | None = None

    @property
    def density(self) -> float | None:
        """Information density, % per million parameters."""
        return None if self.accuracy is None else metrics.information_density(self.accuracy, self.parameters)

    @property
    def netscore(self) -> float | None:
        if not self.accuracy or not self.macs:
            return None
        return metrics.netscore(self.accuracy, self.parameters, self.macs)


def measure(
    model: nn.Module,
    input_shape: Sequence[int],
    *,
    accuracy: float | None = None,
    timing: bool = True,
    training: bool = True,
    rounds: int = 7,
) -> Measures:
    """Measures of a network on images of input_shape (1, C, H, W). accuracy: in %, for the scores.

    timing: the lowered network's latency at batch 1, median of `rounds` after two runs that do not count, and how many
    images a second it does at batch 8. training: what one step with SGD and momentum on one image holds; two steps are
    made, and the weights are put back.
    """
    shape = options.shape("measure: input_shape", input_shape)
    x = np.random.default_rng(0).random(shape, np.float32)
    counted, kept = metrics.trace(model, shape), metrics.sparse_macs(model, x)
    file_bytes, lowered = len(io.to_bytes(model)), _lowered(model, shape)
    n = metrics.counts(model, shape)
    return Measures(
        shape,
        n.weights,
        counted.macs,
        round(sum(row.macs * row.weights for row in kept)),
        counted.activation_bytes,
        metrics.peak_activations(model, shape),
        file_bytes,
        runtime.held_bytes(lowered).held,
        metrics.energy(n, weight_bits=8 * file_bytes / n.weights if n.weights else 32),
        get_num_threads(),
        None if accuracy is None else options.number("measure: accuracy", accuracy, at_least=0, at_most=100),
        metrics.latency(lowered, shape, rounds=rounds) if timing else None,
        _throughput(lowered, shape) if timing else None,
        _training(model, x) if training else None,
    )


def _lowered(model, shape):
    """The network as it runs best: in integers if `compress.quantize` made it and they can be had."""
    if any(isinstance(m, nn.FakeQuantize) for m in model.modules()):
        try:
            return runtime.lower_integers(model, shape)
        except ValueError:
            return runtime.lower(model)
    return runtime.lower(model)


@no_grad()
def _throughput(model, shape):
    """Images a second at batch BATCH: the fastest of three runs, after one that does not count."""
    x = Tensor(np.zeros((BATCH, *shape[1:]), np.float32))
    model(x)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        model(x)
        seconds.append(time.perf_counter() - start)
    return BATCH / min(seconds)


def _training(model, x):
    """(TrainingMemory, measured peak) of one image, the model left as it was; None if it can't be trained."""
    state = {name: array.copy() for name, array in model.state_dict().items()}
    was_training = model.training
    try:
        found = []
        for one in (metrics.training_memory, metrics.measured_peak):
            model.train()
            optimizer = optim.SGD(model.parameters(), lr=0.0, momentum=0.9)
            found.append(one(model, optimizer, _loss(model, x)))
        return tuple(found)
    except (ValueError, RuntimeError, TypeError):
        return None
    finally:
        for p in model.parameters():
            p.grad = None
        model.load_state_dict(state)
        model.train(was_training)


def _loss(model: nn.Module, x: np.ndarray) -> Callable[[], Tensor]:
    """A number that depends on all outputs: a mean cross-entropy, over classes or over the classes of each pixel."""

    def loss():
        y = model(Tensor(x))
        y = y[0] if isinstance(y, tuple) else y
        flat = y.reshape(len(x), -1)
        return F.cross_entropy(flat, np.zeros(len(x), np.int64))

    return loss


def shown(m: Measures) -> SimpleNamespace:
    """The measures as texts for a table, "" for what is not known."""
    mb, unknown = "{:.2f}".format, ""
    return SimpleNamespace(
        accuracy=unknown if m.accuracy is None else f"{m.accuracy:.2f}",
        parameters=f"{m.parameters:,}",
        mmacs=f"{m.macs / 1e6:,.1f}",
        file=f"{m.file_bytes:,}",
        held=mb(m.held_bytes / 1e6),
        peak=mb(m.peak_activation_bytes / 1e6),
        ms=unknown if m.latency is None else f"{m.latency.median_ms:.2f}",
        uj=f"{m.energy.total / 1e6:,.1f}",
        density=unknown if m.density is None else f"{m.density:.2f}",
        netscore=unknown if m.netscore is None or not math.isfinite(m.netscore) else f"{m.netscore:.2f}",
    )
