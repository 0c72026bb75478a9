"""TernGrad (Wen et al. 2017, "TernGrad: Ternary Gradients to Reduce Communication in Distributed Deep Learning", arXiv
1705.07878, section 3).

    g~ = s_t sgn(g) b,    s_t = max |g|,    P(b_i = 1) = |g_i| / s_t,  else b_i = 0

    E[g~] = g,    E (g~_i - g_i)^2 = |g_i| (s_t - |g_i|)

A layer has one s_t. One large number makes all others rare, so they are clipped to c sigma first, sigma the layer's
standard deviation and c = 2.5; that is the only bias. Three values take log2 3 = 1.58 bits; five of them
fit into a byte (3^5 = 243), which is 1.6.
"""

import numpy as np

from lightnn import options
from lightnn.files import FormatError
from lightnn.options import Rng
from lightnn.training.codec import GradientCodec

TRITS = 3 ** np.arange(5)  # the worth of each of the five in a byte


def ternarize(g: np.ndarray, rng: Rng) -> tuple[float, np.ndarray]:
    """(s_t, sgn(g) b): the maximum, a float, and an int8 array of g's shape with -1, 0 and 1."""
    rng = options.generator("ternarize: rng", rng)
    s_t = float(np.max(np.abs(g), initial=0))
    b = rng.random(g.shape) * s_t < np.abs(g)
    return s_t, (np.sign(g) * b).astype(np.int8)


class TernGrad(GradientCodec):
    """-1, 0 or 1 times the layer's maximum; unbiased up to the clipping, no state but the generator.

    clip: c, in standard deviations of the gradient; None clips nothing.
    """

    def __init__(self, shape: tuple[int, ...], *, clip: float | None = 2.5, rng: Rng = 0):
        super().__init__(shape, rng=rng)
        self.clip = None if clip is None else options.number("TernGrad: clip", clip, above=0)

    def pack(self, g):
        if self.clip is not None and self.size > 1:
            most = self.clip * float(g.std(dtype=np.float64))
            g = np.clip(g, -most, most)
        s_t, trits = ternarize(g, self.rng)
        padded = np.zeros(-(-self.size // 5) * 5, np.int64)
        padded[: self.size] = trits.ravel() + 1
        return np.float32(s_t).astype("<f4").tobytes() + (padded.reshape(-1, 5) @ TRITS).astype(np.uint8).tobytes()

    def unpack(self, body):
        self.wants(body, 4 + -(-self.size // 5))
        (s_t,), packed = np.frombuffer(body, "<f4", 1), np.frombuffer(body, np.uint8, offset=4)
        if not np.isfinite(s_t) or s_t < 0 or packed.max(initial=0) >= 3**5:
            raise FormatError("TernGrad: want a finite s_t >= 0 and bytes below 243; got others")
        return s_t * ((packed[:, None] // TRITS % 3).ravel()[: self.size] - np.float32(1))
