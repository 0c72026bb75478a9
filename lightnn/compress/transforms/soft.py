"""Values: a few levels, reached by steps that are sigmoids in training and grow steep (Yang et al. 2019, "Quantization
Networks", arXiv 1911.09464).

    w = alpha (sum_i s_i sigmoid(T (beta W - b_i)) - o),    T -> inf:    w = alpha (sum_i s_i 1[beta W - b_i > 0] - o)

W are the latent weights. `functional.soft_quantize` has the letters and the gradients, `functional.hard_quantize` the
limit. What is stored is the hard form: Y, alpha, and for each weight the number of steps that it has taken.
"""

import copy
from collections.abc import Callable

import numpy as np

from lightnn import options
from lightnn.compress.finite import check_finite
from lightnn.compress.transforms.base import Transform, transform
from lightnn.compress.transforms.clustering import kmeans
from lightnn.compress.transforms.levels import check_scale, kept
from lightnn.exercise import exercise
from lightnn.functional.quantize import LEAST_SCALE, MOST_SCALE
from lightnn.functional.soft import MOST_BETA, check_levels, hard_codes
from lightnn.nn import Module, Parameter
from lightnn.nn.soft import SoftSteps

__all__ = [
    "RisingTemperature",
    "SoftQuantizer",
    "kmeans_biases",
    "linear_biases",
    "set_temperature",
    "soft_quantizer",
    "use_soft_quantizer",
]

NEAR_0 = 0.05  # the two steps beside the level 0 stand here: 5 % of what lies in [-1, 1] becomes 0 (section 3)


@transform("soft")
class SoftQuantizer(SoftSteps, Transform):
    """Y: the levels, symmetric about 0. In training mode, while the temperature is finite, the weights lie between
    levels; in eval mode, in a file, and until `set_temperature` is called, they are levels: the law of storing holds
    for this hard form. A file to run holds Y, alpha and the codes; one to go on training beta, the biases and T, too.
    A network that was loaded to run has beta = 1 / alpha and steps halfway between the levels."""

    parts = ("levels", "scale", "codes")
    per_weight = ("codes",)

    def __init__(self, Y: tuple[int, ...], alpha: np.ndarray, beta: np.ndarray, biases: np.ndarray):
        check_scale("SoftQuantizer: alpha", np.asarray(alpha), 1)
        check_scale("SoftQuantizer: beta", np.asarray(beta), 1)
        super().__init__(symmetric("SoftQuantizer: Y", Y), np.array(alpha), np.array(beta), np.array(biases))
        check_biases(self.biases, len(self.Y) - 1)

    def encode(self, latent):
        check_finite("SoftQuantizer: latent weights", latent)
        alpha = np.clip(self.alpha.data, LEAST_SCALE, MOST_SCALE).astype(latent.dtype)
        beta = np.clip(self.beta.data, LEAST_SCALE, MOST_BETA).astype(latent.dtype)[0]
        codes = hard_codes(latent, beta, self.biases.astype(latent.dtype))
        return {"levels": np.array(self.Y), "scale": alpha, "codes": codes.astype(np.uint8)}

    @classmethod
    def read(cls, parts):
        """(Y, alpha) of parts that may be hostile."""
        levels = np.asarray(parts["levels"])
        if levels.dtype.kind not in "iu":
            raise ValueError(f"SoftQuantizer: Y: want ints, got {levels.dtype}")
        Y = symmetric("SoftQuantizer: Y", levels)
        return Y, check_scale("SoftQuantizer", np.asarray(parts["scale"]), 1)

    @classmethod
    def decode(cls, parts):
        (Y, alpha), codes = cls.read(parts), np.asarray(parts["codes"])
        if codes.size and not 0 <= codes.min() <= codes.max() < len(Y):
            raise ValueError(f"SoftQuantizer: want codes from 0 to {len(Y) - 1}, got {codes.min()} to {codes.max()}")
        return np.array(Y, alpha.dtype)[codes] * alpha[0]

    @classmethod
    def restore(cls, parts):
        Y, alpha = cls.read(parts)
        return cls(Y, alpha, np.clip(1 / alpha, LEAST_SCALE, MOST_BETA), linear_biases(None, Y).astype(alpha.dtype))

    def take(self, keep, axis):
        return copy.deepcopy(self)

    def extra_repr(self) -> str:
        T, more = float(self.temperature[0]), " ..." * (len(self.Y) > 9)
        return f"levels {' '.join(map(str, self.Y[:9]))}{more}" + (f", T {T:g}" if np.isfinite(T) else "")


def symmetric(name: str, Y) -> tuple[int, ...]:
    """The levels of weights: ascending ints, symmetric about 0."""
    Y = check_levels(name, Y)
    if any(a != -b for a, b in zip(Y, Y[::-1])):
        raise options.wrong(name, "levels that are symmetric about 0", Y)
    return Y


def check_biases(b, n):
    if b.shape != (n,) or b.dtype.kind != "f" or not np.isfinite(b).all() or (np.diff(b) < 0).any():
        raise options.wrong("SoftQuantizer: biases", f"{n} finite floats, ascending", b)


@exercise("07.1")
def step_heights(Y):
    """(s, o) for the levels Y, n + 1 ints, ascending (section 3 of arXiv 1911.09464):

        s_i = Y_(i+1) - Y_i,    o = 1/2 sum_i s_i

    s: the heights of the n steps, a float64 array (n,). o: a float. For levels that are symmetric about 0, the sum of
    the steps that are taken, minus o, is a level: from -o, with none of them, to o, with all of them.
    """
    s = np.diff(np.asarray(Y, np.float64))
    return s, float(s.sum() / 2)


@exercise("07.4")
def first_scales(w, Y):
    """(beta, alpha), two floats, with which the training starts for the numbers in the array w (section 3):

        beta = 5 p / (4 q),    p = max |Y|,    q = max |w|
        alpha = 1 / beta

    So beta w reaches a quarter beyond the largest level. Where w is empty or all 0, q is taken to be p; else q is held
    between 2^-100 and 2^100. w stays as it is; it has any shape and any float dtype, and float64 is computed with.
    """
    p = float(np.abs(Y).max())
    q = np.abs(np.asarray(w, np.float64)).max(initial=0)
    q = float(np.clip(q, 2.0**-100, 2.0**100)) if q > 0 else p
    beta = 5 * p / (4 * q)
    return beta, 1 / beta


def linear_biases(v, Y: tuple[int, ...]) -> np.ndarray:
    """Steps halfway between the levels: b_i = (Y_i + Y_(i+1)) / 2. v, the numbers to be quantized, is not looked at."""
    Y = np.array(check_levels("linear_biases: Y", Y), np.float64)
    return (Y[1:] + Y[:-1]) / 2


@exercise("07.5")
def kmeans_biases(v, Y):
    """Where the steps between the n + 1 levels Y stand for the numbers v = beta w, a float64 array (n,), ascending:

        b_i = (c_i + c_(i+1)) / 2,    c: the n + 1 centres of v by `kmeans`

    If there are negative and positive levels, the steps beside 0 are not left to v (section 3). With 0 in Y, the step
    below 0 stands at -0.05 and the one above it at 0.05; the other steps on their side are moved there if they would
    stand nearer to 0. Without 0 in Y, the step from the last negative to the first positive level stands at 0, and
    others are moved to 0 if they would stand on its other side.

    v: an array of any shape, not empty. v stays as it is. ValueError unless Y is 2 to 256 ints, ascending.
    """
    Y = np.array(check_levels("kmeans_biases: Y", Y))
    c, _ = kmeans(np.ravel(v), len(Y))
    b, edge = (c[1:] + c[:-1]) / 2, NEAR_0 if (Y == 0).any() else 0.0
    if Y[0] < 0 < Y[-1]:
        b = np.where(Y[1:] <= 0, np.minimum(b, -edge), np.maximum(b, edge))
        below, above = np.searchsorted(Y, 0, side="left") - 1, np.searchsorted(Y, 0, side="right") - 1
        b[[below, above]] = -edge, edge
    return b


@exercise("07.2")
def rising_temperature(epoch, step):
    """T = step * epoch, for the epochs 1, 2, 3, ... (section 4 of arXiv 1911.09464: steps of 5, 10, 20 or 40).

    For epoch 0 and below T is `step`: with T = 0 every sigmoid is 1/2 and all weights are the same.
    """
    return step * max(epoch, 1)


def soft_quantizer(w: np.ndarray, Y: tuple[int, ...], biases: Callable = kmeans_biases) -> SoftQuantizer:
    """The SoftQuantizer with which training starts for the latent weights w; see `use_soft_quantizer`."""
    Y, v = symmetric("soft_quantizer: Y", Y), np.asarray(w, np.float64).ravel()
    options.function("soft_quantizer: biases", biases)
    check_finite("soft_quantizer: w", v)
    beta, alpha = first_scales(v, Y)
    b = biases(beta * v, Y) if v.size else linear_biases(v, Y)
    return SoftQuantizer(Y, *(np.atleast_1d(a).astype(np.asarray(w).dtype) for a in (alpha, beta, b)))


def use_soft_quantizer(p: Parameter, Y: tuple[int, ...], biases: Callable = kmeans_biases) -> SoftQuantizer:
    """Let Parameter p use the levels Y, times alpha, and return its SoftQuantizer. p's latent weights stay.

    Y: ascending ints, symmetric about 0, such as (-4, -2, -1, 0, 1, 2, 4). biases(v, Y) -> b says where the steps
    stand: `kmeans_biases` or `linear_biases`, of the kept weights times beta. The steps are hard until
    `set_temperature` makes them soft. `SoftQuantizer.alpha` and `.beta` must be among the parameters that the optimizer
    trains. ValueError for weights that are not finite.
    """
    check_finite("use_soft_quantizer: p", p.data)
    p.values = soft_quantizer(kept(p), Y, biases)
    return p.values


def set_temperature(model: Module, T: float) -> int:
    """Set the temperature of all soft quantizers of the model, of weights and of activations. T: a number from
    LEAST_SCALE on; above MOST_SCALE, such as math.inf, the steps are hard. Returns how many there are."""
    T = options.number("set_temperature: T", T, at_least=LEAST_SCALE, infinite=True)
    found = [m for m in model.modules() if isinstance(m, SoftSteps)]
    for m in found:
        m.temperature = np.full(1, T if T <= MOST_SCALE else np.inf, np.float32)
    return len(found)


class RisingTemperature:
    """The schedule T = rate * epoch of all soft quantizers of a model: sets the first T when it is made, and the next
    one at each `step`, called after an epoch. epoch: the number of the epoch that comes now, from 1."""

    def __init__(self, model: Module, rate: float):
        self.model, self.rate = (
            model,
            options.number("RisingTemperature: rate", rate, at_least=LEAST_SCALE, at_most=MOST_SCALE),
        )
        self.epoch = 0
        self.step()

    def step(self) -> None:
        self.epoch += 1
        set_temperature(self.model, rising_temperature(self.epoch, self.rate))
