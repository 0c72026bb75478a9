"""The runtime: networks that compute on their compressed weights and hold nothing else.

The map: registry has the table (layer type, kinds of transforms) -> runtime layer, and each file of layers fills it:
sparse (a Mask, with or without a Codebook), look_up (a Codebook alone), product (codes of blocks), binary (one bit).
lower builds the network, held counts its bytes, csr has the definitions. floats runs a network of plain weights as one
program. lower_binary folds batch norms and signs, too. integers runs a network that `compress.quantize` has made,
whole, on 8-bit codes.
"""

from lightnn.runtime.binary.layers import BinaryConv2d, BinaryLinear, BinaryXnorConv2d, BinaryXnorLinear
from lightnn.runtime.binary.signs import PackSigns, SignTensor
from lightnn.runtime.binary.thresholds import lower_binary
from lightnn.runtime.csr import csr_conv2d, csr_matvec, from_csr, tap_positions, to_csr
from lightnn.runtime.floats.network import FloatNetwork
from lightnn.runtime.floats.timing import StepCall, StepTime, StepTimes, step_calls, step_times
from lightnn.runtime.held import Held, HeldRow, held_bytes
from lightnn.runtime.integers.program import lower_integers
from lightnn.runtime.look_up import CodebookConv2d, CodebookLinear
from lightnn.runtime.lowering import LowerReport, lower, lower_report
from lightnn.runtime.product import ProductConv2d, ProductLinear
from lightnn.runtime.registry import lowers
from lightnn.runtime.sparse import SparseConv2d, SparseLinear

__all__ = [
    "BinaryConv2d",
    "BinaryLinear",
    "BinaryXnorConv2d",
    "BinaryXnorLinear",
    "CodebookConv2d",
    "CodebookLinear",
    "FloatNetwork",
    "Held",
    "HeldRow",
    "LowerReport",
    "PackSigns",
    "ProductConv2d",
    "ProductLinear",
    "SignTensor",
    "SparseConv2d",
    "SparseLinear",
    "StepCall",
    "StepTime",
    "StepTimes",
    "csr_conv2d",
    "csr_matvec",
    "from_csr",
    "held_bytes",
    "lower",
    "lower_binary",
    "lower_integers",
    "lower_report",
    "lowers",
    "step_calls",
    "step_times",
    "tap_positions",
    "to_csr",
]
