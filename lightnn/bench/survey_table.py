"""The table of quantization.py as text: means over the seeds, at most 80 columns."""

import statistics

from lightnn.tables import text_table

HEAD = ["LeNet-5, MNIST", "file kB", "energy uJ", "held MB", "cosine", "sent kB", "loss", "spread"]
NOTES = """\
file: the .lnn file of the trained network. energy: one image, estimated from
Horowitz 2014 (ISSCC), 45 nm: arithmetic, weights from DRAM, activations in 8 KB
of SRAM; only ratios mean something. held: MB that a training step holds; codes
are trained as floats, so fewer bits save nothing there. cosine: of the
straight-through gradient and the float one. sent: by a worker in a step, with
checksums. loss: on validation images, mean; spread: the largest seed less the
smallest. float32 and weights or activations of K bits compute in floats."""


def format_table(result: dict) -> str:
    """The rows, the forward pass, and what the columns mean."""
    seeds, rows = len(result["seeds"]), [_row(result, name) for name in result["rows"]]
    caption = (
        f"{result['steps']} steps of {result['batch size']} images, {seeds} seed{'s' * (seeds != 1)}; "
        f"one image: {result['counts']['macs']:,} MACs"
    )
    return "\n".join(["", caption, text_table("", HEAD, rows), "", *_forward(result["forward ms"]), "", NOTES])


def _row(result, name):
    row, memory = result["rows"][name], result["training bytes"].get(name)
    losses = row["loss"]
    diverged = any(loss is None for loss in losses)
    return [
        name,
        f"{statistics.mean(row['file bytes']) / 1e3:,.0f}",
        f"{result['energy pJ'][name]['total'] / 1e6:,.1f}",
        "" if memory is None else f"{memory['total'] / 1e6:.1f}",
        f"{statistics.mean(row['cosine']):.3f}" if "cosine" in row else "",
        "" if diverged or "bytes sent a step" not in row else f"{statistics.mean(row['bytes sent a step']) / 1e3:,.0f}",
        "diverged" if diverged else f"{statistics.mean(losses):.3f}",
        "" if diverged else f"{max(losses) - min(losses):.3f}",
    ]


def _forward(by_batch):
    for batch, row in by_batch.items():
        fastest = min(row["float32 ms"], row["folded ms"])
        yield f"forward, batch {batch:>2}: float32 {fastest:.3f} ms, int8 {row['int8 ms']:.3f} ms: {row['ratio']:.2f} x"
