"""The training loop: a progress bar, a history, the best state kept, and Ctrl-C that loses no finished epoch."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from tqdm.auto import tqdm

from lightnn import functional as F
from lightnn import options
from lightnn.data import Dataset, batches, check_images_labels
from lightnn.nn.module import Module, evaluating
from lightnn.optim import Optimizer
from lightnn.optim.schedules import Schedule
from lightnn.options import Rng
from lightnn.tables import Tabular
from lightnn.tensor import Tensor, no_grad
from lightnn.training.recipe import Recipe


@dataclass(repr=False)
class History(Tabular):
    """One entry per epoch. Accuracies are fractions in [0, 1]; `accuracy` is measured on the training batches, each
    before the update that it causes.

    best_epoch counts from 0 and is None without validation data; interrupted says whether Ctrl-C ended the training.
    """

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    best_epoch: int | None = None
    interrupted: bool = False

    def add(self, loss: float, accuracy: float, seconds: float, val_accuracy: float | None = None) -> bool:
        """Add an epoch. Returns whether it is the best one so far on the validation data."""
        best = val_accuracy is not None and val_accuracy >= max(self.val_accuracy, default=0)
        if best:
            self.best_epoch = len(self.loss)
        if val_accuracy is not None:
            self.val_accuracy.append(val_accuracy)
        self.loss.append(loss)
        self.accuracy.append(accuracy)
        self.seconds.append(seconds)
        return best

    def last(self) -> str:
        """The last epoch in a few words."""
        text = f"loss {self.loss[-1]:.4f}"
        return text + (f", validation {self.val_accuracy[-1]:.2%}" if self.val_accuracy else "")

    def table(self):
        head, rows = ["epoch", "loss", "accuracy", "seconds"], []
        for i, (loss, accuracy, seconds) in enumerate(zip(self.loss, self.accuracy, self.seconds)):
            rows.append([i, f"{loss:.4f}", f"{accuracy:.2%}", f"{seconds:.1f}"])
            if self.val_accuracy:
                rows[i] += [f"{self.val_accuracy[i]:.2%}", "best" if i == self.best_epoch else ""]
        return "interrupted" if self.interrupted else "", head + ["validation", ""] * bool(self.val_accuracy), rows

    def __repr__(self) -> str:
        n = len(self.loss)
        shown = [f"{n} epoch{'s' * (n != 1)}", *([self.last()] if n else [])]
        shown += [f"best epoch {self.best_epoch}"] if self.best_epoch is not None else []
        return f"History({', '.join(shown + ['interrupted'] * self.interrupted)})"


def train(
    model: Module,
    data: Dataset | tuple[np.ndarray, np.ndarray],
    *,
    epochs: int,
    optimizer: Optimizer,
    loss: Callable = F.cross_entropy,
    batch_size: int = 64,
    rng: Rng = 0,
    schedule: Schedule | None = None,
    augment: Callable | None = None,
    after_step: Callable | None = None,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    progress: bool = True,
    description: str = "train",
) -> History:
    """Train the model in place, with an optimizer and a schedule that exist already. Returns the History.

    With validation data (x, y), the model ends with the state of its best epoch. Ctrl-C ends the training, not the
    program: the finished epochs are in the History. See `follow` for these and for rng, see Recipe for loss,
    batch_size, augment and after_step.
    """
    if not isinstance(optimizer, Optimizer):
        raise options.wrong("train: optimizer", "an Optimizer", optimizer)
    if not callable(getattr(schedule, "step", None)) and schedule is not None:
        raise options.wrong("train: schedule", "a Schedule or None", schedule)
    made = (lambda parameters, lr: optimizer), (lambda optimizer, epochs: schedule) if schedule is not None else None
    recipe = Recipe(epochs, optimizer.lr, made[0], batch_size, made[1], loss, augment, after_step)
    return follow(recipe, model, data, validation=validation, rng=rng, progress=progress, description=description)


def follow(
    recipe: Recipe,
    model: Module,
    data: Dataset | tuple[np.ndarray, np.ndarray],
    *,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    rng: Rng = 0,
    progress: bool = True,
    description: str = "train",
) -> History:
    """Train the model in place by the recipe.

    data: a Dataset, of which the training part is used, or (x, y). validation: (x, y); with it, the model ends with
    the state of the epoch that had the best validation accuracy. rng: Generator or seed for the shuffling and the
    augmentation. Ctrl-C ends the training, not the program: the history of the finished epochs has interrupted=True,
    and the model holds the best (or last) state. Raises FloatingPointError when the loss is no longer finite.
    """
    xy = (data.x_train, data.y_train) if isinstance(data, Dataset) else data
    for pair in (xy, validation) if validation is not None else (xy,):
        check_images_labels(*pair)
    rng, description = options.generator("train: rng", rng), options.text("train: description", description)
    hidden = not options.flag("train: progress", progress)
    history, steps = History(), recipe.epochs * -(-len(xy[0]) // recipe.batch_size)
    with tqdm(total=steps, desc=description, unit="batch", disable=hidden, leave=False) as bar:
        best = _epochs(recipe, model, xy, validation, rng, history, bar)
    model.eval()
    if best is not None:
        model.load_state_dict(best)
    return history


def _epochs(recipe, model, xy, validation, rng, history, bar):
    """All epochs, each added to the history. Returns the state of the best one, or None without validation data."""
    optimizer, best = recipe.optimizer(model.parameters(), lr=recipe.lr), None
    schedule = recipe.schedule(optimizer, recipe.epochs) if recipe.schedule else None
    try:
        for _ in range(recipe.epochs):
            start = time.perf_counter()
            numbers = _epoch(recipe, model, xy, optimizer, rng, bar)
            if schedule is not None:
                schedule.step()
            seconds = time.perf_counter() - start
            val_accuracy = None if validation is None else evaluate(model, *validation, progress=False)
            if history.add(*numbers, seconds, val_accuracy):
                best = model.state_dict()
            bar.set_postfix_str(history.last())
    except KeyboardInterrupt:
        history.interrupted = True
    return best


def _epoch(recipe, model, xy, optimizer, rng, bar):
    """One pass over the data: (mean loss, accuracy)."""
    model.train()
    total, right, count = 0.0, 0, len(xy[0])
    for xb, yb in batches(*xy, recipe.batch_size, rng=rng):
        xb = xb if recipe.augment is None else recipe.augment(xb, rng)
        outputs, value = recipe.outputs_and_loss(model, xb, yb)
        number = value.item()
        if not np.isfinite(number):
            raise FloatingPointError(f"train: the loss is {number}; try a smaller learning rate (now {optimizer.lr:g})")
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        if recipe.after_step is not None:
            recipe.after_step()
        total += number * len(yb)
        right += int((outputs.data.argmax(1) == yb).sum())
        bar.update()
    return total / count, right / count


@no_grad()
def predict(model: Module, x: np.ndarray, *, batch_size: int = 500, progress: bool = False) -> np.ndarray:
    """The model's outputs (N, K) for x (N, ...), computed in eval mode, one batch at a time."""
    batch_size = options.count("predict: batch_size", batch_size)
    hidden = not options.flag("predict: progress", progress)
    starts = tqdm(range(0, len(x), batch_size), desc="evaluate", unit="batch", disable=hidden, leave=False)
    with evaluating(model):
        return np.concatenate([model(Tensor(x[i : i + batch_size])).data for i in starts])


def evaluate(model: Module, x: np.ndarray, y: np.ndarray, *, batch_size: int = 500, progress: bool = True) -> float:
    """The model's accuracy: the fraction of x (N, ...) that it classifies as the labels y (N,) say, in [0, 1]."""
    check_images_labels(x, y)
    options.count("evaluate: batch_size", batch_size)
    outputs = predict(model, x, batch_size=batch_size, progress=progress)
    if int(np.max(y)) >= outputs.shape[1]:
        raise ValueError(f"evaluate: want labels from 0 to {outputs.shape[1] - 1}, got up to {np.max(y)}")
    return float((outputs.argmax(1) == y).mean())
