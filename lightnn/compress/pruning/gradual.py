"""Gradual pruning during training (Zhu & Gupta 2017, "To prune, or not to prune", arXiv 1710.01878, section 3)."""

from lightnn import options
from lightnn.compress.finite import check_finite
from lightnn.compress.pruning.magnitude import density, prune_to_fraction
from lightnn.exercise import exercise
from lightnn.nn import Parameter
from lightnn.options import fraction


@exercise("02.4")
def gradual_sparsity(t: int, s_i: float, s_f: float, t_0: int, n: int, dt: int) -> float:
    """The fraction of weights that are zero at training step t (equation 1), for t in {t_0, t_0 + dt, ..., t_0 + n dt}:

        s_t = s_f + (s_i - s_f) (1 - (t - t_0) / (n dt))^3

    Pruning is fast at first, while many weights can be spared, then slower and slower. Between two of these steps the
    fraction stays that of the step before. It is s_i at all t before t_0, and s_f at all t after t_0 + n dt.

    Returns a float. ValueError unless n and dt are at least 1.
    """
    options.wholes("gradual_sparsity", t=t, t_0=t_0, n=n, dt=dt)
    options.probability("gradual_sparsity: s_i", s_i)
    options.probability("gradual_sparsity: s_f", s_f)
    if n < 1 or dt < 1:
        raise ValueError(f"gradual_sparsity: want n >= 1 and dt >= 1, got {n!r} and {dt!r}")
    done = min(max((t - t_0) // dt, 0), n) / n
    return s_f + (s_i - s_f) * (1 - done) ** 3


def _pairs(keeps):
    """[(Parameter, fraction)], after a check of each."""
    name, want = "GradualPruning: keeps", "pairs of a Parameter and the fraction of it to keep"
    pairs = [options.listed(name, pair, want, lengths=[2]) for pair in options.listed(name, keeps, want)]
    if not all(isinstance(p, Parameter) for p, _ in pairs):
        raise options.wrong(name, want, keeps)
    return [(p, fraction(name, keep)) for p, keep in pairs]


class GradualPruning:
    """Prunes Parameters by magnitude during training: `step`, called after each update of the weights (train's
    after_step), prunes at steps t_0, t_0 + dt, ..., t_0 + n dt to the sparsity that `gradual_sparsity` gives.

    keeps: [(Parameter, the fraction of its weights to keep in the end)]. A pruned weight does not come back. Train
    without `validation`: with it, train may end with the state of an early epoch, when more weights were left.
    """

    def __init__(self, keeps: list[tuple[Parameter, float]], n: int, dt: int, t_0: int = 0):
        self.targets = []
        for i, (p, keep) in enumerate(_pairs(keeps)):
            check_finite(f"GradualPruning: keeps[{i}]", p().data)
            self.targets.append((p, 1 - density(p), 1 - keep))
        self.n, self.dt = options.counts("GradualPruning", n=n, dt=dt)
        self.t_0, self.t = options.times("GradualPruning: t_0", t_0), 0

    def step(self):
        due = (self.t - self.t_0) % self.dt == 0 and 0 <= self.t - self.t_0 <= self.n * self.dt
        for i, (p, s_i, s_f) in enumerate(self.targets if due else ()):
            check_finite(f"GradualPruning, step {self.t}: keeps[{i}]", p().data)
            prune_to_fraction(p, 1 - gradual_sparsity(self.t, s_i, s_f, self.t_0, self.n, self.dt))
        self.t += 1

    def __repr__(self):
        return f"GradualPruning({len(self.targets)} parameters, n={self.n}, dt={self.dt}, t_0={self.t_0}, t={self.t})"
