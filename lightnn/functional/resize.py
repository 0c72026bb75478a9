"""Images of another size: bilinear interpolation, which is linear in the image, so its gradient is the transpose."""

import numpy as np

from lightnn import options
from lightnn.declare import same
from lightnn.functional import check
from lightnn.kernels.matrix.matmul import matmul
from lightnn.options import Pair
from lightnn.tensor import op


@op(channels=same, keeps_zero=True)
def resize_bilinear(x, *, size: Pair):
    """y = A x B^T for each channel of x (N, C, H, W), A = `interpolation(H, h)`, B = `interpolation(W, w)`, (h, w) =
    size: PyTorch's interpolate(mode="bilinear", align_corners=False)."""
    check.floating("resize_bilinear", x=x)
    check.shape("resize_bilinear", "x (N, C, H, W), H, W > 0", x.ndim == 4 and 0 not in x.shape[2:], x=x)
    out = options.pair("resize_bilinear: size", size, at_least=1)
    A, B = (interpolation(n, k).astype(x.dtype) for n, k in zip(x.shape[2:], out))
    return _apply(x, A, B), lambda dy: _apply(dy, A.T, B.T)


def interpolation(n, k):
    """A matrix (k, n): row i mixes the two of n pixels between which the centre of pixel i of k lies.

        s = max((i + 1/2) n / k - 1/2, 0),     y[i] = (1 - f) x[j] + f x[j + 1],     j = floor(s), f = s - j

    The last pixel is repeated beyond the end. Equal sizes give the identity.
    """
    s = np.maximum((np.arange(k) + 0.5) * n / k - 0.5, 0)
    j = np.minimum(s.astype(np.int64), n - 1)
    A = np.zeros((k, n))
    np.add.at(A, (np.arange(k), j), 1 - (s - j))
    np.add.at(A, (np.arange(k), np.minimum(j + 1, n - 1)), s - j)
    return A


def _apply(x, A, B):
    """A x B^T for x (N, C, H, W): along the rows of pixels, then, turned, along the columns."""
    n, c, height, width = x.shape
    x = matmul(x.reshape(-1, width), B.T).reshape(n, c, height, len(B))
    x = matmul(np.ascontiguousarray(x.swapaxes(2, 3)).reshape(-1, height), A.T)
    return np.ascontiguousarray(x.reshape(n, c, len(B), len(A)).swapaxes(2, 3))
