"""lightnn/bench/roofline.py and peaks.py: a short run, and the roof of a memory by hand."""

import numba
import pytest

from lightnn.bench import peaks, roofline

CACHES, READ = {"L1": 1000, "L2": 10_000}, {500: 9e9, 700: 8e9, 5000: 4e9, 50_000: 1e9}
needs_compiler = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="there is nothing to measure without the compiler")


def test_the_bandwidth_is_that_of_the_smallest_memory_that_holds_it():
    assert roofline.bandwidth(READ, CACHES, 400) == 9e9
    assert roofline.bandwidth(READ, CACHES, 2000) == 4e9 and roofline.bandwidth(READ, CACHES, 20_000) == 1e9


def test_known_caches_have_sizes():
    assert all(size >= 4096 for size in peaks.levels().values())


@needs_compiler
@pytest.mark.thorough
def test_wider_vectors_do_more(monkeypatch):
    monkeypatch.setattr(peaks, "ROUNDS", 2000)
    found = peaks.arithmetic(repeats=5)
    assert {"float32 x 1", "float32 x 4", "float64 x 2"} <= set(found) and all(rate > 0 for rate in found.values())
    assert set(peaks.reading((2**13, 2**20), repeats=2)) == {2**13, 2**20}


@needs_compiler
@pytest.mark.thorough
def test_every_step_computes_the_same_convolution(monkeypatch):
    monkeypatch.setattr(peaks, "least_seconds", lambda call, repeats=1: (call(), 1.0)[1])
    assert list(roofline.climb())[-3:] == ["dense.forward", "int8", "signs"]
    placed = roofline.place({"float32 x 16": 1e9, "signs x 512": 1e10}, READ, CACHES)
    assert all(row["FLOP/byte"] > 0 and row["fraction"] > 0 for row in placed.values())
    assert set(roofline.blocking((16,))["in blocks"]) == {16}
