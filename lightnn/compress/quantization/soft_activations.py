"""Where the steps of soft activations start, from a run on some images (Yang et al. 2019, arXiv 1911.09464, section
3.3)."""

import numpy as np

from lightnn import nn, options
from lightnn.compress.finite import check_finite
from lightnn.compress.quantization.observing import BATCH_SIZE, Seeing, check_images, without
from lightnn.compress.transforms.soft import first_scales, kmeans_biases
from lightnn.training import predict

SAMPLES = 1000  # numbers of each activation, as in the paper


def start_soft_activations(model: nn.Module, x: np.ndarray, rng: options.Rng = 0) -> list[str]:
    """Set alpha, beta and the biases of all SoftActivations of the model, by a run on x (N, ...) without them. Returns
    their paths.

        beta = 5 p / (4 q),    p = max Y,    q = max of 1000 numbers that come in,    b_i between k-means centres

    rng: draws the 1000 numbers of each. ValueError names the layer for numbers that are not finite.
    """
    x, rng = check_images("start_soft_activations", x), options.generator("start_soft_activations: rng", rng)
    layers = {path: m for path, m in model.named_modules() if isinstance(m, nn.SoftActivation)}
    seen = {path: [] for path in layers}
    run = without(model, layers, lambda path: Seeing(lambda a, _: seen[path].append(a.ravel())))
    predict(run, x, batch_size=BATCH_SIZE)
    for path, layer in layers.items():
        if not seen[path]:
            raise ValueError(f"start_soft_activations: {path}: nothing came through")
        everything = np.concatenate(seen[path])
        check_finite(f"start_soft_activations: {path}", everything)
        start(layer, rng.choice(everything, min(SAMPLES, everything.size), replace=False))
    return list(layers)


def start(layer: nn.SoftActivation, a: np.ndarray) -> None:
    """Let the layer's steps fit the numbers a."""
    beta, alpha = first_scales(a, layer.Y)
    layer.biases = kmeans_biases(beta * a.astype(np.float64), layer.Y).astype(np.float32)
    layer.beta.data = np.array([beta], np.float32)
    layer.alpha.data = np.array([alpha], np.float32)
