"""Convolution of signs against its definition: int64 sums over the padded windows, for each value of the border."""

import numpy as np
import pytest

from lightnn.functional import plain
from lightnn.kernels.binary import conv, image
from lightnn.kernels.binary.words import pack_planes, pack_tight

# n, c, height, width, o, kernel, stride, padding (top, bottom, left, right), dilation
CASES = {
    "1x1": (2, 5, 4, 7, 3, (1, 1), (1, 1), (0, 0, 0, 0), (1, 1)),
    "1x1 image": (3, 2, 1, 1, 4, (1, 1), (1, 1), (0, 0, 0, 0), (1, 1)),
    "1x1 image, padded": (1, 2, 1, 1, 4, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
    "1x1 stride 2": (2, 8, 5, 8, 9, (1, 1), (2, 2), (0, 0, 0, 0), (1, 1)),
    "3x3": (2, 65, 9, 10, 10, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
    "3x3, whole words": (2, 64, 14, 14, 16, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
    "3x3 stride 2": (2, 6, 9, 18, 8, (3, 3), (2, 2), (1, 1, 1, 1), (1, 1)),
    "5x5, taps joined, and a rest": (2, 20, 12, 12, 50, (5, 5), (1, 1), (0, 0, 0, 0), (1, 1)),
    "5x5, pairs of taps": (2, 32, 12, 12, 9, (5, 5), (1, 1), (0, 0, 0, 0), (1, 1)),
    "joined, stride 2": (2, 16, 12, 22, 5, (3, 3), (1, 2), (0, 0, 0, 0), (1, 2)),
    "one channel, 5x5, stride 2": (2, 1, 12, 13, 7, (5, 5), (2, 2), (2, 2, 2, 2), (1, 1)),
    "three channels, 7x7, stride 2": (1, 3, 17, 19, 9, (7, 7), (2, 2), (3, 3, 3, 3), (1, 1)),
    "one channel, 1x9, dilation 3": (1, 1, 4, 40, 3, (1, 9), (1, 2), (0, 0, 4, 5), (1, 3)),
    "even kernel, asymmetric padding": (1, 4, 7, 10, 5, (2, 4), (1, 1), (0, 1, 2, 0), (1, 1)),
    "stride over kernel": (1, 2, 11, 9, 3, (2, 1), (3, 4), (0, 0, 0, 0), (1, 1)),
    "padding over kernel": (1, 2, 5, 6, 3, (2, 2), (3, 3), (4, 2, 5, 3), (1, 1)),
    "dilation": (2, 70, 13, 22, 6, (3, 3), (1, 1), (2, 2, 4, 4), (2, 4)),
    "stride and dilation": (1, 130, 13, 12, 6, (3, 2), (2, 3), (2, 0, 1, 3), (2, 3)),
    "more classes of pixels than a register holds": (2, 20, 9, 17, 5, (5, 5), (1, 1), (2, 2, 2, 2), (1, 1)),
    "rows of 14, a stride of rows": (1, 64, 14, 14, 5, (3, 3), (2, 1), (1, 1, 1, 1), (1, 1)),
    "empty batch": (0, 2, 5, 5, 3, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
}


def definition(x, w, stride, padding, dilation, value):
    """int64 sums (N, O, Ho, Wo), with `value` outside x."""
    x = np.pad(x, ((0, 0), (0, 0), padding[:2], padding[2:]), constant_values=value)
    return plain.conv2d(x, w, stride, (0, 0, 0, 0), dilation, 1)


def words_of(x):
    return pack_planes(x.astype(np.float32))


@pytest.mark.parametrize("value", [0, *(pytest.param(v, marks=pytest.mark.thorough) for v in (-1, 1))])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_definition(path, case, value, signs, rng, threads):
    n, c, height, width, o, kernel, stride, padding, dilation = case
    x, w = signs(n, c, height, width), signs(o, c, *kernel)
    filters, want = conv.pack(w, stride, padding, dilation, value, path), definition(x, w, *case[6:], value)
    sums = conv.sums(words_of(x), filters)
    assert sums.dtype == np.int32 and sums.flags.c_contiguous
    np.testing.assert_array_equal(sums, want)
    scale, bias = rng.standard_normal((2, o), np.float32)
    y = conv.forward(words_of(x), filters, scale, bias)
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y, want.astype(np.float32) * scale[:, None, None] + bias[:, None, None])
    numbers = (x * rng.uniform(0.5, 2, x.shape)).astype(np.float32)
    np.testing.assert_array_equal(conv.forward_of_signs(numbers, filters, scale, bias), y)


def test_padded_zeros_add_nothing():
    """By hand: of a 3x3 window over a 1x1 image of +1 only the middle tap counts."""
    w = np.array([[[[1, 1, 1], [1, -1, 1], [1, 1, 1]]]])
    for value, want in ((0, -1), (1, 7), (-1, -9)):
        filters = conv.pack(w, padding=(1, 1, 1, 1), value=value)
        assert conv.sums(words_of(np.ones((1, 1, 1, 1))), filters).tolist() == [[[[want]]]]


def test_strided_words(path, signs):
    x, w = signs(4, 70, 9, 18), signs(5, 70, 3, 3)
    words, filters = words_of(x), conv.pack(w, padding=(1, 1, 1, 1), path=path)
    got = conv.sums(words[::2, :, ::-1, 1::2], filters)
    np.testing.assert_array_equal(got, definition(x[::2, :, ::-1, 1::2], w, (1, 1), (1, 1, 1, 1), (1, 1), 0))


def test_filters_are_one_bit_a_weight(signs):
    w, padding = signs(6, 128, 3, 3), (1, 1, 1, 1)
    filters = conv.pack(w, padding=padding)
    assert filters.words.nbytes * 8 == w.size
    again = conv.filters_of_runs(filters.words, w.shape, filters.window)
    assert np.shares_memory(again.words, filters.words)
    np.testing.assert_array_equal(again.taps, filters.taps)
    bits = pack_tight(w.transpose(0, 2, 3, 1) > 0)
    np.testing.assert_array_equal(conv.filters_of(bits, w.shape, filters.window).words, filters.words)


@pytest.mark.parametrize("shape", [(5, 70, 3, 3), (4, 20, 5, 5), (3, 1, 2, 7)], ids=str)
def test_sums_of_taps(shape, signs):
    w = signs(*shape)
    want = w.sum(1).reshape(shape[0], -1)
    np.testing.assert_array_equal(conv.pack(w, padding=(1, 1, 1, 1)).taps, want)
    assert not conv.pack(w).taps.size, "nothing is left out"


@pytest.mark.parametrize(
    ("c", "kernel", "padding", "value", "want"),
    [
        (1, 5, 0, 0, (5,)),
        (20, 5, 0, 0, (3, 2)),
        (32, 5, 0, 0, (2, 1)),
        (32, 5, 2, 1, (2, 1)),
        (32, 5, 2, 0, (2, 1)),
        (33, 5, 0, 0, (1,)),
        (16, 4, 0, 0, (4,)),
    ],
)
def test_taps_that_are_joined(c, kernel, padding, value, want):
    window = image.Window((kernel, kernel), (1, 1), (padding,) * 4, (1, 1), value)
    assert image.joins(c, window) == want


def test_no_weights_give_no_outputs(signs):
    assert conv.sums(words_of(signs(2, 3, 5, 6)), conv.pack(signs(0, 3, 3, 3))).shape == (2, 0, 3, 4)
