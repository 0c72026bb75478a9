"""lightnn/kernels/quantized/convert.py against its definition in NumPy."""

import numpy as np
import pytest

from lightnn.kernels.quantized import convert


@pytest.mark.parametrize("shape", [(2, 3, 5, 37), (1, 40, 4, 3), (0, 3, 4, 4), (2, 1, 1, 1)], ids=str)
@pytest.mark.parametrize(("scale", "zero"), [(0.05, 130), (1.0, 0), (1e-3, 255)])
def test_definition(shape, scale, zero, rng, threads):
    x = (rng.standard_normal(shape) * 4).astype(np.float32)
    want = np.clip(np.rint(x / np.float32(scale)) + zero, 0, 255).transpose(0, 2, 3, 1)
    q = convert.quantize(x, scale, zero)
    assert q.dtype == np.uint8
    np.testing.assert_array_equal(q, want)
    back = convert.dequantize(q, scale, zero)
    assert back.dtype == np.float32 and back.shape == shape
    np.testing.assert_array_equal(back, (np.float32(scale) * (want - zero)).astype(np.float32).transpose(0, 3, 1, 2))


def test_a_half_goes_to_even_and_the_ends_are_kept():
    x = np.array([[-0.5, 0.5, 1.5, 2.5, -1e9, 1e9, -np.inf, np.inf]], np.float32)
    assert convert.quantize(x, 1.0, 10).tolist() == [[10, 10, 12, 12, 0, 255, 0, 255]]


def test_strided_arrays_and_a_matrix(rng):
    x = rng.standard_normal((4, 6, 5, 8)).astype(np.float32)[::2, ::-1, :, ::2]
    q = convert.quantize(x, 0.02, 128)
    np.testing.assert_array_equal(q, convert.quantize(x.copy(), 0.02, 128))
    np.testing.assert_array_equal(
        convert.dequantize(q[:, ::-1], 0.02, 128)[:, :, ::-1], convert.dequantize(q, 0.02, 128)
    )
    assert convert.quantize(x[:, :, 0, 0], 0.02, 128).tolist() == q[:, 0, 0].tolist()
    assert convert.dequantize(q[:, 0, 0], 0.02, 128).shape == (2, 6)


def test_sums_of_32_bits(rng):
    sums = rng.integers(-(2**20), 2**20, (3, 7)).astype(np.int32)
    np.testing.assert_array_equal(convert.dequantize(sums, 0.25, 0), sums / 4)
