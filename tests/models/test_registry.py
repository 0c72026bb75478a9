"""lightnn/models/__init__.py: the folder collects its files, so that a family needs one file."""

import inspect
import pathlib
import sys

import numpy as np
import pytest

from lightnn import Tensor, models, nn
from lightnn.models import ARCHITECTURES

FILES = sorted(p.stem for p in pathlib.Path(models.__file__).parent.glob("*.py") if p.stem != "__init__")
PUBLIC = {
    "ARCHITECTURES",
    "LAYERS",
    "alexnet",
    "build",
    "cifar_resnet",
    "deeplab",
    "deeplabv3_resnet50",
    "densenet",
    "densenet121",
    "describe",
    "efficientnet",
    "efficientnet_lite",
    *(f"efficientnet_b{i}" for i in range(8)),
    *(f"efficientnet_lite{i}" for i in range(5)),
    "filternet_full",
    "filternet_grouped",
    "filternet_separable",
    "filternet_shift",
    "filternet_unshuffled",
    "googlenet",
    "inception_v3",
    "lenet5",
    "lenet_300_100",
    "mnasnet",
    "mnasnet0_5",
    "mnasnet1_0",
    "mobilenet_v1",
    "mobilenet_v1_full",
    "mobilenet_v2",
    "mobilenet_v3_large",
    "mobilenet_v3_small",
    "resnet110",
    "resnet18",
    "resnet20",
    "resnet34",
    "resnet50",
    "resnet56",
    "shift_resnet",
    "shiftnet",
    "shiftnet_a",
    "shiftnet_b",
    "shiftnet_c",
    "small",
    "shufflenet_v1",
    "shufflenet_v2",
    *(f"shufflenet_v2_x{n}" for n in ("0_5", "1_0", "1_5", "2_0")),
    "squeezenet1_0",
    "squeezenet1_1",
    "twn_lenet5",
    "vgg16",
    "vgg16_cifar",
}


def test_public_names_stay():
    assert PUBLIC <= set(models.__all__) <= vars(models).keys()
    assert models.__all__ == sorted(set(models.__all__))


@pytest.mark.parametrize("file", FILES)
def test_what_a_file_lists_is_in_lightnn_models_and_no_name_is_both_a_module_and_something_else(file):
    module = sys.modules[f"lightnn.models.{file}"]
    assert all(getattr(models, name) is getattr(module, name) for name in module.__all__)
    assert file not in models.__all__ and inspect.ismodule(getattr(models, file))


def test_every_registered_architecture_is_public_by_its_name():
    ours = {name: make for name, make in ARCHITECTURES.items() if make.__module__.startswith("lightnn.")}
    assert len(ours) >= 12 and all(getattr(models, name) is make for name, make in ours.items())
    for make in ours.values():
        assert {"num_classes", "in_channels", "rng"} <= inspect.signature(make).parameters.keys() and make.__doc__


def test_a_new_family_is_one_file(tmp_path, monkeypatch):
    """A file put in the folder is found at the next import; here, the folder's list of places is extended."""
    (tmp_path / "newfamily.py").write_text(
        "from lightnn import nn\nfrom lightnn.models.registry import architecture\n__all__ = ['tiny_new']\n"
        "@architecture\ndef tiny_new(width=2, rng=None):\n    return nn.Linear(3, width, rng=rng)\n"
    )
    import importlib.util

    before, architectures = dict(vars(models)), dict(ARCHITECTURES)
    places = [*models.__path__, str(tmp_path)]
    spec = importlib.util.spec_from_file_location("lightnn.models", models.__file__, submodule_search_locations=places)
    again = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "lightnn.models", again)
    try:
        spec.loader.exec_module(again)
        assert again.tiny_new(4).out_features == 4 and "tiny_new" in again.__all__
        assert again.describe(again.tiny_new()) == {"type": "tiny_new", "args": {"width": 2}}
    finally:
        sys.modules.pop("lightnn.models.newfamily", None)
        ARCHITECTURES.clear()
        ARCHITECTURES.update(architectures)
        vars(models).update(before)


def test_a_class_can_be_registered_and_stays_itself(rng):
    class Plus(nn.Module):
        """One layer."""

        def __init__(self, size=3, *, rng=None):
            self.fc = nn.Linear(size, size, rng=rng)

        def forward(self, x):
            return self.fc(x)

    try:
        assert models.architecture(Plus) is Plus and isinstance(Plus(), Plus) and Plus.__doc__ == "One layer."
        assert str(inspect.signature(Plus)) == "(size=3, *, rng=None)"
        model = Plus(4, rng=rng)
        twin = models.build(models.describe(model))
        twin.load_state_dict(model.state_dict())
        x = Tensor(rng.random((2, 4), np.float32))
        np.testing.assert_array_equal(twin(x).data, model(x).data)
    finally:
        ARCHITECTURES.pop("Plus", None)
