"""Without the package onnx, `to_onnx` says what to install."""

import sys

import pytest

from lightnn import io, nn


def test_without_onnx_the_error_names_the_group(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"to_onnx: want the package onnx, got .*: pip install 'lightnn\[onnx\]'"):
        io.to_onnx(nn.ReLU(), tmp_path / "net.onnx", (1, 2))
    assert list(tmp_path.iterdir()) == []
