"""The names that readers import: once public, a name stays importable."""

import importlib
import json
import pathlib

import pytest

NAMES = json.loads((pathlib.Path(__file__).parent / "public_names.json").read_text())


@pytest.mark.parametrize("module", NAMES)
def test_a_public_name_stays(module):
    found = importlib.import_module(module)
    assert [name for name in NAMES[module] if not hasattr(found, name)] == []
