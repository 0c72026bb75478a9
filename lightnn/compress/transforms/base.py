"""Weight transforms: what a Parameter's latent array becomes before the network uses it.

    w = support(values(latent))

A transform is a Module with an op's contract (`forward` on Tensors, with exact gradients) plus `take`, for surgery,
`encode`, which names the arrays that must be stored, and the class method `from_parts`, which rebuilds it from them.
`encode` and `decode` below do this for a whole Parameter and obey  decode(encode(p)) == p()  bit for bit.
"""

import numpy as np

from lightnn.exercise import exercise
from lightnn.nn import Module, Parameter
from lightnn.tensor import Tensor, op


class Mask(Module):
    """Support: w is kept where the mask is 1 and exactly 0 elsewhere (Han et al. 2015, arXiv 1506.02626, section 3).

    It is applied at every use of the weight, so that neither momentum nor weight decay can revive a pruned weight.
    mask: bool array of the weight's shape.
    """

    buffers = ("mask",)

    def __init__(self, mask):
        self.mask = np.asarray(mask)
        if self.mask.dtype != bool:
            raise TypeError(f"Mask: want a bool array, got dtype {self.mask.dtype}")

    def forward(self, w):
        return masked(w, mask=self.mask)

    def take(self, keep, axis):
        """The transform of the weight of which only the indices `keep` along axis are left."""
        return Mask(np.take(self.mask, keep, axis))

    def encode(self):
        return {"mask": self.mask}

    @classmethod
    def from_parts(cls, parts):
        return cls(parts["mask"])


@exercise("02.3")
@op
def masked(w, *, mask):
    """w where mask, else 0 (never -0 or NaN); the gradient is masked likewise."""
    if w.shape != mask.shape:
        raise ValueError(f"Mask: want a weight of the mask's shape {mask.shape}, got {w.shape}")
    zero = w.dtype.type(0)
    return np.where(mask, w, zero), lambda dy: np.where(mask, dy, zero)


class Codebook(Module):
    """Values: w_ij = c_{I_ij}, one of k shared values (Han, Mao & Dally 2016, arXiv 1510.00149, section 3).

    codebook: k values, learned. codes: the index I of each weight, an integer array of the weight's shape, frozen.
    The latent array is not used any more and gets no gradient.
    """

    buffers = ("codes",)

    def __init__(self, codebook, codes):
        codes, k = np.asarray(codes), np.shape(codebook)
        if len(k) != 1 or not 1 <= k[0] <= 65536:
            raise ValueError(f"Codebook: want 1 to 65536 values in one dimension, got shape {k}")
        if codes.dtype.kind not in "iu" or (codes.size and not 0 <= codes.min() <= codes.max() < k[0]):
            raise ValueError(f"Codebook: want integer codes from 0 to {k[0] - 1}, got dtype {codes.dtype}")
        self.codebook = Parameter(np.array(codebook))
        self.codes = codes.astype(np.min_scalar_type(k[0] - 1))

    def forward(self, latent):
        if latent.shape != self.codes.shape:
            raise ValueError(f"Codebook: want a weight of the codes' shape {self.codes.shape}, got {latent.shape}")
        return look_up(self.codebook, codes=self.codes)

    def take(self, keep, axis):
        return Codebook(self.codebook.data, np.take(self.codes, keep, axis))

    def encode(self):
        return {"codes": self.codes, "codebook": self.codebook.data}

    @classmethod
    def from_parts(cls, parts):
        return cls(parts["codebook"], parts["codes"])


@exercise("04.2")
@op
def look_up(codebook, *, codes):
    """w = codebook[codes]; the gradient of c_k is the sum over its weights (equation 3 of arXiv 1510.00149):

    dL/dc_k = sum_ij dL/dw_ij 1(I_ij = k)
    """
    k = len(codebook)
    return codebook[codes], lambda dy: np.bincount(codes.ravel(), dy.ravel(), k).astype(dy.dtype)


VALUES = {"codebook": Codebook}
SUPPORTS = {"mask": Mask}


def encode(p):
    """The arrays that give p() back: {"shape", "dtype"} and either {"data"} or the parts of p.values, and of p.support.

    Where p.support says 0, nothing is stored: "data" or "codes" is then 1-D, the kept elements in C order.
    """
    parts = {"shape": p.shape, "dtype": p().dtype}
    parts |= {"data": p.data} if p.values is None else {"values": _kind(p.values, VALUES), **p.values.encode()}
    if p.support is not None:
        parts |= {"support": _kind(p.support, SUPPORTS), **p.support.encode()}
        each = "data" if p.values is None else "codes"
        parts[each] = parts[each][p.support.mask]
    return parts


def decode(parts):
    """The array w = p() from what `encode` stored."""
    return decode_parameter(parts)().data


def decode_parameter(parts):
    """The Parameter, with its `values` and `support`, from what `encode` stored; its latent array is w itself."""
    parts = dict(parts)
    if "support" in parts:
        each = "codes" if "values" in parts else "data"
        full = np.zeros(parts["shape"], parts[each].dtype)
        full[parts["mask"]] = parts[each]
        parts[each] = full
    values = VALUES[parts["values"]].from_parts(parts) if "values" in parts else None
    p = Parameter(np.array(parts["data"]) if values is None else values(Tensor(np.empty(parts["shape"]))).data)
    p.values = values
    p.support = SUPPORTS[parts["support"]].from_parts(parts) if "support" in parts else None
    p.data = np.array(p().data)
    return p


def _kind(transform, table):
    for name, cls in table.items():
        if type(transform) is cls:
            return name
    raise TypeError(f"encode: want one of {', '.join(table)}, got {type(transform).__name__}")
