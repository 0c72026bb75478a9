"""Gradient codecs: how workers send each other less. One file a technique; lightnn/training/codec.py has the contract.

qsgd.py         QSGD: random rounding to s levels, Elias codes (Alistarh 2017)
ternary.py      TernGrad: -1, 0 or 1 times the layer's maximum (Wen 2017)
one_bit.py      1-bit SGD: the sign, and error feedback (Seide 2014)
deep.py         Deep Gradient Compression: the largest 0.1 %, momentum corrected (Lin 2018)
dorefa.py       DoReFa's k-bit gradients of activations (Zhou 2016), and the same formula as a codec
elias.py        Elias' omega code for numbers whose size is not known
"""

from lightnn.compress.gradients.deep import DeepGradientCompression
from lightnn.compress.gradients.dorefa import DoReFaGradient, GradientQuantizer, dorefa_gradient
from lightnn.compress.gradients.one_bit import OneBitSGD
from lightnn.compress.gradients.qsgd import QSGD, qsgd_levels
from lightnn.compress.gradients.ternary import TernGrad, ternarize
from lightnn.training.codec import GradientCodec, Uncompressed

__all__ = [
    "QSGD",
    "DeepGradientCompression",
    "DoReFaGradient",
    "GradientCodec",
    "GradientQuantizer",
    "OneBitSGD",
    "TernGrad",
    "Uncompressed",
    "dorefa_gradient",
    "qsgd_levels",
    "ternarize",
]
