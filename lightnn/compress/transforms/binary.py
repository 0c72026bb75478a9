"""Values: -alpha or alpha, one bit a weight.

    w = alpha sign(W)

W are the latent weights; the sign of 0 is +1. alpha is

    1                     BinaryConnect (Courbariaux, Bengio & David 2015, arXiv 1511.00363), and BNN (Courbariaux,
                          Hubara, Soudry, El-Yaniv & Bengio 2016, arXiv 1602.02830)
    E|W| of each filter   binary weight networks and XNOR-Net (Rastegari, Ordonez, Redmon & Farhadi 2016, arXiv
                          1603.05279): with the signs of W it makes |W - alpha B|^2 least (equation 6)
    E|W| of the layer     what one number for all filters can do

After each step of an optimizer the latent weights are clipped to [-1, 1] (arXiv 1511.00363, section 2.4), by `project`:
beyond, they would grow without any effect on the signs.
"""

import copy

import numpy as np

from lightnn import options
from lightnn.compress.finite import check_finite
from lightnn.compress.transforms.base import Transform, transform
from lightnn.compress.transforms.dorefa_weights import straight_through
from lightnn.exercise import exercise
from lightnn.functional.binary import signs_of
from lightnn.functional.quantize import LEAST_SCALE
from lightnn.nn import Parameter
from lightnn.options import Rng
from lightnn.tensor import Tensor, op

__all__ = ["Binary", "StochasticBinary", "use_binary", "use_binary_filters", "use_stochastic_binary"]


@transform("binary")
class Binary(Transform):
    """alpha: a number, or an array (1,) or (O,), one for each index of axis 0; NaN: measured on the kept weights at
    each use. Stored are scale, which is alpha in the weight's dtype, and signs, bool, True for +1. What was measured is
    fixed in a network that is loaded to run, and by surgery.
    """

    parts = ("scale", "signs")
    per_weight = ("signs",)
    buffers = ("alpha",)

    def __init__(self, alpha: float | np.ndarray = 1.0):
        a = alpha if isinstance(alpha, np.ndarray) else np.array([options.any_number("Binary: alpha", alpha)])
        self.alpha = check_scale("alpha", a, measured=True).astype(np.float64)

    def scale_of(self, latent) -> np.ndarray:
        """alpha in latent's dtype, for a Parameter, a Tensor or an array. ValueError if it has other filters."""
        if len(self.alpha) not in (1, *latent.shape[:1]):
            raise ValueError(f"Binary: want a weight of {len(self.alpha)} filters, got one of shape {latent.shape}")
        measured = np.isnan(self.alpha)
        if not measured.any():
            return self.alpha.astype(latent.dtype)
        rows, counts = self._rows(latent)
        scale = filter_scales(rows.astype(np.float64)) * (rows.shape[1] / counts)
        return np.maximum(np.where(measured, scale, self.alpha), LEAST_SCALE).astype(latent.dtype)

    def _rows(self, latent):
        """(the latent weights, a row for each alpha, 0 where they are pruned; how many of each row are kept, or 1)."""
        W, support = latent if isinstance(latent, np.ndarray) else latent.data, getattr(latent, "support", None)
        mask = np.ones(W.shape, bool) if support is None else support.mask
        shape = len(self.alpha), W.size // max(len(self.alpha), 1)
        return np.where(mask, W, 0).reshape(shape), np.maximum(mask.reshape(shape).sum(1), 1)

    def forward(self, latent: Tensor) -> Tensor:
        scale, measured = self.scale_of(latent), np.isnan(self.alpha)
        n = np.full(len(scale), np.inf, latent.dtype)
        if measured.any():
            n[measured] = self._rows(latent)[1][measured]
        return binarize(latent, alpha=along_axis_0(scale, latent.ndim), n=along_axis_0(n, latent.ndim))

    def encode(self, latent):
        check_finite(f"{type(self).__name__}: latent weights", latent)
        return {"scale": self.scale_of(latent), "signs": latent >= 0}

    @classmethod
    def decode(cls, parts):
        scale, signs = check_scale("scale", np.asarray(parts["scale"])), np.asarray(parts["signs"])
        rows = signs.shape[0] if signs.ndim else 1
        if signs.dtype != bool or len(scale) not in (1, rows):
            want = f"want signs, bool, and a scale (1,) or ({rows},)"
            raise ValueError(f"{cls.__name__}: {want}; got {signs.dtype} {signs.shape} and a scale {scale.shape}")
        scale = along_axis_0(scale, signs.ndim)
        return np.where(signs, scale, -scale)

    @classmethod
    def restore(cls, parts):
        return cls(check_scale("scale", np.asarray(parts["scale"])))

    def settled(self, p):
        twin = copy.deepcopy(self)
        twin.alpha = self.scale_of(p).astype(np.float64)
        return twin

    def project(self, latent):
        clip_latent(latent, out=latent)

    def take(self, keep, axis):
        twin = copy.deepcopy(self)
        if axis == 0 and len(self.alpha) > 1:
            twin.alpha = self.alpha[keep]
        return twin

    def extra_repr(self) -> str:
        what = "measured" if np.isnan(self.alpha).any() else "fixed"
        return "-1 or 1" if self.alpha.tolist() == [1] else f"{len(self.alpha)} scales, {what}"


@transform("stochastic-binary")
class StochasticBinary(Binary):
    """BinaryConnect's random signs (arXiv 1511.00363, equations 2 and 3), for training:

        w = +1 with probability clip((W + 1) / 2, 0, 1), else -1
        dL/dW = dL/dw     (STE; algorithm 1)

    In training mode each use draws anew from rng, a generator or a seed; E[w] is W within [-1, 1]. In eval mode, and
    where it is stored, w is the sign of W, so what is stored is what the network uses then.
    """

    def __init__(self, rng: Rng = 0):
        super().__init__()
        self.rng = options.generator("StochasticBinary: rng", rng)

    def forward(self, latent: Tensor) -> Tensor:
        if not self.training:
            return super().forward(latent)
        W = latent.data
        w = np.where(np.isnan(W), W, np.where(draw_signs(W, self.rng), W.dtype.type(1), W.dtype.type(-1)))
        return straight_through(latent, w=w)

    @classmethod
    def restore(cls, parts):
        if (np.asarray(parts["scale"]) != 1).any():
            raise options.wrong("StochasticBinary: scale", "1", np.ravel(parts["scale"])[0])
        return cls()

    def extra_repr(self) -> str:
        return "-1 or 1, drawn in training"


@exercise("09.2")
def filter_scales(W):
    """alpha (O,) of the filters W (O, ...), in W's dtype:

        alpha_o = E|W_o| = sum |W_o| / n,    n the number of weights of a filter

    This is equation 6 of arXiv 1603.05279. Of a filter without weights it is 0. The largest |W_o| is divided out before
    the sum, and multiplied back after it, so that nothing overflows; NaN stays NaN. W stays as it is.
    """
    a = np.abs(W).reshape(len(W), -1) if W.size else np.zeros((len(W), 1), W.dtype)
    largest = np.maximum(a.max(1, keepdims=True), np.finfo(W.dtype).tiny)
    return (a / largest).mean(1) * largest[:, 0]


@exercise("09.3")
def draw_signs(W, rng):
    """A bool array of W's shape: each element is True, which stands for +1, with the probability

        sigma(W) = clip((W + 1) / 2, 0, 1)

    This is the hard sigmoid of arXiv 1511.00363, equation 3. Where W >= 1 it is always True, where W <= -1 never. For
    NaN it is False. rng: a numpy.random.Generator, one draw for each element. W stays as it is.
    """
    return rng.random(W.shape, dtype=np.float32) < np.clip((W + 1) / 2, 0, 1)


def clip_latent(W, out=None):
    """W clipped to [-1, 1] (arXiv 1511.00363, section 2.4), a new array in W's shape and dtype: what is left of the
    latent weights after a step.

        W <- -1 where W < -1,    1 where W > 1,    W otherwise

    NaN stays NaN, so that training that diverged shows. W itself stays as it is, unless it is `out`.
    """
    return np.clip(W, -1, 1, out=out)


@exercise("09.5")
@op
def binarize(W, *, alpha, n):
    """w = alpha sign(W), in W's shape and dtype, with sign(0) = +1, and a straight-through gradient (STE):

        w = alpha where W >= 0,    -alpha where W < 0
        dL/dW = dL/dw (1 / n + alpha 1[|W| <= 1])

    alpha: a number or an array that fits W. n: how many weights alpha was measured on, infinity if it is a constant. So
    BNN (arXiv 1602.02830, equation 4) has alpha = 1 and n = infinity; BinaryConnect passes dL/dw on, which is the same
    as long as W is clipped to [-1, 1]. For XNOR-Net alpha = sum |W| / n (arXiv 1603.05279, section 3.1). NaN stays NaN.

    The derivative of sum |W| sign(W_j) / n, with the sign's replaced as above, would be another one: alpha depends on
    all W, so dL/dW_i = alpha 1[|W_i| <= 1] dL/dw_i + sign(W_i) sum_j dL/dw_j sign(W_j) / n. The paper keeps j = i of
    the sum only.
    """
    inside = np.abs(W) <= 1
    return alpha * signs_of(W), lambda dy: (dy * (1 / n + alpha * inside)).astype(W.dtype)


def along_axis_0(a: np.ndarray, ndim: int) -> np.ndarray:
    """a (1,) or (O,) in a shape that multiplies an array of ndim dimensions, whose first is O."""
    return a.reshape(-1, *[1] * (ndim - 1)) if ndim else a.reshape(())


def check_scale(name: str, scale: np.ndarray, measured: bool = False) -> np.ndarray:
    """The scale, after a check. measured: whether NaN is allowed."""
    if scale.ndim != 1 or scale.dtype.kind != "f":
        raise ValueError(f"Binary: {name}: want an array (1,) or (O,) of floats, got {scale.dtype} of {scale.shape}")
    if not (((scale >= LEAST_SCALE) & (scale < np.inf)) | (measured & np.isnan(scale))).all():
        raise options.wrong(f"Binary: {name}", "finite numbers from 2^-126 on", scale)
    return scale


def use_binary(p: Parameter) -> Binary:
    """Let Parameter p use -1 and 1 (BinaryConnect, BNN), and return its Binary. p's latent weights stay, and are
    clipped to [-1, 1] after each step. ValueError for weights that are not finite."""
    check_finite("use_binary: p", p.data)
    p.values = Binary()
    return p.values


def use_binary_filters(p: Parameter) -> Binary:
    """Let Parameter p use -alpha_o and alpha_o in each filter o (binary weight networks, XNOR-Net), and return its
    Binary, which measures alpha_o at each use. p's latent weights stay, and are clipped to [-1, 1] after each step.
    ValueError for weights that are not finite."""
    check_finite("use_binary_filters: p", p.data)
    p.values = Binary(np.full(len(p.data) if p.ndim else 1, np.nan))
    return p.values


def use_stochastic_binary(p: Parameter, rng: Rng = 0) -> StochasticBinary:
    """Let Parameter p use random signs in training, and return its StochasticBinary, which draws from rng. p's latent
    weights stay, and are clipped to [-1, 1] after each step. ValueError for weights that are not finite."""
    values = StochasticBinary(rng)
    check_finite("use_stochastic_binary: p", p.data)
    p.values = values
    return values
