"""Candidates of a search are evaluated by any `concurrent.futures.Executor`, each once, and kept in a journal.

    with Evaluations(work, journal) as evaluations:
        results = evaluations({"width 8": 8, "width 16": 16})  # {name: numbers}, in the order of the tasks

`work(task)` is a function of a module; it returns a dict of plain numbers. It must depend on its task alone: what it
draws at random comes from a seed in the task. Then a search gives the same result whatever the executor is, however
many workers there are, and in whichever order they finish; a search that asks again after kill -9 reads back what is
in the journal and goes on from there.

On one machine the executor is a pool of spawned processes; each has its share of the threads, so that the cores are
not oversubscribed. On several machines it is Dask's: start a scheduler and workers, and pass
`dask.distributed.Client(address).get_executor()`. Dask itself runs the tasks of a lost worker again.
"""

import concurrent.futures
import multiprocessing
import pickle
import time
from collections.abc import Callable, Mapping

from tqdm.auto import tqdm

from lightnn import options
from lightnn.journal import Interrupted, Journal
from lightnn.kernels.parallel import get_num_threads, set_num_threads
from lightnn.training.parallel import ignore_interrupts

ATTEMPTS = 3  # how often a pool of this process's own is started again after a worker has died, without any result
MOST_WORKERS = 1024


class Evaluations:
    """Evaluates the tasks of one search.

    executor: None stands for a pool of `workers` processes, made when the first task comes and gone at the end of the
    `with`. told(name, numbers) is called after each evaluation, to draw or print. seconds: what the evaluations took
    in the workers; waited: how long this process has waited for them. What a search takes beyond that is its own.
    """

    def __init__(
        self,
        work: Callable[[object], dict],
        journal: Journal,
        executor: concurrent.futures.Executor | None = None,
        *,
        workers: int | None = None,
        told: Callable[[str, dict], None] | None = None,
        progress: bool = True,
    ):
        self.work = options.function("Evaluations: work", work)
        self.journal = options.instance("Evaluations: journal", journal, Journal, "a Journal")
        if executor is not None:
            options.instance("Evaluations: executor", executor, concurrent.futures.Executor, "an Executor or None")
        self.executor, self._pool = executor, None
        workers = get_num_threads() if workers is None else workers
        self.workers = options.count("Evaluations: workers", workers, at_most=MOST_WORKERS)
        self.told = options.function("Evaluations: told", told, optional=True)
        self.progress = options.flag("Evaluations: progress", progress)
        self.seconds = self.waited = 0.0
        self.count = 0  # evaluations that were done, not read back

    def __enter__(self) -> "Evaluations":
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def __call__(self, tasks: Mapping[str, object]) -> dict[str, dict]:
        """{name: numbers} of the tasks {name: task}, in their order. A name stands for one task in the whole search."""
        found = {name: self.journal.find(name) for name in tasks}
        missing = {name: tasks[name] for name, numbers in found.items() if numbers is None}
        bar = tqdm(total=len(tasks), initial=len(tasks) - len(missing), desc="evaluate", unit="candidate",
                   disable=not self.progress, leave=False)  # fmt: skip
        start = time.perf_counter()
        with bar:
            for attempt in range(ATTEMPTS):
                missing = self._run(missing, found, bar, last=attempt == ATTEMPTS - 1)
                if not missing:
                    break
        self.waited += time.perf_counter() - start
        return found

    def close(self) -> None:
        """End the pool of this search's own. What it has not begun is cancelled."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def _run(self, tasks, found, bar, last):
        """Submit the tasks, and keep each result as it comes. Returns the tasks that a dead pool has lost."""
        futures, broken = {}, None
        try:
            for name, task in tasks.items():
                self._check_that_it_pickles(task)
                future = self._executor().submit(timed, self.work, task)
                if future.done():  # by an executor that works here: it is kept before the next one begins
                    self._keep(name, *future.result(), found, bar)
                else:
                    futures[future] = name
            for future in concurrent.futures.as_completed(futures):
                self._keep(futures[future], *future.result(), found, bar)
        except concurrent.futures.BrokenExecutor as error:
            broken = error
        except KeyboardInterrupt:
            self._abandon(futures)
            raise Interrupted("interrupted; the same command continues from here") from None
        except BaseException:
            self._abandon(futures)
            raise
        if broken is None:
            return {}
        if self.executor is not None or last:
            raise RuntimeError(f"a worker has died; what is finished is in the journal: {broken}") from broken
        self.close()
        return {name: task for name, task in tasks.items() if found[name] is None}

    def _keep(self, name, numbers, seconds, found, bar):
        found[name] = self.journal.keep(name, numbers, seconds)
        self.seconds += seconds
        self.count += 1
        bar.update()
        if self.told is not None:
            self.told(name, found[name])

    def _executor(self):
        if self.executor is not None:
            return self.executor
        if self._pool is None:
            self._pool = pool(self.workers)
        return self._pool

    def _check_that_it_pickles(self, task):
        """Before a pool of this process's own gets it: the pool would wait for ever."""
        if self.executor is None:
            try:
                pickle.dumps((self.work, task))
            except (pickle.PicklingError, AttributeError, TypeError) as error:
                raise ValueError(f"Evaluations: want work and tasks that pickle; got {error}") from None

    @staticmethod
    def _abandon(futures):
        for future in futures:
            future.cancel()


def pool(workers: int) -> concurrent.futures.ProcessPoolExecutor:
    """Spawned processes (OpenMP's threads do not survive a fork), each with its share of this process's threads. They
    leave Ctrl-C to this process."""
    workers = options.count("pool: workers", workers, at_most=MOST_WORKERS)
    context = multiprocessing.get_context("spawn")
    threads = max(1, get_num_threads() // workers)
    return concurrent.futures.ProcessPoolExecutor(workers, context, start_worker, (threads,))


def start_worker(threads: int) -> None:
    """What a process of `pool` does first."""
    ignore_interrupts()
    set_num_threads(threads)


def timed(work: Callable[[object], dict], task: object) -> tuple[dict, float]:
    """(work(task), the seconds that it took)."""
    start = time.perf_counter()
    numbers = work(task)
    return numbers, time.perf_counter() - start


class Here(concurrent.futures.Executor):
    """An executor without processes: a task is done when it is submitted, in this thread. For small tasks, and to
    debug."""

    def submit(self, function, /, *args, **options):
        future = concurrent.futures.Future()
        try:
            future.set_result(function(*args, **options))
        except Exception as error:
            future.set_exception(error)
        return future
