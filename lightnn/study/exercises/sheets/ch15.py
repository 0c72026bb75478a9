"""Chapter 15, hardware acceleration: intensity, the roof, Amdahl, a systolic array, a sparse accelerator."""

import lightnn.metrics  # noqa: F401  (its exercises register themselves)
from lightnn.study.exercises.sheets import Mistake, Sheet

BYTES = "(x_bytes * m * k + w_bytes * k * n + y_bytes * m * n)"
TILES = "-(-k // rows) * -(-n // columns)"
CYCLES = "(rows + m + rows + columns - 2)"

SHEETS = (
    Sheet(
        "15.1",
        "What is made of each byte",
        "easy",
        "I = 2 m k n / (x_bytes m k + w_bytes k n + y_bytes m n)",
        (
            "y = x w takes m k n multiplications and as many additions: 2 m k n FLOP.",
            "Each number of x, w and y moves once: m k, k n and m n numbers, times their bytes.",
            "return 2 * m * k * n / (...)",
        ),
        (
            Mistake("a MAC is counted as one FLOP: want two", "2 * m * k * n /", "m * k * n /"),
            Mistake("the output is not counted: want y_bytes m n, too", " + y_bytes * m * n)", ")"),
            Mistake("the weights are not counted: want w_bytes k n, too", " + w_bytes * k * n", ""),
            Mistake("the inputs are not counted: want x_bytes m k, too", "x_bytes * m * k + ", ""),
            Mistake(
                "bytes for each FLOP: want FLOP for each byte", f"2 * m * k * n / {BYTES}", f"{BYTES} / (2 * m * k * n)"
            ),
            Mistake(
                "the widths of x and w are mixed up",
                "x_bytes * m * k + w_bytes * k * n",
                "w_bytes * m * k + x_bytes * k * n",
            ),
        ),
    ),
    Sheet(
        "15.2",
        "Under the roof",
        "easy",
        "min(peak, bandwidth intensity)",
        (
            "Two bounds: the arithmetic's, and what memory can bring, times what is made of a byte.",
            "The lower one counts.",
            "float(...) makes a Python float of it.",
        ),
        (
            Mistake("the higher bound counts: want the lower one", "float(min(", "float(max("),
            Mistake("the bandwidth is divided by the intensity", "bandwidth * intensity", "bandwidth / intensity"),
            Mistake(
                "only memory is a bound: want the peak, too",
                "min(peak, bandwidth * intensity)",
                "bandwidth * intensity",
            ),
            Mistake("the bounds are added", "min(peak, bandwidth * intensity)", "peak + bandwidth * intensity"),
        ),
    ),
    Sheet(
        "15.3",
        "What more workers gain",
        "easy",
        "1 / ((1 - f) + f / n)",
        (
            "Take the time with one worker as 1. Which part of it stays?",
            "1 - f stays, f becomes f / n.",
            "How many times as fast: the old time by the new one.",
        ),
        (
            Mistake(
                "the time that is left: want how many times as fast",
                "1.0 / ((1 - fraction) + fraction / workers)",
                "(1 - fraction) + fraction / workers",
            ),
            Mistake("all of the time is divided", "((1 - fraction) + fraction / workers)", "(1 / workers)"),
            Mistake("the part that can't be divided is left out", "(1 - fraction) + fraction", "fraction"),
            Mistake(
                "fraction is taken for what can't be divided",
                "(1 - fraction) + fraction / workers",
                "fraction + (1 - fraction) / workers",
            ),
            Mistake("one worker too many is counted", "/ workers)", "/ (workers + 1))"),
        ),
    ),
    Sheet(
        "15.4",
        "Cycles of a systolic array",
        "middle",
        "ceil(k / R) ceil(n / C) (R + (m + R + C - 2))",
        (
            "-(-k // rows) is ceil(k / rows): tiles of w along k; likewise along n.",
            "One tile: R cycles to load it, m + R + C - 2 until the last sum leaves.",
            "The tiles come one after the other: multiply.",
        ),
        (
            Mistake("loading the weights is left out", CYCLES, "(m + rows + columns - 2)"),
            Mistake("the way through the array is left out", CYCLES, "(rows + m)"),
            Mistake("tiles are rounded down: want ceil", TILES, "(k // rows) * (n // columns)"),
            Mistake("the tiles along n are left out", TILES, "-(-k // rows)"),
            Mistake("two cycles too many: the first column and row need none", "columns - 2)", "columns)"),
            Mistake("x is cut into tiles: want w (k, n)", TILES, "-(-m // rows) * -(-k // columns)"),
            Mistake("rows and columns are mixed up", TILES, "-(-k // columns) * -(-n // rows)"),
        ),
    ),
    Sheet(
        "15.5",
        "A sparse accelerator by count",
        "middle",
        "with queues: max_p sum_j work[p, j];   without: sum_j max_p work[p, j]",
        (
            "Leave out the columns of w in which x is 0: np.asarray(w)[:, x != 0] != 0.",
            "work[p] is the sum of the rows p, p + n, p + 2 n, ...: sent[p::processors].sum(0).",
            "int(work.sum(1).max()) and int(work.max(0).sum()).",
        ),
        (
            Mistake("zeros of x are sent, too", "[:, np.asarray(x) != 0] != 0", " != 0"),
            Mistake(
                "zero weights are work, too",
                "np.add.at(work, np.arange(len(sent)) % processors, sent)",
                "np.add.at(work, np.arange(len(sent)) % processors, 1)",
            ),
            Mistake(
                "rows are dealt out in blocks: want row i for i mod n",
                "np.arange(len(sent)) % processors",
                "np.arange(len(sent)) * processors // max(len(sent), 1)",
            ),
            Mistake(
                "the two results are in the wrong order",
                "int(work.sum(1).max()), int(work.max(0).sum())",
                "int(work.max(0).sum()), int(work.sum(1).max())",
            ),
            Mistake("the mean processor counts: want the slowest", "work.sum(1).max()", "work.sum(1).mean()"),
            Mistake("the work of all processors is added", "work.sum(1).max()", "work.sum()"),
        ),
    ),
    Sheet(
        "15.6",
        "A systolic array, cycle by cycle",
        "hard",
        "sum[r, c] = sum[r - 1, c] + x[r, c] w[r, c], each cycle, all cells at once",
        (
            "Two arrays (rows, columns) are the state: the x and the sums in the cells. Make new ones each cycle.",
            "np.column_stack([entering, xs[:, :-1]]) moves x to the right; np.vstack([zeros, sums[:-1]]) sums down.",
            "In cycle t row r gets x[t - r, top + r]; column c gives the sum of row t - (rows - 1) - c of y.",
            "Add what leaves to y: tiles one above the other give parts of the same sums.",
        ),
        (
            Mistake(
                "sums overwrite those of earlier tiles: want them added",
                "y[row, left + c] += sums",
                "y[row, left + c] = sums",
            ),
            Mistake(
                "the rows of x enter without delay: want row r after r cycles",
                "x[t - r, top + r] if 0 <= t - r < m",
                "x[t, top + r] if 0 <= t < m",
            ),
            Mistake("what leaves is read without the way down the array", "row = t - (rows - 1) - c", "row = t - c"),
            Mistake("the way to column c is left out", "row = t - (rows - 1) - c", "row = t - (rows - 1)"),
            Mistake(
                "sums stay in their cells: want them to move down", "np.vstack([np.zeros(columns), sums[:-1]])", "sums"
            ),
            Mistake("loading a tile takes no cycles", "cycles += rows + m", "cycles += m"),
            Mistake("it stops before the last sums leave", "range(m + rows + columns - 2)", "range(m + rows - 1)"),
        ),
    ),
)


def finale() -> str:
    """A layer on three arrays, and whether the machine or the memory decides, by the reader's functions."""
    import numpy as np

    from lightnn import metrics

    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((20, 30)), rng.standard_normal((30, 12))
    y, cycles = metrics.simulate_systolic(x, w, 8, 8)
    assert np.allclose(y, x @ w), "your array does not give the product"
    assert cycles == metrics.systolic_cycles(20, 30, 12, 8, 8), "15.4 and 15.6 disagree"
    dense = metrics.utilisation(784, 576, 64, metrics.systolic_cycles(784, 576, 64, 16, 16), 16, 16)
    sparse = w.T * (rng.random((12, 30)) < 0.1)
    queued, stepped = metrics.eie_cycles(sparse, x[0], 4)
    intensity = metrics.product_intensity(1, 4096, 1000)
    return (
        f"your chapter 15: a 3x3 layer fills {100 * dense:.0f} % of a 16x16 array; skipping zeros takes {queued} "
        f"cycles with queues and {stepped} without, where dense work takes {metrics.dense_cycles(sparse, 4)}; one "
        f"row makes {intensity:.2f} FLOP of a byte, so of 100 GFLOP/s and 10 GB/s it reaches "
        f"{metrics.attainable(100, 10, intensity):.1f} GFLOP/s; and 90 % in parallel is at most "
        f"{metrics.amdahl(0.9, 10**9):.0f} times as fast"
    )
