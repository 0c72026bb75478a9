"""What the exercises of chapter 13, compound scaling, are graded on (see lightnn/study/exercises/cases.py)."""

from lightnn.study.exercises.cases import Case

ABOVE_0 = "ValueError unless d, w and r are finite numbers > 0"
FLOATS = "(d, w, r), three floats"
REFUSED = "ValueError\n    unless it is, and alpha, beta and gamma are finite numbers from 1 to 100"
NEAREST = "the larger one of two that are equally near"
LEAST = "and at least `divisor`"
NEXT = "but the next larger multiple if this one is below 0.9 c"
DTYPE = "in the dtype of x"
EACH_IMAGE = "that the means of all channels of the image decide"
ONE_PIXEL = "of at least one pixel"
KEPT = "y[n] = x[n] + branch[n] / (1 - p) where drawn[n] >= p"
ENDS = "with 0 every branch is kept, with 1 none, as drawn < 1"
SHAPE = "in the shape and dtype of x"
FIRST = "Of equal outputs the first is the largest one"
FEWER = "if fewer than k of these are larger than that of the class"
SIZE = "outputs before the softmax, of any size"
ZERO = "in which p_j may become 0: then its term is 0"
WRONG_SHAPE = "ValueError unless both have the same shape (N, C), N > 0, and k is an int from 1 to C"
DTYPES = ("float64", "float32")


def _random(dtype, **shapes):
    lines = [f"{name} = rng.standard_normal({shape}).astype(np.{dtype})" for name, shape in shapes.items()]
    return "\n".join(["rng = np.random.default_rng(3)", *lines])


def _gate(setup, **more):
    return Case("squeeze_excitation(x, w1, b1, w2, b2)", setup, **more)


def _weights(dtype="float64", n=2, c=3, s=2, h=2, w=3):
    return _random(dtype, x=(n, c, h, w), w1=(s, c), b1=s, w2=(c, s), b2=c)


def _block(drawn, p, setup="x, branch = np.array([[10.0], [20.0]]), np.array([[1.0], [2.0]])", **more):
    return Case(f"residual_with_stochastic_depth(x, branch, np.array({drawn}), {p})", setup, **more)


def _agree(floats, others, k="", **more):
    call = f"agreement(floats, others{f', {k}' if k else ''})"
    return Case(call, f"floats = np.array({floats})\nothers = np.array({others})", **more)


def _logs(setup, **more):
    return Case("agreement(floats, others, 1)", setup.replace("LOG", "[0.0, np.log(3)]"), **more)  # (1/4, 3/4)


CASES = {
    "13.1": [
        Case("macs_factor(3, 1, 1)", want="3.0"),
        Case("macs_factor(1, 3, 1)", want="9.0"),
        Case("macs_factor(1, 1, 3)", want="9.0"),
        Case("macs_factor(2, 3, 5)", want="450.0", says="a float"),
        Case("macs_factor(0.5, 0.5, 0.5)", want="0.03125"),
        Case("macs_factor(1.2, 1.1, 1.15)", want="1.92027"),  # 1.2 * 1.21 * 1.3225
        *[Case(f"macs_factor({a})", says=ABOVE_0) for a in ("0, 1, 1", "1, -1, 1", "1, 1, 0", "1, 1, np.inf")],
        *[Case(f"macs_factor({a})", says=ABOVE_0) for a in ("-1, 1, 1", "1, 0, 1", "1, 1, -2", "np.nan, 1, 1")],
        Case("macs_factor(d=1.4, w=1.2, r=300 / 224)"),
        Case("macs_factor(3.1, 2.0, 600 / 224)"),
    ],
    "13.2": [
        Case("compound_scale(1)", want="(1.2, 1.1, 1.15)"),
        Case("compound_scale(0)", want="(1.0, 1.0, 1.0)", says=FLOATS),
        Case("compound_scale(2, 2, 3, 5)", want="(4.0, 9.0, 25.0)", says=FLOATS),
        Case("compound_scale(0, 2, 3, 5)", want="(1.0, 1.0, 1.0)", says=FLOATS),
        Case("compound_scale(-1, 2.0, 4.0, 5.0)", want="(0.5, 0.25, 0.2)", says="and a negative one a smaller network"),
        Case("compound_scale(0.5, 4.0, 9.0, 16.0)", want="(2.0, 3.0, 4.0)", says="any finite number"),
        *[Case(f"compound_scale({phi})") for phi in (2, 3, 0.7, 6, -2)],
        Case("compound_scale(3, gamma=1.3)"),
        Case("compound_scale(3, beta=1, alpha=2.0)"),
        *[
            Case(f"compound_scale({a})", says=REFUSED)
            for a in ("np.inf", "np.nan", "1, 0.9", "1, 1.2, 0.5", "1, 1.2, 1.1, 0.99", "1, np.inf", "2, -1.2")
        ],
    ],
    "13.3": [
        Case("round_filters(32, 1.1)", want="32"),  # 35.2
        Case("round_filters(44, 0.75)", want="32"),
        Case("round_filters(36)", want="40", says=NEAREST),
        Case("round_filters(16, 0.75)", want="16", says=NEAREST),  # 12
        Case("round_filters(44)", want="48", says=NEAREST),
        Case("round_filters(52)", want="56", says=NEAREST),
        Case("round_filters(68)", want="72", says=NEAREST),
        Case("round_filters(16, 1.15)", want="24", says=NEXT),  # 18.4: 16 is below 16.56
        Case("round_filters(8, 1.4)", want="16", says=NEXT),  # 11.2: 8 is below 10.08
        Case("round_filters(10)", want="16", says=NEXT),  # 8 is below 9
        Case("round_filters(16, 0.1)", want="8", says=LEAST),
        Case("round_filters(1)", want="8", says=LEAST),
        Case("round_filters(320, 1.1)", want="352"),
        Case("round_filters(10, 1.0, 4)", want="12", says=NEAREST),
        Case("round_filters(7, 1.0, 5)", want="10", says=NEXT),  # 5 is below 6.3
        Case("round_filters(27.5, 1.0, 5)", want="30", says=NEAREST),
        Case("round_filters(10, 1.0, 9)", want="9", says=NEXT),  # 9 is not below 9
        Case("round_filters(2, 1.0, 5)", want="5", says=LEAST),
        Case("round_filters(13, 1.0, 1)", want="13"),
        Case("round_filters(13.4, 1.0, 1)", want="13"),
        *[Case(f"round_filters({c}, {w})") for c in (16, 24, 40, 112, 192, 1280) for w in (0.35, 1.2, 1.4, 1.6, 2.0)],
        *[Case(f"round_filters({c}, 0.9, 16)") for c in (8, 24, 40, 80, 112)],
        Case("round_filters(19.9)"),
        Case("round_filters(17.7)"),
        Case("round_filters(80, divisor=32, width_mult=1.1)"),
    ],
    "13.4": [
        _gate(
            "x = np.array([[[[1.0, 3.0, 5.0]]]])\n"
            "w1, b1, w2, b2 = np.ones((1, 1)), -3 * np.ones(1), np.ones((1, 1)), np.zeros(1)",
            want="np.array([[[[0.5, 1.5, 2.5]]]])",
        ),
        _gate(
            "x = np.array([[[[2.0]], [[4.0]]]])\nw1, b1 = np.zeros((1, 2)), np.zeros(1)\n"
            "w2, b2 = np.zeros((2, 1)), np.array([0.0, np.log(3)])",
            want="np.array([[[[1.0]], [[3.0]]]])",
            says="y[n, c, i, j] = g[n, c] x[n, c, i, j]",
        ),
        _gate(
            "x = np.array([[[[2.0, 4.0]]]])\nw1, b1 = np.zeros((1, 1)), np.ones(1)\n"
            "w2, b2 = np.full((1, 1), np.log(3) * (1 + np.exp(-1))), np.zeros(1)",
            want="np.array([[[[1.5, 3.0]]]])",
            says="silu(t) = t sigmoid(t)",
        ),
        _gate(
            "x = np.array([1.0, 2.0]).reshape(2, 1, 1, 1)\n"
            "w1, b1, w2, b2 = np.ones((1, 1)), np.zeros(1), np.ones((1, 1)), np.zeros(1)",
            says=EACH_IMAGE,
        ),
        *[_gate(_weights(dtype, 1, 1, 1, 1, 1), says=ONE_PIXEL) for dtype in DTYPES],
        *[_gate(_weights(dtype), says=DTYPE) for dtype in DTYPES],
        *[_gate(_weights(dtype, 3, 8, 2, 5, 4)) for dtype in DTYPES],
        *[_gate(_weights(dtype, 2, 2, 6, 3, 3)) for dtype in DTYPES],
        Case("squeeze_excitation(x[:, :, ::-1], w1, b1, w2, b2)", _weights("float64", 2, 4, 3, 3, 3)),
    ],
    "13.5": [
        _block([0.7, 0.1], 0.5, want="np.array([[12.0], [20.0]])"),
        _block([0.1, 0.7], 0.75, want="np.array([[10.0], [20.0]])", says=KEPT),
        _block([0.75, 0.8], 0.75, want="np.array([[14.0], [28.0]])", says=KEPT),
        _block([0.5, 0.25], 0.5, want="np.array([[12.0], [20.0]])", says=KEPT),
        _block([0.0, 0.9], 0, want="np.array([[11.0], [22.0]])", says=ENDS),
        _block([0.0, 0.999], 1, want="np.array([[10.0], [20.0]])", says=ENDS),
        _block([0.0, 0.999], 0.0, want="np.array([[11.0], [22.0]])", says=ENDS),
        _block([0.6, 0.2], 1.0, want="np.array([[10.0], [20.0]])", says=ENDS),
        *[
            _block([0.9, 0.1, 0.6], p, _random(dtype, x=shape, branch=shape), says=SHAPE)
            for dtype in DTYPES
            for shape in ((3,), (3, 2), (3, 2, 4, 5))
            for p in (0.2, 0.5)
        ],
        _block([], 0.5, "x = branch = np.zeros((0, 2))"),
        _block([0.3, 0.9], 0.3, _random("float64", x=(2, 3, 2, 2), branch=(2, 3, 2, 2))),
    ],
    "13.6": [
        _logs("floats = np.array([LOG])\nothers = np.array([LOG])", want="(1.0, 1.0, 0.0)"),
        _logs(
            "floats = np.array([LOG])\nothers = np.array([LOG[::-1]])",
            want="(0.0, 0.0, float(0.5 * np.log(3)))",
            says="sum_j p_j (log p_j - log q_j)",
        ),
        _logs(
            "floats = np.zeros((1, 2))\nothers = np.array([LOG])",
            want="(0.0, 0.0, float(0.5 * np.log(2) + 0.5 * np.log(2 / 3)))",
            says=FIRST,
        ),
        _logs(
            "floats = np.array([LOG])\nothers = np.zeros((1, 2))",
            want="(0.0, 1.0, float(0.25 * np.log(0.5) + 0.75 * np.log(1.5)))",
            says=FEWER,
        ),
        _agree(
            [[3.0, 2.0, 1.0], [3.0, 2.0, 1.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0]],
            [[3.0, 2.0, 1.0], [2.0, 3.0, 1.0], [3.0, 2.0, 1.0], [2.0, 1.0, 3.0]],
            2,
            says="fraction whose float class is among the other's k largest",
        ),
        _agree([[5.0, 5.0, 1.0]], [[5.0, 6.0, 1.0]], 1, says=FIRST),
        _agree([[5.0, 5.0, 1.0]], [[5.0, 6.0, 5.0]], 2, says=FEWER),
        _agree([[1.0, 2.0, 3.0, 4.0]], [[4.0, 3.0, 2.0, 2.0]], 3, says=FEWER),
        _agree([[1.0, 2.0, 3.0, 4.0]], [[4.0, 3.0, 2.0, 1.0]], 3, says=FEWER),
        _agree([[1.0, 2.0, 3.0, 4.0]], [[4.0, 3.0, 2.0, 1.0]], 4, says=FEWER),
        _agree([[900.0, 0.0, -900.0]], [[800.0, 801.0, -10.0]], 2, says=SIZE),
        _agree([[1e4, 0.0]], [[0.0, 1e4]], 1, says=ZERO),
        *[_agree([[2.0, 1.0]], [[1.0, 2.0]], k, says=WRONG_SHAPE) for k in ("0", "3", "-1", "1.5")],
        _agree([[2.0, 1.0]], [[1.0, 2.0]], says=WRONG_SHAPE),
        _agree([[2.0, 1.0, 3.0, 4.0, 5.0]], [[1.0, 2.0]], says=WRONG_SHAPE),
        _agree([2.0, 1.0, 3.0, 4.0, 5.0], [2.0, 1.0, 3.0, 4.0, 5.0], says=WRONG_SHAPE),
        Case("agreement(np.zeros((0, 6)), np.zeros((0, 6)))", says=WRONG_SHAPE),
        *[
            Case(
                f"agreement(floats, others{k})", f"{_random(dtype, floats=shape, noise=shape)}\nothers = floats + noise"
            )
            for dtype in DTYPES
            for shape, k in (((40, 10), ""), ((7, 5), ""), ((60, 30), ", 3"), ((20, 8), ", k=1"))
        ],
        Case("agreement(floats, floats)", _random("float32", floats=(5, 6))),
    ],
}
