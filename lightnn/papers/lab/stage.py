"""What the experiments on MNIST share: the images, split for choosing and for testing, and one stage of training."""

from typing import NamedTuple

from lightnn import data, nn, optim
from lightnn import functional as F
from lightnn.papers.lab.journal import Interrupted
from lightnn.training.loop import evaluate, train

BATCH_SIZE = 100
VALIDATION = 5000  # the last training images, for every choice: an epoch, a share, a learning rate


class Images(NamedTuple):
    """(x, y) each. The test images are looked at once for a network that a table shows, and never to choose."""

    training: tuple
    validation: tuple
    test: tuple


def mnist():
    """MNIST as Images."""
    d = data.load_mnist()
    training, validation = (
        (d.x_train[:-VALIDATION], d.y_train[:-VALIDATION]),
        (d.x_train[-VALIDATION:], d.y_train[-VALIDATION:]),
    )
    return Images(training, validation, (d.x_test, d.y_test))


def fit(
    model,
    images,
    rng,
    *,
    epochs,
    lr,
    momentum=0.9,
    weight_decay=5e-5,
    batch_size=BATCH_SIZE,
    max_shift=1,
    loss=F.cross_entropy,
    after_step=None,
    best=True,
    progress=True,
    description="train",
):
    """One stage: SGD whose lr falls along a cosine to 0, on images moved by up to max_shift pixels; the error on the
    validation images in %.

    best: keep the epoch that is best on the validation images, not the last. rng: the stage's own generator; it
    shuffles, moves and drops out. Ctrl-C raises Interrupted, and the model is then as good as it got.
    """
    for m in model.modules():
        if isinstance(m, nn.Dropout):
            m.rng = rng
    optimizer = optim.SGD(model.parameters(), lr=lr, momentum=momentum, weight_decay=weight_decay)
    history = train(
        model,
        images.training,
        epochs=epochs,
        optimizer=optimizer,
        loss=loss,
        batch_size=batch_size,
        schedule=optim.CosineLR(optimizer, epochs),
        augment=lambda x, rng: data.random_shift(x, max_shift, rng=rng),
        after_step=after_step,
        validation=images.validation if best else None,
        rng=rng,
        progress=progress,
        description=description,
    )
    if history.interrupted:
        raise Interrupted(f"interrupted in '{description}'; the same command goes on from here")
    return error(model, images.validation)


def l1_loss(model, strength):
    """Cross-entropy + strength * sum |w| over the model's weights, biases not: what weight decay is for L2."""
    weights = [p for name, p in model.named_parameters() if name.endswith("weight")]

    def loss(outputs, y):
        return F.cross_entropy(outputs, y) + sum(abs(p()).sum() for p in weights) * strength

    return loss


def error(model, xy):
    """The error of the model on (x, y), in %."""
    return round(100 - 100 * evaluate(model, *xy, progress=False), 2)
