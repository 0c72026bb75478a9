"""What a candidate is worth, from its accuracy and what it takes. MnasNet's reward is in spaces.py."""

import math

from lightnn import options


def guaranteed_reward(accuracy: float, macs: float) -> float:
    """-(1 - accuracy) ln(MACs): AMC's reward when accuracy is to be kept and no budget is given (He et al. 2018, arXiv
    1802.03494, section 3.3)."""
    accuracy = options.probability("guaranteed_reward: accuracy", accuracy)
    (macs,) = options.numbers_above_0("guaranteed_reward", macs=macs)
    return -(1 - accuracy) * math.log(macs)


def constrained_reward(accuracy: float, macs: float) -> float:
    """The accuracy: the action wall has seen to the MACs."""
    options.probability("constrained_reward: accuracy", accuracy)
    options.numbers_above_0("constrained_reward", macs=macs)
    return accuracy


def sized_reward(accuracy: float, size_bytes: float, budget_bytes: float) -> float:
    """PocketFlow's, of a file: the accuracy within the budget; beyond it, ln(bytes / budget) less."""
    accuracy = options.probability("sized_reward: accuracy", accuracy)
    size_bytes, budget_bytes = options.numbers_above_0("sized_reward", size_bytes=size_bytes, budget_bytes=budget_bytes)
    return accuracy - max(0.0, math.log(size_bytes / budget_bytes))
