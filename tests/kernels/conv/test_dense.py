"""Dense and grouped convolution against its definition (lightnn/functional/plain.py), on each of its paths.

Which path a shape takes depends on its size and on the host's vectors; here every shape takes every path it may.
"""

import numpy as np
import pytest
from numba import config

from lightnn.functional import plain
from lightnn.kernels.conv import dense, inplace, inplace_weight, windows
from lightnn.kernels.vector.gemm import ROWS

MANY = 20 if config.DISABLE_JIT else 70
# n, c, height, width, o, kernel, stride, padding (top, bottom, left, right), dilation, groups
CASES = {
    "1x1": (2, 5, 4, 7, 3, (1, 1), (1, 1), (0, 0, 0, 0), (1, 1), 1),
    "1x1 image": (3, 2, 1, 1, 4, (1, 1), (1, 1), (0, 0, 0, 0), (1, 1), 1),
    "1x1 image, padded": (1, 2, 1, 1, 4, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
    "1x1 stride 2": (2, 3, 5, 8, 9, (1, 1), (2, 2), (0, 0, 0, 0), (1, 1), 1),
    "3x3": (2, 3, 9, 8, 10, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
    "3x3 no padding": (1, 3, 11, 8, 9, (3, 3), (1, 1), (0, 0, 0, 0), (1, 1), 1),
    "3x3 stride 2": (2, 3, 9, 8, 8, (3, 3), (2, 2), (1, 1, 1, 1), (1, 1), 1),
    "even kernel, asymmetric padding": (1, 2, 7, 10, 5, (2, 4), (1, 1), (0, 1, 2, 0), (1, 1), 1),
    "stride over kernel": (1, 2, 11, 9, 3, (2, 1), (3, 4), (0, 0, 0, 0), (1, 1), 1),
    "padding over kernel": (1, 2, 5, 6, 3, (2, 2), (3, 3), (4, 2, 5, 3), (1, 1), 1),
    "dilation": (2, 3, 13, 12, 6, (3, 3), (1, 1), (2, 2, 4, 4), (2, 4), 1),
    "stride and dilation": (1, 2, 13, 12, 6, (3, 2), (2, 3), (2, 0, 1, 3), (2, 3), 1),
    "groups": (2, 6, 7, 9, 12, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 3),
    "groups, stride 2": (1, 8, 9, 9, 4, (3, 3), (2, 2), (1, 1, 1, 1), (1, 1), 2),
    "many channels": (1, MANY, 6, 6, MANY + 3, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
    "large": (3, 4, MANY, 31, 17, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
    "empty batch": (0, 2, 5, 5, 3, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
    "empty batch, no padding": (0, 2, 5, 5, 3, (3, 3), (1, 1), (0, 0, 0, 0), (1, 1), 1),
}


SLOW = ["many channels"]  # in float32 Winograd's way by rows: 10 s to compile


@pytest.fixture(
    params=[pytest.param(c, marks=pytest.mark.thorough if name in SLOW else ()) for name, c in CASES.items()], ids=CASES
)
def case(request, rng):
    """x, w, dy and the options."""
    n, c, height, width, o, kernel, stride, padding, dilation, groups = request.param
    x, w = rng.standard_normal((n, c, height, width)), rng.standard_normal((o, c // groups, *kernel))
    seen = plain.windows(x, kernel, stride, padding, dilation)
    return x, w, rng.standard_normal((n, o, *seen.shape[2:4])), (stride, padding, dilation, groups)


@pytest.fixture(params=["chosen", "packed", "in place"])
def path(request, monkeypatch):
    """Take one path wherever it may be taken."""
    whole, few = inplace.fits, inplace_weight.fits
    if request.param == "packed":
        monkeypatch.setattr(inplace, "fits", lambda *_: False)
        monkeypatch.setattr(inplace_weight, "fits", lambda *_: False)
    if request.param == "in place":
        monkeypatch.setattr(inplace, "fits", lambda *a: whole(*a) or a[0].spare)
        monkeypatch.setattr(inplace_weight, "fits", lambda padded, *a: few(padded, *a) or padded.spare)
    return request.param


def test_forward(case, path, rng):
    x, w, _, options = case
    b = rng.standard_normal(len(w))
    want = plain.conv2d(x, w, *options)
    np.testing.assert_allclose(dense.forward(x, w, None, *options), want, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(dense.forward(x, w, b, *options), want + b[:, None, None], rtol=1e-12, atol=1e-12)


def test_backward_input(case, path):
    x, w, dy, options = case
    want = plain.conv2d_backward_input(dy, w, x.shape, *options)
    np.testing.assert_allclose(dense.backward_input(dy, w, x.shape, *options), want, rtol=1e-11, atol=1e-11)


def test_backward_weight(case, path):
    x, w, dy, options = case
    dw = dense.backward_weight(dy, x, w.shape, *options)
    np.testing.assert_allclose(dw, plain.conv2d_backward_weight(dy, x, w.shape, *options), rtol=1e-11, atol=1e-11)


def test_float32_agrees(case, path):
    x, w, dy, options = case
    single = [a.astype(np.float32) for a in (x, w, dy)]
    for kernel, args, more in (
        (dense.forward, (0, 1), (None,)),
        (dense.backward_input, (2, 1), (x.shape,)),
        (dense.backward_weight, (2, 0), (w.shape,)),
    ):
        got = kernel(*(single[i] for i in args), *more, *options)
        assert got.dtype == np.float32
        want = kernel(*((x, w, dy)[i] for i in args), *more, *options)
        np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-3 * max(1, np.abs(want).max(initial=0)))


def test_few_output_channels_are_read_in_place_and_many_are_packed(rng):
    """What the benchmark relies on; the numbers are the same either way."""
    vertical, horizontal = windows.axes((1, 64, 56, 56), (3, 3), (1, 1), (1, 1, 1, 1), (1, 1))
    padded = windows.pad_image(rng.standard_normal((1, 64, 56, 56), np.float32), vertical, horizontal)
    few, many = (np.empty((1, rows, 56, 56), np.float32) for rows in (ROWS, 4096))
    assert inplace.fits(padded, few, 1)
    assert not inplace.fits(padded, many, 1)
