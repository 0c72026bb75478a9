"""1-bit SGD (Seide, Fu, Droppo, Li & Yu, Interspeech 2014, "1-Bit Stochastic Gradient Descent and its Application to
Data-Parallel Distributed Training of Speech DNNs", section 3).

    q_t = sgn(g_t + e_t-1),    g^_t = the mean of those of g_t + e_t-1 with the same sign,    e_t = g_t + e_t-1 - g^_t

Each number becomes one bit. The two means are taken for every output unit (the paper: a column of its weight matrix;
here a row, the first axis), and a vector counts as one. What rounding took away, e, comes back with the next gradient
(error feedback), so that nothing is ever lost: sum_t g^_t + e_T = sum_t g_t. Without it training fails.
"""

import numpy as np

from lightnn.bits import from_bytes, to_bytes
from lightnn.files import FormatError
from lightnn.options import Rng
from lightnn.training.codec import GradientCodec


class OneBitSGD(GradientCodec):
    """One bit a number and two means a row; biased, with error feedback. `error` is e, an array of the shape."""

    def __init__(self, shape: tuple[int, ...], *, rng: Rng = 0):
        super().__init__(shape, rng=rng)
        self.error = np.zeros(self.shape, np.float32)
        self._rows = self.shape[0] if len(self.shape) > 1 else 1

    def pack(self, g):
        v = (g + self.error).reshape(self._rows, -1)
        up = v >= 0
        means = np.stack([_mean(v, up), _mean(v, ~up)], 1).astype(np.float32)
        self.error = (v - np.where(up, means[:, :1], means[:, 1:])).reshape(self.shape)
        return means.astype("<f4").tobytes() + to_bytes(up.ravel())

    def unpack(self, body):
        at = 8 * self._rows
        self.wants(body, at + -(-self.size // 8))
        means = np.frombuffer(body, "<f4", 2 * self._rows).reshape(-1, 2)
        if not np.isfinite(means).all():
            raise FormatError("OneBitSGD: want finite means, got others")
        up = from_bytes(body[at:], self.size).reshape(self._rows, -1)
        return np.where(up, means[:, :1], means[:, 1:])


def _mean(v, where):
    """The mean of each row's numbers where `where`, 0 for none."""
    return (v * where).sum(1, dtype=np.float64) / np.maximum(where.sum(1), 1)
