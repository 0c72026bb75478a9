"""A systolic array, cycle by cycle: R x C cells, each with one multiplier, that only talk to their neighbours (Kung
1982, "Why systolic architectures?"; Jouppi et al. 2017, arXiv 1704.04760, for the one in a TPU). Nothing is checked.

    weight-stationary    cell (r, c) keeps w[r, c]; x moves to the right, sums move down
    output-stationary    cell (r, c) keeps y[r, c]; x moves to the right, w moves down

A product larger than the array is cut into tiles, one after the other; a tile that does not fill the array takes as
long as one that does. Cycles are counted without overlap of one tile's end with the next one's beginning.
"""

import math

import numpy as np

from lightnn.exercise import exercise


@exercise("15.4")
def systolic_cycles(m, k, n, rows, columns):
    """Cycles of y = x w, x (m, k), w (k, n), on a weight-stationary array of rows x columns cells, an int.

        ceil(k / R) ceil(n / C) (R + (m + R + C - 2))

    w is cut into tiles of R rows and C columns. Loading a tile takes R cycles. Then row r of the array gets column r of
    x, r cycles after the first row; the last number needs C - 1 further cycles to the last column, and R - 1 down to
    the end of the array: m + R + C - 2 cycles. R = rows, C = columns; all are ints >= 1.
    """
    return -(-k // rows) * -(-n // columns) * (rows + m + rows + columns - 2)


@exercise("15.6")
def simulate_systolic(x, w, rows, columns):
    """y = x w on a weight-stationary array of rows x columns cells, simulated: (y (m, n), cycles), an array and an int.

    x (m, k), w (k, n): arrays of float64; they stay as they are. Tile after tile of w, rows x columns, zeros beyond its
    edges: loading takes `rows` cycles. Then, in each of m + rows + columns - 2 cycles t, all cells at once: x moves one
    cell to the right, and x[t - r, r] of the tile enters row r at the left, 0 where there is none; each cell adds its x
    times its w to the sum from the cell above, 0 above the first row; and what leaves column c at the bottom is added
    to y[t - (rows - 1) - c] of the tile, if there is such a row.

    y is float64. The cycles are those of `systolic_cycles`.
    """
    (m, k), n = x.shape, w.shape[1]
    y, cycles = np.zeros((m, n)), 0
    for top, left in ((i, j) for i in range(0, k, rows) for j in range(0, n, columns)):
        tile, xs, sums = (np.zeros((rows, columns)) for _ in range(3))
        part = w[top : top + rows, left : left + columns]
        tile[: len(part), : part.shape[1]] = part
        for t in range(m + rows + columns - 2):
            entering = [x[t - r, top + r] if 0 <= t - r < m and top + r < k else 0.0 for r in range(rows)]
            xs = np.column_stack([entering, xs[:, :-1]])
            sums = np.vstack([np.zeros(columns), sums[:-1]]) + xs * tile
            for c in range(part.shape[1]):
                row = t - (rows - 1) - c
                if 0 <= row < m:
                    y[row, left + c] += sums[-1, c]
        cycles += rows + m + rows + columns - 2
    return y, cycles


def output_stationary_cycles(m: int, k: int, n: int, rows: int, columns: int) -> int:
    """Cycles of the same product if cells keep sums: ceil(m/R) ceil(n/C) (k + R + C - 2 + R), the last R to read y."""
    return math.ceil(m / rows) * math.ceil(n / columns) * (k + rows + columns - 2 + rows)


def simulate_output_stationary(x: np.ndarray, w: np.ndarray, rows: int, columns: int) -> tuple[np.ndarray, int]:
    """(y, cycles): x[i, t - i] enters row i at the left, w[t - j, j] column j at the top; cell (i, j) sums products."""
    m, (k, n) = len(x), w.shape
    y, cycles = np.zeros((m, n)), 0
    for top in range(0, m, rows):
        for left in range(0, n, columns):
            sums, xs, ws = (np.zeros((rows, columns)) for _ in range(3))
            for t in range(k + rows + columns - 2):
                from_left = [x[top + i, t - i] if 0 <= t - i < k and top + i < m else 0.0 for i in range(rows)]
                from_top = [w[t - j, left + j] if 0 <= t - j < k and left + j < n else 0.0 for j in range(columns)]
                xs, ws = np.column_stack([from_left, xs[:, :-1]]), np.vstack([from_top, ws[:-1]])
                sums += xs * ws
                cycles += 1
            y[top : top + rows, left : left + columns] = sums[: m - top, : n - left]
            cycles += rows
    return y, cycles


def utilisation(m: int, k: int, n: int, cycles: int, rows: int, columns: int) -> float:
    """The fraction of the cells' cycles in which a product is computed that is needed: m k n / (cycles R C)."""
    return m * k * n / (cycles * rows * columns)
