"""Gradual pruning during training (Zhu & Gupta 2017, "To prune, or not to prune", arXiv 1710.01878, section 3)."""

from lightnn.compress.pruning.magnitude import density, prune_to_share
from lightnn.exercise import exercise


@exercise("02.4")
def gradual_sparsity(t, s_i, s_f, t_0, n, dt):
    """The share of weights that are zero at training step t (equation 1), for t in {t_0, t_0 + dt, ..., t_0 + n dt}:

        s_t = s_f + (s_i - s_f) (1 - (t - t_0) / (n dt))^3

    s_i at the beginning, s_f in the end; fast at first, when many weights are to spare, and slower and slower. Between
    two of these steps it stays what it was at the last one. ValueError unless n and dt are at least 1.
    """
    if n < 1 or dt < 1:
        raise ValueError(f"gradual_sparsity: want n >= 1 and dt >= 1, got {n!r} and {dt!r}")
    done = min(max((t - t_0) // dt, 0), n) / n
    return s_f + (s_i - s_f) * (1 - done) ** 3


class GradualPruning:
    """Prune Parameters by magnitude while they are trained: `step`, called after each update of the weights (train's
    after_step), prunes at steps t_0, t_0 + dt, ..., t_0 + n dt to what `gradual_sparsity` says.

    keeps: [(Parameter, the share of its weights to keep in the end)]. A pruned weight does not come back. Train without
    `validation`: with it, train may end with the state of an early epoch, in which there was more left.
    """

    def __init__(self, keeps, n, dt, t_0=0):
        self.targets = [(p, 1 - density(p), 1 - keep) for p, keep in keeps]
        self.n, self.dt, self.t_0, self.t = n, dt, t_0, 0

    def step(self):
        due = (self.t - self.t_0) % self.dt == 0 and 0 <= self.t - self.t_0 <= self.n * self.dt
        for p, s_i, s_f in self.targets if due else ():
            prune_to_share(p, 1 - gradual_sparsity(self.t, s_i, s_f, self.t_0, self.n, self.dt))
        self.t += 1
