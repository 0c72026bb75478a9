"""What the exercises of chapter 14, automatic search, are graded on (see lightnn/study/exercises/cases.py)."""

from lightnn.study.exercises.cases import Case

INT = "ValueError unless iteration is an\n    int >= 1"
LESS = "which may be less than the last target"
HARD = "within the target only the accuracy counts"
SOFT = "a network that is faster than the target gains by it, too"
ABOVE_0 = "ValueError unless latency and target\n    are finite numbers > 0"
ONE = "above 1 it counts as 1"
LAST_WORD = "If even the\n    others are above the budget, the result is `least`"
ALIKE = "one that all layers have alike becomes 0"
EQUAL = "of equal rewards the earlier ones"
ASCENDING = "each ascending"
STOPS = "0 where the clipped term is the smaller one"
NOT_NEGATIVE = "0 where rounding makes it negative"


def _state(t, last, setup="", **more):
    given = "features, macs, left = [[0, 8, 5], [1, 16, 5], [2, 32, 5]], [80, 60, 60], [50, 45, 60]"
    return Case(f"layer_state(features, macs, left, {t}, {last})", setup or given, **more)


def _random(*shapes):
    lines = [f"{name} = rng.standard_normal({shape})" for name, shape in shapes]
    return "\n".join(["rng = np.random.default_rng(5)", *lines])


CASES = {
    "14.1": [
        Case("resource_target(100, 100, 1)", want="97.5"),
        Case("resource_target(100, 200, 1, 0.25, 0.5)", want="50.0"),
        Case("resource_target(50, 200, 2, 0.25, 0.5)", want="25.0", says=LESS),
        Case("resource_target(40, 200, 3, 0.25, 0.5)", want="27.5", says=LESS),
        Case("resource_target(64, 64, 4, 0.5, 0.5)", want="60.0"),
        Case("resource_target(4, 2, 1, 1, 1)", want="2.0", says="a float"),
        Case("resource_target(97, 100, 2)"),
        Case("resource_target(1.75, 2.5, 7)"),
        Case("resource_target(now=90, first=100, iteration=3, decay=0.9)"),
        *[Case(f"resource_target(100, 100, {i})", says=INT) for i in (0, -1, 1.5)],
    ],
    "14.2": [
        Case("latency_reward(0.8, 75, 75)", want="0.8"),
        Case("latency_reward(0.5, 1, 4, -0.5, -2)", want="1.0"),
        Case("latency_reward(0.8, 150, 75, 0, -1)", want="0.4", says=HARD),
        Case("latency_reward(0.8, 30, 75, 0, -1)", want="0.8", says=HARD),
        Case("latency_reward(0.5, 4, 1, -2, -0.5)", want="0.25"),
        Case("latency_reward(0.8, 37.5, 75)", says=SOFT),
        Case("latency_reward(0.71, 92, 80)"),
        Case("latency_reward(1, 1, 1)", want="1.0"),
        Case("latency_reward(0.7, 3.5, 2.0, beta=-0.3)"),
        *[Case(f"latency_reward(0.8, {a})", says=ABOVE_0) for a in ("0, 75", "75, 0", "-1, 75", "1, -75", "np.inf, 1")],
    ],
    "14.3": [
        Case("action_wall(0.9, 80, 20, 60, 0.2)", want="0.5"),
        Case("action_wall(0.3, 80, 20, 60, 0.2)", want="0.3"),
        Case("action_wall(0.1, 80, 20, 60, 0.2)", want="0.2"),
        Case("action_wall(0.9, 80, 55, 60, 0.2)", want="0.2", says=LAST_WORD),
        Case("action_wall(0.5, 80, 90, 60, 0.25)", want="0.25", says=LAST_WORD),
        Case("action_wall(1.5, 80, 10, 500, 0.2)", want="1.0", says=ONE),
        Case("action_wall(1.0, 10, 100, 108, 0.2)", want="0.8"),
        Case("action_wall(1, 8, 0, 800, 0)", want="1.0"),
        Case("action_wall(0.75, 30, 20, 44, 0.1)"),
        Case("action_wall(a=0.6, this=100, others=10, budget=45, least=0.3)", want="0.35"),
        Case("action_wall(-0.5, 80, 20, 60, 0.2)", want="0.2"),
        Case("action_wall(1.25, 80, 0, 96, 0.2)", want="1.0", says=ONE),
    ],
    "14.4": [
        _state(1, 0.7, want="np.array([0.5, 1 / 3, 0.0, 0.15, 0.3, 0.7])"),
        _state(0, 1, want="np.array([0.0, 0.0, 0.0, 0.0, 0.6, 1.0])", says="float64 (F + 3,)"),
        _state(2, 0.3, want="np.array([1.0, 1.0, 0.0, 0.225, 0.0, 0.3])", says=ALIKE),
        _state(0, 0.5, "features, macs, left = np.array([[3.0, 7.0]]), np.array([5.0]), np.array([5.0])", says=ALIKE),
        _state(3, 0.25, _random(("features", (5, 4)), ("macs", 5), ("left", 5)) + "\nmacs, left = macs**2, left**2"),
        _state(1, 0.6, _random(("features", (4, 7)), ("macs", 4), ("left", 4)) + "\nmacs, left = macs**2, left**2"),
        Case("layer_state(macs=[4, 4], left=[2, 4], features=[[1], [3]], last=0.5, t=1)",
             want="np.array([1.0, 0.25, 0.0, 0.5])"),
    ],
    "14.5": [
        Case("tpe_split([0.1, 0.9, 0.5, 0.8])", want="(np.array([1]), np.array([0, 2, 3]))"),
        Case("tpe_split([0.1, 0.9, 0.5, 0.95, 0.2])", want="(np.array([1, 3]), np.array([0, 2, 4]))",
             says="the ceil(fraction N) largest"),
        Case("tpe_split([0.9, 0.1, 0.95, 0.2], 0.5)", want="(np.array([0, 2]), np.array([1, 3]))", says=ASCENDING),
        Case("tpe_split([3, 3, 3, 3])", want="(np.array([0]), np.array([1, 2, 3]))", says=EQUAL),
        Case("tpe_split([1, 2, 2, 2, 0], 0.5)", want="(np.array([1, 2, 3]), np.array([0, 4]))", says=EQUAL),
        Case("tpe_split([1, 2, 2, 2, 0], 0.4)", want="(np.array([1, 2]), np.array([0, 3, 4]))", says=EQUAL),
        Case("tpe_split([7])", want="(np.array([0]), np.array([], int))"),
        Case("tpe_split([5, 6], 1.0)", want="(np.array([0, 1]), np.array([], int))"),
        Case("tpe_split(np.array([-1.0, -3.0, -2.0]), fraction=0.1)", want="(np.array([0]), np.array([1, 2]))"),
        Case("tpe_split(rewards, 0.25)", _random(("rewards", 30))),
        Case("tpe_split(list(rewards), 0.5)", _random(("rewards", 17))),
    ],
    "14.6": [
        Case("clipped_objective([0.0], [0.0], [2.0])", want="(2.0, np.array([2.0]))"),
        Case(
            "clipped_objective(np.log([1.5, 0.4]), [0.0, 0.0], [1.0, 2.0])",
            want="(1.0, np.array([0.0, 0.4]))",
            says=STOPS,
        ),
        Case("clipped_objective(np.log([1.5]), [0.0], [1.0])", want="(1.2, np.array([0.0]))", says=STOPS),
        Case("clipped_objective(np.log([0.5]), [0.0], [1.0])", want="(0.5, np.array([0.5]))"),
        Case("clipped_objective(np.log([1.5]), [0.0], [-1.0])", want="(-1.5, np.array([-1.5]))"),
        Case("clipped_objective(np.log([0.5]), [0.0], [-1.0])", want="(-0.8, np.array([0.0]))", says=STOPS),
        Case("clipped_objective(np.log([1.1]), [0.0], [2.0])", want="(2.2, np.array([2.2]))"),
        Case("clipped_objective(np.log([0.25, 0.5]), np.log([0.5, 0.5]), [1.0, 3.0])",
             want="(1.75, np.array([0.25, 1.5]))"),
        Case("clipped_objective(np.log([1.5, 1.0]), [0.0, 0.0], [1.0, 1.0], 0.5)"),
        Case("clipped_objective(log_p, old, a)", _random(("log_p", 12), ("old", 12), ("a", 12))),
        Case("clipped_objective(list(log_p / 5), list(old / 5), list(a), eps=0.1)",
             _random(("log_p", 9), ("old", 9), ("a", 9))),
        Case("clipped_objective([0.0, 0.0], [0.0, 0.0], [0.0, 1.0])", want="(0.5, np.array([0.0, 0.5]))"),
    ],
    "14.7": [
        Case("gp_posterior([[0.0]], [2.0], [[0.0]], noise=1.0)", want="(np.array([1.0]), np.array([0.5]))"),
        Case("gp_posterior([[0.0]], [4.0], [[0.0], [1.0]], length=1.0, noise=3.0)",
             want="(np.array([1.0, np.exp(-0.5)]), np.array([0.75, 1 - np.exp(-1) / 4]))"),
        Case("gp_posterior([[0.0], [100.0]], [1.0, 2.0], [[100.0], [50.0]], noise=1.0)",
             want="(np.array([1.0, 0.0]), np.array([0.5, 1.0]))"),
        Case("gp_posterior([[0.5, 0.5]], [1.0], [[0.5, 0.5]], noise=0.0)", want="(np.array([1.0]), np.array([0.0]))",
             says=NOT_NEGATIVE),
        Case("gp_posterior(X, y, X_new)", _random(("X", (6, 2)), ("y", 6), ("X_new", (4, 2)))),
        Case("gp_posterior(X, y, X_new, 0.9, 0.1)", _random(("X", (5, 3)), ("y", 5), ("X_new", (7, 3)))),
        Case("gp_posterior(X.tolist(), y.tolist(), X_new.tolist(), noise=0.5, length=2.0)",
             _random(("X", (3, 1)), ("y", 3), ("X_new", (2, 1)))),
    ],
}  # fmt: skip
