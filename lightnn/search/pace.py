"""Times of calls, at the speed that the machine had when a search began.

Other work on the machine changes its speed from minute to minute. So every measurement runs in turn with one reference,
a small convolution, and is scaled to the speed at which the reference took `reference_ms`.
"""

import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from lightnn import nn, options
from lightnn.metrics import least_times
from lightnn.nn.module import evaluating
from lightnn.runtime import lower, step_calls
from lightnn.tensor import Tensor, no_grad


class Pace:
    """Times calls in turn with the reference, and says what they would take at the reference's usual speed."""

    def __init__(self, reference_ms: float | None = None):
        if reference_ms is not None:
            reference_ms = options.number("Pace: reference_ms", reference_ms, above=0)
        conv = nn.Sequential(nn.Conv2d(16, 16, 3, padding=1, bias=False, rng=0))
        shape = (1, 16, 14, 14)
        self._call = next(c.run for c in step_calls(lower(conv, shape), shape) if "conv2d" in c.computes)
        self.reference_ms = reference_ms or least_times({"reference": self._call}, 200)["reference"].ms

    def times(self, calls: Mapping[object, Callable], repeats: int) -> dict:
        """{name: milliseconds}, of the least of so many calls."""
        least = least_times({**calls, "reference": self._call}, repeats)
        speed = self.reference_ms / least.pop("reference").ms
        return {name: each.ms * speed for name, each in least.items()}


@no_grad()
def whole_ms(models: Mapping[str, nn.Module], input_shape: Sequence[int], pace: Pace, repeats: int = 40) -> dict:
    """{name: milliseconds} of whole networks, lowered, the least of many calls in turn: what the table predicts."""
    options.count("whole_ms: repeats", repeats, at_least=5)
    options.instance("whole_ms: pace", pace, Pace, "a Pace")
    x = Tensor(np.zeros(options.shape("whole_ms: input_shape", input_shape), np.float32))
    with evaluating(*models.values()):
        calls = {name: functools.partial(lower(model, input_shape), x) for name, model in models.items()}
    return pace.times(calls, repeats)
