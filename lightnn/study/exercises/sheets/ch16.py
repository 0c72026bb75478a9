"""Chapter 16, measuring: density, NetScore, FLOPs without zeros, memory at once, the Pareto front, rankings."""

import lightnn.metrics  # noqa: F401  (its exercises register themselves)
from lightnn.study.exercises.sheets import Mistake, Sheet

SCORE = "20 * (alpha * math.log10(a) - beta * math.log10(p) - gamma * math.log10(m))"
CHANGES = "[(first, size) for size, first, _ in lives] + [(last + 1, -size) for size, _, last in lives]"

SHEETS = (
    Sheet(
        "16.1",
        "Information density",
        "easy",
        "D = a / p,   a in %, p in millions of parameters",
        (
            "params is a count: divide it by 1e6.",
            "accuracy is in % already.",
            "options.number(name, value, at_least=..., at_most=..., above=...) checks a number, and returns it.",
        ),
        (
            Mistake("parameters are not in millions", " / 1e6)", ")"),
            Mistake("the accuracy is a fraction: want %", "return a /", "return a / 100 /"),
            Mistake(
                "parameters for each %: want % for each million",
                'return a / (options.number("information_density: params", params, above=0) / 1e6)',
                'return (options.number("information_density: params", params, above=0) / 1e6) / max(a, 1e-9)',
            ),
            Mistake("0 parameters pass", "params, above=0)", "params)"),
            Mistake("an accuracy above 100 % passes", "at_least=0, at_most=100)", "at_least=0)"),
        ),
    ),
    Sheet(
        "16.2",
        "NetScore",
        "easy",
        "Omega = 20 log10( a^alpha / (p^beta m^gamma) ),   a in %, p in millions, m in billions",
        (
            "params / 1e6 is p, macs / 1e9 is m, accuracy is a.",
            "The logarithm of a quotient of powers is alpha log a - beta log p - gamma log m.",
            "math.log10, not math.log.",
        ),
        (
            Mistake("the natural logarithm: want that of base 10", SCORE, SCORE.replace("log10", "log")),
            Mistake("parameters are not in millions", "params, above=0) / 1e6", "params, above=0)"),
            Mistake("MACs are in millions: want billions", "macs, above=0) / 1e9", "macs, above=0) / 1e6"),
            Mistake("MACs are counted as two FLOP each", "macs, above=0) / 1e9", "macs, above=0) / 5e8"),
            Mistake("the accuracy is a fraction: want %", "math.log10(a)", "math.log10(a / 100)"),
            Mistake("the factor 20 is missing", "20 * (alpha", "(alpha"),
            Mistake("10 for 20", "20 * (alpha", "10 * (alpha"),
            Mistake("alpha is left out", "alpha * math.log10(a)", "2 * math.log10(a)"),
            Mistake(
                "beta and gamma are mixed up",
                "beta * math.log10(p) - gamma * math.log10(m)",
                "gamma * math.log10(p) - beta * math.log10(m)",
            ),
        ),
    ),
    Sheet(
        "16.3",
        "FLOPs without zeros",
        "easy",
        "left_l = weights_l outputs_{l-1};   of all = sum_l macs_l left_l / sum_l macs_l",
        (
            "A layer's inputs are the outputs of the layer before; those of the first count as 1.",
            "[1, *outputs] are the fractions of the inputs; zip stops at the shorter list.",
            "Of all: weighted by macs, not a plain mean.",
        ),
        (
            Mistake("a layer's own outputs are used: want those before it", "[1, *outputs]", "outputs"),
            Mistake("zero inputs are not skipped: want outputs_{l-1}, too", "float(w * seen)", "float(w)"),
            Mistake("zero weights are not skipped", "float(w * seen)", "float(seen)"),
            Mistake(
                "of all: a plain mean, want weights by macs",
                "sum(m * part for m, part in zip(macs, left)) / sum(macs)",
                "sum(left) / len(left)",
            ),
            Mistake("of all: the MACs left, want the fraction", " / sum(macs)", ""),
        ),
    ),
    Sheet(
        "16.4",
        "What is held at once",
        "middle",
        "peak = max over the steps s of the sum of bytes with first <= s <= last",
        (
            "Only at a `first` can the sum grow.",
            "For each array: + bytes at first, - bytes at last + 1. Sort, add up, keep the most.",
            "At one step what ends goes before what begins: sorted pairs (step, change) see to that.",
        ),
        (
            Mistake("all arrays are added: want those held at once", "held += change", "held += max(change, 0)"),
            Mistake("the largest array alone counts", "most = max(most, held)", "most = max(most, change)"),
            Mistake("the step `last` is not included", "(last + 1, -size)", "(last, -size)"),
            Mistake("an array is held for a step too long", "(last + 1, -size)", "(last + 2, -size)"),
            Mistake("what is held at the end: want the most", "return most", "return held"),
        ),
    ),
    Sheet(
        "16.5",
        "The Pareto front",
        "middle",
        "j beats i:  c_jk <= c_ik for all k,  and c_jk < c_ik for some k",
        (
            "costs[:, None] <= costs compares every j with every i: (N, N, K), True where j costs no more.",
            ".all(2) over the columns, and another comparison with .any(2).",
            "np.flatnonzero gives indices; ~ turns truth values round.",
        ),
        (
            Mistake(
                "equal rows beat each other: want less in at least one column",
                "~(no_more & less)",
                "~(no_more & ~np.eye(len(c), dtype=bool))",
            ),
            Mistake("less in one column is enough: want no more in all of them", "~(no_more & less)", "~less"),
            Mistake("j must be less in all columns to beat i", "(c[:, None] < c).any(2)", "(c[:, None] < c).all(2)"),
            Mistake(
                "more is better: want less",
                "(c[:, None] <= c).all(2), (c[:, None] < c).any(2)",
                "(c[:, None] >= c).all(2), (c[:, None] > c).any(2)",
            ),
            Mistake(
                "those that are beaten: want the others",
                "np.flatnonzero(~(no_more & less).any(0))",
                "np.flatnonzero((no_more & less).any(0))",
            ),
        ),
    ),
    Sheet(
        "16.6",
        "Do two measures agree?",
        "hard",
        "tau = (P - Q) / sqrt((n - A) (n - B))",
        (
            "i, j = np.triu_indices(N, 1) are all pairs.",
            "np.sign(a[i] - a[j]) is 1, -1 or 0; the product of the two signs is 1 for P, -1 for Q.",
            "n - A is the number of pairs with a sign that is not 0.",
            "Check the errors first: shapes, N, NaN, and that not all numbers are equal.",
        ),
        (
            Mistake(
                "equal pairs count in the divisor (tau-a): want n - A and n - B",
                "math.sqrt(np.count_nonzero(s) * np.count_nonzero(t))",
                "len(s)",
            ),
            Mistake(
                "only the order of a is corrected for equal pairs",
                "math.sqrt(np.count_nonzero(s) * np.count_nonzero(t))",
                "np.count_nonzero(s)",
            ),
            Mistake(
                "pairs that are equal in either are left out of both",
                "np.count_nonzero(s) * np.count_nonzero(t)",
                "np.count_nonzero(s * t) ** 2",
            ),
            Mistake(
                "the differences are multiplied: want their signs",
                "s, t = np.sign(a[i] - a[j]), np.sign(b[i] - b[j])",
                "s, t = a[i] - a[j], b[i] - b[j]",
            ),
            Mistake("the fraction of pairs in the same order: want P - Q", "(s * t).sum()", "(s * t > 0).sum()"),
            Mistake(
                "the root is missing",
                "math.sqrt(np.count_nonzero(s) * np.count_nonzero(t))",
                "(np.count_nonzero(s) * np.count_nonzero(t))",
            ),
        ),
    ),
)


def finale() -> str:
    """The twelve networks of chapter 01 by the reader's own measures."""
    import json

    import numpy as np

    from lightnn import metrics, models
    from lightnn.files import ROOT

    rows = json.loads((ROOT / "chapters" / "results" / "zoo_counts.json").read_text())["networks"]
    known = {n: {"accuracy": r["accuracy %"], "params": r["parameters"], "macs": r["macs"]} for n, r in rows.items()}
    score = {name: metrics.netscore(**row) for name, row in known.items()}
    density = {n: metrics.information_density(row["accuracy"], row["params"]) for n, row in known.items()}
    costs = np.array([[100 - r["accuracy"], r["params"], r["macs"]] for r in known.values()])
    front = [list(known)[i] for i in metrics.pareto(costs)]
    tau = metrics.rank_agreement(list(score.values()), [r["accuracy"] for r in known.values()])
    left = metrics.flops_left([288_000, 1_600_000, 400_000, 5_000], [0.66, 0.12, 0.08, 0.19], [0.82, 0.72, 0.55, 1.0])[
        1
    ]
    peak = metrics.peak_activations(models.lenet5(rng=0), (1, 1, 28, 28))
    return (
        f"your chapter 16: NetScore puts {max(score, key=score.get)} first, density {max(density, key=density.get)}; "
        f"{len(front)} of {len(known)} networks are on the Pareto front; NetScore's ranking agrees with the accuracy's "
        f"by tau = {tau:.2f}; Han's LeNet-5 keeps {100 * left:.0f} % of its FLOPs; and LeNet-5 holds {peak:,} bytes of "
        f"activations at once"
    )
