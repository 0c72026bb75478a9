"""lightnn/kernels/quantized/requantize.py: gemmlowp's definitions, its worked example, and the kernel against them."""

import math
from fractions import Fraction

import numpy as np
import pytest

from lightnn.kernels.quantized import requantize as rq

EDGES = [0, *(sign * (2**i + d) for i in range(31) for d in (-2, -1, 0, 1, 2) for sign in (1, -1))]
EDGES = sorted({v for v in EDGES if rq.LOWEST <= v <= rq.HIGHEST} | {rq.LOWEST, rq.LOWEST + 1, rq.HIGHEST})


def half_away(value):
    """A Fraction to the nearest integer, a half away from 0."""
    return math.floor(abs(value) + Fraction(1, 2)) * (1 if value >= 0 else -1)


def test_high_mul_is_the_nearest_integer_and_a_half_goes_up():
    """gemmlowp's nudges round a half up, towards plus infinity: 2^30 and 1 - 2^30 are not symmetric."""
    for a in EDGES[::3]:
        for b in EDGES[::5]:
            if a == b == rq.LOWEST:
                continue
            assert rq.high_mul(a, b) == math.floor(Fraction(a * b, 2**31) + Fraction(1, 2))
    assert rq.high_mul(rq.LOWEST, rq.LOWEST) == rq.HIGHEST
    assert rq.high_mul(1, 2**30) == 1 and rq.high_mul(-1, 2**30) == 0  # a half


def test_high_mul_is_what_gemmlowp_writes():
    """A nudge that depends on the sign, and C's division, which cuts off: both branches are one floor."""
    for a in EDGES[::3]:
        for b in EDGES[::5]:
            v = a * b + (2**30 if a * b >= 0 else 1 - 2**30)
            written = abs(v) // 2**31 * (1 if v >= 0 else -1)
            assert rq.high_mul(a, b) == (rq.HIGHEST if a == b == rq.LOWEST else written)


def test_divide_by_power_rounds_a_half_away_from_zero():
    for x in EDGES:
        for n in (0, 1, 2, 5, 17, 30, 31):
            assert rq.divide_by_power(x, n) == half_away(Fraction(x, 2**n))
    assert [rq.divide_by_power(x, 1) for x in (-3, -1, 1, 3)] == [-2, -1, 1, 2]


@pytest.mark.parametrize(
    ("m", "m0", "n"),
    [
        (0.5, 2**30, 0),
        (0.75, 3 * 2**29, 0),
        (0.25, 2**30, 1),
        (1.0, 2**30, -1),
        (3.0, 3 * 2**29, -2),
        (1 - 2.0**-33, 2**30, -1),  # M0 2^31 would be 2^31: halved
        (2.0**-32, 2**30, 31),
        (2.0**-33, 0, 0),
        (0.0, 0, 0),
    ],
)
def test_fixed_point(m, m0, n):
    got = rq.fixed_point(m)
    assert tuple(map(int, got)) == (m0, n) and got[0].dtype == got[1].dtype == np.int32


def test_fixed_point_is_within_half_a_unit(rng):
    m = 2 ** rng.uniform(-31, 29, 1000)
    m0, n = rq.fixed_point(m)
    assert (m0 >= 2**30).all()
    assert (np.abs(m0 * 2.0 ** -(31.0 + n) / m - 1) <= 2.0**-31).all()


@pytest.mark.parametrize("m", [-1e-9, np.nan, np.inf, 2.0**30])
def test_fixed_point_refuses(m):
    with pytest.raises(ValueError, match=r"fixed_point: want 0 <= M < 2\^30; got"):
        rq.fixed_point([0.5, m])


def test_gemmlowps_worked_example():
    """doc/quantization_example.cc: its random matrices, its scales, and the result that its program prints."""
    draws = np.random.RandomState(5489).randint(0, 2**32, 20, np.uint64).astype(np.float32) / np.float32(2**32)
    numbers = 2 * draws - 1
    lhs, rhs = numbers[:8].reshape(4, 2).T, numbers[8:].reshape(3, 4).T
    (s1, z1), (s2, z2), (s3, z3) = (chosen(a) for a in (lhs, rhs, lhs @ rhs))
    x, w = quantize(lhs, s1, z1), quantize(rhs, s2, z2)
    assert x.tolist() == [[208, 236, 0, 238], [3, 214, 255, 29]]
    assert w.tolist() == [[152, 51, 244], [60, 26, 255], [0, 127, 246], [127, 254, 247]]
    sums = ((x - z1) @ (w - z2)).astype(np.int32)
    out = rq.Output(np.zeros(2, np.int32), *rq.fixed_point([s1 * s2 / s3] * 2), z3, 0, 255, 0)
    assert rq.requantized(sums.T, out).T.tolist() == [[168, 115, 255], [0, 66, 151]]
    assert rq.requantize(sums.T, out).T.tolist() == [[168, 115, 255], [0, 66, 151]]


def chosen(a):
    low, high = min(0, float(a.min())), max(0, float(a.max()))
    scale = (high - low) / 255
    return scale, int(np.floor(-low / scale + 0.5))


def quantize(a, scale, zero):
    return np.floor(np.clip(zero + a / scale, 0, 255) + 0.5).astype(np.int64)


def outputs(rng, count):
    """Channels with every kind of M: small, near 1, above 1, 0."""
    m = np.concatenate([2.0 ** rng.uniform(-34, 8, count - 4), [0.0, 1.0, 0.5, 1 - 2.0**-33]])
    b = rng.integers(-(2**20), 2**20, count).astype(np.int32)
    return rq.Output(b, *rq.fixed_point(m), int(rng.integers(256)), 3, 250, 0)


def test_the_kernel_is_the_definition_on_extremes_and_random_sums(rng):
    out = outputs(rng, 24)
    sums = rng.integers(-(2**31) + 2**20, 2**31 - 2**20, (60, 24)).astype(np.int32)
    sums[:30] >>= rng.integers(0, 31, (30, 24))
    edges = np.array([v for v in EDGES if abs(v) < 2**31 - 2**20], np.int32)[::4]
    sums = np.concatenate([sums, np.tile(edges[:, None], 24)])
    np.testing.assert_array_equal(rq.requantize(sums, out), rq.requantized(sums, out))


def test_a_block_writes_nothing_beside_it(rng):
    """Three rows of 1 .. 40 channels of 44, from the second channel on, between others."""
    out = outputs(rng, 44)
    out = out._replace(n=np.maximum(out.n, 2))
    sums = rng.integers(-(2**20), 2**20, (3, 50)).astype(np.int32)
    for count in range(1, 41):
        y = np.full((3, 60), 77, np.uint8)
        rq.requantize_block(y.reshape(-1), 4, 60, sums.reshape(-1), 50, 3, count, out, 1)
        part = out._replace(**{name: getattr(out, name)[1 : 1 + count] for name in ("b", "m0", "n")})
        np.testing.assert_array_equal(y[:, 4 : 4 + count], rq.requantized(sums[:, :count], part))
        assert (y[:, :4] == 77).all() and (y[:, 4 + count :] == 77).all()


def test_every_int32_extreme_without_a_bias():
    sums = np.array([EDGES] * 3, np.int32).T
    m = [2.0**-23.5, 2.0**-31.2, 0.2499999999]
    out = rq.Output(np.zeros(3, np.int32), *rq.fixed_point(m), 128, 0, 255, 0)
    np.testing.assert_array_equal(rq.requantize(sums, out), rq.requantized(sums, out))


def test_strided_and_empty_sums(rng):
    out, sums = outputs(rng, 6), rng.integers(-999999, 999999, (8, 12)).astype(np.int32)[::-2, ::2]
    np.testing.assert_array_equal(rq.requantize(sums, out), rq.requantized(sums, out))
    assert rq.requantize(np.zeros((0, 6), np.int32), out).shape == (0, 6)


def test_a_sum_that_may_not_fit_is_refused():
    w = np.full((2, rq.DEEPEST), 127, np.int8)
    assert rq.output(w, None, 0.001, 128).b[0] == -128 * 127 * rq.DEEPEST
    with pytest.raises(ValueError, match="want at most 2147483647, got up to"):
        rq.output(np.concatenate([w, w[:, :1]], 1), None, 0.001, 128)


def test_rounding_by_every_power_and_every_length(rng):
    """Sums whose products end in a half, at every n and in rows of every length up to three vectors."""
    for n in range(32):
        m0, many = np.full(50, 2**30, np.int32), np.full(50, n, np.int32)
        out = rq.Output(np.zeros(50, np.int32), m0, many, 7, 1, 254, 0)
        sums = (rng.integers(-130, 130, (1, 50)) << (n + 1)) + rng.integers(-1, 2, (1, 50)) + (1 << n)
        sums = np.clip(sums, -(2**30), 2**30).astype(np.int32)
        np.testing.assert_array_equal(rq.requantize(sums, out), rq.requantized(sums, out))
        np.testing.assert_array_equal(rq.requantize(sums[:, : 1 + n], out), rq.requantized(sums[:, : 1 + n], out))
