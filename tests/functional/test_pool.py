"""lightnn/functional/pool.py: the largest and the mean element under each window."""

import numpy as np
import pytest

from lightnn import Tensor
from lightnn import functional as F
from lightnn.testing import check_vjp

POOLS = {"max": F.max_pool2d, "avg": F.avg_pool2d}
CASES = {  # name: (shape of x, options)
    "2x2": ((2, 3, 4, 6), {"kernel_size": 2}),
    "rows and columns left over": ((1, 2, 5, 7), {"kernel_size": 2}),
    "1x1": ((2, 3, 4, 5), {"kernel_size": 1}),
    "1x1 image": ((2, 3, 1, 1), {"kernel_size": 1}),
    "the whole image": ((2, 3, 4, 5), {"kernel_size": (4, 5)}),
    "overlapping": ((1, 2, 7, 6), {"kernel_size": 3, "stride": 2}),
    "stride beyond the kernel": ((1, 2, 8, 9), {"kernel_size": 2, "stride": 3}),
    "padding": ((2, 2, 5, 6), {"kernel_size": 3, "stride": 2, "padding": 1}),
    "even kernel, padding": ((2, 2, 4, 4), {"kernel_size": 2, "padding": 1}),
    "pairs": ((1, 2, 7, 8), {"kernel_size": (3, 2), "stride": (1, 2), "padding": (1, 0)}),
    "empty batch": ((0, 2, 4, 4), {"kernel_size": 2}),
}


def pair(v):
    return v if isinstance(v, tuple) else (v, v)


def pool_by_loops(kind, x, kernel_size, stride=None, padding=0):
    (kh, kw), (py, px) = pair(kernel_size), pair(padding)
    sy, sx = pair(kernel_size if stride is None else stride)
    outside = -np.inf if kind == "max" else 0
    x = np.pad(x, ((0, 0), (0, 0), (py, py), (px, px)), constant_values=outside)
    y = np.zeros((*x.shape[:2], (x.shape[2] - kh) // sy + 1, (x.shape[3] - kw) // sx + 1))
    for i, j in np.ndindex(y.shape[2:]):
        window = x[:, :, i * sy : i * sy + kh, j * sx : j * sx + kw]
        y[:, :, i, j] = window.max((2, 3)) if kind == "max" else window.mean((2, 3))
    return y


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", POOLS)
def test_definition(kind, case, rng):
    shape, options = CASES[case]
    x = rng.permutation(np.prod(shape)).reshape(shape) - 20.0  # no two alike
    np.testing.assert_allclose(POOLS[kind](x, **options).data, pool_by_loops(kind, x, **options), rtol=1e-12)
    check_vjp(POOLS[kind], x, **options)


def test_the_first_of_equal_maxima_gets_the_gradient():
    x = Tensor(np.array([[[[1.0, 2.0, 2.0, 2.0], [2.0, 0.0, 2.0, 2.0]]]]), requires_grad=True)
    F.max_pool2d(x, kernel_size=2).sum().backward()
    np.testing.assert_array_equal(x.grad[0, 0], [[0, 1, 1, 0], [0, 0, 0, 0]])


def test_padding_never_wins_the_maximum_but_counts_in_the_mean():
    x = np.full((1, 1, 2, 2), -8.0)
    np.testing.assert_array_equal(F.max_pool2d(x, kernel_size=2, padding=1).data, np.full((1, 1, 2, 2), -8))
    np.testing.assert_array_equal(F.avg_pool2d(x, kernel_size=2, padding=1).data, np.full((1, 1, 2, 2), -2))


def test_max_pool_keeps_nan():
    x = np.array([[[[1.0, np.nan], [2.0, 3.0]]]])
    assert np.isnan(F.max_pool2d(x, kernel_size=2).data).all()


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
def test_non_contiguous_array(pool, rng):
    check_vjp(pool, rng.standard_normal((8, 7, 3, 2)).transpose(3, 2, 1, 0)[:, :, ::-1, ::2], kernel_size=2)


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
def test_float32_stays_float32(pool, rng):
    x = Tensor(rng.random((2, 3, 4, 4), dtype=np.float32), requires_grad=True)
    y = pool(x, kernel_size=3, stride=2, padding=1)
    y.sum().backward()
    assert (y.dtype, x.grad.dtype) == (np.float32, np.float32)


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((3, 4, 4), {"kernel_size": 2}, r"want x \(N, C, H, W\), H, W > 0; got x \(3, 4, 4\)"),
        ((1, 1, 4, 4), {"kernel_size": 0}, "kernel_size: want an int >= 1 or a pair of them, got 0"),
        ((1, 1, 4, 4), {"kernel_size": (2, 2, 2)}, r"kernel_size: want .*, got \(2, 2, 2\)"),
        ((1, 1, 4, 4), {"kernel_size": 2, "stride": 0}, "stride: want an int >= 1"),
        ((1, 1, 4, 4), {"kernel_size": 2, "padding": -1}, "padding: want an int >= 0"),
        ((1, 1, 4, 4), {"kernel_size": 2, "padding": 2}, r"padding of at most half the kernel \(2, 2\), got \(2, 2\)"),
        ((1, 1, 4, 3), {"kernel_size": 4}, r"a kernel of \(4, 4\) .*does not fit in \(4, 3\)"),
    ],
)
@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
def test_errors_name_what_came(name, shape, options, message):
    with pytest.raises(ValueError, match=f"{name}: .*{message}"):
        getattr(F, name)(np.ones(shape), **options)


@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
def test_integers_are_refused(name):
    with pytest.raises(TypeError, match=f"{name}: want floating-point arrays of one dtype, got x int64"):
        getattr(F, name)(np.ones((1, 1, 4, 4), np.int64), kernel_size=2)


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((1, 1, 0, 4), {"kernel_size": 2, "padding": 1}, r"want x \(N, C, H, W\), H, W > 0; got x \(1, 1, 0, 4\)"),
        ((1, 1, 4, 0), {"kernel_size": 1}, r"want x \(N, C, H, W\), H, W > 0; got x \(1, 1, 4, 0\)"),
        ((1, 1, 1, 4), {"kernel_size": 3, "stride": 1}, r"a kernel of \(3, 3\) does not fit in \(1, 4\) .*got -1 x 2"),
        ((1, 1, 4, 1), {"kernel_size": 4, "stride": 2}, r"want at least 1 x 1 outputs, got 1 x 0"),
    ],
)
@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
def test_what_has_no_output_is_an_error(name, shape, options, message, ceil_mode):
    if "1 x 0" in message and not ceil_mode:
        message = "got 1 x -1"
    with pytest.raises(ValueError, match=f"{name}: .*{message}"):
        getattr(F, name)(np.ones(shape), **options, ceil_mode=ceil_mode)


def test_ceil_mode_drops_a_window_that_would_start_beyond_the_image_and_its_left_padding():
    x = np.arange(1.0, 6).reshape(1, 1, 1, 5)
    assert F.max_pool2d(x, kernel_size=1, stride=(1, 3), ceil_mode=True).data.tolist() == [[[[1, 4]]]]  # 6 is outside
    assert F.max_pool2d(x, kernel_size=(1, 2), stride=(1, 4), ceil_mode=True).data.tolist() == [
        [[[2, 5]]]
    ]  # half outside
    assert F.avg_pool2d(x, kernel_size=(1, 2), stride=(1, 4), ceil_mode=True).data.tolist() == [[[[1.5, 5]]]]


@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", POOLS)
def test_agrees_with_pytorch(kind, case, rng, torch, same_as_torch):
    shape, options = CASES[case]
    theirs = {"max": torch.nn.functional.max_pool2d, "avg": torch.nn.functional.avg_pool2d}[kind]
    x = rng.integers(-3, 3, shape).astype(np.float64)  # many ties
    same_as_torch(lambda x: POOLS[kind](x, **options), lambda x: theirs(x, **options), x)


def random_window(rng):
    """A shape of x and options: strides beyond the kernel, windows that start or end outside, or fit nowhere."""
    kernel = tuple(map(int, rng.integers(1, 6, 2)))
    options = {
        "kernel_size": kernel,
        "stride": tuple(map(int, rng.integers(1, 9, 2))),
        "padding": tuple(int(rng.integers(0, k // 2 + 1)) for k in kernel),
        "ceil_mode": bool(rng.integers(2)),
    }
    return (1, 2, *map(int, rng.integers(0, 9, 2))), options


@pytest.mark.oracle
@pytest.mark.parametrize("kind", POOLS)
@pytest.mark.parametrize("seed", range(8))
def test_agrees_with_pytorch_on_random_windows(kind, seed, torch):
    """Values, gradients, and where PyTorch raises, one clear error."""
    rng = np.random.default_rng([77, seed])
    theirs = {"max": torch.nn.functional.max_pool2d, "avg": torch.nn.functional.avg_pool2d}[kind]
    for _ in range(100):
        shape, options = random_window(rng)
        options |= {"count_include_pad": bool(rng.integers(2))} if kind == "avg" else {}
        x = rng.integers(-3, 3, shape).astype(np.float64)
        ours, twin = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        try:
            want = theirs(twin, **options)
        except RuntimeError:
            with pytest.raises(ValueError, match=f"{kind}_pool2d: .*want .*got "):
                POOLS[kind](ours, **options)
            continue
        y, dy = POOLS[kind](ours, **options), rng.standard_normal(want.shape)
        np.testing.assert_allclose(y.data, want.detach().numpy(), rtol=1e-10, atol=1e-10, err_msg=f"{shape} {options}")
        y.backward(dy)
        want.backward(torch.tensor(dy))
        np.testing.assert_allclose(ours.grad, twin.grad.numpy(), rtol=1e-10, atol=1e-10, err_msg=f"{shape} {options}")
