"""lightnn/compress/transforms/affine.py: evenly spaced weights, w = S (q - Z)."""

import math

import numpy as np
import pytest

from lightnn import Tensor, nn
from lightnn import functional as F
from lightnn.compress import Affine, Mask, use_affine
from lightnn.io import to_bytes
from lightnn.nn import Parameter
from lightnn.optim import SGD


@pytest.mark.parametrize("bits", [4, *(pytest.param(bits, marks=pytest.mark.thorough) for bits in (2, 8))])
@pytest.mark.parametrize(("per_channel", "symmetric"), [(True, True), (False, True), (True, False), (False, False)])
def test_it_obeys_the_laws_of_a_transform(laws, bits, per_channel, symmetric):
    laws(lambda latent: use_affine(Parameter(latent), bits, per_channel, symmetric))


def test_by_hand():
    p = Parameter(np.array([[127.0, -3.4, 0.5], [-254.0, 2.9, 0.0]], np.float32))
    assert use_affine(p).scale.tolist() == [1, 2]
    assert p().data.tolist() == [[127, -3, 0], [-254, 2, 0]]
    assert use_affine(p, 8, per_channel=False, symmetric=False).zero_point.tolist() == [170]


def test_weights_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match=r"use_affine: p: want finite numbers, got 1 of 2"):
        use_affine(Parameter(np.array([1.0, np.nan])))


def test_the_gradient_passes_inside_the_range(rng):
    p = Parameter(np.array([[-3.0, -1.4, 1.6, 1.4]]))
    p.values = Affine(np.ones(1, np.float32), np.zeros(1, int), -1, 1)
    dy = rng.standard_normal((1, 4))
    p().backward(dy)
    np.testing.assert_array_equal(p.grad, dy * [0, 1, 0, 1])


def test_training_lowers_the_loss(rng):
    """A regression through 3-bit weights: the mean squared error falls to less than a half."""
    x, w = rng.standard_normal((64, 10)), rng.standard_normal((10, 10))
    p = Parameter(rng.standard_normal((10, 10)))
    use_affine(p, 3)
    losses = []
    optimizer = SGD([p], lr=1.0)
    for _ in range(60):
        optimizer.zero_grad()
        loss = F.mse_loss(F.linear(Tensor(x), p(), None), x @ w.T)
        loss.backward()
        optimizer.step()
        losses += [float(loss.data)]
    assert losses[-1] < losses[0] / 2


@pytest.mark.parametrize("bits", range(2, 9))
@pytest.mark.parametrize("per_channel", [True, False])
def test_the_file_is_as_long_as_the_formula_says(bits, per_channel, rng):
    """ceil(K n / 8) bytes of codes or fewer, 4 a scale, zero points packed (here all 0: at most a byte each), and a
    header that does not grow with n."""
    sizes = []
    for rows in (50, 100):
        model = nn.Sequential(nn.Linear(300, rows, bias=False, rng=0))
        model[0].weight = Parameter(rng.uniform(-1, 1, (rows, 300)).astype(np.float32))
        use_affine(model[0].weight, bits, per_channel)
        n, scales = 300 * rows, rows if per_channel else 1
        rest = len(to_bytes(model)) - math.ceil(bits * n / 8) - 4 * scales
        assert rest <= 200 + scales
        sizes += [rest]
    assert sizes[1] - sizes[0] <= 60


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale": np.float32([0])}, r"scale: want numbers from 2\^-126 to 2\^110, got"),
        ({"scale": np.float32([-1])}, "scale: want numbers"),
        ({"scale": np.float32([np.nan])}, "scale: want numbers"),
        ({"scale": np.float32([np.inf])}, "scale: want numbers"),
        ({"scale": np.float32([1e-45])}, "scale: want numbers"),
        ({"scale": np.array([1])}, r"want scale and zero_point \(1,\) or \(O,\)"),
        ({"scale": np.float32(1)}, r"want scale and zero_point \(1,\) or \(O,\); got \(\), \(1,\)"),
        ({"zero_point": np.array([0, 0])}, r"want scale and zero_point"),
        ({"zero_point": np.array([4])}, "zero_point: want integers from -3 to 3"),
        ({"zero_point": np.array([0.0])}, "zero_point: want integers from -3 to 3"),
        ({"range": np.array([3, 3])}, "q_max: want an int from 4"),
        ({"range": np.array([-3, 2**20])}, "q_max: want an int from -2 to 32768"),
        ({"range": np.array([3])}, r"want two integers as the range of codes, got shape \(1,\)"),
        ({"range": np.array([-3.0, 3.0])}, "want two integers"),
        ({"codes": np.array([[4]])}, "want codes from -3 to 3, got 4 to 4"),
        ({"codes": np.array([[-4]])}, "want codes from -3 to 3, got -4 to -4"),
        ({"scale": np.ones(3, np.float32), "zero_point": np.zeros(3, int)}, "want a number or 1 of them"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change, message):
    values = use_affine(Parameter(np.ones((1, 1), np.float32)), 3)
    with pytest.raises(ValueError, match=message):
        Affine.decode(values.encode(np.ones((1, 1), np.float32)) | change)


def test_a_weight_that_is_not_finite_is_named_when_it_is_saved():
    model = nn.Sequential(nn.Linear(2, 2, rng=0))
    use_affine(model[0].weight)
    model[0].weight.data[0, 1] = np.inf
    with pytest.raises(ValueError, match=r"save: 0\.weight: affine_quantize: want finite x; got 1 "):
        to_bytes(model)


def test_a_scale_that_is_given():
    p = Parameter(np.array([[1.2], [-0.6]], np.float32))
    use_affine(p, 4, scale=np.array([0.5, 0.25], np.float32))
    assert p().data.tolist() == [[1.0], [-0.5]]
    with pytest.raises(ValueError, match=r"use_affine: scale: want an array \(1,\) or \(O,\) of a symmetric range"):
        use_affine(p, 4, symmetric=False, scale=np.ones(1, np.float32))


def test_a_pruned_weight_does_not_widen_the_range():
    p = Parameter(np.array([[100.0, 1.0, -0.5]], np.float32))
    p.support = Mask(np.array([[False, True, True]]))
    assert use_affine(p).scale == np.float32(1 / 127)


def test_a_row_of_zeros_keeps_its_zero_point_at_zero():
    p = Parameter(np.array([[0.0, 0.0], [1.0, -2.0]], np.float32))
    values = use_affine(p, 8)
    assert values.zero_point.tolist() == [0, 0] and not p().data[0].any()
