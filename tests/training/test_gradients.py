"""lightnn/training/gradients.py: gradients beside those of a twin in floats, and latent weights."""

import numpy as np
import pytest

from lightnn import Tensor, nn
from lightnn import functional as F
from lightnn.compress import use_binary
from lightnn.training import cosine, gradient_cosines, latent_histogram, sign_flips, weight_gradients


def network(activation):
    return nn.Sequential(nn.Linear(6, 8, rng=0), activation(), nn.Linear(8, 3, rng=1))


def batch(rng):
    return rng.standard_normal((20, 6)).astype(np.float32), rng.integers(0, 3, 20)


def test_a_cosine_by_hand():
    assert cosine([np.array([3.0, 0.0])], [np.array([1.0, 0.0])]) == 1
    assert cosine([np.array([1.0]), np.array([[1.0]])], [np.array([1.0]), np.array([[0.0]])]) == pytest.approx(0.5**0.5)
    assert cosine([np.array([1.0])], [np.array([-2.0])]) == -1 and cosine([np.zeros(2)], [np.ones(2)]) == 0


def test_weights_have_the_gradient_of_the_loss(rng):
    model, (x, y) = network(nn.ReLU), batch(rng)
    found = weight_gradients(model, x, y)
    assert list(found) == ["0.weight", "2.weight"]
    for p in model.parameters():
        p.grad = None
    F.cross_entropy(model(Tensor(x)), y).backward()
    for name, g in found.items():
        np.testing.assert_array_equal(g, dict(model.named_parameters())[name].grad)
    assert (weight_gradients(model, x, y, F.squared_hinge)["0.weight"] != found["0.weight"]).any()
    model[2].weight.requires_grad = False
    with pytest.raises(KeyError, match=r"got none for 2\.weight"):
        weight_gradients(model, x, y)


def test_signs_bend_the_gradient_and_the_layers_before_more_of_them_most(rng):
    floats, (x, y) = network(nn.Hardtanh), batch(rng)
    signs = network(nn.Sign)
    same = gradient_cosines(weight_gradients(floats, x, y), weight_gradients(floats, x, y))
    assert list(same.values()) == pytest.approx([1, 1])
    bent = gradient_cosines(weight_gradients(floats, x, y), weight_gradients(signs, x, y))
    assert all(0 < value < 0.99 for value in bent.values())
    with pytest.raises(KeyError):
        gradient_cosines({"a": np.ones(2)}, {})


def test_flips_and_histograms_by_hand():
    before, after = np.array([-0.1, 0.0, 0.5, -0.0]), np.array([0.1, -0.1, 0.4, 0.2])
    assert sign_flips(before, after) == 0.5 and sign_flips(np.zeros(0), np.zeros(0)) == 0
    with pytest.raises(ValueError, match=r"sign_flips: want two arrays of one shape, got \(4,\) and \(3,\)"):
        sign_flips(before, after[:3])
    p = nn.Parameter(np.array([-7.0, -0.9, 0.1, 1.0], np.float32))
    use_binary(p)
    fractions, edges = latent_histogram(p, 4)
    assert fractions.tolist() == [0.5, 0, 0.25, 0.25] and edges.tolist() == [-1, -0.5, 0, 0.5, 1]
    assert latent_histogram(nn.Parameter(np.zeros((0, 3), np.float32)))[0].sum() == 0
