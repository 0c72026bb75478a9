"""What the exercises of chapter 15, hardware acceleration, are graded on (see lightnn/study/exercises/cases.py)."""

from lightnn.study.exercises.cases import Case

WIDTHS = "of one number, 4 for float32, 1 for int8, 0.125 for a bit"
ONCE = "x and w are read once and y is written once"
RIDGE = "left of it memory decides, right of it arithmetic"
FLOAT = "FLOP/s that a computation can reach on a machine, a float"
REST = "The rest takes as long as before"
EDGES = "zeros beyond its edges"
BOTH_ZERO = "If all of x is 0, both are 0"
DEALT = "Row i of w belongs to processor i mod processors"
SENT = "Only columns j with x[j] != 0 are sent"
AFTER = "Tile after tile of w"


def _systolic(m, k, n, rows, columns, says="", seed=0):
    setup = (
        f"rng = np.random.default_rng({seed})\nx, w = rng.standard_normal(({m}, {k})), rng.standard_normal(({k}, {n}))"
    )
    return Case(f"simulate_systolic(x, w, {rows}, {columns})", setup, says)


def _eie(o, i, processors, says="", seed=0, density=0.3):
    setup = "\n".join(
        [
            f"rng = np.random.default_rng({seed})",
            f"w = rng.standard_normal(({o}, {i})) * (rng.random(({o}, {i})) < {density})",
            f"x = rng.standard_normal({i}) * (rng.random({i}) < 0.5)",
        ]
    )
    return Case(f"eie_cycles(w, x, {processors})", setup, says)


CASES = {
    "15.1": [
        Case("product_intensity(2, 3, 5, 1, 2, 8)", says=WIDTHS, want="60 / (6 + 30 + 80)"),
        Case("product_intensity(1, 1, 1)", want="2 / 12"),
        Case("product_intensity(2, 3, 5)", want="60 / (4 * 31)"),
        Case("product_intensity(1, 4096, 1000, w_bytes=0.125)", says=WIDTHS),
        Case("product_intensity(512, 512, 512)", says=ONCE),
        Case("product_intensity(7, 64, 9, 1, 1, 4)"),
    ],
    "15.2": [
        Case("attainable(100, 10, 3)", want="30.0"),
        Case("attainable(100, 10, 30)", want="100.0", says=RIDGE),
        Case("attainable(100, 10, 10)", want="100.0"),
        Case("attainable(2e11, 1.5e10, 0.5)", want="7.5e9", says=FLOAT),
        Case("attainable(5.0, 2.0, 0.25)", want="0.5"),
        Case("attainable(1, 1000, 0.5)", want="1.0"),
    ],
    "15.3": [
        Case("amdahl(0.5, 2)", want="1 / 0.75"),
        Case("amdahl(0, 8)", want="1.0", says=REST),
        Case("amdahl(1, 8)", want="8.0"),
        Case("amdahl(0.9, 1)", want="1.0"),
        Case("amdahl(0.9, 4)", want="1 / (0.1 + 0.9 / 4)"),
        Case("amdahl(0.25, 1000)"),
        Case("amdahl(0.8, 3)"),
    ],
    "15.4": [
        Case("systolic_cycles(1, 1, 1, 1, 1)", want="2"),
        Case("systolic_cycles(5, 4, 2, 4, 2)", want="4 + 5 + 4"),
        Case("systolic_cycles(5, 5, 2, 4, 2)", want="2 * (4 + 5 + 4)"),
        Case("systolic_cycles(5, 5, 3, 4, 2)", want="4 * (4 + 5 + 4)"),
        Case("systolic_cycles(3, 9, 1, 8, 8)", says="w is cut into tiles of R rows and C columns"),
        Case("systolic_cycles(784, 576, 64, 16, 32)"),
        Case("systolic_cycles(10, 30, 7, 3, 5)", says="Loading a tile takes R cycles"),
    ],
    "15.5": [
        Case("eie_cycles(np.eye(4), np.array([1, 0, 1, 1]), 2)", want="(2, 3)", says=SENT),
        Case("eie_cycles(np.eye(2), np.array([1.0, 1.0]), 2)", want="(1, 2)"),
        Case("eie_cycles(np.ones((4, 3)), np.array([1.0, 2.0, 3.0]), 2)", want="(6, 6)"),
        Case("eie_cycles(np.array([[1, 2], [0, 0], [3, 0], [0, 4]]), np.array([1, 1]), 2)", want="(3, 3)", says=DEALT),
        Case("eie_cycles(np.ones((3, 2)), np.zeros(2), 2)", want="(0, 0)", says=BOTH_ZERO),
        Case("eie_cycles(np.ones((3, 2)), np.ones(2), 5)", want="(2, 2)"),
        _eie(20, 30, 4),
        _eie(13, 8, 1, seed=1),
        _eie(9, 40, 7, seed=2, density=0.1),
        Case("eie_cycles([[0, -1.5], [2, 0]], [-1, 0.5], 2)", want="(1, 2)"),
    ],
    "15.6": [
        Case("simulate_systolic(np.array([[2.0]]), np.array([[3.0]]), 1, 1)", want="(np.array([[6.0]]), 2)"),
        Case(
            "simulate_systolic(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), 2, 1)",
            want="(np.array([[11.0]]), 2 + 1 + 2 + 1 - 2)",
        ),
        _systolic(3, 2, 2, 2, 2),
        _systolic(4, 3, 2, 2, 2, says=EDGES, seed=1),
        _systolic(5, 4, 7, 2, 3, says=AFTER, seed=2),
        _systolic(2, 3, 3, 5, 4, says=EDGES, seed=3),
        _systolic(6, 5, 4, 1, 3, seed=4),
    ],
}
