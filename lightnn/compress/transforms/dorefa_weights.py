"""Values: weights of K bits between -1 and 1, or of one bit (Zhou et al. 2016, "DoReFa-Net", arXiv 1606.06160).

    K = 1:    w = E|W| sign(W)
    K > 1:    w = 2 quantize_K(tanh(W) / (2 max|tanh(W)|) + 1/2) - 1

W are the latent weights (section 2.3); E and max are taken over the layer. sign(0) is 1 here: one bit has no third
value.
"""

import numpy as np

from lightnn import options
from lightnn.compress.finite import check_finite
from lightnn.compress.transforms.base import transform
from lightnn.compress.transforms.levels import Measured, mean_magnitude
from lightnn.exercise import exercise
from lightnn.nn import Parameter
from lightnn.tensor import Tensor, op

__all__ = ["DoReFa", "use_dorefa"]


@transform("dorefa")
class DoReFa(Measured):
    """bits: K, 1 to 8. fixed: E|W| for one bit, max|tanh(W)| for more; NaN: measured on the kept weights at each use.

    For K > 1 the levels are (2 c - n) / n, n = 2^K - 1. Their number is even, so 0 is not among them.
    """

    fewest_bits = 1

    def measure(self, w):
        return [mean_magnitude(w) if self.bits == 1 else max(np.abs(np.tanh(w)).max(initial=0), 2.0**-100)]

    @staticmethod
    def levels(bits, scale):
        n = 2**bits - 1
        steps = (np.arange(-n, n + 1, 2) / n).astype(scale.dtype)
        return steps * scale if bits == 1 else steps

    def codes(self, latent, scale):
        return dorefa_codes(latent, scale[0], self.bits)

    @classmethod
    def latent(cls, parts):
        """w itself for one bit; else the W with tanh(W) = max w, so that the equation gives w again."""
        w, scale = cls.decode(parts), np.asarray(parts["scale"])
        end = 1 - np.finfo(w.dtype).epsneg
        return w if cls.read(parts)[0] == 1 else np.arctanh(np.clip(w * scale[0], -end, end))

    def forward(self, latent: Tensor) -> Tensor:
        scale = self.scale_of(latent)
        w = self.values_of(latent.data, scale)
        if self.bits == 1:
            return straight_through(latent, w=w)
        return through_tanh(latent, w=w, m=scale[0], measured=bool(np.isnan(self.fixed).any()))


@exercise("10.2")
def dorefa_codes(W, m, bits):
    """The codes c of the weights W, uint8, in W's shape, for K = bits from 1 to 8:

        K > 1:    c = round((2^K - 1) r),    r = tanh(W) / (2 m) + 1/2
        K = 1:    c = 1 where W >= 0, else 0

    m > 0: max|tanh(W)|, or what was measured earlier: r is clipped to 0 .. 1 for weights that have grown since. For K =
    1, m is not used. The weight is then w = 2 c / (2^K - 1) - 1. A tie is rounded to the even integer; NaN has the code
    0. W, float32 or float64, stays as it is.
    """
    if bits == 1:
        return (W >= 0).astype(np.uint8)
    r = np.tanh(W) / (2 * m) + W.dtype.type(0.5)
    return np.rint((2**bits - 1) * np.clip(np.nan_to_num(r), 0, 1)).astype(np.uint8)


@op
def straight_through(W, *, w):
    """w in the place of W. STE: dL/dW = dL/dw."""
    return w, lambda dy: dy


@op
def through_tanh(W, *, w, m, measured):
    """w in the place of tanh(W) / m. STE: rounding passes the gradient, and what remains is differentiated:

        dL/dW = (dL/dw / m - [|tanh W| = m] sign(W) sum(dL/dw tanh(W)) / m^2) (1 - tanh(W)^2)

    m: max|tanh(W)|. Its own term is there only if m was measured; several largest weights share it.
    """

    def vjp(dy):
        t = np.tanh(W)
        dt = np.where(np.abs(t) <= m, dy / m, 0)
        largest = np.abs(t) == m
        if measured and largest.any():
            dt -= np.where(largest, np.sign(t) * ((dt * t).sum() / m / largest.sum()), 0)
        return (dt * (1 - t * t)).astype(W.dtype)

    return w, vjp


def use_dorefa(p: Parameter, bits: int) -> DoReFa:
    """Let Parameter p use DoReFa's weights of `bits` bits, 1 to 8, and return its DoReFa. p's latent weights stay.
    ValueError for weights that are not finite."""
    values = DoReFa(options.count("use_dorefa: bits", bits, 1, 8))
    check_finite("use_dorefa: p", p.data)
    p.values = values
    return values
