"""What the exercises of chapter 11, network structure, are graded on (see lightnn/study/exercises/cases.py)."""

from lightnn.study.exercises.cases import Case

HALVES = "(O - C) // 2 of them before, the others behind"
EVERY = "The shortcut takes every stride-th row and column of x, from the first on"
DTYPE = "the dtype of x and w stays"
PROJECTED = "unless stride is 1 and c = 4 width"
AN_INT = "returns an int"
ROUNDED = "a transition halves the channels, rounded down"
EMPTY = "an empty list gives (1, 1)"
OCCURS = "A class occurs if some pixel is of it or is called so"
BOTH_LEFT_OUT = "others have no IoU and are left out of the mean"
SQUARE = "ValueError if the array is not square, or if no class occurs"
BEHIND = "p // 2 of them before the first pixel, the rest behind the last"


def _block(c, o, stride, size=4, dtype="float64", says="", seed=0):
    setup = "\n".join(
        [
            f"rng = np.random.default_rng({seed})",
            f"x = rng.standard_normal((2, {c}, {size}, {size})).astype(np.{dtype})",
            f"w1, w2 = (rng.standard_normal(({o}, n, 3, 3)).astype(np.{dtype}) for n in ({c}, {o}))",
        ]
    )
    return Case(f"residual_block(x, w1, w2, {stride})", setup, says)


def _zeros(x, o, stride, want, says=""):
    """A block whose weights are 0, so that only the shortcut is left."""
    setup = f"x = np.array({x})\nw1, w2 = np.zeros(({o}, x.shape[1], 3, 3)), np.zeros(({o}, {o}, 3, 3))"
    return Case(f"residual_block(x, w1, w2, {stride})", setup, says, f"np.array({want})")


def _padding(*arguments, want="", says=""):
    return Case(f"same_padding({', '.join(map(str, arguments))})", says=says, want=want)


def _iou(n, want="", says=""):
    return Case("mean_iou(n)", f"n = np.array({n})", says, want)


CASES = {
    "11.1": [
        Case(
            "residual_block(x, w1, w2, 1)",
            "x, w1 = np.ones((1, 1, 1, 1)), np.zeros((1, 1, 3, 3))\nw1[0, 0, 1, 1] = 1\nw2 = -2 * w1",
            "y = relu(conv(relu(conv(x, w1)), w2) + shortcut(x))",
            "np.array([[[[0.0]]]])",
        ),
        _zeros("[[[[1.0, 2.0], [3.0, 4.0]]]]", 1, 1, "[[[[1.0, 2.0], [3.0, 4.0]]]]"),
        _zeros("[[[[1.0, 2.0], [3.0, 4.0]]]]", 2, 2, "[[[[1.0]], [[0.0]]]]", EVERY),
        _zeros(
            "[[[[1.0, -2.0], [3.0, 4.0]]]]",
            4,
            1,
            "[[[[0.0, 0.0], [0.0, 0.0]], [[1.0, 0.0], [3.0, 4.0]], "
            "[[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]]]",
            HALVES,
        ),
        _block(2, 2, 1, says="y = relu(conv(relu(conv(x, w1)), w2) + shortcut(x))"),
        _block(2, 5, 2, says=HALVES, seed=1),
        _block(3, 6, 2, size=6, dtype="float32", says=DTYPE, seed=2),
        _block(1, 4, 1, size=3, seed=3),
        _block(2, 6, 2, says=HALVES, seed=5),
        _block(4, 4, 3, size=6, says=EVERY, seed=4),
    ],
    "11.2": [
        Case("bottleneck_macs(4, 1, 1)", want="4 + 9 + 4"),
        Case("bottleneck_macs(256, 64, 56)", want="218365952"),
        Case("bottleneck_macs(256, 128, 56, 2)", says=PROJECTED),
        Case("bottleneck_macs(64, 64, 56)", says=PROJECTED),
        Case("bottleneck_macs(8, 2, 5, 2)", says="gives ceil(size / stride) pixels a side"),
        Case("bottleneck_macs(7, 3, 10, stride=3)", says=AN_INT),
        Case("bottleneck_macs(12, 3, 8)"),
    ],
    "11.3": [
        Case("dense_channels(4, 2, (3,))", want="[[4, 6, 8]]"),
        Case("dense_channels(4, 2, (2, 2))", want="[[4, 6], [4, 6]]"),
        Case("dense_channels(5, 3, [2, 3, 1])", says=ROUNDED, want="[[5, 8], [5, 8, 11], [7]]"),
        Case("dense_channels(64, 32, (6, 12, 24, 16))"),
        Case("dense_channels(1, 1, (1, 1, 1))", says=ROUNDED),
        Case("dense_channels(16, 12, (4, 4, 4))"),
    ],
    "11.4": [
        Case("receptive_field([])", says=EMPTY, want="(1, 1)"),
        Case("receptive_field([(3, 1, 1)])", want="(3, 1)"),
        Case("receptive_field([(3, 1, 1), (3, 1, 1)])", want="(5, 1)"),
        Case("receptive_field([(3, 1, 2)])", says="pixels that it skips included", want="(5, 1)"),
        Case("receptive_field([(3, 2, 1), (3, 1, 1)])", want="(7, 2)"),
        Case("receptive_field([(7, 2, 1), (3, 2, 1), (3, 1, 1)])", want="(19, 4)"),
        Case("receptive_field([(3, 1, 1), (3, 1, 2), (3, 1, 4), (3, 1, 8)])", want="(31, 1)"),
        Case("receptive_field([(2, 2, 1), (5, 3, 2), (1, 2, 7), (4, 1, 3)])"),
    ],
    "11.5": [
        _padding(5, 3, want="(1, 1)"),
        _padding(8, 3, 1, 2, want="(2, 2)"),
        _padding(224, 3, 2, want="(0, 1)", says=BEHIND),
        _padding(7, 3, 2, want="(1, 1)"),
        _padding(6, 4, want="(1, 2)", says=BEHIND),
        _padding(8, 1, 2, want="(0, 0)"),
        _padding(9, 2, 4, want="(0, 1)"),
        _padding(10, 5, 3, 2, says=BEHIND),
        _padding(64, 3, 1, 8, want="(8, 8)"),
        Case("same_padding(size=7, kernel=4, stride=3, dilation=3)"),
    ],
    "11.6": [
        _iou("[[3, 0], [0, 5]]", "1.0"),
        _iou("[[2, 1], [0, 4]]", "(2 / 3 + 4 / 5) / 2"),
        _iou(
            "[[0, 1, 0], [0, 5, 0], [0, 0, 2]]",
            "(0 + 5 / 6 + 1) / 3",
            OCCURS,
        ),
        _iou("[[4, 0, 0], [0, 0, 0], [2, 0, 2]]", "(4 / 6 + 2 / 4) / 2", BOTH_LEFT_OUT),
        _iou("[[0, 3], [0, 3]]", "(0 + 3 / 6) / 2"),
        _iou("[[5, 1, 2], [3, 7, 0], [4, 4, 9]]"),
        _iou("[[1.0, 0.5], [0.25, 2.0]]", says="a Python float from 0 to 1"),
        _iou("[[1, 2, 3], [4, 5, 6]]", says=SQUARE),
        _iou("[1, 2]", says=SQUARE),
        _iou("[[0, 0], [0, 0]]", says=SQUARE),
    ],
}
