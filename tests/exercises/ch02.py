"""What the exercises of chapter 02, weight pruning, are graded on (see lightnn/study/exercises/cases.py)."""

import itertools
from collections import Counter

import numpy as np

from lightnn.study.exercises.cases import Case
from lightnn.study.exercises.outcome import plain


def lines(*text):
    return "\n".join(text)


# 02.2: the standard deviation of the survivors
def spread(call, *setup, says=""):
    return Case(call, lines("rng = np.random.default_rng(3)", *setup), says)


# 02.3: a mask
TENSOR = "from lightnn.tensor import Tensor"


def mask_by_hand(w, mask, want="", says=""):
    setup = lines(TENSOR, f"w = Tensor(np.array({w}))", f"mask = np.array({mask})")
    return Case("masked(w, mask=mask)", setup, says, want and f"Tensor(np.array({want}))")


def masks_at_random(shape, dtype, kept, more=""):
    setup = lines(
        TENSOR,
        "rng = np.random.default_rng(3)",
        f"w = rng.standard_normal({shape}).astype(np.{dtype})",
        f"w = Tensor(w{more})",
        f"mask = rng.random(w.shape) < {kept}",
    )
    return Case("masked(w, mask=mask)", setup)


def of_another_shape(w, mask):
    setup = lines(TENSOR, f"w = Tensor(np.ones({w}))", f"mask = np.ones({mask}, bool)")
    return Case("masked(w, mask=mask)", setup, "ValueError if their shapes differ")


def no_negative_zero(results):
    y = results[0].get("result.data")
    want = np.array([0.0, 0.0, -1.0])
    if not isinstance(y, np.ndarray) or y.shape != want.shape or (y != want).any() or np.signbit(y[:2]).any():
        return "[ 0.,  0., -1.]", plain(y)
    return None


# 02.5: pruning
def pruned(w, quality, *more, want="", says=""):
    return Case(f"prune(p, {quality})", lines(f"p = Parameter(np.array({w}))", *more), says, want)


def prunes_at_random(shape, dtype, quality, *more):
    setup = "rng = np.random.default_rng(3)", f"w = rng.standard_normal({shape}).astype(np.{dtype})", "p = Parameter(w)"
    return Case(f"prune(p, {quality})", lines(*setup, *more))


CODEBOOK = lines(
    "from lightnn.compress import Codebook",
    "p = Parameter(np.array([9.0, 0.0, 0.0, 0.0]))",
    "codes = np.array([1, 0, 1, 2])",
    "p.values = Codebook(np.array([7.0, 1.0, -7.0]), codes)",
    "# now p() is [1, 7, 1, -7]",
)
TWICE = "p.values = p.support  # to see what happens to the old mask"

# 02.6: operations
ROWS = lines(
    "flops = np.array([470400, 60000, 2000])",
    "kept = np.array([0.08, 0.09, 0.26])",
    "active = np.array([0.38, 0.65, 1.0])",
)


def layers_at_random(count, dtype="float64"):
    setup = lines(
        "rng = np.random.default_rng(3)",
        f"flops = rng.integers(1, 1000, {count})",
        f"kept, active = rng.random((2, {count})).astype(np.{dtype})",
    )
    return Case("flop_fractions(flops, kept, active)", setup, "" if dtype == "float64" else "both in float64")


# 02.7: masks at random
P = "p = Parameter(np.arange({}.0))"
HALF = lines("p = Parameter(np.ones((4, 6)))", "set_mask(p, np.arange(24).reshape(4, 6) % 2 == 0)")
RANDOM = "drawn at random"


def right_count(shape, count, within=None):
    """A judge: bool arrays of the shape with `count` True, all of them where `within`, p's mask, is True."""

    def judge(results):
        for mask, after in ((r.get("result"), r.get("argument p.support.mask, afterwards")) for r in results):
            if not isinstance(mask, np.ndarray):
                return f"a bool array of shape {shape}", plain(mask)
            if mask.shape != shape or mask.dtype != bool:
                return f"a bool array of shape {shape}", f"an array of {mask.dtype} of shape {mask.shape}"
            if mask.sum() != count:
                return f"{count} of {mask.size} True", f"{mask.sum()} of {mask.size} True"
            if within is not None and (mask & ~within).any():
                return "True only where the old mask is", f"it keeps {_where(mask & ~within)}, which was removed before"
            if within is not None and not np.array_equal(after, within):
                return "p.support.mask as it was", f"it has changed at {_where(after != within)}"
        return None

    return judge


def _where(mask):
    """The first place where it is True."""
    return [int(i) for i in np.argwhere(mask)[0]]


def same(results):
    """A judge: all masks are the same."""
    first, *others = [r.get("result") for r in results]
    for mask in others:
        if not isinstance(mask, np.ndarray) or not np.array_equal(first, mask):
            return f"the same mask from all {len(results)} calls", f"{_kept(first)}, and then {_kept(mask)}"
    return None


def different(results):
    """A judge: not all masks are the same."""
    first, *others = [r.get("result") for r in results]
    if all(np.array_equal(first, mask) for mask in others):
        return f"different masks from {len(results)} calls like this one", f"each time {_kept(first)}"
    return None


def _kept(mask):
    """Where a mask is True, in a few words."""
    if not isinstance(mask, np.ndarray):
        return plain(mask)
    first = np.flatnonzero(mask)[:8].tolist()
    return f"weights {', '.join(map(str, first))}" + (" ..." if mask.sum() > 8 else "")


def equally_likely(places, count):
    """A judge: each mask that keeps `count` of the places comes about equally often (the limits are 4 sigma away)."""
    wanted = list(itertools.combinations(places, count))

    def judge(results):
        got = Counter(tuple(np.flatnonzero(r.get("result")).tolist()) for r in results)
        share = len(results) / len(wanted)
        for kept in [*wanted, *got]:
            if kept not in wanted or not share - 4.2 * share**0.5 < got[kept] < share + 4.2 * share**0.5:
                often = f"with {len(results)} seeds, each choice of {count} of {places} about {share:.0f} times"
                return often, f"{list(kept)} was kept {got[kept]} times"
        return None

    return judge


def by_seed(setup, keep, seeds, judge, says=RANDOM):
    return Case(tuple(f"random_mask(p, {keep}, {s})" for s in seeds), setup, says, judge=judge)


EXACT = "It is True for exactly round(keep * p.size) weights"
WITHIN = "no weight comes back, so if fewer than that are left, it keeps all of these"
GENERATOR = "a Generator in the same state gives the same mask again"
SEED = "a seed s, which stands for np.random.default_rng(s)"


# 02.8: rows
def stored(values, columns, pointers, x, want="", says=""):
    setup = lines(
        f"values = np.array({values})",
        f"columns = np.array({columns}, np.int32)",
        f"pointers = np.array({pointers}, np.int32)",
        f"x = np.array({x})",
    )
    return Case("csr_matvec(values, columns, pointers, x)", setup, says, want and f"np.array({want})")


def stored_at_random(m, k, density, dtype="float32"):
    setup = lines(
        "from lightnn.runtime import to_csr",
        "rng = np.random.default_rng(3)",
        f"w = rng.standard_normal(({m}, {k})).astype(np.{dtype})",
        f"values, columns, pointers = to_csr(w, rng.random(w.shape) < {density})",
        f"x = rng.standard_normal({k}).astype(np.{dtype})",
    )
    says = "Returns y (M,), of x's dtype" if dtype == "float32" else ""
    return Case("csr_matvec(values, columns, pointers, x)", setup, says)


# 02.9: constants
def folded(w, b, values, constant, want="", says=""):
    setup = lines(
        f"w = np.array({w})",
        f"b = np.array({b})",
        f"values = np.array({values})",
        f"constant = np.array({constant})",
    )
    return Case("fold_constants(w, b, values, constant)", setup, says, want and f"np.array({want})")


def folded_at_random(o, i, share, dtype="float64", b="float64"):
    setup = lines(
        "rng = np.random.default_rng(3)",
        f"w = rng.standard_normal(({o}, {i})).astype(np.{dtype})",
        f"b = rng.standard_normal({o}).astype(np.{b})",
        f"values = rng.standard_normal({i}).astype(np.{dtype})",
        f"constant = rng.random({i}) < {share}",
    )
    return Case("fold_constants(w, b, values, constant)", setup)


RATES = "ValueError unless 0 <= rate < 1 and 0 <= connections_after <= connections_before"
LAST_STEP = "the fraction stays that of the step before"
QUALITY = "ValueError unless quality is finite and at least 0"

CASES = {
    "02.1": [
        Case("adjust_dropout(0.5, 4, 1)", want="0.25"),
        Case("adjust_dropout(0.5, 100, 100)", want="0.5"),
        Case("adjust_dropout(0.5, 100, 0)", want="0.0"),
        Case("adjust_dropout(0.0, 10, 3)", want="0.0"),
        Case("adjust_dropout(0.9, 7, 5)"),
        Case("adjust_dropout(0.5, 100, 8)"),  # the paper's example, 0.1414
        Case("adjust_dropout(0.3, 235200, 18816)"),
        Case("adjust_dropout(0.999, 235200, 1)"),
        *[Case(f"adjust_dropout({r}, 10, 5)", says=RATES) for r in (1.0, 1.5, -0.1)],
        *[Case(f"adjust_dropout(0.5, 10, {after})", says=RATES) for after in (11, -1)],
        Case("adjust_dropout(0.5, 0, 0)", says="also if connections_before is 0"),
    ],
    "02.2": [
        Case("threshold(w, 3)", "w = np.array([1.0, 5.0])", want="6.0"),
        Case(
            "threshold(w, 3, mask)",
            "w = np.array([1.0, 5.0, 100.0])\nmask = np.array([True, True, False])",
            "over the weights where it is True",
            "6.0",
        ),
        Case(
            "threshold(w, 3, mask)",
            "w = np.array([0.0, 4.0, 7.0])\nmask = np.array([True, True, False])",
            "over the weights where it is True, zeros among them included",
            "6.0",
        ),
        Case("threshold(w, 1)", "w = np.array([0.0, 4.0])", "over all of w if it is None", "2.0"),
        Case("threshold(w, 3)", "w = np.array([7.0])", want="0.0"),
        Case(
            "threshold(w, 2.0, mask)",
            "w = np.array([1.0, 5.0])\nmask = np.array([False, False])",
            "0.0 if no weight remains, as where mask is all False",
            "0.0",
        ),
        Case("threshold(np.zeros((3, 0)), 2.0)", says="0.0 if no weight remains", want="0.0"),
        spread("threshold(w, 0.7)", "w = rng.standard_normal((6, 5))"),
        spread("threshold(w, 0)", "w = rng.standard_normal((6, 5))"),
        spread("threshold(w, 1.5, mask)", "w = rng.standard_normal((7, 3))", "mask = rng.random(w.shape) < 0.4"),
        spread(
            "threshold(w, 1.5)",
            "w = 10 + rng.standard_normal((50, 20)).astype(np.float32)",
            says="computed in float64 whatever w's dtype is",
        ),
        spread(
            "threshold(w, 1.5, mask)",
            "w = rng.standard_normal((4, 3, 5, 5)).astype(np.float32)",
            "mask = rng.random(w.shape) < 0.4",
            says="computed in float64 whatever w's dtype is",
        ),
        spread("threshold(w, 2, mask)", "w = rng.standard_normal((4, 9)).T[::2]", "mask = w < 0.5"),
    ],
    "02.3": [
        mask_by_hand("[1.0, 2.0, 3.0]", "[True, False, True]", "[1.0, 0.0, 3.0]"),
        mask_by_hand("[[1.0, -2.0], [3.0, 4.0]]", "[[False, True], [False, False]]", "[[0.0, -2.0], [0.0, 0.0]]"),
        mask_by_hand(
            "[np.nan, np.inf, 3.0, -np.inf]", "[False, False, True, False]", "[0, 0, 3.0, 0]", "never -0 or NaN"
        ),
        mask_by_hand("[np.nan, np.inf, -np.inf, 4.0]", "[True, True, True, False]", "", "what is kept stays as it is"),
        Case(
            "masked(w, mask=mask)",
            lines(TENSOR, "w = Tensor(np.array([-0.0, -2.0, -1.0]))", "mask = np.array([False, False, True])"),
            "exactly 0, never -0",
            judge=no_negative_zero,
        ),
        masks_at_random((3, 5), "float32", 0.4),
        masks_at_random((4, 3, 5, 5), "float64", 0.1),
        masks_at_random((7, 9), "float64", 0.5, more=".T[::2]"),
        masks_at_random((6,), "float32", 2),
        masks_at_random((6,), "float32", 0),
        masks_at_random((0, 3), "float32", 0.5),
        *itertools.starmap(of_another_shape, [((2, 3), 3), ((2, 3), (2, 1)), ((2, 3), (3, 2)), (6, (2, 3)), (6, 5)]),
    ],
    "02.4": [
        Case("gradual_sparsity(1, 0.0, 0.27, 0, 3, 1)", want="0.19"),  # 0.27 - 0.27 (2/3)^3
        Case("gradual_sparsity(1, 0.0, 0.8, 0, 2, 1)", want="0.7"),
        Case("gradual_sparsity(0, 0.0, 0.8, 0, 2, 1)", want="0.0"),
        Case("gradual_sparsity(2, 0.0, 0.8, 0, 2, 1)", want="0.8"),
        Case("gradual_sparsity(110, 0.0, 0.8, 100, 2, 10)", want="0.7"),
        Case("gradual_sparsity(119, 0.0, 0.8, 100, 2, 10)", says=LAST_STEP, want="0.7"),
        Case("gradual_sparsity(109, 0.25, 0.75, 100, 2, 10)", says=LAST_STEP, want="0.25"),
        *[
            Case(f"gradual_sparsity({t}, 0.25, 0.75, 7, 3, 5)", says="It is s_i at all t before t_0", want="0.25")
            for t in (0, 6, 1)
        ],
        *[
            Case(f"gradual_sparsity({t}, 0.25, 0.75, 7, 3, 5)", says="s_f at all t after t_0 + n dt", want="0.75")
            for t in (22, 23, 1000)
        ],
        *[Case(f"gradual_sparsity({t}, 0.1, 0.92, 7, 13, 5)") for t in (7, 12, 16, 33, 50, 66, 71, 72)],
        Case("gradual_sparsity(5, 0.0, 0.5, 0, 1, 1)", want="0.5"),
        *[
            Case(f"gradual_sparsity(3, 0.0, 0.5, 0, {n}, {dt})", says="ValueError unless n and dt are at least 1")
            for n, dt in ((-1, 1), (1, -2), (-2, -3), (0, 1), (1, 0))
        ],
    ],
    "02.5": [
        pruned("[14.0, 2.0, -14.0, -2.0]", 1, want="0.5"),  # std = 10
        pruned("[1.0, -1.0, 1.0, -1.0]", 1, want="0.0", says="A weight exactly at the threshold goes"),
        pruned("[2.0, 4.0, -8.0, 0.0]", 0, want="0.75"),
        pruned(
            "[4.0, -4.0, 1.0, -1.0]",
            1.25,
            "set_mask(p, np.array([True, True, False, False]))",
            want="0.0",  # the threshold is 5; with zeros, or the weights that went, it would be less than 4
            says="std(w) is over the weights that remain",
        ),
        pruned(
            "[4.0, -4.0, 2.0, -2.0, 1.0]",
            0.75,
            "set_mask(p, np.array([True, True, True, True, False]))",
            says="the fraction of all of p's weights",
            want="0.4",
        ),
        pruned(
            "[4.0, -4.0, 2.0, -2.0]",
            0.75,
            "set_mask(p, np.array([True, True, True, False]))",
            "p.data = np.array([4.0, -4.0, 2.0, 9.0])  # as a step of SGD may",
            says="none comes back: w is 0 where one was removed",
        ),
        Case("prune(p, 1)", CODEBOOK, "w = p().data, the weights that the network uses now", "0.5"),
        pruned(
            "[4.0, -4.0, 2.0, -2.0]",
            1,
            "set_mask(p, np.array([True, True, True, False]))",
            TWICE,
            says="The array of the old mask stays as it was",
        ),
        prunes_at_random((6, 5), "float32", 0.8),
        prunes_at_random((4, 3, 5, 5), "float64", 1.7),
        prunes_at_random((40, 25), "float64", 0.5, "set_mask(p, rng.random(p.shape) < 0.6)"),
        prunes_at_random((40, 25), "float32", 1.1, "set_mask(p, rng.random(p.shape) < 0.3)", "p.data = p.data + 1"),
        prunes_at_random((12,), "float32", 100),
        *[pruned("[3.0, 1.0]", q, says=QUALITY) for q in ("-1", "float('inf')", "float('nan')")],
    ],
    "02.6": [
        Case(
            "flop_fractions(flops, kept, active)",
            "flops = np.array([10, 30])\nkept = np.array([0.5, 0.5])\nactive = np.array([0.5, 0.25])",
            want="(np.array([0.5, 0.25]), 0.3125)",  # (10 * 0.5 + 30 * 0.25) / 40
        ),
        Case(
            "flop_fractions(flops, kept, active)",
            "flops = np.array([10, 10, 20])\nkept = np.array([1.0, 0.5, 1.0])\nactive = np.array([0.5, 0.5, 0.125])",
            want="(np.array([1.0, 0.25, 0.5]), 0.5625)",
        ),
        Case(
            "flop_fractions(flops, kept, active)",
            "flops = np.array([7])\nkept = np.array([0.25])\nactive = np.array([0.5])",
            "the image counts as full",
            want="(np.array([0.25]), 0.25)",
        ),
        Case("flop_fractions(flops, kept, active)", ROWS),  # the paper's table 2
        Case(
            "flop_fractions(flops, kept, active)",
            "flops = np.array([3.0, 5.0, 2.0])\nkept = np.array([0.0, 0.5, 1.0])\nactive = np.array([0.0, 1.0, 0.0])",
        ),
        *[layers_at_random(count) for count in (2, 5, 13)],
        layers_at_random(6, "float32"),
    ],
    "02.7": [
        Case(
            "random_mask(p, 1, 0)",
            "p = Parameter(np.array([3.0, 1.0, 2.0]))",
            EXACT,
            want="np.array([True, True, True])",
        ),
        by_seed(P.format(4), 0.5, range(5), right_count((4,), 2), EXACT),
        by_seed(P.format(4), 0.4, range(5), right_count((4,), 2), EXACT),
        by_seed(P.format(4), 0.3, range(5), right_count((4,), 1), EXACT),
        by_seed(P.format(7), 0.5, range(3), right_count((7,), 4), "Python's round"),
        by_seed(P.format(5), 0.5, range(3), right_count((5,), 2), "Python's round"),
        by_seed(P.format(8), 0.05, range(3), right_count((8,), 0), EXACT),
        *[
            by_seed("p = Parameter(np.ones((20, 30)))", keep, range(3), right_count((20, 30), count), EXACT)
            for keep, count in ((0.001, 1), (0.333, 200), (0.9, 540), (1, 600))
        ],
        by_seed(
            HALF,
            0.25,
            range(5),
            right_count((4, 6), 6, np.arange(24).reshape(4, 6) % 2 == 0),
            "no weight comes back",
        ),
        Case("random_mask(p, 0.5, 3)", HALF, WITHIN),
        Case("random_mask(p, 0.9, 3)", HALF, WITHIN),
        Case("random_mask(p, 1, 3)", HALF, WITHIN),
        by_seed("p = Parameter(np.ones((8, 5)))", 0.5, [3] * 3, same, SEED),
        by_seed("p = Parameter(np.ones((8, 5)))", 0.5, [3, "np.random.default_rng(3)"], same, SEED),
        by_seed("p = Parameter(np.ones((8, 5)))", 0.5, range(6), different),
        by_seed("p = Parameter(np.ones((8, 5)))\nrng = np.random.default_rng(3)", 0.5, ["rng"] * 3, same, GENERATOR),
        by_seed(
            lines("p = Parameter(np.ones((8, 5)))", "rng, later = np.random.default_rng(3), np.random.default_rng(3)")
            + "\nlater.random(100)",
            0.5,
            ["rng", "later", "np.random.default_rng(8)"],
            different,
            "a Generator, from which it draws",
        ),
        by_seed(P.format(5), 0.4, range(500), equally_likely([0, 1, 2, 3, 4], 2), "Every such mask is equally likely"),
        by_seed(
            P.format(5) + "\nset_mask(p, np.array([True, True, False, True, True]))",
            0.4,
            range(300),
            equally_likely([0, 1, 3, 4], 2),
            "Every such mask is equally likely",
        ),
        *[
            Case(f"random_mask(Parameter(np.ones(3)), {k}, 0)", says="ValueError unless 0 < keep <= 1")
            for k in (0, 1.1, -0.5)
        ],
    ],
    "02.8": [
        stored("[2.0, 3.0]", "[1, 2]", "[0, 2]", "[1.0, 10.0, 100.0]", "[320.0]"),
        stored("[5.0, 7.0, 3.0]", "[0, 3, 1]", "[0, 2, 3]", "[1.0, 10.0, 1000.0, 100.0]", "[705.0, 30.0]"),
        stored("[5.0, 7.0, 3.0]", "[0, 1, 1]", "[0, 2, 2, 3]", "[1.0, 10.0]", "[75.0, 0.0, 30.0]", "and then y_i is 0"),
        stored("[5.0, 7.0]", "[1, 0]", "[0, 0, 1, 2, 2]", "[1.0, 10.0]", "[0.0, 50.0, 7.0, 0.0]", "and then y_i is 0"),
        stored("[2.0]", "[1]", "[0, 1]", "[np.nan, 10.0, np.nan]", "[20.0]", "changes nothing, not even NaN"),
        Case(
            "csr_matvec(values, columns, pointers, x)",
            "values, columns = np.zeros(0), np.zeros(0, np.int32)\npointers, x = np.array([0]), np.ones(3)",
            "M may be 0",
            "np.zeros(0)",
        ),
        *[
            stored_at_random(m, k, d, "float64")
            for m, k, d in ((1, 1, 1), (5, 1, 0.4), (1, 7, 0.4), (6, 9, 1), (6, 9, 0))
        ],
        *[stored_at_random(m, k, d) for m, k, d in ((9, 6, 0.4), (30, 20, 0.1), (13, 40, 0.5))],
    ],
    "02.9": [
        folded("[[1.0, 10.0]]", "[5.0]", "[3.0, 7.0]", "[True, False]", "[8.0]"),
        folded(
            "[[1.0, 10.0, 100.0], [2.0, 20.0, 200.0]]",
            "[0.5, -0.5]",
            "[3.0, 7.0, 2.0]",
            "[True, False, True]",
            "[203.5, 405.5]",
        ),
        folded(
            "[[1.0, 10.0], [2.0, 20.0]]",
            "[0.5, -0.5]",
            "[3.0, 7.0]",
            "[False, False]",
            "[0.5, -0.5]",
            "perhaps nowhere",
        ),
        folded("[[1.0, 10.0], [2.0, 20.0]]", "[0.5, -0.5]", "[3.0, 7.0]", "[True, True]", "[73.5, 145.5]"),
        folded("[[1.0, 10.0], [2.0, 20.0]]", "[0.5, -0.5]", "[-3.0, 0.0]", "[True, True]", "[-2.5, -6.5]"),
        *[
            folded_at_random(o, i, share)
            for o, i, share in ((4, 6, 0.5), (1, 9, 0.3), (7, 7, 0.6), (5, 1, 2), (3, 0, 0))
        ],
        folded_at_random(6, 11, 0.5, "float32", "float32"),
        folded_at_random(6, 11, 0.5, "float64", "float32"),
    ],
}
