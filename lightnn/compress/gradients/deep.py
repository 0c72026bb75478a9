"""Deep Gradient Compression (Lin, Han, Mao, Wang & Dally 2018, arXiv 1712.01887, section 3 and algorithm 4).

    g_t clipped to the norm N^(-1/2) clip,    u_t = m u_t-1 + g_t,    v_t = v_t-1 + u_t    (momentum correction)
    mask = |v_t| > thr,    sent: v_t mask,    v_t <- v_t (1 - mask),    u_t <- u_t (1 - mask)    (factor masking)

thr is such that the largest 0.1 % of each layer's |v| are sent; the rest waits in v, so nothing is lost: with m = 0,
sum of what was sent + v_T = sum of the gradients. Momentum is the workers' (the optimizer's must be 0), because a
gradient that waits for long must carry the momentum that it would have had. Masking u stops the momentum of what was
sent from pushing in an old direction. In the first steps the network changes fast, so more is sent (warm-up): 25 %,
6.25 %, 1.5625 %, 0.4 %, and then 0.1 %.

The threshold is exact here; the paper estimates it from a sample. A message holds how many numbers it sends and the
distance from each to the next in Elias' omega code, then the numbers, 32 bits each. (The paper: a 16-bit distance.)
"""

from collections.abc import Sequence

import numpy as np

from lightnn import options
from lightnn.bits import from_bytes, to_bytes
from lightnn.compress.gradients import elias
from lightnn.files import FormatError
from lightnn.options import Rng
from lightnn.training.codec import GradientCodec

WARM_UP = (0.75, 0.9375, 0.984375, 0.996)  # the paper's sparsities before 0.999, an epoch each


class DeepGradientCompression(GradientCodec):
    """The largest numbers of what has gathered; biased, nothing is lost. `u` and `v` are arrays of the shape.

    sparsity: the fraction that is not sent; at least one number is. momentum: m. warm_up: the sparsities of the first
    steps, each for warm_up_steps steps. clip: the largest norm that the gradient may have, before the factor N^(-1/2),
    or None; the codec sees one parameter, so the norm is that parameter's. workers: N, needed only to clip.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        sparsity: float = 0.999,
        momentum: float = 0.9,
        warm_up: Sequence[float] = WARM_UP,
        warm_up_steps: int = 0,
        clip: float | None = None,
        workers: int = 1,
        rng: Rng = 0,
    ):
        super().__init__(shape, rng=rng)
        name, wanted = "DeepGradientCompression", "numbers >= 0 and < 1"
        self.sparsity = options.number(f"{name}: sparsity", sparsity, at_least=0, below=1)
        self.momentum = options.number(f"{name}: momentum", momentum, at_least=0, below=1)
        stages = options.listed(f"{name}: warm_up", warm_up, wanted, lengths=range(options.MOST))
        self.warm_up = tuple(options.number(f"{name}: warm_up", s, at_least=0, below=1) for s in stages)
        self.warm_up_steps = options.times(f"{name}: warm_up_steps", warm_up_steps)
        self.workers = options.count(f"{name}: workers", workers)
        self.clip = None if clip is None else options.number(f"{name}: clip", clip, above=0)
        self.u, self.v, self.step = (np.zeros(self.size, np.float32), np.zeros(self.size, np.float32), 0)

    def pack(self, g):
        g = g.ravel() if self.clip is None else clipped(g.ravel(), self.clip / self.workers**0.5)
        self.u = self.momentum * self.u + g
        self.v = self.v + self.u
        sent = largest(self.v, max(1, round((1 - self.sparsity_now()) * self.size)))
        values, self.step = self.v[sent], self.step + 1
        self.u[sent] = self.v[sent] = 0
        distances = np.diff(sent, prepend=-1)
        return to_bytes(elias.write([len(sent), *distances])) + values.astype("<f4").tobytes()

    def sparsity_now(self) -> float:
        """The sparsity of the next step."""
        stage = self.step // self.warm_up_steps if self.warm_up_steps else len(self.warm_up)
        return self.warm_up[stage] if stage < len(self.warm_up) else self.sparsity

    def unpack(self, body):
        bits = from_bytes(body)
        (count,), at = elias.read(bits, 0, 1)
        if not 1 <= count <= self.size or 4 * count > len(body):
            raise FormatError(f"DeepGradientCompression: want 1 to {self.size} numbers and their bytes, got {count}")
        distances, at = elias.read(bits, at, int(count))
        self.wants(body, -(-at // 8) + 4 * int(count))
        places, values = np.cumsum(distances) - 1, np.frombuffer(body[-4 * int(count) :], "<f4")
        if places[-1] >= self.size or not np.isfinite(values).all() or bits[at : -(-at // 8) * 8].any():
            raise FormatError(f"DeepGradientCompression: want finite numbers at places below {self.size}; got others")
        out = np.zeros(self.size, np.float32)
        out[places] = values
        return out


def clipped(g: np.ndarray, most: float) -> np.ndarray:
    """g, scaled down to the norm `most` if its norm is larger (section 3.2, local gradient clipping)."""
    norm = float(np.sqrt((g.astype(np.float64) ** 2).sum()))
    return g if norm <= most else (g * (most / norm)).astype(np.float32)


def largest(v: np.ndarray, count: int) -> np.ndarray:
    """The places of the `count` numbers of v (n,) that are largest in size, in ascending order, int64.

    Of equal ones those that `numpy.argpartition` finds; the same in every run.
    """
    return np.sort(np.argpartition(-np.abs(v), count - 1)[:count])
