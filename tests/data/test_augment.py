"""lightnn/data/augment.py against plain loops, and the distribution of what is drawn."""

import numpy as np
import pytest

from lightnn.data import normalize, random_crop, random_flip, random_shift


def images(n=64, c=2, h=6, w=5, dtype=np.float32):
    return np.random.default_rng(0).uniform(0.1, 1, (n, c, h, w)).astype(dtype)


def shifted(image, dy, dx):
    """(C, H, W) moved down by dy and right by dx, zeros coming in: by a loop over pixels."""
    out = np.zeros_like(image)
    _, H, W = image.shape
    for i in range(H):
        for j in range(W):
            if 0 <= i - dy < H and 0 <= j - dx < W:
                out[:, i, j] = image[:, i - dy, j - dx]
    return out


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("m", [0, 1, 2, 7])
def test_random_shift_moves_each_image_by_its_own_offset(m, dtype):
    x = images(dtype=dtype)
    before = x.copy()
    y = random_shift(x, m, rng=3)
    assert y.shape == x.shape
    assert y.dtype == dtype
    assert y.flags.c_contiguous
    np.testing.assert_array_equal(x, before)
    assert not np.shares_memory(x, y)
    steps = range(-m, m + 1)
    for image, moved in zip(x, y, strict=True):
        assert any(np.array_equal(shifted(image, dy, dx), moved) for dy in steps for dx in steps)


def test_random_shift_draws_each_offset_equally_often():
    x = np.zeros((20_000, 1, 9, 9), np.float32)
    x[:, :, 4, 4] = 1
    where = np.argwhere(random_shift(x, 2, rng=0))[:, 2:] - 4
    offsets, counts = np.unique(where, axis=0, return_counts=True)
    assert len(offsets) == 25
    assert np.abs(offsets).max() == 2
    assert np.abs(counts - 800).max() < 5 * np.sqrt(800)


@pytest.mark.parametrize("function", [random_shift, random_flip, lambda x, rng: random_crop(x, 4, 1, rng=rng)])
def test_draws_are_seeded(function):
    x = images()
    np.testing.assert_array_equal(function(x, rng=5), function(x, rng=np.random.default_rng(5)))
    assert not np.array_equal(function(x, rng=5), function(x, rng=6))
    rng = np.random.default_rng(5)
    assert not np.array_equal(function(x, rng=rng), function(x, rng=rng))


@pytest.mark.parametrize(("size", "padding"), [((6, 5), 0), ((4, 3), 0), (5, 2), ((10, 9), 2), (1, 0)])
def test_random_crop_is_a_window_of_the_padded_image(size, padding):
    x = images(n=20)
    y = random_crop(x, size, padding, rng=1)
    h, w = (size, size) if isinstance(size, int) else size
    assert y.shape == (20, 2, h, w)
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    for image, cut in zip(padded, y, strict=True):
        rows, columns = (image.shape[1] - h + 1, image.shape[2] - w + 1)
        assert any(np.array_equal(image[:, i : i + h, j : j + w], cut) for i in range(rows) for j in range(columns))


def test_random_flip():
    x = images(n=1000)
    before = x.copy()
    y = random_flip(x, rng=0)
    np.testing.assert_array_equal(x, before)
    is_same = (y == x).all(axis=(1, 2, 3))
    is_flipped = (y == x[..., ::-1]).all(axis=(1, 2, 3))
    assert (is_same ^ is_flipped).all()
    assert 420 < is_flipped.sum() < 580
    np.testing.assert_array_equal(random_flip(x, 0, rng=0), x)
    np.testing.assert_array_equal(random_flip(x, 1, rng=0), x[..., ::-1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_normalize(dtype):
    x = images(dtype=dtype)
    y = normalize(x, x.mean(axis=(0, 2, 3)), x.std(axis=(0, 2, 3)))
    assert y.dtype == dtype
    np.testing.assert_allclose(y.mean(axis=(0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(y.std(axis=(0, 2, 3)), 1, rtol=1e-5)
    np.testing.assert_array_equal(normalize(x, 0.5, [2.0]), (x - dtype(0.5)) / dtype(2))
    per_channel = normalize(x, [0.1, 0.2], [1.0, 4.0])
    np.testing.assert_allclose(per_channel[:, 1], (x[:, 1] - 0.2) / 4, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: random_shift(x[0], rng=0), r"random_shift: want x .*\(N, C, H, W\); got float32 \(2, 6, 5\)"),
        (lambda x: random_shift(x.astype(int), rng=0), "random_shift: want x a float32 or float64 array"),
        (lambda x: random_shift(x, -1, rng=0), "random_shift: max_shift: want an int >= 0, got -1"),
        (lambda x: random_shift(x, 1.5, rng=0), "random_shift: max_shift: want an int >= 0, got 1.5"),
        (lambda x: random_crop(x, 7, rng=0), r"random_crop: want size from 1 to \(6, 5\); got \(7, 7\)"),
        (lambda x: random_crop(x, 0, rng=0), "random_crop: size: want an int >= 1 or a pair of them, got 0"),
        (lambda x: random_crop(x, 3, -1, rng=0), "random_crop: padding: want an int >= 0, got -1"),
        (lambda x: random_flip(x, 1.5, rng=0), "random_flip: p: want a finite number >= 0 and <= 1, got 1.5"),
        (lambda x: random_flip(x[:0], rng=0), "random_flip: want at least one image"),
        (
            lambda x: normalize(x, [0, 0, 0], 1),
            r"normalize: mean: want a finite number or 2 of them, got \[0, 0, 0\]",
        ),
        (lambda x: normalize(x, 0, [1, np.nan]), "normalize: std: want a finite number, got nan"),
        (lambda x: normalize(x, 0, [1, 0]), r"normalize: std: want numbers > 0, got \[1.0, 0.0\]"),
        (lambda x: normalize(x.tolist(), 0, 1), "normalize: want x .*got list"),
    ],
)
def test_bad_input_is_one_clear_error(call, message):
    with pytest.raises(ValueError, match=message):
        call(images())
