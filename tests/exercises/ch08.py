"""What the exercises of chapter 08, quantization, are graded on (see lightnn/study/exercises/cases.py)."""

import numpy as np

from lightnn.study.exercises.cases import Case
from lightnn.study.exercises.outcome import plain

WIDENED = "A range without 0 is widened to 0 first"
HELD = "S is clipped to LEAST_SCALE .. MOST_SCALE"
RETURNED = "from the S that is returned, the float32 number"
EVEN = "a tie is rounded to the even number"
FINITE = "ValueError unless low <= high and both are finite"
ENDS = "where the code is not clipped, the ends q_min and q_max included"
ROWS = "arrays (O,) with one for each index of x's first axis"
ZERO_RANGE = "Where r1_i or r2_i is 0, s_i is 1"
WIDEST = "Of equal errors the widest T wins"
MIDDLE = "x is the middle of a bin"
NEGATIVE = "counts[0, i] numbers are at -(i + 1/2) width"
WHOLE = "Where that gives 2^31, take m0 = 2^30 and an n that is less by 1"
SMALL = "Both are 0 where m is 0 or n would be more than 31"
BOUNDS = "ValueError unless 0 <= m < 2^30; NaN is not"
INT32 = "They may be NumPy's int32, whose product would overflow"
AWAY = "Large is more than half of 2^n, and for x >= 0 also exactly half of it"
OWN = "each number of v is drawn on its own"
ONE = "so one seed gives one result"
CHANCE = "sgn(v_i) (l + 1) with probability a s - l"
BEYOND = "with all that lies beyond added to the last of them"
BEGINS = "Group k begins with bin ceil(k i / levels)"
EMPTY = "gets the mean of those that are not empty; an empty bin stays 0"
INFINITE = "If Q_j is 0 where P_j is not, the result is infinite"
TENSOR = "from lightnn.tensor import Tensor\n"
RNG = "rng = np.random.default_rng(3)\n"


def _range(low, high, ends=None, want="", says=""):
    """A case of 08.1; ends: (q_min, q_max)."""
    given = f", q_min={ends[0]}, q_max={ends[1]}" if ends else ""
    return Case(f"scale_and_zero_point({low}, {high}{given})", says=says, want=want)


def _ranges(shape, dtype, ends):
    setup = f"{RNG}low, high = np.sort(rng.standard_normal((2, *{shape})).astype(np.{dtype}), axis=0)"
    return Case(f"scale_and_zero_point(low, high, q_min={ends[0]}, q_max={ends[1]})", setup)


def _fake(x, y="", options="", says="", dtype="float64"):
    """A case of 08.2; y: the result."""
    call = f"fake_quantize(Tensor(x){', ' if options else ''}{options})"
    return Case(call, f"{TENSOR}x = np.array({x}, np.{dtype})", says, f"Tensor(np.array({y}, np.{dtype}))" if y else "")


def _fakes(shape, dtype, options, setup=""):
    x = f"{TENSOR}{RNG}x = 3 * rng.standard_normal({shape}).astype(np.{dtype})"
    return Case(f"fake_quantize(Tensor(x), {options})", x + setup)


def _seen(counts, lowest, highest, bits, says="", want=""):
    """A case of 08.4; counts: what to fill them with, BINS on each side."""
    setup = f"counts = np.zeros((2, BINS), np.int64)\n{counts}\nseen = Seen({lowest}, {highest}, counts)"
    return Case(f"mse_range(seen, {bits})", setup, says, want)


def _decaying(lowest, highest, width, bits, seed=3):
    """Counts that fall as exp(-i / width), on both sides or on the one that has numbers."""
    counts = f"rng = np.random.default_rng({seed})\ncounts += rng.poisson(1000 * np.exp(-np.arange(BINS) / {width}))"
    counts += "\ncounts[0] = 0" * (lowest >= 0) + "\ncounts[1] = 0" * (highest < 0)
    return _seen(counts, lowest, highest, bits)


def _fixed(m, m0="", n="", says=""):
    want = f"(np.array({m0}, np.int32), np.array({n}, np.int32))" if m0 else ""
    return Case(f"fixed_point({m})", says=says, want=want)


def _rows_of(seen, shape):
    """(norm, level) of what a call returned, or None if they are not arrays as wanted."""
    norm, level = seen.get("result[0]"), seen.get("result[1]")
    kinds = [getattr(a, "dtype", None) for a in (norm, level)]
    shapes = [np.shape(a) for a in (norm, level)]
    if kinds != [np.float64, np.int64] or shapes != [shape[:1], shape]:
        return None
    return norm, level


def _drawn(v, s):
    """The judge of several calls qsgd_levels(v, s, seed), the last with the first one's seed again."""

    def judge(results):
        found = [_rows_of(r, v.shape) for r in results]
        for seen, pair in zip(results, found):
            if pair is None:
                got = ", ".join(f"{getattr(a, 'dtype', type(a).__name__)} {np.shape(a)}" for a in map(
                    seen.get, ("result[0]", "result[1]")))  # fmt: skip
                return f"(norm, level): float64 {v.shape[:1]}, int64 {v.shape}", got
        norms = np.sqrt((v.astype(np.float64) ** 2).sum(1))
        for norm, level in found:
            if not np.allclose(norm, norms, rtol=1e-9, atol=0):
                return f"norm {plain(norms)}", f"norm {plain(norm)}"
            if (wrong := _outside(v, norms, s, level)) is not None:
                return wrong
        if (differ := _alike([results[0], results[-1]])) is not None:
            return differ
        return _fair(v, norms, s, np.array([level for _, level in found[:-1]]))

    return judge


def _alike(results):
    """The judge of two calls with one seed."""
    a, b = (r.get("result[1]") for r in results)
    return None if np.array_equal(a, b) else ("one result from one seed", "two that differ")


def _exact(v, norms, s):
    return np.abs(v) / np.where(norms > 0, norms, 1)[:, None] * s


def _outside(v, norms, s, level):
    """(expected, got) for the first level that is neither sgn(v) l nor sgn(v) (l + 1)."""
    exact, size = _exact(v, norms, s), np.sign(v) * level
    low, high = np.floor(exact + 1e-6), np.minimum(np.floor(exact - 1e-6) + 1, s)  # equal where a s is an int
    low, high = np.minimum(low, high), np.maximum(low, high)
    wrong = (size < low) | (size > high) | ((v == 0) & (level != 0))
    if not wrong.any():
        return None
    i, j = np.argwhere(wrong)[0]
    ends = sorted(int(x) for x in {np.sign(v[i, j]) * low[i, j], np.sign(v[i, j]) * high[i, j]})
    return f"level [{i}, {j}] = {' or '.join(map(str, ends))}: a s = {exact[i, j]:.4g}", f"{level[i, j]}"


def _fair(v, norms, s, levels):
    """(expected, got) if numbers of v are rounded up together, or more or less often than they should be; levels
    (calls, B, d). By chance, a right solution fails less than once in 100,000 times."""
    exact = _exact(v, norms, s)
    part = np.where(np.abs(exact - np.rint(exact)) > 1e-6, exact - np.floor(exact), 0)  # the chance of l + 1
    up = np.where(part > 0, np.abs(levels) - np.floor(exact), 0)
    chances = [np.abs(part - chance) < 2e-6 for chance in np.unique(np.round(part, 6))]
    mixed = (part > 0.1) & (part < 0.9)
    z = np.where(mixed, up / np.sqrt(np.where(mixed, part * (1 - part), 1)), 0)
    for chosen in chances:
        z[:, chosen] -= z[:, chosen].mean()
    for what, axis in [("a row", 2), ("a column", 1), ("calls with several seeds", 0)]:
        sums, count = z.sum(axis), np.broadcast_to(mixed, z.shape).sum(axis).mean()
        if sums.size >= 30 and (sums**2).mean() > 3 * count + 1:
            return f"levels of {what}, each drawn on its own", "levels that go up together"
    for chosen in [part > 0, *chances]:
        want, spread = (len(levels) * f(part[chosen]).sum() for f in (lambda p: p, lambda p: p * (1 - p)))
        got, n = up[:, chosen].sum(), len(levels) * chosen.sum()
        if spread > 10 and abs(got - want) > 5 * np.sqrt(spread):
            one = part[chosen].max() - part[chosen].min() < 1e-5
            where = f" where a s - l = {part[chosen].max():.3g}" if one else ""
            return f"about {want:.0f} of {n} levels l + 1{where}", f"{got:.0f}"
    return None


def _draws(v, s, says="", seeds=(0, 1, 2, 3, 0)):
    space = {"np": np}
    exec(v, space)
    calls = tuple(f"qsgd_levels(v, {s}, {seed})" for seed in seeds)
    return Case(calls, v, says, judge=_drawn(space["v"], s))


def _levels(v, s, norm, level, says="", dtype="float64"):
    """A case of 08.8 without chance."""
    want = f"(np.array({norm}), np.array({level}))"
    return Case(f"qsgd_levels(np.array({v}, np.{dtype}), {s}, 0)", says=says, want=want)


def _divergence(counts, i, levels, want="", says=""):
    return Case(f"divergence(np.array({counts}), {i}, {levels})", says=says, want=want)


def _histogram(i, levels, setup="", bins=64):
    lines = f"{RNG}counts = rng.poisson(40 * np.exp(-np.arange({bins}) / 12)).astype(np.float64){setup}"
    return Case(f"divergence(counts, {i}, {levels})", lines)


CASES = {
    "08.1": [
        _range(-1.0, 254.0, want="(np.float32(1), 1)"),
        _range(-2, 1, (0, 3), "(np.float32(1), 2)"),
        _range(-1.7, 1.3, (0, 3), "(np.float32(1), 2)"),
        _range(-254.0, 254.0, (-127, 127), "(np.float32(2), 0)"),
        _range(
            "np.array([-10.0, -15.0, -7.5])",
            "np.array([5.0, 15.0, 0.0])",
            (0, 15),
            "(np.array([1, 2, 0.5], np.float32), np.array([10, 8, 15]))",
        ),
        _range(3.0, 6.0, (0, 3), "(np.float32(2), 0)", WIDENED),
        _range(-6.0, -3.0, (0, 3), "(np.float32(2), 3)", WIDENED),
        _range(5.0, 5.0, (1, 6), "(np.float32(1), 1)", WIDENED),
        _range(0.0, 0.0, None, "(np.float32(1), 0)", "A range of 0 alone has S = 1"),
        _range(0.0, 0.0, (-5, 4), "(np.float32(1), -5)", "A range of 0 alone has S = 1"),
        _range(-0.5, 2.5, (0, 3), "(np.float32(1), 0)", EVEN),
        _range(-1.5, 2.5, (-3, 1), "(np.float32(1), -2)", EVEN),
        _range(-1.0, 1.0, says=RETURNED),
        *[_range(f"-np.array([{a}])", f"np.array([{a}])", says=RETURNED) for a in (0.7, 3.3, 1e-3, 1e5)],
        _range(0.0, 1e-40, None, "(np.float32(2.0**-126), 0)", HELD),
        _range(-1e-40, 1e-38, None, "(np.float32(2.0**-126), 0)", HELD),
        _range(0.0, 1e300, None, "(np.float32(2.0**110), 0)", HELD),
        _range(-1e300, 1.0, None, "(np.float32(2.0**110), 255)", HELD),
        *[_range(*ends, says=FINITE) for ends in [(1.0, -1.0), (0.5, 0.25), ("np.nan", 1.0), (0.0, "np.inf")]],
        _range("np.array([0.0, 2.0])", "np.array([1.0, 1.0])", says=FINITE),
        _range("np.array([-np.inf, 2.0])", "np.array([1.0, 3.0])", says=FINITE),
        *[
            _ranges(shape, dtype, ends)
            for shape, dtype, ends in [
                ((7,), "float64", (0, 255)),
                ((40,), "float32", (-128, 127)),
                ((3, 5), "float64", (0, 3)),
                ((2, 4, 3), "float32", (-7, 7)),
                ((50,), "float64", (-32768, 32767)),
                ((1,), "float32", (1, 15)),
            ]
        ],
    ],
    "08.2": [
        _fake("[0.4, 1.6, 300.0, -5.0]", "[0.0, 2.0, 255.0, 0.0]"),
        _fake("[-1.0, 0.3, 0.8, 2.0]", "[-0.5, 0.5, 1.0, 1.0]", "scale=0.5, zero_point=1, q_max=3"),
        _fake("[0.0, 3.0, 1.0, 4.0, -1.0]", "[0.0, 3.0, 1.0, 3.0, 0.0]", "q_max=3", ENDS),
        _fake("[3.4, 3.6, -0.4, -0.6]", "[3.0, 3.0, 0.0, 0.0]", "q_max=3", ENDS),
        _fake("[0.5, 1.5, 2.5, 3.5]", "[0.0, 2.0, 2.0, 4.0]", says="A tie is rounded to the even number"),
        _fake("[0.5, 1.5, -0.5]", "[0.0, 2.0, 0.0]", "zero_point=3", "q = round(x / S) + Z"),
        _fake(
            "[[1.2, 9.0], [1.2, 9.0]]",
            "[[1.0, 3.0], [2.0, 6.0]]",
            "scale=np.array([1.0, 2.0]), q_max=3",
            ROWS,
        ),
        _fake(
            "[[[1.0, -9.0]], [[1.0, -9.0]]]",
            "[[[1.0, 0.0]], [[1.0, -2.0]]]",
            "zero_point=np.array([0, 2]), q_max=3",
            ROWS,
        ),
        _fake("[np.inf, -np.inf]", "[3.0, -4.0]", "q_min=-4, q_max=3", "An infinite x is clipped"),
        _fake("[np.nan, 1.0]", says="for NaN y is NaN and the gradient 0"),
        _fake("[0.6, 7.0, -2.0]", says="in x's shape and dtype", options="scale=0.25, q_max=15", dtype="float32"),
        *[
            _fakes(shape, dtype, options)
            for shape, dtype, options in [
                ((5, 4), "float64", "scale=0.3, zero_point=7, q_max=15"),
                ((2, 3, 4, 5), "float32", "scale=0.25, zero_point=-1, q_min=-8, q_max=7"),
                ((60,), "float32", "scale=0.05, zero_point=100"),
                ((3, 2), "float64", "scale=np.array([0.1, 1.0, 2.0]), zero_point=np.array([5, 1, 9]), q_max=12"),
            ]
        ],
        _fakes((4, 3, 2, 5), "float32", "scale=S, q_min=-7, q_max=7", "\nS = np.array([0.1, 0.2, 0.4, 2], np.float32)"),
        _fakes((4, 6), "float64", "scale=0.5, q_max=3", "\nx = x.T"),
    ],
    "08.3": [
        Case("equalizing_scale(np.array([8.0, 1.0]), np.array([2.0, 4.0]))", want="np.array([2.0, 0.5])"),
        Case("equalizing_scale(np.array([9.0, 5.0]), np.array([1.0, 5.0]))", want="np.array([3.0, 1.0])"),
        Case(
            "equalizing_scale(np.array([0.0, 3.0, 0.0, 4.0]), np.array([2.0, 0.0, 0.0, 1.0]))",
            says=ZERO_RANGE,
            want="np.array([1.0, 1.0, 1.0, 2.0])",
        ),
        Case("equalizing_scale([8, 0], [2, 4])", says="lists or arrays of numbers", want="np.array([2.0, 1.0])"),
        Case("equalizing_scale(np.array([100, 1], np.int8), np.array([100, 100], np.int8))", says="s (C,), float64"),
        Case("equalizing_scale(np.array([4, 9], np.float32), np.array([1, 1], np.float32))", says="s (C,), float64"),
        *[
            Case("equalizing_scale(r1, r2)", f"{RNG}r1, r2 = rng.random((2, {n})).astype(np.{dtype}){more}", says)
            for n, dtype, more, says in [
                (6, "float64", "", ""),
                (31, "float32", "", ""),
                (9, "float64", "\nr1[::3] = 0\nr2[4:] = 0", ZERO_RANGE),
                (1, "float32", "\nr2 *= 0", ZERO_RANGE),
                (40, "float64", "\nr1 *= 1000", ""),
            ]
        ],
    ],
    "08.4": [
        _seen("counts[:, 300] = 1", -2048.0, 2048.0, 2, want="(-448.0, 448.0)"),
        _seen("", 0.0, 0.0, 8, "(0.0, 0.0) if the width is 0", "(0.0, 0.0)"),
        _seen("", -1.0, 2.0, 8, WIDEST, "(-1.0, 2.0)"),
        _seen("counts[1, 300] = 5", 0.0, 2048.0, 2, want="(0.0, 904.0)"),
        _seen("counts[1, 2047] = 1", 0.0, 2048.0, 2, "evenly spaced up to the widest", "(0.0, 2048.0)"),
        _seen("counts[0, 300] = 5", -2048.0, 0.0, 2, NEGATIVE, "(-904.0, 0.0)"),
        _seen("counts[0, 99] = 5\ncounts[1, 2047] = 1", -100.0, 2048.0, 3),
        _seen("counts[1] = 1", 0.0, 1.0, 8, MIDDLE),
        _seen(
            "counts[1, :64] = 1000\ncounts[1, 2047] = 1", 0.0, 4.0, 8, "the smallest square error of all that was seen"
        ),
        *[
            _decaying(lowest, highest, width, bits)
            for lowest, highest, width, bits in [
                (-3.0, 4.0, 100, 4),
                (-3.0, 4.0, 100, 2),
                (0.0, 6.0, 200, 3),
                (-0.5, 4.0, 60, 8),
                (-2.0, -0.25, 150, 4),
                (-8.0, 0.125, 90, 5),
                (0.5, 700.0, 250, 6),
            ]
        ],
    ],
    "08.5": [
        _fixed("np.array([0.5, 1.0, 3.0, 0.375])", "[2**30, 2**30, 3 * 2**29, 3 * 2**29]", "[0, -1, -2, 1]"),
        _fixed("np.array([0.25, 5.0])", "[2**30, 5 * 2**28]", "[1, -3]"),
        _fixed(
            "np.array([0.5 + 2.0**-32, 0.5 + 3 * 2.0**-32])",
            "[2**30 + 1, 2**30 + 2]",
            "[0, 0]",
            "m0 is rounded to the nearest int, a half up",
        ),
        _fixed("np.array([1 - 2.0**-40, 4 - 2.0**-38])", "[2**30, 2**30]", "[-1, -3]", WHOLE),
        _fixed("np.array([0.0, 2.0**-32, 2.0**-33, 1e-12, 5e-324])", "[0, 2**30, 0, 0, 0]", "[0, 31, 0, 0, 0]", SMALL),
        _fixed("np.array([2.0**-32 * (1 - 2.0**-40)])", "[2**30]", "[31]", WHOLE),
        _fixed("np.array([2.0**30 - 1])", "[2**31 - 2]", "[-30]"),
        Case("fixed_point(0.25)", says="a number, a list or an array", want="(2**30, 1)"),
        _fixed("[1.5, 6]", "[3 * 2**29, 3 * 2**29]", "[-1, -3]", "a number, a list or an array"),
        _fixed("np.array([0.7, 0.01], np.float32)", says="taken as float64"),
        *[_fixed(f"np.array([0.5, {bad}])", says=BOUNDS) for bad in ("-0.25", "2.0**30", "np.inf", "np.nan", "-1e-9")],
        *[
            Case("fixed_point(m)", f"{RNG}m = 2.0 ** rng.uniform({low}, {high}, {shape})")
            for low, high, shape in [(-30, 29, (5,)), (-10, 0, (3, 7)), (-40, -28, (60,)), (-1, 1, (2, 1, 4))]
        ],
    ],
    "08.6": [
        *[
            Case(f"high_mul({a}, {b})", want=want)
            for a, b, want in [("2**30", "2", "1"), ("2**30", "2**30", "2**29"), ("-(2**30)", "6", "-3"), (5, 7, "0")]
        ],
        *[
            Case(f"high_mul({a}, {b})", says="to the nearest int, a half up", want=want)
            for a, b, want in [
                (3, "2**30", "2"),
                (1, "2**30", "1"),
                (-1, "2**30", "0"),
                (-3, "2**30", "-1"),
                (5, "-(2**30)", "-2"),
                (1, "2**30 - 1", "0"),
                (-1, "2**30 + 1", "-1"),
                (-1, 1, "0"),
                (-5, 0, "0"),
            ]
        ],
        Case("high_mul(LOWEST, LOWEST)", says="then it is HIGHEST", want="2**31 - 1"),
        Case("high_mul(LOWEST, HIGHEST)", says="Only for a = b = LOWEST", want="-(2**31) + 1"),
        Case("high_mul(HIGHEST, HIGHEST)", want="2**31 - 2"),
        Case("high_mul(LOWEST, -1)", want="1"),
        Case("high_mul(np.int32(2**30), np.int32(6))", says=INT32, want="3"),
        Case("high_mul(np.int32(-70000), np.int32(2**31 - 1))", says=INT32, want="-70000"),
        Case("high_mul(np.int32(-(2**31)), np.int32(-(2**31)))", says=INT32, want="2**31 - 1"),
        *[
            Case(
                "high_mul(a, b)",
                f"rng = np.random.default_rng({seed})\na, b = rng.integers(-(2**{bits}), 2**{bits}, 2)",
            )
            for seed, bits in [(3, 31), (4, 31), (5, 31), (6, 24), (7, 20), (8, 17)]
        ],
        *[
            Case(f"high_mul({a}, {b})", says="floor((a b + 2^30) / 2^31)")
            for a, b in [(2147483629, 1751894555), (2147483629, -395589093), (-2147483587, 2129881323)]
        ],
    ],
    "08.7": [
        Case("divide_by_power(7, 2)", want="2"),
        Case("divide_by_power(17, 3)", want="2"),
        Case("divide_by_power(-7, 2)", want="-2"),
        Case("divide_by_power(-17, 3)", want="-2"),
        *[
            Case(f"divide_by_power({x}, {n})", says=AWAY, want=want)
            for x, n, want in [
                (3, 1, "2"),
                (-3, 1, "-2"),
                (1, 1, "1"),
                (-1, 1, "-1"),
                (6, 2, "2"),
                (-6, 2, "-2"),
                (5, 2, "1"),
                (-5, 2, "-1"),
                (10, 2, "3"),
                (-10, 2, "-3"),
            ]
        ],
        Case("divide_by_power(7, 0)", says="For n = 0 the result is x", want="7"),
        Case("divide_by_power(-3, 0)", says="For n = 0 the result is x", want="-3"),
        Case("divide_by_power(0, 5)", want="0"),
        *[
            Case(f"divide_by_power({x}, 31)", want=want)
            for x, want in [
                ("2**30", "1"),
                ("2**30 - 1", "0"),
                ("-(2**30)", "-1"),
                ("1 - 2**30", "0"),
                ("-(2**31)", "-1"),
                ("2**31 - 1", "1"),
            ]
        ],
        Case("divide_by_power(np.int32(2**30), np.int32(31))", says="NumPy's int32", want="1"),
        Case("divide_by_power(np.int32(-(2**31)), np.int32(1))", says="NumPy's int32", want="-(2**30)"),
        *[
            Case(f"divide_by_power({x}, 61)", says="a float would hold only 53 bits of x", want=want)
            for x, want in [("3 * 2**60 - 1", "1"), ("3 * 2**60", "2"), ("-3 * 2**60", "-2"), ("1 - 3 * 2**60", "-1")]
        ],
        *[
            Case(f"divide_by_power(x, {n})", f"rng = np.random.default_rng({seed})\nx = rng.integers(-(2**31), 2**31)")
            for seed, n in [(3, 4), (4, 7), (5, 15), (6, 1), (7, 30)]
        ],
    ],
    "08.8": [
        _levels("[[0.0, 2.0], [-3.0, 0.0]]", 3, "[2.0, 3.0]", "[[0, 3], [-3, 0]]"),
        _levels("[[3, 0, -4]]", 5, "[5.0]", "[[3, 0, -4]]"),
        _levels("[[0, 0, 0], [0, -6, 8]]", 10, "[0.0, 10.0]", "[[0, 0, 0], [0, -6, 8]]", "A row of zeros has"),
        _levels("[[0, -1], [7, 0]]", 1, "[1.0, 7.0]", "[[0, -1], [1, 0]]", "Levels lie between -s and s"),
        Case(
            "qsgd_levels(np.array([[0, -(2.0**100)], [2.0**-100, 0]], np.float32), 4, 0)",
            says="the norm is computed in float64",
            want="(np.array([2.0**100, 2.0**-100]), np.array([[0, -4], [4, 0]]))",
        ),
        Case("qsgd_levels(np.ones((2, 2)), 0, 0)", says="ValueError unless levels is an int from 1 to MOST_LEVELS"),
        Case("qsgd_levels(np.ones((2, 2)), -3, 0)", says="ValueError unless levels is an int from 1 to MOST_LEVELS"),
        Case(("qsgd_levels(v, 6, 7)",) * 2, "v = np.full((9, 5), 1.0)", ONE, judge=_alike),
        _draws("v = np.full((40, 16), 1.0)", 6),
        _draws("v = np.tile(np.array([3.0, -4.0, 0.0]), (200, 1))", 1, CHANCE),
        _draws("v = np.tile(np.array([1.0, -2.0, 2.0], np.float32), (150, 1))", 4, CHANCE),
        *[
            _draws(f"{RNG}v = rng.standard_normal({shape}).astype(np.{dtype})", s)
            for shape, dtype, s in [((5, 7), "float64", 3), ((30, 20), "float32", 1), ((2, 300), "float64", 15)]
        ],
        Case(
            "qsgd_levels(v, 2, np.random.default_rng(5))",
            "v = np.array([[0.0, 5.0], [0.0, 0.0]])",
            "rng: a generator, or a seed for one",
            "(np.array([5.0, 0.0]), np.array([[0, 2], [0, 0]]))",
        ),
        _draws(
            "v = np.full((8, 8), 2.0, np.float32)",
            9,
            OWN,
            ("np.random.default_rng(5)", "np.random.default_rng(6)", "np.random.default_rng(5)"),
        ),
    ],
    "08.9": [
        _divergence("[4.0, 4, 2, 2]", 4, 2, "0.0"),
        _divergence("[3.0, 1]", 2, 1, "0.75 * np.log(1.5) + 0.25 * np.log(0.5)"),
        _divergence("[5.0, 5, 5, 2, 2, 2, 7, 7]", 8, 3, "0.0", BEGINS),
        _divergence("[4.0, 4, 6, 0]", 4, 2, "0.0", EMPTY),
        _divergence("[3.0, 1, 2]", 2, 1, "0.0", BEYOND),
        _divergence("[2.0, 1, 1]", 2, 2, "0.5 * np.log(0.75) + 0.5 * np.log(1.5)", BEYOND),
        _divergence("[0.0, 2, 0, 6]", 4, 2, "0.0", EMPTY),
        _divergence("[1.0, 0, 0, 5]", 4, 1, "np.log(1 / 3) / 6 + 5 / 6 * np.log(5 / 3)", EMPTY),
        _divergence("[1.0, 1, 0, 2]", 3, 3, "np.inf", INFINITE),
        _divergence("[0.0, 0, 0, 2]", 3, 2, "np.inf", INFINITE),
        _divergence("[0.0, 0, 0.5]", 2, 1, "np.inf", INFINITE),
        _divergence("[0.0, 0, 0, 0]", 3, 2, "0.0", "if all counts are 0, it is 0"),
        _divergence("[5.0, 1, 0, 0]", 2, 2, "0.0"),
        _divergence("[1.0, 1, 1, 6, 6, 6]", 5, 2, says=BEGINS),
        _divergence("[1.0, 3, 5, 2, 9, 9, 4]", 7, 3, says=BEGINS),
        _divergence("[3.0, 1, 2]", 2, 5, says="levels may be larger than i"),
        _divergence("[3.0, 0, 2, 7]", 3, 7, says="levels may be larger than i"),
        _divergence("[7.0, 2, 3]", 1, 1, "0.0", BEYOND),
        *[_histogram(i, levels) for i, levels in [(64, 16), (40, 16), (33, 8), (50, 7), (20, 32)]],
        _histogram(48, 16, "\ncounts[5:9] = 0"),
        _histogram(47, 5, "\ncounts[::3] = 0\ncounts[46] = 1"),
        _histogram(300, 128, bins=512),
    ],
}
