"""lightnn/training/relatives.py: losses on features."""

import numpy as np
import pytest

from lightnn import Tensor, nn
from lightnn import functional as F
from lightnn.nn import Parameter
from lightnn.testing import check_vjp
from lightnn.training import FeatureStudent, Recipe, attention_loss, features_of, follow, predict, relation_loss


def attention_by_definition(a, b):
    total = 0.0
    for n in range(len(a)):
        q, r = ((f[n] ** 2).sum(0).ravel() for f in (a, b))
        total += np.square(q / np.linalg.norm(q) - r / np.linalg.norm(r)).sum()
    return total / len(a)


def relation_by_definition(a, b):
    def psi(f):
        d = np.array([[np.linalg.norm(x - y) for y in f] for x in f])
        return d / d[~np.eye(len(f), dtype=bool)].mean()

    total, n = 0.0, len(a)
    for i in range(n):
        for j in range(n):
            t = abs(psi(a)[i, j] - psi(b)[i, j])
            total += (t * t / 2 if t <= 1 else t - 0.5) if i != j else 0
    return total / (n * (n - 1))


def test_attention(rng):
    a, b = rng.standard_normal((3, 4, 5, 2)), rng.standard_normal((3, 6, 5, 2))
    assert attention_loss(Tensor(a), b).item() == pytest.approx(attention_by_definition(a, b))
    check_vjp(lambda a: attention_loss(a, b), a)
    assert attention_loss(Tensor(a), 7 * a).item() == pytest.approx(0, abs=1e-12), "only where, not how much"
    zeros = Tensor(np.zeros((2, 1, 3, 3)), requires_grad=True)
    attention_loss(zeros, np.zeros((2, 1, 3, 3))).backward()
    assert not zeros.grad.any()


@pytest.mark.parametrize("far", [1, 30])  # beyond 1 the loss is linear
def test_relation(rng, far):
    a, b = rng.standard_normal((5, 3, 2)), rng.standard_normal((5, 4))
    b[0] *= far
    assert relation_loss(Tensor(a), b).item() == pytest.approx(relation_by_definition(a, b))
    check_vjp(lambda a: relation_loss(a, b), a)
    turned = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    same = relation_loss(Tensor(a), 3 * a.reshape(5, 6) @ turned).item()
    assert same == pytest.approx(0, abs=1e-12), "turned and scaled features are as far apart"
    again = Tensor(np.ones((3, 2)), requires_grad=True)
    relation_loss(again, np.ones((3, 2))).backward()
    assert not again.grad.any()


def test_errors(rng):
    a = Tensor(rng.standard_normal((3, 4, 5, 2)))
    with pytest.raises(ValueError, match=r"attention_loss: want a \(N, C, H, W\) and b"):
        attention_loss(a, np.zeros((3, 4, 2, 5)))
    with pytest.raises(ValueError, match="relation_loss: want features of one batch, N > 1"):
        relation_loss(a, np.zeros((2, 4)))
    with pytest.raises(TypeError, match="relation_loss: want floating-point arrays of one dtype"):
        relation_loss(a, np.zeros((3, 4), np.float32))


class Two(nn.Module):
    def __init__(self, rng):
        self.first, self.last = nn.Linear(6, 5, rng=rng), nn.Linear(5, 3, rng=rng)

    def forward(self, x):
        return self.last(F.relu(self.first(x)))


def outputs_and_features(model, x):
    h = F.relu(model.first(x))
    return model.last(h), h


def test_a_student_takes_over_the_features(rng):
    """By hints, of a teacher that its labels say nothing about."""
    x, y = rng.standard_normal((200, 6)).astype(np.float32), np.zeros(200, np.int64)
    teacher, student = Two(0), Two(1)
    before = [p.data.copy() for p in teacher.parameters()]
    target = features_of(teacher, outputs_and_features)
    s = FeatureStudent(student, outputs_and_features, target, F.mse_loss, weight=10)
    start = np.square(outputs_and_features(student, Tensor(x))[1].data - target(x)).mean()
    follow(Recipe(40, 0.1, batch_size=20, loss=s.loss), s, (x, y), progress=False)
    assert np.square(outputs_and_features(student, Tensor(x))[1].data - target(x)).mean() < 0.05 * start
    assert teacher.training and all(np.array_equal(p.data, b) for p, b in zip(teacher.parameters(), before))
    np.testing.assert_array_equal(predict(s, x), predict(student, x))
    assert s.last is None and all(isinstance(p, Parameter) for p in s.parameters())
    with pytest.raises(RuntimeError, match="want the network itself to be trained"):
        s.loss(Tensor(np.zeros((2, 3), np.float32)), np.zeros(2, int))
