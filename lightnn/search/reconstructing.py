"""Layers whose inputs have lost channels are fitted again, so that they give what they gave before.

    W' = argmin sum_p |y_p - W' x'_p|^2        x'_p: the window that is left at position p, y_p: the output before

(He, Zhang & Sun 2017, arXiv 1707.06168, equation 3, and AMC, He et al. 2018, arXiv 1802.03494, section 3.4.) Some
positions of some images are enough: there are more of them than weights in a filter. Layers are fitted in the order of
the run, each on what the layers before it, fitted already, give it. Nothing is trained.
"""

import numpy as np

from lightnn import compress, nn, options
from lightnn.nn.module import evaluating
from lightnn.options import Rng, generator
from lightnn.tensor import Tensor, no_grad

POINTS = 10  # positions of each image
RIDGE = 1e-6  # of the mean square of the inputs: keeps directions that no image shows at 0


def least_squares(x, y, bias=True):
    """(w, b) with the least sum of (y - x w^T - b)^2: float64 (O, I) and (O,), b zeros without a bias.

    x: inputs (S, I), y: wanted outputs (S, O). A small ridge picks one of many equally good solutions.
    """
    bias = options.flag("least_squares: bias", bias)
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    mx, my = (x.mean(0), y.mean(0)) if bias else (np.zeros(x.shape[1]), np.zeros(y.shape[1]))
    xc, yc = x - mx, y - my
    gram = xc.T @ xc
    gram[np.diag_indices_from(gram)] += RIDGE * max(np.trace(gram) / len(gram), 1e-30)
    w = np.linalg.solve(gram, xc.T @ yc).T
    return w, my - w @ mx


def thin_and_reconstruct(model: nn.Module, cuts: compress.Plan, x: np.ndarray, rng: Rng = 0) -> nn.Module:
    """`compress.thin(model, cuts)`, with each dense layer whose inputs were cut fitted to the model's outputs on images
    x (N, C, H, W)."""
    wanted = {}
    for name, cut in cuts.changed().items():
        path, _, attribute = name.rpartition(".")
        layer = dict(model.named_modules())[path]
        dense = isinstance(layer, nn.Linear) or (isinstance(layer, nn.Conv2d) and layer.groups == 1)
        if attribute == "weight" and 1 in cut.keep and dense:
            wanted[path] = cut.keep.get(0, slice(None))
    outputs, points, rng = {}, {}, generator("thin_and_reconstruct: rng", rng)
    thin = compress.thin(model, cuts)
    with evaluating(model), evaluating(thin), no_grad():
        with _heard(model, wanted, lambda path, layer, x, y: _sample(path, y, outputs, points, rng)):
            model(Tensor(x))
        with _refitted(thin, wanted, outputs, points):
            thin(Tensor(x))
    return thin


def _sample(path, y, outputs, points, rng):
    """Note the outputs at a few positions, and which these are."""
    if y.ndim == 2:
        points[path], outputs[path] = None, y
    else:
        N, _, H, W = y.shape
        n = np.repeat(np.arange(N), POINTS)
        points[path] = n, rng.integers(0, H, len(n)), rng.integers(0, W, len(n))
        n, i, j = points[path]
        outputs[path] = y[n, :, i, j]


class _heard:
    """Within this context, hear(path, layer, x, y) is called after each of these layers has run."""

    def __init__(self, model, paths, hear):
        self.modules, self.hear = {p: m for p, m in model.named_modules() if p in paths}, hear

    def __enter__(self):
        for path, layer in self.modules.items():
            layer.forward = self._hearing(path, layer, layer.forward)

    def __exit__(self, *exception):
        for layer in self.modules.values():
            del layer.forward

    def _hearing(self, path, layer, forward):
        def heard(x):
            y = forward(x)
            self.hear(path, layer, x.data, y.data)
            return y

        return heard


class _refitted(_heard):
    """Within this context, each of these layers is fitted to its sampled outputs before it runs."""

    def __init__(self, model, wanted, outputs, points):
        super().__init__(model, wanted, None)
        self.wanted, self.outputs, self.points = wanted, outputs, points

    def _hearing(self, path, layer, forward):
        def fitted(x):
            rows = _windows(layer, x.data, self.points[path])
            w, b = least_squares(rows, self.outputs[path][:, self.wanted[path]], layer.bias is not None)
            layer.weight.data = w.reshape(layer.weight.shape).astype(layer.weight.dtype)
            if layer.bias is not None:
                layer.bias.data = b.astype(layer.bias.dtype)
            return forward(x)

        return fitted


def _windows(layer, x, points):
    """What the layer reads at the sampled positions: (S, C K_h K_w), in the order of its weight."""
    if points is None:
        return x
    (sh, sw), (dh, dw), (kh, kw) = layer.stride, layer.dilation, layer.kernel_size
    ph, pw = layer.padding
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    n, i, j = points
    down, right = (i * sh)[:, None] + np.arange(kh) * dh, (j * sw)[:, None] + np.arange(kw) * dw
    taken = x[n[:, None, None], :, down[:, :, None], right[:, None, :]]  # (S, KH, KW, C)
    return taken.transpose(0, 3, 1, 2).reshape(len(n), -1)
