"""lightnn/search/pace.py: what is timed keeps its mode. No time is asserted."""

import pytest

from lightnn import models
from lightnn.search import Pace, whole_ms


@pytest.mark.compiled
def test_whole_networks_are_timed_lowered_and_keep_their_mode():
    model = models.lenet_300_100(rng=0).train()
    assert whole_ms({"lenet": model}, (1, 1, 28, 28), Pace(), 5)["lenet"] > 0 and model.training
