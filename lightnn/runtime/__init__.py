"""The runtime: networks that compute on their compressed weights and hold nothing else."""

from lightnn.runtime.csr import csr_conv2d, csr_matvec, from_csr, tap_positions, to_csr
from lightnn.runtime.layers import SparseConv2d, SparseLinear
from lightnn.runtime.lower import Held, HeldRow, held_bytes, lower

__all__ = [
    "Held",
    "HeldRow",
    "SparseConv2d",
    "SparseLinear",
    "csr_conv2d",
    "csr_matvec",
    "from_csr",
    "held_bytes",
    "lower",
    "tap_positions",
    "to_csr",
]
