"""lightnn/papers/composition: every order is there once, sizes by hand, and a run on few images."""

import numba
import numpy as np
import pytest

from lightnn import compress, data, nn
from lightnn.journal import Journal
from lightnn.papers import composition
from lightnn.papers.composition import experiment, sizes
from lightnn.papers.lab import stage
from lightnn.papers.lab.session import Session

needs_compiler = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="training convolutions takes the compiler")


def test_all_orders_come_after_what_they_begin_with():
    found = experiment.orders()
    assert len(found) == len(set(found)) == 26 + 3
    assert sum(len(order) == 3 and order[0] != "train" for order in found) == 12
    assert not any({"share", "quantize"} <= set(order) for order in found)
    assert len(experiment.orders(("prune", "share"))) == 4 + 2
    assert all(order[:-1] in found[:i] for i, order in enumerate(found) if len(order) > 1)


def test_packed_bytes_by_hand():
    layer = nn.Linear(8, 4, rng=0)
    assert sizes.packed_bytes(layer) == 4 * 32 + 4 * 4
    compress.share(layer.weight, bits=2)
    assert sizes.packed_bytes(layer) == 4 * 4 + 32 * 2 // 8 + 4 * 4
    compress.set_mask(layer.weight, np.arange(32).reshape(4, 8) % 4 == 3)
    codes = layer.weight.values.codes[layer.weight.support.mask]
    bits = int(codes.max() - codes.min()).bit_length()  # every step is 4: one bit too few holds 3 and a filler
    assert sizes.packed_bytes(layer) == 4 * 4 + -(-8 * bits // 8) + 8 * 3 // 8 + 4 * 4


def test_general_compressors_only_find_what_repeats():
    same, noise = bytes(10_000), np.random.default_rng(0).bytes(10_000)
    assert all(size < 200 for size in sizes.general(same).values())
    assert all(size > 9_900 for size in sizes.general(noise).values())


@needs_compiler
@pytest.mark.thorough
def test_a_run_on_few_images(images, monkeypatch, tmp_path):
    monkeypatch.setattr(data, "load_mnist", lambda: images)
    monkeypatch.setattr(stage.split, "__defaults__", (200,))
    monkeypatch.setattr(experiment, "QUICK", experiment.Subject(200, 1, 1, 1))
    lines = []
    result = composition.reproduce(Session(Journal(tmp_path), quick=True, progress=False, say=lines.append))
    assert list(result["networks"]) == ["reference", *map(" ".join, experiment.orders())]
    assert len(lines) == 30
    kept = {name: row["kept %"] for name, row in result["networks"].items()}
    assert all((share < 100) == ("prune" in name) for name, share in kept.items())
    files = {name: row["bytes"]["file"] for name, row in result["networks"].items()}
    assert files["prune share"] < files["prune"] < files["reference"]
    text = composition.format_tables(result)
    assert max(map(len, text.splitlines())) <= 80 and "prune quantize distil" in text
