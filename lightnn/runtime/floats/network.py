"""FloatNetwork: a network without compressed weights, lowered."""

import threading

import numpy as np

from lightnn import options
from lightnn.nn import Module
from lightnn.runtime.floats.graph import Unsupported
from lightnn.runtime.floats.plan import Plan
from lightnn.runtime.registry import RunsOnly
from lightnn.tables import Tabular
from lightnn.tensor import Tensor


class FloatNetwork(RunsOnly, Tabular):
    """A network of plain float32 weights that runs as one program: batch norms folded, biases, activations and
    residual additions done while a layer's sums are in registers, one block of memory used again and again, no tape.

    The program is made in the first call, from a run that shows which ops follow which; `plan` makes it earlier. Until
    then the network's modules are in `network`; after that its weights exist once, packed. An op without a rule leaves
    the network as it is, module by module, and `why` says so. What a forward does must depend on shapes alone, not on
    the numbers in x. Prints as a table of the steps.
    """

    def __init__(self, network: Module):
        self.network, self._plan, self.why, self._turn = network, None, "", _Turn()

    def plan(self, input_shape: tuple[int, ...]) -> "FloatNetwork":
        """Make the program for images of input_shape (N, C, H, W); one for other sizes is made when they come."""
        with self._turn.lock:
            if self._plan is None and not self.why:
                try:
                    self._plan = Plan(self.network, options.shape("FloatNetwork.plan: input_shape", input_shape))
                    self.network = None
                except Unsupported as reason:
                    self.why = str(reason)
        return self

    def forward(self, x):
        self.check_that_it_runs_only(x)
        x = x if isinstance(x, Tensor) else Tensor(x)
        if self._plan is None and not self.why and x.size:
            self.plan(x.shape)
        if self._plan is None:
            return self.network(x)
        if x.dtype != np.float32:
            raise TypeError(f"FloatNetwork: want floating-point arrays of one dtype, float32, got {x.dtype}")
        return Tensor(self._plan.run(x.data))

    def stored(self):
        """The weights and biases, packed; none before the program is made, when the modules hold them."""
        return {} if self._plan is None else {"values": self._plan.weights}

    @property
    def dense_bytes(self):
        return 0 if self._plan is None else self._plan.dense_bytes

    def table(self):
        rows = [] if self._plan is None else list(self._plan.program().names)
        return "", ("module", "computes"), rows

    def __repr__(self):
        if self._plan is None:
            return Module.__repr__(self)
        return f"FloatNetwork({len(self._plan.program().names)} steps, {self._plan.weights.nbytes} bytes of weights)"


class _Turn:
    """A lock that a deep copy does not share."""

    def __init__(self):
        self.lock = threading.Lock()

    def __deepcopy__(self, memo):
        return _Turn()
