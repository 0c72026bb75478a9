"""QSGD (Alistarh, Grubic, Li, Tomioka & Vojnovic 2017, "QSGD: Communication-Efficient SGD via Gradient Quantization and
Encoding", arXiv 1610.02132): what gradients of a few bits cost in accuracy, on a network that trains on a laptop.

    Q_s(v_i) = ||v||_2 sgn(v_i) xi_i,    xi_i = l/s or (l + 1)/s,    E[Q_s(v)] = v

The paper trains large networks on many GPUs. Here LeNet-5 is trained by simulated workers (lab/exchange.py), with s = 1
and s = 7 levels in buckets of 512 numbers. Two other codecs stand beside it: TernGrad (Wen et al. 2017, arXiv
1705.07878) and 1-bit SGD (Seide et al. 2014).
"""

import functools

from lightnn.compress.gradients import QSGD, OneBitSGD, TernGrad
from lightnn.papers.lab import exchange
from lightnn.papers.lab.exchange import Subject, Way
from lightnn.papers.lab.session import Session

FULL, QUICK = Subject(epochs=3, images=16_000), Subject(epochs=2, images=2_560)
BUCKET = 512
WAYS = {
    "QSGD, s = 1": Way(functools.partial(QSGD, levels=1, bucket=BUCKET)),
    "QSGD, s = 7": Way(functools.partial(QSGD, levels=7, bucket=BUCKET)),
    "TernGrad": Way(TernGrad),
    "1-bit SGD": Way(OneBitSGD),
}


def reproduce(session: Session) -> dict:
    """The numbers of `exchange.measure`, "bucket" and "seconds"."""
    result = exchange.measure(QUICK if session.quick else FULL, WAYS, session)
    return {**result, "bucket": BUCKET, "seconds": session.journal.seconds}
