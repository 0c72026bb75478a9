"""Data-parallel training: workers share each batch and exchange encoded gradients (synchronous SGD).

    g_k = the gradient of worker k's part of the batch,    w <- w - lr (1/W) sum_k decode(encode(g_k))

Every worker sends its message to all others (all-gather), and each makes the same update, so that what is exchanged
is compressed in both directions. replica.py is the workers' side; here the batches are cut, and the bytes are counted.
With `Uncompressed` the result is single-process training's up to the order of float32 sums, and with one worker bit for
bit. It depends on neither the Executors nor on which worker is done first.
"""

import concurrent.futures
import contextlib
import multiprocessing
import pickle
import signal
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from tqdm.auto import tqdm

from lightnn import options
from lightnn.data import Dataset, batches, check_images_labels
from lightnn.kernels.parallel import get_num_threads
from lightnn.nn.module import Module
from lightnn.options import Rng
from lightnn.training import replica
from lightnn.training.codec import GradientCodec, Uncompressed
from lightnn.training.loop import History, evaluate
from lightnn.training.recipe import Recipe

Executors = Sequence[concurrent.futures.Executor]


@dataclass(frozen=True)
class Workers:
    """Who shares a batch, and what they exchange.

    count: W. codec(shape, rng=generator) makes the codec of one parameter: a class, or functools.partial(QSGD,
    levels=7). seed: what the codecs draw from. executors: concurrent.futures.Executors among which the workers are
    dealt out; all tasks of one must run in one process, because the replica lives there. None stands for a local
    process for each worker, which is started anew ("spawn") and has its part of this process's threads. With a single
    Executor, W workers are simulated on one replica.
    """

    count: int = 2
    codec: Callable[..., GradientCodec] = Uncompressed
    seed: int = 0
    executors: Executors | None = None

    def __post_init__(self) -> None:
        count = options.count("Workers: count", self.count, at_most=1024)
        options.settle(self, count=count, seed=options.seed("Workers: seed", self.seed))
        options.function("Workers: codec", self.codec)
        if self.executors is not None:
            want = f"None or from 1 to {self.count} Executors"
            found = options.listed("Workers: executors", self.executors, want, lengths=range(1, self.count + 1))
            if not all(isinstance(e, concurrent.futures.Executor) for e in found):
                raise options.wrong("Workers: executors", want, self.executors)


@dataclass(repr=False)
class ParallelHistory(History):
    """A History with the bytes of each step: the messages of all workers together, each counted once.

    The images that a worker gets, and batch norm's statistics at the end of an epoch, are not counted.
    """

    step_bytes: list[int] = field(default_factory=list)

    @property
    def total_bytes(self) -> int:
        return sum(self.step_bytes)

    def table(self):
        title, head, rows = super().table()
        each = len(self.step_bytes) // max(1, len(rows))  # steps of an epoch
        for i, row in enumerate(rows):
            row.insert(4, f"{np.mean(self.step_bytes[i * each : (i + 1) * each]):,.0f}")
        return title, [*head[:4], "bytes a step", *head[4:]], rows


def train_parallel(
    recipe: Recipe,
    model: Module,
    data: Dataset | tuple[np.ndarray, np.ndarray],
    *,
    workers: Workers = Workers(),
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    rng: Rng = 0,
    progress: bool = True,
    description: str = "train",
) -> ParallelHistory:
    """Train the model by the recipe, as `follow` does, on several workers. The model gets the trained state.

    recipe: its batch is shared by the workers; the loss must be a mean over the batch. Model and recipe are pickled
    together, so functions must be a module's own. With DeepGradientCompression the momentum is the codec's, and the
    optimizer must have none. Batch norm normalizes each worker's part by itself; at the end of an epoch the model gets
    the mean of the workers' running statistics, which they go on with on their own.

    Ctrl-C ends the training: the model has the state of the last (or best) finished epoch. RuntimeError for a worker
    that dies, FloatingPointError for a loss that is not finite.
    """
    if not isinstance(recipe, Recipe):
        raise options.wrong("train_parallel: recipe", "a Recipe", recipe)
    if recipe.after_step is not None:  # it would change this process's network, not the replicas
        raise options.wrong("train_parallel: recipe.after_step", "None", recipe.after_step)
    if not isinstance(workers, Workers):
        raise options.wrong("train_parallel: workers", "Workers", workers)
    xy = (data.x_train, data.y_train) if isinstance(data, Dataset) else data
    for pair in (xy, validation) if validation is not None else (xy,):
        check_images_labels(*pair)
    rng = options.generator("train_parallel: rng", rng)
    description = options.text("train_parallel: description", description)
    hidden = not options.flag("train_parallel: progress", progress)
    history, steps = ParallelHistory(), recipe.epochs * -(-len(xy[0]) // recipe.batch_size)
    with tqdm(total=steps, desc=description, unit="batch", disable=hidden, leave=False) as bar:
        best = _train(recipe, model, xy, workers, validation, rng, history, bar)
    model.eval()
    if best is not None:
        model.load_state_dict(best)
    return history


def _train(recipe, model, xy, workers, validation, rng, history, bar):
    """All epochs, each added to the history. Returns the state of the best one, or None without validation data."""
    best = None
    try:
        with _team(recipe, model, workers) as team:
            for _ in range(recipe.epochs):
                start = time.perf_counter()
                numbers = _epoch(recipe, xy, team, rng, history, bar)
                model.load_state_dict(team.finish_epoch())
                seconds = time.perf_counter() - start
                val_accuracy = None if validation is None else evaluate(model, *validation, progress=False)
                if history.add(*numbers, seconds, val_accuracy):
                    best = model.state_dict()
                bar.set_postfix_str(history.last())
    except KeyboardInterrupt:
        history.interrupted = True
        done = len(history.loss) * -(-len(xy[0]) // recipe.batch_size)
        del history.step_bytes[done:]  # of the epoch that was not finished
    return best


def _epoch(recipe, xy, team, rng, history, bar):
    """One pass over the data: (mean loss, accuracy)."""
    total, right, count = 0.0, 0, len(xy[0])
    for xb, yb in batches(*xy, recipe.batch_size, rng=rng):
        xb = xb if recipe.augment is None else recipe.augment(xb, rng)
        losses, found = team.step(xb, yb)
        if not np.isfinite(losses):
            raise FloatingPointError(f"train_parallel: the loss is {losses / len(yb)}; try a smaller learning rate")
        history.step_bytes.append(sum(len(message) for sent in team.messages for message in sent))
        total, right = total + losses, right + found
        bar.update()
    return total / count, right / count


class _Team:
    """The hosts of a run: every task goes to all of them, and all answers are awaited, in the workers' order."""

    def __init__(self, executors, count):
        self.executors, self.count, self.messages = executors, count, None
        run = uuid.uuid4().hex
        self.names = [(run, host) for host in range(len(executors))]
        self.dealt = [range(host, count, len(executors)) for host in range(len(executors))]

    def call(self, task, *arguments):
        """[task(name, *its arguments)] for every host; each of the arguments is a list with an entry a host."""
        try:
            submitted = [e.submit(task, *one) for e, *one in zip(self.executors, self.names, *arguments)]
            return [future.result() for future in submitted]
        except concurrent.futures.BrokenExecutor as error:
            raise RuntimeError(
                "train_parallel: want workers that live to the end; got one whose process died "
                f"(killed, out of memory, or a script without `if __name__ == '__main__'`?): {error}"
            ) from None

    def begin(self, recipe, model, workers, threads):
        packed = [_packed((model, recipe, workers.codec, list(of), self.count, workers.seed)) for of in self.dealt]
        self.buffers = self.call(replica.begin, packed, [threads] * len(packed))[0]

    def step(self, x, y):
        """One step on a batch: (the sum of the losses, right answers). `messages` are then the workers' messages."""
        sizes = [len(part) for part in np.array_split(np.arange(len(x)), self.count)]
        ends = np.cumsum(sizes)
        parts = [(x[e - n : e], y[e - n : e], n * self.count / len(x)) for e, n in zip(ends, sizes)]
        tasks = [{k: parts[k] for k in of} for of in self.dealt]
        answers = {}
        for found in self.call(replica.step, [self.messages] * len(tasks), tasks):
            answers |= found
        losses, right, self.messages = zip(*(answers[k] for k in range(self.count)))
        return float(sum(n * loss for n, loss in zip(sizes, losses))), sum(right)

    def finish_epoch(self):
        """The state of the network: the replicas' parameters, which must be equal, and the means of the buffers."""
        answers = self.call(replica.finish_epoch, [self.messages] * len(self.names))
        self.messages = None
        if len({digest for digest, _, _ in answers}) > 1:
            raise RuntimeError("train_parallel: want equal replicas, got different weights after equal updates")
        state, own = answers[0][1], {}
        for _, _, buffers in answers:
            own |= buffers
        for i, name in enumerate(self.buffers):
            state[name] = np.mean([own[k][i] for k in range(self.count)], 0, dtype=np.float64)
        return state


@contextlib.contextmanager
def _team(recipe, model, workers):
    """The workers of a run, started; they are gone when this ends, however it ends."""
    with contextlib.ExitStack() as stack:
        if workers.executors is None:
            executors = [stack.enter_context(_process()) for _ in range(workers.count)]
            threads = max(1, get_num_threads() // workers.count)
        else:
            executors, threads = list(workers.executors), None
        team = _Team(executors, workers.count)
        stack.callback(_dismiss, team)
        team.begin(recipe, model, workers, threads)
        yield team


def _process():
    """An Executor of one process of its own. It is spawned, because OpenMP's threads do not survive a fork; it leaves
    Ctrl-C to this process, which then ends it."""
    context = multiprocessing.get_context("spawn")
    return concurrent.futures.ProcessPoolExecutor(1, context, ignore_interrupts)


def ignore_interrupts():
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _dismiss(team):
    for executor, name in zip(team.executors, team.names):
        with contextlib.suppress(RuntimeError, concurrent.futures.BrokenExecutor):  # it is dead already
            executor.submit(replica.end, name).result()


def _packed(what):
    try:
        return pickle.dumps(what)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ValueError(
            "train_parallel: want a model, a recipe and a codec that pickle, with functions of a module; "
            f"got {' '.join(str(error).split())[:200]}"
        ) from None
