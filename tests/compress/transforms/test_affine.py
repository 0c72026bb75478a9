"""lightnn/compress/transforms/affine.py: weights that are small integers times a step."""

import numpy as np
import pytest

from lightnn.compress import Affine, affine_codes, affine_quantize, use_affine
from lightnn.nn import Parameter
from lightnn.tensor import Tensor


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_it_obeys_the_laws_of_a_transform(laws, bits):
    laws(lambda latent: Affine(bits, np.array([0.1], latent.dtype)))


def test_by_hand():
    p = Parameter(np.array([[0.7, -1.4, 0.1], [7.0, 3.0, -0.4]], np.float32))
    use_affine(p, 4)
    np.testing.assert_allclose(p.values.scale, [0.2, 1.0])
    assert affine_codes(p.data, p.values.scale, 4).tolist() == [[4, -7, 0], [7, 3, 0]]
    np.testing.assert_allclose(p().data, [[0.8, -1.4, 0], [7, 3, 0]], atol=1e-6)
    use_affine(p, 4, per_channel=False)
    assert p.values.scale.tolist() == [1.0] and p().data.tolist() == [[1, -1, 0], [7, 3, 0]]
    assert repr(p.values) == "Affine(4 bits, 1 scales)"


@pytest.mark.parametrize("bits", range(2, 9))
def test_an_error_is_at_most_half_a_step_and_the_gradient_passes(bits, rng):
    p = Parameter(rng.standard_normal((6, 5)).astype(np.float32))
    S = use_affine(p, bits).scale[:, None]
    assert (np.abs(p().data - p.data) <= 0.5001 * S).all()
    latent = Tensor(p.data, requires_grad=True)
    affine_quantize(latent, scale=p.values.scale, bits=bits).sum().backward()
    np.testing.assert_array_equal(latent.grad, 1)


def test_rows_of_zeros_and_what_is_refused():
    p = Parameter(np.array([[0.0, 0.0], [1.0, -1.0]], np.float32))
    use_affine(p, 2)
    assert p().data.tolist() == [[0, 0], [1, -1]]
    for bits, scale in (
        (1, [1.0]),
        (9, [1.0]),
        (8, [0.0]),
        (8, [-1.0]),
        (8, [np.nan]),
        (8, [np.inf]),
        (8, 1.0),
        (8, [1]),
    ):
        with pytest.raises(ValueError, match="Affine: "):
            Affine(bits, np.array(scale))
    with pytest.raises(ValueError, match="want one scale or one for each"):
        affine_codes(np.ones((3, 2)), np.ones(2), 8)
    with pytest.raises(ValueError, match="Affine: want codes from -7 to 7, got -8 to 0"):
        Affine.decode({"bits": 4, "scale": np.ones(1), "codes": np.array([-8, 0])})
    with pytest.raises(ValueError, match="use_affine: p: want finite"):
        use_affine(Parameter(np.array([np.nan])))
