"""lightnn/metrics/timing.py: what is run, how often and in which order; never how long it took."""

import pytest

from lightnn import nn
from lightnn.metrics import Least, compare_latency, latency, least_times


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


@pytest.mark.parametrize(
    ("models", "rounds", "message"),
    [({}, 3, "want at least one model, got 0"), ({"a": None}, 0, "rounds: want an int >= 1")],
)
def test_nothing_to_measure_is_an_error(models, rounds, message):
    with pytest.raises(ValueError, match=f"latency: {message}"):
        compare_latency(models, (1,), rounds=rounds)


def test_calls_take_turns_after_one_run_that_does_not_count():
    log = []
    got = least_times({n: lambda n=n: log.append(n) for n in "ab"}, repeats=6)
    assert "".join(log) == "ab" * 7
    assert all(t.ms >= 0 and t.spread_ms >= 0 for t in got.values())


def test_the_least_and_the_spread_of_five_hands(monkeypatch):
    """Calls of 5, 2, 3, 9, 4, 6, 7 ms: hands of (5, 6), (2, 7), (3,), (9,), (4,), whose least have the median 4."""
    clock = iter([time for ms in (5, 2, 3, 9, 4, 6, 7) for time in (1.0, 1.0 + ms / 1e3)])
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    assert least_times({"a": lambda: None}, repeats=7)["a"] == Least(pytest.approx(2), pytest.approx(2))


def test_a_win_is_more_than_twice_the_larger_spread():
    assert Least(1, 0.5).beats(Least(2.1, 0.1)) and Least(1, 0.1).beats(Least(2.1, 0.5))
    assert not Least(1, 0.5).beats(Least(2, 0.1)) and not Least(2, 0).beats(Least(1, 0))


def test_too_few_repeats_for_a_spread_are_an_error():
    with pytest.raises(ValueError, match="least_times: repeats: want an int >= 5, got 4"):
        least_times({"a": lambda: None}, repeats=4)
