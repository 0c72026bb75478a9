"""What the exercises of chapter 06, product quantization, are graded on (see lightnn/study/exercises/cases.py)."""

import numpy as np

from lightnn.study.exercises.cases import Case
from lightnn.study.exercises.outcome import plain

BITS = "a code of log2(k) bits for each block"
HALF = "and the centroids, d numbers each, in float16"
NOT_ROUNDED = "log2(k) is not rounded to whole bits: 3 centroids have 1.58 bits; one has 0"
ABOVE_0 = "n, d and k are numbers above 0; anything else gives a ValueError"
POWER = "the largest power of two below n / 4 if that is less"
AT_LEAST = "and at least 1"
BELOW = "n / 4 itself is too many"
ROW = "w[o], the weights of an output, are flattened in C order and cut into n = w[o].size / d pieces of d numbers"
NEW = "as rows of a new array (O n, d) in w's dtype"
REFUSED = "ValueError unless d is an int >= 1, w has at least one axis and one weight, and d divides w[0].size"
KERNEL = "a 3x3 kernel is a block for d = 9"
PAIR = "the kernels of two neighbouring channels are one for d = 18"
MEAN = "mean_j = dc_j / |J_j|"
ANY_SHAPE = "integers from 0 to k - 1, of any shape"
UNUSED = "A centroid without blocks has a sum of 0, and keeps it"
LIKE_DC = "in the shape and dtype of dc (k, d)"
ERROR = "(v_p - c_(I_p))' G (v_p - c_(I_p))"
NO_BLOCKS = "Without blocks it is 0.0"
NEAREST = "the j with the least (v_p - c_j)' G (v_p - c_j)"
FIRST = "Of centroids that are equally near, the first"
SAME = "some may be 0 for blocks that differ"
INT64 = "an int64 array (n,)"
TABLES = "y[i, o] = sum_b T[i, b, codes[o, b]]"
BLOCK_B = "its block b is x_i[b d], ..., x_i[b d + d - 1]"
NO_ROWS = "x (N, B d) with N >= 0"
DTYPE = "in the dtype of x and c"
PROJECTED = "c_j = mean of pinv(G) G v_p over the p with I_p = j"
UNSEEN = "what no input sees is taken out"
PLAIN = "Where inputs span all directions, pinv(G) G = I: then it is the plain mean of the blocks"
STAYS = "A centroid without blocks stays as it is in c (k, d)"
APART = "c_j = c_m + e, c_m <- c_m - e, e ~ N(0, I) 10^-8"
OTHERS = "All other centroids stay"
FIRST_MOST = "m has most blocks at that time, the first of several"
HALVED = "count // 2 of its blocks are taken to be those of c_j, and the rest stay with c_m"
DRAWN = "rng: a NumPy generator that draws e, d numbers for each empty centroid"
DTYPES = ("float64", "float32")
RNG = "rng = np.random.default_rng(3)"


def _random(dtype, **shapes):
    lines = [f"{name} = rng.standard_normal({shape}).astype(np.{dtype})" for name, shape in shapes.items()]
    return "\n".join([RNG, *lines])


def _norm(n, k, d, rank, more=""):
    """v, c and codes, and the G of some inputs, of which `rank` are independent."""
    lines = [_random("float64", v=(n, d), c=(k, d), x=(rank, d)), "G = x.T @ x", f"codes = rng.integers(0, {k}, {n})"]
    return "\n".join([*lines, *([more] if more else [])])


def _gradient(dc, codes, want="", says="", dtype="float64"):
    setup = f"dc = np.array({dc}, np.{dtype})\ncodes = np.array({codes})"
    return Case("mean_gradient(dc, codes)", setup, says, f"np.array({want}, np.{dtype})" if want else "")


def _blocks(call, setup, want="", says=""):
    return Case(call, setup, says, want)


V_C_G = "v, c, G = np.array({}, float), np.array({}, float), np.array({}, float)"


def _nearest(v, c, G, want="", says=""):
    setup = V_C_G.format(v, c, G)
    return Case("nearest_blocks(v, c, G)", setup, says, f"np.array({want}, np.int64)" if want else "")


def _best(v, codes, c, G, want="", says=""):
    setup = f"{V_C_G.format(v, c, G)}\ncodes = np.array({codes})"
    return Case("best_centroids(v, codes, c, G)", setup, says, f"np.array({want}, float)" if want else "")


def _cost(v, c, codes, G, want="", says=""):
    setup = f"{V_C_G.format(v, c, G)}\ncodes = np.array({codes}, int)"
    return Case("weighted_error(v, c, codes, G)", setup, says, want)


def _tables(x, codes, c, want="", says="", dtype="float64"):
    setup = f"x, c = np.array({x}, np.{dtype}), np.array({c}, np.{dtype})\ncodes = np.array({codes})"
    return Case("linear_by_tables(x, codes, c)", setup, says, f"np.array({want}, np.{dtype})" if want else "")


def _served(count):
    """[(the empty centroid, the one that is split for it)]."""
    count, pairs = count.copy(), []
    for j in np.flatnonzero(count == 0):
        m = int(count.argmax())
        pairs.append((int(j), m))
        count[j], count[m] = count[m] // 2, count[m] - count[m] // 2
    return pairs


def _split(codes, c):
    """The judge of calls of split_largest with several seeds, the last with the first one's again."""
    pairs = _served(np.bincount(codes, minlength=len(c)))
    source = np.arange(len(c))
    for j, m in pairs:
        source[j] = source[m]

    def judge(results):
        found = [r.get("result") for r in results]
        for r in results:
            if not np.array_equal(r.get("argument c, afterwards"), c):
                return f"c as it was, {plain(c)}", plain(r.get("argument c, afterwards"))
        for new in found:
            if not isinstance(new, np.ndarray) or new.dtype != np.float64 or new.shape != c.shape:
                return f"an array, float64 {c.shape}", f"{getattr(new, 'dtype', type(new).__name__)} {np.shape(new)}"
            wrong = (np.abs(new - c[source]) > 1e-6).any(1)
            if wrong.any():
                j = int(np.flatnonzero(wrong)[0])
                return f"centroid {j} beside {plain(c[source[j]])}", plain(new[j])
        return _apart(found, pairs, source, c) or _by_seed(found, pairs)

    return judge


def _apart(found, pairs, source, c):
    """(expected, got) if split centroids do not stand on both sides of where one was, or another one moved."""
    for new in found:
        for j in range(len(c)):
            group = np.flatnonzero(source == source[j])
            middle = new[group].mean(0) - c[source[j]]
            if len(group) == 1 and not np.array_equal(new[j], c[j]):
                return f"centroid {j} unchanged", plain(new[j])
            if len(group) == 2 and np.abs(middle).max() > 1e-13:
                return f"the mean of centroids {group.tolist()} where the one was", f"{plain(middle)} beside it"
            if len(group) > 1 and (np.diff(np.sort(new[group], 0), axis=0) == 0).any():
                return f"centroids {group.tolist()} that all differ, in every number", "two that do not"
    return None


def _by_seed(found, pairs):
    """(expected, got) if one seed gives two results, or e is not normal with 1e-8."""
    if not np.array_equal(found[0], found[-1]):
        return "one result from one seed", "two that differ"
    e = np.array([(new[j] - new[m]) / 2 for new in found[:-1] for j, m in pairs[-1:]]).ravel() / 1e-8
    if len(e) >= 100:
        size = float(np.sqrt((e**2).mean()))
        if not 0.6 < size < 1.6 or abs(e.mean()) > 0.5:
            return "e of about 1e-8, with a mean of about 0", f"in 1e-8: size {size:.3g}, mean {e.mean():.3g}"
        if (e > 0).all() or np.abs(e).max() < 1.2 or len(np.unique(np.round(e, 3))) < len(e) / 2:
            return "e ~ N(0, I) 1e-8", f"e from {e.min():.2f} to {e.max():.2f}, in 1e-8"
    return None


def _splits(codes, c, says="", seeds=(0, 1, 2, 0), want=""):
    space = {"np": np}
    setup = f"codes, c = np.array({codes}), {c}"
    exec(setup, space)
    calls = tuple(f"split_largest(codes, c, np.random.default_rng({seed}))" for seed in seeds)
    return Case(calls, setup, says, want, judge=_split(space["codes"], space["c"]))


CASES = {
    "06.1": [
        Case("product_bytes(8, 1, 2)", want="5.0"),  # 8 codes of a bit, and two numbers
        Case("product_bytes(36864, 9, 256)", want="8704.0", says=BITS),  # 4096 + 4608
        Case("product_bytes(800, 4, 16)", want="228.0", says=HALF),  # 100 + 128
        Case("product_bytes(90, 9, 1)", want="18.0", says=NOT_ROUNDED),
        Case("product_bytes(90, 9, 3)", want="float(10 * np.log2(3) / 8 + 54)", says=NOT_ROUNDED),
        Case("product_bytes(10, 4, 2)", want="16.3125"),
        Case("product_bytes(1280000, 4, 2048)"),
        Case("product_bytes(k=1024, d=4, n=2048000)"),
        Case("product_bytes(1.5, 0.5, 2.5)"),
        *[Case(f"product_bytes({a})", says=ABOVE_0) for a in ("0, 4, 16", "-8, 4, 16", "100, 0, 16", "100, -4, 16")],
        *[Case(f"product_bytes({a})", says=ABOVE_0) for a in ("100, 4, 0", "100, 4, -2", "np.inf, 4, 2")],
        *[Case(f"product_bytes({a})", says=ABOVE_0) for a in ("100, np.nan, 2", "'100', 4, 2", "None, 4, 2")],
    ],
    "06.2": [
        Case("clamped(256, 100)", want="16", says=POWER),  # below 25
        Case("clamped(256, 10000)", want="256"),
        Case("clamped(256, 1025)", want="256", says=POWER),
        Case("clamped(256, 1024)", want="128", says=BELOW),
        Case("clamped(256, 8)", want="1", says=BELOW),
        Case("clamped(256, 9)", want="2"),
        Case("clamped(256, 4)", want="1", says=AT_LEAST),
        Case("clamped(256, 1)", want="1", says=AT_LEAST),
        Case("clamped(100, 10000)", want="100", says="k, or"),
        Case("clamped(1, 10000)", want="1"),
        *[Case(f"clamped(2048, {n})") for n in (16, 17, 63, 64, 65, 320, 8191, 8192, 8193)],
        *[Case(f"clamped({k}, 320)") for k in (3, 60, 64, 79, 80, 81, 256)],
    ],
    "06.3": [
        _blocks(
            "blocks_of(w, 2)",
            "w = np.array([[1.0, 2, 3, 4], [5, 6, 7, 8]])",
            "np.array([[1.0, 2], [3, 4], [5, 6], [7, 8]])",
            ROW,
        ),
        _blocks("blocks_of(w, 4)", "w = np.arange(8.0).reshape(2, 4)", "np.arange(8.0).reshape(2, 4)"),
        _blocks("blocks_of(w, 4)", "w = np.arange(16.0).reshape(2, 2, 2, 2)", "np.arange(16.0).reshape(4, 4)", KERNEL),
        _blocks("blocks_of(w, 1)", "w = np.arange(3.0)", "np.array([[0.0], [1.0], [2.0]])", ROW),
        _blocks("blocks_of(w, 3)", "w = np.arange(6.0).reshape(1, 6)", "np.array([[0.0, 1, 2], [3, 4, 5]])", ROW),
        _blocks("blocks_of(w, 9)", _random("float64", w=(2, 3, 3, 3)), says=KERNEL),
        _blocks("blocks_of(w, 18)", _random("float32", w=(3, 4, 3, 3)), says=PAIR),
        _blocks("blocks_of(w, 6)", _random("float64", w=(2, 2, 3, 1)), says=ROW),
        _blocks("blocks_of(w.T, 3)", _random("float64", w=(6, 5)), says=ROW),
        _blocks("blocks_of(w, 4)", "w = np.arange(24, dtype=np.int16).reshape(3, 8)", says=NEW),
        *[_blocks(f"blocks_of(w, {d})", "w = np.ones((6, 6))", says=REFUSED) for d in (4, 12, 36, 0, -3, 2.0, "'2'")],
        _blocks("blocks_of(w, 1)", "w = np.float64(3)", says=REFUSED),
        _blocks("blocks_of(w, 1)", "w = np.zeros((0, 4))", says=REFUSED),
        _blocks("blocks_of(w, 1)", "w = np.zeros((3, 0))", says=REFUSED),
        *[_blocks(f"blocks_of(w, {d})", _random(t, w=(4, 12))) for d in (1, 3, 12) for t in DTYPES],
    ],
    "06.4": [
        _gradient([[6.0, 3.0], [4.0, 2.0]], [0, 0, 0, 1], [[2.0, 1.0], [4.0, 2.0]], MEAN),
        _gradient([[6.0], [4.0]], [1, 1, 0, 1], [[6.0], [4.0 / 3]], MEAN),
        _gradient([[0.0, 0.0], [4.0, 2.0]], [1, 1], [[0.0, 0.0], [2.0, 1.0]], UNUSED),
        _gradient([[5.0], [8.0], [0.0]], [1, 0, 1, 1], [[5.0], [8.0 / 3], [0.0]], UNUSED),
        _gradient([[8.0], [6.0]], [[0, 1], [0, 1]], [[4.0], [3.0]], ANY_SHAPE),
        _gradient([[8.0], [6.0]], [[[0], [1]], [[0], [0]]], says=ANY_SHAPE),
        _gradient([[6.0, 3.0], [4.0, 2.0]], [[0, 0, 0, 1]], says=LIKE_DC, dtype="float32"),
        *[
            Case("mean_gradient(dc, codes)", f"{_random(t, dc=(k, d))}\ncodes = rng.integers(0, {k}, (6, 5))", LIKE_DC)
            for t in DTYPES
            for k, d in ((4, 3), (2, 9), (1, 4))
        ],
        Case("mean_gradient(dc, codes)", f"{_random('float32', dc=(3, 2))}\ncodes = np.array([0, 1, 2] * 9, np.uint8)"),
        Case("mean_gradient(dc.T, codes)", f"{_random('float64', dc=(4, 3))}\ncodes = np.array([0, 1, 2, 2])"),
    ],
    "06.5": [
        _cost([[4, 1]], [[1, 1]], [0], [[1, 0], [0, 1]], "9.0", ERROR),
        _cost([[3, 1], [0, 2]], [[1, 1], [0, 0]], [0, 1], [[1, 0], [0, 1]], "8.0", ERROR),  # 4 + 4
        _cost([[3, 1], [0, 2]], [[1, 1], [0, 0]], [0, 1], [[10, 0], [0, 1]], "44.0", ERROR),
        _cost([[2, 1]], [[1, 0]], [0], [[2, 1], [1, 2]], "6.0", ERROR),
        _cost([[2, -1]], [[1, 0]], [0], [[2, 1], [1, 2]], "2.0", ERROR),
        _cost([[1, 1]], [[1, 1], [5, 5]], [1], [[1, 0], [0, 1]], "32.0", ERROR),
        Case("weighted_error(np.zeros((0, 2)), np.ones((3, 2)), np.zeros(0, int), np.eye(2))", says=NO_BLOCKS),
        *[Case("weighted_error(v, c, codes, G)", _norm(*s)) for s in ((8, 3, 2, 2), (20, 4, 5, 3), (30, 8, 9, 20))],
        Case("weighted_error(v, c, codes, G)", _norm(10, 3, 4, 6, "codes = codes.astype(np.uint8)")),
    ],
    "06.6": [
        _nearest([[0, 0], [4, 4], [6, 6]], [[5, 5], [1, 0]], [[1, 0], [0, 1]], [1, 0, 0], NEAREST),
        _nearest([[0, 0]], [[2, 0], [0, 3]], [[1, 0], [0, 1]], [0], NEAREST),
        _nearest([[0, 0]], [[2, 0], [0, 3]], [[9, 0], [0, 1]], [1], NEAREST),
        _nearest([[1, 1]], [[2, 2], [3, -1]], [[2, 1], [1, 2]], [0], NEAREST),  # 6 and 8
        _nearest([[0, 0]], [[1, 1], [-2, 2]], [[3, 2], [2, 3]], [1], NEAREST),  # 10 and 8
        _nearest([[2, 0]], [[1, 0], [3, 0]], [[1, 0], [0, 1]], [0], FIRST),
        _nearest([[1, 7], [3, -2]], [[9, 7], [3, 5], [1, 0]], [[1, 0], [0, 0]], [2, 1], SAME),
        _nearest([[1, 2], [3, 4]], [[5, 6], [3, 4]], [[0, 0], [0, 0]], [0, 0], FIRST),
        _nearest([[4, 4]], [[4, 4]], [[1, 0], [0, 1]], [0], INT64),
        *[
            Case("nearest_blocks(v, c, G)", _norm(*s), NEAREST)
            for s in ((6, 3, 2, 4), (30, 5, 3, 2), (50, 16, 9, 20), (40, 7, 4, 1))
        ],
        Case("nearest_blocks(v, c, G)", _norm(25, 6, 4, 9, "v = 100 * v")),
    ],
    "06.7": [
        _tables([[1, 2, 3, 4]], [[0, 1]], [[1, 1], [0, 2]], [[11.0]], TABLES),  # 1 + 2, and 8
        _tables([[1, 2, 3, 4]], [[1, 0], [0, 0], [1, 1]], [[1, 1], [0, 2]], [[11.0, 10.0, 12.0]], TABLES),
        _tables([[1, 2, 3], [4, 5, 6]], [[0, 1, 2]], [[1], [10], [100]], [[321.0], [654.0]], BLOCK_B),
        _tables([[1, 2, 3, 4]], [[0], [1]], [[1, 0, 0, 1], [0, 1, 1, 0]], [[5.0, 5.0]], BLOCK_B),
        Case("linear_by_tables(np.zeros((0, 4)), np.array([[0, 1]]), np.ones((2, 2)))", says=NO_ROWS),
        *[
            Case(
                "linear_by_tables(x, codes, c)",
                f"{_random(t, x=(n, b * d), c=(k, d))}\ncodes = rng.integers(0, {k}, ({o}, {b}))",
                DTYPE,
            )
            for t in DTYPES
            for n, b, d, k, o in ((2, 3, 2, 4, 5), (3, 4, 4, 16, 2), (1, 6, 3, 2, 6), (4, 2, 2, 3, 2))
        ],
        Case(
            "linear_by_tables(x, codes, c)",
            f"{_random('float64', x=(2, 6), c=(5, 2))}\ncodes = rng.integers(0, 5, (4, 3)).astype(np.uint8)",
        ),
    ],
    "06.8": [
        _best([[1, 3], [3, 5], [9, 9]], [0, 0, 1], [[0, 0], [0, 0]], [[1, 0], [0, 1]], [[2.0, 4.0], [9.0, 9.0]], PLAIN),
        _best([[1, 3], [3, 5]], [1, 1], [[7, 8], [0, 0]], [[1, 0], [0, 1]], [[7.0, 8.0], [2.0, 4.0]], STAYS),
        _best([[1, 3], [3, 5]], [0, 0], [[7, 8]], [[100, 0], [0, 1]], [[2.0, 4.0]], PLAIN),
        _best([[1, 3], [3, 5]], [0, 0], [[7, 8]], [[4, 0], [0, 0]], [[2.0, 0.0]], UNSEEN),
        _best([[1, 3]], [0], [[7, 8]], [[1, 1], [1, 1]], [[2.0, 2.0]], UNSEEN),
        _best([[1, 3]], [1], [[7, 8], [1, 1], [4, 4]], [[0, 0], [0, 0]], [[7.0, 8.0], [0.0, 0.0], [4.0, 4.0]], UNSEEN),
        *[
            Case("best_centroids(v, codes, c, G)", _norm(*s), PROJECTED)
            for s in ((8, 3, 2, 4), (30, 5, 4, 2), (40, 9, 9, 20), (20, 4, 3, 1))
        ],
        Case("best_centroids(v, codes, c, G)", _norm(12, 9, 4, 2), STAYS),
        Case("best_centroids(v, codes, c, G)", _norm(12, 5, 4, 6, "codes = codes.astype(np.uint8)")),
    ],
    "06.9": [
        Case(
            "split_largest(codes, c, np.random.default_rng(0))",
            "codes, c = np.array([1, 0]), np.array([[1.0, 2.0], [3.0, 4.0]])",
            OTHERS,
            "np.array([[1.0, 2.0], [3.0, 4.0]])",
        ),
        _splits([1, 1, 1, 0], "np.array([[0.0, 1.0], [2.0, 3.0], [40.0, 50.0]])", APART),
        _splits([2, 2, 1], "np.array([[70.0], [20.0], [30.0]])", APART),
        _splits([0, 0, 2, 2], "np.array([[1.0], [20.0], [30.0]])", FIRST_MOST),
        _splits([0, 0, 0, 0, 0, 1, 1, 1, 1], "np.array([[1.0], [20.0], [300.0], [400.0]])", HALVED),  # 0, then 1
        _splits([0] * 10 + [1] * 4, "np.array([[1.0], [20.0], [300.0], [400.0]])", HALVED),  # 0, 0
        _splits([0] * 10 + [1] * 4, "np.array([[1.0], [20.0], [300.0], [400.0], [500.0]])", HALVED),  # 0, 0, 2
        _splits([0] * 5 + [1] * 3, "np.array([[1.0], [20.0], [300.0], [400.0]])", HALVED),  # 0 of 5, then 0 of 3
        _splits([0, 0], "np.array([[1.0, -1.0], [20.0, 7.0], [300.0, 5.0]])", HALVED),
        _splits([3] * 9, "np.arange(12.0).reshape(6, 2)", APART),
        _splits([0, 0, 0], "np.stack([np.zeros(60), np.ones(60)])", DRAWN),
    ],
}
