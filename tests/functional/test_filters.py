"""The named filters: depthwise and grouped convolution, shift, channel shuffle, and the activations beside ReLU."""

import numpy as np
import pytest

from lightnn import functional as F
from lightnn.kernels.conv import shift
from lightnn.testing import check_vjp


@pytest.mark.parametrize("options", [{}, {"stride": 2, "padding": 1}, {"dilation": 2, "padding": (1, 2)}], ids=str)
@pytest.mark.parametrize("multiplier", [1, 2])
def test_depthwise_is_a_convolution_of_each_channel(options, multiplier, rng):
    x, w, b = (rng.standard_normal(s) for s in ((2, 3, 7, 6), (3 * multiplier, 1, 3, 3), 3 * multiplier))
    each = [
        F.conv2d(x[:, c : c + 1], w[k], b[k], **options).data
        for c in range(3)
        for k in [slice(c * multiplier, (c + 1) * multiplier)]
    ]
    want = np.concatenate(each, 1)
    np.testing.assert_allclose(F.depthwise_conv2d(x, w, b, **options).data, want, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(F.conv2d(x, w, b, groups=3, **options).data, want, rtol=1e-12, atol=1e-12)
    check_vjp(F.depthwise_conv2d, x, w, b, **options)


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
def test_grouped_is_conv2d_with_groups_even_where_each_channel_is_a_group(groups, rng):
    x, w, b = (rng.standard_normal(s) for s in ((2, 6, 5, 5), (12, 6 // groups, 3, 3), 12))
    want = F.conv2d(x, w, b, groups=groups, padding=1).data
    got = F.grouped_conv2d(x, w, b, groups=groups, padding=1).data
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)
    check_vjp(F.grouped_conv2d, x, w, b, groups=groups, padding=1)


def test_shift_moves_each_channel_by_its_offset(rng):
    x = rng.standard_normal((2, 4, 5, 6))
    dy, dx = np.array([0, 1, -2, 9]), np.array([0, -1, 3, 0])
    y = F.shift2d(x, dy, dx).data
    np.testing.assert_array_equal(y[:, 0], x[:, 0])
    np.testing.assert_array_equal(y[:, 1, :-1, 1:], x[:, 1, 1:, :-1])
    assert not y[:, 1, -1].any() and not y[:, 1, :, 0].any() and not y[:, 3].any()
    np.testing.assert_array_equal(y[:, 2, 2:, :3], x[:, 2, :-2, 3:])
    check_vjp(F.shift2d, x, dy, dx)


def test_the_assignment_uses_every_offset_as_often():
    offsets = list(zip(*shift.assignment(20), strict=True))
    assert offsets.count((0, 0)) == 2 + 2  # two blocks of 9, and 2 channels left over that stay
    assert all(offsets.count((i, j)) == 2 for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0))


def test_shuffle_is_a_transposition_and_is_undone_by_the_other_number_of_groups(rng):
    x = rng.standard_normal((2, 6, 3, 4))
    y = F.channel_shuffle(x, groups=2).data
    np.testing.assert_array_equal(y, x[:, [0, 3, 1, 4, 2, 5]])
    np.testing.assert_array_equal(F.channel_shuffle(y, groups=3).data, x)
    check_vjp(F.channel_shuffle, x, groups=3)


@pytest.mark.parametrize(
    ("f", "options", "definition"),
    [
        (F.relu6, {}, lambda x: np.minimum(np.maximum(x, 0), 6)),
        (F.hardtanh, {}, lambda x: np.clip(x, -1, 1)),
        (F.hardtanh, {"min_val": -2.5, "max_val": 0.5}, lambda x: np.clip(x, -2.5, 0.5)),
        (F.hardswish, {}, lambda x: x * np.clip(x + 3, 0, 6) / 6),
    ],
)
def test_clamped_activations(f, options, definition):
    x = np.linspace(-8, 8, 98).reshape(2, 49)  # no number within 1e-3 of a kink
    np.testing.assert_allclose(f(x, **options).data, definition(x), rtol=1e-14, atol=1e-14)
    check_vjp(f, x, **options)
    assert np.isnan(f(np.array([np.nan]), **options).data).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: F.channel_shuffle(x, groups=4), r"channel_shuffle: want .* divisible by groups=4; got x \(1, 6"),
        (lambda x: F.shift2d(x, np.zeros(5, int), np.zeros(6, int)), r"shift2d: want .*; got .* dy \(5,\)"),
        (lambda x: F.shift2d(x, np.zeros(6), np.zeros(6)), "shift2d: want .*integers"),
        (lambda x: F.depthwise_conv2d(x, np.ones((7, 1, 3, 3))), "depthwise_conv2d: .* divisible by groups=6"),
        (lambda x: F.hardtanh(x, min_val=1, max_val=1), "hardtanh: want min_val < max_val, got 1 and 1"),
    ],
)
def test_errors_name_what_came(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.ones((1, 6, 4, 4)))
