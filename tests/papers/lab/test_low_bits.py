"""lightnn/papers/lab/low_bits.py and its tables: what is compared with what, journals, and files that load back."""

import functools

import numba
import numpy as np
import pytest

from lightnn import io
from lightnn.compress import use_ternary
from lightnn.journal import Interrupted, Journal
from lightnn.papers.lab import low_bits, stage
from lightnn.papers.lab.low_bits import CONTROL, FLOATS, Subject, Way, file_bytes, low_weights
from lightnn.papers.lab.low_bits_tables import Aim, Beside, compare, format_comparison
from lightnn.papers.lab.session import Session

needs_compiler = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="training convolutions takes the compiler")
WAYS = {
    "as it is": Way("32", "32", FLOATS.quantize, trained=False),
    "as the control": FLOATS,
    "ternary": Way("2", "32", lambda model, x: low_weights(model, use_ternary)),
    "rounded gradients": Way("32", "32", FLOATS.quantize, gradient_bits=4),
}


def run_once(journal, patch, small, ways=WAYS):
    small(patch)
    return low_bits.reproduction(Subject(), ways)(Session(journal, 1, True, False, lambda line: None))


@pytest.fixture(scope="module")
def run(few_bits, tmp_path_factory):
    journal = Journal(tmp_path_factory.mktemp("run"))
    with pytest.MonkeyPatch.context() as patch:
        return journal, run_once(journal, patch, few_bits)


@needs_compiler
def test_the_control_is_the_way_that_changes_nothing(run):
    journal, result = run
    rows = compare(result)
    assert list(rows) == [CONTROL, *WAYS] and result["seed"] == 1
    for key in ("test accuracy %", "validation accuracy %", "bytes", "loss"):
        assert rows["as the control"][key] == rows[CONTROL][key]
    assert rows["as it is"]["loss"] == 0 == rows[CONTROL]["loss"]
    assert rows["as it is"]["test accuracy %"] == result["reference"]["test accuracy %"]
    network = functools.partial(journal.network, work=None)
    control, rounded = (network(name)[0].fc1.weight.data for name in ("as the control", "rounded gradients"))
    assert (control != rounded).any() and (control != network("reference")[0].fc1.weight.data).any()
    assert rows["ternary"]["ratio"] > 1


@needs_compiler
def test_an_interrupted_run_gives_what_an_uninterrupted_one_gives(run, few_bits, monkeypatch, tmp_path):
    fit, calls = stage.fit, []

    def third_fails(*args, **options):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return fit(*args, **options)

    monkeypatch.setattr(stage, "fit", third_fails)
    with pytest.raises(Interrupted, match="interrupted in"):
        run_once(Journal(tmp_path), monkeypatch, few_bits)
    again = run_once(Journal(tmp_path), monkeypatch, few_bits)
    assert len(calls) == 6  # the reference, the control and three ways, one of them twice
    assert {**again, "seconds": 0} == {**run[1], "seconds": 0}


@needs_compiler
def test_two_papers_share_the_networks_in_floats(few_bits, monkeypatch, tmp_path):
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *args, **options: str(tmp_path / "cache"))
    few_bits(monkeypatch)
    subject, fit, calls = Subject(**low_bits.QUICK), stage.fit, []
    monkeypatch.setattr(stage, "fit", lambda *args, **options: calls.append(1) or fit(*args, **options))
    sessions = [Session(Journal(tmp_path / name), 1, False, False, lambda line: None) for name in ("one", "two")]
    results = [low_bits.measure(subject, {}, session, shared=True) for session in sessions]
    assert len(calls) == 2 and results[0]["reference"] == results[1]["reference"]
    assert all(result["seconds"] > 0 for result in results)


@needs_compiler
def test_a_file_that_does_not_load_back_is_no_size(run, monkeypatch):
    network, x = run[0].network("ternary", None)[0], np.zeros((2, 1, 28, 28), np.float32)
    assert file_bytes(network, x) == len(io.to_bytes(network))
    monkeypatch.setattr(io, "load", lambda path: run[0].network("reference", None)[0])
    with pytest.raises(RuntimeError, match="does not give the network back"):
        file_bytes(network, x)


def result_of(control, reference, **ways):
    row = {"weights": "2", "activations": "32", "trained": True, "bytes": 100}
    found = {name: {**row, **way} for name, way in ways.items()}
    floats = {**row, "test accuracy %": control, "bytes": 1000}
    plan = {"network": "a network", "reference epochs": 1, "epochs": 1, "images": 1000, "seed": 0}
    first = {"test accuracy %": reference, "bytes": 900}
    return {**plan, "reference": first, "ways": {CONTROL: floats, **found}}


def test_what_is_trained_on_is_compared_with_the_control_and_the_rest_with_the_reference():
    result = result_of(99.5, 99.0, on={"test accuracy %": 99.2}, off={"test accuracy %": 99.2, "trained": False})
    rows = compare(result)
    assert (rows["on"]["loss"], rows["off"]["loss"]) == (0.3, -0.2)
    assert (rows["on"]["ratio"], rows["off"]["ratio"]) == (10, 9)
    text = format_comparison(result, Beside({"on": "98.7"}, {"on": Aim(loss=0.2), "off": Aim(accuracy=99.2)}))
    lines = {line.split()[0]: line.split() for line in text.splitlines() if line}
    assert lines["on"] == ["on", "2", "32", "98.7", "99.20", "0.30", "100", "10.0x", "<=", "0.2", "no"]
    assert lines["off"][-3:] == [">=", "99.2", "yes"]
    assert "(no before, yes as the control)" in text and "changed the floats by +0.50 points" in text


@pytest.mark.parametrize(
    ("aim", "accuracy", "loss", "reached"),
    [(Aim(loss=0.5), 1, 0.5, True), (Aim(loss=0.5), 99, 0.51, False), (Aim(accuracy=99), 98.99, -1, False)],
)
def test_an_aim(aim, accuracy, loss, reached):
    assert aim.reached({"test accuracy %": accuracy, "loss": loss}) == reached
