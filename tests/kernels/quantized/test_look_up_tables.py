"""lightnn/kernels/quantized/look_up_tables.py: the product by tables is the dense one of weights written out."""

import numpy as np
import pytest

import lightnn
from lightnn.functional import plain
from lightnn.kernels.quantized import look_up_tables


@pytest.mark.parametrize(("n", "blocks", "outputs", "k", "d"), [
    (1, 1, 1, 1, 1), (1, 9, 2500, 256, 4), (3, 4, 7, 5, 3), (2, 16, 1030, 300, 2), (0, 3, 4, 2, 2), (2, 3, 0, 2, 2),
    (2, 0, 3, 2, 2), (1, 17, 16, 2, 9),
])  # fmt: skip
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_definition(rng, n, blocks, outputs, k, d, dtype):
    x, c = rng.standard_normal((n, blocks * d)).astype(dtype), rng.standard_normal((k, d)).astype(dtype)
    codes = rng.integers(0, k, (blocks, outputs)).astype(np.min_scalar_type(k - 1))
    w = c[codes.T].reshape(outputs, blocks * d)
    y = look_up_tables.linear(x, codes, c)
    close = {"atol": 1e-11 if dtype == np.float64 else 1e-4}
    np.testing.assert_allclose(y, x @ w.T, **close)
    if blocks and outputs:
        np.testing.assert_allclose(y, plain.linear_by_tables(x, codes.T, c), **close)
    assert y.dtype == dtype and y.shape == (n, outputs)
    np.testing.assert_array_equal(look_up_tables.linear(np.asfortranarray(x), codes, c), y)


def test_a_sum_is_the_same_for_every_number_of_threads(rng):
    x, c = rng.standard_normal((2, 120)).astype(np.float32), rng.standard_normal((16, 4)).astype(np.float32)
    codes = rng.integers(0, 16, (30, 3000)).astype(np.uint8)
    before, found = lightnn.get_num_threads(), []
    try:
        for threads in range(1, before + 1):
            lightnn.set_num_threads(threads)
            found.append(look_up_tables.linear(x, codes, c))
    finally:
        lightnn.set_num_threads(before)
    assert all(np.array_equal(y, found[0]) for y in found)
