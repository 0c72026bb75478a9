"""What the exercises of chapter 16, measuring, are graded on (see lightnn/study/exercises/cases.py)."""

from lightnn.study.exercises.cases import Case

PERCENT = "a, in % (56.5, not 0.565)"
COUNT = "how many parameters, a count; p is that in millions"
REFUSED = "ValueError unless 0 <= accuracy <= 100 and params is a finite number > 0"
UNITS = "counts; p is in millions, m in billions"
ABOVE_0 = "ValueError unless 0 < accuracy <= 100, params and macs are finite numbers > 0"
FIRST = "The first layer's inputs count as if none were 0"
UNUSED = "the last layer's is not used"
BOTH = "from step `first` to step `last`, both included"
NONE = "0 for no arrays"
EQUAL = "Of equal rows none beats the other"
EMPTY = "For N = 0 the result is empty"
NO_NAN = "ValueError unless costs has two dimensions and no NaN"
EQUAL_PAIRS = "a pair that is equal by both counts in both"
DIFFERENT = "each at least two different numbers"
SHAPE = "ValueError unless they have one shape (N,), N >= 2, no NaN"


def _front(n, k, seed, top=6):
    return Case("pareto(costs)", f"costs = np.random.default_rng({seed}).integers(0, {top}, ({n}, {k}))")


def _tau(n, seed, top):
    return Case("rank_agreement(a, b)", f"a, b = np.random.default_rng({seed}).integers(0, {top}, (2, {n}))")


CASES = {
    "16.1": [
        Case("information_density(50, 2_000_000)", want="25.0", says=COUNT),
        Case("information_density(accuracy=56.522, params=61_100_840)", says=PERCENT),
        Case("information_density(0, 1000)", want="0.0"),
        Case("information_density(100, 1)", want="1e8"),
        Case("information_density(69.8, 1.17e7)"),
        Case("information_density(101, 1000)", says=REFUSED),
        Case("information_density(-1, 1000)", says=REFUSED),
        Case("information_density(50, 0)", says=REFUSED),
        Case("information_density(50, float('inf'))", says=REFUSED),
    ],
    "16.2": [
        Case("netscore(100, 1_000_000, 1_000_000_000)", want="80.0", says=UNITS),
        Case("netscore(10, 1e8, 1e9)", want="20.0"),
        Case("netscore(10, 1e6, 1e11)", want="20.0"),
        Case("netscore(56.522, 61_100_840, 714_188_480)"),
        Case("netscore(accuracy=71.9, params=3.5e6, macs=3e8, alpha=1, beta=0.25, gamma=2)"),
        Case("netscore(50, 2e6, 5e8, 3, 0, 0)"),
        Case("netscore(0.5, 0.5, 0.5)"),
        Case("netscore(0, 1, 1)", says=ABOVE_0),
        Case("netscore(100.5, 1, 1)", says=ABOVE_0),
        Case("netscore(50, 0, 1)", says=ABOVE_0),
        Case("netscore(50, 1, -1)", says=ABOVE_0),
        Case("netscore(50, 1, 1, alpha=-1)", says="the exponents finite numbers >= 0"),
    ],
    "16.3": [
        Case("flops_left([100], [0.5], [1.0])", want="([0.5], 0.5)", says=FIRST),
        Case("flops_left([100, 300], [0.5, 0.2], [0.5, 1.0])", want="([0.5, 0.1], (50 + 30) / 400)"),
        Case("flops_left([100, 300], [0.5, 0.2], [0.5, 0.1])", want="([0.5, 0.1], (50 + 30) / 400)", says=UNUSED),
        Case("flops_left([235_200, 30_000, 1_000], [0.08, 0.09, 0.26], [0.38, 0.65, 1.0])"),
        Case("flops_left((7, 5, 3, 2), (1.0, 0.25, 0.5, 0.75), (0.5, 0.25, 1.0, 0.125))"),
        Case("flops_left([4, 4], [0.0, 1.0], [0.25, 1.0])", want="([0.0, 0.25], 0.125)"),
    ],
    "16.4": [
        Case("peak_bytes([(4, 0, 2), (8, 1, 3), (6, 3, 4), (1, 5, 5)])", want="14"),
        Case("peak_bytes([(5, 0, 1)])", want="5"),
        Case("peak_bytes([])", want="0", says=NONE),
        Case("peak_bytes([(4, 0, 1), (8, 1, 2), (2, 2, 3)])", want="12", says=BOTH),
        Case("peak_bytes([(4, 0, 3), (8, 1, 2), (8, 2, 3), (1, 4, 4)])", want="20"),
        Case("peak_bytes([(10, 0, 0), (10, 1, 1), (10, 2, 2)])", want="10"),
        Case("peak_bytes([(3, 2, 2), (5, 0, 0), (4, 1, 2)])", want="7"),
        Case("peak_bytes(((6, 1, 5), (7, 3, 9), (2, 0, 9), (0, 4, 4), (9, 6, 7)))", want="18"),
        Case("peak_bytes([(1, 3, 3), (1, 1, 4), (2, 4, 5), (3, 5, 5)])", want="5"),
    ],
    "16.5": [
        Case("pareto([[1, 2], [2, 1], [2, 2], [3, 3]])", want="np.array([0, 1])"),
        Case("pareto([[3.0], [1.0], [2.0]])", want="np.array([1])"),
        Case("pareto([[1, 2], [1, 2], [0, 3]])", want="np.array([0, 1, 2])", says=EQUAL),
        Case("pareto([[1, 2], [1, 3]])", want="np.array([0])"),
        Case("pareto(np.zeros((0, 3)))", want="np.zeros(0, np.int64)", says=EMPTY),
        _front(20, 2, 0),
        _front(30, 3, 1),
        _front(12, 1, 2, 3),
        Case("pareto([1, 2, 3])", says=NO_NAN),
        Case("pareto([[1.0, np.nan]])", says=NO_NAN),
    ],
    "16.6": [
        Case("rank_agreement([1, 1, 2, 3], [1, 2, 2, 2])", want="2 / (5 * 3) ** 0.5"),
        Case("rank_agreement([1, 2, 3], [10, 30, 20])", want="(2 - 1) / 3"),
        Case("rank_agreement([1, 2], [5, 4])", want="-1.0"),
        Case("rank_agreement([1, 1, 2], [1, 2, 3])", want="2 / 6**0.5"),
        Case("rank_agreement([1, 1, 2], [4, 4, 9])", want="1.0", says=EQUAL_PAIRS),
        Case("rank_agreement([1.5, -2.0, 0.25, 8.0], [3.0, 1.0, 2.0, 0.5])"),
        _tau(10, 0, 100),
        _tau(15, 1, 4),
        Case("rank_agreement([1, 1], [1, 2])", says=DIFFERENT),
        Case("rank_agreement([1, 2], [3, 3])", says=DIFFERENT),
        Case("rank_agreement([1], [1])", says=SHAPE),
        Case("rank_agreement([1, 2, 3], [1, 2])", says=SHAPE),
        Case("rank_agreement([1.0, np.nan], [1.0, 2.0])", says=SHAPE),
    ],
}
