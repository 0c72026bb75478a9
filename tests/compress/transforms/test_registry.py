"""lightnn/compress/transforms: a technique is one file that is found by itself, with a test of its laws."""

import inspect
import pathlib

import numpy as np
import pytest

import lightnn
from lightnn import compress
from lightnn.compress.transforms import base

HERE = pathlib.Path(__file__).parent
FILES = {kind: pathlib.Path(inspect.getfile(cls)).stem for kind, cls in (base.VALUES | base.SUPPORTS).items()}


@pytest.mark.parametrize("kind", sorted(set(base.VALUES) - {"float"}))
def test_every_technique_checks_the_laws(kind):
    tests = HERE / f"test_{FILES[kind]}.py"
    assert tests.exists() and "laws(" in tests.read_text(), f"want {tests.name} to call the fixture `laws`"


@pytest.mark.parametrize("kind", sorted(base.VALUES | base.SUPPORTS))
def test_a_kind_is_declared_whole(kind):
    cls = (base.VALUES | base.SUPPORTS)[kind]
    assert cls.kind == kind and cls.parts and set(cls.per_weight) <= set(cls.parts) and cls.__doc__
    assert kind == "float" or getattr(compress, cls.__name__) is cls


def test_a_name_that_no_technique_has_is_an_error():
    with pytest.raises(AttributeError, match=r"'lightnn.compress' has no attribute 'Nonsense'"):
        _ = lightnn.compress.Nonsense


def test_a_kind_is_taken_once():
    with pytest.raises(ValueError, match="'mask' is Mask already"):
        compress.transform("mask")(type("Other", (compress.Transform,), {}))


def test_per_weight_parts_must_be_parts():
    with pytest.raises(ValueError, match=r"want per_weight among the parts \(\), got \('codes',\)"):
        compress.transform("new")(type("New", (compress.Transform,), {"per_weight": ("codes",)}))
    assert "new" not in compress.VALUES


@pytest.mark.parametrize("what", ["encode", "take", "decode", "restore"])
def test_what_a_transform_does_not_define_is_named(what):
    Empty = type("Empty", (compress.Transform,), {})
    call = getattr(Empty, what) if what in ("decode", "restore") else getattr(Empty(), what)
    with pytest.raises(NotImplementedError, match=f"Empty defines no {what}"):
        call(*[np.zeros(1)] * (2 if what == "take" else 1))
