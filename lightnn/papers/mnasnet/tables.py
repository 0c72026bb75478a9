"""What each strategy finds, against random search; at most 80 columns."""

import statistics

from lightnn.tables import text_table

HEAD = ["strategy", "best reward", "finds the best", "less random's", "95 % interval"]
NOTES = (
    "Best reward: the mean over the seeds. Finds the best: how many of the seeds find",
    "the best candidate of the space. Less random's: seed by seed.",
)


def format_tables(result: dict) -> str:
    """Both rewards; then the Pareto front of the whole space."""
    count, seeds = result["evaluations"], result["seeds"]
    parts = [f"{len(result['space'])} candidates; {count} evaluations a search, {seeds} seeds"]
    for name, found in result["rewards"].items():
        rows = [_row(strategy, numbers, found["best"]) for strategy, numbers in found["searches"].items()]
        caption = f"\n{name} reward, target {result['target ms']:.3f} ms; the best there is: {found['best']:.4f}"
        parts.append(text_table(caption, HEAD, rows))
    return "\n".join([*parts, *NOTES, "", _front(result)])


def _row(strategy, numbers, best):
    low, high = numbers["interval"]
    hits = sum(reward == best for reward in numbers["best"])
    differs = f"{numbers['against random']:+.4f}", f"{low:+.4f} to {high:+.4f}"
    return [strategy, f"{statistics.mean(numbers['best']):.4f}", hits, *differs]


def _front(result):
    rows = [result["space"][k] for k in result["front"]]
    shown = [[_short(row["name"]), f"{row['ms']:.3f}", f"{100 * row['accuracy']:.1f}"] for row in rows]
    return text_table("The Pareto front", ["blocks", "ms", "accuracy %"], shown)


def _short(name):
    """conv 3x3 x1 | inverted 5x5 x2, of a candidate's name."""
    words = [part.split()[-1] for part in name.split(", ")]
    blocks = [words[k : k + 3] for k in range(0, len(words), 3)]
    return " | ".join(f"{operation} {kernel}x{kernel} x{depth}" for operation, kernel, depth in blocks)
