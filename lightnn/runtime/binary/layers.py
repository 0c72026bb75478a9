"""Layers with weights of one bit, -alpha or alpha, that hold the bits and nothing else of them.

    y = (sum_k x_k sign(w_k)) alpha + b

Where x is -1 and +1 (behind a PackSigns, or a float Tensor in which nothing else occurs) the sum is counted in bits,
XNOR and popcount (Rastegari et al. 2016, arXiv 1603.05279, section 3.2), and is exact. y has two roundings then, of the
product and of the sum, while the layer that was lowered rounds as often as it adds: the two differ by no more than n
2^-23 alpha n for n products, and not at all for alpha = 1. For any other x the weights are written out for the run, and
y is the lowered layer's, bit for bit.

What is held: a bit a weight without gaps, ceil(n / 8) bytes, alpha and the bias.
"""

import math

import numpy as np

from lightnn import functional as F
from lightnn import nn
from lightnn.functional import check
from lightnn.functional.conv import output_size
from lightnn.kernels.binary import conv, product
from lightnn.kernels.binary.image import Window
from lightnn.kernels.binary.popcount import BEST, WIDTH
from lightnn.kernels.binary.words import WORD, not_running, pack_tight, running, unpack_tight
from lightnn.runtime.binary.signs import words_of
from lightnn.runtime.registry import RunsOnly, lowers
from lightnn.tensor import Tensor, op


def _macs(y, words, bits, scale, b):
    """One for each weight and output position: of signs they are bits, XNOR and popcount."""
    return bits.size * 8 * (y.size // max(len(scale), 1)) if len(scale) else 0


@op(weights=("bits", "b"), macs=_macs)
def binary_linear(x, bits, scale, b, *, panels):
    """y float32 (N, O) = (sign(x) w^T) scale + b of x (N, I) or its words (N, I/64). panels: those of the bits."""
    linear = product.linear if x.dtype == np.uint64 else product.linear_of_signs
    return linear(x, panels, scale, b), *(None,) * 4


@op(weights=("bits", "b"), macs=_macs)
def binary_conv2d(x, bits, scale, b, *, filters):
    """y float32 (N, O, Ho, Wo) = (sign(x) * w) scale + b of x (N, C, H, W) or its words (N, C/64, H, W). filters: those
    of the bits."""
    convolve = conv.forward if x.dtype == np.uint64 else conv.forward_of_signs
    return convolve(x, filters, scale, b), *(None,) * 4


class OneBit(RunsOnly):
    """What the layers have in common: `bits`, `scale` (1,) or (O,) and `bias` of a layer whose weight is Binary."""

    buffers = ("bits", "scale")

    def __init__(self, layer: nn.Module):
        parts = layer.weight.values.encode(layer.weight.data)
        self.weight_shape, self.scale = layer.weight.shape, parts["scale"]
        self.bits = self.packed(parts["signs"])
        self.bias = None if layer.bias is None else layer.bias().data.copy()
        if self.bias is not None:
            self.buffers = (*self.buffers, "bias")

    @staticmethod
    def refuses(layer):
        dtype = layer.weight.dtype
        return None if dtype == np.float32 else f"its weights are {dtype}, and sums of bits become float32"

    def numbers(self) -> tuple[np.ndarray, np.ndarray]:
        """(scale, bias) as the kernels want them, (O,) each."""
        o = self.weight_shape[0]
        scale = np.broadcast_to(self.scale if len(self.scale) else np.float32(1), (o,))
        return np.ascontiguousarray(scale), np.zeros(o, np.float32) if self.bias is None else self.bias

    def count_only(self) -> None:
        """From now on y is the sum of signs alone, and alpha and the bias are not held."""
        self.scale, self.bias, self.buffers = np.empty(0, np.float32), None, ("bits",)

    def weight(self) -> Tensor:
        """alpha sign(w), as numbers."""
        scale = self.numbers()[0].reshape(-1, *[1] * (len(self.weight_shape) - 1))
        return Tensor(np.where(self.signs(), scale, -scale))

    def stored(self):
        return {"values": self.bits, "scale": self.scale, "bias": self.bias}

    @property
    def dense_bytes(self):
        return 4 * math.prod(self.weight_shape) + (0 if self.bias is None else self.bias.nbytes)

    def extra_repr(self):
        return f"weight {self.weight_shape}, scales={len(self.scale)}"


@lowers(nn.Linear, values="binary")
@lowers(nn.Linear, values="stochastic-binary")
class BinaryLinear(OneBit):
    """An nn.Linear whose weight has one bit. Where words are full, I % 64 = 0 and O % 16 = 0, its bits are held as the
    kernel reads them; else in the weight's order."""

    @property
    def ready(self):
        return self.weight_shape[1] % WORD == 0 and self.weight_shape[0] % WIDTH == 0

    def packed(self, signs):
        bits = pack_tight(signs)
        if not self.ready or not bits.size:
            return bits
        m, k = self.weight_shape
        return product.pack(product.rows_of(bits, m, k), k).words.reshape(-1).view(np.uint8)

    def signs(self):
        bits = self.bits
        if self.ready and bits.size:
            m, k = self.weight_shape
            bits = not_running(bits.view(np.uint64).reshape(-1, k // WORD, WIDTH).swapaxes(1, 2)).view(np.uint8)
        return unpack_tight(bits.reshape(-1), self.weight_shape)

    def panels(self) -> product.Panels:
        m, k = self.weight_shape
        if self.ready and self.bits.size:
            return product.Panels(self.bits.view(np.uint64).reshape(-1, k // WORD, WIDTH), (m, k), BEST)
        return product.pack(product.rows_of(self.bits, m, k), k)

    def forward(self, x):
        self.check_that_it_runs_only(x)
        k = self.weight_shape[1]
        check.shape("BinaryLinear", f"x (..., {k})", len(x.shape) >= 1 and x.shape[-1] == k, x=x)
        words = words_of(x) if len(x.shape) == 2 else None
        if words is None:
            return F.linear(x, self.weight(), self.bias)
        return self.of_signs(Tensor(words), *self.numbers())

    def of_signs(self, x, scale, bias):
        """Of the signs of x (N, I), or of its words."""
        return binary_linear(x, self.bits, scale, bias, panels=self.panels())


@lowers(nn.XnorLinear, values="binary")
class BinaryXnorLinear(BinaryLinear):
    """An nn.XnorLinear whose weight has one bit: y = (sign(x) w^T) E|x| + b, always from bits."""

    def forward(self, x):
        self.check_that_it_runs_only(x)
        (o, k), (scale, _) = self.weight_shape, self.numbers()
        check.shape("BinaryXnorLinear", f"x (..., {k})", len(x.shape) >= 1 and x.shape[-1] == k, x=x)
        rows = Tensor(x.data.reshape(-1, k))
        y = self.of_signs(rows, scale, np.zeros_like(scale)).reshape(*x.shape[:-1], o)
        y = y * abs(x).mean(-1, keepdims=True)
        return y if self.bias is None else y + self.bias


@lowers(nn.Conv2d, values="binary")
@lowers(nn.Conv2d, values="stochastic-binary")
class BinaryConv2d(OneBit):
    """An nn.Conv2d whose weight has one bit, padded with zeros. Its bits are in the order (O, KH, KW, C); where words
    are full, C % 64 = 0, each word is the XOR of its filter's words so far, as the kernel reads them. In groups the
    weights are always written out: the kernel of bits takes one group."""

    def __init__(self, layer):
        super().__init__(layer)
        self.options = {name: getattr(layer, name) for name in ("stride", "padding", "dilation", "groups")}

    def packed(self, signs):
        bits = pack_tight(signs.transpose(0, 2, 3, 1))
        return running(self.words(bits)).reshape(-1).view(np.uint8) if self.ready else bits

    @property
    def ready(self):
        return self.weight_shape[1] % WORD == 0 and 0 not in self.weight_shape

    def words(self, bits):
        return bits.view(np.uint64).reshape(self.weight_shape[0], -1)

    def signs(self):
        o, c, kh, kw = self.weight_shape
        bits = not_running(self.words(self.bits)).view(np.uint8).reshape(-1) if self.ready else self.bits
        return unpack_tight(bits, (o, kh, kw, c)).transpose(0, 3, 1, 2)

    def filters(self) -> conv.Filters:
        (ph, pw), kernel = self.options["padding"], self.weight_shape[2:]
        window = Window(kernel, self.options["stride"], (ph, ph, pw, pw), self.options["dilation"], 0)
        if self.ready:
            return conv.filters_of_runs(self.words(self.bits), self.weight_shape, window)
        return conv.filters_of(self.bits, self.weight_shape, window)

    def forward(self, x):
        self.check_that_it_runs_only(x)
        self.check(x)
        words = words_of(x) if self.options["groups"] == 1 else None
        if words is None:
            return F.conv2d(x, self.weight(), self.bias, **self.options)
        return self.of_signs(Tensor(words), *self.numbers())

    def check(self, x):
        c = self.weight_shape[1] * self.options["groups"]
        check.shape(type(self).__name__, f"x (N, {c}, H, W)", len(x.shape) == 4 and x.shape[1] == c, x=x)
        given = (self.options[name] for name in ("stride", "padding", "dilation"))
        output_size(type(self).__name__, x.shape[2:], self.weight_shape[2:], *given)

    def of_signs(self, x, scale, bias):
        """Of the signs of x (N, C, H, W), or of its words."""
        return binary_conv2d(x, self.bits, scale, bias, filters=self.filters())


@lowers(nn.XnorConv2d, values="binary")
class BinaryXnorConv2d(BinaryConv2d):
    """An nn.XnorConv2d whose weight has one bit: y = (sign(x) * w) K + b, always from bits; K is F.input_scale."""

    def forward(self, x):
        self.check_that_it_runs_only(x)
        self.check(x)
        scale, _ = self.numbers()
        y = self.of_signs(x, scale, np.zeros_like(scale))
        how = {name: self.options[name] for name in ("stride", "padding")}
        y = y * F.input_scale(x, kernel_size=self.weight_shape[2:], **how)
        return y if self.bias is None else y + self.bias.reshape(1, -1, 1, 1)
