"""NetAdapt's curve beside uniform scaling, at most 80 columns wide."""

from lightnn.tables import text_table

HEAD = ["", "ms", "of before", "table's ms", "K MACs", "validation %", "test %"]
NOTES = (
    "ms: of the batch, the whole network, lowered. Uniform scaling trains as many",
    "epochs as NetAdapt in all. One seed: half a point may be chance.",
)


def format_tables(result: dict) -> str:
    """All networks; then what NetAdapt gains, how far the table is off, and what the search itself took."""
    before = result["before"]["ms"]
    rows = [_row("before", result["before"], before)]
    for name in ("netadapt", "uniform"):
        rows += [_row(f"{name} to {aim}", row, before) for aim, row in result[name].items()]
    caption = f"{result['network']}, {result['images']:,} images of Fashion-MNIST; seed {result['seed']}"
    return "\n".join([caption, text_table("", HEAD, rows), *NOTES, "", *_lines(result)])


def _row(name, row, before):
    ms = f"{row['ms']:.3f}", f"{row['ms'] / before:.2f}", f"{row['predicted ms']:.3f}"
    return [name, *ms, f"{row['macs'] / 1e3:.0f}", f"{row['validation %']:.2f}", f"{row['test %']:.2f}"]


def _lines(result):
    for budget, points in result["gains"].items():
        gain = "outside the curve" if points is None else f"{points:+.2f} points"
        yield f"NetAdapt to {budget}, against uniform at equal measured latency: {gain}"
    table, clock = result["table"], result["search"]
    yield f"table of latencies: {table['median error %']} % off in the median, {table['largest error %']} % at most"
    own = clock["seconds"] - clock["training"]
    share = 100 * own / max(clock["seconds"], 1e-9)
    yield f"{clock['evaluations']} evaluations; {clock['seconds']} s, of which {share:.1f} % not in training"
