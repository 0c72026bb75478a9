"""What each policy keeps of each layer, and how accurate the network is then; at most 80 columns."""

import statistics

from lightnn.tables import text_table

HEAD = ["policy", "MACs %", "validation %", "test %", "trained, test %"]
NOTES = (
    "Cut and fitted by least squares, not trained; last column: trained on.",
    "Of several seeds the mean. amc and random pass the same wall as often.",
)
KEYS = ("macs %", "validation %", "test %", "trained test %")


def format_tables(result: dict) -> str:
    """The policies; what the first seed's agent keeps; the search's own time."""
    rows = [["not cut", "100.0", *(f"{result['before'][k]:.2f}" for k in ("validation %", "test %")), ""]]
    for name, policies in result["policies"].items():
        means = [statistics.mean(p[key] for p in policies) for key in KEYS]
        rows.append([f"{name} ({len(policies)})", f"{means[0]:.1f}", *(f"{m:.2f}" for m in means[1:])])
    caption = f"{result['network']}, Fashion-MNIST, {result['episodes']} episodes; seed {result['seed']}"
    return "\n".join([caption, text_table("", HEAD, rows), *NOTES, "", _kept(result), "", _clock(result)])


def _kept(result):
    rows = []
    for block, n in result["blocks"].items():
        kept = [result["policies"][name][0]["widths"][block] for name in ("amc", "random", "uniform")]
        rows.append([block, n, *kept])
    return text_table("", ["units that stay", "of", "amc", "random", "uniform"], rows)


def _clock(result):
    clock = result["search"]
    own = 100 * (1 - clock["in evaluations"] / max(clock["seconds"], 1e-9))
    return f"{clock['evaluations']} evaluations; {clock['seconds']:.0f} s, of which {own:.1f} % are the searches' own"
