"""lightnn/training/distillation.py: a teacher beside the labels."""

import numpy as np
import pytest

from lightnn import Tensor, nn
from lightnn import functional as F
from lightnn.testing import check_vjp
from lightnn.training import Recipe, distil, distillation_loss, follow, predict, soft_targets


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


@pytest.mark.parametrize("T", [1.0, 4.0, 20.0])
def test_it_is_its_definition_and_so_is_its_gradient(rng, T):
    z, v = rng.standard_normal((5, 7)) * 3, rng.standard_normal((5, 7)) * 3
    p, q = softmax(v / T), softmax(z / T)
    want = T * T * (p * np.log(p / q)).sum() / 5
    leaf = Tensor(z, requires_grad=True)
    loss = distillation_loss(leaf, v, T=T)
    loss.backward()
    assert loss.item() == pytest.approx(want) and want > 0
    np.testing.assert_allclose(leaf.grad, T * (q - p) / 5, atol=1e-12)
    check_vjp(lambda z: distillation_loss(z, v, T=T), z)


def test_soft_targets():
    v = np.array([[1.0, 2.0, 5.0], [10000.0, 0.0, 0.0]], np.float32)
    for T in (0.5, 1, 20.0):
        assert soft_targets(v, T).dtype == np.float32
        np.testing.assert_allclose(soft_targets(v, T), softmax(v.astype(float) / T), rtol=1e-6, atol=1e-30)
    np.testing.assert_allclose(soft_targets(v[0], 1e6), 1 / 3, rtol=1e-5)
    with pytest.raises(ValueError, match="soft_targets: T: want a finite number"):
        soft_targets(v, 0)


def test_it_is_0_for_the_teacher_itself(rng):
    v = rng.standard_normal((3, 4))
    assert distillation_loss(Tensor(v), v).item() == pytest.approx(0, abs=1e-12)


def test_hot_it_compares_the_logits(rng):
    """Hinton et al., equation 4: for a large T the gradient is (z - v) / K, of logits with mean 0."""
    z, v = (a - a.mean(1, keepdims=True) for a in rng.standard_normal((2, 6, 5)))
    leaf = Tensor(z, requires_grad=True)
    distillation_loss(leaf, v, T=1e4).backward()
    np.testing.assert_allclose(leaf.grad, (z - v) / 5 / 6, atol=1e-5)


def test_a_student_learns_from_the_teacher_alone(rng):
    x = rng.standard_normal((300, 6)).astype(np.float32)
    teacher, student = nn.Linear(6, 4, rng=0), nn.Linear(6, 4, rng=1)
    y = np.zeros(300, np.int64)  # labels that say nothing
    d = distil(teacher, T=2.0, weight=1.0)
    follow(Recipe(20, 0.5, batch_size=30, loss=d), student, (x, y), progress=False)
    same = predict(student, x).argmax(1) == predict(teacher, x).argmax(1)
    assert same.mean() > 0.95


def test_the_teacher_sees_the_images_that_the_student_sees(rng):
    shown = []

    class Teacher(nn.Module):
        def forward(self, x):
            shown.append(x.data.copy())
            return Tensor(np.zeros((len(x), 2), np.float32))

    x, student = np.zeros((4, 3), np.float32), nn.Linear(3, 2, rng=0)
    recipe = Recipe(1, 0.1, loss=distil(Teacher(), weight=0.25), augment=lambda x, rng: x + 1)
    follow(recipe, student, (x, np.array([0, 1, 1, 0])), progress=False)
    assert len(shown) == 1 and (shown[0] == 1).all()


def test_weight_is_that_of_the_teacher(rng):
    x, y = rng.standard_normal((4, 3)).astype(np.float32), np.array([0, 1, 1, 0])
    teacher, z = nn.Linear(3, 2, rng=0), Tensor(rng.standard_normal((4, 2)).astype(np.float32))
    soft = distillation_loss(z, predict(teacher, x), T=4.0).item()
    for weight in (0.0, 0.25, 1.0):
        d = distil(teacher, weight=weight)
        d.see(x)
        want = (1 - weight) * F.cross_entropy(z, y).item() + weight * soft
        assert d(z, y).item() == pytest.approx(want, rel=1e-6)
    assert repr(distil(teacher, T=2)) == "distil(Linear, T=2, weight=0.5)"


def test_errors():
    with pytest.raises(ValueError, match=r"want logits z and v of one shape .* got z \(2, 3\), v \(2, 4\)"):
        distillation_loss(Tensor(np.ones((2, 3))), np.ones((2, 4)))
    d = distil(nn.Linear(3, 2, rng=0))
    with pytest.raises(RuntimeError, match="want see\\(x\\) called with the images of this batch before the loss"):
        d(Tensor(np.ones((2, 2))), np.array([0, 1]))
    with pytest.raises(ValueError, match="distil: weight: want a finite number >= 0 and <= 1, got 2"):
        distil(nn.Linear(3, 2, rng=0), weight=2)
