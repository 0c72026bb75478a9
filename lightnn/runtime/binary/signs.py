"""Activations of one bit as a lowered network passes them on: 64 channels to a word.

A SignTensor is a Tensor like any other. Whoever reads its `data` gets numbers, made at the first reading; a
layer that computes on bits reads its `words`.
"""

import numpy as np

from lightnn import functional as F
from lightnn import nn
from lightnn.declare import same
from lightnn.functional import check
from lightnn.functional.pool import window
from lightnn.kernels.binary.pool import max_pool2d
from lightnn.kernels.binary.words import are_signs, pack_planes, pack_rows, unpack_planes
from lightnn.runtime.registry import RunsOnly, lowers
from lightnn.tensor import Tensor, op

BUFFERS = "least", "flip"
CHANNELS = "x (N, C, ...), C > 0"


class SignTensor(Tensor):
    """-1 and +1 in the shape (N, C, ...), from words (N, C/64, ...) of kernels/binary/words.py."""

    __slots__ = ("_dtype", "_numbers", "_shape", "words")

    def __init__(self, words: np.ndarray, channels: int, dtype: type = np.float32):
        self.words, self._shape, self._numbers = words, (len(words), channels, *words.shape[2:]), None
        self._dtype = np.dtype(dtype)
        self.grad, self.requires_grad = None, False
        self._inputs, self._time, self._op = (), 0, None

    shape = property(lambda self: self._shape)
    ndim = property(lambda self: len(self._shape))
    dtype = property(lambda self: self._dtype)

    @property
    def data(self):
        if self._numbers is None:
            self._numbers = unpack_planes(self.words, self._shape[1]).astype(self._dtype, copy=False)
        return self._numbers


@op(channels=same, finishes_layer=True)
def pack_signs(x, least=None, flip=None):
    """words (N, C/64, ...) of (x >= least) ^ flip, for x (N, C, ...) float32 or float64, least (C,) in x's dtype, and
    flip (C/64,), words; without them the signs of x, that of 0 +1. The bit of NaN is 0 ^ flip."""
    check.floating("PackSigns", x=x)
    check.shape("PackSigns", CHANNELS, x.ndim >= 2 and x.shape[1] > 0, x=x)
    return (pack_rows if x.ndim == 2 else pack_planes)(x, least, flip), None, None, None


def words_of(x: Tensor) -> np.ndarray | None:
    """The words of a float32 SignTensor, or float32 Tensor (N, C, ...) of which each number is -1 or +1; else None."""
    if x.ndim < 2 or x.dtype != np.float32:
        return None
    if isinstance(x, SignTensor):
        return x.words
    x = x.data if isinstance(x, Tensor) else x
    if not are_signs(np.ascontiguousarray(x).reshape(-1)):
        return None
    return pack_signs(Tensor(x)).data


@op
def pool_signs(words, flip, *, pool):
    """words (N, C/64, Ho, Wo): OR in each window of words (N, C/64, H, W), then XOR flip. pool: MaxPool2d's options."""
    image = np.broadcast_to(np.float32(0), words.shape)
    kernel, stride, (top, bottom, left, right), (h, w) = window("PackSigns", image, **pool)
    return max_pool2d(words, kernel, stride, (top, bottom + h, left, right + w), flip), None, None


@lowers(nn.ApproxSign)
@lowers(nn.Sign)
class PackSigns(RunsOnly):
    """+1 where x >= least, else -1, the other way about where flip is set; as bits. Without a batch norm folded into it
    (thresholds.py) it is nn.Sign, but that NaN becomes -1.

    least: float32 (C,), flip: words (C/64,); None for those of a sign. pool: options of a max pooling, done on bits."""

    dense_bytes, buffers = 0, ()
    least = flip = pool = None

    def __init__(self, layer: nn.Module | None = None):
        pass

    @classmethod
    def of_thresholds(cls, least: np.ndarray, flip: np.ndarray, pool: dict | None = None) -> "PackSigns":
        """least: float32 (C,), flip: bool (C,)."""
        made = cls()
        made.least, made.pool, made.buffers = least, pool, BUFFERS
        made.flip = pack_rows(np.float32(2) * flip[None] - 1)[0]
        return made

    def forward(self, x):
        self.check_that_it_runs_only(x)
        if self.least is None and (x.ndim < 2 or x.shape[1] == 0):
            return F.sign(x)
        if self.least is not None:
            check.shape("PackSigns", f"x (N, {len(self.least)}, ...)", x.shape[1:2] == self.least.shape, x=x)
        words = pack_signs(x, self.least, None if self.pool else self.flip)
        words = pool_signs(words, self.flip, pool=self.pool) if self.pool else words
        return SignTensor(words.data, x.shape[1], x.dtype)

    def stored(self):
        return {"thresholds": self.least, "flips": self.flip}

    def extra_repr(self):
        return "" if self.least is None else f"{len(self.least)} thresholds" + ", max pooling" * (self.pool is not None)
