"""What the exercises of chapter 03, filter pruning, are graded on (see lightnn/study/exercises/cases.py)."""

import numpy as np

from lightnn.study.exercises.cases import Case
from lightnn.study.exercises.outcome import plain


def _way(parent, i):
    """Where the parents of i lead, or None if they do not end at an element of the list."""
    for _ in parent:
        if not isinstance(i, int) or not 0 <= i < len(parent) or parent[i] == i:
            break
        i = parent[i]
    return i if isinstance(i, int) and 0 <= i < len(parent) and parent[i] == i else None


def _merged(parent, a, b):
    """The judge of join(parent, a, b): does every element have the right representative, whatever the way to it?"""
    parent, a, b = list(parent), [int(i) for i in a], [int(i) for i in b]
    want = [_way(parent, i) for i in range(len(parent))]
    for i, k in zip(a, b, strict=True):
        low, high = sorted((want[i], want[k]))
        want = [low if r == high else r for r in want]

    def judge(results):
        (seen,) = results
        size, changed = f"list of {len(parent)}", "argument {}, afterwards".format
        if seen.get("type of result") != size:
            return f"parent, a {size}", plain(seen.get("type of result", seen.get("result")))
        result = [seen[f"result[{i}]"] for i in range(len(parent))]
        after = [seen.get(changed(f"parent[{i}]")) for i in range(len(parent))]
        if result != after:
            return "the argument parent, changed", f"it returned {plain(result)}, but parent is {plain(after)}"
        got = [_way(result, i) for i in range(len(parent))]
        return None if got == want else (f"representatives {plain(want)}", f"representatives {plain(got)}")

    return judge


def _join(parent, a, b, says=""):
    return Case(f"join({parent}, {a}, {b})", says=says, judge=_merged(parent, a, b))


def _join_random(n, pairs, seed):
    a, b = np.random.default_rng(seed).integers(0, n, (2, pairs))
    setup = f"rng = np.random.default_rng({seed})\na, b = rng.integers(0, {n}, (2, {pairs}))"
    return Case(f"join(list(range({n})), a, b)", setup, judge=_merged(range(n), a, b))


def _random(name, shape, dtype="np.float64"):
    return f"rng = np.random.default_rng(3)\n{name} = rng.standard_normal({shape}, {dtype})"


TREE = """rng = np.random.default_rng({seed})
i, parent = rng.permutation(40).tolist(), list(range(40))
for k in range(1, 40):
    parent[i[k]] = i[k - rng.integers(0, min(k, 3))]"""

CASES = {
    "03.1": [
        Case(
            "filter_norms(w)",
            "w = np.array([1.0, -2, 3, 0, -5, 4, 0, 0]).reshape(2, 2, 1, 2)",
            want="np.array([6.0, 9.0])",
        ),
        Case(
            "filter_norms(w, 2)",
            "w = np.array([3.0, -4, 0, 0, 12, 0, 0, 5]).reshape(2, 2, 1, 2)",
            says="order 2:  s_j = sqrt(sum F_j^2)",
            want="np.array([5.0, 13.0])",
        ),
        Case(
            "filter_norms(w)",
            "w = np.array([[1.0, -2.0, 3.0], [-4.0, 0.0, 0.0]])",
            says="or (O, I) in a fully connected layer",
            want="np.array([6.0, 4.0])",
        ),
        *[
            Case(
                f"filter_norms(w, {order})",
                f"w = np.array([{values}], np.{dtype}).reshape(1, 1, 1, 3)",
                says="Everything is computed in float64, whatever w's dtype",
                want=want,
            )
            for order, dtype, values, want in [
                (1, "int64", "1, -2, 3", "np.array([6.0])"),
                (2, "int8", "-20, 40, 40", "np.array([60.0])"),
                (1, "int8", "-128, 127, 0", "np.array([255.0])"),
            ]
        ],
        Case(
            "filter_norms(w)", "w = np.full((2, 8, 16, 9), 0.1, np.float32)", says="Everything is computed in float64"
        ),
        *[
            Case(f"filter_norms(w, {order})", _random("w", shape, dtype))
            for shape in [(5, 3, 3, 2), (3, 5, 1, 4), (4, 7), (1, 1, 1, 1)]
            for dtype in ("np.float64", "np.float32")
            for order in (1, 2)
        ],
        Case("filter_norms(w.T, order=2)", _random("w", (4, 3, 5, 6))),
    ],
    "03.2": [
        Case("smallest(np.array([5, 2, 4, 1, 3]), 2)", want="np.array([1, 3])"),
        *[
            Case(call, want=want, says="Of equal scores, those with the lower index count as smaller")
            for call, want in [
                ("smallest(np.array([2, 2, 2, 2]), 2)", "np.array([0, 1])"),
                ("smallest(np.array([3, 1, 3, 1, 1]), 2)", "np.array([1, 3])"),
                ("smallest(np.array([3, 1, 3, 1, 3]), 4)", "np.array([0, 1, 2, 3])"),
            ]
        ],
        Case("smallest(np.array([3.0, -1.0, -7.0, 0.0]), 2)", want="np.array([1, 2])"),
        Case("smallest(np.array([0.9, 0.1, 0.8, 0.2]), 2)", want="np.array([1, 3])"),
        Case("smallest(np.array([3.0, -1.0]), 2)", want="np.array([0, 1])", says="0 <= count <= n"),
        Case("smallest(np.array([3.0, -1.0]), 0)", want="np.zeros(0, np.int64)", says="int64 (count,)"),
        *[
            Case(f"smallest(np.array([3.0, -1.0]), {n})", says="ValueError unless 0 <= count <= n")
            for n in (-1, 3, -2, 9)
        ],
        *[
            Case(
                f"smallest(scores, {n})",
                f"rng = np.random.default_rng(3)\nscores = rng.integers({low}, {high}, {size}).astype(np.{dtype})",
                says="Of equal scores, those with the lower index count as smaller",
            )
            for n, low, high, size, dtype in [
                (20, 0, 4, 60, "float64"),
                (37, -3, 3, 90, "int64"),
                (1, 5, 6, 40, "float32"),
            ]
        ],
        *[Case(f"smallest(scores, {n})", _random("scores", 31)) for n in (1, 10, 30)],
        Case("smallest(scores, 9)", _random("scores", 25, "np.float32")),
    ],
    "03.3": [
        Case("columns(np.array([7, 5]), (2, 3))", want="np.array([7] * 6 + [5] * 6)"),
        Case("columns(np.array([3, 1]), ())", want="np.array([3, 1])", says="for () each channel has one column"),
        Case("columns(np.array([4, 9]), (3,))", want="np.array([4, 4, 4, 9, 9, 9])", says="of any length"),
        Case(
            "columns(np.array([2, 0, 2]), (1, 2))", want="np.array([2, 2, 0, 0, 2, 2])", says="any numbers in any order"
        ),
        Case("columns(np.array([4, 9]), (1, 1))", want="np.array([4, 9])"),
        *[
            Case(f"columns(np.array([5, 3], np.{dtype}), (2, 1))", says="in the dtype of channels")
            for dtype in ("int32", "uint8", "float32")
        ],
        Case("columns(np.array([5, 3, -1]), (2, 3, 4))", says="of any length"),
        Case("columns(np.arange(50), (4, 4))"),
        Case("columns(channels, (5, 7))", "rng = np.random.default_rng(3)\nchannels = rng.integers(0, 99, 20)"),
        Case("columns(np.arange(12)[::-2], (3, 2))", says="any numbers in any order"),
    ],
    "03.4": [
        Case(
            "greedy_norms(w, [1])",
            "w = np.array([1.0, 10, -100, 2, 0, 3]).reshape(2, 3, 1, 1)",
            want="np.array([101.0, 5.0])",
        ),
        Case(
            "greedy_norms(w, [0], 2)",
            "w = np.array([9.0, 3, -4, 9, 5, 12]).reshape(2, 3, 1, 1)",
            says="w and order are those of `filter_norms`",
            want="np.array([5.0, 13.0])",
        ),
        *[
            Case(f"greedy_norms(w, {removed})", "w = np.array([[1.0, 2.0], [3.0, -4.0]])", says=says, want=want)
            for removed, says, want in [
                ("[]", "which may be empty", "np.array([3.0, 7.0])"),
                ("np.array([], np.int64)", "which may be empty", "np.array([3.0, 7.0])"),
                ("[1, 0]", "If no channel remains, every score is 0", "np.zeros(2)"),
                ("np.array([1])", "a list or an array", "np.array([1.0, 3.0])"),
            ]
        ],
        Case(
            "greedy_norms(w, [3, 0])", "w = np.arange(8).reshape(2, 4, 1, 1)", "in any order", "np.array([3.0, 11.0])"
        ),
        *[
            Case(f"greedy_norms(w, {removed}, {order})", _random("w", shape, dtype))
            for shape, removed in [((6, 5, 3, 3), [4]), ((3, 8, 3, 2), [7, 2, 5]), ((4, 9), [0, 8]), ((2, 4, 5, 5), [])]
            for dtype in ("np.float64", "np.float32")
            for order in (1, 2)
        ],
        Case("greedy_norms(w, [1], order=2)", "w = np.full((2, 3, 2, 2), -50, np.int8)"),
        Case("greedy_norms(w.T, np.array([2]))", _random("w", (4, 3, 5, 6))),
    ],
    "03.5": [
        Case(
            "map_statistics(maps)",
            "maps = np.array([3.0, 4.0, 0.0, -2.0]).reshape(2, 1, 1, 2)",
            want='{"mean-mean": np.array([1.25]), "mean-std": np.array([0.75]), "mean-l1": np.array([4.5]), '
            '"mean-l2": np.array([3.5]), "variance-l2": np.array([2.25])}',
        ),
        Case(
            "map_statistics(maps)",
            "maps = np.array([1.0, -1.0, 5.0, 3.0] * 2).reshape(2, 1, 2, 2)",
            says="The sums run over its pixels, and n is their number",
            want='{"mean-mean": np.array([2.0]), "mean-std": np.array([5**0.5]), "mean-l1": np.array([10.0]), '
            '"mean-l2": np.array([6.0]), "variance-l2": np.array([0.0])}',
        ),
        Case(
            "map_statistics(maps)",
            "maps = np.array([0.0, 4, 3, 0, 0, 4]).reshape(3, 1, 2, 1)",
            says="it is the variance of l2(x_ij) over the images",
        ),
        Case("map_statistics(maps)", "maps = np.arange(16.0).reshape(2, 2, 2, 2)", says="x_ij is map j of image i"),
        Case(
            "map_statistics(maps)",
            "maps = np.array([[[[0, 100], [200, 250]]]] * 2, np.uint8)",
            says="Everything is computed in float64, whatever the maps' dtype",
        ),
        Case(
            "map_statistics(maps)",
            _random("maps", (7, 4, 3, 5), "np.float32"),
            says="Everything is computed in float64, whatever the maps' dtype",
        ),
        *[
            Case("map_statistics(maps)", _random("maps", shape))
            for shape in [(7, 4, 3, 5), (3, 3, 3, 3), (5, 6, 1, 4), (4, 1, 6, 1), (2, 9, 4, 2)]
        ],
        Case("map_statistics(np.maximum(maps, 0))", _random("maps", (6, 3, 4, 4), "np.float32")),
        Case("map_statistics(maps.transpose(0, 3, 1, 2))", _random("maps", (4, 5, 3, 2))),
    ],
    "03.6": [
        Case("root([0, 1, 1], 2)", want="1"),
        Case("root([0, 0, 1, 2, 3, 4], 5)", says="the way goes on from the grandparent in the same manner", want="0"),
        Case("root([0, 1, 2], 2)", want="2", says="or i itself if i is the representative"),
        Case("root([0, 2, 3, 3], 1)", want="3", says="with a higher or a lower number"),
        Case("root([2, 2, 2], 0)", want="2", says="with a higher or a lower number"),
        Case("root([1, 2, 3, 3], 0)", want="3", says="with a higher or a lower number"),
        Case("root([3, 3, 1, 3, 2], 4)", want="3", says="with a higher or a lower number"),
        Case("root([1, 1, 0], 2)", want="1", says="with a higher or a lower number"),
        Case("root([0, 0, 1, 2, 3], 4)", want="0", says="every second element on the way gets a new parent"),
        Case("root([0, 0, 1, 2, 3, 4, 5, 6], 7)", says="every second element on the way gets a new parent"),
        Case("root([0, 0, 1, 2, 3, 4, 5, 6], 4)", says="every second element on the way gets a new parent"),
        *[Case(f"root(parent, i[{i}])", TREE.format(seed=seed)) for seed in (3, 4, 5) for i in (10, 25, 39)],
        Case(
            "root(parent, 4999)",
            "parent = [0, *range(4999)]",
            says="A way may be longer than Python's recursion allows",
        ),
    ],
    "03.7": [
        Case("join([0, 1, 2, 3], [3], [1])", want="[0, 1, 2, 1]"),
        Case("join([0, 1, 2, 3], [1], [3])", want="[0, 1, 2, 1]"),
        _join([0, 1, 2, 3], [0, 2], [1, 3]),
        _join([0, 1, 1], [2], [0], "parent[max(root(a), root(b))] = min(root(a), root(b))"),
        _join([0, 1, 2], [1, 2], [2, 0], "parent[max(root(a), root(b))] = min(root(a), root(b))"),
        _join([0, 0, 1, 3, 3, 4], [5], [2], "parent[max(root(a), root(b))] = min(root(a), root(b))"),
        _join([2, 1, 2], [0], [1], "The lower of the two representatives represents the merged set"),
        _join([3, 1, 1, 3], [0, 2], [3, 1]),
        _join([0, 0, 1], [2, 1], [0, 1]),
        _join([0, 1, 2], [], []),
        *[
            Case(f"join([0, 1, 2], {a}, {b})", says="ValueError if one is longer than the other")
            for a, b in [([0, 1], [2]), ([0], [1, 2]), ([1], []), ([], [1])]
        ],
        Case(
            "join([0, 1, 2], np.array([2, 0]), np.array([1, 2]))",
            says="lists or arrays of elements",
            judge=_merged([0, 1, 2], [2, 0], [1, 2]),
        ),
        _join([0, 0, 1, 2, 3, 5, 5, 6, 7], [8, 4], [4, 8]),
        *[_join_random(n, pairs, seed) for n, pairs, seed in [(10, 5, 3), (30, 20, 4), (40, 25, 5), (60, 80, 6)]],
    ],
}
