"""lightnn: neural-network compression in plain NumPy with Numba kernels, to read, run and rebuild.

Where to start: tensor.py (automatic differentiation), nn (layers), compress (the techniques), io (files), runtime
(networks that run compressed). `lightnn.testing` has the two laws that everything here obeys.
"""

from lightnn.startup import importing

with importing():
    from lightnn import compress, data, functional, io, metrics, models, nn, optim, runtime, testing
    from lightnn.io import FormatError, inspect, load, save
    from lightnn.kernels.parallel import get_num_threads, set_num_threads
    from lightnn.reporting import compare
    from lightnn.tensor import Tensor, no_grad, op
    from lightnn.training import evaluate, predict, train

__version__ = "0.1.0"

__all__ = [
    "FormatError",
    "Tensor",
    "compare",
    "compress",
    "data",
    "evaluate",
    "functional",
    "get_num_threads",
    "inspect",
    "io",
    "load",
    "metrics",
    "models",
    "nn",
    "no_grad",
    "op",
    "optim",
    "predict",
    "runtime",
    "save",
    "set_num_threads",
    "testing",
    "train",
]
