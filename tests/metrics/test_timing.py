"""lightnn/metrics/timing.py: what is run, how often and in which order; never how long it took."""

import pytest

from lightnn import nn
from lightnn.metrics import compare_latency, latency


class Counted(nn.Module):
    """Writes its name down whenever it runs."""

    def __init__(self, name, log):
        self.name, self.log = name, log

    def forward(self, x):
        self.log.append((self.name, self.training, x.shape))
        return x


def test_models_take_turns_after_two_runs_that_do_not_count():
    log = []
    got = compare_latency({n: Counted(n, log) for n in "ab"}, (1, 2), rounds=3)
    assert "".join(name for name, *_ in log) == "aabb" + "ab" * 3
    assert {(mode, shape) for _, mode, shape in log} == {(False, (1, 2))}
    assert all(0 <= t.least_ms <= t.median_ms <= t.most_ms for t in got.values())


def test_one_model_and_its_mode_afterwards():
    log = []
    model = Counted("a", log)
    assert latency(model, (4,), rounds=5).median_ms >= 0
    assert len(log) == 7 and model.training


@pytest.mark.parametrize(("models", "rounds"), [({}, 3), ({"a": None}, 0)])
def test_nothing_to_measure_is_an_error(models, rounds):
    with pytest.raises(ValueError, match=rf"at least one model and rounds >= 1, got {len(models)} and {rounds}"):
        compare_latency(models, (1,), rounds=rounds)
