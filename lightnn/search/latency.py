"""A table of measured latencies, from which a search reads what a network of other widths would take.

    latency of a network = scale * the sum of its layers' latencies + what does not depend on widths

(Yang et al. 2018, NetAdapt, arXiv 1804.03230, section 3.3.) Each layer is lowered alone, with its batch norm and
activation, and its steps are timed (pace.py) at some numbers of input and output channels; between them the table
interpolates linearly along both. The rest, copying the input and pooling, is timed in the whole network.

Steps that are called one after the other find their numbers in another cache than steps that are timed alone. So the
whole network is timed, too, as it is and at half its widths, and `scale` is what the sum must be multiplied by to give
that. NetAdapt's own table is the sum alone: scale = 1.

A time is true for one machine, one number of threads and one version of the kernels: a table that was saved elsewhere
is refused.
"""

import json
import os
import pathlib
import statistics
from collections.abc import Mapping, Sequence

import numpy as np
from tqdm.auto import tqdm

from lightnn import nn, options, record
from lightnn.files import read_at_most, write_atomically
from lightnn.journal import Journal, source_digest
from lightnn.kernels.parallel import get_num_threads
from lightnn.metrics import trace
from lightnn.runtime import lower, step_calls
from lightnn.search.blocks import Blocks, Widths
from lightnn.search.pace import Pace, whole_ms
from lightnn.tables import Tabular

MOST = 2**26  # bytes of a table's file
PASSES = 2  # over all layers; the smaller time counts, since a pass may meet with other work
SAMPLES = 8  # numbers of channels along one axis, at most
ENDS = ("ENTER", "LEAVE")  # steps that copy a program's input and output


class LatencyTable(Tabular):
    """{kind of layer: its latency at some (C_in, C_out)}, and for networks made of such layers the sum.

    layers: {path: kind} of the network that was measured. rest_ms: what is not in the layers. reference_ms: what the
    reference took. scale: of the sum. kinds: {kind: {"c_in", "c_out", "ms"}}, ms (len(c_in), len(c_out)); of a
    depthwise layer, which has one axis only, (1, len(c_out)).
    """

    def __init__(
        self,
        layers: Mapping[str, str],
        rest_ms: float,
        kinds: Mapping[str, dict],
        reference_ms: float,
        scale: float = 1.0,
    ):
        self.layers, self.rest_ms, self.kinds, self.reference_ms = dict(layers), rest_ms, dict(kinds), reference_ms
        self.scale = scale

    def layer_ms(self, kind: str, c_in: int, c_out: int) -> float:
        """Linear in C_in and in C_out between the samples. ValueError beyond the largest one."""
        options.one_of("LatencyTable: kind of layer", kind, list(self.kinds))
        entry = self.kinds[kind]
        for name, given in (("c_in", c_in), ("c_out", c_out)):
            options.count(f"LatencyTable: {name} of {kind}", given, at_most=entry[name][-1])
        return interpolate(entry["c_in"], entry["c_out"], entry["ms"], c_in, c_out)

    def predict(self, blocks: Blocks, widths: Widths) -> float:
        """Milliseconds of the network of these widths. blocks: those of the network that was measured, or of one that
        was thinned since then."""
        sizes = blocks.channels(widths)
        return self.rest_ms + self.scale * sum(self.layer_ms(k, *sizes[path]) for path, k in self.layers.items())

    def save(self, path: str | os.PathLike) -> None:
        """As JSON, with the machine, the threads and the digest of the source it was measured with."""
        write_atomically(path, json.dumps({"here": here(), **vars(self)}).encode())

    @classmethod
    def load(cls, path: str | os.PathLike) -> "LatencyTable":
        """ValueError for a table of another machine, number of threads or version, and for what is no table."""
        name = pathlib.Path(path).name
        try:
            found = json.loads(read_at_most(path, MOST))
            made = found["here"]
            numbers = (float(found[name]) for name in ("reference_ms", "scale"))
            table = cls(found["layers"], float(found["rest_ms"]), found["kinds"], *numbers)
            options.named("layers", found["layers"])
            for entry in options.named("kinds", found["kinds"]).values():
                _check(entry)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"{name} is no table of latencies: {error}") from None
        differs = [key for key, value in here().items() if made.get(key) != value]
        if differs:
            key = differs[0]
            raise ValueError(f"{name} is of another machine or version: want {key} {here()[key]}, got {made.get(key)}")
        return table

    def table(self):
        rows = [(kind, len(e["c_in"]), len(e["c_out"]), f"{np.max(e['ms']):.4f}") for kind, e in self.kinds.items()]
        return "", ("layer", "C_in", "C_out", "most ms"), rows

    def __repr__(self):
        return f"LatencyTable({len(self.layers)} layers of {len(self.kinds)} kinds)"


def interpolate(c_in: Sequence[int], c_out: Sequence[int], ms: Sequence, i: float, o: float) -> float:
    """The value at (i, o) of what is ms[k][l] at (c_in[k], c_out[l]) and linear in each direction between them."""
    along_out = [np.interp(o, c_out, row) for row in ms]
    return float(along_out[0] if len(along_out) == 1 else np.interp(i, c_in, along_out))


def here() -> dict:
    """What a time depends on."""
    return {**record.machine(), "threads": get_num_threads(), "source": source_digest()}


def _check(entry):
    """ValueError unless this is an entry of `kinds`."""
    for name in ("c_in", "c_out"):
        if list(options.ints(name, entry[name], "numbers of channels", at_least=1)) != sorted(set(entry[name])):
            raise ValueError(f"want {name} in ascending order, got {entry[name]}")
    ms = np.array(entry["ms"], float)
    if (
        not np.isfinite(ms).all()
        or ms.shape[1:] != (len(entry["c_out"]),)
        or ms.shape[0] not in (1, len(entry["c_in"]))
    ):
        raise ValueError(f"want milliseconds for each number of channels, got {ms.shape}")


def measure_latencies(
    model: nn.Module, input_shape: Sequence[int], *, repeats: int = 10, progress: bool = True
) -> LatencyTable:
    """Measure every layer of the model on input_shape (N, C, H, W), from a few channels to those that it has.

    An axis that no block can make smaller (the network's input, its classes) is measured at its own size. Layers of
    equal geometry are measured once. ValueError for a network that does not lower to one program.
    """
    repeats = options.count("measure_latencies: repeats", repeats, at_least=5)
    progress = options.flag("measure_latencies: progress", progress)
    blocks, modules = Blocks(model, input_shape), dict(model.named_modules())
    shapes = {row.module: row.in_shape for row in trace(model, input_shape) if row.parameters}
    layers = {path: kind_of(modules[path], shapes[path]) for path in blocks.layers}
    wanted = {}
    for path, kind in layers.items():
        c_in, c_out = blocks.layers[path].channels(blocks.widths)
        old = wanted.setdefault(kind, (path, [1], [1]))
        axes = _axis(blocks.layers[path].columns, c_in, old[1]), _axis(blocks.layers[path].rows, c_out, old[2])
        wanted[kind] = path, *axes
    pace, kinds = Pace(), {kind: {"c_in": c_in, "c_out": c_out} for kind, (_, c_in, c_out) in wanted.items()}
    for kind in tqdm(PASSES * list(wanted), desc="latencies", disable=not progress, leave=False):
        path, c_in, c_out = wanted[kind]
        pairs = [[(o, o) for o in c_out]] if blocks.layers[path].depthwise else [[(i, o) for o in c_out] for i in c_in]
        rows = [[_layer_ms(modules[path], shapes[path], i, o, pace, repeats) for i, o in row] for row in pairs]
        kinds[kind]["ms"] = np.minimum(rows, kinds[kind].get("ms", np.inf)).tolist()
    whole = lower(model, input_shape)
    rest = _steps_ms(whole, input_shape, pace, repeats, lambda s: s.computes in ENDS or _is_outside(s, layers))
    table = LatencyTable(layers, rest + _call_ms(pace), kinds, pace.reference_ms)
    table.scale = _scale(table, model, blocks, pace)
    return table


def _scale(table, model, blocks, pace):
    """What the sums must be multiplied by to give the whole network's times, as it is and at half its widths."""
    half = {block: max(1, width // 2) for block, width in blocks.widths.items()}
    nets = {"whole": (model, blocks.widths), "half": (blocks.thin(model, half), half)}
    times = whole_ms({name: net for name, (net, _) in nets.items()}, blocks.shape, pace)
    sums = {name: table.predict(blocks, widths) - table.rest_ms for name, (_, widths) in nets.items()}
    return statistics.geometric_mean(max(times[n] - table.rest_ms, 0.1 * times[n]) / sums[n] for n in nets)


def kept_table(journal: Journal, model: nn.Module, input_shape: Sequence[int], progress: bool = True) -> LatencyTable:
    """`measure_latencies` as a step of a journal: a search that is resumed goes on with the same numbers."""
    shape = options.shape("kept_table: input_shape", input_shape)
    progress = options.flag("kept_table: progress", progress)
    return LatencyTable(**journal.step("latencies", lambda: vars(measure_latencies(model, shape, progress=progress))))


def _is_outside(step, layers):
    return step.module not in layers and step.computes != "border"


def kind_of(layer: nn.Module, shape: Sequence[int]) -> str:
    """What a layer's latency depends on besides its channels. shape: of its input, (N, C, H, W) or (N, C)."""
    if isinstance(layer, nn.Linear):
        return f"linear of {shape[0]}"
    if 1 < layer.groups < layer.in_channels:
        raise ValueError(f"LatencyTable: want convolutions that are dense or depthwise, got {layer.groups} groups")
    name = "depthwise" if layer.groups > 1 else "conv2d"
    geometry = layer.kernel_size, layer.stride, layer.padding, layer.dilation
    sizes = " ".join("x".join(map(str, (n, n) if isinstance(n, int) else n)) for n in geometry)
    return f"{name} {sizes} on {shape[0]}x{shape[2]}x{shape[3]}"


def _axis(size, most, before):
    """The numbers of channels to measure: where the kernels' vectors are full, and the largest one."""
    most = max(most, before[-1])
    if not size.of_block:
        return [most]
    step = 8 * -(-most // (8 * SAMPLES))
    return sorted({min(8, most), *range(step, most, step), most})


def _layer_ms(layer, shape, c_in, c_out, pace, repeats):
    """Of a new layer of this geometry with so many channels, with batch norm and ReLU if it is a convolution."""
    if isinstance(layer, nn.Linear):
        made, shape = nn.Sequential(nn.Linear(c_in, c_out, rng=0)), (shape[0], c_in)
    else:
        groups = c_out if layer.groups > 1 else 1
        geometry = layer.kernel_size, layer.stride, layer.padding, layer.dilation, groups
        conv = nn.Conv2d(c_in, c_out, *geometry, bias=False, rng=0)
        made, shape = nn.Sequential(conv, nn.BatchNorm2d(c_out), nn.ReLU()), (shape[0], c_in, *shape[2:])
    return _steps_ms(lower(made, shape), shape, pace, repeats, lambda step: step.computes not in ENDS)


def _steps_ms(lowered, shape, pace, repeats, counts):
    """Of those steps of a lowered network that count."""
    steps = [step for step in step_calls(lowered, shape) if counts(step)]
    times = pace.times({k: step.run for k, step in enumerate(steps)}, repeats)
    return sum(times[k] / step.copies for k, step in enumerate(steps))


def _call_ms(pace):
    """Of calling any program: that of one pixel, which computes nothing to speak of."""
    return whole_ms({"": nn.Sequential(nn.Conv2d(1, 1, 1, rng=0))}, (1, 1, 1, 1), pace)[""]


def table_error(
    table: LatencyTable, model: nn.Module, candidates: Sequence[Widths], input_shape: Sequence[int]
) -> dict:
    """The table against whole networks of these widths: {"predicted ms", "measured ms": [a number for each],
    "median error %", "largest error %"}."""
    blocks = Blocks(model, input_shape)
    predicted = [table.predict(blocks, widths) for widths in candidates]
    thin = {str(k): blocks.thin(model, widths) for k, widths in enumerate(candidates)}
    measured = list(whole_ms(thin, input_shape, Pace(table.reference_ms)).values())
    errors = [100 * abs(p / m - 1) for p, m in zip(predicted, measured)]
    return {
        "predicted ms": [round(ms, 4) for ms in predicted],
        "measured ms": [round(ms, 4) for ms in measured],
        "median error %": round(statistics.median(errors), 1),
        "largest error %": round(max(errors), 1),
    }
