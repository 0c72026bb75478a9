"""How far a compressed network agrees with the float one: what can be measured on images without labels.

Agreement is no accuracy. Where the float network is wrong, the other one agrees by making the same mistake.
"""

import numpy as np

from lightnn import options
from lightnn.exercise import exercise


@exercise("13.6")
def agreement(floats: np.ndarray, others: np.ndarray, k: int = 5) -> tuple:
    """(top-1, top-k, KL), three floats: how far the outputs of a network agree with those of the float network on the
    same images.

        top-1   fraction of the images whose largest output is of the same class
        top-k   fraction whose float class is among the other's k largest
        KL      mean over the images of  sum_j p_j (log p_j - log q_j)

    where p = softmax(floats) and q = softmax(others).
    floats, others (N, C): outputs before the softmax, of any size, arrays of floats; they stay as they are. Of equal
    outputs the first is the largest one; the float network's class is among the k largest of the other's outputs if
    fewer than k of these are larger than that of the class. k: an int from 1 to C. The logarithms are natural ones, and
    all is computed in float64, in which p_j may become 0: then its term is 0. ValueError unless both have the same
    shape (N, C), N > 0, and k is an int from 1 to C.
    """
    floats, others = (np.asarray(a, np.float64) for a in (floats, others))
    if floats.ndim != 2 or floats.shape != others.shape or not floats.size:
        raise ValueError(f"agreement: want two arrays (N, C), N > 0; got {floats.shape} and {others.shape}")
    k = options.count("agreement: k", k, at_most=floats.shape[1])
    chosen = floats.argmax(1)
    its = np.take_along_axis(others, chosen[:, None], 1)
    log_p, log_q = (a - a.max(1, keepdims=True) for a in (floats, others))
    log_p, log_q = (a - np.log(np.exp(a).sum(1, keepdims=True)) for a in (log_p, log_q))
    same, among = others.argmax(1) == chosen, (others > its).sum(1) < k
    return float(same.mean()), float(among.mean()), float((np.exp(log_p) * (log_p - log_q)).sum(1).mean())
