"""lightnn/kernels/quantized/join.py: every pair of bytes against the definition, and near the real sum."""

import numpy as np
import pytest

from lightnn.kernels.quantized import join

PAIRS = np.stack(np.meshgrid(np.arange(256), np.arange(256), indexing="ij")).astype(np.uint8)
SCALES = [((0.02, 0.05, 0.06), (128, 3, 100)), ((1.0, 1.0, 2.0), (0, 0, 0)), ((1e-3, 0.7, 0.7), (255, 128, 128))]


@pytest.mark.parametrize(("scales", "zeros"), SCALES)
def test_add(scales, zeros, threads):
    how = join.addition(scales, zeros, 2, 253)
    a, b = PAIRS
    y = join.add(a, b, how)
    np.testing.assert_array_equal(y[::7, ::5], join.added(a[::7, ::5], b[::7, ::5], how))
    real = scales[0] * (a.astype(float) - zeros[0]) + scales[1] * (b.astype(float) - zeros[1])
    want = np.clip(real / scales[2] + zeros[2], 2, 253)
    assert np.abs(y - want).max() <= 0.5 + 1e-3


def test_add_of_strided_and_empty_arrays():
    how = join.addition(*SCALES[0])
    a, b = PAIRS[0][::-2, ::3], PAIRS[1][::2, ::-3]
    np.testing.assert_array_equal(join.add(a, b, how), join.added(a, b, how))
    assert join.add(a[:0], b[:0], how).shape == (0, 86)


def test_add_refuses_a_scale_at_which_all_saturates():
    with pytest.raises(ValueError, match=r"addition: want S3 > 2\.0 / 2"):
        join.addition((1.0, 1.0, 1e-7), (0, 0, 0))


def test_concat_rescales(rng):
    a, b, c = (rng.integers(0, 256, (3, 4, 5, n)).astype(np.uint8) for n in (2, 4, 0))
    tables = join.table(0.1, 7, 0.05, 20), None, None
    y = join.concat((a[:, ::-1], b[..., ::-1], c), tables)
    assert y.dtype == np.uint8 and y.shape == (3, 4, 5, 6)
    np.testing.assert_array_equal(y[..., :2], np.clip(2 * (a[:, ::-1].astype(int) - 7) + 20, 0, 255))
    np.testing.assert_array_equal(y[..., 2:], b[..., ::-1])
    np.testing.assert_array_equal(join.concat((c, c), (tables[0], None)), np.zeros((3, 4, 5, 0)))


def test_table_is_the_nearest():
    values = join.table(0.013, 100, 0.05, 30, low=30)
    want = np.clip((np.arange(256) - 100) * 0.013 / 0.05 + 30, 30, 255)
    assert np.abs(values - want).max() <= 0.5 + 1e-6
