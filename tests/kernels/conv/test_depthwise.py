"""Depthwise convolution against its definition (lightnn/functional/plain.py), float64."""

import numpy as np
import pytest
from numba import config

from lightnn.functional import plain
from lightnn.kernels.conv import depthwise

# n, c, m, height, width, kernel, stride, padding (top, bottom, left, right), dilation
CASES = {
    "3x3": (2, 3, 1, 7, 7, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
    "3x3 stride 2": (2, 3, 1, 8, 9, (3, 3), (2, 2), (1, 1, 1, 1), (1, 1)),
    "5x5 stride 2, tensorflow's same": (1, 2, 1, 8, 8, (5, 5), (2, 2), (1, 2, 1, 2), (1, 1)),
    "7x7": (1, 2, 1, 9, 11, (7, 7), (1, 1), (3, 3, 3, 3), (1, 1)),
    "even kernels, multiplier 2": (2, 3, 2, 6, 9, (2, 4), (1, 1), (0, 1, 2, 0), (1, 1)),
    "mixed stride and dilation": (1, 2, 3, 13, 12, (3, 2), (2, 3), (2, 0, 1, 3), (2, 3)),
    "dilation divisible by stride": (1, 2, 1, 12, 12, (3, 3), (2, 2), (2, 2, 2, 2), (2, 4)),
    "stride over kernel": (1, 2, 1, 9, 8, (2, 1), (3, 4), (0, 0, 0, 0), (1, 1)),
    "padding over kernel": (1, 2, 1, 5, 6, (2, 2), (3, 3), (4, 2, 5, 3), (1, 1)),
    "1x1 image": (3, 2, 1, 1, 1, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
    "1x1 image, kernel and all": (1, 1, 1, 1, 1, (1, 1), (1, 1), (0, 0, 0, 0), (1, 1)),
    "empty batch": (0, 2, 2, 5, 5, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
    "tall in bands": (1, 1, 1, 90 if config.DISABLE_JIT else 400, 40, (3, 3), (2, 1), (1, 1, 1, 1), (1, 1)),
    "rows longer than the buffer": (1, 1, 1, 3, 7000, (3, 3), (1, 2), (1, 1, 1, 1), (1, 1)),
    "side by side": (2, 21, 1, 7, 7, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
    "side by side, stride 2": (2, 19, 1, 8, 7, (5, 5), (2, 2), (2, 1, 2, 3), (1, 1)),
    "side by side, holes": (1, 16, 1, 17, 14, (2, 2), (4, 3), (1, 0, 0, 5), (1, 2)),
    "side by side, cropped": (1, 17, 1, 9, 9, (2, 2), (2, 2), (6, 2, 5, 3), (1, 1)),
    "few numbers": (16, 5, 2, 2, 2, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
    "few numbers, many images": (67, 2, 1, 4, 3, (3, 3), (2, 2), (1, 1, 1, 1), (1, 1)),
    "few numbers, enough for threads": (
        16,
        16 if config.DISABLE_JIT else 256,
        1,
        3,
        3,
        (3, 3),
        (1, 1),
        (1, 1, 1, 1),
        (1, 1),
    ),
    "few numbers, holes": (17, 3, 1, 5, 4, (2, 2), (4, 3), (0, 2, 0, 3), (1, 2)),
    "few numbers, some never read": (17, 3, 1, 5, 5, (1, 2), (3, 2), (0, 0, 1, 0), (1, 1)),
    "enough for threads": (2, 8, 2, 12, 12, (5, 3), (1, 1), (2, 2, 1, 1), (1, 1))
    if config.DISABLE_JIT
    else (4, 32, 2, 20, 20, (5, 3), (1, 1), (2, 2, 1, 1), (1, 1)),
}


SLOW = ["few numbers, enough for threads", "enough for threads"]


@pytest.fixture(
    params=[pytest.param(c, marks=pytest.mark.thorough if name in SLOW else ()) for name, c in CASES.items()], ids=CASES
)
def case(request):
    n, c, m, height, width, kernel, *options = request.param
    rng = np.random.default_rng(7)
    return rng.standard_normal((n, c, height, width)), rng.standard_normal((c * m, 1, *kernel)), options


def close(a, b):
    assert a.shape == b.shape
    np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)


def test_forward(case):
    x, w, options = case
    b = np.random.default_rng(1).standard_normal(len(w))
    want = plain.conv2d(x, w, *options, groups=x.shape[1])
    close(depthwise.forward(x, w, b, *options), want + b[:, None, None])
    close(depthwise.forward(x, w, None, *options), want)


def test_backward_weight(case):
    x, w, options = case
    dy = np.random.default_rng(2).standard_normal(depthwise.forward(x, w, None, *options).shape)
    want = plain.conv2d_backward_weight(dy, x, w.shape, *options, groups=x.shape[1])
    close(depthwise.backward_weight(dy, x, w.shape, *options), want)


def test_backward_input(case):
    x, w, options = case
    dy = np.random.default_rng(3).standard_normal(depthwise.forward(x, w, None, *options).shape)
    want = plain.conv2d_backward_input(dy, w, x.shape, *options, groups=x.shape[1])
    close(depthwise.backward_input(dy, w, x.shape, *options), want)


def test_gradients_are_the_adjoints(case):
    """y is linear in x and in w: <dy, y> = <dx, x> = <dw, w>."""
    x, w, options = case
    y = depthwise.forward(x, w, None, *options)
    dy = np.random.default_rng(4).standard_normal(y.shape)
    want = (dy * y).sum()
    assert (depthwise.backward_input(dy, w, x.shape, *options) * x).sum() == pytest.approx(want, rel=1e-10, abs=1e-9)
    assert (depthwise.backward_weight(dy, x, w.shape, *options) * w).sum() == pytest.approx(want, rel=1e-10, abs=1e-9)


def test_float32_and_views():
    rng = np.random.default_rng(5)
    options = (2, 2), (1, 1, 1, 1), (1, 1)
    x = rng.standard_normal((2, 9, 9, 6), np.float32).transpose(0, 3, 1, 2)[:, ::2]
    w = rng.standard_normal((3, 3, 1, 3), np.float32).transpose(1, 2, 0, 3)
    dy = rng.standard_normal((5, 5, 3, 2), np.float32).T
    wide = [a.astype(np.float64) for a in (x, w, dy)]
    y = depthwise.forward(x, w, None, *options)
    dx, dw = depthwise.backward_input(dy, w, x.shape, *options), depthwise.backward_weight(dy, x, w.shape, *options)
    assert y.dtype == dx.dtype == dw.dtype == np.float32
    np.testing.assert_allclose(y, depthwise.forward(*wide[:2], None, *options), atol=1e-5)
    np.testing.assert_allclose(dx, depthwise.backward_input(wide[2], wide[1], x.shape, *options), atol=1e-5)
    np.testing.assert_allclose(dw, depthwise.backward_weight(wide[2], wide[0], w.shape, *options), atol=1e-4)


@pytest.mark.skipif(config.DISABLE_JIT, reason="threads need the compiler")
def test_the_number_of_threads_does_not_matter():
    import numba

    rng = np.random.default_rng(6)
    x, w = rng.standard_normal((2, 64, 28, 28), np.float32), rng.standard_normal((64, 1, 3, 3), np.float32)
    options = (1, 1), (1, 1, 1, 1), (1, 1)

    def run():
        y = depthwise.forward(x, w, None, *options)
        return y, depthwise.backward_input(y, w, x.shape, *options), depthwise.backward_weight(y, x, w.shape, *options)

    threads = numba.get_num_threads()
    many = run()
    numba.set_num_threads(1)
    try:
        one = run()
    finally:
        numba.set_num_threads(threads)
    for a, b in zip(many, one, strict=True):
        np.testing.assert_array_equal(a, b)


def test_pytorch(case):
    torch = pytest.importorskip("torch")
    x, w, (stride, padding, dilation) = case
    if x.size == 0:
        pytest.skip("PyTorch's gradients want a batch")
    tx, tw = torch.tensor(x, requires_grad=True), torch.tensor(w, requires_grad=True)
    top, bottom, left, right = padding
    padded = torch.nn.functional.pad(tx, (left, right, top, bottom))
    y = torch.nn.functional.conv2d(padded, tw, None, stride, 0, dilation, x.shape[1])
    dy = np.random.default_rng(8).standard_normal(y.shape)
    y.backward(torch.tensor(dy))
    close(depthwise.forward(x, w, None, stride, padding, dilation), y.detach().numpy())
    close(depthwise.backward_input(dy, w, x.shape, stride, padding, dilation), tx.grad.numpy())
    close(depthwise.backward_weight(dy, x, w.shape, stride, padding, dilation), tw.grad.numpy())
