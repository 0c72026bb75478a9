"""The worker's side of data-parallel training: a copy of the network that is kept equal to all others.

A host is a process (or whatever an Executor runs its tasks in). It holds one replica, a copy of the network and its
optimizer, and computes for one worker or several. In a step each worker turns the gradient of its part of the batch
into messages; then every replica gets the messages of all workers, decodes them in the same order, and makes the same
update. So the replicas stay equal to the last bit, and nothing but messages need pass between hosts.

What is a worker's own is kept apart: the codecs with their state, buffers of floats (batch norm's running
statistics), counters, and the generators of its modules (dropout).
"""

import copy
import pickle
import zlib

import numpy as np

from lightnn.kernels.parallel import set_num_threads

_replicas = {}  # {(run, host): Replica} of this process; a task finds its replica by its name


class Replica:
    """model and recipe: copies that this host trains. workers: the numbers of those that it computes for, of `count` in
    all. codec(shape, rng=) makes a codec. seed: what the codecs draw from."""

    def __init__(self, model, recipe, codec, workers, count, seed):
        self.model, self.recipe, self.count = model.train(), recipe, count
        self.parameters = list(model.parameters())
        self.optimizer = recipe.optimizer(self.parameters, lr=recipe.lr)
        self.schedule = recipe.schedule(self.optimizer, recipe.epochs) if recipe.schedule else None
        self.buffers = [(m, name) for m in model.modules() for name in _own(m)]
        self.drawing = [m for m in model.modules() if isinstance(getattr(m, "rng", None), np.random.Generator)]
        trained = [(i, p) for i, p in enumerate(self.parameters) if p.requires_grad]
        self.codecs = {
            k: {i: codec(p.shape, rng=np.random.default_rng([seed, k, i])) for i, p in trained} for k in workers
        }
        self.own = {k: (self._buffers(), self._generators(k)) for k in workers}

    def _buffers(self):
        return [copy.copy(getattr(m, name)) for m, name in self.buffers]

    def _generators(self, worker):
        """The generators of the modules: worker 0 goes on with the model's own, the others have other ones."""
        made = {}
        for m in self.drawing:
            again = pickle.loads(pickle.dumps(m.rng))
            new = np.random.default_rng([worker, *again.integers(2**32, size=4)]) if worker else again
            made.setdefault(id(m.rng), new)
        return [made[id(m.rng)] for m in self.drawing]

    def compute(self, worker, x, y, weight):
        """(loss, right answers, messages) of one worker's part of the batch; the loss is the mean over the part.

        weight: N_k W / N for a part of N_k of the batch's N images, so that the mean over the W workers' gradients is
        that of the whole batch. A part without images has gradient 0.
        """
        self._enter(worker)
        self.optimizer.zero_grad()
        loss, right = 0.0, 0
        if len(x):
            outputs, value = self.recipe.outputs_and_loss(self.model, x, y)
            loss, right = value.item(), int((outputs.data.argmax(1) == y).sum())
            value.backward()
        self._leave(worker)
        if not np.isfinite(loss):
            return loss, right, []
        return loss, right, [codec.encode(self._gradient(i, weight)) for i, codec in self.codecs[worker].items()]

    def _gradient(self, i, weight):
        g = self.parameters[i].grad
        g = np.zeros_like(self.parameters[i].data) if g is None else g
        return g if weight == 1 else g * np.asarray(weight, g.dtype)

    def _enter(self, worker):
        buffers, generators = self.own[worker]
        for (m, name), value in zip(self.buffers, buffers):
            setattr(m, name, value)
        for m, rng in zip(self.drawing, generators):
            m.rng = rng

    def _leave(self, worker):
        self.own[worker] = [getattr(m, name) for m, name in self.buffers], self.own[worker][1]

    def update(self, messages):
        """Decode the messages of all workers (one list each, in order), and step by the mean of the gradients."""
        codecs = next(iter(self.codecs.values()))  # decoding reads no state, so any worker's will do
        for j, (i, codec) in enumerate(codecs.items()):
            total = codec.decode(messages[0][j])
            for others in messages[1:]:
                total = total + codec.decode(others[j])
            self.parameters[i].grad = np.asarray(total / np.float32(self.count), self.parameters[i].dtype)
        self.optimizer.step()

    def finish_epoch(self):
        """(digest of the parameters, state of the network, buffers of each worker) after the schedule's step."""
        if self.schedule is not None:
            self.schedule.step()
        digest = 0
        for p in self.parameters:
            digest = zlib.crc32(np.ascontiguousarray(p.data), digest)
        return digest, self.model.state_dict(), {k: buffers for k, (buffers, _) in self.own.items()}

    def buffer_names(self):
        """The names of the buffers in the state, in the order of each worker's list."""
        named = {id(m): name for name, m in self.model.named_modules()}
        return [f"{named[id(m)]}.{name}".lstrip(".") for m, name in self.buffers]


def _own(m):
    """The names of a module's statistics (floats) and counters. A mask belongs to the weight, so all share it."""
    return [*(name for name in m.buffers if np.asarray(getattr(m, name)).dtype.kind == "f"), *m.counters]


def begin(name, packed, threads):
    """Task: unpack the replica and keep it under its name. threads: None leaves the process's own number."""
    if threads is not None:
        set_num_threads(threads)
    replica = _replicas[name] = Replica(*pickle.loads(packed))
    return replica.buffer_names()


def step(name, messages, parts):
    """Task: update by the messages of the step before (None at first), then compute each part of the next:
    {worker: (loss, right, messages)} for parts {worker: (x, y, weight)}."""
    replica = _find(name)
    if messages is not None:
        replica.update(messages)
    return {worker: replica.compute(worker, *part) for worker, part in parts.items()}


def finish_epoch(name, messages):
    """Task: update by the epoch's last messages, and tell the state."""
    replica = _find(name)
    replica.update(messages)
    return replica.finish_epoch()


def end(name):
    """Task: forget the replica."""
    _replicas.pop(name, None)


def _find(name):
    if name not in _replicas:
        raise RuntimeError(
            "train_parallel: want an Executor whose tasks all run in one process; got one that lost the replica"
        )
    return _replicas[name]
