"""`train` and `evaluate`: the plain loop, with a bar, a history, the best state kept, and Ctrl-C that loses nothing."""

import numbers
import time
from dataclasses import dataclass, field

import numpy as np
from tqdm.auto import tqdm

from lightnn import functional as F
from lightnn.data import Dataset, batches, check_images_labels
from lightnn.nn.module import evaluating
from lightnn.tensor import Tensor, no_grad


@dataclass
class History:
    """One entry an epoch. Accuracies are shares in [0, 1]; `accuracy` is that of the training batches as they went by.

    best_epoch counts from 0 and is None without validation; interrupted says that Ctrl-C ended the training.
    """

    loss: list = field(default_factory=list)
    accuracy: list = field(default_factory=list)
    val_accuracy: list = field(default_factory=list)
    seconds: list = field(default_factory=list)
    best_epoch: int | None = None
    interrupted: bool = False


def train(
    model,
    data,
    *,
    epochs,
    optimizer,
    loss=F.cross_entropy,
    batch_size=64,
    rng=0,
    schedule=None,
    augment=None,
    after_step=None,
    validation=None,
    progress=True,
    description="train",
):
    """Train the model in place and return its History.

    data: Dataset (its training part) or (x, y). validation: (x, y) or None; with it, the state of the epoch with the
    best validation accuracy is what the model ends with. schedule: stepped once an epoch. augment: augment(x, rng) ->
    x, on each batch. after_step: called without arguments after each update of the weights (to prune gradually, say).
    rng: Generator or seed of the shuffling and the augmentation. Ctrl-C ends the training, not the program: the
    history of the finished epochs returns with interrupted=True, and the model holds the best (or last) state. Raises
    FloatingPointError when the loss is not finite any more.
    """
    x, y = (data.x_train, data.y_train) if isinstance(data, Dataset) else data
    check_images_labels(x, y)
    if validation is not None:
        check_images_labels(*validation)
    _check_batch_size("train", batch_size)
    if epochs < 0:
        raise ValueError(f"train: want epochs >= 0, got {epochs!r}")
    rng, history, best = np.random.default_rng(rng), History(), None
    steps = -(-len(x) // batch_size)
    try:
        with tqdm(total=epochs * steps, desc=description, unit="batch", disable=not progress, leave=False) as bar:
            for epoch in range(epochs):
                start = time.perf_counter()
                mean_loss, accuracy = _epoch(model, x, y, optimizer, loss, batch_size, rng, augment, after_step, bar)
                if schedule is not None:
                    schedule.step()
                seconds = time.perf_counter() - start
                if validation is not None:
                    val_accuracy = evaluate(model, *validation, progress=False)
                    if val_accuracy >= max(history.val_accuracy, default=0):
                        history.best_epoch, best = epoch, model.state_dict()
                    history.val_accuracy.append(val_accuracy)
                history.loss.append(mean_loss)
                history.accuracy.append(accuracy)
                history.seconds.append(seconds)
                bar.set_postfix_str(_postfix(history))
    except KeyboardInterrupt:
        history.interrupted = True
    model.eval()
    if best is not None:
        model.load_state_dict(best)
    return history


def _epoch(model, x, y, optimizer, loss, batch_size, rng, augment, after_step, bar):
    """One pass over the data: (mean loss, accuracy)."""
    model.train()
    total, right = 0.0, 0
    for xb, yb in batches(x, y, batch_size, rng=rng):
        xb = xb if augment is None else augment(xb, rng)
        outputs = model(Tensor(xb))
        value = loss(outputs, yb)
        number = value.item()
        if not np.isfinite(number):
            raise FloatingPointError(f"train: the loss is {number}; try a smaller learning rate (now {optimizer.lr:g})")
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        if after_step is not None:
            after_step()
        total += number * len(yb)
        right += int((outputs.data.argmax(1) == yb).sum())
        bar.update()
    return total / len(x), right / len(x)


def _postfix(history):
    text = f"loss {history.loss[-1]:.4f}"
    return text + (f", validation {history.val_accuracy[-1]:.2%}" if history.val_accuracy else "")


@no_grad()
def predict(model, x, *, batch_size=500, progress=False):
    """The model's outputs (N, K) for x (N, ...), in eval mode, a batch at a time."""
    starts = tqdm(range(0, len(x), batch_size), desc="evaluate", unit="batch", disable=not progress, leave=False)
    with evaluating(model):
        return np.concatenate([model(Tensor(x[i : i + batch_size])).data for i in starts])


def evaluate(model, x, y, *, batch_size=500, progress=True):
    """The share of x (N, ...) that the model classifies as y (N,) says: its accuracy, in [0, 1]."""
    check_images_labels(x, y)
    _check_batch_size("evaluate", batch_size)
    outputs = predict(model, x, batch_size=batch_size, progress=progress)
    if int(np.max(y)) >= outputs.shape[1]:
        raise ValueError(f"evaluate: want labels from 0 to {outputs.shape[1] - 1}, got up to {np.max(y)}")
    return float((outputs.argmax(1) == y).mean())


def _check_batch_size(name, batch_size):
    if not isinstance(batch_size, numbers.Integral) or batch_size < 1:
        raise ValueError(f"{name}: want batch_size to be an int >= 1, got {batch_size!r}")
