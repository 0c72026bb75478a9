"""lightnn/training/parallel.py: equal to training alone, whoever computes what; bytes, Ctrl-C, and workers that die."""

import concurrent.futures
import functools
import os
import time

import numpy as np
import pytest

from lightnn import compress, nn, optim
from lightnn.data import Dataset
from lightnn.training import GradientCodec, Recipe, Uncompressed, Workers, follow, replica, train_parallel

THREAD = concurrent.futures.ThreadPoolExecutor(1)
SGD = functools.partial(optim.SGD, momentum=0.9)


def blobs(n=90, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    centres = np.array([[2, 0], [-2, 2], [-2, -2]])
    return (centres[y] + 0.4 * rng.standard_normal((n, 2))).astype(np.float32), y


def network(dropout=0.0, norm=False):
    rng = np.random.default_rng(0)
    middle = [nn.BatchNorm1d(8)] if norm else []
    return nn.Sequential(
        nn.Linear(2, 8, rng=rng), *middle, nn.ReLU(), nn.Dropout(dropout, rng=rng), nn.Linear(8, 3, rng=rng)
    )


def jitter(x, rng):
    return x + 0.01 * rng.standard_normal(x.shape).astype(np.float32)


def no_number(outputs, y):
    return (outputs * np.nan).sum()


def recipe(**options):
    return Recipe(**{"epochs": 3, "lr": 0.1, "optimizer": SGD, "batch_size": 16, "schedule": optim.CosineLR} | options)


def run(model, workers, how=None, **options):
    """The history and the state after train_parallel with the bar off, on one thread unless told otherwise."""
    if workers.executors is None:
        workers = Workers(workers.count, workers.codec, workers.seed, [THREAD])
    history = train_parallel(how or recipe(), model, blobs(), workers=workers, progress=False, **options)
    return history, model.state_dict()


def check_equal(a, b):
    assert list(a) == list(b)
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])


def test_one_worker_is_training_alone_bit_for_bit():
    alone, how = network(0.3), recipe(augment=jitter)
    want = follow(how, alone, blobs(), validation=blobs(seed=1), progress=False)
    model = network(0.3)
    history, state = run(model, Workers(1), how, validation=blobs(seed=1))
    check_equal(state, alone.state_dict())
    assert (history.loss, history.accuracy) == (want.loss, want.accuracy)
    assert (history.val_accuracy, history.best_epoch) == (want.val_accuracy, want.best_epoch)
    assert not model.training


@pytest.mark.parametrize("count", [2, 3, 4])
def test_several_workers_are_training_alone_up_to_the_order_of_sums(count):
    """90 images in batches of 16 leave a last batch of 10, which 3 and 4 do not divide."""
    alone = network()
    want = follow(recipe(), alone, blobs(), progress=False)
    history, state = run(network(), Workers(count))
    for name, w in alone.state_dict().items():
        np.testing.assert_allclose(state[name], w, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(history.loss, want.loss, rtol=1e-4)


def test_a_last_batch_with_fewer_images_than_workers():
    x, y = blobs(17)
    alone, model = network(), network()
    follow(recipe(), alone, (x, y), progress=False)
    train_parallel(recipe(), model, (x, y), workers=Workers(4, executors=[THREAD]), progress=False)
    for name, w in alone.state_dict().items():
        np.testing.assert_allclose(model.state_dict()[name], w, rtol=1e-4, atol=1e-5)


class Late(concurrent.futures.ThreadPoolExecutor):
    """Each of its tasks is done after everybody else's."""

    def submit(self, fn, *args):
        return super().submit(lambda: (time.sleep(0.002), fn(*args))[1])


@pytest.mark.parametrize("codec", [compress.QSGD, compress.OneBitSGD], ids=["QSGD", "1-bit SGD"])
def test_who_computes_what_and_who_is_first_does_not_matter(codec):
    """Four workers on one replica, on two, on three of which the first is late: the same bits, with batch norm's
    statistics and dropout's draws."""
    teams = [[THREAD], [THREAD, THREAD], [Late(1), THREAD, concurrent.futures.ThreadPoolExecutor(1)]]
    runs = [run(network(0.3, norm=True), Workers(4, codec, seed=5, executors=team)) for team in teams]
    for history, state in runs[1:]:
        check_equal(state, runs[0][1])
        assert history.step_bytes == runs[0][0].step_bytes and history.loss == runs[0][0].loss
    other = run(network(0.3, norm=True), Workers(4, compress.QSGD, seed=6))[1]
    assert any((other[name] != w).any() for name, w in runs[0][1].items())


def test_two_processes_give_what_two_threads_give_and_the_parent_has_run_kernels():
    """Spawned processes: each has its replica, and only messages pass between them."""
    want_history, want = run(network(norm=True), Workers(2, compress.QSGD))
    model = network(norm=True)
    history = train_parallel(recipe(), model, blobs(), workers=Workers(2, compress.QSGD), progress=False)
    check_equal(model.state_dict(), want)
    assert history.step_bytes == want_history.step_bytes


class Dies(GradientCodec):
    """Ends its process at the third message."""

    calls = 0

    def pack(self, g):
        self.calls += 1
        if self.calls == 3:
            os._exit(1)
        return g.tobytes()

    def unpack(self, body):
        return np.frombuffer(body, np.float32)


def test_a_worker_that_dies_is_one_clear_error():
    with pytest.raises(RuntimeError, match="train_parallel: want workers that live to the end; got one whose process"):
        train_parallel(recipe(), network(), blobs(), workers=Workers(1, Dies), progress=False)
    assert replica._replicas == {}


def test_the_bytes_are_those_of_all_workers_messages():
    history, _ = run(network(), Workers(4))
    sizes = [p.size for p in network().parameters()]
    assert history.step_bytes == [4 * sum(4 * n + 4 for n in sizes)] * 18  # 4 bytes a number, and 4 for the checksum
    assert history.total_bytes == 18 * history.step_bytes[0]
    assert "bytes a step" in str(history.table()) and f"{history.step_bytes[0]:,}" in str(history.table())


@pytest.mark.parametrize(
    ("codec", "optimizer"),
    [
        (compress.QSGD, SGD),
        (compress.TernGrad, SGD),
        (compress.OneBitSGD, SGD),
        (compress.DoReFaGradient, SGD),
        (functools.partial(compress.DeepGradientCompression, sparsity=0.9), optim.SGD),
    ],
    ids=["QSGD", "TernGrad", "1-bit SGD", "DoReFa", "DGC"],
)
def test_every_codec_learns_what_can_be_learned(codec, optimizer):
    history, _ = run(network(), Workers(2, codec), recipe(epochs=20, lr=0.05, optimizer=optimizer))
    assert history.loss[-1] < 0.15 < history.loss[0]


def test_batch_norm_has_the_mean_of_the_workers_statistics():
    x, y = blobs(32)
    means = []
    for part in (slice(0, 16), slice(16, 32)):
        twin = network(norm=True).train()
        twin(x[part])
        means.append(twin.state_dict()["1.running_mean"])
    model, how = network(norm=True), recipe(epochs=1, batch_size=32)
    order = np.argsort(np.random.default_rng(0).permutation(32))  # so that the shuffled images are in order
    train_parallel(how, model, (x[order], y[order]), workers=Workers(2, executors=[THREAD]), progress=False)
    np.testing.assert_allclose(model.state_dict()["1.running_mean"], np.mean(means, 0), rtol=1e-5)


class Interrupts:
    """Ctrl-C at a step."""

    def __init__(self, at):
        self.at, self.calls = at, 0

    def __call__(self, x, rng):
        self.calls += 1
        if self.calls > self.at:
            raise KeyboardInterrupt
        return x


def test_ctrl_c_keeps_the_finished_epochs_and_ends_the_workers():
    """Six steps an epoch: the eighth is in the second."""
    want = run(network(), Workers(2), recipe(epochs=1, schedule=None))[1]
    history, state = run(network(), Workers(2), recipe(schedule=None, augment=Interrupts(8)))
    assert history.interrupted and len(history.loss) == 1 and len(history.step_bytes) == 6
    check_equal(state, want)
    assert replica._replicas == {}


def test_a_loss_that_is_not_finite_ends_the_training():
    with pytest.raises(FloatingPointError, match="train_parallel: the loss is nan"):
        run(network(), Workers(2), recipe(loss=no_number))
    assert replica._replicas == {}


def test_what_does_not_pickle_is_refused():
    with pytest.raises(ValueError, match="train_parallel: want a model, a recipe and a codec that pickle"):
        run(network(), Workers(2, lambda shape, rng: Uncompressed(shape)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Workers(executors=[THREAD] * 3), "Workers: executors: want None or from 1 to 2 Executors"),
        (lambda: Workers(executors=[1]), "Workers: executors: want None or from 1 to 2 Executors"),
        (lambda: train_parallel(1, network(), blobs()), "train_parallel: recipe: want a Recipe, got 1"),
        (
            lambda: train_parallel(recipe(), network(), blobs(), workers=2),
            "train_parallel: workers: want Workers, got 2",
        ),
        (lambda: train_parallel(recipe(after_step=time.time), network(), blobs()), "after_step: want None, got"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_dataset_is_taken_and_no_epoch_changes_nothing():
    data, model = Dataset(*blobs(), *blobs(seed=1)), network()
    history = train_parallel(
        recipe(epochs=0, schedule=None), model, data, workers=Workers(executors=[THREAD]), progress=False
    )
    check_equal(model.state_dict(), network().state_dict())
    assert history.loss == history.step_bytes == []


def test_a_lost_replica_is_one_clear_error():
    with pytest.raises(RuntimeError, match="want an Executor whose tasks all run in one process"):
        replica.step(("a run", 0), None, {})


def test_replicas_that_differ_are_seen(monkeypatch):
    update = replica.Replica.update

    def other(self, messages):
        update(self, messages)
        if 1 in self.codecs:
            self.parameters[0].data[0] += 1

    monkeypatch.setattr(replica.Replica, "update", other)
    with pytest.raises(RuntimeError, match="train_parallel: want equal replicas, got different weights"):
        run(network(), Workers(2, executors=[THREAD, THREAD]))
