"""A reader's own Module can be saved and loaded once it is registered; else the refusal says how."""

import numpy as np
import pytest

import lightnn
from lightnn import FormatError, Tensor, load, models, nn, save
from lightnn import functional as F
from lightnn.models import ARCHITECTURES, describe


@pytest.fixture
def own():
    """An unregistered class; what a test registers is forgotten after it."""
    before = dict(ARCHITECTURES)

    class Own(nn.Module):
        def __init__(self, width=3, sizes=(1, 2), mode="add", *, rng=None):
            self.fc1, self.fc2 = nn.Linear(4, width, rng=rng), nn.Linear(width, 2, rng=rng)
            self.act = F.hardswish if mode == "add" else F.relu
            self.sizes, self.mode, self.scale = sizes, mode, np.arange(2, dtype=np.float32)
            self.parts = [nn.ReLU(), nn.BatchNorm1d(2)]
            self.gain = nn.Parameter(np.array(2.0, np.float32))

        def forward(self, x):
            y = self.fc2(self.act(self.fc1(x)))
            return self.parts[1](self.parts[0](y)) * self.gain() + self.scale

    yield Own
    ARCHITECTURES.clear()
    ARCHITECTURES.update(before)


def test_an_own_class_is_refused_with_the_way_to_save_it(own, tmp_path):
    with pytest.raises(TypeError, match=r"Own is neither .* put @lightnn\.models\.architecture above the class"):
        save(nn.Sequential(own()), tmp_path / "a.lnn")


@pytest.mark.parametrize("options", [{}, {"width": 5, "sizes": [3], "mode": "mul"}, {"width": np.int64(2)}])
def test_a_registered_class_is_saved_and_loaded(own, options, rng, tmp_path):
    assert lightnn.models.architecture(own) is own
    model, x = own(**options, rng=1).eval(), Tensor(rng.standard_normal((3, 4), np.float32))
    for network in (model, nn.Sequential(model, nn.Tanh()).eval()):
        save(network, tmp_path / "a.lnn")
        loaded = load(tmp_path / "a.lnn")
        np.testing.assert_array_equal(loaded(x).data, network(x).data, strict=True)
        assert describe(loaded) == describe(network)
    assert type(load(tmp_path / "a.lnn")[0]) is own
    model.act = F.sigmoid
    with pytest.raises(TypeError, match=r"save: act is sigmoid here, (hardswish|relu) in the Own that its description"):
        save(model, tmp_path / "a.lnn")


def test_a_registered_function_is_saved_and_loaded(own, rng, tmp_path):
    @models.architecture
    def two(width=2, rng=None):
        return nn.Sequential(own(width, rng=rng), nn.Linear(2, 1, rng=rng))

    model, x = two(4, rng=2).eval(), Tensor(rng.standard_normal((3, 4), np.float32))
    save(model, tmp_path / "a.lnn")
    np.testing.assert_array_equal(load(tmp_path / "a.lnn")(x).data, model(x).data)
    assert describe(model) == {"type": "two", "args": {"width": 4}}


def test_loading_needs_the_registration_too(own, tmp_path):
    models.architecture(own)
    save(own(), tmp_path / "a.lnn")
    del ARCHITECTURES["Own"]
    with pytest.raises(FormatError, match=r"'Own'\. If it is your own, first put @lightnn\.models\.architecture"):
        load(tmp_path / "a.lnn")
    models.architecture(own)


def test_a_subclass_of_a_registered_class_needs_its_own_registration(own, tmp_path):
    models.architecture(own)
    child = type("Child", (own,), {"forward": lambda self, x: x})
    with pytest.raises(TypeError, match="Child is neither built by"):
        save(child(), tmp_path / "a.lnn")
    models.architecture(child)
    save(child(), tmp_path / "a.lnn")
    assert type(load(tmp_path / "a.lnn")) is child


def test_a_class_may_be_registered_again_but_no_name_taken(own):
    models.architecture(own)
    again = type("Own", (nn.Module,), {"__qualname__": own.__qualname__, "__module__": own.__module__})
    assert models.architecture(again) is again
    for name in ("Linear", "lenet5", "Own"):
        with pytest.raises(ValueError, match=rf"architecture: .* has a {name} already; choose another name"):
            models.architecture(type(name, (nn.Module,), {"__module__": "elsewhere"}))
    with pytest.raises(ValueError, match=r"want arguments with names, but f takes \*sizes"):

        @models.architecture
        def f(*sizes, rng=None):
            pass

    with pytest.raises(TypeError, match="want a Module class or a function, got the class int"):
        models.architecture(int)


def test_arguments_that_a_file_does_not_hold(own, tmp_path):
    models.architecture(own)
    for options in ({"sizes": (nn.ReLU,)}, {"sizes": nn.ReLU()}, {"sizes": "text"}, {"sizes": {1: 2}}):
        with pytest.raises(TypeError):
            save(own(**options), tmp_path / "a.lnn")


def test_what_an_own_class_keeps_out_of_its_tree_is_refused(own, tmp_path):
    class Hiding(own):
        def __init__(self, rng=None):
            self.table = nn.init.uniform((2,), 1.0, nn.init.generator(rng))

    class Nested(own):
        def __init__(self, rng=None):
            self.branches = {"a": nn.Linear(2, 2, rng=rng)}

    for cls, message in ((Hiding, "save: table is an array"), (Nested, r"save: branches\['a'\] is inside a dict")):
        models.architecture(cls)
        with pytest.raises(TypeError, match=message):
            save(cls(rng=1), tmp_path / "a.lnn")
