"""The roofline: what a machine can reach, for how much a computation makes of each byte (Williams, Waterman &
Patterson 2009, "Roofline"); and what more workers gain. Nothing is checked."""

from lightnn.exercise import exercise


@exercise("15.1")
def product_intensity(m, k, n, x_bytes=4, w_bytes=4, y_bytes=4):
    """FLOP for each byte moved, a float, of y = x w with x (m, k), w (k, n) and y (m, n).

        I = 2 m k n / (x_bytes m k + w_bytes k n + y_bytes m n)

    One MAC is two FLOP here. x and w are read once and y is written once. x_bytes, w_bytes, y_bytes: of one number, 4
    for float32, 1 for int8, 0.125 for a bit. For one row (m = 1) and a large w in float32 it is about a half: each
    weight is fetched for a single multiplication and addition.
    """
    return 2 * m * k * n / (x_bytes * m * k + w_bytes * k * n + y_bytes * m * n)


@exercise("15.2")
def attainable(peak, bandwidth, intensity):
    """FLOP/s that a computation can reach on a machine, a float.

        min(peak, bandwidth intensity)

    peak: the machine's FLOP/s. bandwidth: bytes/s from the memory in which the numbers are. intensity: FLOP/byte.
    The two bounds meet at the ridge, intensity = peak / bandwidth: left of it memory decides, right of it arithmetic.
    All are numbers > 0.
    """
    return float(min(peak, bandwidth * intensity))


@exercise("15.3")
def amdahl(fraction, workers):
    """How many times as fast a program is with that many workers, a float (Amdahl 1967).

        1 / ((1 - f) + f / n)

    fraction: f, the part of the time of one worker that can be divided among n = `workers`, from 0 to 1. The rest takes
    as long as before, so 1 / (1 - f) is never passed. workers: an int >= 1.
    """
    return 1.0 / ((1 - fraction) + fraction / workers)
