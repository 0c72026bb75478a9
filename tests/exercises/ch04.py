"""What the exercises of chapter 04, Deep Compression, are graded on (see lightnn/study/exercises/cases.py)."""

import heapq

import numpy as np

from lightnn.io.huffman import LONGEST
from lightnn.study.exercises.cases import Case
from lightnn.study.exercises.outcome import plain


def given(outcome, what, dtype, shape):
    """None if the outcome has such an array under this name, else (expected, got)."""
    wanted, a = f"an array of {dtype}, shape {shape}", outcome.get(what)
    if not isinstance(a, np.ndarray):
        return wanted, plain(a) if what in outcome else outcome.get(f"type of {what}", "nothing there")
    return None if (a.dtype, a.shape) == (dtype, shape) else (wanted, f"an array of {a.dtype}, shape {a.shape}")


# --- 04.2


def look_up(k, shape, dtype="float64", code_dtype="int64", codes="codes"):
    """Random centres and codes; the highest centre may be unused."""
    c = f"c = Parameter(rng.standard_normal({k}).astype(np.{dtype}))"
    drawn = f"codes = rng.integers(0, {max(1, k - 1)}, {shape}).astype(np.{code_dtype})"
    return Case(f"look_up(c, codes={codes})", f"rng = np.random.default_rng(3)\n{c}\n{drawn}")


CENTRES = "c = Parameter(np.array([10.0, 20.0, 30.0]))\n"


# --- 04.3

WANT_FILLER = "a step of 2^bits"
ASCENDING = "ValueError if a position is negative or not larger than the one before"


def relative(size, density, bits):
    return Case(
        f"relative(positions, {bits})",
        f"rng = np.random.default_rng(3)\npositions = np.flatnonzero(rng.random({size}) < {density})",
    )


# --- 04.4

SMALL = "p = Parameter(np.array([[1.0, 9.0], [2.0, 10.0]]))\n"
MASKED = f"from lightnn.compress import Mask\n{SMALL}p.support = Mask(np.array("
PRUNED = """\
from lightnn.compress import Mask
rng = np.random.default_rng(3)
p = Parameter(rng.standard_normal({shape}).astype(np.{dtype}))
p.support = Mask(rng.random({shape}) < {density})"""
FIRST = """\
def first(w, k, rng):
    return np.array([rng, 11.0])

p = Parameter(np.array([0.0, 6.0, 12.0]))"""
GIVEN = "by `kmeans` with init and rng"
KEPT = "where p.support.mask is True"


def share(shape, bits, density, dtype="float64"):
    return Case(f"share(p, {bits})", PRUNED.format(shape=shape, dtype=dtype, density=density))


# --- 04.5

START = "The first centres are init(w, k, rng)"
HALFWAY = "Halfway between two centres the lower one counts as nearest"
FLOAT64 = "a float64 array (k,) whatever w's dtype"
STAYS = "a centre without weights stays where it is"
ENDS = "This ends when no centre moves any more, or after `iterations` of them"
NEEDS = "ValueError unless w has one dimension, is not empty and is finite, and k >= 1"
ALL_AT_ONCE = "assigns every weight to its nearest centre, and then moves every centre"


def kmeans(n, k, more="", draw="rng.standard_normal({n})", setup="", **words):
    drawn = f"rng = np.random.default_rng(3)\nw = {draw.format(n=n)}"
    return Case(f"kmeans(w, {k}{more})", "\n".join(filter(None, [setup, drawn])), **words)


def seeds(results):
    """Results of rng = 3, 3, 4, 5, 6, 7 on 60 weights: fixed points of Lloyd's iteration, not all the same."""
    w = np.random.default_rng(3).standard_normal(60)
    found = []
    for r in results:
        wrong = given(r, "result[0]", "float64", (5,)) or given(r, "result[1]", "int64", (60,))
        if wrong:
            return wrong
        c, codes = r["result[0]"], r["result[1]"]
        if not (np.diff(c) >= 0).all():
            return "centres in ascending order", plain(c)
        nearest = np.abs(w[:, None] - c).argmin(1)
        if not np.array_equal(codes, nearest):
            return f"for each weight its nearest centre: {plain(nearest, 30)}", plain(codes, 30)
        means = np.array([w[codes == i].mean() if (codes == i).any() else c[i] for i in range(5)])
        if not np.allclose(c, means, rtol=0, atol=1e-9):
            return f"centres that are the means of their weights: {plain(means)}", plain(c)
        found.append(c)
    if not np.array_equal(found[0], found[1]):
        return "the same centres for the same rng", f"{plain(found[0])}, then {plain(found[1])}"
    if all(np.array_equal(found[0], c) for c in found[2:]):
        return "not the same centres for rng = 3, 4, 5, 6 and 7", f"always {plain(found[0])}"
    return None


# --- 04.6


def least(counts):
    """The bits of an optimal code: each join of two trees costs what they occur together."""
    heap, bits = [int(c) for c in counts if c], 0
    heapq.heapify(heap)
    while len(heap) > 1:
        both = heapq.heappop(heap) + heapq.heappop(heap)
        bits += both
        heapq.heappush(heap, both)
    return bits


def optimal(setup, halvings=0):
    """A judge for the code lengths of the `counts` that the setup makes: any optimal code, where there are several.

    halvings: how often the counts may be halved, because of LONGEST."""
    space = {"np": np}
    exec(setup, space)
    counts = space["counts"]

    def judge(results):
        wrong = given(results[0], "result", "int64", counts.shape)
        if wrong:
            return wrong
        lengths = results[0]["result"]
        none = np.flatnonzero((lengths == 0) != (counts == 0))
        if none.size or lengths.min() < 0:
            at = int(none[0]) if none.size else int(lengths.argmin())
            wanted = "0" if counts[at] == 0 else "at least 1"
            return f"symbol {at} occurs {counts[at]} times: a length of {wanted}", f"{lengths[at]}"
        room = sum(2.0 ** -lengths[lengths > 0])
        if room > 1:
            return (
                "lengths of a prefix code: the sum of 2^-length is at most 1",
                f"a sum of {room:.6g}: {plain(lengths)}",
            )
        if lengths.max() > LONGEST:
            return f"no length above {LONGEST}", f"{lengths.max()}"
        halved = counts
        tried = []
        for _ in range(halvings + 1):
            tried.append((least(halved), int(halved @ lengths)))
            halved = (halved + 1) // 2
        if any(best == bits for best, bits in tried):
            return None
        best, bits = tried[0]
        if halvings:
            return "lengths that are optimal for the counts halved, rounded up, until all fit", plain(lengths)
        return f"{best} bits in all (the sum of counts * length)", f"{bits} bits: {plain(lengths, 44)}"

    return judge


def code_lengths(setup, halvings=0, says=""):
    return Case("code_lengths(counts)", setup, says, judge=optimal(setup, halvings))


FIBONACCI = """\
counts = [1, 1]
for _ in range({more}):
    counts.append(counts[-1] + counts[-2])
counts = np.array(counts)"""
RNG = "rng = np.random.default_rng(3)\n"
ANY = "Of several codes that are as short, any one will do"

REPEATED = "this is repeated until all lengths fit"


# --- 04.7

LARGER, SMALLER, FINITE = (
    "A larger exponent takes place n too",
    "for a smaller one",
    "ValueError if a weight is not finite",
)


def log_codes(shape, bits, top, dtype="float64", after="", says=""):
    w = f"w = rng.standard_normal({shape}) * 4.0 ** rng.integers(-6, 3, {shape})"
    return Case(f"log_codes(w, {bits}, {top})", f"{RNG}{w}\nw = w.astype(np.{dtype}){after}", says)


CASES = {
    "04.1": [
        Case("sharing_rate(16, 32, 4)", want="3.2"),  # the paper's example: 512 / (32 + 128)
        Case("sharing_rate(8, 8, 8)", want="64 / 88"),
        Case("sharing_rate(64, 32, 1)", want="64.0"),
        Case("sharing_rate(2, 10, 4)", want="20 / 44"),
        Case("sharing_rate(1000, 32, 5)", says="log2(k) is not rounded to whole bits"),
        *[
            Case(f"sharing_rate({n}, {b}, {k})")
            for n, b, k in [(235200, 32, 16), (10, 16, 2), (50, 32, 33), (10**6, 64, 256), (7, 8, 3), (64, 32, 64)]
        ],
    ],
    "04.2": [
        Case(
            "look_up(c, codes=codes)",
            CENTRES + "codes = np.array([[2, 0], [1, 2]])",
            want="Tensor(np.array([[30.0, 10.0], [20.0, 30.0]]))",
        ),
        Case(
            "look_up(c, codes=codes)",
            CENTRES + "codes = np.array([[0, 2, 2], [2, 2, 0]])",
            "The gradient of a centre that no weight uses is 0",
        ),
        Case(
            "look_up(c, codes=codes)",
            CENTRES + "codes = np.array([[1, 0], [1, 1]])",
            "The gradient of a centre that no weight uses is 0",
        ),
        Case("look_up(c, codes=codes)", CENTRES + "codes = np.array([[2]])"),
        Case("look_up(c, codes=codes)", "c = Parameter(np.array([5.0]))\ncodes = np.zeros((2, 3), int)"),
        Case("look_up(c, codes=codes)", CENTRES + "codes = np.zeros((0, 3), int)"),
        Case(
            "look_up(c, codes=codes)",
            "c = Parameter(np.array([1.5, -2.0], np.float32))\ncodes = np.array([[0, 1], [1, 1]])",
            "the dtype of c",
        ),
        look_up(6, (4, 5)),
        look_up(16, (30, 7), code_dtype="uint8"),
        look_up(4, (5, 9), dtype="float32", code_dtype="uint8"),
        look_up(300, (9, 8), code_dtype="uint16"),
        look_up(5, (6, 11), codes="codes.T"),
        look_up(3, (40, 4), dtype="float32", codes="codes[::2, ::-1]"),
    ],
    "04.3": [
        Case("relative(np.array([0, 2]), 3)", want="(np.array([0, 1]), np.array([False, False]))"),
        Case(  # figure 2 of the paper: 12 is a filler
            "relative(np.array([1, 4, 15]), 3)",
            want="(np.array([1, 2, 7, 2]), np.array([False, False, True, False]))",
        ),
        Case("relative(np.array([7, 15]), 3)", want="(np.array([7, 7]), np.zeros(2, bool))"),
        Case("relative(np.array([8]), 3)", says=WANT_FILLER, want="(np.array([7, 0]), np.array([True, False]))"),
        Case("relative(np.array([15]), 3)", want="(np.array([7, 7]), np.array([True, False]))"),
        Case("relative(np.array([20]), 3)", want="(np.array([7, 7, 4]), np.array([True, True, False]))"),
        Case(
            "relative(np.array([0, 1, 5]), 1)", want="(np.array([0, 0, 1, 1]), np.array([False, False, True, False]))"
        ),
        Case(
            "relative(positions, 4)",
            "positions = np.zeros(0, int)",
            "For no positions both are empty",
            want="(np.zeros(0, int), np.zeros(0, bool))",
        ),
        Case("relative(np.array([3, 30], np.int32), 4)", says="an int64 array"),
        Case("relative(np.array([3, 3]), 3)", says=ASCENDING),
        Case("relative(np.array([-1, 4]), 3)", says=ASCENDING),
        Case("relative(np.array([5, 2]), 3)", says=ASCENDING),
        Case("relative(np.array([0, 9, 4, 20]), 3)", says=ASCENDING),
        relative(100, 0.3, 2),
        relative(500, 0.08, 3),
        relative(2000, 0.08, 5),
        relative(3000, 0.003, 5),
        relative(300, 1.1, 4),
        relative(700, 0.5, 1),
        relative(1000, 0.01, 8),
        Case("relative(np.array([5, 2**33, 2**34 + 3]), 30)"),
    ],
    "04.4": [
        Case(
            "share(p, 1)",
            "p = Parameter(np.array([[9.0, 1.0, 2.0], [10.0, 8.0, 3.0]]))",
            want="Codebook(np.array([2.0, 9.0]), np.array([[1, 0, 0], [1, 1, 0]]))",
        ),
        Case(
            "share(p, 1)",
            MASKED + "[[True, False], [True, True]]))",
            KEPT,
            want="Codebook(np.array([1.5, 10.0]), np.array([[0, 0], [0, 1]]))",
        ),
        Case(
            "share(p, 0)",
            SMALL,
            "k is 2^bits",
            want="Codebook(np.array([5.5]), np.array([[0, 0], [0, 0]]))",
        ),
        Case(
            "share(p, 4)",
            SMALL,
            "or the number of these weights if that is less",
            want="Codebook(np.array([1.5, 4.0, 7.0, 9.5]), np.array([[0, 3], [0, 3]]))",
        ),
        Case("share(p, 2)", MASKED + "[[False, True], [False, False]]))", "or the number of these weights if that is"),
        Case(
            "share(p, 2)",
            MASKED + "[[False, False], [False, False]]))",
            "if there are none, the Codebook has the single value 0",
            want="Codebook(np.array([0.0]), np.array([[0, 0], [0, 0]]))",
        ),
        Case(
            "share(p, 1)",
            "p = Parameter(np.array([[3, 1, 2], [9, 8, 7]], np.float32))",
            "in the dtype of w",
            want="Codebook(np.array([2, 8], np.float32), np.array([[0, 0, 0], [1, 1, 1]]))",
        ),
        Case(
            "share(p, 1)",
            f"{SMALL}p.values = Codebook(np.array([0.0, 4.0, 5.0]), np.array([[2, 1], [0, 0]]))",
            "the weights that the network uses, w = p().data",
        ),
        Case("share(p, -1)", SMALL, "ValueError unless bits is an integer from 0 to 16"),
        Case("share(p, 17)", SMALL, "ValueError unless bits is an integer from 0 to 16"),
        Case("share(p, 1.5)", SMALL, "ValueError unless bits is an integer from 0 to 16"),
        Case("share(p, 1, first)", FIRST, GIVEN, want="Codebook(np.array([0.0, 9.0]), np.array([0, 1, 1]))"),
        Case("share(p, 1, first, 4.0)", FIRST, GIVEN, want="Codebook(np.array([3.0, 12.0]), np.array([0, 0, 1]))"),
        Case("share(p, bits=1, rng=5.0, init=first)", FIRST, GIVEN),
        share((3, 5), 2, 0.6),
        share((20, 7), 3, 0.3),
        share((9, 13), 4, 0.1, "float32"),
        share((5, 4, 3, 3), 2, 0.5),
        share(50, 5, 0.9, "float32"),
        Case("share(p, 16)", "rng = np.random.default_rng(3)\np = Parameter(rng.standard_normal((6, 5)))"),
        Case("share(p, 3)", "rng = np.random.default_rng(3)\np = Parameter(rng.standard_normal((30, 9)))"),
    ],
    "04.5": [
        Case(
            "kmeans(np.array([1.0, 9.0, 2.0, 10.0]), 2)",
            want="(np.array([1.5, 9.5]), np.array([0, 1, 0, 1]))",
        ),
        Case("kmeans(np.array([4.0, 1.0, 1.0]), 1)", want="(np.array([2.0]), np.zeros(3, int))"),
        Case(
            "kmeans(w, 2, lambda w, k, rng: np.array([0.0, 2.5]), iterations=1)",
            "w = np.array([0.0, 1.0, 2.0, 9.0, 10.0, 30.0])",
            f"{START}, in any order. An iteration {ALL_AT_ONCE}",
            want="(np.array([0.5, 12.75]), np.array([0, 0, 0, 1, 1, 1]))",
        ),
        Case(
            "kmeans(w, 2, lambda w, k, rng: np.array([0.0, 2.5]), iterations=2)",
            "w = np.array([0.0, 1.0, 2.0, 9.0, 10.0, 30.0])",
            ENDS,
            want="(np.array([1.0, 49 / 3]), np.array([0, 0, 0, 1, 1, 1]))",
        ),
        Case(
            "kmeans(w, 3, lambda w, k, rng: np.array([7.0, -5.0, 1.0]), iterations=0)",
            "w = np.array([8.0, 0.0, 4.5])",
            f"{START}, in any order",
            want="(np.array([-5.0, 1.0, 7.0]), np.array([2, 1, 2]))",
        ),
        Case(
            "kmeans(w, 2, lambda w, k, rng: np.array([0.0, rng]), 0, rng=6)",
            "w = np.array([0.0, 4.0])",
            START,
            want="(np.array([0.0, 6.0]), np.array([0, 1]))",
        ),
        Case("kmeans(w, 2, lambda w, k, rng: np.array([0.0, rng + 5]), 0)", "w = np.array([0.0, 4.0])", START),
        Case(
            "kmeans(w, 2, lambda w, k, rng: np.array([1.0, 5.0]), iterations=0)",
            "w = np.array([3.0, 0.0, 4.0])",
            HALFWAY,
            want="(np.array([1.0, 5.0]), np.array([0, 0, 1]))",
        ),
        Case(
            "kmeans(w, 2, lambda w, k, rng: np.array([0.0, 2.0]), iterations=1)",
            "w = np.array([0.0, 3.0, 1.0, 5.0])",
            HALFWAY,
            want="(np.array([0.5, 4.0]), np.array([0, 1, 0, 1]))",
        ),
        Case(
            "kmeans(w, 3, lambda w, k, rng: np.array([4.0, -5.0, 0.0]))",
            "w = np.array([0.0, 1.0, 4.0, 8.0])",
            STAYS,
            want="(np.array([-5.0, 0.5, 6.0]), np.array([1, 1, 2, 2]))",
        ),
        Case(
            "kmeans(w, 3, lambda w, k, rng: np.array([0.0, 50.0, 90.0]))",
            "w = np.array([0.0, 2.0, 4.0])",
            STAYS,
            want="(np.array([2.0, 50.0, 90.0]), np.zeros(3, int))",
        ),
        Case("kmeans(np.array([1, 2, 12], np.int32), 2)", says=FLOAT64),
        Case("kmeans(np.array([0.1, 0.2, 0.7], np.float32), 2)", says=FLOAT64),
        Case("kmeans(np.array([1.5, 1.5, 1.5]), 3)"),
        Case("kmeans(np.array([0.0, 0.0, 1.0]), 5)"),
        Case("kmeans(np.zeros(0), 2)", says=NEEDS),
        Case("kmeans(np.ones((2, 2)), 2)", says=NEEDS),
        Case("kmeans(np.array([1.0, np.nan]), 2)", says=NEEDS),
        Case("kmeans(np.array([1.0, -np.inf]), 1)", says=NEEDS),
        Case("kmeans(np.ones(3), 0)", says=NEEDS),
        kmeans(40, 4, ", iterations=1", says=ALL_AT_ONCE),
        kmeans(40, 4, ", iterations=2", says=ALL_AT_ONCE),
        kmeans(40, 4, says=ENDS),
        kmeans(200, 7, draw="rng.standard_normal({n}) ** 3"),
        kmeans(300, 9, draw="rng.standard_normal({n}).astype(np.float32)", says=FLOAT64),
        kmeans(2000, 16, ", density_init", setup="from lightnn.compress import density_init", says=ENDS),
        kmeans(
            2000, 16, ", lambda w, k, rng: np.linspace(0, 0.1, k)", draw="rng.random({n})", says=ENDS
        ),  # 100 iterations are not enough
        kmeans(300, 16, ", lambda w, k, rng: np.linspace(0, 0.1, k)", draw="rng.random({n})", says=ENDS),
        kmeans(30, 50),
        kmeans(80, 3, draw="rng.integers(-9, 9, {n})"),
        Case(
            tuple(f"kmeans(w, 5, random_init, rng={seed})" for seed in (3, 3, 4, 5, 6, 7)),
            "from lightnn.compress import random_init\nrng = np.random.default_rng(3)\nw = rng.standard_normal(60)",
            START,
            judge=seeds,
        ),
    ],
    "04.6": [
        Case("code_lengths(np.array([5, 2, 1]))", want="np.array([1, 2, 2])"),
        Case("code_lengths(np.array([1, 2, 4, 8]))", want="np.array([3, 3, 2, 1])"),
        Case("code_lengths(np.array([3, 3]))", want="np.array([1, 1])"),
        Case(
            "code_lengths(np.array([5, 0, 2, 1, 0]))",
            says="0 for a symbol that does not occur",
            want="np.array([1, 0, 2, 2, 0])",
        ),
        Case(
            "code_lengths(np.array([0, 7, 0]))",
            says="If only one symbol occurs, its length is 1",
            want="np.array([0, 1, 0])",
        ),
        Case("code_lengths(np.array([7]))", says="If only one symbol occurs, its length is 1", want="np.array([1])"),
        Case("code_lengths(np.zeros(2, int))", says="0 for a symbol that does not occur", want="np.array([0, 0])"),
        Case("code_lengths(np.array([1, 1, 1, 1]))", want="np.array([2, 2, 2, 2])"),
        Case("code_lengths(np.array([45, 13, 12, 16, 9, 5]))", want="np.array([1, 3, 3, 3, 4, 4])"),  # Cormen et al.
        Case("code_lengths(np.array([3, 1, 9], np.uint16))", says="Returns an int64 array", want="np.array([2, 2, 1])"),
        code_lengths("counts = np.array([1, 1, 1])", says=ANY),
        code_lengths("counts = np.array([2, 2, 3, 3, 3, 4])", says=ANY),
        code_lengths("counts = np.array([1, 1, 2, 2, 4, 4, 8])", says=ANY),
        code_lengths("counts = np.ones(33, int)", says=ANY),
        *[
            code_lengths(f"{RNG}counts = {draw}")
            for draw in (
                "rng.integers(1, 100, 5)",
                "rng.integers(0, 9, 12)",
                "rng.integers(0, 1000, 16)",
                "rng.geometric(0.01, 33) * rng.integers(0, 2, 33)",
                "rng.geometric(0.5, 60)",
                "rng.integers(0, 10**6, 200)",
            )
        ],
        code_lengths(FIBONACCI.format(more=LONGEST - 1), says="If a length is more than LONGEST"),
        code_lengths(FIBONACCI.format(more=LONGEST), 1, "If a length is more than LONGEST"),
        code_lengths(FIBONACCI.format(more=LONGEST + 12), 12, REPEATED),
        Case("code_lengths(2 ** np.arange(32))", want="np.minimum(32 - np.arange(32), 31)"),
        code_lengths("counts = 2 ** np.arange(46)", 30, REPEATED),
        code_lengths("counts = 3 ** np.arange(38)", 40, REPEATED),
    ],
    "04.7": [
        Case("log_codes(np.array([1.0, 2.0, 4.0, -2.0]), 3, 2)", want="np.array([1, 2, 3, -2], np.int8)"),
        Case(
            "log_codes(np.array([3.0, 2.5, 1.4, -1.45]), 3, 2)",
            says="The exponent is e = round(log2 |w|)",
            want="np.array([3, 2, 1, -2], np.int8)",
        ),
        Case("log_codes(np.array([8.0, -100.0]), 3, 2)", says=LARGER, want="np.array([3, -3], np.int8)"),
        Case("log_codes(np.array([0.5, -0.1, 0.8]), 3, 2)", says=SMALLER, want="np.array([0, 0, 1], np.int8)"),
        Case("log_codes(np.array([0.0, 1.0]), 3, 2)", says="for a weight of 0", want="np.array([0, 1], np.int8)"),
        Case("log_codes(np.array([0.0, -0.0]), 3, 0)", says="for a weight of 0", want="np.zeros(2, np.int8)"),
        Case("log_codes(np.array([0.0, -1.0]), 5, 3)", says="for a weight of 0", want="np.array([0, -12], np.int8)"),
        Case("log_codes(np.array([0.7, 1.0, -2.0, 0.71]), 2, 0)", want="np.array([0, 1, -1, 1], np.int8)"),
        Case("log_codes(np.array([0.25, -0.125, 1.0]), 4, -2)", want="np.array([7, -6, 7], np.int8)"),
        Case("log_codes(np.array([1.0, -(2.0**-126), 2.0**-127]), 8, 0)", want="np.array([127, -1, 0], np.int8)"),
        Case("log_codes(np.array([1.0, np.nan]), 4, 0)", says=FINITE),
        Case("log_codes(np.array([np.inf, 1.0]), 4, 0)", says=FINITE),
        Case("log_codes(np.array([[1.0], [-np.inf]]), 4, 0)", says=FINITE),
        Case("log_codes(np.zeros((0, 3)), 4, 0)", says="an int8 array of w's shape"),
        Case("log_codes(np.array([[0.5, -4.0]], np.float32), 4, 1)", says="an int8 array of w's shape"),
        log_codes((4, 5), 2, 1),
        log_codes((7, 3), 3, 0, "float32"),
        log_codes((2, 3, 3, 2), 4, 1),
        log_codes(50, 5, -1, "float32"),
        log_codes((9, 8), 6, 3, after=".T"),
        log_codes((30, 4), 8, 1, after="[::2]"),
    ],
}
