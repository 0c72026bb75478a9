"""Winograd's convolution against its definition, in float32: on each path, on every odd shape; and its error."""

import numba
import numpy as np
import pytest

from lightnn.functional import plain
from lightnn.kernels import parallel
from lightnn.kernels.conv import dense, winograd
from lightnn.kernels.vector import filtering

MANY = 20 if numba.config.DISABLE_JIT else 70
# n, c, height, width, o, padding (top, bottom, left, right), dilation, groups
CASES = {
    "tiles fit": (1, 3, 8, 12, 8, (1, 1, 1, 1), (1, 1), 1),
    "tiles beyond the border": (2, 3, 9, 7, 10, (1, 1, 1, 1), (1, 1), 1),
    "1x1 image": (1, 2, 1, 1, 4, (1, 1, 1, 1), (1, 1), 1),
    "one output": (2, 2, 3, 3, 1, (0, 0, 0, 0), (1, 1), 1),
    "no padding": (1, 3, 11, 8, 9, (0, 0, 0, 0), (1, 1), 1),
    "asymmetric padding": (1, 3, 6, 9, 5, (2, 0, 1, 5), (1, 1), 1),
    "padding over kernel": (1, 2, 5, 6, 3, (9, 2, 5, 8), (1, 1), 1),
    "dilation": (2, 3, 13, 12, 6, (2, 2, 4, 4), (2, 4), 1),
    "dilation over image": (1, 2, 4, 5, 3, (7, 7, 6, 6), (7, 6), 1),
    "groups": (2, 6, 7, 9, 15, (1, 1, 1, 1), (1, 1), 3),
    "many channels": (1, MANY, 6, 6, MANY + 3, (1, 1, 1, 1), (1, 1), 1),
    "wide": (2, 4, 5, 3 * MANY + 1, 3, (1, 1, 1, 1), (1, 1), 1),
    "many images": (MANY, 3, 5, 4, 5, (1, 1, 1, 1), (1, 1), 1),
    "empty batch": (0, 2, 5, 5, 3, (1, 1, 1, 1), (1, 1), 1),
}


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request, rng):
    """x, w, b, dy in float32, and the options."""
    n, c, height, width, o, padding, dilation, groups = request.param
    shapes = (n, c, height, width), (o, c // groups, 3, 3), (o,)
    x, w, b = (rng.standard_normal(shape, np.float32) for shape in shapes)
    out = plain.windows(x, (3, 3), (1, 1), padding, dilation).shape[2:4]
    return x, w, b, rng.standard_normal((n, o, *out), np.float32), ((1, 1), padding, dilation, groups)


ROWS = [pytest.param(way, marks=pytest.mark.thorough) for way in ("by rows", "by rows, in chunks")]  # 10 s to compile


@pytest.fixture(params=["by tiles", *ROWS])
def way(request, monkeypatch):
    """Take Winograd's way wherever it may be taken, cut in one of its ways."""
    monkeypatch.setattr(winograd, "fits", lambda dtype, *_: dtype == np.float32)
    monkeypatch.setattr(winograd, "MANY", 0)
    if request.param != "by tiles":
        monkeypatch.setattr(winograd, "OWN_BYTES", 0)
    if request.param == "by rows, in chunks":
        monkeypatch.setattr(winograd, "SHARED_BYTES", 1)


def assert_close(got, want):
    assert got.dtype == np.float32
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-5 * max(1, np.abs(want).max(initial=0)))


def as_double(*arrays):
    return [a.astype(np.float64) for a in arrays]


def test_forward(case, way):
    x, w, b, _, options = case
    want = plain.conv2d(*as_double(x, w), *options)
    assert_close(dense.forward(x, w, None, *options), want)
    assert_close(dense.forward(x, w, b, *options), want + b[:, None, None])


def test_backward_input(case, way):
    x, w, _, dy, options = case
    want = plain.conv2d_backward_input(*as_double(dy, w), x.shape, *options)
    assert_close(dense.backward_input(dy, w, x.shape, *options), want)


def test_arrays_that_are_not_contiguous(rng, way):
    x, w = rng.standard_normal((9, 2, 7, 3), np.float32).T, rng.standard_normal((3, 3, 7, 5), np.float32).T[:, ::-1]
    before = x.copy(), w.copy()
    options = (1, 1), (1, 1, 1, 1), (1, 1), 1
    assert_close(dense.forward(x, w, None, *options), plain.conv2d(*as_double(x, w), *options))
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(w, before[1])


def test_matrices_filter():
    """y[i] = sum_k g[k] d[i + k] for every g and d: checked on the numbers of a basis."""
    back, points, tile = filtering.matrices()
    got = np.einsum("ip,pk,pj->ikj", back, points, tile)
    i, k, j = np.ogrid[:4, :3, :6]
    np.testing.assert_allclose(got, i + k == j, atol=1e-14)


def test_points_round_less_than_those_of_the_paper(rng):
    """The figures of the docstrings: 256 channels, normally distributed."""
    x, w = rng.standard_normal((256, 6, 6)), rng.standard_normal((64, 256, 3, 3))
    want = np.einsum("cijkl,ockl->oij", np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2)), w)

    def error(a, b):
        back, points, tile = (m.astype(np.float32) for m in filtering.matrices(a, b))
        u = points @ w.astype(np.float32) @ points.T
        v = tile @ x.astype(np.float32) @ tile.T
        y = back @ np.einsum("ocpq,cpq->opq", u, v) @ back.T
        return np.sqrt(np.square(y - want).mean() / np.square(want).mean())

    ours, theirs = error(*map(float, filtering.POINTS)), error(1.0, 2.0)
    assert ours < 3e-6
    assert ours < 0.75 * theirs


@pytest.mark.thorough
@pytest.mark.parametrize(("channels", "size"), [(16, 32), (64, 14)])
def test_error_is_a_few_times_that_of_the_plain_sum(channels, size, rng, monkeypatch):
    """Root mean square, relative, against float64; and nothing is lost by a large mean, as after a ReLU."""
    x = np.abs(rng.standard_normal((2, channels, size, size), np.float32))
    w = rng.standard_normal((channels, channels, 3, 3), np.float32)
    options = (1, 1), (1, 1, 1, 1), (1, 1), 1
    want = dense.forward(*as_double(x, w), None, *options)

    def error():
        return np.sqrt(np.square(dense.forward(x, w, None, *options) - want).mean() / np.square(want).mean())

    assert winograd.fits(x.dtype, (3, 3), (1, 1), channels, channels, (size, size), (1, 1))
    here = error()
    monkeypatch.setattr(winograd, "fits", lambda *_: False)
    assert error() < here < 15 * error()
    assert here < 3e-6


@pytest.mark.thorough
def test_the_same_numbers_on_any_number_of_threads_and_in_any_batch(rng):
    x, w = rng.standard_normal((5, 32, 10, 14), np.float32), rng.standard_normal((24, 32, 3, 3), np.float32)
    options = (1, 1), (1, 1, 1, 1), (1, 1), 1
    assert winograd.fits(x.dtype, (3, 3), (1, 1), 32, 24, (10, 14), (1, 1))
    y, threads = dense.forward(x, w, None, *options), parallel.get_num_threads()
    try:
        parallel.set_num_threads(1)
        np.testing.assert_array_equal(dense.forward(x, w, None, *options), y)
    finally:
        parallel.set_num_threads(threads)
    for i in range(len(x)):
        np.testing.assert_array_equal(dense.forward(x[i : i + 1], w, None, *options)[0], y[i])


def test_nan_and_infinity_do_not_vanish(rng):
    """A NaN or an infinity reaches every output that it should, and no output of other tiles."""
    x, w = rng.standard_normal((2, 16, 24, 24), np.float32), rng.standard_normal((16, 16, 3, 3), np.float32)
    options = (1, 1), (1, 1, 1, 1), (1, 1), 1
    assert winograd.fits(x.dtype, (3, 3), (1, 1), 16, 16, (24, 24), (1, 1))
    for value in (np.nan, np.inf):
        bad = x.copy()
        bad[0, 3, 9, 10] = value
        finite = np.isfinite(dense.forward(bad, w, None, *options))
        assert not finite[0, :, 8:11, 9:12].any()
        assert finite[1].all()
        assert finite[0, :, 12:].all()
        assert finite[0, :, :4].all()


def test_it_is_taken_where_it_pays():
    """What the benchmark relies on."""

    def fits(channels, rows, size, *, dtype=np.float32, kernel=(3, 3), stride=(1, 1), dilation=(1, 1)):
        return winograd.fits(dtype, kernel, stride, channels, rows, (size, size), dilation)

    assert fits(64, 64, 56)
    assert fits(512, 512, 7)
    assert fits(256, 256, 28, dilation=(2, 2))
    assert not fits(64, 64, 56, dtype=np.float64)
    assert not fits(64, 64, 56, kernel=(3, 1))
    assert not fits(64, 64, 56, stride=(2, 1))
    assert not fits(3, 64, 224)
    assert not fits(8, 8, 28)
    assert not fits(512, 512, 2)
    assert not fits(0, 0, 0)
