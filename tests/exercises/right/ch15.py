"""Right solutions of chapter 15, each in another style than the reference."""

import math

import numpy as np


# 15.1: step by step
def product_intensity(m, k, n, x_bytes=4, w_bytes=4, y_bytes=4):
    flop = m * k * n + m * k * n
    moved = sum(count * size for count, size in ((m * k, x_bytes), (k * n, w_bytes), (m * n, y_bytes)))
    return flop / moved


# 15.1: bytes for each FLOP, turned round
def product_intensity(m, k, n, x_bytes=4, w_bytes=4, y_bytes=4):
    return 2 / (x_bytes / n + w_bytes / m + y_bytes / k)


# 15.2: which side of the ridge
def attainable(peak, bandwidth, intensity):
    if intensity < peak / bandwidth:
        return float(bandwidth * intensity)
    return float(peak)


# 15.2: sorted
def attainable(peak, bandwidth, intensity):
    return sorted([1.0 * peak, 1.0 * bandwidth * intensity])[0]


# 15.3: one fraction
def amdahl(fraction, workers):
    return workers / (workers - fraction * (workers - 1))


# 15.3: the new time first
def amdahl(fraction, workers):
    time = 1 - fraction
    time += fraction / workers
    return time**-1.0


# 15.4: ceil
def systolic_cycles(m, k, n, rows, columns):
    tiles = math.ceil(k / rows) * math.ceil(n / columns)
    load, first, last = rows, rows - 1, columns - 1
    return tiles * (load + m + first + last)


# 15.4: a loop over the tiles
def systolic_cycles(m, k, n, rows, columns):
    cycles = 0
    for _ in range(0, k, rows):
        for _ in range(0, n, columns):
            cycles += 2 * rows + m + columns - 2
    return cycles


# 15.5: processor by processor
def eie_cycles(w, x, processors):
    w, x = np.asarray(w), np.asarray(x)
    sent = (w != 0)[:, x != 0]
    work = np.array([sent[p::processors].sum(0) for p in range(processors)])
    return int(max(work.sum(1))), int(sum(work.max(0)))


# 15.5: loops
def eie_cycles(w, x, processors):
    whole, steps = [0] * processors, 0
    for j in range(len(x)):
        if x[j] == 0:
            continue
        now = [0] * processors
        for i in range(len(w)):
            if w[i][j] != 0:
                now[i % processors] += 1
                whole[i % processors] += 1
        steps += max(now)
    return max(whole), steps


# 15.6: the product by NumPy, the cycles by counting
def simulate_systolic(x, w, rows, columns):
    y, cycles = np.zeros((x.shape[0], w.shape[1])), 0
    for top in range(0, len(w), rows):
        for left in range(0, w.shape[1], columns):
            y[:, left : left + columns] += x[:, top : top + rows] @ w[top : top + rows, left : left + columns]
            cycles += rows + len(x) + rows - 1 + columns - 1
    return y, cycles


# 15.6: cells as dicts
def simulate_systolic(x, w, rows, columns):
    m, k = x.shape
    n, cycles = w.shape[1], 0
    y = np.zeros((m, n))
    for top in range(0, k, rows):
        for left in range(0, n, columns):
            cycles += rows
            seen, total = {}, {}
            for t in range(m + rows + columns - 2):
                next_seen, next_total = {}, {}
                for r in range(rows):
                    for c in range(columns):
                        at = t - r
                        enters = x[at, top + r] if 0 <= at < m and top + r < k else 0.0
                        next_seen[r, c] = seen.get((r, c - 1), 0.0) if c else enters
                        weight = w[top + r, left + c] if top + r < k and left + c < n else 0.0
                        next_total[r, c] = total.get((r - 1, c), 0.0) + next_seen[r, c] * weight
                seen, total = next_seen, next_total
                for c in range(min(columns, n - left)):
                    if 0 <= t - rows + 1 - c < m:
                        y[t - rows + 1 - c, left + c] += total[rows - 1, c]
                cycles += 1
    return y, cycles
