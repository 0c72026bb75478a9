"""From a quantized network to its integer program: one run shows the ops, and each becomes a step on codes.

    integers = lower_integers(quantize(model, images), (1, 1, 28, 28))
    integers(x)                                         floats in, integers inside, floats out

A FakeQuantize says in which codes a tensor is held. What lies between two of them is one step: a layer with the ReLU
after it, an addition, a concatenation, a mean, or a function of one number, which becomes a table of 256 codes.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from lightnn import options
from lightnn.compress.structure.wiring import INPUT, Step, Wiring, wiring
from lightnn.nn import Module
from lightnn.runtime.integers import moves, steps
from lightnn.runtime.integers.layers import LAYERS, layer_step
from lightnn.runtime.registry import RunsOnly
from lightnn.tables import Tabular
from lightnn.tensor import Tensor

WHERE = "lower_integers"
FUSED = {"relu": (0.0, np.inf), "relu6": (0.0, 6.0)}  # what they clamp to: a bound of the codes
NEW = {**LAYERS, "add": steps.add, "concat": steps.concat, "avg_pool2d": steps.avg_pool2d}
NEW |= {"adaptive_avg_pool2d": steps.adaptive_avg_pool2d}


class Line(NamedTuple):
    """One step of a program. inputs, output: numbers of arrays; frees: those that no later step reads."""

    module: str
    op: str
    run: Callable[..., np.ndarray]
    inputs: tuple[int, ...]
    output: int
    frees: tuple[int, ...] = ()


class IntegerNetwork(RunsOnly, Tabular):
    """A network that computes in integers: call it with floats of the shape that it was lowered for, but any batch.
    It prints as a table of its steps."""

    def __init__(self, lines: Sequence[Line], input_shape: tuple[int, ...], dense_bytes: int):
        self.lines, self.input_shape, self.dense_bytes = tuple(lines), input_shape, dense_bytes

    def forward(self, x):
        self.check_that_it_runs_only(x)
        x = x.data if isinstance(x, Tensor) else np.asarray(x)
        if x.shape[1:] != self.input_shape or x.dtype.kind != "f":
            raise ValueError(f"IntegerNetwork: want floats (N, {str(self.input_shape)[1:]}, got {x.dtype} {x.shape}")
        if not np.isfinite(x).all():
            raise ValueError("IntegerNetwork: want finite numbers in x, which alone have codes")
        held = {INPUT: x}
        for line in self.lines:
            held[line.output] = line.run(*(held[i] for i in line.inputs))
            for i in line.frees:
                del held[i]
        return Tensor(held[self.lines[-1].output])

    def stored(self):
        """The weights, packed, and all else: biases, multipliers, tables."""
        filters = [line.run.filters for line in self.lines if hasattr(line.run, "filters")]
        rest = [line.run._replace(filters=None) if hasattr(line.run, "filters") else line.run for line in self.lines]
        return {"weights": moves.all_bytes(tuple(filters)), "requantization": moves.all_bytes(tuple(rest))}

    def table(self):
        rows = [(line.module, line.op, type(line.run).__name__, moves.all_bytes(line.run).size) for line in self.lines]
        return "", ("module", "op", "runs as", "bytes"), rows


def lower_integers(model: Module, input_shape: Sequence[int]) -> IntegerNetwork:
    """The program of a network that `compress.quantize` has made, or one with FakeQuantize layers and Affine weights
    in the same places, for inputs of input_shape (N, ...), N of no matter. The model is left as it is.

    The codes differ from those of the model's own run by a step at most in each layer, two in a mean: biases are
    rounded, and the scale of a result is a fixed-point number. ValueError names the module that can't be run in
    integers, and why.
    """
    run = wiring(WHERE, model, (1, *options.shape(f"{WHERE}: input_shape", input_shape)[1:]))
    builder = _Builder(run, dict(model.named_modules()))
    for i, step in enumerate(run.steps):
        builder.add(i, step)
    if run.output not in builder.codes:
        raise ValueError(f"{WHERE}: want a FakeQuantize after {_place(run, run.output)}, the output, got none")
    lines = builder.lines
    lines.append(Line("", "dequantize", steps.Dequantize(builder.codes[run.output]), (run.output,), len(run.steps)))
    dense_bytes = sum(p.data.nbytes for p in model.parameters())
    return IntegerNetwork(_freeing(lines), tuple(input_shape[1:]), dense_bytes).eval()


def _freeing(lines):
    """The lines, each with what no later one reads."""
    last = {i: k for k, line in enumerate(lines) for i in line.inputs}
    return [line._replace(frees=tuple(i for i in set(line.inputs) if last[i] == k)) for k, line in enumerate(lines)]


def _place(run: Wiring, i: int) -> str:
    return "the input" if i == INPUT else f"{run.steps[i].op.name} in {run.steps[i].module or 'the network'}"


class _Builder:
    """codes: {array: what its codes mean}. pending: {array of floats: (the step that makes it, its bounds)}."""

    def __init__(self, run: Wiring, modules: dict[str, Module]):
        self.run, self.modules, self.codes, self.pending, self.lines = run, modules, {}, {}, []

    def add(self, i: int, step: Step) -> None:
        """Step i of the run."""
        first = step.inputs[0]
        if step.op.name == "fake_quantize":
            self._hold(i, step, first)
        elif step.op.name in FUSED and first in self.pending:
            self.pending[i] = self.pending[first][0], FUSED[step.op.name]
        elif not all(k in self.codes for k in step.inputs):
            wrong = next(k for k in step.inputs if k not in self.codes)
            raise ValueError(f"{WHERE}: want a FakeQuantize between {_place(self.run, wrong)} and {_place(self.run, i)}"
                             ", got none")  # fmt: skip
        elif step.op.name in moves.MOVES:
            self.codes[i] = moves.codes_after(self.codes[first], step)
            self._emit(i, step, moves.move(step, self.codes[first], self.modules), step.inputs)
        else:
            self.pending[i] = i, (-np.inf, np.inf)

    def _hold(self, i, step, first):
        """A FakeQuantize: what was computed since the last one becomes a step."""
        q = step.options
        codes = steps.Codes(q["scale"], q["zero_point"], q["q_min"], q["q_max"], step.y.shape[1:])
        self.codes[i] = codes
        if first == INPUT:
            self._emit(i, step, steps.Quantize(codes), (INPUT,))
        elif first in self.codes:
            self._emit(i, step, steps.table(self.codes[first], codes, lambda r: r), (first,))
        else:
            made, bounds = self.pending[first]
            op = self.run.steps[made]
            self._emit(i, op, self._new(op, codes.within(*bounds)), op.inputs)

    def _new(self, op, codes):
        """The step for an op that computes new numbers."""
        given = [self.codes[k] for k in op.inputs]
        try:
            if op.op.name in LAYERS:
                return layer_step(self.modules.get(op.module), given[0], codes, self._listed_image(op.inputs[0]))
            if (make := NEW.get(op.op.name)) is not None:
                return make(op, given, codes)
            return steps.table_of_op(op, given, codes)
        except ValueError as error:
            raise ValueError(f"{WHERE}: {op.module or 'the network'}: {error}") from None

    def _listed_image(self, i):
        """The shape (C, H, W) of the image whose codes, channels last, array i lists; None if it lists none."""
        while i != INPUT and self.run.steps[i].op.name in ("flatten", "reshape", "fake_quantize", "relu"):
            i = self.run.steps[i].inputs[0]
            if i != INPUT and self.run.steps[i].y.ndim == 4:
                return self.run.steps[i].y.shape[1:]
        return None

    def _emit(self, i, step, run, inputs):
        self.lines.append(Line(step.module or "", step.op.name, run, tuple(inputs), i))
