"""lightnn/functional/quantize.py: r = S (q - Z)."""

import numpy as np
import pytest

from lightnn import Tensor
from lightnn import functional as F


def test_codes_by_hand():
    """S = 0.5, Z = 3, 4 bits: a tie goes to the even code, and what is outside the range to its end."""
    x = np.array([0.0, 0.5, 0.25, 0.75, -1.5, -9.0, 6.0, 99.0], np.float32)
    q = F.affine_quantize(x, scale=0.5, zero_point=3, q_min=0, q_max=15)
    assert q.dtype == np.int8 and q.tolist() == [3, 4, 3, 5, 0, 0, 15, 15]
    assert F.affine_dequantize(q, scale=0.5, zero_point=3).tolist() == [0, 0.5, 0, 1, -1.5, -1.5, 6, 6]


def test_it_is_the_equation_one_number_at_a_time(rng):
    """Also with a scale and a zero point for each row."""
    x = rng.standard_normal((4, 5, 2)) * 5
    S, Z = np.array([0.1, 0.5, 1.0, 2.0]), np.array([0, 7, 128, 255])
    q = F.affine_quantize(x, scale=S, zero_point=Z)
    y = F.fake_quantize(Tensor(x), scale=S, zero_point=Z).data
    for i, j, k in np.ndindex(x.shape):
        want = min(max(round(x[i, j, k] / S[i]) + Z[i], 0), 255)
        assert q[i, j, k] == want and y[i, j, k] == S[i] * (want - Z[i])
    np.testing.assert_array_equal(F.affine_dequantize(q, scale=S, zero_point=Z), y)


@pytest.mark.parametrize(
    ("ends", "dtype"),
    [((-127, 127), np.int8), ((0, 255), np.uint8), ((-128, 255), np.int16), ((-32768, 32768), np.int32)],
)
def test_codes_have_the_smallest_dtype_that_holds_their_range(ends, dtype):
    q = F.affine_quantize(np.array([1e9, -1e9]), q_min=ends[0], q_max=ends[1])
    assert q.dtype == dtype and q.tolist() == [ends[1], ends[0]]


def test_the_gradient_is_straight_through_inside_the_range(rng):
    """STE: dL/dx = dL/dy where the code is inside the range, else 0. Half a step beyond the end still rounds to it."""
    x = Tensor(np.array([-1.6, -1.4, 0.2, 2.4, 2.6]), requires_grad=True)
    dy = rng.standard_normal(5)
    F.fake_quantize(x, zero_point=1, q_min=0, q_max=3).backward(dy)
    np.testing.assert_array_equal(x.grad, dy * [0, 1, 1, 1, 0])


def test_the_error_is_at_most_half_a_step_and_zero_is_exact(rng):
    for bits in range(2, 9):
        x = rng.standard_normal(200) + 0.5
        S, Z = F.scale_and_zero_point(x.min(), x.max(), q_max=2**bits - 1)
        y = F.fake_quantize(Tensor(x), scale=float(S), zero_point=int(Z), q_max=2**bits - 1).data
        assert np.abs(y - x).max() <= S * (1 + 1e-5)  # half a step, and up to half a step by which Z was rounded
        assert F.fake_quantize(Tensor(np.zeros(1)), scale=float(S), zero_point=int(Z), q_max=2**bits - 1).data == 0


@pytest.mark.parametrize(
    ("low", "high", "want"),
    [
        (-1.0, 1.55, (0.01, 100)),  # S = 2.55 / 255
        (2.0, 5.1, (0.02, 0)),  # widened to 0
        (-5.1, -2.0, (0.02, 255)),
        (0.0, 0.0, (1.0, 0)),
        (0.0, 1e-45, (2.0**-126, 0)),
        (-3e38, 3e38, (2.0**110, 255)),  # S would be 2.4e36; it is held
    ],
)
def test_ranges(low, high, want):
    S, Z = F.scale_and_zero_point(low, high)
    assert S.dtype == np.float32 and Z.dtype == np.int64
    assert pytest.approx(want[0], rel=1e-6) == S and want[1] == Z


def test_what_is_not_a_number():
    y = F.fake_quantize(Tensor(np.array([np.nan, np.inf, -np.inf])), q_max=15).data
    assert np.isnan(y[0]) and y[1:].tolist() == [15, 0]
    with pytest.raises(ValueError, match="affine_quantize: want finite x; got 1 numbers that are not"):
        F.affine_quantize(np.array([1.0, np.nan]))
    for low, high in ((1.0, 0.0), (np.nan, 1.0), (0.0, np.inf), (np.zeros(2), np.ones(3))):
        with pytest.raises(ValueError, match="want finite low <= high; got "):
            F.scale_and_zero_point(low, high)


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (3, 0), (2, 1, 3)])
def test_any_shape(shape):
    x = np.ones(shape, np.float32)
    assert F.affine_quantize(x).shape == F.fake_quantize(Tensor(x)).data.shape == shape
    assert F.affine_dequantize(F.affine_quantize(x)).shape == shape


def test_scales_must_fit_the_first_axis():
    for name in ("scale", "zero_point"):
        with pytest.raises(ValueError, match=f"fake_quantize: {name}: want a number or 4 of them, got"):
            F.fake_quantize(Tensor(np.ones((4, 2))), **{name: np.array([1, 1])})
