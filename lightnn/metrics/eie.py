"""A sparse accelerator by count: EIE (Han et al. 2016, arXiv 1602.01528) skips zeros on both sides. Nothing is checked.

Row i of w belongs to processor i mod n. One non-zero number of x after the other is sent to all processors, and each
multiplies it with its own non-zero weights of that column, one a cycle. A queue before each processor lets it fall
behind. Left out: fillers of the relative indices, and what reading and decoding takes.
"""

import numpy as np

from lightnn.exercise import exercise


@exercise("15.5")
def eie_cycles(w, x, processors):
    """(with queues, without queues), two ints: cycles of y = w x, w (O, I), x (I,), on so many processors.

    Row i of w belongs to processor i mod processors. Only columns j with x[j] != 0 are sent, and in column j processor
    p has work[p, j] cycles, as many as its rows have non-zero weights there.

        without queues    sum_j max_p work[p, j]
        with queues       max_p sum_j work[p, j]

    Without queues each column waits for the slowest processor; with endless ones only the whole work counts.
    w and x stay as they are; processors: an int >= 1. If all of x is 0, both are 0.
    """
    sent = np.asarray(w)[:, np.asarray(x) != 0] != 0
    work = np.zeros((processors, sent.shape[1]), np.int64)
    np.add.at(work, np.arange(len(sent)) % processors, sent)
    return int(work.sum(1).max()), int(work.max(0).sum())


def dense_cycles(w: np.ndarray, processors: int) -> int:
    """The same product with no zero skipped: each processor has its rows times all columns."""
    return -(-len(w) // processors) * w.shape[1]
