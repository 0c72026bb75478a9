"""Chapter 14, automatic search: schedules, rewards, walls, states, and what proposes the next candidate."""

import lightnn.search  # noqa: F401  (its exercises register themselves)
from lightnn.study.exercises.sheets import Mistake, Sheet

SHEETS = (
    Sheet(
        "14.1",
        "How much to take this time",
        "easy",
        "target_i = R_{i-1} - ratio R_0 decay^(i-1)",
        (
            "The first reduction is ratio times what the network took at first.",
            "Each later one is decay times the one before: decay ** (iteration - 1).",
            "It is taken from `now`, what the network really takes, not from the last target.",
        ),
        (
            Mistake("the decay begins one iteration too early", "decay ** (i - 1)", "decay**i"),
            Mistake("the reduction does not decay", " * decay ** (i - 1)", ""),
            Mistake("the reduction is a part of R_0, not of R_{i-1}", "ratio * first", "ratio * now"),
            Mistake("the target starts from R_{i-1}, not from R_0", "float(now -", "float(first -"),
            Mistake("the reduction is added", "now - ratio", "now + ratio"),
            Mistake("the result must be a float", "float(now - ratio * first * decay ** (i - 1))",
                    "now - ratio * first * decay ** (i - 1)"),
            Mistake("iteration 0 is not refused", 'options.count("resource_target: iteration", iteration)',
                    "iteration"),
        ),
    ),
    Sheet(
        "14.2",
        "Accuracy and milliseconds in one number",
        "easy",
        "accuracy (latency / target)^w,   w = alpha if latency <= target, else beta",
        (
            "First choose w, then one power.",
            "Within the target it is alpha, beyond it beta.",
            "options.numbers_above_0(name, latency=latency, target=target) raises the ValueError.",
        ),
        (
            Mistake("alpha and beta are swapped", "alpha if latency <= target else beta",
                    "beta if latency <= target else alpha"),
            Mistake("the ratio is upside down: want latency / target", "latency / target) **", "target / latency) **"),
            Mistake("w multiplies: want a power", "(latency / target) ** w", "(latency / target) * w"),
            Mistake("beta is never used", "alpha if latency <= target else beta", "alpha"),
            Mistake("the accuracy is missing", "accuracy * (latency", "(latency"),
            Mistake("the result must be a float", "float(accuracy * (latency / target) ** w)",
                    "np.float32(accuracy * (latency / target) ** w)"),
            Mistake(
                "a latency or a target that is not above 0 is not refused",
                '    latency, target = options.numbers_above_0("latency_reward", latency=latency, target=target)\n',
                "",
            ),
        ),
    ),
    Sheet(
        "14.3",
        "The action wall",
        "middle",
        "a <= (budget - others) / this,   then   a >= least",
        (
            "What the budget leaves for this layer is budget - others. Which fraction of it is that?",
            "min of the agent's fraction, of 1 and of that; then max with least.",
            "The order matters where nothing fits: the last word has `least`.",
        ),
        (
            Mistake("`least` comes first: it has the last word", "max(min(a, 1.0, (budget - others) / this), least)",
                    "min(max(a, least), 1.0, (budget - others) / this)"),
            Mistake("the other layers are forgotten", "1.0, (budget - others) / this", "1.0, budget / this"),
            Mistake("this layer's MACs are forgotten", "1.0, (budget - others) / this", "1.0, (budget - others)"),
            Mistake("fractions above 1 are let through", "min(a, 1.0, ", "min(a, "),
            Mistake("`least` is forgotten", "max(min(a, 1.0, (budget - others) / this), least)",
                    "min(a, 1.0, (budget - others) / this)"),
            Mistake("the budget is a wall, not a wish: want the agent's fraction where it fits",
                    "min(a, 1.0, (budget - others) / this)", "min(1.0, (budget - others) / this)"),
            Mistake("the result must be a float", "float(max(min(a, 1.0, (budget - others) / this), least))",
                    "max(min(a, 1.0, (budget - others) / this), least)"),
        ),
    ),
    Sheet(
        "14.4",
        "What the agent sees",
        "middle",
        "(scaled features, reduced, rest, last)",
        (
            "Scale by columns: f.min(0) and f.max(0) are over the layers.",
            "Where max f = min f, divide by 1: f - min f is 0 there.",
            "reduced sums over the layers before t, [:t], rest over those after it, [t + 1:]; both over macs.sum().",
        ),
        (
            Mistake("rest counts layer t itself", "macs[t + 1 :]", "macs[t:]"),
            Mistake("rest counts the layers before t", "macs[t + 1 :]", "macs[:t]"),
            Mistake("reduced counts layer t itself", "(macs[:t] - left[:t])", "(macs[: t + 1] - left[: t + 1])"),
            Mistake("reduced is what is left: want what is gone", "(macs[:t] - left[:t])", "left[:t]"),
            Mistake("rest and reduced are swapped", "reduced, rest, last]", "rest, reduced, last]"),
            Mistake("the features are scaled within the layer: want over the layers", "f.min(0), f.max(0)",
                    "f[t].min(), f[t].max()"),
            Mistake("the smallest feature is not taken off", "(f[t] - low) /", "f[t] /"),
            Mistake("reduced and rest are MACs: want fractions of all", "(macs[:t] - left[:t]).sum() / macs.sum()",
                    "(macs[:t] - left[:t]).sum()"),
            Mistake("the action before is missing", "reduced, rest, last]", "reduced, rest]"),
        ),
    ),
    Sheet(
        "14.5",
        "Good ones and others",
        "middle",
        "good: the ceil(fraction N) largest rewards",
        (
            "np.argsort(-rewards, kind='stable') has the largest first; of equal ones the earlier.",
            "math.ceil(fraction * N) of them are good.",
            "Sort both parts of the order: each is ascending.",
        ),
        (
            Mistake("the smallest rewards are good: want the largest", "-np.asarray(rewards, np.float64)",
                    "np.asarray(rewards, np.float64)"),
            Mistake("rounded down: want the ceiling", "math.ceil(fraction * len(rewards))",
                    "max(1, math.floor(fraction * len(rewards)))"),
            Mistake("good and others are swapped", "np.sort(order[:count]), np.sort(order[count:])",
                    "np.sort(order[count:]), np.sort(order[:count])"),
            Mistake("the indices are by reward: want them ascending", "np.sort(order[:count]), np.sort(order[count:])",
                    "order[:count], order[count:]"),
            Mistake("the rewards themselves: want indices", "return np.sort(order[:count]), np.sort(order[count:])",
                    "return np.asarray(rewards)[np.sort(order[:count])], np.asarray(rewards)[np.sort(order[count:])]"),
            Mistake("of equal rewards the later ones are taken: want the earlier",
                    'np.argsort(-np.asarray(rewards, np.float64), kind="stable")',
                    'np.argsort(np.asarray(rewards, np.float64), kind="stable")[::-1]'),
        ),
    ),
    Sheet(
        "14.6",
        "A step that cannot go too far",
        "hard",
        "L = mean of min(r A, clip(r, 1 - eps, 1 + eps) A),   r = p / p_old",
        (
            "r = exp(log_p - log_p_old). Its derivative by log_p is r itself.",
            "The smaller of the two terms counts. If it is the clipped one, a small change of log_p changes nothing.",
            "Where both are equal the gradient is r A / N: only `clipped < free` stops it.",
        ),
        (
            Mistake("the larger of the two counts: want the smaller", "np.minimum(free, held).mean()",
                    "np.maximum(free, held).mean()"),
            Mistake("nothing is clipped in L", "np.minimum(free, held).mean()", "free.mean()"),
            Mistake("L is the clipped term alone", "np.minimum(free, held).mean()", "held.mean()"),
            Mistake("the gradient goes on where the clipped term counts", "np.where(held < free, 0.0, free)", "free"),
            Mistake("the gradient stops wherever r is outside: not where the free term is the smaller one",
                    "held < free", "held != free"),
            Mistake("the gradient is by r: want it by log_p", "0.0, free) / len(r)", "0.0, a) / len(r)"),
            Mistake("the gradient lacks 1 / N", "0.0, free) / len(r)", "0.0, free)"),
            Mistake("L is a sum: want the mean", "np.minimum(free, held).mean()", "np.minimum(free, held).sum()"),
            Mistake("r is upside down", "np.exp(log_p - old)", "np.exp(old - log_p)"),
            Mistake("r lacks its exponential", "np.exp(log_p - old)", "log_p - old"),
        ),
    ),
    Sheet(
        "14.7",
        "What is likely between the points",
        "hard",
        "mean = K* (K + noise I)^-1 y,   variance = 1 - diag K* (K + noise I)^-1 K*^T",
        (
            "X[:, None] - X_new[None] has the shape (N, M, D); square it and sum over the last axis.",
            "np.linalg.solve(K, y) is K^-1 y without an inverse. noise belongs to the diagonal of K alone.",
            "The diagonal of A B^T is (A * B).sum(1).",
        ),
        (
            Mistake("the noise is missing", "k(X, X) + noise * np.eye(len(X))", "k(X, X) + 1e-10 * np.eye(len(X))"),
            Mistake("the noise is everywhere: it belongs to the diagonal", "noise * np.eye(len(X))", "noise"),
            Mistake("the distance is not squared", "** 2).sum(2)", "** 2).sum(2) ** 0.5"),
            Mistake("the length is not squared", "2 * length**2", "2 * length"),
            Mistake("the 2 of 2 length^2 is missing", "(2 * length**2)", "length**2"),
            Mistake("the variance is the standard deviation", "np.maximum(variance, 0)",
                    "np.sqrt(np.maximum(variance, 0))"),
            Mistake("the variance is what is known: want what is not", "1 - (K_new *", "(K_new *"),
            Mistake("the whole covariance: want its diagonal", "(K_new * np.linalg.solve(K, K_new.T).T).sum(1)",
                    "K_new @ np.linalg.solve(K, K_new.T)"),
            Mistake("the noise is a part of the new points' variance, too", "variance = 1 - (K_new",
                    "variance = 1 + noise - (K_new"),
        ),
    ),
)  # fmt: skip


def finale() -> str:
    """Search a space of 256 candidates by the reader's functions."""
    import numpy as np

    from lightnn import search

    space = search.Space({f"layer {k}": (0.25, 0.5, 0.75, 1.0) for k in range(4)})
    costs = np.array([8, 4, 2, 1])

    def evaluate(candidates):
        rewards = []
        for c in candidates:
            kept = np.array(list(space.choices(c).values()))
            accuracy = 0.9 - 0.3 * ((1 - kept) ** 2 * np.array([0.1, 0.2, 0.7, 1.0])).sum()
            rewards.append(search.latency_reward(accuracy, float(costs @ kept), 8.0, 0.0, -1.0))
        return rewards

    best = max(evaluate(space.all()))
    found = {}
    for strategy in (search.PPO, search.TPE, search.GaussianProcess):
        found[strategy.__name__] = search.search_space(space, strategy(space), evaluate, 60, seed=0)
    first, steps = 100.0, 0
    now = first
    while now > 50:
        steps += 1
        now = search.resource_target(now, first, steps)
    shown = ", ".join(f"{name} {max(run.rewards) / best:.1%}" for name, run in found.items())
    return (
        f"Your functions reach, of the best reward among 256 candidates, after 60 evaluations: {shown}; "
        f"NetAdapt would halve a resource in {steps} iterations of your schedule"
    )
