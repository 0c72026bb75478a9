"""lightnn/reporting: a report of a file and of a name, in 80 columns; networks compared."""

import csv

import numpy as np
import pytest

import lightnn
from lightnn import compress, models, nn, study
from lightnn.__main__ import main
from lightnn.nn.sketch import shapes_only
from lightnn.reporting import published, report, zoo
from lightnn.reporting.page import by_part

SHAPE = (1, 1, 28, 28)


@pytest.fixture
def file(tmp_path):
    net = models.lenet_300_100(rng=0)
    for layer in (net.fc1, net.fc2):
        compress.prune_to_fraction(layer.weight, 0.1)
    compress.share(net.fc1.weight, bits=4)
    lightnn.save(net, tmp_path / "net.lnn")
    return tmp_path / "net.lnn"


def test_a_file_is_reported_with_all_its_bytes(file, tmp_path):
    found = report(str(file), accuracy=98, timing=False, csv_path=tmp_path / "net.csv")
    m = found.measures
    assert m.file_bytes == file.stat().st_size == sum(found.parts.values())
    assert (m.parameters, m.macs, m.input_shape) == (266_610 + 16, 266_200, SHAPE)
    assert m.macs_kept == pytest.approx(0.1 * 265_200 + 1000, abs=2) and m.held_bytes < 4 * m.parameters
    assert m.density == pytest.approx(98 / 0.266626) and m.netscore > 100 and m.latency is m.training is None
    rows = list(csv.reader((tmp_path / "net.csv").read_text().splitlines()))
    assert rows[0] == ["measure", "value", "unit"] and rows[2][:2] == ["MACs", "266200"]


@pytest.mark.thorough
@pytest.mark.compiled
def test_the_text_fits_80_columns_and_has_times_and_memory():
    text = str(report("lenet_300_100"))
    assert max(map(len, text.splitlines())) <= 80
    for word in ("latency, batch 1", "throughput", "training peak", "FLOPs", "532,400"):
        assert word in text


def test_a_measured_network_is_left_as_it_was():
    net = nn.Sequential(nn.Conv2d(1, 2, 3, rng=0), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2 * 26 * 26, 3, rng=0))
    before = {name: a.copy() for name, a in net.state_dict().items()}
    found = lightnn.reporting.measure(net, SHAPE, timing=False)
    assert found.training[1] > 0
    assert all(np.array_equal(a, before[name]) for name, a in net.state_dict().items())
    assert all(p.grad is None for p in net.parameters())


@pytest.mark.parametrize("name", zoo())
def test_it_is_known_which_images_each_network_of_the_zoo_takes(name):
    with shapes_only(10**6):
        n, c, h, w = published.image_shape(published.build(name), name)
    assert (n, c) in ((1, 1), (1, 3)) and h == w and 28 <= h <= 600


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["mobilenet_v2", "googlenet", "shufflenet_v1", "efficientnet_lite0", "xnor_lenet5"])
def test_families_are_reported(name):
    shape = published.image_shape(published.build(name), name)[1:]
    small = (shape[0], min(shape[1], 64), min(shape[2], 64))
    found = report(name, input_shape=small, timing=False)
    assert found.measures.parameters > 10_000 and max(map(len, str(found).splitlines())) <= 80
    assert len(by_part(found.layers)) <= 24


LONGEST = {  # minutes together: the deeper and wider ones of a family of which others are reported
    *(f"efficientnet_b{k}" for k in range(2, 8)),
    *(f"efficientnet_lite{k}" for k in range(1, 5)),
    *(f"densenet{k}" for k in (161, 169, 201)),
    *("resnet50", "resnet110", "deeplabv3_resnet50", "inception_v3", "vgg16"),
    *("mnasnet0_75", "mnasnet1_3", "shufflenet_v2_x1_5", "shufflenet_v2_x2_0", "shiftnet_a"),
}


@pytest.mark.thorough
@pytest.mark.compiled
@pytest.mark.parametrize("name", zoo())
def test_every_network_of_the_zoo_is_reported_in_full_size(name, capsys, request):
    """Without times: the counts of chapter 01's table, and 80 columns. The longest ones want --long, too."""
    if name in LONGEST and not request.config.getoption("--long"):
        pytest.skip("takes long: pytest --thorough --long")
    assert main(["report", name, "--counts"]) == 0
    text, err = capsys.readouterr()
    assert not err and max(map(len, text.splitlines())) <= 80
    found = {line.split("  ")[0].strip(): line.split("  ", 1)[1].split()[0] for line in text.splitlines()[1:]}
    assert {"parameters", "MACs", "FLOPs", "activations", "file", "held to run", "energy"} <= set(found)
    assert int(found["FLOPs"].replace(",", "")) == 2 * int(found["MACs"].replace(",", "")) > 0
    known = study.result("zoo_counts")["networks"].get(name)
    if known is not None:
        assert int(found["parameters"].replace(",", "")) == known["parameters"]
        assert int(found["MACs"].replace(",", "")) == known["macs"]
        assert f"one image 3x{known['size']}x{known['size']}" in text and "NetScore" in found


def test_what_is_no_file_and_no_name():
    with pytest.raises(ValueError, match=r"want a \.lnn file or one of alexnet"):
        report("nothing.lnn")
    with pytest.raises(ValueError, match="--plot: want a name that ends in"):
        report("lenet5", plot_path="x.gif")
    with pytest.raises(ValueError, match="want --input CxHxW"):
        published.image_shape(nn.Linear(7, 2))


def test_pictures_are_drawn(file, tmp_path):
    pytest.importorskip("matplotlib")
    report(str(file), timing=False, plot_path=tmp_path / "net.svg")
    assert (tmp_path / "net.svg").read_text().startswith("<?xml")


def test_networks_are_compared_and_the_best_are_marked(tmp_path):
    nets = {"large": models.lenet_300_100(rng=0), "sparse": models.lenet_300_100(rng=0)}
    compress.prune_to_fraction(nets["sparse"].fc1.weight, 0.1)
    found = lightnn.compare(nets, SHAPE, accuracies={"large": 98.0, "sparse": 98.0}, timing=False)
    assert found.best() == ["sparse"] and "sparse *" in str(found) and max(map(len, str(found).splitlines())) <= 80
    assert lightnn.compare(nets, SHAPE, accuracies={"large": 98.5, "sparse": 98.0}, timing=False).best() == list(nets)
    assert found.cost("sparse", "macs_kept") < found.cost("large", "macs_kept")
    with pytest.raises(ValueError, match="want latencies"):
        found.cost("large", "latency_ms")
    with pytest.raises(ValueError, match="compare: models: want a dict"):
        lightnn.compare([], SHAPE)


def test_accuracies_are_measured_on_data(tmp_path):
    pytest.importorskip("matplotlib")
    x, y = np.zeros((10, *SHAPE[1:]), np.float32), np.arange(10) % 10
    found = lightnn.compare({"a": models.lenet_300_100(rng=0)}, SHAPE, data=(x, y), timing=False)
    assert found.measures["a"].accuracy == 10
    found.plot(tmp_path / "front.png")
    assert (tmp_path / "front.png").stat().st_size > 1000
