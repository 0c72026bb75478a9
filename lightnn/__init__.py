"""lightnn: neural-network compression in plain NumPy, with Numba kernels: a reference to read, run and rebuild."""

from lightnn import compress, data, functional, io, models, nn, optim, runtime
from lightnn.io import FormatError, inspect, load, save
from lightnn.kernels.parallel import get_num_threads, set_num_threads
from lightnn.tensor import Tensor, no_grad, op
from lightnn.training import evaluate, predict, train

__all__ = [
    "FormatError",
    "Tensor",
    "compress",
    "data",
    "evaluate",
    "functional",
    "get_num_threads",
    "inspect",
    "io",
    "load",
    "models",
    "nn",
    "no_grad",
    "op",
    "optim",
    "predict",
    "runtime",
    "save",
    "set_num_threads",
    "train",
]
