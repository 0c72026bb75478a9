"""`python -m lightnn compress MODEL --int8 | --bits K | --mixed BYTES | --binary`: a network of the paper in integers.

The reference is trained as `compress` trains it. Then batch norms are folded, weights get 8, K or mixed bits and
activations 8, ranges are calibrated on training images and biases corrected on them. Or each weight gets one bit, each
filter a scale (Rastegari et al. 2016, arXiv 1603.05279), and activations stay floats. Below 8 bits the network is then
trained for a while, gradients straight through the rounding; the validation images pick the epoch. The test images are
used twice: for the reference and for the file.
"""

import copy
import dataclasses
import functools
import time
from dataclasses import dataclass

from lightnn import io, nn, optim
from lightnn.compress import correct_bias, mixed_bits, quantize, use_binary_filters
from lightnn.compress.quantization.post_training import layers_with_weights
from lightnn.journal import draws
from lightnn.papers.deep_compression.experiment import SUBJECTS, Pipeline, stages_of
from lightnn.papers.lab import stage
from lightnn.papers.lab.run import Run, run_to_file
from lightnn.papers.lab.session import Session
from lightnn.tables import text_table
from lightnn.training import Recipe, evaluate

CALIBRATION = 1000  # training images


@dataclass(frozen=True)
class Integers:
    """bits: of the weights. budget_bytes: of the file, if each layer gets bits of its own; else None."""

    bits: int = 8
    budget_bytes: int | None = None

    def __str__(self):
        return f"{self.bits} bits" if self.budget_bytes is None else f"mixed bits within {self.budget_bytes:,} bytes"

    def quantized(self, reference: nn.Module, images: stage.Images) -> tuple[nn.Module, dict[str, int]]:
        """(the network, {layer: bits of its weights})."""
        return in_integers(reference, images, self)

    def recipe(self, pipeline: Pipeline) -> Recipe:
        """How it is trained then."""
        return pipeline.tuning


class OneBit(Integers):
    """One bit a weight in all layers."""

    def __str__(self):
        return "1 bit"

    def quantized(self, reference, images):
        twin = copy.deepcopy(reference)
        for layer in layers_with_weights(twin).values():
            use_binary_filters(layer.weight)
        return twin, dict.fromkeys(layers_with_weights(twin), 1)

    def recipe(self, pipeline):
        return dataclasses.replace(pipeline.training, optimizer=optim.Adam, lr=0.001)


def quantize_to_file(
    model: str, output: str, command: str, integers: Integers, *, seed: int, quick: bool, path: str | None, fresh: bool
) -> dict:
    """Write a network of SUBJECTS in integers to `output`, print its table, and write the numbers to path, if any."""
    subject = SUBJECTS[model]
    pipeline = subject.quick if quick else subject.full

    def work(journal):
        return quantize_network(model, output, pipeline, integers, Session(journal, seed, quick))

    run = Run(f"compress {model} to {integers}", command, seed, pipeline, fresh)
    report = functools.partial(format_integers, output)
    return run_to_file(run, work, report, output, path)


def quantize_network(name: str, path: str, pipeline: Pipeline, integers: Integers, session: Session) -> dict:
    """Train, quantize and test a network of SUBJECTS on MNIST, and write it to path: a dict of plain numbers."""
    images, first, seed, journal = stage.mnist(), stages_of(pipeline)[0], session.seed, session.journal

    def fit(model, each, recipe):
        start = time.perf_counter()
        error = stage.fit(model, images, draws(seed, each), recipe, progress=session.progress, description=each)
        session.say(f"{each:<34} validation error {error:5.2f} %")
        return model, {"seconds": time.perf_counter() - start}

    def train():
        model = SUBJECTS[name].make(dropout=pipeline.dropout, rng=draws(seed, "initial weights"))
        return fit(model, first.name, first.recipe)

    def to_integers():
        model, bits = integers.quantized(reference, images)
        low = set(bits.values()) != {8}
        numbers = fit(model, f"train with {integers}", integers.recipe(pipeline))[1] if low else {}
        return model, {"seconds": 0.0, **numbers, "bits": bits}

    reference, trained = journal.network(first.name, train)
    before = journal.step("test the reference", functools.partial(_test, reference, images))["accuracy"]
    model, numbers = journal.network(f"quantize to {integers}", to_integers)
    save_within(model, path, integers)
    after = journal.step("test the file", functools.partial(_test, io.load(path), images))["accuracy"]
    seconds = trained["seconds"] + numbers["seconds"]
    return {"network": name, "bits": numbers["bits"], **results(reference, model, integers, before, after, seconds)}


def save_within(model: nn.Module, path: str, integers: Integers) -> None:
    """Write the file. ValueError, and no file, if it would have more bytes than its budget."""
    size_bytes = len(io.to_bytes(model))
    if integers.budget_bytes is not None and size_bytes > integers.budget_bytes:
        raise ValueError(f"--mixed: want a file of at most {integers.budget_bytes} bytes, got {size_bytes}")
    io.save(model, path)


def results(
    reference: nn.Module, model: nn.Module, integers: Integers, before: float, after: float, seconds: float
) -> dict:
    """What was measured, as plain numbers. before, after: accuracies in [0, 1]."""
    return {
        "integers": str(integers),
        "reference error %": round(100 - 100 * before, 2),
        "integer error %": round(100 - 100 * after, 2),
        "float_bytes": len(io.to_bytes(reference)),
        "size_bytes": len(io.to_bytes(model)),
        "seconds": seconds,
    }


def in_integers(reference: nn.Module, images: stage.Images, integers: Integers) -> tuple[nn.Module, dict[str, int]]:
    """(the quantized network, {layer: bits of its weights})."""
    x = images.training[0][:CALIBRATION]
    model = quantize(reference, x, weight_bits=integers.bits)
    if integers.budget_bytes is None:
        bits = {path: layer.weight.values.bits for path, layer in layers_with_weights(model).items()}
    else:
        xy = (a[:CALIBRATION] for a in images.validation)
        # training changes how well Huffman codes work: a fiftieth is left for that
        model, bits = mixed_bits(model, *xy, max(1, integers.budget_bytes * 49 // 50), lambda m: len(io.to_bytes(m)))
    return correct_bias(model, x), dict(bits)


def _test(model, images):
    return {"accuracy": evaluate(model, *images.test, progress=False)}


def format_integers(output: str, result: dict) -> str:
    """The result as a table."""
    rows = [
        ("as floats", f"{result['reference error %']:.2f} %", result["float_bytes"]),
        (result["integers"], f"{result['integer error %']:.2f} %", result["size_bytes"]),
    ]
    table = text_table("", (result["network"], "test error", "bytes"), rows)
    bits = ", ".join(f"{path} {K}" for path, K in result["bits"].items())
    return f"{table}\n\nbits of the weights: {bits}\npython -m lightnn inspect {output} shows what the bytes are."
