"""Wrong solutions of chapter 15, beside the named mistakes of the sheet."""

import numpy as np


# 15.1: widths are taken for bits
def product_intensity(m, k, n, x_bytes=4, w_bytes=4, y_bytes=4):
    return 16 * m * k * n / (x_bytes * m * k + w_bytes * k * n + y_bytes * m * n)


# 15.1: always float32
def product_intensity(m, k, n, x_bytes=4, w_bytes=4, y_bytes=4):
    return m * k * n / 2 / (m * k + k * n + m * n)


# 15.2: an int for ints
def attainable(peak, bandwidth, intensity):
    return min(peak, bandwidth * intensity)


# 15.2: a smooth roof
def attainable(peak, bandwidth, intensity):
    return 1 / (1 / peak + 1 / (bandwidth * intensity))


# 15.3: a whole number
def amdahl(fraction, workers):
    return 1 // ((1 - fraction) + fraction / workers)


# 15.3: linear
def amdahl(fraction, workers):
    return 1.0 + fraction * (workers - 1)


# 15.4: a float
def systolic_cycles(m, k, n, rows, columns):
    tiles = -(-k // rows) * -(-n // columns)
    return float(tiles * (2 * rows + m + columns - 2))


# 15.4: weights are loaded once
def systolic_cycles(m, k, n, rows, columns):
    return rows + -(-k // rows) * -(-n // columns) * (m + rows + columns - 2)


# 15.5: NumPy's ints in an array
def eie_cycles(w, x, processors):
    sent = np.asarray(w)[:, np.asarray(x) != 0] != 0
    work = np.array([sent[p::processors].sum(0) for p in range(processors)])
    return np.array([work.sum(1).max(), work.max(0).sum()])


# 15.5: columns are dealt out
def eie_cycles(w, x, processors):
    sent = np.asarray(w)[:, np.asarray(x) != 0] != 0
    work = [int(sent[:, p::processors].sum()) for p in range(processors)]
    return max(work), max(work)


# 15.6: the cycles of the last tile
def simulate_systolic(x, w, rows, columns):
    return x @ w, rows + len(x) + rows + columns - 2


# 15.6: the cells are filled after the first column only
def simulate_systolic(x, w, rows, columns):
    tiles = -(-len(w) // rows) * -(-w.shape[1] // columns)
    return x @ w, tiles * (len(x) + rows)
