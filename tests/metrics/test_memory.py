"""lightnn/metrics/memory.py: the bytes of a training step, counted by hand for a small network."""

import numpy as np

from lightnn import Tensor, nn, optim
from lightnn import functional as F
from lightnn.metrics.memory import kept_by_tape, measured_peak, training_memory
from lightnn.tensor import op

N, I, O = 8, 5, 3


def held(optimizer, x):
    model = nn.Linear(I, O, rng=0)
    return training_memory(model, optimizer(model.parameters(), lr=0.1), lambda: model(Tensor(x)).sum())


def test_a_linear_layer_keeps_its_input_and_nothing_twice():
    x, parameters = np.ones((N, I), np.float32), 4 * (I * O + O)
    plain = held(optim.SGD, x)
    assert plain == (parameters, parameters, 0, plain.saved)
    assert x.nbytes <= plain.saved <= x.nbytes + 4 * N * O  # its output too, if the sum keeps it
    assert plain.total == 2 * parameters + plain.saved


def test_momentum_is_as_large_as_the_parameters_and_adam_keeps_two():
    x = np.ones((N, I), np.float32)
    sizes = [held(lambda p, lr: optim.SGD(p, lr=lr, momentum=0.9), x), held(optim.Adam, x)]
    assert [size.optimizer // size.parameters for size in sizes] == [1, 2]


def test_what_a_view_shows_is_held_whole_and_counts_once():
    data = np.ones((100 * N, I), np.float32)
    assert held(optim.SGD, data[:N]).saved >= data.nbytes


@op
def keeps_two(x):
    a, b = x * 2, (x * 3, {"b": x * 4})
    return x + 1, lambda dy: dy + 0 * (a + b[0] + b[1]["b"])


def test_arrays_in_containers_are_found():
    x = Tensor(np.ones(7, np.float32), requires_grad=True)
    assert sorted(a[0] for a in kept_by_tape(keeps_two(x)) if a.size == 7)[-3:] == [2, 3, 4]


def test_a_deeper_tape_keeps_more():
    x = np.ones((N, I), np.float32)

    def saved(depth):
        model = nn.Sequential(*[layer for _ in range(depth) for layer in (nn.Linear(I, I, rng=0), nn.ReLU())])
        loss = lambda: F.cross_entropy(model(Tensor(x)), np.zeros(N, np.int64))  # noqa: E731
        return training_memory(model, optim.SGD(model.parameters(), lr=0.1), loss).saved

    assert saved(3) - saved(2) == saved(2) - saved(1) > 0


def test_the_measured_peak_is_above_what_is_counted_less_what_is_not_held_together():
    model, x = nn.Sequential(nn.Linear(200, 300, rng=0), nn.ReLU(), nn.Linear(300, 10, rng=0)), np.ones((64, 200), "f4")
    loss = lambda: F.cross_entropy(model(Tensor(x)), np.zeros(64, np.int64))  # noqa: E731
    counted = training_memory(model, optim.SGD(model.parameters(), lr=0.0, momentum=0.9), loss)
    peak = measured_peak(model, optim.SGD(model.parameters(), lr=0.0, momentum=0.9), loss)
    together = counted.total - min(counted.saved, counted.optimizer)
    assert 0.95 * together < peak < 3 * counted.total
