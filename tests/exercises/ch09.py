"""What the exercises of chapter 09, binarization, are graded on (see lightnn/study/exercises/cases.py)."""

import numpy as np

from lightnn.study.exercises.cases import Case
from lightnn.study.exercises.outcome import plain

TENSOR = "from lightnn.tensor import Tensor"
RNG = "rng = np.random.default_rng(3)"
INSIDE = "dL/dx = dL/dy where |x| <= 1, else 0"
ENDS = "The ends |x| = 1 belong to the inside"
ZERO = "the sign of 0, and of -0.0, is +1"
NAN = "NaN stays NaN, and its gradient is 0"
SHAPE = "in x's shape and dtype"
FLOAT = "TypeError unless x is float32 or float64"
MEAN = "n the number of weights of a filter"
SCALE_DTYPE = "in W's dtype"
NO_WEIGHTS = "Of a filter without weights it is 0"
OVERFLOW = "so that nothing overflows; NaN stays NaN"
SIGMA = "sigma(W) = clip((W + 1) / 2, 0, 1)"
SURE = "Where W >= 1 it is always True, where W <= -1 never"
NEVER = "For NaN it is False"
EACH = "one draw for each element"
SLOPE = "dL/dx = (2 - 2 |x|) dL/dy where |x| < 1, else 0"
TIE = "The sign of 0, and of -0.0, is +1"
STE = "dL/dW = dL/dw (1 / n + alpha 1[|W| <= 1])"
WEIGHT_ZERO = "with sign(0) = +1"
WEIGHT_SHAPE = "in W's shape and dtype"
ALPHA = "a number or an array that fits W"
CONSTANT = "infinity if it is a constant"
WEIGHT_NAN = "NaN stays NaN"
RISES = "gamma > 0 T = ceil(t), flip False"
FALLS = "So s = t itself, where the batch norm is 0, gives +1"
FLAT = "where gamma is 0, every s gives the sign of beta"
CLIPPED = "T is clipped to -2^31 .. 2^31 - 1"
WHERE = "exactly where (s >= T) ^ flip"
IN_FLOAT64 = "computed in float64"
ONE_AGAINST_REST = "t_nk = 1 where k = target_n, else -1"
HINGE = "L = sum_nk max(0, 1 - t_nk x_nk)^2 / N"
HINGE_SLOPE = "dL/dx_nk = -2 t_nk max(0, 1 - t_nk x_nk) / N"
HINGE_DTYPE = "L has x's dtype"
HINGE_TYPES = "TypeError for other dtypes, ValueError for other shapes or labels"
HINGE_N = "N > 0"
LEFT = "R_1 = W, R_(m+1) = R_m - alpha_m B_m B_m = sign(R_m), alpha_m = E|R_m|"
SIGN_0 = "sign(0) is +1"
EMPTY = "For an empty W all are 0.0"
BIT = "bit k % 64 of word k // 64 = 1 where x[..., k] >= 0, else 0"
AFTER = "The bits after the last number are 0"
BIT_0 = "The sign of 0 and of -0.0 is +1, bit 1; NaN has bit 0"
NO_WORDS = "For K = 0 there are no words"
INTEGERS = "floats or integers"
DOT = "a . b = count - 2 popcount(a XOR b)"
TAIL = "Those bits are 0 in a and in b"
CHANNELS = "A = mean of |x| over the channels"
BOX = "k_ij = 1 / (KH KW)"
PAIR = "stride s a pair, for the rows and for the columns"
PADDING = "what lies outside x is 0 there, and counts"
SIDES = "(top, bottom, left, right)"
SCALE_OF_X = "in the dtype of x"


def _array(name, numbers, dtype="float64"):
    return f"{name} = np.array({numbers}, np.{dtype})"


def _random(dtype, **shapes):
    lines = [f"{name} = rng.standard_normal({shape}).astype(np.{dtype})" for name, shape in shapes.items()]
    return "\n".join([RNG, *lines])


def _op(call, *setup, y="", says="", dtype="float64"):
    """A case of a differentiable function; y: the numbers that it gives."""
    want = f"Tensor(np.array({y}, np.{dtype}))" if y else ""
    return Case(call, "\n".join([TENSOR, *setup]), says, want)


def _of_x(name, x, y="", says="", dtype="float64"):
    return _op(f"{name}(Tensor(x))", _array("x", x, dtype), y=y, says=says, dtype=dtype)


def _signs(name, says_zero, says_slope, ends):
    """The cases that 09.1 and 09.4 have in common."""
    return [
        _of_x(name, "[0.0, -0.0]", "[1.0, 1.0]", says_zero),
        _of_x(name, "[1.0, -1.0, 1.25, -1.25]", "[1.0, -1.0, 1.0, -1.0]", ends),
        _of_x(name, "[np.inf, -np.inf]", "[1.0, -1.0]", says_slope),
        _of_x(name, "[np.nan, 0.25]", "[np.nan, 1.0]", NAN),
        _of_x(name, "[[0.5, -0.25], [3.0, -2.0]]", says=SHAPE, dtype="float32"),
        *[
            _op(f"{name}(Tensor(x))", _random(dtype, x=shape))
            for shape, dtype in [
                ((3, 4), "float64"),
                ((2, 3, 4, 2), "float32"),
                ((40,), "float64"),
                ((0, 3), "float32"),
            ]
        ],
        _op(f"{name}(Tensor(x.T))", _random("float32", x=(5, 6))),
        _of_x(name, "[1, -1]", says=FLOAT, dtype="int64"),
        _of_x(name, "[1.0, -1.0]", says=FLOAT, dtype="float16"),
    ]


def _scales(W, alpha="", says="", dtype="float64"):
    return Case("filter_scales(W)", _array("W", W, dtype), says, f"np.array({alpha}, np.{dtype})" if alpha else "")


def _drawn(W):
    """The judge of several calls draw_signs(W, rng), the last with the first one's seed again."""
    p = np.clip((np.nan_to_num(W.astype(np.float64), nan=-1) + 1) / 2, 0, 1)

    def judge(results):
        found = [r.get("result") for r in results]
        for b in found:
            if not isinstance(b, np.ndarray) or b.dtype != bool or b.shape != W.shape:
                return f"an array, bool {W.shape}", f"{getattr(b, 'dtype', type(b).__name__)} {np.shape(b)}"
            wrong = (b & (p == 0)) | (~b & (p == 1))
            if wrong.any():
                at = tuple(int(i) for i in np.argwhere(wrong)[0])
                return f"{p[at] == 1} at {list(at)}, where W = {plain(float(W[at]))}", str(bool(b[at]))
        if not np.array_equal(found[0], found[-1]):
            return "one result from one seed", "two that differ"
        return _fair(p, np.array(found[:-1]))

    return judge


def _fair(p, drawn):
    """(expected, got) if the elements are True together, or more or less often than p; drawn (calls, ...). By chance, a
    right solution fails less than once in 100,000 times."""
    for chance in np.unique(p[(p > 0) & (p < 1)]):
        b = drawn[:, p == chance].astype(np.float64)
        want, spread = b.size * chance, np.sqrt(b.size * chance * (1 - chance))
        if abs(b.sum() - want) > 5 * spread:
            return f"about {want:.0f} of {b.size} True where the probability is {chance:.3g}", f"{b.sum():.0f}"
        z = (b - chance).sum(1) / np.sqrt(b.shape[1] * chance * (1 - chance))
        if b.shape[1] >= 100 and np.abs(z).max() > 6:
            return "elements drawn each on its own", "elements that are True together"
        if b.shape[1] >= 100 and (b == b[0]).all():
            return "other signs from another seed", "the same"
    return None


def _draws(W, says="", seeds=(0, 1, 2, 3, 4, 5, 0), dtype="float64"):
    setup = W if W.startswith("W") else _array("W", W, dtype)
    space = {"np": np}
    exec(setup, space)
    calls = tuple(f"draw_signs(W, np.random.default_rng({seed}))" for seed in seeds)
    return Case(calls, setup, says, judge=_drawn(space["W"]))


def _binary(W, alpha, n, w="", says="", dtype="float64"):
    return _op(f"binarize(Tensor(W), alpha={alpha}, n={n})", _array("W", W, dtype), y=w, says=says, dtype=dtype)


def _window(x, kernel, stride=(1, 1), padding=(0, 0, 0, 0), K="", says="", dtype="float64"):
    want = f"np.array({K}, np.{dtype})" if K else ""
    return Case(f"input_scale(x, {kernel}, {stride}, {padding})", _array("x", x, dtype), says, want)


def _hinge(x, target, L="", says="", dtype="float64", labels="int64"):
    setup = f"{_array('x', x, dtype)}\n{_array('target', target, labels)}"
    return _op("squared_hinge(Tensor(x), target)", setup, y=L, says=says, dtype=dtype)


def _bases(W, M, scales="", says=""):
    return Case(f"greedy_scales(W, {M})", _array("W", W), says, scales)


def _packed(x, words="", says="", dtype="float64"):
    return Case("pack_signs(x)", _array("x", x, dtype), says, f"np.array({words}, np.uint64)" if words else "")


def _dot(a, b, count, want="", says=""):
    return Case(f"xnor_dot(a, b, {count})", f"{_array('a', a, 'uint64')}\n{_array('b', b, 'uint64')}", says, want)


def _dots(seed, words, count):
    """A random case of xnor_dot, with 0 after the last sign."""
    last = f"np.uint64({2 ** (count - 64 * (words - 1)) - 1})"
    lines = [f"rng = np.random.default_rng({seed})"]
    lines += [f"{name} = rng.integers(0, 2**63, {words}, np.uint64) * np.uint64(2)" for name in "ab"]
    lines += [f"{name}[0] += np.uint64(1)\n{name}[-1] &= {last}" for name in "ab"]
    return Case(f"xnor_dot(a, b, {count})", "\n".join(lines))


def _fold(gamma, beta, mean, var, want="", says="", dtype="float64", eps=0.25):
    arrays = {"gamma": gamma, "beta": beta, "mean": mean, "var": var}
    setup = "\n".join(_array(name, numbers, dtype) for name, numbers in arrays.items())
    if want:
        want = "(np.array({}, np.int64), np.array({}, bool))".format(*want)
    return Case(f"fold_threshold(gamma, beta, mean, var, {eps})", setup, says, want)


CASES = {
    "09.1": [
        _of_x("sign", "[0.5, -0.25, 2.0, -3.0]", "[1.0, -1.0, 1.0, -1.0]"),
        *_signs("sign", ZERO, INSIDE, ENDS),
    ],
    "09.2": [
        _scales("[[1.0, -3.0], [0.0, 2.0]]", "[2.0, 1.0]"),
        _scales("[[-1.0, -1.0, -4.0]]", "[2.0]", MEAN),
        _scales("[[[1.0, -2.0], [3.0, -4.0]], [[0.5, 0.5], [0.5, 0.5]]]", "[2.5, 0.5]", MEAN),
        _scales("[3.0, -4.0]", "[3.0, 4.0]", MEAN),
        _scales("[[0.0, 0.0], [0.0, -5.0]]", "[0.0, 2.5]", MEAN),
        _scales("[[0.5, 0.25], [1.0, -1.5]]", "[0.375, 1.25]", SCALE_DTYPE, "float32"),
        _scales("[[3e38, -3e38, 3e38]]", says=OVERFLOW, dtype="float32"),
        _scales("[[1.0, np.nan], [2.0, 4.0]]", "[np.nan, 3.0]", OVERFLOW),
        Case("filter_scales(W)", "W = np.zeros((3, 0))", NO_WEIGHTS, "np.zeros(3)"),
        Case("filter_scales(W)", "W = np.zeros((2, 0, 3, 3), np.float32)", NO_WEIGHTS, "np.zeros(2, np.float32)"),
        *[
            Case("filter_scales(W)", _random(dtype, W=shape))
            for shape, dtype in [
                ((4, 9), "float64"),
                ((5, 3, 3, 3), "float32"),
                ((1, 50), "float64"),
                ((7,), "float32"),
            ]
        ],
        Case("filter_scales(W.T)", _random("float32", W=(5, 6))),
    ],
    "09.3": [
        Case(
            "draw_signs(W, np.random.default_rng(0))",
            _array("W", "[1.0, 2.5, -1.0, -9.0]"),
            SURE,
            "np.array([True, True, False, False])",
        ),
        _draws("W = np.tile([-0.8, -0.3, 0.4], (20, 50))", SIGMA),
        _draws("W = np.full((20, 50), 0.0)", SIGMA),
        _draws("[np.nan, 3.0, np.inf, -np.inf]", NEVER),
        _draws("W = np.repeat(np.linspace(-1.2, 1.2, 9, dtype=np.float32), 400).reshape(9, 20, 20)", EACH),
        _draws("W = np.full((300, 10), 0.2).T", EACH),
        _draws("W = np.zeros((0, 4), np.float32)"),
    ],
    "09.4": [
        _of_x("approx_sign", "[0.5, -0.25, 2.0, -3.0]", "[1.0, -1.0, 1.0, -1.0]"),
        *_signs("approx_sign", TIE, SLOPE, SLOPE),
    ],
    "09.5": [
        _binary("[0.5, -2.0, -0.25, 1.25]", 1.0, "np.inf", "[1.0, -1.0, -1.0, 1.0]"),
        _binary("[0.5, -1.5, 3.0, -0.5]", 1.375, 4, "[1.375, -1.375, 1.375, -1.375]", STE),
        _binary("[0.0, -0.0, 1.0]", 0.5, 3, "[0.5, 0.5, 0.5]", WEIGHT_ZERO),
        _binary("[1.0, -1.0, 1.001]", 2.0, 3, "[2.0, -2.0, 2.0]", STE),
        _binary("[0.5, -9.0]", 0.25, "np.inf", "[0.25, -0.25]", CONSTANT),
        _op(
            "binarize(Tensor(W), alpha=alpha, n=n)",
            _array("W", "[[0.5, -1.5], [0.25, 0.75]]"),
            "alpha, n = np.array([[1.0], [0.5]]), np.array([[2.0], [np.inf]])",
            y="[[1.0, -1.0], [0.5, 0.5]]",
            says=ALPHA,
        ),
        _binary("[np.nan, 0.5]", 2.0, 2, "[np.nan, 2.0]", WEIGHT_NAN),
        _binary("[[0.5, -1.25], [3.0, -0.5]]", 0.3, 4, says=WEIGHT_SHAPE, dtype="float32"),
        *[
            _op(f"binarize(Tensor(W), alpha=alpha, n={n})", _random(dtype, W=shape), f"alpha = {alpha}")
            for n, shape, alpha, dtype in [
                (12, (3, 4), "0.8", "float64"),
                (18, (4, 2, 3, 3), "np.abs(W).mean((1, 2, 3), keepdims=True)", "float32"),
                ("np.inf", (5, 6), "1.0", "float32"),
                (6, (5, 6), "np.abs(W).mean(1, keepdims=True)", "float64"),
            ]
        ],
        _op("binarize(Tensor(W.T), alpha=0.7, n=30)", _random("float64", W=(5, 6))),
    ],
    "09.6": [
        _hinge("[[0.5, -2.0, 0.25]]", "[0]", "1.8125"),
        _hinge("[[3.0, 0.0], [0.0, 3.0]]", "[0, 1]", "1.0", HINGE),
        _hinge("[[0.5, 0.0], [0.0, 0.0]]", "[1, 0]", says=ONE_AGAINST_REST),
        _hinge("[[1.0, -1.0, 0.0]]", "[2]", "5.0", HINGE_SLOPE),
        _hinge("[[4.0, -3.0, -9.0]]", "[0]", "0.0", HINGE_SLOPE),
        _hinge("[[0.5, -0.25], [1.5, 0.1], [0.0, 0.0]]", "[1, 0, 0]", says=HINGE_DTYPE, dtype="float32"),
        _hinge("[[0.5, -0.25]]", "[1]", says="integer labels from 0 to K - 1", labels="uint8"),
        *[
            _op(
                "squared_hinge(Tensor(x), target)",
                _random(dtype, x=shape),
                f"target = rng.integers(0, {shape[1]}, {shape[0]})",
            )
            for shape, dtype in [((4, 3), "float64"), ((20, 10), "float32"), ((1, 1), "float64"), ((7, 2), "float64")]
        ],
        _hinge("[[1, 2]]", "[0]", says=HINGE_TYPES, dtype="int64"),
        _hinge("[[1.0, 2.0]]", "[0.0]", says=HINGE_TYPES, labels="float64"),
        _hinge("[[1.0, 2.0]]", "[2]", says=HINGE_TYPES),
        _hinge("[[1.0, 2.0]]", "[-1]", says=HINGE_TYPES),
        _hinge("[[1.0, 2.0]]", "[0, 1]", says=HINGE_TYPES),
        _hinge("[1.0, 2.0]", "[0, 1]", says=HINGE_TYPES),
        _op("squared_hinge(Tensor(x), target)", "x, target = np.zeros((0, 3)), np.zeros(0, np.int64)", says=HINGE_N),
    ],
    "09.7": [
        _bases("[4.0, -2.0, 3.0, 3.0]", 2, "[3.0, 0.5]"),
        _bases("[-5.0, 1.0, 1.0, -1.0]", 3, "[2.0, 1.5, 0.75]", LEFT),
        _bases("[1.0, -1.0]", 3, "[1.0, 0.0, 0.0]", LEFT),
        _bases("[[4.0, 0.0], [-2.0, 2.0]]", 1, "[2.0]", LEFT),
        _bases("[0.0, 0.0, 3.0]", 2, "[1.0, 1.3333333333333333]", SIGN_0),
        _bases("[]", 2, "[0.0, 0.0]", EMPTY),
        *[
            Case(f"greedy_scales(W, {M})", _random("float64", W=shape))
            for M, shape in [(1, (7,)), (2, (4, 5)), (3, (50,)), (5, (3, 2, 3, 3))]
        ],
        Case("greedy_scales(W[::2], 3)", _random("float64", W=(9, 4))),
    ],
    "09.8": [
        _packed("[[1.0, -2.0, 0.5, 3.0]]", "[[13]]"),
        _packed("[0.0, -0.0, np.nan, -1.0]", "[3]", BIT_0),
        _packed("[[-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]]", "[[2], [1], [0]]", BIT),
        _packed("[np.inf, -np.inf, 1e-300]", "[5]", BIT_0),
        Case("pack_signs(x)", "x = np.ones(64)", BIT, "np.array([2**64 - 1], np.uint64)"),
        Case("pack_signs(x)", "x = np.ones((1, 65))", AFTER, "np.array([[2**64 - 1, 1]], np.uint64)"),
        Case("pack_signs(x)", "x = np.where(np.arange(70) == 66, 1.0, -1.0)", BIT, "np.array([0, 4], np.uint64)"),
        _packed("[[1, -1, 0]]", "[[5]]", INTEGERS, "int8"),
        Case("pack_signs(x)", "x = np.zeros((3, 0))", NO_WORDS, "np.zeros((3, 0), np.uint64)"),
        *[
            Case("pack_signs(x)", _random(dtype, x=shape))
            for shape, dtype in [
                ((3, 5), "float64"),
                ((2, 3, 130), "float32"),
                ((2, 2, 2, 128), "float32"),
                ((0, 9), "float64"),
            ]
        ],
        Case("pack_signs(x.T)", _random("float32", x=(100, 3))),
    ],
    "09.9": [
        _dot("[0b1101]", "[0b1001]", 4, "2"),
        _dot("[0b1111]", "[0b0000]", 4, "-4", DOT),
        _dot("[0b1010]", "[0b1010]", 4, "4", DOT),
        _dot("[5]", "[1]", 3, "1", TAIL),
        _dot("[2**64 - 1, 0]", "[0, 0]", 70, "-58", DOT),
        _dot("[2**63]", "[0]", 64, "62", DOT),
        _dot("[]", "[]", 0, "0"),
        *[_dots(seed, words, count) for seed, words, count in [(0, 1, 50), (1, 3, 192), (2, 20, 1217), (3, 2, 65)]],
    ],
    "09.10": [
        _window("[[[[1.0, -2.0], [3.0, 4.0]], [[3.0, 0.0], [-1.0, -2.0]]]]", "(2, 2)", K="[[[[2.0]]]]"),
        _window("[[[[1.0, -3.0]], [[-2.0, 0.0]], [[0.0, 3.0]]]]", "(1, 1)", K="[[[[1.0, 2.0]]]]", says=CHANNELS),
        _window("[[[[1.0, -3.0, 5.0]]]]", "(1, 2)", K="[[[[2.0, 4.0]]]]", says=BOX),
        _window("[[[[2.0], [-4.0], [6.0], [8.0]]]]", "(2, 1)", (2, 1), K="[[[[3.0], [7.0]]]]", says=PAIR),
        _window("[[[[2.0, -4.0], [6.0, 8.0]]]]", "(2, 2)", (2, 2), (1,) * 4, "[[[[0.5, 1.0], [1.5, 2.0]]]]", PADDING),
        _window("[[[[4.0, -8.0]]]]", "(1, 2)", (1, 1), (0, 0, 1, 0), "[[[[2.0, 6.0]]]]", SIDES),
        _window("[[[[0.5, -1.0], [1.5, 2.0]]]]", "(2, 2)", K="[[[[1.25]]]]", says=SCALE_OF_X, dtype="float32"),
        *[
            Case(f"input_scale(x, {kernel}, {stride}, {padding})", _random(dtype, x=shape))
            for kernel, stride, padding, shape, dtype in [
                ((3, 3), (1, 1), (1, 1, 1, 1), (2, 3, 5, 6), "float64"),
                ((3, 2), (2, 1), (1, 2, 0, 1), (1, 2, 7, 5), "float32"),
                ((5, 5), (1, 1), (0, 0, 0, 0), (2, 4, 9, 8), "float32"),
                ((2, 3), (3, 2), (0, 1, 2, 0), (3, 1, 6, 6), "float64"),
            ]
        ],
        Case("input_scale(x[:, ::2], (2, 2), (1, 1), (0, 0, 0, 0))", _random("float64", x=(2, 4, 3, 3))),
        Case("input_scale(x, (2, 2), (1, 1), (0, 0, 0, 0))", "x = np.zeros((0, 2, 3, 3), np.float32)"),
    ],
    "09.11": [
        _fold("[2.0, -2.0]", "[1.0, 1.0]", "[3.0, 3.0]", "[0.75, 0.75]", ("[3, 4]", "[False, True]")),
        _fold("[1.0]", "[0.0]", "[3.0]", "[0.75]", ("[3]", "[False]"), RISES),
        _fold("[-1.0]", "[0.0]", "[3.0]", "[0.75]", ("[4]", "[True]"), FALLS),
        _fold("[0.5, -0.5]", "[2.0, 2.0]", "[1.0, 1.0]", "[3.75, 3.75]", ("[-7, 10]", "[False, True]"), WHERE),
        _fold("[4.0, -4.0]", "[-1.0, -1.0]", "[-2.5, -2.5]", "[0.75, 0.75]", ("[-2, -2]", "[False, True]"), WHERE),
        _fold("[0.0, 0.0]", "[0.5, -0.5]", "[3.0, 3.0]", "[0.75, 0.75]", ("[-(2**31)] * 2", "[False, True]"), FLAT),
        _fold("[0.0, -0.0]", "[0.0, -0.0]", "[3.0, 3.0]", "[0.75, 0.75]", ("[-(2**31)] * 2", "[False, False]"), FLAT),
        _fold(
            "[1e-30, 1e-30, -1e-30]",
            "[-1.0, 1.0, 1.0]",
            "[0.0, 0.0, 0.0]",
            "[0.75, 0.75, 0.75]",
            ("[2**31 - 1, -(2**31), 2**31 - 1]", "[False, False, True]"),
            CLIPPED,
        ),
        _fold("[1.0]", "[1.0]", "[0.0]", "[0.0]", ("[0]", "[False]"), WHERE),
        *[
            Case(
                f"fold_threshold(gamma, beta, mean, var, {eps})",
                f"{_random(dtype, gamma=(c,), beta=(c,), mean=(c,), var=(c,))}\nmean, var = {spread} * mean, var**2",
                IN_FLOAT64 if dtype == "float32" else "",
            )
            for c, spread, eps, dtype in [
                (6, 5, 1e-5, "float64"),
                (40, 1000, 1e-5, "float32"),
                (50, 30, 0.1, "float64"),
            ]
        ],
        _fold("[]", "[]", "[]", "[]", ("[]", "[]")),
    ],
}
