"""How many of a network's activations are not zero: a sparse machine multiplies only these (Han et al. 2015, arXiv
1506.02626, column Act% of tables 2 to 5)."""

import numpy as np

from lightnn import options
from lightnn.nn import Module
from lightnn.nn.module import running
from lightnn.tensor import watching
from lightnn.training.loop import predict


def activation_density(model: Module, x: np.ndarray, *, batch_size: int = 500) -> dict[str, float]:
    """{layer: the fraction of its outputs that are not 0}, over the images x (N, ...), for the convolutions and fully
    connected layers in the order in which they run. A layer's outputs are counted after the batch norm and the
    activation that directly follow it."""
    batch_size = options.count("activation_density: batch_size", batch_size)
    names, counts = {id(m): name for name, m in model.named_modules()}, {}
    for i in range(0, len(x), batch_size):
        outputs = {}  # id of an output: (layer, that output); it is kept, so that no other array gets its id

        def watch(op, arrays, given, y, outputs=outputs):
            if op.is_layer:
                outputs[id(y)] = names[id(running.get())], y
            elif op.finishes_layer and id(arrays[0]) in outputs:
                outputs[id(y)] = outputs.pop(id(arrays[0]))[0], y

        with watching(watch):
            predict(model, x[i : i + batch_size], batch_size=batch_size)
        for name, y in outputs.values():
            counts[name] = counts.get(name, 0) + np.array([np.count_nonzero(y), y.size])
    return {name: float(nonzero / size) for name, (nonzero, size) in counts.items()}
