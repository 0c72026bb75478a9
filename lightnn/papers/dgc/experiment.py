"""Deep Gradient Compression (Lin, Han, Mao, Wang & Dally 2018, arXiv 1712.01887): how few numbers of a gradient need be
sent, on a network that trains on a laptop.

    u_t = m u_t-1 + g_t,    v_t = v_t-1 + u_t,    sent: the largest 0.1 % of |v_t|,    the rest waits

LeNet-5 is trained by simulated workers (lab/exchange.py), with the warm-up and without: in the first epochs 25 %,
6.25 %, 1.5625 % and 0.4 % are sent, an epoch each. The longer a run is, the less its warm-up weighs. Here it is half of
the run and has most of its bytes, so the ratio is given twice: of the whole run, and of the epochs after the warm-up.
The gradient is not clipped. What still waits in v when the run ends is lost, which a short run feels: at 0.1 % a worker
sends each number once in 1,000 steps on average.
"""

import functools

from lightnn import optim
from lightnn.compress.gradients import DeepGradientCompression
from lightnn.compress.gradients.deep import WARM_UP
from lightnn.papers.lab import exchange
from lightnn.papers.lab.exchange import Subject, Way
from lightnn.papers.lab.session import Session

FULL, QUICK = Subject(epochs=8, images=8_064), Subject(epochs=6, images=1_280)
SPARSITY, MOMENTUM = 0.999, 0.9
WITH, WITHOUT = "DGC with warm-up", "DGC without warm-up"


def ways(subject: Subject) -> dict[str, Way]:
    """{name: Way}; the momentum is the codec's, and each sparsity of the warm-up is kept for an epoch."""
    codec = functools.partial(DeepGradientCompression, sparsity=SPARSITY, momentum=MOMENTUM)
    warm = functools.partial(codec, warm_up=WARM_UP, warm_up_steps=subject.steps)
    return {WITH: Way(warm, optim.SGD), WITHOUT: Way(codec, optim.SGD)}


def reproduce(session: Session) -> dict:
    """The numbers of `exchange.measure`, "sparsity", "warm-up epochs" and "seconds"."""
    subject = QUICK if session.quick else FULL
    result = exchange.measure(subject, ways(subject), session)
    return {**result, "sparsity": SPARSITY, "warm-up epochs": len(WARM_UP), "seconds": session.journal.seconds}
