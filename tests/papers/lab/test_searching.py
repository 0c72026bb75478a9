"""lightnn/papers/lab/searching.py: targets, and each method from the network to its file, on few images."""

import pytest

from lightnn import data, io, metrics
from lightnn.papers.lab import searching
from lightnn.papers.lab.searching import METHODS, Effort, Target, format_result, parse_target, search_to_file
from lightnn.search import Evaluations, Here, architectures, proxy


def test_targets():
    assert parse_target("latency=0.5x") == Target("latency", 0.5) and str(parse_target("bytes=20x")) == "bytes=20x"
    for wrong in ("latency=2x", "macs=0x", "bytes=0.5x", "bytes=20", "time=0.5x", "macs=1x", "bytes=1e9x", ""):
        with pytest.raises(ValueError, match="--target: want latency"):
            parse_target(wrong)


def test_a_method_refuses_what_it_cannot_make_smaller(tmp_path):
    with pytest.raises(ValueError, match="amc: want --target macs, got bytes=20x"):
        search_to_file("amc", "lenet5", "bytes=20x", str(tmp_path / "a.lnn"), "a command")
    with pytest.raises(ValueError, match="want two files"):
        search_to_file("amc", "lenet5", "macs=0.5x", "a.lnn", "a command", path="a.lnn")
    with pytest.raises(ValueError, match="mnasnet: want MODEL blocks, the largest network of its space, got lenet5"):
        search_to_file("mnasnet", "lenet5", "latency=0.5x", str(tmp_path / "a.lnn"), "a command")


def test_the_report_says_how_far_it_came():
    row = {"bytes": 1000, "macs": 100, "parameters": 10, "ms": 0.5, "test %": 98.0}
    result = {"method": "amc", "model": "lenet5", "target": "macs=0.5x", "output": "a.lnn", "before": row}
    assert "target macs=0.5x: 0.40x" in format_result({**result, "after": {**row, "macs": 40}})
    assert "target bytes=4x: 5.00x" in format_result({**result, "target": "bytes=4x", "after": {**row, "bytes": 200}})


@pytest.fixture
def small(images, tmp_path, monkeypatch):
    """Few images, little effort, in this process."""
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *args, **options: str(tmp_path / "cache"))
    monkeypatch.setitem(proxy.LOADERS, "mnist", lambda: images)
    monkeypatch.setattr(data, "load_mnist", lambda: images)
    monkeypatch.setattr(proxy, "APART", 200)
    proxy._load.cache_clear()
    monkeypatch.setattr(searching, "QUICK", Effort(300, 1, 60, 100, 4, 4))
    monkeypatch.setattr(searching.search, "Evaluations", lambda work, journal: Evaluations(work, journal, Here()))
    yield
    proxy._load.cache_clear()


@pytest.mark.thorough
@pytest.mark.compiled
@pytest.mark.parametrize(
    ("method", "target"), [("netadapt", "macs=0.8x"), ("amc", "macs=0.6x"), ("pocketflow", "bytes=2x")]
)
def test_from_a_network_to_a_file(method, target, small, tmp_path, capsys):
    output = tmp_path / "a.lnn"
    result = search_to_file(method, "searched", target, str(output), "a command", quick=True)
    assert output.stat().st_size == result["after"]["bytes"] < result["before"]["bytes"]
    assert io.load(output) is not None and f"target {target}" in capsys.readouterr().out
    if target.startswith("macs"):
        assert result["after"]["macs"] <= parse_target(target).times * result["before"]["macs"]


@pytest.mark.thorough
@pytest.mark.compiled
def test_mnasnet_takes_the_most_accurate_of_what_fits(small, tmp_path, monkeypatch, capsys):
    """Times are those of a clock that counts MACs."""
    macs = lambda nets, shape, pace=None: {n: metrics.count_macs(m, shape) / 1e6 for n, m in nets.items()}  # noqa: E731
    monkeypatch.setattr(architectures, "whole_ms", macs)
    monkeypatch.setattr(searching.search, "whole_ms", macs)
    result = search_to_file("mnasnet", "blocks", "latency=0.5x", str(tmp_path / "a.lnn"), "a command", quick=True)
    assert result["after"]["ms"] <= 0.5 * result["before"]["ms"] and "chosen: block 1 " in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"none of \d+ networks takes at most"):
        search_to_file("mnasnet", "blocks", "latency=0.001x", str(tmp_path / "b.lnn"), "a command", quick=True)
    assert not (tmp_path / "b.lnn").exists()


def test_every_method_has_a_target():
    assert all(set(whats) <= {"latency", "macs", "bytes"} for whats, _ in METHODS.values())
