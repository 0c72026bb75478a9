"""Shift against its definition (lightnn/functional/plain.py)."""

import numpy as np
import pytest
from numba import config

from lightnn.functional import plain
from lightnn.kernels.conv import shift

SHAPES = [(2, 9, 6, 5), (1, 4, 1, 1), (0, 3, 4, 4), (2, 3, 1, 7), (2, 3, 7, 1)]
if not config.DISABLE_JIT:
    SHAPES.append((4, 40, 33, 30))


@pytest.fixture(params=SHAPES, ids=str)
def case(request):
    rng = np.random.default_rng(3)
    x = rng.standard_normal(request.param)
    return x, rng.integers(-3, 4, x.shape[1]), rng.integers(-3, 4, x.shape[1])


def test_forward(case):
    np.testing.assert_array_equal(shift.forward(*case), plain.shift2d(*case))


def test_backward_is_the_adjoint(case):
    x, dy, dx = case
    dout = np.random.default_rng(4).standard_normal(x.shape)
    want = (dout * plain.shift2d(x, dy, dx)).sum()
    assert (shift.backward(dout, dy, dx) * x).sum() == pytest.approx(want, rel=1e-12, abs=1e-12)
    np.testing.assert_array_equal(shift.backward(dout, dy, dx), plain.shift2d(dout, -dy, -dx))


@pytest.mark.parametrize("far", [(5, 0), (-5, 0), (0, 4), (0, -4), (99, -99), (4, 3), (-4, -3)])
def test_far_shifts(far):
    x = np.random.default_rng(5).standard_normal((2, 1, 5, 4)).astype(np.float32)
    dy, dx = (np.array([d]) for d in far)
    out = shift.forward(x, dy, dx)
    assert out.dtype == np.float32
    np.testing.assert_array_equal(out, plain.shift2d(x, dy, dx))


def test_views():
    x = np.random.default_rng(6).standard_normal((2, 5, 4, 6)).transpose(0, 3, 1, 2)[:, ::2]
    dy, dx = np.array([1, 9, 0, 9, -1, 9], np.int32)[::2], np.array([0, 1, -1], np.int8)
    np.testing.assert_array_equal(shift.forward(x, dy, dx), plain.shift2d(x, dy, dx))


@pytest.mark.parametrize(
    ("channels", "kernel_size", "dilation"), [(18, 3, 1), (20, 3, 2), (7, 3, 1), (53, 5, 1), (4, 1, 1), (0, 3, 1)]
)
def test_assignment(channels, kernel_size, dilation):
    dy, dx = shift.assignment(channels, kernel_size, dilation)
    assert dy.shape == dx.shape == (channels,)
    moved = channels // kernel_size**2 * kernel_size**2
    for c in range(channels):
        want = (
            (c // kernel_size % kernel_size - kernel_size // 2, c % kernel_size - kernel_size // 2)
            if c < moved
            else (0, 0)
        )
        assert (dy[c], dx[c]) == (dilation * want[0], dilation * want[1])


def test_nine_channels_look_in_all_nine_directions():
    dy, dx = shift.assignment(9)
    assert dy.tolist() == [-1, -1, -1, 0, 0, 0, 1, 1, 1]
    assert dx.tolist() == [-1, 0, 1, -1, 0, 1, -1, 0, 1]


def test_pytorch():
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(7).standard_normal((2, 20, 6, 7))
    dy, dx = shift.assignment(20)
    tx = torch.tensor(x, requires_grad=True)
    padded = torch.nn.functional.pad(tx, (1, 1, 1, 1))
    y = torch.stack([padded[:, c, 1 + dy[c] : 7 + dy[c], 1 + dx[c] : 8 + dx[c]] for c in range(20)], 1)
    dout = np.random.default_rng(8).standard_normal(x.shape)
    y.backward(torch.tensor(dout))
    np.testing.assert_array_equal(shift.forward(x, dy, dx), y.detach().numpy())
    np.testing.assert_array_equal(shift.backward(dout, dy, dx), tx.grad.numpy())
