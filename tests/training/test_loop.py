"""lightnn/training/loop.py: the loop learns, keeps the best state, survives Ctrl-C, and rejects bad data clearly."""

import concurrent.futures
import threading
import time

import numpy as np
import pytest

from lightnn import Tensor, evaluate, nn, predict, train
from lightnn import functional as F
from lightnn.data import Dataset
from lightnn.nn.module import evaluating
from lightnn.optim import SGD, Adam, StepLR


def blobs(n=90, seed=0):
    """Three clouds of points in the plane that a line can tell apart."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    centres = np.array([[2, 0], [-2, 2], [-2, -2]])
    return (centres[y] + 0.4 * rng.standard_normal((n, 2))).astype(np.float32), y


def network(seed=0):
    rng = np.random.default_rng(seed)
    return nn.Sequential(nn.Linear(2, 8, rng=rng), nn.ReLU(), nn.Dropout(0.1, rng=rng), nn.Linear(8, 3, rng=rng))


def run(model, data=None, epochs=3, lr=0.1, **options):
    """train with the bar off and Adam, unless told otherwise."""
    options = {"optimizer": Adam(model.parameters(), lr=lr), "batch_size": 16, "progress": False} | options
    return train(model, blobs() if data is None else data, epochs=epochs, **options)


def test_it_learns_what_can_be_learned():
    model = network()
    assert evaluate(model, *blobs(seed=1), progress=False) < 0.9
    history = run(model, epochs=10)
    assert evaluate(model, *blobs(seed=1), progress=False) == 1
    assert history.loss[-1] < 0.1 < history.loss[0]


@pytest.mark.parametrize("epochs", [0, 1, 3])
@pytest.mark.parametrize("validate", [False, True])
def test_the_history_has_one_entry_an_epoch(epochs, validate):
    history = run(network(), epochs=epochs, validation=blobs(seed=1) if validate else None)
    for entries, n in (
        (history.loss, epochs),
        (history.accuracy, epochs),
        (history.seconds, epochs),
        (history.val_accuracy, epochs * validate),
    ):
        assert len(entries) == n and all(isinstance(e, float) for e in entries)
    assert all(0 <= a <= 1 for a in history.accuracy + history.val_accuracy)
    assert not history.interrupted
    assert (history.best_epoch is None) == (not validate or not epochs)


def test_loss_and_accuracy_are_means_over_the_examples():
    """With a learning rate of 0 the epoch's numbers are those of the whole set, the short last batch included."""
    model, (x, y) = nn.Linear(2, 3, rng=0), blobs(50)
    history = run(model, (x, y), epochs=1, lr=0.0)
    np.testing.assert_allclose(history.loss, [F.cross_entropy(model(x), y).item()], rtol=1e-5)
    assert history.accuracy == [evaluate(model, x, y, progress=False)]


def test_the_same_seed_gives_the_same_weights_bit_for_bit():
    def weights(rng):
        model = network()
        run(model, rng=rng, augment=lambda x, rng: x + rng.normal(0, 0.1, x.shape).astype(x.dtype))
        return np.concatenate([p.data.ravel() for p in model.parameters()])

    np.testing.assert_array_equal(weights(3), weights(3))
    np.testing.assert_array_equal(weights(3), weights(np.random.default_rng(3)))
    assert (weights(3) != weights(4)).any()


def test_a_dataset_gives_its_training_part():
    x, y = blobs()
    model, twin = network(), network()
    run(model, Dataset(x, y, x[:3] + 100, y[:3]))
    run(twin, (x, y))
    np.testing.assert_array_equal(model[0].weight.data, twin[0].weight.data)


def test_the_data_are_left_alone():
    x, y = blobs()
    before = x.copy(), y.copy()

    def spoil(xb, rng):
        xb[:] = 0
        return xb

    run(network(), (x, y), augment=spoil)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(y, before[1])


# The best state


def scripted(monkeypatch, model, scores):
    """Let the validation accuracies be `scores`; the list returned fills with the state at each."""
    states, scores = [], iter(scores)

    def fake(*args, **options):
        states.append(model.state_dict())
        return next(scores)

    monkeypatch.setitem(train.__globals__, "evaluate", fake)
    return states


@pytest.mark.parametrize(
    ("scores", "best"), [([0.5, 0.9, 0.7, 0.1], 1), ([0.1, 0.2, 0.3, 0.4], 3), ([0.4, 0.3, 0.2, 0.1], 0)]
)
def test_the_model_ends_with_the_state_of_the_best_epoch(scores, best, monkeypatch):
    model = network()
    states = scripted(monkeypatch, model, scores)
    history = run(model, epochs=4, validation=blobs(seed=1))
    assert (history.best_epoch, history.val_accuracy) == (best, scores)
    for name, a in model.state_dict().items():
        np.testing.assert_array_equal(a, states[best][name])
        assert best == 3 or (a != states[3][name]).any()


def test_the_restored_state_scores_what_the_history_says():
    model, validation = network(), blobs(seed=1)
    history = run(model, epochs=4, lr=2.0, validation=validation)
    assert evaluate(model, *validation, progress=False) == max(history.val_accuracy)
    assert history.val_accuracy[history.best_epoch] == max(history.val_accuracy)


def test_without_validation_the_last_state_stays():
    model, states = network(), []
    run(model, augment=lambda x, rng: (states.append(model.state_dict()), x)[1])
    assert any((a != states[-1][name]).any() for name, a in model.state_dict().items())


# The options


def test_the_schedule_steps_once_an_epoch():
    model = network()
    optimizer = SGD(model.parameters(), lr=0.1)
    run(model, epochs=5, optimizer=optimizer, schedule=StepLR(optimizer, 2, gamma=0.5))
    np.testing.assert_allclose(optimizer.lr, 0.1 * 0.5**2)


def test_augmentation_sees_every_batch_in_training_mode():
    model, seen = network(), []
    run(model, epochs=2, augment=lambda x, rng: (seen.append((len(x), model.training)), x)[1])
    assert seen == [(16, True)] * 5 + [(10, True)] + [(16, True)] * 5 + [(10, True)]
    assert not model.training


def test_the_loss_may_be_another():
    def squared(outputs, y):
        return F.mse_loss(outputs, np.eye(3, dtype=np.float32)[y])

    model = network()
    run(model, epochs=15, loss=squared)
    assert evaluate(model, *blobs(seed=1), progress=False) > 0.9


@pytest.mark.parametrize("progress", [False, True])
def test_the_bar_can_be_turned_off(progress, capsys):
    run(network(), progress=progress, description="warming up")
    assert ("warming up" in capsys.readouterr().err) == progress


# Ctrl-C


def ctrl_c_at(batch):
    """An augmentation during which Ctrl-C is pressed; an epoch of `blobs` has six batches."""
    count = iter(range(1000))

    def augment(x, rng):
        if next(count) == batch:
            raise KeyboardInterrupt
        return x

    return augment


@pytest.mark.parametrize(("batch", "finished"), [(0, 0), (5, 0), (6, 1), (8, 1), (17, 2)])
@pytest.mark.parametrize("validate", [False, True])
def test_ctrl_c_returns_what_is_finished(batch, finished, validate):
    model = network()
    history = run(model, epochs=9, augment=ctrl_c_at(batch), validation=blobs(seed=1) if validate else None)
    assert history.interrupted
    assert len(history.loss) == len(history.accuracy) == len(history.seconds) == finished
    assert len(history.val_accuracy) == finished * validate
    assert not model.training
    assert 0 <= evaluate(model, *blobs(seed=1), progress=False) <= 1


def test_ctrl_c_restores_the_best_state(monkeypatch):
    model = network()
    states = scripted(monkeypatch, model, [0.9, 0.5])
    history = run(model, epochs=9, augment=ctrl_c_at(15), validation=blobs(seed=1))
    assert (history.best_epoch, history.interrupted) == (0, True)
    for name, a in model.state_dict().items():
        np.testing.assert_array_equal(a, states[0][name])


def test_ctrl_c_during_validation_leaves_an_even_history(monkeypatch):
    model, pressed = network(), iter([False, True])

    def evaluate_or_stop(*args, **options):
        if next(pressed):
            raise KeyboardInterrupt
        return 0.5

    monkeypatch.setitem(train.__globals__, "evaluate", evaluate_or_stop)
    history = run(model, validation=blobs(seed=1))
    assert history.interrupted
    assert len(history.loss) == len(history.accuracy) == len(history.seconds) == len(history.val_accuracy) == 1


# Errors


def spoiled(kind):
    x, y = blobs()
    if kind == "NaN image":
        x[7, 1] = np.nan
    elif kind == "infinite image":
        x[7, 1] = np.inf
    elif kind == "negative label":
        y[4] = -1
    elif kind == "float labels":
        y = y.astype(np.float64)
    elif kind == "short labels":
        y = y[:-1]
    elif kind == "integer images":
        x = x.astype(np.uint8)
    elif kind == "no images":
        x, y = x[:0], y[:0]
    return x, y


SPOILED = {
    "NaN image": r"want finite values in x; got nan at index \(7, 1\)",
    "infinite image": r"want finite values in x; got inf at index \(7, 1\)",
    "negative label": "want labels >= 0; got -1 at index 4",
    "float labels": "want y an integer array",
    "short labels": "want as many labels as images; got 90 images and 89 labels",
    "integer images": "want x a float32 or float64 array",
    "no images": "want at least one image",
}


@pytest.mark.parametrize("kind", SPOILED)
def test_bad_data_are_described_before_anything_happens(kind):
    model, bad = network(), spoiled(kind)
    before = model.state_dict()
    for call in (
        lambda: run(model, bad),
        lambda: run(model, validation=bad),
        lambda: evaluate(model, *bad, progress=False),
    ):
        with pytest.raises(ValueError, match=SPOILED[kind]):
            call()
    for name, a in model.state_dict().items():
        np.testing.assert_array_equal(a, before[name])


def test_a_label_that_the_network_has_no_output_for():
    x, y = blobs()
    with pytest.raises(ValueError, match="want labels from 0 to 2, got 0 to 3"):
        run(network(), (x, np.where(y == 2, 3, y)), batch_size=90)
    with pytest.raises(ValueError, match="evaluate: want labels from 0 to 2, got up to 3"):
        evaluate(network(), x, y + 1, progress=False)


@pytest.mark.parametrize("batch_size", [0, -1, 2.5])
def test_a_batch_size_that_is_none(batch_size):
    with pytest.raises(ValueError, match=f"batch_size: want an int >= 1, got {batch_size}"):
        run(network(), batch_size=batch_size)
    with pytest.raises(ValueError, match=f"batch_size: want an int >= 1, got {batch_size}"):
        evaluate(network(), *blobs(), batch_size=batch_size, progress=False)


def test_a_negative_number_of_epochs():
    with pytest.raises(ValueError, match="train: epochs: want an int >= 0, got -1"):
        run(network(), epochs=-1)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_stops_the_training(value):
    model = network()
    before = model.state_dict()
    with pytest.raises(FloatingPointError, match=f"train: the loss is {value}; try a smaller learning rate .now 0.1."):
        run(model, loss=lambda outputs, y: (outputs * outputs).sum() * value)
    for name, a in model.state_dict().items():
        np.testing.assert_array_equal(a, before[name])


# evaluate and predict


class Fixed(nn.Module):
    """Says class `i % 3` for the image whose first pixel is i."""

    def forward(self, x):
        return Tensor(np.eye(3, dtype=np.float32)[x.data[:, 0].astype(int) % 3])


@pytest.mark.parametrize("batch_size", [1, 4, 9, 500])
def test_evaluate_is_the_fraction_that_is_right(batch_size):
    x = np.arange(9, dtype=np.float32)[:, None]
    y = np.array([0, 1, 2, 0, 1, 2, 1, 1, 0])
    assert evaluate(Fixed(), x, y, batch_size=batch_size, progress=False) == 7 / 9


@pytest.mark.parametrize("training", [True, False])
def test_evaluate_computes_in_eval_mode_and_restores_the_mode(training):
    model, (x, y) = network().train(training), blobs()
    model[2].training = not training  # each part gets its own mode back
    first, second = (predict(model, x) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert evaluate(model, x, y, progress=False) == (first.argmax(1) == y).mean()
    assert [m.training for m in model] == [training, training, not training, training]


def test_evaluate_restores_the_mode_after_an_error():
    model = network()
    with pytest.raises(ValueError, match="linear: "):
        evaluate(model, np.ones((2, 3), np.float32), np.zeros(2, int), progress=False)
    assert all(m.training for m in model.modules())


def test_predict_records_nothing():
    model, x = network().eval(), blobs()[0]
    np.testing.assert_array_equal(predict(model, x), model(x).data)
    assert all(p.grad is None for p in model.parameters())


def test_three_threads_that_predict_leave_the_training_mode():
    """The second begins while the first is evaluating, and the first ends before it: neither's mode is the other's."""
    model, x = network(), blobs(300)[0]
    model[2].training = False
    want = predict(model, x)
    barrier = threading.Barrier(3)

    def one(delay):
        barrier.wait(60)
        results = []
        for i in range(20):
            time.sleep(delay * (i % 3))
            results.append(predict(model, x, batch_size=7))
        return results

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        for results in pool.map(one, (0, 1e-4, 3e-4)):
            for found in results:
                np.testing.assert_allclose(found, want, rtol=1e-5, atol=1e-6)
    assert [m.training for m in model] == [True, True, False, True] and model.training


def test_evaluations_may_end_in_any_order():
    model = network()
    first, second = evaluating(model), evaluating(model)
    first.__enter__()
    assert not any(m.training for m in model.modules())
    second.__enter__()
    first.__exit__(None, None, None)
    assert not any(m.training for m in model.modules())  # the second is still at it
    second.__exit__(None, None, None)
    assert all(m.training for m in model.modules())
