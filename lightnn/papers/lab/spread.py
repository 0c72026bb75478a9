"""A number that was measured for several seeds, as tables show it."""

import statistics
from collections.abc import Sequence


def cell(numbers: Sequence[float], sign: str = "") -> str:
    """The mean; for several seeds, in brackets, half the distance from the smallest to the largest. sign: "+" shows the
    mean's."""
    spread = f" ({(max(numbers) - min(numbers)) / 2:.2f})" if len(numbers) > 1 else ""
    return f"{statistics.mean(numbers):{sign}.2f}{spread}"
