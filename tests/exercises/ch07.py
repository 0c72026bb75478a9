"""What the exercises of chapter 07, Quantization Networks, are graded on (see lightnn/study/exercises/cases.py)."""

from lightnn.study.exercises.cases import Case

TENSOR = "from lightnn.tensor import Tensor"
SEVEN = "(-4, -2, -1, 0, 1, 2, 4)"
B_SEVEN = "[-3.0, -1.5, -0.05, 0.05, 1.5, 3.0]"
BOUNDARY = "At a boundary, beta x = b_i, the step is not taken"
FLAT = "their gradients are 0, in their shapes"
CLIPPED = "alpha is clipped to LEAST_SCALE .. MOST_SCALE and beta to LEAST_SCALE .. MOST_BETA before they are used"
DTYPES = "TypeError unless all arrays are float32 or float64, all the same"
SHAPES_3 = "ValueError for other shapes or another Y"
SHAPES_6 = "ValueError for other shapes, another Y or another T"
TAILS = "Nothing overflows, however large T is"
SHAPE = "in x's shape and dtype"
LOWEST = "o = -Y_1"
EMPTY = "Where w is empty or all 0, q is taken to be p"
HELD_4 = "else q is held between 2^-100 and 2^100"
ANY_DTYPE = "it has any shape and any float dtype, and float64 is computed with"
MIDDLE = "With 0 in Y, the step below 0 stands at -0.05 and the one above it at 0.05"
NEARER = "the other steps on their side are moved there if they would stand nearer to 0"
NO_ZERO = "Without 0 in Y, the step from the last negative to the first positive level stands at 0"
ONE_SIDE = "If there are negative and positive levels, the steps beside 0 are not left to v"
LEVELS_5 = "ValueError unless Y is 2 to 256 ints, ascending"


def _steps(Y, want="", says=""):
    return Case(f"step_heights({Y})", says=says, want=want)


def _given(x, alpha, beta, b, dtype="float64"):
    arrays = {"x": x, "alpha": f"[{alpha}]", "beta": f"[{beta}]", "b": b}
    return "\n".join([TENSOR, *(f"{name} = Tensor(np.array({a}, np.{dtype}))" for name, a in arrays.items())])


def _hard(x, Y, b, y="", says="", alpha=1.0, beta=1.0, dtype="float64"):
    want = f"Tensor(np.array({y}, np.{dtype}))" if y else ""
    return Case(f"hard_quantize(x, alpha, beta, b, Y={Y})", _given(x, alpha, beta, b, dtype), says, want)


def _soft(x, Y, b, T, y="", says="", alpha=1.0, beta=1.0, dtype="float64"):
    want = f"Tensor(np.array({y}, np.{dtype}))" if y else ""
    return Case(f"soft_quantize(x, alpha, beta, b, Y={Y}, T={T})", _given(x, alpha, beta, b, dtype), says, want)


def _drawn(shape, b, alpha, beta, dtype, seed=3):
    return "\n".join(
        [
            TENSOR,
            f"rng = np.random.default_rng({seed})",
            f"x = Tensor((2 * rng.standard_normal({shape})).astype(np.{dtype}))",
            f"alpha, beta, b = (Tensor(np.array(a, np.{dtype})) for a in ([{alpha}], [{beta}], {b}))",
        ]
    )


def _scales(w, Y, want="", says=""):
    return Case(f"first_scales(w, {Y})", f"w = np.array({w})", says, want)


def _biases(v, Y, want="", says=""):
    return Case(f"kmeans_biases(v, {Y})", f"v = np.array({v})", says, want and f"np.array({want})")


WRONG_LEVELS = ("(1, 0)", "(0, 0)", "(1,)", "(0, 0.5)")
NETS = [((3, 4), 0.8, 1.1, "float64"), ((2, 3, 4, 2), 0.3, 2.5, "float32"), ((60,), 2.0, 0.4, "float64")]

CASES = {
    "07.1": [
        _steps(SEVEN, "(np.array([2.0, 1.0, 1.0, 1.0, 1.0, 2.0]), 4.0)"),
        _steps("(-1, 1)", "(np.array([2.0]), 1.0)"),
        _steps("(0, 1, 2, 3)", "(np.array([1.0, 1.0, 1.0]), 1.5)"),
        _steps("(-1, 0, 4)", "(np.array([1.0, 4.0]), 2.5)"),
        _steps("[-2, -1, 0, 1, 2]"),
        _steps("(-8, -1, 7, 30)"),
    ],
    "07.2": [
        Case("rising_temperature(3, 10)", want="30"),
        Case("rising_temperature(1, 5)", want="5"),
        Case("rising_temperature(0, 5)", says="For epoch 0 and below T is `step`", want="5"),
        Case("rising_temperature(-2, 40)", says="For epoch 0 and below T is `step`", want="40"),
        Case("rising_temperature(55, 10.0)", want="550.0"),
        Case("rising_temperature(2, 2.5)"),
    ],
    "07.3": [
        _hard("[-2.0, -0.5, 0.5, 2.0]", "(-2, 0, 2)", "[-1.0, 1.0]", "[-2.0, 0.0, 0.0, 2.0]"),
        _hard("[-9.0, -2.0, 0.0, 0.1, 9.0]", SEVEN, B_SEVEN, "[-4.0, -2.0, 0.0, 1.0, 4.0]"),
        _hard("[0.0, 1.0, -1.0]", "(-1, 1)", "[0.0]", "[-1.0, 1.0, -1.0]", BOUNDARY),
        _hard("[-1.0, 1.0]", "(-1, 0, 1)", "[-1.0, 1.0]", "[-1.0, 0.0]", BOUNDARY),
        _hard("[1.0, 3.0]", "(0, 1, 2)", "[1.5, 2.5]", "[0.5, 1.0]", alpha=0.5, beta=2.0),
        _hard("[0.0, 1.0, 2.0]", "(0, 1)", "[1.5]", "[0.0, 0.0, 1.0]", LOWEST),
        _hard("[0.3, 0.7]", "(-2, 3)", "[0.5]", "[-2.0, 3.0]", FLAT),
        _hard("[np.nan, np.inf, -np.inf]", "(-1, 0, 1)", "[-1.0, 1.0]", "[np.nan, 1.0, -1.0]", "NaN stays NaN"),
        _hard("[1.0, -1.0]", "(-1, 1)", "[0.0]", "[LEAST_SCALE, -LEAST_SCALE]", CLIPPED, alpha=-3.0),
        _hard("[1.0, -1.0]", "(-1, 1)", "[0.0]", "[1.0, -1.0]", CLIPPED, beta=-3.0),
        _hard("[1.0, -1.0]", "(-1, 1)", "[0.0]", says=CLIPPED, alpha=1e36),
        _hard("[2e-38, 5e-39]", "(-1, 1)", "[1.0]", "[1.0, -1.0]", CLIPPED, beta=1e40),
        _hard("[[0.5, 1.0], [-2.0, 0.2]]", SEVEN, B_SEVEN, says=SHAPE, alpha=0.3, beta=1.7, dtype="float32"),
        *[
            Case(f"hard_quantize(x, alpha, beta, b, Y={SEVEN})", _drawn(shape, B_SEVEN, alpha, beta, dtype))
            for shape, alpha, beta, dtype in NETS
        ],
        *[_hard("[1.0]", Y, "[0.0]", says=SHAPES_3) for Y in WRONG_LEVELS],
        _hard("[1.0]", "(-1, 1)", "[0.0, 1.0]", says=SHAPES_3),
        _hard("[1.0]", "(-1, 1)", "[0.0]", says=SHAPES_3, alpha="1.0, 2.0"),
        _hard("[1]", "(-1, 1)", "[0]", says=DTYPES, dtype="int64"),
        Case(
            "hard_quantize(x, alpha, beta, b, Y=(-1, 1))",
            f"{_given('[1.0]', 1.0, 1.0, '[0.0]')}\nb = Tensor(np.zeros(1, np.float32))",
            DTYPES,
        ),
    ],
    "07.4": [
        _scales("[0.2, -0.5]", SEVEN, "(10.0, 0.1)"),
        _scales("[[1.0, 2.5]]", "(-1, 0, 1)", "(0.5, 2.0)"),
        _scales("[0.5, 0.25]", "(0, 1, 2)", "(5.0, 0.2)"),
        _scales("[0.5, 0.25]", "(-4, 0, 1)", "(10.0, 0.1)"),
        _scales("[0.0, 0.0]", "(-2, 2)", "(1.25, 0.8)", EMPTY),
        _scales("[]", "(-2, 2)", "(1.25, 0.8)", EMPTY),
        _scales("[1e-40, 0.0]", "(-1, 1)", "(1.25 * 2.0**100, 0.8 * 2.0**-100)", HELD_4),
        _scales("[1e300, 0.0]", "(-1, 1)", "(1.25 * 2.0**-100, 0.8 * 2.0**100)", HELD_4),
        _scales("[60000, 0.0], np.float16", SEVEN, "(5 / 60000, 12000.0)", ANY_DTYPE),
        Case(f"first_scales(w, {SEVEN})", "w = np.random.default_rng(1).standard_normal((4, 5)).astype(np.float32)"),
        Case("first_scales(w, (-1, 1))", "w = np.random.default_rng(2).standard_normal(30)"),
    ],
    "07.5": [
        _biases("[0.0, 1.0, 2.0]", "(0, 1, 2)", "[0.5, 1.5]"),
        _biases("[-4.0, -2.0, 0.0, 2.0, 4.0]", "(-2, -1, 0, 1, 2)", "[-3.0, -0.05, 0.05, 3.0]", MIDDLE),
        _biases("[-1.0, 0.5, 9.0]", "(-1, 0, 1)", "[-0.05, 0.05]", MIDDLE),
        _biases("[-1.0, 0.5, 9.0, 3.0]", "(-1, 1)", "[0.0]", NO_ZERO),
        _biases("[-4.0, -2.0, 1.0, 2.0, 4.0]", "(-3, -2, -1, 1, 2)", "[-3.0, -0.5, 0.0, 3.0]", NO_ZERO),
        _biases("[-9.0, -7.0, -5.0, -3.0]", "(-1, 1, 2, 3)", "[0.0, 0.0, 0.0]", "others are moved to 0"),
        _biases("[-0.04, -0.02, 0.0, 0.02, 0.04]", "(-2, -1, 0, 1, 2)", "[-0.05, -0.05, 0.05, 0.05]", NEARER),
        _biases("[3.0, 5.0, 7.0, 9.0, 11.0]", "(-2, -1, 0, 1, 2)", "[-0.05, -0.05, 0.05, 10.0]", NEARER),
        _biases("[1.0, 3.0, 7.0]", "(-3, -2, 0)", "[2.0, 5.0]", ONE_SIDE),
        _biases("[1.0, 3.0, 7.0]", "(-3, -2, -1)", "[2.0, 5.0]", ONE_SIDE),
        _biases("[1.0, 3.0, 7.0]", "(1, 2, 5)", "[2.0, 5.0]", ONE_SIDE),
        *[
            Case(f"kmeans_biases(v, {Y})", f"v = {scale} * np.random.default_rng({seed}).standard_normal({shape})")
            for seed, (Y, scale, shape) in enumerate(
                [
                    (SEVEN, 1.5, (300,)),
                    (SEVEN, 0.03, (20, 5)),
                    ("(0, 1, 2, 3)", 1.0, (50,)),
                    ("(-3, -1, 1, 3)", 1.0, (4, 3, 5)),
                    ("[-2, -1, 0, 1, 2]", 1.0, (90,)),
                    ("(-1, 0, 1, 2, 3, 4)", 2.0, (80,)),
                ]
            )
        ],
        *[_biases("[1.0, 2.0]", Y, says=LEVELS_5) for Y in WRONG_LEVELS],
    ],
    "07.6": [
        _soft("[0.0, 0.5]", "(-1, 1)", "[0.0]", 2, "[0.0, (np.e - 1) / (np.e + 1)]"),
        _soft("[-9.0, 0.0, 9.0]", "(-1, 0, 1)", "[-1.0, 1.0]", 200, "[-1.0, 0.0, 1.0]"),
        _soft("[1.0]", "(0, 1)", "[1.0]", 5, "[0.5]", LOWEST),
        _soft("[0.25]", "(-1, 1)", "[0.5]", 7, "[0.0]", alpha=3.0, beta=2.0),
        _soft("[0.3, -0.2]", "(-2, 0, 2)", "[-0.5, 0.5]", 3.0, alpha=0.5, beta=2.0),
        _soft("[0.3, -0.2, 1.4]", SEVEN, B_SEVEN, 4.0, alpha=0.7, beta=1.3),
        _soft("[-3.0, 0.01, 9.0]", "(-1, 1)", "[0.0]", 2e5, says=TAILS),
        _soft("[-3.0, 0.0, 9.0]", "(-1, 1)", "[0.0]", 1e33, "[-1.0, 0.0, 1.0]", TAILS, dtype="float32"),
        _soft("[1.0, -1.0]", "(-1, 1)", "[0.0]", 2.0, says=CLIPPED, alpha=-3.0),
        _soft("[1.0, -1.0]", "(-1, 1)", "[0.5]", 2.0, says=CLIPPED, beta=-3.0),
        _soft("[1.0, -1.0]", "(-1, 1)", "[0.0]", 2.0, says=CLIPPED, alpha=1e36),
        _soft("[2e-38, 5e-39]", "(-1, 1)", "[1.0]", 2.0, says=CLIPPED, beta=1e40),
        _soft("[[0.5, 1.0], [-2.0, 0.2]]", SEVEN, B_SEVEN, 5, says=SHAPE, alpha=0.3, beta=1.7, dtype="float32"),
        *[
            Case(f"soft_quantize(x, alpha, beta, b, Y={Y}, T={T})", _drawn(shape, b, alpha, beta, dtype, seed))
            for seed, (Y, b, T) in enumerate([(SEVEN, B_SEVEN, 3.0), ("(0, 1, 2)", "[0.4, 1.3]", 10)])
            for shape, alpha, beta, dtype in NETS
        ],
        *[_soft("[1.0]", "(-1, 1)", "[0.0]", T, says=SHAPES_6) for T in ("0", "-1.0", "np.inf", "1e40")],
        *[_soft("[1.0]", Y, "[0.0]", 1.0, says=SHAPES_6) for Y in WRONG_LEVELS],
        _soft("[1.0]", "(-1, 1)", "[0.0, 1.0]", 1.0, says=SHAPES_6),
        _soft("[1.0]", "(-1, 1)", "[0.0]", 1.0, says=SHAPES_6, beta="1.0, 2.0"),
        _soft("[1]", "(-1, 1)", "[0]", 1.0, says=DTYPES, dtype="int64"),
        Case(
            "soft_quantize(x, alpha, beta, b, Y=(-1, 1), T=1.0)",
            f"{_given('[1.0]', 1.0, 1.0, '[0.0]')}\nalpha = Tensor(np.ones(1, np.float32))",
            DTYPES,
        ),
    ],
}
