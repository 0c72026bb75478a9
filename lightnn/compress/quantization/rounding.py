"""AdaRound (Nagel et al. 2020, "Up or Down? Adaptive Rounding for Post-Training Quantization", arXiv 2004.10568).

The nearest code is not the best one for each weight: errors of several weights can cancel in a layer's output. Whether
a weight is rounded up or down is learned, one layer after the other, through h(V) from 0 (down) to 1 (up):

    W~ = S clip(floor(W / S) + h(V), -n, n)        h(V) = clip(sigmoid(V) (zeta - gamma) + gamma, 0, 1)
    argmin_V  || f(W x) - f(W~ x~) ||^2 + lambda sum 1 - |2 h(V) - 1|^beta

with zeta = 1.1 and gamma = -0.1, f the ReLU that follows, if any, x from the float network and x~ from the quantized
one (equations 21 to 25). beta falls from 20 to 2, after a fifth of the steps without the second term.
"""

import copy
import math

import numpy as np

from lightnn import functional as F
from lightnn import options
from lightnn.compress.quantization.correcting import in_order
from lightnn.compress.quantization.observing import check_images, in_floats, inputs_and_outputs
from lightnn.compress.quantization.post_training import affine_layers
from lightnn.compress.structure.wiring import wiring
from lightnn.nn import Module, Parameter
from lightnn.optim import Adam
from lightnn.options import Rng
from lightnn.tensor import Tensor, no_grad

ZETA, GAMMA = 1.1, -0.1
LAMBDA, BETAS, WARM_START = 0.01, (20.0, 2.0), 0.2
BATCH = 32


def adaround(model: Module, x: np.ndarray, *, iterations: int = 1000, lr: float = 0.01, rng: Rng = 0) -> Module:
    """A new network: the model, which `quantize` has made, with its affine weights rounded for the images x (N, ...).

    A layer whose outputs on x would be farther from the float ones than with the nearest codes keeps those. rng: draws
    the batches. The latent weights move as little as the new codes need."""
    x, layers = check_images("adaround", x), affine_layers("adaround", model)
    iterations = options.count("adaround: iterations", iterations)
    lr, rng = options.number("adaround: lr", lr, above=0), options.generator("adaround: rng", rng)
    floats, twin = in_floats(model), copy.deepcopy(model).eval()
    own, rectified = dict(twin.named_modules()), _rectified(floats, x)
    for path in in_order(floats, layers, x):
        ins, _ = inputs_and_outputs(twin, path, x)
        _, outs = inputs_and_outputs(floats, path, x)
        f = F.relu if path in rectified else _same
        task = Task(own[path], ins, outs, f)
        _settle(task, _learn(task, iterations, lr, rng))
    return twin


class Task:
    """One layer, what it reads in the quantized network and gives in the float one, and f."""

    def __init__(self, layer, ins, outs, f):
        self.layer, self.ins, self.f = layer, ins, f
        self.wanted = f(Tensor(outs)).data
        p = layer.weight
        self.S = p.values.scale.astype(p.dtype).reshape(-1, *[1] * (p.ndim - 1))
        self.n = p.values.q_max
        self.steps = p.data / self.S  # the weights in units of a step
        self.mask = np.ones(p.shape, p.dtype) if p.support is None else p.support.mask.astype(p.dtype)

    def loss(self, q, chosen=slice(None)):
        """The squared error of the outputs for codes q, a Tensor: summed over channels, the mean of the rest."""
        layer = copy.copy(self.layer)
        layer.weight = lambda: q * self.S * self.mask
        bias, layer.bias = layer.bias, None
        y = layer.forward(Tensor(self.ins[chosen]))
        if bias is not None:
            y = y + bias().data.reshape(-1, *[1] * (y.ndim - 2))
        error = self.f(y) - self.wanted[chosen]
        return (error * error).mean() * y.shape[1]


def _rectified(model, x):
    """Paths of the layers whose outputs a ReLU alone reads."""
    run = wiring("adaround", model, (1, *x.shape[1:]))
    readers = {step.module: run.readers.get(i, ()) for i, step in enumerate(run.steps) if step.op.is_layer}
    return {path for path, after in readers.items() if len(after) == 1 and run.steps[after[0]].op.name == "relu"}


def _same(x):
    return x


def soft_rounding(V: Tensor) -> Tensor:
    """h(V), the rectified sigmoid (equation 23)."""
    return F.hardtanh(F.sigmoid(V) * (ZETA - GAMMA) + GAMMA, min_val=0.0, max_val=1.0)


def _learn(task, iterations, lr, rng):
    """The codes after `iterations` steps."""
    floor = np.floor(task.steps)
    fraction = np.clip(task.steps - floor, 0.01, 0.99)
    V = Parameter(-np.log((ZETA - GAMMA) / (fraction - GAMMA) - 1).astype(task.steps.dtype))  # h(V) = W / S - floor
    optimizer = Adam([V], lr=lr)
    for t in range(iterations):
        chosen = rng.integers(0, len(task.ins), min(BATCH, len(task.ins)))
        h = soft_rounding(V)
        loss = task.loss(F.hardtanh(h + floor, min_val=-task.n, max_val=task.n), chosen)
        if t >= WARM_START * iterations:
            loss = loss + (1 - abs(h * 2 - 1) ** beta(t, iterations)).sum() * LAMBDA
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return np.clip(floor + (soft_rounding(V).data >= 0.5), -task.n, task.n)


def beta(t: int, iterations: int) -> float:
    """The exponent in step t: from 20 to 2 along half a cosine, after the warm start."""
    first, last = BETAS
    done = (t - WARM_START * iterations) / ((1 - WARM_START) * iterations)
    return last + (first - last) * (1 + math.cos(math.pi * done)) / 2


@no_grad()
def _settle(task, q):
    """Let the layer use the codes q, if they are better than the nearest ones."""
    p = task.layer.weight
    nearest = np.clip(np.rint(task.steps), -task.n, task.n)
    if task.loss(Tensor(q)).item() < task.loss(Tensor(nearest)).item():
        steps = q + np.clip(task.steps - q, -0.49, 0.49)
        p.data = (steps * task.S).astype(p.dtype)
