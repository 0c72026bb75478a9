"""lightnn/functional/plain.py: the definitions, against loops over single numbers."""

import numpy as np
import pytest

from lightnn.functional import plain

# x (N, C, H, W), w (O, C/G, KH, KW), stride, padding (top, bottom, left, right), dilation, groups
CASES = {
    "1x1": ((2, 3, 4, 5), (4, 3, 1, 1), (1, 1), (0, 0, 0, 0), (1, 1), 1),
    "3x3, padded": ((2, 2, 5, 4), (3, 2, 3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
    "square kernel, uneven padding": ((1, 2, 5, 5), (2, 2, 3, 3), (1, 1), (2, 0, 1, 1), (1, 1), 1),
    "stride": ((1, 2, 7, 8), (2, 2, 3, 2), (2, 3), (0, 1, 2, 0), (1, 1), 1),
    "dilation": ((2, 1, 9, 8), (2, 1, 3, 2), (1, 1), (1, 2, 0, 3), (2, 3), 1),
    "stride and dilation": ((1, 2, 9, 9), (2, 2, 2, 3), (3, 2), (1, 1, 2, 2), (2, 1), 1),
    "groups": ((2, 6, 4, 4), (4, 3, 2, 2), (1, 1), (0, 0, 0, 0), (1, 1), 2),
    "depthwise": ((2, 3, 4, 4), (6, 1, 3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 3),
    "stride over kernel": ((1, 1, 7, 7), (1, 1, 2, 2), (3, 3), (0, 0, 0, 0), (1, 1), 1),
    "empty batch": ((0, 2, 4, 4), (3, 2, 3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
}


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request, rng):
    x, w, *options = request.param
    return rng.standard_normal(x), rng.standard_normal(w), options


def products(x, w, stride, padding, dilation, groups):
    """Yield (o, i, j, c, k, l, row, column) for every product that a convolution takes inside the image."""
    (_, _, height, width), (o_all, c_group, kh, kw), (top, bottom, left, right) = x, w, padding
    ho = (height + top + bottom - dilation[0] * (kh - 1) - 1) // stride[0] + 1
    wo = (width + left + right - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    for o, i, j, c, k, l in np.ndindex(o_all, ho, wo, c_group, kh, kw):
        row, column = i * stride[0] + k * dilation[0] - top, j * stride[1] + l * dilation[1] - left
        if 0 <= row < height and 0 <= column < width:
            yield o, i, j, o // (o_all // groups) * c_group + c, k, l, row, column


def output_shape(x, w, options):
    return (len(x), len(w), *plain.windows(x, w.shape[2:], *options[:3]).shape[2:4])


def test_windows_are_what_each_output_sees(case):
    x, w, (stride, padding, dilation, groups) = case
    seen = plain.windows(x, w.shape[2:], stride, padding, dilation)
    want = np.zeros_like(seen)
    for _, i, j, c, k, l, row, column in products(
        x.shape, (1, *x.shape[1:2], *w.shape[2:]), stride, padding, dilation, 1
    ):
        want[:, c, i, j, k, l] = x[:, c, row, column]
    np.testing.assert_array_equal(seen, want)
    assert seen.shape[:2] == x.shape[:2] and seen.shape[4:] == w.shape[2:]


def test_windows_of_a_known_size():
    seen = plain.windows(np.zeros((1, 1, 28, 28)), (5, 5), (1, 1), (0, 0, 0, 0), (1, 1))
    assert seen.shape == (1, 1, 24, 24, 5, 5)
    assert plain.windows(np.zeros((1, 1, 9, 7)), (3, 2), (2, 3), (1, 0, 0, 2), (2, 1)).shape == (1, 1, 3, 3, 3, 2)


def test_conv2d_is_the_sum_of_its_products(case):
    x, w, options = case
    y = plain.conv2d(x, w, *options)
    want = np.zeros(output_shape(x, w, options))
    for o, i, j, c, k, l, row, column in products(x.shape, w.shape, *options):
        want[:, o, i, j] += w[o, c % w.shape[1], k, l] * x[:, c, row, column]
    np.testing.assert_allclose(y, want, rtol=1e-12, atol=1e-12)


def test_conv2d_without_groups_is_one_group(rng):
    x, w = rng.standard_normal((1, 3, 5, 5)), rng.standard_normal((2, 3, 3, 3))
    y = plain.conv2d(x, w, (1, 1), (0, 0, 0, 0), (1, 1))
    np.testing.assert_allclose(y[0, 1, 2, 2], (w[1] * x[0, :, 2:5, 2:5]).sum())


def test_the_weights_gradient_is_the_sum_of_its_products(case, rng):
    x, w, options = case
    dy = rng.standard_normal(output_shape(x, w, options))
    dw = plain.conv2d_backward_weight(dy, x, w.shape, *options)
    want = np.zeros_like(w)
    for o, i, j, c, k, l, row, column in products(x.shape, w.shape, *options):
        want[o, c % w.shape[1], k, l] += dy[:, o, i, j] @ x[:, c, row, column]
    np.testing.assert_allclose(dw, want, rtol=1e-12, atol=1e-12)


def test_the_images_gradient_is_the_sum_of_its_products(case, rng):
    x, w, options = case
    dy = rng.standard_normal(output_shape(x, w, options))
    dx = plain.conv2d_backward_input(dy, w, x.shape, *options)
    want = np.zeros_like(x)
    for o, i, j, c, k, l, row, column in products(x.shape, w.shape, *options):
        want[:, c, row, column] += dy[:, o, i, j] * w[o, c % w.shape[1], k, l]
    np.testing.assert_allclose(dx, want, rtol=1e-12, atol=1e-12)


def test_gradients_without_groups_are_of_one_group(rng):
    x, w, dy = rng.standard_normal((2, 3, 4, 4)), rng.standard_normal((2, 3, 3, 3)), rng.standard_normal((2, 2, 2, 2))
    options = (1, 1), (0, 0, 0, 0), (1, 1)
    dw = plain.conv2d_backward_weight(dy, x, w.shape, *options)
    dx = plain.conv2d_backward_input(dy, w, x.shape, *options)
    y = plain.conv2d(x, w, *options)
    np.testing.assert_allclose([np.vdot(dw, w), np.vdot(dx, x)], np.vdot(dy, y))  # linear in w and in x
    assert plain.conv2d_backward_input(dy.astype("f4"), w.astype("f4"), x.shape, *options).dtype == np.float32


@pytest.mark.parametrize(("channels", "groups"), [(6, 2), (6, 3), (12, 4), (5, 1), (5, 5)])
def test_channel_shuffle_deals_the_groups_out(channels, groups, rng):
    x = rng.standard_normal((2, channels, 3, 2))
    y = plain.channel_shuffle(x, groups)
    each = channels // groups
    for i, j in np.ndindex(groups, each):
        np.testing.assert_array_equal(y[:, j * groups + i], x[:, i * each + j])
    np.testing.assert_array_equal(plain.channel_shuffle(y, each), x)


@pytest.mark.parametrize("shape", [(2, 5, 6, 5), (1, 4, 1, 1), (0, 3, 4, 4), (2, 3, 1, 7), (1, 6, 7, 1)], ids=str)
def test_shift_moves_each_channel_by_its_own_offset(shape, rng):
    x = rng.standard_normal(shape)
    for reach in (1, 3, 9):
        dy, dx = rng.integers(-reach, reach + 1, (2, shape[1]))
        y = plain.shift2d(x, dy, dx)
        want = np.zeros_like(x)
        for c, h, w in np.ndindex(*shape[1:]):
            if 0 <= h + dy[c] < shape[2] and 0 <= w + dx[c] < shape[3]:
                want[:, c, h, w] = x[:, c, h + dy[c], w + dx[c]]
        np.testing.assert_array_equal(y, want)


def test_the_input_scale_is_the_mean_magnitude_of_all_that_a_window_sees(case):
    x, w, (stride, padding, *_) = case
    shape, options = (w.shape[0], x.shape[1], *w.shape[2:]), (stride, padding, (1, 1), 1)
    K = np.zeros((len(x), 1, *plain.windows(x, shape[2:], *options[:3]).shape[2:4]))
    for o, i, j, c, _, _, row, column in products(x.shape, shape, *options):
        if o == 0:
            K[:, 0, i, j] += np.abs(x[:, c, row, column]) / (x.shape[1] * w.shape[2] * w.shape[3])
    np.testing.assert_allclose(plain.input_scale(x, w.shape[2:], stride, padding), K, rtol=1e-12)
