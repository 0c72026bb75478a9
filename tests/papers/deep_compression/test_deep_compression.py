"""The experiment of Deep Compression on a few images, and the paper's way of counting by hand."""

import dataclasses
import functools
import itertools
import os

import numpy as np
import pytest
from numba import config

from lightnn import data, evaluate, inspect, load
from lightnn.compress import Codebook, Mask, density
from lightnn.journal import Interrupted, Journal
from lightnn.nn import Parameter
from lightnn.papers import deep_compression
from lightnn.papers.deep_compression import dense_control, experiment, imagenet, tables
from lightnn.papers.deep_compression.dense_control import control, format_control
from lightnn.papers.deep_compression.experiment import (
    SUBJECTS,
    Pipeline,
    compress_network,
    reproduce,
    set_dropouts,
    tuning,
)
from lightnn.papers.deep_compression.tables import count_layers, format_tables
from lightnn.papers.lab import stage
from lightnn.papers.lab.session import Session


def quick(keep, bits, lr=0.1, dropout=0.0):
    """One epoch in each stage, on images that stay where they are."""

    def still(recipe):
        return dataclasses.replace(recipe, augment=functools.partial(stage.jitter, max_shift=0))

    retraining = (still(stage.recipe(1, lr=0.05)),) * len(keep)
    return Pipeline(still(stage.recipe(1, lr)), keep, retraining, bits, still(tuning(1)), dropout)


PIPELINE = quick(keep=(0.3, 0.1), bits=(4, 4, 4, 4), dropout=0.2)


@pytest.fixture(scope="module")
def images(patterns):
    """600 training, 5,000 validation and 200 test images."""
    return patterns(5600, 200)


@pytest.fixture(autouse=True)
def mnist(monkeypatch, images):
    monkeypatch.setattr(data, "load_mnist", lambda: images)


def a_layer(shape, positions, codes):
    """A weight of four shared values that is kept at these flat positions."""
    p = Parameter(np.zeros(shape, np.float32))
    mask, each = np.zeros(p.size, bool), np.zeros(p.size, int)
    mask[positions], each[positions] = True, codes
    p.values = Codebook(np.arange(1, 5, dtype=np.float32), each.reshape(shape))
    p.support = Mask(mask.reshape(shape))
    return p


# 40 weights kept at 0, 3, 20 and 21. Indices of 2 bits reach 4: the steps are 1, 3, 17 = 4 fillers and 1, and 1, stored
# as 0, 2, 3 3 3 3 0, 0. The values are 0, 1, F F F F 1, 3. Eight entries then.
LAYER = a_layer((4, 10), [0, 3, 20, 21], [0, 1, 1, 3])
# Huffman codes: index 3 four times in 1 bit, 0 three times and 2 once in 2; value F in 1 bit, 1 in 2, 0 and 3 in 3.
LAYER_COLUMNS = {
    "weights": 40,
    "kept %": 100 * 4 / 40,
    "weight bits": 2,
    "weight bits H": (4 * 1 + 2 * 2 + 3 + 3) / 8,
    "index bits": 2,
    "index bits H": (4 * 1 + 3 * 2 + 2) / 8,
    "rate %": 100 * (8 * 2 + 8 * 2 + 4 * 32) / (40 * 32),
    "rate % H": 100 * (14 + 12 + 4 * 32) / (40 * 32),
}


def test_the_papers_counting_by_hand():
    assert count_layers({"fc1": LAYER}, index_bits=2)["fc1"] == pytest.approx(LAYER_COLUMNS)


def test_the_total_is_of_sums_not_of_means():
    other = a_layer((2, 5), range(10), [0, 1] * 5)  # nothing pruned: all steps are 1, stored as 0, and 2 values
    rows = count_layers({"fc1": LAYER, "fc2": other}, index_bits=2)
    assert list(rows) == ["fc1", "fc2", "total"]
    assert rows["fc1"] == pytest.approx(LAYER_COLUMNS)
    assert rows["fc2"]["weight bits H"] == rows["fc2"]["index bits H"] == 1
    assert rows["total"] == pytest.approx(
        {
            "weights": 50,
            "kept %": 100 * 14 / 50,
            "weight bits": 2,
            "weight bits H": (14 + 10) / 18,
            "index bits": 2,
            "index bits H": (12 + 10) / 18,
            "rate %": 100 * (18 * 4 + 2 * 128) / (50 * 32),
            "rate % H": 100 * (14 + 10 + 12 + 10 + 2 * 128) / (50 * 32),
        }
    )


def test_a_layer_of_which_nothing_is_left_can_be_counted():
    row = count_layers({"fc1": a_layer((4, 10), [], [])})["fc1"]
    assert row["kept %"] == 0 and row["rate %"] == pytest.approx(100 * 128 / 1280)


def test_the_papers_own_rows_follow_from_its_counting_rule():
    """fc3: 26 % of 1,000 weights with 6 + 5 bits and 64 values of 32 bits are 15.3 % (the paper prints 15.7)."""
    rng = np.random.default_rng(0)
    p = a_layer((10, 100), np.sort(rng.choice(1000, 260, replace=False)), 0)
    p.values = Codebook(np.zeros(64, np.float32), rng.integers(0, 64, (10, 100)))
    row = count_layers({"fc3": p})["fc3"]
    paper = dict(zip(row, tables.LAYERS["lenet_300_100"]["fc3"]))
    assert (row["kept %"], row["weight bits"], row["index bits"]) == (26, 6, 5)
    assert row["rate %"] == pytest.approx(paper["rate %"], abs=0.5)


def compressed(name, path, pipeline=PIPELINE, seed=0, say=lambda line: None):
    """The result of `compress_network`; its journal is beside the file."""
    return compress_network(name, path, pipeline, Session(Journal(path.parent / "j"), seed, progress=False, say=say))


@pytest.fixture(scope="module")
def run(tmp_path_factory, images):
    """(path, result, lines said) of the whole experiment."""
    path, said = tmp_path_factory.mktemp("run") / "a.lnn", []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "load_mnist", lambda: images)
        return path, compressed("lenet_300_100", path, seed=1, say=said.append), said


def test_the_result_is_what_the_file_gives(run, images):
    path, result, said = run
    model = load(path)
    error = 100 - 100 * evaluate(model, images.x_test, images.y_test, progress=False)
    assert result["compressed error %"] == round(error, 2) < 50
    assert result["size_bytes"] == os.path.getsize(path) == sum(result["bytes by part"].values())
    assert result["rate"] == 4 * 266_610 / result["size_bytes"]
    assert result["bytes by part"] == inspect(path).bytes_by_part()
    weights = {name: getattr(model, name).weight for name in ("fc1", "fc2", "fc3")}
    assert result["table 2"] == count_layers(weights)
    assert len(said) == 4 and said[-1].split()[0] == "share"


def test_the_network_is_pruned_and_shared_as_the_pipeline_says(run):
    model = load(run[0])
    kept = [density(getattr(model, name).weight) for name in ("fc1", "fc2", "fc3")]
    assert kept == pytest.approx([0.1, 0.2, 0.6], abs=1e-3)
    assert [len(p.values.codebook) for p in (model.fc1.weight, model.fc2.weight, model.fc3.weight)] == [16] * 3
    assert all(p.values is not None for p in (model.fc1.bias, model.fc2.bias, model.fc3.bias))


@pytest.mark.thorough
@pytest.mark.skipif(config.DISABLE_JIT, reason="convolving thousands of images needs the compiler")
def test_lenet5_is_pruned_shared_and_counted_layer_by_layer(tmp_path):
    pipeline = quick(keep=(0.05,), bits=(5, 4, 3, 2, 4), lr=0.02)
    result = compressed("lenet5", tmp_path / "a.lnn", pipeline)
    model, layers = load(tmp_path / "a.lnn"), ("conv1", "conv2", "fc1", "fc2")
    weights = [getattr(model, name).weight for name in layers]
    assert [density(p) for p in weights] == pytest.approx([0.7, 0.15, 0.05, 0.25], abs=1e-3)
    assert [len(p.values.codebook) for p in weights] == [32, 16, 8, 4]
    assert result["rate"] == 4 * 431_080 / os.path.getsize(tmp_path / "a.lnn")
    assert list(result["table 2"]) == [*layers, "total"] and result["table 2"]["total"]["weights"] == 430_500
    lines = format_tables(result).splitlines()
    assert lines[0].startswith("LeNet-5 on MNIST") and max(map(len, lines)) <= 80
    assert any(line.startswith("conv1") and "500" in line for line in lines) and "67.45" in "\n".join(lines)


def test_the_same_seed_gives_the_same_file(run, tmp_path):
    compressed("lenet_300_100", tmp_path / "a.lnn", seed=1)
    assert (tmp_path / "a.lnn").read_bytes() == run[0].read_bytes()


@pytest.mark.parametrize("scale", [1, 100])
def test_the_tables_fit_80_columns(run, scale):
    result = run[1] | {"size_bytes": 27_000 * scale, "rate": 3999.9 / scale, "reference error %": 100.0}
    lines = format_tables(result).splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("fc1") and "235,200" in line for line in lines)
    rows = [line for line in lines if " paper " in line]
    assert [row.split()[-1] for row in rows if "Huffman" not in row][:4] == ["2.32", "3.04", "12.70", "2.49"]


@pytest.mark.parametrize(
    ("batch", "name"),
    [
        pytest.param(9, "prune to 30%", marks=pytest.mark.thorough),
        pytest.param(3, "train the reference", marks=pytest.mark.thorough),
        pytest.param(16, "prune to 10%", marks=pytest.mark.thorough),
        pytest.param(20, "share weights", marks=pytest.mark.thorough),
    ],
)
def test_ctrl_c_in_any_stage_leaves_a_file_that_loads(tmp_path, monkeypatch, images, batch, name):
    """Each stage has six batches, and each batch is augmented."""
    count = itertools.count(1)

    def shift(x, *args, **options):
        if next(count) == batch:
            raise KeyboardInterrupt
        return x

    monkeypatch.setattr(data, "random_shift", shift)
    with pytest.raises(Interrupted, match=name) as caught:
        compressed("lenet_300_100", tmp_path / "a.lnn")
    assert str(tmp_path / "a.lnn") in str(caught.value)
    loaded = load(tmp_path / "a.lnn")
    assert (density(loaded.fc1.weight) < 1) == (batch > 6)
    assert np.isfinite(evaluate(loaded, images.x_test, images.y_test, progress=False))
    assert set(os.listdir(tmp_path)) - {"j"} == {"a.lnn"}


@pytest.mark.skipif(config.DISABLE_JIT, reason="training it so often needs the compiler")
@pytest.mark.parametrize("batch", [9, *(pytest.param(b, marks=pytest.mark.thorough) for b in (3, 16, 20))])
def test_an_interrupted_run_goes_on_to_the_very_same_file(run, tmp_path, monkeypatch, batch):
    path, said, count, shift = tmp_path / "a.lnn", [], itertools.count(1), None

    def interrupt(x, *args, **options):
        if next(count) == batch:
            raise KeyboardInterrupt
        return shift(x, *args, **options)

    shift = data.random_shift
    monkeypatch.setattr(data, "random_shift", interrupt)
    with pytest.raises(Interrupted, match="the same command continues from here"):
        compressed("lenet_300_100", path, seed=1, say=said.append)
    finished = len(said)
    assert finished == (batch - 1) // 6
    result = compressed("lenet_300_100", path, seed=1, say=said.append)
    assert next(count) == batch + 24 - 6 * finished + 1  # no finished stage of six batches was done again
    assert path.read_bytes() == run[0].read_bytes() and len(said) == finished + 4
    assert result["compressed error %"] == run[1]["compressed error %"] and result["table 2"] == run[1]["table 2"]


def test_dropout_is_adjusted_to_what_is_left_also_in_a_network_that_was_loaded(run):
    model = load(run[0])
    for rate in (None, 0.3, 0.2):
        if rate:
            set_dropouts(model, rate)
        assert model.dropout1.p == pytest.approx((rate or 0.2) * 0.1**0.5, abs=1e-4)
        assert model.dropout2.p == pytest.approx((rate or 0.2) * 0.2**0.5, abs=1e-4)


@pytest.mark.thorough
@pytest.mark.skipif(config.DISABLE_JIT, reason="training it once more needs the compiler")
def test_reproduce_gives_both_networks_a_file_and_a_table(tmp_path, monkeypatch):
    small = quick(keep=(0.1,), bits=(4, 4, 4, 4))
    subject = dataclasses.replace(SUBJECTS["lenet_300_100"], quick=small)
    monkeypatch.setattr(experiment, "SUBJECTS", {"lenet_300_100": subject})
    result = reproduce(Session(Journal(tmp_path), seed=0, quick=True, progress=False, say=lambda line: None))
    assert format_tables(result) == format_tables(result["networks"]["lenet_300_100"])
    assert experiment.records(result) == {"deep_compression_lenet_300_100.json": result["networks"]["lenet_300_100"]}
    both = format_tables({"networks": dict.fromkeys(["a", "b"], result["networks"]["lenet_300_100"])})
    assert both.count("LeNet-300-100 on MNIST") == 2


@pytest.mark.thorough
@pytest.mark.skipif(config.DISABLE_JIT, reason="training it so often needs the compiler")
def test_the_control_is_trained_as_long_as_the_compressed_network(run, tmp_path, monkeypatch):
    """And its compressed networks are those of the experiment."""
    subject = dataclasses.replace(SUBJECTS["lenet_300_100"], quick=dataclasses.replace(PIPELINE, dropout=0.0))
    monkeypatch.setitem(SUBJECTS, "lenet_300_100", subject)
    monkeypatch.setattr(dense_control, "SEEDS", 2)
    result = control(Session(Journal(tmp_path / "a"), seed=1, quick=True, progress=False, say=lambda line: None))
    assert list(result["runs"]) == ["1", "2"] and list(result["epochs"].values()) == [1, 3, 3, 3, 4, 4]
    tables = compressed("lenet_300_100", tmp_path / "a.lnn", subject.quick, seed=1)
    ours = result["runs"]["1"]
    assert (ours["reference"], ours["shared and tuned"]) == (tables["reference error %"], tables["compressed error %"])
    lines = format_control(result).splitlines()
    assert len(lines) == 7 and max(map(len, lines)) <= 80 and lines[0].split()[-2:] == ["mean", "spread"]
    everything = {"networks": {"lenet_300_100": tables}, "control": result}
    assert deep_compression.records(everything)["deep_compression_control.json"] == result
    assert deep_compression.PAPER.format_tables(everything).endswith(lines[-1])


def test_a_pipeline_reads_the_same_in_every_process():
    """A journal is found again by its repr, which therefore has no addresses in it."""
    text = repr([SUBJECTS["lenet5"].quick, PIPELINE])
    assert " at 0x" not in text and "jitter(max_shift=0)" in text and "SGD(momentum=0.9, weight_decay=5e-05)" in text


@pytest.mark.parametrize("network", imagenet.WEIGHTS)
def test_the_rows_of_the_papers_tables_of_imagenet(network):
    """AlexNet's rows add up to the paper's total; VGG-16's to 1.90 %, where it prints 2.05."""
    keep, _, rate = imagenet.sums(network)
    total = imagenet.COLUMNS[network]["total"]
    assert keep == pytest.approx(total[0], abs=0.4)
    assert rate == pytest.approx(total[-1], abs=0.03 if network == "AlexNet" else 0.16)
    assert sum(imagenet.WEIGHTS[network]) == {"AlexNet": 60_954_656, "VGG-16": 138_344_128}[network]
    lines = imagenet.format_imagenet(network).splitlines()
    assert len(lines) == len(imagenet.COLUMNS[network]) + 3 and max(map(len, lines)) <= 80
