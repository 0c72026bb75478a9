"""lightnn/compress/transforms/power_of_two.py: weights that are signed powers of two."""

import numpy as np
import pytest

from lightnn.compress import PowerOfTwo, log_codes, log_quantize, use_powers_of_two
from lightnn.nn import Parameter
from lightnn.tensor import Tensor


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_it_obeys_the_laws_of_a_transform(laws, bits):
    laws(lambda latent: PowerOfTwo(bits, 1))


def test_codes_by_hand():
    """3 bits: the places 1, 2, 3 are the exponents -2, -1, 0."""
    codes = log_codes(np.array([[1.0, 0.5, 0.25], [0.1, 0.0, -0.5], [-8.0, -0.7, -0.72]]), 3, 0)
    assert codes.dtype == np.int8 and codes.tolist() == [[3, 2, 1], [0, 0, -2], [-3, -2, -3]]


@pytest.mark.parametrize("bits", range(2, 9))
def test_a_code_is_the_nearest_exponent_of_its_range(rng, bits):
    w, top, n = rng.standard_normal((30, 4)) * 4.0 ** rng.integers(-6, 3, (30, 4)), 1, 2 ** (bits - 1) - 1
    codes = log_codes(w, bits, top)
    for x, code in zip(w.flat, codes.flat):
        place = min(round(float(np.log2(abs(x)))) - top + n, n)
        assert code == np.sign(x) * max(place, 0)


def test_zero_empty_and_single_precision_weights():
    assert log_codes(np.array([0.0, -0.0]), 4, 0).tolist() == [0, 0]
    assert log_codes(np.zeros((0, 3)), 4, 0).shape == (0, 3)
    assert log_codes(np.float32([2.0, -3e-38]), 8, 0).tolist() == [127, -2]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_refused(bad):
    with pytest.raises(ValueError, match="finite"):
        log_codes(np.array([1.0, bad]), 4, 0)


def test_values_are_signed_powers_of_two_and_the_gradient_passes_through(rng):
    latent = Tensor(rng.standard_normal((6, 5)), requires_grad=True)
    w = log_quantize(latent, bits=4, top=0)
    there = w.data != 0
    assert (np.frexp(np.abs(w.data[there]))[0] == 0.5).all() and (np.sign(w.data) == np.sign(latent.data))[there].all()
    dy = rng.standard_normal((6, 5))
    w.backward(dy)
    np.testing.assert_array_equal(latent.grad, dy)


def test_the_range_ends_at_the_largest_weight():
    p = Parameter(np.array([0.3, -6.5, 0.0], np.float32))
    assert repr(use_powers_of_two(p, 3)) == "PowerOfTwo(3 bits, up to 2^3)"
    assert p().data.tolist() == [0.0, -8.0, 0.0] and p.data[0] == np.float32(0.3)
    assert use_powers_of_two(Parameter(np.zeros((0, 2))), 3).top == 0


@pytest.mark.parametrize(
    ("bits", "top", "message"),
    [
        (1, 0, "PowerOfTwo: bits: want an int from 2 to 8, got 1"),
        (9, 0, "PowerOfTwo: bits: want an int from 2 to 8, got 9"),
        (2.5, 0, "PowerOfTwo: bits: want an int from 2 to 8, got 2.5"),
        (4, 0.5, "PowerOfTwo: top: want an int from -100 to 100, got 0.5"),
        (4, 101, "got 101"),
    ],
)
def test_options_out_of_range_are_refused(bits, top, message):
    with pytest.raises(ValueError, match=message):
        PowerOfTwo(bits, top)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"codes": np.array([4])}, "want codes from -3 to 3, got 4 to 4"),
        ({"scale": np.float32(3)}, "want a power of two for the scale, got 3.0"),
        ({"scale": np.float32(np.nan)}, "want a power of two for the scale, got nan"),
        ({"bits": np.array(1), "codes": np.zeros(1, int)}, "PowerOfTwo: bits: want an int from 2 to 8, got 1"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change, message):
    parts = PowerOfTwo(3, 0).encode(np.ones(1, np.float32)) | change
    with pytest.raises(ValueError, match=message):
        PowerOfTwo.decode(parts), PowerOfTwo.restore(parts)
