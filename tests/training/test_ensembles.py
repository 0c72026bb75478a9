"""lightnn/training/ensembles.py: the mean of predictive distributions."""

import numpy as np
import pytest

from lightnn import Tensor, nn
from lightnn.training import Ensemble, Recipe, Remembered, distil, follow, mean_logits, predict


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_both_means_are_their_definitions(rng, dtype):
    v = (3 * rng.standard_normal((4, 5, 6))).astype(dtype)
    p = softmax(v.astype(np.float64))
    arithmetic, product = p.mean(0), p.prod(0) ** (1 / 4)
    for kind, want in (("arithmetic", arithmetic), ("geometric", product / product.sum(1, keepdims=True))):
        got = mean_logits(v, kind)
        assert got.dtype == dtype and got.shape == (5, 6)
        np.testing.assert_allclose(softmax(got), want, rtol=1e-4 if dtype == np.float32 else 1e-12)
        np.testing.assert_allclose(np.exp(got).sum(1), 1, rtol=1e-5)


def test_of_one_teacher_it_is_the_teacher(rng):
    v = rng.standard_normal((1, 3, 4))
    for kind in ("arithmetic", "geometric"):
        np.testing.assert_allclose(softmax(mean_logits(v, kind)), softmax(v[0]))


def test_large_logits_do_not_overflow():
    v = np.array([[[1000.0, -1000.0]], [[-1000.0, 1000.0]]])
    np.testing.assert_allclose(softmax(mean_logits(v, "arithmetic")), [[0.5, 0.5]])
    np.testing.assert_allclose(softmax(mean_logits(v, "geometric")), [[0.5, 0.5]])
    assert np.isfinite(mean_logits(v[:1], "arithmetic")).all()


def test_an_ensemble_votes(rng):
    models = [nn.Linear(3, 4, rng=i) for i in range(3)]
    x = rng.standard_normal((5, 3)).astype(np.float32)
    want = mean_logits(np.stack([m(Tensor(x)).data for m in models]), "geometric")
    np.testing.assert_allclose(predict(Ensemble(models, "geometric"), x), want, rtol=1e-5)
    assert len(list(Ensemble(models).parameters())) == 6


def test_remembered_answers_are_those_of_the_teacher(rng):
    x, y = rng.standard_normal((20, 3)).astype(np.float32), np.arange(20) % 4
    teacher = Ensemble([nn.Linear(3, 4, rng=i) for i in range(2)])
    known = Remembered(teacher, x)
    np.testing.assert_array_equal(predict(known, x[[7, 3, 3]]), predict(teacher, x)[[7, 3, 3]])
    states = []
    for loss in (distil(teacher), distil(known)):
        student = nn.Linear(3, 4, rng=5)
        follow(Recipe(2, 0.1, batch_size=6, loss=loss), student, (x, y), progress=False)
        states.append(student.weight.data)
    np.testing.assert_allclose(*states, rtol=1e-5)
    with pytest.raises(ValueError, match="Remembered: want images it was made with; got 1 others of 2"):
        known(Tensor(np.stack([x[0], x[0] + 1])))


def test_errors():
    for v in (np.zeros((0, 2, 3)), np.zeros((2, 3))):
        with pytest.raises(ValueError, match=r"mean_logits: want v \(M, N, K\), M > 0; got"):
            mean_logits(v, "arithmetic")
    with pytest.raises(ValueError, match="mean_logits: kind: want arithmetic or geometric, got 'sum'"):
        mean_logits(np.zeros((1, 2, 3)), "sum")
    with pytest.raises(ValueError, match="Ensemble: models: want at least one network"):
        Ensemble([])
    with pytest.raises(ValueError, match="Ensemble: kind: want arithmetic or geometric"):
        Ensemble([nn.ReLU()], "median")
