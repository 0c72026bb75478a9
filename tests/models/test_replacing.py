"""lightnn/models/replacing.py: other modules in the place of some, and the network is still one that a file holds."""

import json

import numpy as np
import pytest

from lightnn import Tensor, load, models, nn, save
from lightnn.compress import channels, mask_channels, plan, prune, thin
from lightnn.models import build, describe, replace


def resnet():
    return models.cifar_resnet(8, 4, rng=0).eval()


def saved(model, tmp_path):
    """The model after saving and loading; its description came along."""
    save(model, tmp_path / "a.lnn")
    loaded = load(tmp_path / "a.lnn")
    assert describe(loaded) == describe(model) == json.loads(json.dumps(describe(model)))
    assert repr(loaded) == repr(model)
    return loaded


def check_saves(model, x, tmp_path):
    np.testing.assert_array_equal(saved(model, tmp_path)(x).data, model(x).data)


@pytest.fixture
def x(rng):
    return Tensor(rng.standard_normal((2, 3, 8, 8), np.float32))


def test_the_new_network_computes_with_the_other_module_and_the_old_one_as_before(x, tmp_path):
    model = resnet()
    before = model(x).data
    hard = replace(model, {"relu": nn.Hardtanh(0, 0.5), "layer2.0.relu2": nn.Sequential(nn.ReLU6(), nn.Identity())})
    assert type(hard.relu) is nn.Hardtanh and type(model.relu) is nn.ReLU
    assert not np.array_equal(hard(x).data, before)
    np.testing.assert_array_equal(model(x).data, before)
    assert describe(hard)["modules"] == {
        "relu": {"type": "Hardtanh", "args": {"min_val": 0, "max_val": 0.5}},
        "layer2.0.relu2": {
            "type": "Sequential",
            "items": [{"type": "ReLU6", "args": {}}, {"type": "Identity", "args": {}}],
        },
    }
    check_saves(hard, x, tmp_path)


def test_nothing_is_shared_with_the_model_or_with_the_module(x):
    model, conv = resnet(), nn.Conv2d(3, 4, 3, 1, 1, rng=1)
    new = replace(model, {"conv1": conv, "layer1.0.relu": nn.Sequential(model.relu)})
    arrays = {id(p.data) for m in (model, conv) for p in m.parameters()}
    assert not arrays & {id(p.data) for p in new.parameters()}
    assert new.conv1 is not conv and new.layer1[0].relu[0] is not model.relu


def test_what_was_replaced_can_be_replaced_again(x, tmp_path):
    once = replace(
        resnet(), {"relu": nn.Sequential(nn.ReLU(), nn.Tanh()), "layer1": models.cifar_resnet(8, 4, in_channels=4)}
    )
    inside = replace(once, {"relu.1": nn.Hardswish()})
    assert list(describe(inside)["modules"]) == ["relu", "layer1", "relu.1"]
    save(inside.eval(), tmp_path / "a.lnn")
    over = replace(inside, {"relu": nn.ReLU6(), "layer1": resnet().layer1[0].relu})
    assert list(describe(over)["modules"]) == ["relu", "layer1"]
    check_saves(over, x, tmp_path)


def test_a_network_in_the_place_of_a_module_brings_its_own_changes(x, tmp_path):
    inner = replace(models.filternet_shift(4, 4, 4, rng=0), {"fc": nn.Linear(16, 4, False, rng=1)})
    found = channels(inner, (1, 4, 12, 12))
    inner = thin(inner, plan(inner, found, {"stem.0": [1]}))
    outer = nn.Sequential(nn.ReLU(), replace(nn.Sequential(nn.Identity(), nn.ReLU()), {"0": inner})).eval()
    assert {"1.0.fc"} == set(describe(outer)["modules"]) and "1.0.stem.0.weight" in describe(outer)["shapes"]
    shape = Tensor(np.ones((2, 4, 12, 12), np.float32))
    check_saves(outer, shape, tmp_path)
    around = replace(resnet(), {"layer1": inner})
    assert list(describe(around)["modules"]) == ["layer1", "layer1.fc"]
    saved(around.eval(), tmp_path)


@pytest.mark.parametrize("cut", [thin, mask_channels])
def test_before_and_after_surgery(cut, x, tmp_path):
    """Thin, replace, thin again, replace again: it works and saves all along."""
    model, name = resnet(), "layer1.0.conv1"
    for rows in ([0, 2], [1]):
        cuts = plan(model, channels(model, (1, 3, 8, 8)), {name: rows, "layer2.0.conv1": rows})
        model = cut(model, cuts)
        check_saves(model, x, tmp_path)
        conv = dict(model.named_modules())[name]
        model = replace(model, {name: nn.Sequential(conv, nn.Identity())})
        check_saves(model, x, tmp_path)
        name += ".0"
    conv, width = model.layer1[0].conv1[0][0], 1 if cut is thin else 4
    assert conv.weight.shape == (width, 4, 3, 3) and model.layer1[0].bn1.weight.shape == (width,)


def test_fixed_offsets_of_a_shift_are_described_wherever_it_stands(rng, tmp_path):
    model = models.filternet_shift(4, 3, 4, rng=0).eval()
    cut = thin(model, plan(model, channels(model, (1, 3, 12, 12)), {"blocks.0.0.0": [1]}))
    shift = cut.blocks[0][1]
    assert shift.offsets.shape == (2, 3)
    x = Tensor(rng.standard_normal((2, 3, 12, 12), np.float32))
    check_saves(replace(cut, {"blocks.0.1": nn.Sequential(shift, nn.ReLU())}), x, tmp_path)
    saved(nn.Sequential(shift).eval(), tmp_path)


def test_dropout_masks_and_codes_come_along(rng, tmp_path):
    model, fc = models.lenet_300_100(dropout=0.5, rng=0).eval(), nn.Linear(300, 100, rng=1)
    prune(fc.weight, 1.0)
    new = replace(model, {"fc2": nn.Sequential(fc, nn.Dropout(0.25))})
    new.dropout1.p = new.fc2[1].p = 0.125
    loaded = saved(new, tmp_path)
    assert (loaded.dropout1.p, loaded.fc2[1].p) == (0.125, 0.125)
    np.testing.assert_array_equal(loaded.fc2[0].weight.support.mask, fc.weight.support.mask)


def test_layers_around_no_architecture_need_no_note(x, tmp_path):
    model = replace(nn.Sequential(nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU()), nn.Tanh()), {"0.1": nn.ReLU6()})
    assert "modules" not in describe(model)
    check_saves(model.eval(), x, tmp_path)


class Own(nn.Module):
    def __init__(self):
        self.layers = [nn.ReLU(), nn.Tanh()]
        self.pair = (nn.ReLU(), nn.Tanh())

    def forward(self, x):
        return self.pair[1](self.pair[0](self.layers[1](self.layers[0](x))))


def test_modules_in_lists_have_places_too():
    new = replace(Own(), {"layers.1": nn.Identity(), "pair.0": nn.Sigmoid()})
    assert [type(m).__name__ for m in (*new.layers, *new.pair)] == ["ReLU", "Identity", "Sigmoid", "Tanh"]
    assert isinstance(new.layers, list) and isinstance(new.pair, tuple)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "nothing",
        "relu.0",
        "conv1.weight",
        "layers",
        "layer1.1",
        "layer1.-1",
        "layer1.00",
        ".relu",
        "relu.",
        "training",
    ],
)
def test_a_path_without_a_module_is_an_error_that_names_it(path):
    with pytest.raises(ValueError, match=f"replace: {path}: want the path of a module, got '{path}'"):
        replace(resnet(), {path: nn.ReLU()})


def test_what_is_no_module_or_can_not_be_described_is_refused():
    for modules, error, message in (
        ([nn.ReLU()], ValueError, "replace: modules: want a dict"),
        ({1: nn.ReLU()}, ValueError, "replace: modules: want a dict"),
        ({"relu": 3}, TypeError, "replace: want a Module for relu, got int"),
        ({"relu": Own()}, TypeError, "replace: relu: describe: Own is neither"),
        ({"relu": nn.Sequential(resnet().layer1[0])}, TypeError, "replace: relu: describe: BasicBlock is neither"),
    ):
        with pytest.raises(error, match=message):
            replace(resnet(), modules)
    with pytest.raises(TypeError, match="replace: want a Module, got int"):
        replace(3, {})


def test_a_change_of_a_replaced_module_is_seen(tmp_path):
    model = replace(resnet(), {"conv1": nn.Conv2d(3, 4, 3, 1, 1), "bn1": nn.Identity()})
    save(model, tmp_path / "a.lnn")
    model.conv1.stride = (2, 2)
    with pytest.raises(TypeError, match=r"save: conv1\.stride\.0 is 2 here, 1 in the cifar_resnet"):
        save(model, tmp_path / "a.lnn")
    model.conv1.stride, model.bn1 = (1, 1), nn.ReLU()
    with pytest.raises(TypeError, match="save: bn1 is ReLU here, Identity in the cifar_resnet"):
        save(model, tmp_path / "a.lnn")


@pytest.mark.parametrize(
    "modules, message",
    [
        ([], "want a dict in the description, got list"),
        ({"x": {"type": "ReLU", "args": {}}}, "want the path of a module, got 'x'"),
        ({"relu": 3}, "unknown layer or architecture"),
        ({"relu" + ".0" * 30: {"type": "ReLU", "args": {}}}, "want a path of at most 30 names"),
        ({"conv1.weight": {"type": "ReLU", "args": {}}}, "want the path of a module"),
    ],
)
def test_a_hostile_description_is_refused(modules, message):
    with pytest.raises(ValueError, match=message):
        build({"type": "cifar_resnet", "args": {"depth": 8}, "modules": modules})
