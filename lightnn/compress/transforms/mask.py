"""Support: which weights may be non-zero (Han et al. 2015, arXiv 1506.02626, section 3)."""

import numpy as np

from lightnn.compress.transforms.base import Transform, transform
from lightnn.exercise import exercise
from lightnn.tensor import Tensor, op

__all__ = ["Mask", "masked"]


@transform("mask", slot="support")
class Mask(Transform):
    """w is kept where the mask is True and exactly 0 elsewhere.

    The mask is applied at every use of the weight, so neither momentum nor weight decay can revive a pruned weight.
    mask: bool array of the weight's shape.
    """

    buffers = ("mask",)
    parts = per_weight = ("mask",)

    def __init__(self, mask: np.ndarray):
        self.mask = np.asarray(mask)
        if self.mask.dtype != bool:
            raise TypeError(f"Mask: want a bool array, got dtype {self.mask.dtype}")

    def forward(self, w: Tensor) -> Tensor:
        return masked(w, mask=self.mask)

    def encode(self, latent):
        return {"mask": self.mask}

    @classmethod
    def decode(cls, parts, w):
        """w where the mask is True, else 0: a support decodes what its `values` decoded."""
        return np.where(parts["mask"], w, w.dtype.type(0))

    @classmethod
    def restore(cls, parts):
        return cls(parts["mask"])

    def take(self, keep, axis):
        return Mask(np.take(self.mask, keep, axis))

    def extra_repr(self) -> str:
        kept = self.mask.mean() if self.mask.size else 1.0
        return f"{kept:.3g} of {self.mask.size} kept" if kept < 0.01 else f"{100 * kept:.3g} % of {self.mask.size} kept"


@exercise("02.3")
@op
def masked(w, *, mask):
    """The weight y that the network uses of a pruned w, and its gradient:

        y = w where mask is True, else 0
        dL/dw = dL/dy where mask is True, else 0

    What is pruned is exactly 0, never -0 or NaN, even where w is infinite or NaN; what is kept stays as it is. w: a
    float array; mask: a bool array of the same shape. Returns y, of w's shape and dtype, and the function that maps dy
    to the gradient of w. w and mask stay as they are. ValueError if their shapes differ.
    """
    if w.shape != mask.shape:
        raise ValueError(f"Mask: want a weight of the mask's shape {mask.shape}, got {w.shape}")
    zero = w.dtype.type(0)
    return np.where(mask, w, zero), lambda dy: np.where(mask, dy, zero)
