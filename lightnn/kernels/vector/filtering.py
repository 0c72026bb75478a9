"""F(4x4, 3x3): the three transforms of Winograd's minimal filtering, V tiles or filters at a time.

What it computes. Four outputs of a filter of three taps, y[i] = sum_k g[k] d[i + k], with 6 multiplications, not 12:

    y = A^T [(G g) * (B^T d)]                     and for images    Y = A^T [(G g G^T) * (B^T d B)] A

(Winograd 1980, "Arithmetic Complexity of Computations"; Lavin & Gray 2016, arXiv:1509.09308, equations 5 and 8). A
filter and a tile are polynomials; their product is known from its values at six points, 0, +-a, +-b and infinity. B^T
and G evaluate, A^T interpolates. `matrices` says all three in a and b.

Rounding. A number grows in B^T and shrinks in A^T, so more is rounded away than in the plain sum. How much depends on
the points: +-1, +-2 (Lavin & Gray) lose twice as much as a = 5/8, b = 3/2, whose powers binary fractions hold exactly.
tests/kernels/conv/test_winograd.py measures it.

How memory is walked. On flat arrays, each with its start:

    down      B^T d on whole rows of an image: six rows of x to six rows of a scratch array
    across    ... B: a tile's rows are read from there, V tiles are turned so that each is a lane; 36 vectors are stored
              (across_half: V/2 tiles)
    filters   G g G^T of V filters, turned in the same way
    back      A^T M A: 36 vectors to four rows of 4V numbers, V tiles side by side

Why it is fast. 12 multiply-adds a vector of six numbers; turning V tiles takes V*log2(V)/2 shuffles a row. The
arithmetic is worth it where a transformed number is used many times, as often as there are channels. Arithmetic
intensity about 1 flop a byte, from the first-level cache.
"""

import functools
from fractions import Fraction

import numba
import numpy as np

from lightnn.kernels.vector import filtering_llvm
from lightnn.kernels.vector.simd import VECTOR_BYTES

POINTS = Fraction(5, 8), Fraction(3, 2)  # a, b
FEWER = 36  # products for the 16 outputs of a tile, which need 144


def matrices(a=POINTS[0], b=POINTS[1]):
    """A^T (4, 6), G (6, 3), B^T (6, 6) for the points 0, a, -a, b, -b and infinity, float64."""
    to_a, to_b = 2 * a**2 * (a**2 - b**2), 2 * b**2 * (b**2 - a**2)  # products of the distances to the other points
    back = [
        [1, 1, 1, 1, 1, 0],
        [0, a, -a, b, -b, 0],
        [0, a**2, a**2, b**2, b**2, 0],
        [0, a**3, -(a**3), b**3, -(b**3), 1],
    ]
    points = [[1 / (a * b) ** 2, 0, 0]]
    points += [[1 / n, p / n, p**2 / n] for p, n in ((a, to_a), (-a, to_a), (b, to_b), (-b, to_b))]
    ab, both = (a * b) ** 2, a**2 + b**2
    tile = [[ab, 0, -both, 0, 1, 0]]
    tile += [[0, -p * q**2, -(q**2), p, 1, 0] for p, q in ((a, b), (-a, b), (b, a), (-b, a))]
    tile += [[0, ab, 0, -both, 0, 1]]
    return tuple(np.array(m, np.float64) for m in (back, [*points, [0, 0, 1]], tile))


# ---- plain versions ----

BACK, POINT, TILE = matrices()


def _plain_down(to, to_at, pitch, x, x_at, x_row, first, last, count):
    rows = np.zeros((6, count), x.dtype)
    for r in range(first, last):
        rows[r] = x[x_at + r * x_row :][:count]
    with np.errstate(invalid="ignore"):  # inf - inf is NaN, as in the compiled form
        rows = TILE.astype(x.dtype) @ rows
    for r, row in enumerate(rows):
        to[to_at + r * pitch :][:count] = row


def _plain_across(to, to_at, apart, source, place, place_at, pitch, part=1):
    lanes = VECTOR_BYTES // to.itemsize // part
    spot = place[place_at : place_at + lanes, None] + np.arange(6)
    for r in range(6):
        with np.errstate(invalid="ignore"):
            rows = source[spot + r * pitch] @ TILE.T.astype(to.dtype)
        for column in range(6):
            to[to_at + (6 * r + column) * apart :][:lanes] = rows[:, column]


def _plain_filters(to, to_at, apart, w, place, place_at, turned):
    lanes = VECTOR_BYTES // to.itemsize
    g = w[place[place_at : place_at + lanes, None] + np.arange(9)].reshape(lanes, 3, 3)
    g = g[:, ::-1, ::-1] if turned else g
    points = POINT.astype(to.dtype)
    for p, row in enumerate((points @ g @ points.T).reshape(lanes, FEWER).T):
        to[to_at + p * apart :][:lanes] = row


def _plain_back(to, to_at, pitch, products, at, apart, bias):
    lanes = VECTOR_BYTES // to.itemsize
    m = np.stack([products[at + p * apart :][:lanes] for p in range(FEWER)], axis=1).reshape(lanes, 6, 6)
    back = BACK.astype(to.dtype)
    with np.errstate(invalid="ignore"):
        y = back @ m @ back.T + bias
    for i in range(4):
        to[to_at + i * pitch :][: 4 * lanes] = y[:, i].reshape(-1)


if numba.config.DISABLE_JIT:
    down, across, filters, back = _plain_down, _plain_across, _plain_filters, _plain_back
    across_half = functools.partial(_plain_across, part=2)
else:
    down, across, across_half, filters, back = filtering_llvm.transforms(*map(float, POINTS))
