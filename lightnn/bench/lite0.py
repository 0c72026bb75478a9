"""EfficientNet-Lite0 as it runs after each technique, one image: `python -m lightnn bench lite0`.

The ways of `reproduce lite0` that differ in time: as floats, in integers, with shared weights, and pruned, lowered.
Fewer bits run the same integers, fewer shared values the same codes, and re-estimated batch norms the same floats;
`way_of` says which. Times are CPU times of one thread, the least of some runs. Needs the network's weights (group
`photos`). The committed result is chapters/results/lite0_bench.json.
"""

import copy
from collections.abc import Callable

import numpy as np

from lightnn import compress, nn, runtime
from lightnn.bench.peaks import least_seconds
from lightnn.bench.suite import Suite
from lightnn.compress.quantization.post_training import layers_with_weights
from lightnn.kernels.parallel import get_num_threads, set_num_threads
from lightnn.papers.lite0.experiment import SHAPE, pruned
from lightnn.pretrained import efficientnet_lite0
from lightnn.tensor import Tensor, no_grad

RUNS, SHARED_BITS = 20, 4


def integers(model: nn.Module, shape) -> nn.Module:
    x = np.random.default_rng(0).standard_normal((4, *shape[1:]), np.float32)
    return runtime.lower_integers(compress.quantize(model, x), shape)


def shared(model: nn.Module, shape) -> nn.Module:
    model = copy.deepcopy(model)
    for layer in layers_with_weights(model).values():
        compress.share(layer.weight, SHARED_BITS)
    return runtime.lower(model)


WAYS = {  # the network as it runs
    "float32": lambda model, shape: runtime.lower(model),
    "integers": integers,
    "shared": shared,
    "pruned 10 %": lambda model, shape: runtime.lower(pruned(model, 10)),
    "pruned 50 %": lambda model, shape: runtime.lower(pruned(model, 50)),
}


def way_of(row: str) -> str:
    """Which of WAYS runs a row of chapters/results/lite0.json."""
    if "shared" in row:
        return "shared"
    if "bits" in row:
        return "integers"
    return row.split(",")[0] if row.startswith("pruned") else "float32"


def run(say: Callable[[str], None] = print, shape=SHAPE, runs: int = RUNS) -> dict:
    """{"threads": 1, "ms": {way: latency}}."""
    threads, found = get_num_threads(), {}
    model, x = efficientnet_lite0(), Tensor(np.zeros(shape, np.float32))
    set_num_threads(1)
    try:
        for name, make in WAYS.items():
            lowered = make(model, shape)
            with no_grad():
                found[name] = 1e3 * least_seconds(lambda lowered=lowered: lowered(x), runs)
            say(f"EfficientNet-Lite0 {name:<14}{found[name]:>10.2f} ms, one image, one thread")
    finally:
        set_num_threads(threads)
    return {"threads": 1, "ms": found}


SUITE = Suite(("lite0",), "EfficientNet-Lite0 after each technique", lambda families: run())
