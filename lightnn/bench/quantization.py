"""What quantization gains and costs, measured: `python -m lightnn bench quantization`.

The survey's table says of weights, activations and gradients what fewer bits are good for and what is hard. Here each
of its words is a column, on LeNet-5 (with a ReLU after each convolution) and MNIST:

    file      bytes of the .lnn file of the trained network
    energy    of one image, estimated from energies of single operations (energy.py)
    held      bytes that a training step holds (memory.py)
    cosine    of the straight-through gradient and the gradient in floats, at the trained weights of the control
    sent      bytes that a worker sends in a step
    loss      on the validation images after as many steps as the control, from the same weights, on the same batches

Weights have a learned step (LSQ), of one bit E|W| sign(W) (DoReFa); activations are PACT's; gradients are rounded at
random as DoReFa does it, row by row, and by three other codecs. All four layers are quantized. The last row is the
control in 8-bit integers, not trained on: only there are codes multiplied. Test images are not used.
"""

import copy
import functools
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lightnn import compress, data, io, models, nn, optim
from lightnn import functional as F
from lightnn.bench import networks
from lightnn.bench.suite import Suite
from lightnn.bench.survey_table import format_table
from lightnn.compress.gradients import QSGD, DoReFaGradient, OneBitSGD, TernGrad, Uncompressed
from lightnn.compress.quantization.calibration import observe
from lightnn.compress.quantization.post_training import layers_with_weights
from lightnn.journal import draws
from lightnn.metrics.joules import counts, energy
from lightnn.metrics.memory import training_memory
from lightnn.papers.lab import stage
from lightnn.tensor import Tensor
from lightnn.training import cosine, predict

BITS, SEEDS, STEPS, BATCH_SIZE, LR = (1, 2, 4, 8), (0, 1, 2), 150, 64, 0.02
SHAPE, LAYERS, ALPHA, CALIBRATION = (1, 1, 28, 28), ("conv1", "conv2", "fc1", "fc2"), 2.0, 500
CONTROL, INTEGERS = "float32", "both in int8"


@dataclass(frozen=True)
class Way:
    """Bits of the weights and of the activations, 32 for floats, and what gradients are sent by."""

    weights: int = 32
    activations: int = 32
    codec: Callable = Uncompressed


WAYS = {
    CONTROL: Way(),
    **{f"weights, {K} bit": Way(weights=K) for K in BITS},
    **{f"activations, {K} bit": Way(activations=K) for K in BITS},
    **{f"gradients, {K} bit": Way(codec=functools.partial(DoReFaGradient, bits=K)) for K in BITS},
    "QSGD, s = 7": Way(codec=functools.partial(QSGD, levels=7, bucket=512)),
    "TernGrad": Way(codec=TernGrad),
    "1-bit SGD": Way(codec=OneBitSGD),
}


def network(seed: int) -> nn.Module:
    """LeNet-5 with a ReLU after each convolution, not trained."""
    model = models.lenet5(rng=draws(seed, "initial weights"))
    new = {name: nn.Sequential(getattr(model, name), nn.ReLU()) for name in ("conv1", "conv2")}
    return models.replace(model, new)


def quantized(model: nn.Module, way: Way, alpha: Callable[[str], float] = lambda path: ALPHA) -> nn.Module:
    """A copy with weights and activations of the way's bits. alpha(path): where the clip of an activation begins."""
    relus = {path for path, m in model.named_modules() if isinstance(m, nn.ReLU)}
    new = {path: nn.PACT(way.activations, alpha(path)) for path in relus if way.activations < 32}
    twin = models.replace(copy.deepcopy(model), new)
    for p in weights_of(twin) if way.weights < 32 else []:
        p.values = None
        compress.use_dorefa(p, 1) if way.weights == 1 else compress.use_lsq(p, way.weights)
    return twin


def weights_of(model: nn.Module) -> list[nn.Parameter]:
    """The weights of the four layers, in order."""
    return [layer.weight for layer in layers_with_weights(model).values()]


def trained(model: nn.Module, way: Way, images: stage.Images, seed: int, steps: int) -> dict:
    """Train in place. {"bytes sent a step", "loss", "error %"}, each None if a loss was not finite."""
    optimizer = optim.SGD(model.parameters(), lr=LR, momentum=0.9)
    codecs = [way.codec(p.shape, rng=draws(seed, f"codec {i}")) for i, p in enumerate(model.parameters())]
    batches = itertools.islice(data.batches(*images.training, BATCH_SIZE, rng=draws(seed, "batches")), steps)
    sent = 0
    model.train()
    for x, y in batches:
        value = F.cross_entropy(model(Tensor(x)), y)
        if not np.isfinite(value.item()):
            return {"bytes sent a step": None, "loss": None, "error %": None}
        optimizer.zero_grad()
        value.backward()
        for p, codec in zip(model.parameters(), codecs, strict=True):
            message = codec.encode(p.grad)
            p.grad, sent = codec.decode(message), sent + len(message)
        optimizer.step()
    return {"bytes sent a step": sent / steps, **judged(model, images)}


def judged(model: nn.Module, images: stage.Images) -> dict[str, float]:
    """Loss and error on the validation images."""
    x, y = images.validation
    outputs = predict(model, x)
    loss = F.cross_entropy(Tensor(outputs), y).item()
    return {"loss": float(loss), "error %": round(100 * float((outputs.argmax(1) != y).mean()), 2)}


def gradients(model: nn.Module, x: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
    """dL/dW of the latent weights of the four layers."""
    for p in model.parameters():
        p.grad = None
    F.cross_entropy(model.train()(Tensor(x)), y).backward()
    return [p.grad for p in weights_of(model)]


def mismatch(control: nn.Module, way: Way, x: np.ndarray, y: np.ndarray, seed: int) -> float:
    """The cosine of the way's gradient and the float one at the control's weights. A clip is where the mean square
    error of the activation is least, as `compress.mse_range` finds it."""
    floats, twin = gradients(control, x, y), control
    if way.activations < 32:
        paths = [path for path, m in control.named_modules() if isinstance(m, nn.ReLU)]
        seen = observe(control, paths, x)
        twin = quantized(control, way, lambda path: compress.mse_range(seen[path], way.activations)[1])
    elif way.weights < 32:
        twin = quantized(control, way)
    others = gradients(twin, x, y)
    codecs = [way.codec(g.shape, rng=draws(seed, f"cosine {i}")) for i, g in enumerate(others)]
    others = [codec.decode(codec.encode(g)) for codec, g in zip(codecs, others, strict=True)]
    return cosine(floats, others)


def held(way: Way, x: np.ndarray, y: np.ndarray) -> dict[str, int]:
    """What a training step of the way holds, in bytes."""
    model = quantized(network(0), way).train()
    x, optimizer = x.copy(), optim.SGD(model.parameters(), lr=LR, momentum=0.9)  # a view would hold the whole data set
    found = training_memory(model, optimizer, lambda: F.cross_entropy(model(Tensor(x)), y))
    return {**found._asdict(), "total": found.total}


def one_seed(images: stage.Images, seed: int, steps: int, say: Callable[[str], None]) -> dict[str, dict]:
    """{way: {"file bytes", "cosine", "bytes sent a step", "loss", "error %"}}."""
    control, rows = network(seed), {}
    probe = tuple(a[:CALIBRATION] for a in images.training)
    for name, way in WAYS.items():
        model = control if name == CONTROL else quantized(network(seed), way)
        rows[name] = {**trained(model, way, images, seed, steps), "file bytes": len(io.to_bytes(model))}
        rows[name]["cosine"] = mismatch(control, way, *probe, seed)
        loss = rows[name]["loss"]
        say(f"seed {seed}  {name:<20} loss {'not finite' if loss is None else f'{loss:.4f}'}")
    integers = compress.quantize(control, probe[0])
    rows[INTEGERS] = {**judged(integers, images), "file bytes": len(io.to_bytes(integers))}
    return rows


def run(seeds: Sequence[int] = SEEDS, steps: int = STEPS, say: Callable[[str], None] = print) -> dict:
    """{"seeds", "steps", ..., "forward ms", "energy pJ": {way: {part: pJ}}, "training bytes": {way: {part: bytes}},
    "rows": {way: {column: [one of each seed]}}, "seconds"}. Prints as it measures, and the table."""
    start, images = time.perf_counter(), stage.mnist()
    n, batch = counts(network(0), SHAPE), tuple(a[:BATCH_SIZE] for a in images.training)
    ways = {**WAYS, INTEGERS: Way(8, 8)}
    spent = {name: energy(n, way.weights, way.activations, name == INTEGERS) for name, way in ways.items()}
    memory = {name: held(way, *batch) for name, way in WAYS.items()}
    each = [one_seed(images, seed, steps, say) for seed in seeds]
    rows = {name: {key: [one[name][key] for one in each] for key in row} for name, row in each[0].items()}
    three = networks.three(network(0), images.training[0][:BATCH_SIZE])
    ms = {str(b): networks.measure(three, images.training[0][:b]) for b in networks.BATCHES}
    how = {"seeds": list(seeds), "steps": steps, "batch size": BATCH_SIZE, "lr": LR, "counts": n._asdict()}
    result = {**how, "forward ms": ms, "training bytes": memory, "rows": rows}
    result["energy pJ"] = {name: {**e._asdict(), "total": e.total} for name, e in spent.items()}
    result["seconds"] = round(time.perf_counter() - start, 1)
    say(format_table(result))
    return result


SUITE = Suite(("quantization",), "what fewer bits gain and cost, as a table", lambda families: run())
