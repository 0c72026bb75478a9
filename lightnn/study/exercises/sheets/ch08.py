"""Chapter 08, quantization: codes, ranges, integer requantization, and gradients of few levels."""

import lightnn.compress
import lightnn.kernels.quantized.requantize  # noqa: F401  (their exercises register themselves)
from lightnn.study.exercises.sheets import Sheet

SHEETS = (
    Sheet(
        "08.1",
        "Scale and zero point of a range",
        "easy",
        "S = (high - low) / (q_max - q_min),  Z = clip(round(q_min - low / S))",
        (),
        (),
    ),
    Sheet(
        "08.2",
        "Fake quantization and its gradient",
        "middle",
        "y = S (clip(round(x / S) + Z, q_min, q_max) - Z)",
        (),
        (),
    ),
    Sheet("08.3", "The scale that equalizes two layers", "easy", "s_i = sqrt(r1_i r2_i) / r2_i", (), ()),
    Sheet("08.4", "The range with the smallest error", "middle", "T = argmin sum_x count_x (x - Q_T(x))^2", (), ()),
    Sheet("08.5", "A multiplier as a fixed-point number", "middle", "M = 2^-n M0,  M0 = m0 / 2^31 in [1/2, 1)", (), ()),
    Sheet("08.6", "The high half of a product, rounded", "middle", "round(a b / 2^31)", (), ()),
    Sheet("08.7", "Divide by a power of two, rounded", "middle", "round(x / 2^n), a half away from 0", (), ()),
    Sheet("08.8", "The random levels of QSGD", "middle", "xi_i = (l + 1)/s with probability a s - l, else l/s", (), ()),
    Sheet("08.9", "The divergence that calibrates", "hard", "KL(P || Q) = sum_i P_i log(P_i / Q_i)", (), ()),
)


def finale() -> str:
    """To come."""
    return "your chapter 08 is complete"
