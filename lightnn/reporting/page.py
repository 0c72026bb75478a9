"""`python -m lightnn report FILE|MODEL`: all measures of a network as text, as .csv and as a picture."""

import csv
import io as text_io
import os
import pathlib
from collections.abc import Sequence

from lightnn import io, metrics, nn
from lightnn.files import check_writable, write_atomically
from lightnn.reporting import published
from lightnn.reporting.measuring import BATCH, Measures, measure
from lightnn.tables import Tabular, text_table

PICTURES = (".png", ".svg")


class Report(Tabular):
    """name, measures, and of a file its bytes by part. Printed, a table with a measure a line and its unit."""

    def __init__(self, name: str, measures: Measures, parts: dict[str, int], layers: metrics.Trace):
        self.name, self.measures, self.parts, self.layers = name, measures, parts, layers

    def rows(self) -> list[tuple[str, float | int | str, str]]:
        """(measure, value, unit or how it is counted)."""
        return [*_counted(self.measures), *_timed(self.measures), *_scores(self.measures), *self._stored()]

    def _stored(self):
        return [(f"  {part}", size, "bytes of the file") for part, size in self.parts.items()]

    def table(self):
        shape = "x".join(map(str, self.measures.input_shape[1:]))
        rows = [(name, f"{v:,.3f}" if isinstance(v, float) else v, unit) for name, v, unit in self.rows()]
        return f"{self.name}, one image {shape}", ("", "", ""), [(*row[:2], f"{row[2]:<36}") for row in rows]

    def __str__(self):
        caption, _, rows = self.table()
        return text_table(caption, None, rows)

    def csv(self) -> str:
        out = text_io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("measure", "value", "unit"))
        writer.writerows((name.strip(), value, unit) for name, value, unit in self.rows())
        return out.getvalue()

    def plot(self, path: str | os.PathLike) -> None:
        """Draw what each layer costs: parameters, MACs, activation bytes; at most 24 parts of the network."""
        import matplotlib

        matplotlib.use("Agg")
        import matplotlib.pyplot as plt

        parts = by_part(self.layers)
        figure, axes = plt.subplots(1, 3, figsize=(11, 1 + 0.28 * len(parts)), sharey=True, layout="constrained")
        for ax, (i, title) in zip(axes, enumerate(("parameters", "MACs", "activation bytes"))):
            ax.barh(list(parts), [counts[i] for counts in parts.values()], color="#1b3a5c")
            ax.set_title(title)
            ax.spines[["top", "right"]].set_visible(False)
        axes[0].invert_yaxis()
        figure.suptitle(f"{self.name}: what each part costs")
        figure.savefig(path, metadata={"Date": None} if pathlib.Path(path).suffix == ".svg" else None)
        plt.close(figure)


def by_part(rows: metrics.Trace, most: int = 24) -> dict[str, tuple[int, int, int]]:
    """{part: (parameters, MACs, activation bytes)}: by as many steps of the modules' paths as give at most that many
    parts."""
    found = {}
    for depth in (4, 3, 2, 1):
        found = {}
        for row in rows:
            part = ".".join(row.module.split(".")[:depth]) or "(itself)"
            one = (row.parameters, row.macs, row.activation_bytes)
            found[part] = tuple(a + b for a, b in zip(found.get(part, (0, 0, 0)), one))
        if len(found) <= most:
            break
    return found


def _counted(m):
    unit = "% left" if m.macs else ""
    yield "parameters", m.parameters, "trained numbers, zeros included"
    yield "MACs", m.macs, "torchvision's way, conv and linear"
    yield "FLOPs", 2 * m.macs, "Han's way, 2 a MAC"
    yield "MACs without zero weights", m.macs_kept, f"{100 * m.macs_kept / m.macs:.1f} {unit}" if unit else ""
    yield "activations", m.activation_bytes, "bytes of all ops' outputs"
    yield "activations at once", m.peak_activation_bytes, "bytes at most, layer by layer"
    yield "file", m.file_bytes, "bytes of .lnn"
    yield "held to run", m.held_bytes, "bytes, lowered"
    yield "energy", m.energy.total / 1e6, "uJ, estimate, 45 nm, Horowitz 2014"
    for name, value in m.energy._asdict().items():
        yield f"  {name}", value / 1e6, "uJ"


def _timed(m):
    if m.latency is not None:
        spread = f"ms, {m.latency.least_ms:.3f} to {m.latency.most_ms:.3f}"
        yield "latency, batch 1", m.latency.median_ms, f"{spread}; {m.threads} thread{'s' * (m.threads != 1)}"
        yield f"throughput, batch {BATCH}", m.images_per_second, "images a second"
    if m.training is not None:
        predicted, peak = m.training
        yield "training holds", predicted.total, "bytes, from the tape, all together"
        for name, value in predicted._asdict().items():
            yield f"  {name}", value, "bytes"
        yield "training peak", peak, "bytes, measured, one image"


def _scores(m):
    if m.accuracy is not None:
        yield "accuracy", m.accuracy, "% top-1, as given or published"
        yield "information density", m.density, "% a million parameters"
    if m.netscore is not None:
        yield "NetScore", m.netscore, "dB, p in millions, m in billions"


def report(
    target: str,
    *,
    accuracy: float | None = None,
    input_shape: Sequence[int] | None = None,
    timing: bool = True,
    csv_path: str | os.PathLike | None = None,
    plot_path: str | os.PathLike | None = None,
) -> Report:
    """The Report of a .lnn file, or of a network of the zoo by name; written to csv_path and plot_path, too.

    input_shape: (C, H, W), by default what the name or the first layer says. accuracy: in %, by default the published
    one. Without timing neither latency nor a training step is measured."""
    if plot_path is not None and pathlib.Path(plot_path).suffix not in PICTURES:
        raise ValueError(f"--plot: want a name that ends in {' or '.join(PICTURES)}, got {str(plot_path)!r}")
    for path in filter(None, (csv_path, plot_path)):
        check_writable(path)
    model, parts, known = _open(target)
    shape = (1, *input_shape) if input_shape is not None else published.image_shape(model, target)
    accuracy = known if accuracy is None else accuracy
    found = measure(model, shape, accuracy=accuracy, timing=timing, training=timing)
    result = Report(pathlib.Path(target).name, found, parts, metrics.trace(model, shape))
    if csv_path is not None:
        write_atomically(csv_path, result.csv().encode())
    if plot_path is not None:
        result.plot(plot_path)
    return result


def _open(target: str) -> tuple[nn.Module, dict[str, int], float | None]:
    """(network, bytes by part of its file, published accuracy)."""
    if target in published.zoo():
        known = published.NETWORKS.get(target)
        return published.build(target), {}, known and known.accuracy
    if not pathlib.Path(target).exists():
        raise ValueError(f"want a .lnn file or one of {', '.join(published.zoo())}; got {target!r}")
    return io.load(target).eval(), io.inspect(target).bytes_by_part(), None
