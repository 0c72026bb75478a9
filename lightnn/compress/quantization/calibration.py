"""Calibration: the ranges of a network's FakeQuantize layers, from a run on some images (Jacob et al. 2018, arXiv
1712.05877, section 3).

    S = (high - low) / (2^K - 1),        Z = round(-low / S)

The images are run twice, in floats: first for the lowest and highest number of each tensor, then for its histogram.
"""

from collections.abc import Callable, Mapping

import numpy as np

from lightnn import nn, options
from lightnn.compress.quantization.observing import BATCH_SIZE, Seeing, check_images, without
from lightnn.compress.quantization.ranges import BINS, Seen, min_max_range
from lightnn.training import predict

Choose = Callable[[Seen, int], tuple[float, float]]


def calibrate(model: nn.Module, x: np.ndarray, choose: Choose = min_max_range) -> dict[str, tuple[float, float]]:
    """Set the ranges of all FakeQuantize layers of the model by a run on x (N, ...), in eval mode. Returns
    {path: (low, high)}.

    choose(seen, bits) -> (low, high): `min_max_range`, `percentile_range`, `mse_range`, `entropy_range`, or your own.
    ValueError names the layer for numbers that are not finite.
    """
    options.function("calibrate: choose", choose)
    layers = {path: m for path, m in model.named_modules() if isinstance(m, nn.FakeQuantize)}
    ranges = {}
    for path, seen in observe(model, list(layers), x).items():
        low, high = ranges[path] = choose(seen, layers[path].bits)
        layers[path].set_range(low, high)
        layers[path].observed = np.array([low, high], np.float32)  # where a moving average starts
    return ranges


def observe(model: nn.Module, paths: list[str], x: np.ndarray) -> Mapping[str, Seen]:
    """{path: what passes the module there} for a run of the model without these modules."""
    x = check_images("calibrate", x)
    lowest, highest = dict.fromkeys(paths, np.inf), dict.fromkeys(paths, -np.inf)
    counts = {path: np.zeros((2, BINS), np.int64) for path in paths}

    def bounds(path):
        def see(a, _):
            lowest[path], highest[path] = np.minimum(lowest[path], a.min()), np.maximum(highest[path], a.max())
            if not np.isfinite([lowest[path], highest[path]]).all():
                raise ValueError(f"calibrate: {path}: want finite numbers, got {lowest[path]} to {highest[path]}")

        return Seeing(see)

    def histogram(path):
        top = max(-lowest[path], highest[path]) or 1.0

        def see(a, _):
            bins = np.minimum((np.abs(a) * (BINS / top)).astype(np.int64), BINS - 1)
            for side, chosen in enumerate((a < 0, a >= 0)):
                counts[path][side] += np.bincount(bins[chosen], minlength=BINS)

        return Seeing(see)

    for watch in (bounds, histogram):
        predict(without(model, paths, watch), x, batch_size=BATCH_SIZE)
    if unseen := [path for path in paths if not counts[path].any()]:
        raise ValueError(f"calibrate: {unseen[0]}: nothing came through")
    return {path: Seen(float(lowest[path]), float(highest[path]), counts[path]) for path in paths}
