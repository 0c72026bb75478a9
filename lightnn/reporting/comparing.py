"""Several networks beside each other: a table, and which of them are worth a look."""

import os
from collections.abc import Mapping, Sequence

import numpy as np

from lightnn import metrics, nn, options
from lightnn.reporting.measuring import Measures, measure, shown
from lightnn.tables import Tabular
from lightnn.training import evaluate

COSTS = {
    "file_bytes": "bytes of the file",
    "parameters": "parameters",
    "macs": "MACs",
    "macs_kept": "MACs without zero weights",
    "latency_ms": "ms, batch 1",
}


class Comparison(Tabular):
    """measures: {name: Measures}. It prints as a table; a star marks networks that no other one beats in accuracy (if
    all accuracies are known), bytes of the file, and MACs without zero weights together."""

    def __init__(self, measures: dict[str, Measures]):
        self.measures = measures

    def cost(self, name: str, of: str = "file_bytes") -> float:
        """One of COSTS of the network."""
        options.one_of("compare: of", of, tuple(COSTS))
        m = self.measures[name]
        if of != "latency_ms":
            return getattr(m, of)
        if m.latency is None:
            raise ValueError("compare: want latencies, got none: compare(..., timing=True)")
        return m.latency.median_ms

    def best(self, costs: Sequence[str] = ("file_bytes", "macs_kept")) -> list[str]:
        """The names on the Pareto front of the error, if it is known, and these costs."""
        names, known = list(self.measures), all(m.accuracy is not None for m in self.measures.values())
        error = [[100 - self.measures[n].accuracy] if known else [] for n in names]
        rows = [[*e, *(self.cost(n, of) for of in costs)] for e, n in zip(error, names)]
        return [names[i] for i in metrics.pareto(np.array(rows, np.float64))]

    def table(self):
        best = set(self.best())
        head = ("", "top-1", "params", "M MACs", "file", "held MB", "ms", "uJ", "NetScore")
        rows = []
        for name, m in self.measures.items():
            s = shown(m)
            label = f"{name[:16]}{' *' * (name in best)}"
            kept = f"{m.macs_kept / 1e6:,.2f}"
            rows.append((label, s.accuracy, s.parameters, kept, s.file, s.held, s.ms, s.uj, s.netscore))
        return "M MACs: without zero weights; *: no other one beats it", head, rows

    def plot(self, path: str | os.PathLike | None = None, cost: str = "file_bytes") -> None:
        """Draw accuracy against a cost, the Pareto front marked; into a notebook, or into a file at path."""
        import matplotlib.pyplot as plt

        if any(m.accuracy is None for m in self.measures.values()):
            raise ValueError("compare: want accuracies to draw, got a network without: compare(..., data=(x, y))")
        figure, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
        best = set(self.best((cost,)))
        for name, m in self.measures.items():
            ax.scatter(self.cost(name, cost), m.accuracy, color="#1b3a5c" if name in best else "#b0b0b0", s=40)
            ax.annotate(name, (self.cost(name, cost), m.accuracy), (5, 4), textcoords="offset points", fontsize=8)
        front = sorted((self.cost(name, cost), self.measures[name].accuracy) for name in best)
        ax.step(*zip(*front), where="post", color="#d1733a", lw=1)
        ax.set(xscale="log", xlabel=COSTS[cost], ylabel="accuracy in %")
        ax.spines[["top", "right"]].set_visible(False)
        plt.show() if path is None else figure.savefig(path)
        plt.close(figure)


def compare(
    models: Mapping[str, nn.Module],
    input_shape: Sequence[int],
    *,
    data: tuple[np.ndarray, np.ndarray] | None = None,
    accuracies: Mapping[str, float] | None = None,
    timing: bool = True,
) -> Comparison:
    """Measure your own networks beside each other: {name: network} on images of input_shape (1, C, H, W).

    data: (x, y), to measure their accuracies on; or accuracies, {name: %}, if you know them. timing: also their
    latencies, lowered. `print` shows the table; `.plot()` draws accuracy against bytes, and the Pareto front.
    """
    if not isinstance(models, Mapping) or not models:
        raise options.wrong("compare: models", "a dict {name: network}", models)
    shape, flag = options.shape("compare: input_shape", input_shape), options.flag("compare: timing", timing)
    known = dict(options.named("compare: accuracies", accuracies)) if accuracies is not None else {}
    if data is not None:
        known |= {name: 100 * evaluate(model, *data, progress=False) for name, model in models.items()}
    how = {"timing": flag, "training": False}
    return Comparison({n: measure(model, shape, accuracy=known.get(n), **how) for n, model in models.items()})
