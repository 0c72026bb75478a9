"""QSGD (Alistarh, Grubic, Li, Tomioka & Vojnovic 2017, "QSGD: Communication-Efficient SGD via Gradient Quantization and
Encoding", arXiv 1610.02132): what gradients of a few bits cost in accuracy, on a network that trains on a laptop.

    Q_s(v_i) = ||v||_2 sgn(v_i) xi_i,    xi_i = l/s or (l + 1)/s,    E[Q_s(v)] = v

The paper trains large networks on many GPUs. Here LeNet-5 is trained by simulated workers (lab/exchange.py), with s = 1
and s = 7 levels in buckets of 512 numbers. Two other codecs stand beside it: TernGrad (Wen et al. 2017, arXiv
1705.07878) and 1-bit SGD (Seide et al. 2014).
"""

import functools
from collections.abc import Callable

from lightnn.compress.gradients import QSGD, OneBitSGD, TernGrad
from lightnn.papers.lab import exchange
from lightnn.papers.lab.exchange import Subject, Way
from lightnn.papers.lab.journal import Journal

FULL, QUICK = Subject(epochs=3, images=16_000), Subject(epochs=2, images=2_560)
BUCKET = 512
WAYS = {
    "QSGD, s = 1": Way(functools.partial(QSGD, levels=1, bucket=BUCKET)),
    "QSGD, s = 7": Way(functools.partial(QSGD, levels=7, bucket=BUCKET)),
    "TernGrad": Way(TernGrad),
    "1-bit SGD": Way(OneBitSGD),
}


def reproduce(
    journal: Journal,
    seed: int = 0,
    quick: bool = False,
    progress: bool = True,
    say: Callable[[str], None] = print,
) -> dict:
    """The numbers of `exchange.measure`, and "seconds".

    say: called with a line of text after each way.
    """
    seeds = [seed] if quick else list(range(seed, seed + exchange.SEEDS))
    result = exchange.measure(QUICK if quick else FULL, WAYS, journal, seeds, progress, say)
    return {**result, "bucket": BUCKET, "seconds": journal.seconds}
