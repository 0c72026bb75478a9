"""Statistics of a trained network that something has changed since: of its batch norms."""

import copy

import numpy as np

from lightnn import options
from lightnn.nn import BatchNorm1d, BatchNorm2d, Module
from lightnn.tensor import Tensor, no_grad


@no_grad()
def reestimate_batch_norm(model: Module, x: np.ndarray, *, batch_size: int = 500) -> Module:
    """A copy of the model, in eval mode, whose batch norms have the running statistics of x (N, ...), and nothing else
    is changed.

    running_mean and running_var become the means over all batches of what training would see in them: each batch is
    normalized by its own statistics, the variances are unbiased, and a last batch that is not full counts as much as a
    full one. Everything else runs in eval mode: nothing is dropped, and random binary weights are their signs. Needed
    where weights were changed after training, or are not those that training ran with (as for averaged weights,
    Izmailov et al. 2018, arXiv 1803.05407, section 3). A model without batch norms comes back as a copy. ValueError
    unless x has images and batch_size is an int >= 1; TypeError unless model is a Module.
    """
    if not isinstance(model, Module):
        raise TypeError(f"reestimate_batch_norm: want a Module, got {type(model).__name__}")
    batch_size = options.count("reestimate_batch_norm: batch_size", batch_size)
    if not np.ndim(x) or not len(x):
        raise ValueError(f"reestimate_batch_norm: want x (N, ...), N > 0; got {np.shape(x)}")
    twin = copy.deepcopy(model).eval()
    norms = [m for m in twin.modules() if isinstance(m, BatchNorm1d | BatchNorm2d)]
    momentum = [m.momentum for m in norms]
    for m in norms:
        m.training = True
    for i, start in enumerate(range(0, len(x), batch_size)):
        for m in norms:
            m.momentum = 1 / (i + 1)  # so that the running statistics are the mean of those of all batches
        twin(Tensor(x[start : start + batch_size]))
    for m, before in zip(norms, momentum, strict=True):
        m.momentum = before
    return twin.eval()
