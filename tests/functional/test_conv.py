"""lightnn/functional/conv.py: convolution is a sum over the kernel, whatever the stride, padding, dilation, groups."""

import numpy as np
import pytest

from lightnn import Tensor
from lightnn import functional as F
from lightnn.testing import check_vjp

CASES = {  # name: (shape of x, shape of w, options)
    "plain": ((2, 3, 6, 5), (4, 3, 3, 3), {}),
    "1x1 kernel": ((2, 3, 4, 5), (4, 3, 1, 1), {}),
    "1x1 kernel, stride 2": ((2, 3, 5, 5), (4, 3, 1, 1), {"stride": 2}),
    "1x1 image": ((2, 3, 1, 1), (4, 3, 1, 1), {}),
    "kernel as large as the image": ((2, 3, 4, 5), (2, 3, 4, 5), {}),
    "even kernel": ((1, 2, 6, 6), (3, 2, 2, 4), {}),
    "padding": ((2, 2, 4, 5), (3, 2, 3, 3), {"padding": 1}),
    "padding beyond the kernel": ((1, 1, 2, 2), (1, 1, 2, 2), {"padding": 3}),
    "stride": ((2, 2, 7, 8), (3, 2, 3, 3), {"stride": 2}),
    "stride beyond the kernel": ((1, 2, 9, 8), (3, 2, 2, 2), {"stride": 4}),
    "dilation": ((1, 2, 7, 8), (3, 2, 3, 3), {"dilation": 2}),
    "pairs": ((1, 2, 8, 9), (3, 2, 3, 2), {"stride": (2, 1), "padding": (0, 2), "dilation": (1, 3)}),
    "all at once": ((2, 4, 9, 8), (6, 2, 3, 2), {"stride": 2, "padding": (2, 1), "dilation": 2, "groups": 2}),
    "groups": ((2, 6, 5, 5), (4, 3, 3, 3), {"groups": 2}),
    "depthwise": ((2, 4, 5, 6), (4, 1, 3, 3), {"groups": 4, "padding": 1}),
    "depthwise, two filters a channel": ((1, 3, 5, 5), (6, 1, 3, 3), {"groups": 3, "stride": 2}),
    "grouped 1x1": ((2, 4, 3, 3), (6, 2, 1, 1), {"groups": 2}),
    "empty batch": ((0, 2, 5, 5), (3, 2, 3, 3), {"padding": 1}),
}


def pair(v):
    return v if isinstance(v, tuple) else (v, v)


def conv_by_loops(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    """y[n, o, i, j] = b[o] + sum_{c, p, q} w[o, c, p, q] x[n, g C/G + c, i s + p d - P, j s + q d - P]."""
    (sy, sx), (py, px), (dy, dx) = pair(stride), pair(padding), pair(dilation)
    O, Cg, KH, KW = w.shape
    x = np.pad(x, ((0, 0), (0, 0), (py, py), (px, px)))
    Ho, Wo = (x.shape[2] - dy * (KH - 1) - 1) // sy + 1, (x.shape[3] - dx * (KW - 1) - 1) // sx + 1
    y = np.zeros((len(x), O, Ho, Wo)) + (0 if b is None else b[:, None, None])
    for o, i, j, c, p, q in np.ndindex(O, Ho, Wo, Cg, KH, KW):
        g = o // (O // groups)
        y[:, o, i, j] += w[o, c, p, q] * x[:, g * Cg + c, i * sy + p * dy, j * sx + q * dx]
    return y


def arrays(x, w, rng, dtype=np.float64):
    return [rng.standard_normal(s).astype(dtype) for s in (x, w, w[:1])]


@pytest.mark.parametrize("case", CASES)
def test_definition(case, rng):
    *shapes, options = CASES[case]
    x, w, b = arrays(*shapes, rng)
    for bias in (b, None):
        want = conv_by_loops(x, w, bias, **options)
        np.testing.assert_allclose(F.conv2d(x, w, bias, **options).data, want, rtol=1e-12, atol=1e-12)
        check_vjp(F.conv2d, x, w, bias, **options)


def test_the_bias_may_be_left_out_or_named(rng):
    x, w, b = (Tensor(a, requires_grad=True) for a in arrays((2, 3, 4, 4), (5, 3, 3, 3), rng))
    np.testing.assert_array_equal(F.conv2d(x, w).data, F.conv2d(x, w, None).data)
    y = F.conv2d(x, w, b=b, padding=1)
    y.backward(np.ones(y.shape))
    np.testing.assert_array_equal(b.grad, [2 * 4 * 4] * 5)


def test_a_group_is_a_convolution_of_its_own(rng):
    x, w, b = arrays((2, 6, 5, 5), (4, 3, 3, 3), rng)
    halves = [F.conv2d(x[:, 3 * g : 3 * g + 3], w[2 * g : 2 * g + 2], b[2 * g : 2 * g + 2]).data for g in (0, 1)]
    np.testing.assert_allclose(F.conv2d(x, w, b, groups=2).data, np.concatenate(halves, 1), rtol=1e-12)


def test_a_1x1_convolution_is_a_linear_layer_at_every_pixel(rng):
    x, w, b = arrays((2, 3, 4, 5), (6, 3, 1, 1), rng)
    want = F.linear(x.transpose(0, 2, 3, 1), w[:, :, 0, 0], b).data.transpose(0, 3, 1, 2)
    np.testing.assert_allclose(F.conv2d(x, w, b).data, want, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("options", [{}, {"stride": 2, "padding": 1}, {"groups": 2}, {"groups": 4}], ids=str)
def test_non_contiguous_arrays(options, rng):
    x = rng.standard_normal((7, 6, 4, 2)).transpose(3, 2, 1, 0)[:, :, ::-1]  # (2, 4, 6, 7), strides in every order
    w = rng.standard_normal((4, 3, 3, 8 // options.get("groups", 1))).transpose(0, 3, 2, 1)[:, ::2]
    np.testing.assert_array_equal(
        F.conv2d(x, w, None, **options).data, F.conv2d(x.copy(), w.copy(), None, **options).data
    )
    check_vjp(F.conv2d, x, w, np.ones(8)[::2], **options)


def test_the_arguments_are_left_alone(rng):
    args = arrays((2, 3, 5, 5), (4, 3, 3, 3), rng)
    before = [a.copy() for a in args]
    check_vjp(F.conv2d, *args, padding=1)
    for a, b in zip(args, before, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_float32_stays_float32(groups, rng):
    args = [Tensor(a, requires_grad=True) for a in arrays((2, 4, 5, 5), (4, 4 // groups, 3, 3), rng, np.float32)]
    y = F.conv2d(*args, groups=groups)
    y.sum().backward()
    assert {y.dtype, *(a.grad.dtype for a in args)} == {np.dtype(np.float32)}
    np.testing.assert_allclose(y.data, conv_by_loops(*(a.data for a in args), groups=groups), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("x", "w", "options", "message"),
    [
        ((3, 5, 5), (4, 3, 3, 3), {}, r"want x \(N, C, H, W\), w \(O, C/groups, KH, KW\).*; got x \(3, 5, 5\)"),
        ((1, 3, 5, 5), (4, 3, 3), {}, r"got x .*, w \(4, 3, 3\)"),
        ((1, 3, 5, 5), (4, 2, 3, 3), {}, r"C and O divisible by groups=1 .*; got x \(1, 3, 5, 5\), w \(4, 2, 3, 3\)"),
        ((1, 3, 5, 5), (4, 3, 3, 3), {"groups": 2}, "divisible by groups=2"),
        ((1, 4, 5, 5), (3, 2, 3, 3), {"groups": 2}, "divisible by groups=2"),
        ((1, 4, 5, 5), (4, 4, 3, 3), {"groups": 0}, "groups: want an int >= 1, got 0"),
        ((1, 4, 5, 5), (4, 2, 3, 3), {"groups": 2.0}, "groups: want an int >= 1, got 2.0"),
        ((1, 3, 2, 5), (4, 3, 3, 3), {}, r"a kernel of \(3, 3\) with dilation \(1, 1\) does not fit in \(2, 5\)"),
        ((1, 3, 6, 6), (4, 3, 3, 3), {"dilation": 3}, r"a kernel of \(3, 3\) with dilation \(3, 3\) does not fit"),
        ((1, 3, 5, 5), (4, 3, 3, 3), {"stride": 0}, "stride: want an int >= 1 or a pair of them, got 0"),
        ((1, 3, 5, 5), (4, 3, 3, 3), {"stride": 1.5}, "stride: want an int >= 1 or a pair of them, got 1.5"),
        ((1, 3, 5, 5), (4, 3, 3, 3), {"stride": (1, 2, 3)}, r"stride: want .*, got \(1, 2, 3\)"),
        ((1, 3, 5, 5), (4, 3, 3, 3), {"padding": -1}, "padding: want an int >= 0 or a pair of them, got -1"),
        ((1, 3, 5, 5), (4, 3, 3, 3), {"padding": "same"}, "padding: want an int >= 0 or a pair of them, got 'same'"),
        ((1, 3, 5, 5), (4, 3, 3, 3), {"dilation": (1, 0)}, r"dilation: want an int >= 1 .*, got \(1, 0\)"),
    ],
)
def test_errors_name_what_came(x, w, options, message):
    with pytest.raises(ValueError, match="conv2d: .*" + message):
        F.conv2d(np.ones(x), np.ones(w), None, **options)


def test_a_bias_of_the_wrong_length_is_named():
    with pytest.raises(ValueError, match=r"conv2d: want .* b \(O,\) or None; got .*b \(3,\)"):
        F.conv2d(np.ones((1, 3, 5, 5)), np.ones((4, 3, 3, 3)), np.ones(3))


def test_wrong_dtypes_are_named():
    x = np.ones((1, 3, 5, 5), np.uint8)
    with pytest.raises(TypeError, match="conv2d: want floating-point arrays of one dtype, got x uint8, w float32"):
        F.conv2d(x, np.ones((4, 3, 3, 3), np.float32), None)


@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES)
def test_agrees_with_pytorch(case, rng, torch, same_as_torch):
    *shapes, options = CASES[case]
    same_as_torch(*(lambda *a, f=f: f(*a, **options) for f in (F.conv2d, torch.conv2d)), *arrays(*shapes, rng))


@pytest.mark.oracle
@pytest.mark.parametrize("seed", range(20))
def test_agrees_with_pytorch_for_random_options(seed, torch, same_as_torch):
    rng = np.random.default_rng(seed)
    G, (N, Cg, Og, KH, KW), (H, W) = rng.integers(1, 4), rng.integers(1, 4, 5), rng.integers(9, 12, 2)
    least = {"stride": 1, "padding": 0, "dilation": 1}
    options = {name: tuple(rng.integers(low, 4, 2).tolist()) for name, low in least.items()} | {"groups": int(G)}
    args = arrays((N, G * Cg, H, W), (G * Og, Cg, KH, KW), rng)
    same_as_torch(*(lambda *a, f=f: f(*a, **options) for f in (F.conv2d, torch.conv2d)), *args)
