"""Chapter 10, K-bit quantization: activations and weights of few bits, and which layer gets how many."""

import lightnn.compress.quantization.mixing
import lightnn.compress.transforms
import lightnn.functional  # noqa: F401  (their exercises register themselves)
from lightnn.study.exercises.sheets import Sheet

SHEETS = (
    Sheet("10.1", "DoReFa's activations", "easy", "y = round((2^k - 1) clip(x, 0, 1)) / (2^k - 1)", (), ()),
    Sheet("10.2", "DoReFa's weights", "middle", "c = round((2^K - 1) r),   r = tanh(W) / (2 m) + 1/2", (), ()),
    Sheet(
        "10.3",
        "PACT: a learned end of the range",
        "middle",
        "y = alpha round((2^k - 1) clip(x, 0, alpha) / alpha) / (2^k - 1)",
        (),
        (),
    ),
    Sheet("10.4", "LSQ: a learned step", "hard", "v_hat = s round(clip(v / s, -Q_N, Q_P))", (), ()),
    Sheet(
        "10.5", "Ternary weights: threshold and scale", "middle", "D = factor E|W|,   alpha = E[|W| : |W| > D]", (), ()
    ),
    Sheet(
        "10.6",
        "Trained ternary weights",
        "middle",
        "w = W_p where W > D,   0 where |W| <= D,   -W_n where W < -D",
        (),
        (),
    ),
    Sheet(
        "10.7",
        "Sums of powers of two",
        "middle",
        "+-gamma (p_0 + p_1 + ...),   p_i = 0 or 2^-e, e from terms[i]",
        (),
        (),
    ),
    Sheet(
        "10.8",
        "Which layer loses a bit next",
        "middle",
        "price = (costs[layer][K - 1] - costs[layer][K]) / sizes[layer]",
        (),
        (),
    ),
)


def finale() -> str:
    """To come."""
    return "your chapter 10 is complete"
