"""QSGD (Alistarh, Grubic, Li, Tomioka & Vojnovic 2017, "QSGD: Communication-Efficient SGD via Gradient Quantization and
Encoding", arXiv 1610.02132, section 3).

    Q_s(v_i) = ||v||_2 sgn(v_i) xi_i,    a = |v_i| / ||v||_2,    l = floor(a s)
    xi_i = (l + 1)/s with probability a s - l,    else l/s

    E[Q_s(v)] = v,    E ||Q_s(v) - v||^2 <= min(n/s^2, sqrt(n)/s) ||v||^2    (lemma 3.1)

A vector is cut into buckets of d numbers, each with a norm of its own, which bounds n by d (section 4). Most levels are
zero when s is small. So a message holds the norms (32 bits each), how many levels are not zero, the distance from one
such to the next, their levels, and their signs; distances and levels in Elias' omega code. The paper writes the three
alternately; the bits are as many.
"""

import numpy as np

from lightnn import options
from lightnn.bits import from_bytes, to_bytes
from lightnn.compress.gradients import elias
from lightnn.exercise import exercise
from lightnn.files import FormatError
from lightnn.options import Rng
from lightnn.training.codec import GradientCodec

MOST_LEVELS = 2**20


@exercise("08.8")
def qsgd_levels(v: np.ndarray, levels: int, rng: Rng) -> tuple[np.ndarray, np.ndarray]:
    """(norm, level), float64 (B,) and int64 (B, d), of the rows of v (B, d): Q_s(v) = norm level / s, section 3.1.

        norm = ||v||_2 of the row,    a = |v_i| / norm,    l = floor(a s)
        level_i = sgn(v_i) (l + 1) with probability a s - l,    else sgn(v_i) l

    levels: s. rng: a generator, or a seed for one; each number of v is drawn on its own, from rng alone, so one seed
    gives one result. Levels lie between -s and s. A row of zeros has the norm 0 and the levels 0. v: float32 or
    float64; the norm is computed in float64. ValueError unless levels is an int from 1 to MOST_LEVELS.
    """
    s, rng = (
        options.count("qsgd_levels: levels", levels, at_most=MOST_LEVELS),
        options.generator("qsgd_levels: rng", rng),
    )
    norm = np.sqrt((v.astype(np.float64) ** 2).sum(1))
    a = np.abs(v) / np.where(norm > 0, norm, 1)[:, None]
    level = np.floor(np.minimum(a, 1) * s + rng.random(v.shape))  # l + 1 with probability a s - l
    return norm, (np.sign(v) * np.minimum(level, s)).astype(np.int64)


class QSGD(GradientCodec):
    """Random rounding to the levels 0, 1/s, ..., 1 of the norm of each bucket; unbiased, no state but the generator.

    levels: s. bucket: d, how many numbers share a norm. The fewer levels and the larger the buckets, the fewer bytes
    and the more noise.
    """

    def __init__(self, shape: tuple[int, ...], *, levels: int = 1, bucket: int = 512, rng: Rng = 0):
        super().__init__(shape, rng=rng)
        self.levels = options.count("QSGD: levels", levels, at_most=MOST_LEVELS)
        self.bucket = options.count("QSGD: bucket", bucket)
        self._buckets = -(-self.size // self.bucket)

    def pack(self, g):
        norm, level = qsgd_levels(self._cut(g), self.levels, self.rng)
        level = level.ravel()[: self.size]
        kept = np.flatnonzero(level)
        numbers = np.concatenate([[len(kept) + 1], np.diff(kept, prepend=-1), np.abs(level[kept])])
        return norm.astype("<f4").tobytes() + to_bytes(elias.write(numbers), level[kept] < 0)

    def unpack(self, body):
        if len(body) < 4 * self._buckets + 1:
            raise FormatError(f"QSGD: want at least {4 * self._buckets + 1} bytes, got {len(body)}")
        norm = np.frombuffer(body, "<f4", self._buckets)
        if not np.isfinite(norm).all() or (norm < 0).any():
            raise FormatError("QSGD: want norms, finite and >= 0; got others")
        place, level = self._read(from_bytes(body[4 * self._buckets :]))
        out = np.zeros(self.size, np.float32)
        out[place] = norm[place // self.bucket].astype(np.float64) * level / self.levels
        return out

    def _cut(self, g):
        """g as rows of a bucket each, zeros at the end."""
        padded = np.zeros(self._buckets * min(self.bucket, self.size), np.float32)
        padded[: self.size] = g.ravel()
        return padded.reshape(self._buckets, -1)

    def _read(self, bits):
        """(places, signed levels) of what is not zero."""
        (more,), at = elias.read(bits, 0, 1)
        if more - 1 > self.size:
            raise FormatError(f"QSGD: want at most {self.size} levels that are not 0, got {more - 1}")
        steps, at = elias.read(bits, at, int(more) - 1)
        level, at = elias.read(bits, at, int(more) - 1)
        end = at + len(steps)
        place = np.cumsum(steps) - 1
        if not end <= len(bits) < end + 8 or bits[end:].any():
            raise FormatError(f"QSGD: want {end} bits and zeros to the end of the byte, got {len(bits)} bits")
        if len(place) and (place[-1] >= self.size or level.max() > self.levels):
            raise FormatError(f"QSGD: want places below {self.size} and levels up to {self.levels}; got others")
        return place, np.where(bits[at:end] > 0, -level, level)
