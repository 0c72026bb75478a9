"""What the exercises of chapter 05, knowledge distillation, are graded on (see lightnn/study/exercises/cases.py)."""

from lightnn.study.exercises.cases import Case

TENSOR = "from lightnn.tensor import Tensor"
ANY_SHAPE = "along their last axis, in v's shape and dtype"
LARGE_1 = "Logits of +-10000 do not overflow"
WRONG_T = "ValueError unless T is a number from\n    2^-20 to 2^20"
DTYPE_2 = "an array (N, K) of the dtype"
ENDS_2 = "With e = 0 it is one-hot, with e = 1 all classes are equal"
FIRST_3 = "of equal ones the first"
FIRST_OFFSET_3 = "The first offset with the fewest errors"
SAME_3 = "v stays as it is"
LARGE_4 = "Logits of +-1000 neither overflow nor give -inf"
WRONG_4 = "ValueError for another kind, for other shapes, and for no teacher"
DTYPE_4 = "in v's dtype"
GRADIENT_5 = "dL/dz = T (q - p) / N"
LARGE_5 = "logits of +-10000 do not overflow"
TYPES_5 = "TypeError unless z and v are\n    float32 or float64, both the same"
WRONG_5 = "ValueError for other shapes, for N = 0, and unless T is a number from 2^-20 to\n    2^20"
EMPTY_6 = "an image\n    without any feature has Q = 0 and the gradient 0"
DTYPE_6 = "The value is in a's dtype"
TYPES_6 = "TypeError unless a and b are float32 or float64, both the same"
WRONG_6 = "ValueError for other\n    shapes and for N = 0"
SAME_PLACE_7 = "two images at the same place pull at nothing"
SHAPES_7 = "a and b may have different shapes there"
LEAST_7 = "A mean is at least LEAST"
WRONG_7 = "ValueError\n    unless both have the same N > 1"
DTYPES = ("float64", "float32")
WRONG_TEMPERATURES = ("0", "-1.0", "np.inf", "np.nan", "2**21")


def _random(dtype, tensors="", **shapes):
    """Lines that make standard normal arrays, those named in `tensors` as Tensors."""
    lines = ["rng = np.random.default_rng(3)"]
    for name, shape in shapes.items():
        made = f"(2 * rng.standard_normal({shape})).astype(np.{dtype})"
        lines.append(f"{name} = Tensor({made})" if name in tensors else f"{name} = {made}")
    return "\n".join([TENSOR] * bool(tensors) + lines)


def _soft(v, T, want="", says=""):
    return Case(f"soft_targets(v, {T})", f"v = np.array({v})", says, want and f"np.array({want})")


def _offset(v, y, classes, offsets, want="", says=""):
    setup = f"v = np.array({v})\ny = np.array({y})\noffsets = np.array({offsets})"
    return Case(f"best_offset(v, y, {classes}, offsets)", setup, says, want)


def _mean(v, kind, want="", says=""):
    return Case(f"mean_logits(v, {kind!r})", f"v = np.array({v})", says, want and f"np.array({want})")


def _loss(z, v, T, want="", says="", dtype="float64"):
    setup = f"{TENSOR}\nz = Tensor(np.array({z}, np.{dtype}))\nv = np.array({v}, np.{dtype})"
    return Case(f"distillation_loss(z, v, T={T})", setup, says, want and f"Tensor(np.array({want}))")


def _features(name, a, b, want="", says="", dtype="float64"):
    setup = f"{TENSOR}\na = Tensor(np.array({a}, np.{dtype}))\nb = np.array({b}, np.{dtype})"
    return Case(f"{name}(a, b)", setup, says, want and f"Tensor(np.array({want}))")


def _attention(a, b, want="", says="", dtype="float64"):
    return _features("attention_loss", a, b, want, says, dtype)


def _relation(a, b, want="", says="", dtype="float64"):
    return _features("relation_loss", a, b, want, says, dtype)


CASES = {
    "05.1": [
        _soft("[0.0, np.log(3)]", 1, "[0.25, 0.75]"),
        _soft("[0.0, 2 * np.log(3)]", 2, "[0.25, 0.75]"),
        _soft("[0.0, np.log(3)]", 0.5, "[0.1, 0.9]"),
        _soft("[[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, -9000.0]]", 3.0, "[[1/4] * 4, [1/3] * 3 + [0]]", ANY_SHAPE),
        _soft("[[10000.0, -10000.0]]", 1.0, "[[1.0, 0.0]]", LARGE_1),
        _soft("[[10000.0, 9999.0]]", 1.0, says=LARGE_1),
        Case("soft_targets(v)", "v = np.array([0.0, np.log(4)])", want="np.array([0.2, 0.8])"),
        *[
            Case(f"soft_targets(v, {T})", _random(dtype, v=shape), ANY_SHAPE)
            for dtype in DTYPES
            for shape, T in (((3,), 4.0), ((5, 10), 20), ((4, 4), 0.5), ((2, 3, 4), 2.5))
        ],
        *[_soft("[1.0, 2.0]", T, says=WRONG_T) for T in WRONG_TEMPERATURES],
    ],
    "05.2": [
        Case(
            "smooth_labels(np.array([2, 0]), 4, 0.2, np.float64)",
            want="np.array([[0.05, 0.05, 0.85, 0.05], [0.85, 0.05, 0.05, 0.05]])",
        ),
        Case("smooth_labels(np.array([1]), 2)", want="np.array([[0.05, 0.95]], np.float32)", says=DTYPE_2),
        Case("smooth_labels(np.array([1, 1]), 3, 0.0)", want="np.eye(3, dtype=np.float32)[[1, 1]]", says=ENDS_2),
        Case("smooth_labels(np.array([1]), 4, 1.0)", want="np.full((1, 4), 0.25, np.float32)", says=ENDS_2),
        Case("smooth_labels(np.array([], int), 3)", want="np.zeros((0, 3), np.float32)", says=DTYPE_2),
        *[
            Case(f"smooth_labels(y, 10, {e}, np.{dtype})", "y = np.random.default_rng(1).integers(0, 10, 12)")
            for dtype in DTYPES
            for e in (0.1, 0.3)
        ],
    ],
    "05.3": [
        _offset(  # it must be above 2 for the second row, and at most 4 for the last
            [[6.0, 0.0, 1.0], [3.0, 0.0, 1.0], [4.0, 0.0, 0.0]],
            [0, 2, 0],
            [2],
            [1.0, 9.0, 2.5, 4.0, 3.5, -3.0, -5.0],
            "2.5",
        ),
        _offset([[2.0, 0.0, 0.0], [3.0, 0.0, 1.0]], [0, 2], [2], [0.0, 1.0, 2.5, 1.5], "0.0"),
        _offset([[6.0, 0.0, 0.0], [3.0, 0.0, 1.0]], [0, 2], [2], [0.0, 1.0, 2.5, 4.0, 7.0], "2.5", FIRST_OFFSET_3),
        _offset([[6.0, 0.0, 0.0], [3.0, 0.0, 1.0]], [0, 2], [2], [0.0, 2.0, 2.5], "2.5", FIRST_3),
        _offset([[6.0, 0.0, 0.0], [3.0, 0.0, 1.0]], [0, 2], [0, 1], [0.0, -2.0, -2.5, -3.0], "-2.5"),
        _offset([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], [0, 2], [1], [0.0, 0.5, 3.0], "0.0", FIRST_OFFSET_3),
        _offset([[0.0, 2.0], [0.0, 1.0], [0.0, -5.0]], [1, 0, 0], [0], [0.5, 1.5, 3.0], "1.5"),
        _offset([[2.0, 5.0, 1.0], [0.0, 4.0, 4.5]], [2, 2], [2], [0.0, 0.5, 4.5, 9.0], "4.5", SAME_3),
        *[
            Case(
                f"best_offset(v, y, {classes})",
                _random(dtype, v=(60, 5)) + "\ny = rng.integers(0, 5, 60)\nv[range(60), y] += 2\nv[:, 1:3] -= 4",
            )
            for dtype in ("float64",)
            for classes in ("[1, 2]", "(2,)", "[0, 3, 4]")
        ],
        Case(
            "best_offset(v, y, classes=[3], offsets=np.linspace(-4, 4, 9))",
            _random("float32", v=(80, 4)) + "\ny = rng.integers(0, 4, 80)\nv[range(80), y] += 3\nv[:, 3] += 2",
            SAME_3,
        ),
    ],
    "05.4": [
        _mean("[[[0.0, np.log(9)]], [[0.0, 0.0]]]", "geometric", "[[np.log(0.25), np.log(0.75)]]"),
        _mean(
            "[[[0.0, np.log(3)]], [[np.log(3), 0.0]]]",
            "arithmetic",
            "[[np.log(0.5), np.log(0.5)]]",
        ),
        _mean("[[[0.0, np.log(9)]], [[0.0, 0.0]]]", "arithmetic", "[[np.log(0.3), np.log(0.7)]]"),
        _mean("[[[5.0, 5.0 + np.log(3)]]]", "geometric", "[[np.log(0.25), np.log(0.75)]]"),
        _mean("[[[5.0, 5.0 + np.log(3)]]]", "arithmetic", "[[np.log(0.25), np.log(0.75)]]"),
        *[_mean("[[[1000.0, -1000.0]], [[1000.0, 0.0]]]", kind, says=LARGE_4) for kind in ("arithmetic", "geometric")],
        *[
            Case(f"mean_logits(v, {kind!r})", _random(dtype, v=shape), DTYPE_4)
            for dtype in DTYPES
            for kind in ("arithmetic", "geometric")
            for shape in ((1, 2, 3), (3, 4, 5), (5, 5, 5))
        ],
        _mean("[[[0.0, 1.0]]]", "median", says=WRONG_4),
        *[
            Case(f"mean_logits(np.zeros({shape}), 'geometric')", says=WRONG_4)
            for shape in ("(2, 3)", "(0, 2, 3)", "(1, 2, 3, 4)")
        ],
    ],
    "05.5": [
        _loss([[0.0, 0.0]], "[[0.0, np.log(3)]]", 1, "0.25 * np.log(0.5) + 0.75 * np.log(1.5)"),
        _loss([[0.0, 0.0]], "[[0.0, 2 * np.log(3)]]", 2, "np.log(0.5) + 3 * np.log(1.5)", GRADIENT_5),
        _loss("[[0.0, np.log(3)]]", [[0.0, 0.0]], 1.0, "0.5 * np.log(2) + 0.5 * np.log(2 / 3)"),
        _loss([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]], [[1.0, 2.0, 3.0], [7.0, 7.0, 7.0]], 5.0, "0.0"),
        _loss([[0.0, 3.0], [1.0, 0.0]], [[0.0, 1.0], [1.0, 0.5]], 4.0, says=GRADIENT_5),
        _loss([[10000.0, -10000.0]], [[-10000.0, 10000.0]], 1.0, "20000.0", LARGE_5),
        _loss([[10000.0, 9999.0]], [[10000.0, 9998.0]], 1.0, says=LARGE_5, dtype="float32"),
        *[
            Case(f"distillation_loss(z, v{T})", _random(dtype, "z", z=shape, v=shape), GRADIENT_5)
            for dtype in DTYPES
            for shape, T in (((3, 4), ""), ((6, 10), ", T=20"), ((2, 2), ", T=0.5"), ((5, 3), ", T=100.0"))
        ],
        *[_loss([[0.0, 1.0]], [[1.0, 0.0]], T, says=WRONG_5) for T in WRONG_TEMPERATURES],
        _loss([[0.0, 1.0]], [[1.0, 0.0, 2.0]], 1.0, says=WRONG_5),
        _loss([0.0, 1.0], [1.0, 0.0], 1.0, says=WRONG_5),
        Case("distillation_loss(z, v)", f"{TENSOR}\nz = Tensor(np.zeros((0, 3)))\nv = np.zeros((0, 3))", WRONG_5),
        Case(
            "distillation_loss(z, v)",
            f"{TENSOR}\nz = Tensor(np.zeros((2, 3)))\nv = np.zeros((2, 3), np.float32)",
            TYPES_5,
        ),
        _loss([[0, 1]], [[1, 0]], 1.0, says=TYPES_5, dtype="int64"),
    ],
    "05.6": [
        _attention([[[[1.0, 0.0]]]], [[[[0.0, 1.0]]]], "2.0"),
        _attention([[[[2.0, 0.0]]]], [[[[5.0, 0.0]]]], "0.0"),
        _attention(  # F = (3, 4) and (4, 3): (0.6 - 0.8)^2 twice
            "[[[[np.sqrt(2), 2.0]], [[1.0, 0.0]]]]", "[[[[2.0, np.sqrt(3)]]]]", "0.08"
        ),
        _attention([[[[1.0, 0.0]]], [[[0.0, 3.0]]]], [[[[0.0, 1.0]]], [[[0.0, 1.0]]]], "1.0"),
        _attention([[[[0.0, 0.0]]]], [[[[0.0, 1.0]]]], "1.0", EMPTY_6),
        _attention([[[[0.0, 0.0]]], [[[1.0, 2.0]]]], [[[[0.0, 0.0]]], [[[2.0, 1.0]]]], says=EMPTY_6),
        *[
            Case("attention_loss(a, b)", _random("float64", "a", a=(n, c, h, w), b=(n, d, h, w)))
            for n, c, d, h, w in ((1, 1, 1, 2, 2), (2, 3, 5, 2, 3), (4, 2, 2, 3, 3))
        ],
        _attention([[[[2.0, 0.0]]]], [[[[0.0, 1.0]]]], says=DTYPE_6, dtype="float32"),
        _attention([[[[1.0, 0.0]]]], [[[[0.0], [1.0]]]], says=WRONG_6),
        _attention([[[1.0, 0.0]]], [[[0.0, 1.0]]], says=WRONG_6),
        _attention([[[[1.0, 0.0]]]], [[[[0.0, 1.0]]], [[[0.0, 1.0]]]], says=WRONG_6),
        Case(
            "attention_loss(a, b)",
            f"{TENSOR}\na = Tensor(np.zeros((0, 1, 2, 2)))\nb = np.zeros((0, 1, 2, 2))",
            WRONG_6,
        ),
        _attention([[[[1, 0]]]], [[[[0, 1]]]], says=TYPES_6, dtype="int64"),
        Case(
            "attention_loss(a, b)",
            f"{TENSOR}\na = Tensor(np.ones((1, 1, 2, 2)))\nb = np.ones((1, 1, 2, 2), np.float32)",
            TYPES_6,
        ),
    ],
    "05.7": [
        _relation([[0.0], [1.0], [3.0]], [[0.0], [1.0], [2.0]], "1 / 48"),  # psi 1/2, 3/2, 1 and 3/4, 3/2, 3/4
        _relation([[0.0], [1.0], [3.0]], [[0.0, 0.0], [0.0, 10.0], [0.0, 30.0]], "0.0", SHAPES_7),
        _relation([[0.0], [1.0]], [[5.0], [9.0]], "0.0"),
        _relation([[0.0], [1.0], [0.0]], [[0.0], [1.0], [3.0]], says=SAME_PLACE_7),
        _relation([[0.0, 1.0], [2.0, 0.0], [2.0, 0.0], [5.0, 1.0]], [[0.0], [9.0], [1.0], [2.0]], says=SAME_PLACE_7),
        _relation([[2.0], [2.0], [2.0]], [[0.0], [1.0], [3.0]], says=LEAST_7),
        _relation([[0.0], [1.0], [3.0]], [[2.0], [2.0], [2.0]], says=LEAST_7),
        _relation([[0.0], [1.0], [2.0], [3.0], [4.0]], [[0.0], [0.0], [0.0], [0.0], [9.0]]),
        *[
            Case("relation_loss(a, b)", _random(dtype, "a", a=(n, *s), b=(n, *r)), SHAPES_7)
            for dtype in DTYPES
            for n, s, r in ((3, (2,), (2,)), (5, (2, 3), (4,)), (6, (1, 2, 2), (3, 2)))
        ],
        Case("relation_loss(a, b)", _random("float64", "a", a=(7, 3), b=(7, 3)) + "\nb[0] *= 30"),
        _relation([[1.0]], [[2.0]], says=WRONG_7),
        _relation([[1.0], [2.0]], [[2.0], [1.0], [0.0]], says=WRONG_7),
        _relation([[1], [2]], [[2], [1]], says=TYPES_6, dtype="int64"),
        Case(
            "relation_loss(a, b)",
            f"{TENSOR}\na = Tensor(np.ones((2, 2)))\nb = np.ones((2, 2), np.float32)",
            TYPES_6,
        ),
    ],
}
