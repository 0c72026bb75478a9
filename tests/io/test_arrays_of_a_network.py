"""Arrays that a file can't hold, or would change, are refused by name; other forms of the same numbers are not."""

import numpy as np
import pytest

from lightnn import load, nn, save
from lightnn.compress import Mask, prune, share


def with_array(model, value):
    model.weight.data = value
    return model


ARRAYS = {
    "float16": (lambda w: w.astype(np.float16), "weight.*float16"),
    "integers": (lambda w: np.ones(w.shape, np.int64), "want floating-point numbers in weight, got int64"),
    "int8": (lambda w: np.ones(w.shape, np.int8), "weight.*int8"),
    "complex": (lambda w: w.astype(np.complex64), "weight.*complex64"),
    "objects": (lambda w: w.astype(object), "weight.*object"),
    "truth values": (lambda w: w > 0, "weight.*bool"),
    "masked array": (lambda w: np.ma.masked_array(w, w > 0), "want an array for weight, got MaskedArray"),
}


@pytest.mark.parametrize("which", ARRAYS)
def test_an_array_that_load_refuses_is_not_saved(which, tmp_path):
    make, message = ARRAYS[which]
    layer = nn.Linear(3, 2, rng=0)
    with pytest.raises(TypeError, match=message):
        save(with_array(layer, make(layer.weight.data)), tmp_path / "a.lnn")
    assert not (tmp_path / "a.lnn").exists()


SAME = {
    "big-endian": lambda w: w.astype(">f4"),
    "big-endian, double": lambda w: w.astype(">f8"),
    "columns first": np.asfortranarray,
    "every second of a larger array": lambda w: np.repeat(w, 2, 1)[:, ::2],
    "backwards": lambda w: w[::-1, ::-1],
    "read-only": lambda w: np.broadcast_to(w[0, 0], w.shape),
    "NaN and infinities": lambda w: np.array([[np.nan, -0.0, np.inf], [-np.inf, 1e-40, 3e38]], np.float32),
}
TRANSFORMS = {
    "plain": lambda p: None,
    "pruned": lambda p: prune(p, 0.5),
    "shared": lambda p: share(p, 2),
    "both": lambda p: (prune(p, 0.5), share(p, 2)),
}


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("which", SAME)
def test_an_array_in_another_form_has_the_same_numbers_when_it_is_loaded(which, transform, tmp_path):
    if which == "NaN and infinities" and transform != "plain":
        pytest.skip("neither magnitude nor clusters of NaN")
    layer = nn.Linear(3, 2, rng=0)
    with_array(layer, SAME[which](layer.weight.data))
    TRANSFORMS[transform](layer.weight)
    save(layer, tmp_path / "a.lnn")
    loaded = load(tmp_path / "a.lnn")
    want, got = layer.weight().data, loaded.weight().data
    assert got.dtype == want.dtype.newbyteorder("=")
    assert got.tobytes() == np.ascontiguousarray(want, got.dtype).tobytes()


def test_a_mask_of_numbers_is_refused(tmp_path):
    layer = nn.Linear(3, 2, rng=0)
    prune(layer.weight, 0.5)
    layer.weight.support.mask = layer.weight.support.mask.astype(np.int8)
    with pytest.raises(TypeError, match=r"save: want truth values in weight\.support\.mask, got int8"):
        save(layer, tmp_path / "a.lnn")


def test_a_transform_with_another_forward_is_refused(tmp_path):
    layer = nn.Linear(3, 2, rng=0)
    layer.weight.support = Mask(np.ones((2, 3), bool))
    layer.weight.support.forward = lambda w: w * 2
    with pytest.raises(TypeError, match=r"weight, float32 of shape \(2, 3\), would load as another array"):
        save(layer, tmp_path / "a.lnn")


@pytest.mark.parametrize("value", [None, 3.0, [1.0, 2.0], np.array([1, 2], np.int32), np.array(["a", "b"])])
def test_a_buffer_that_is_no_such_array_is_refused(value, tmp_path):
    layer = nn.BatchNorm1d(2)
    layer.running_mean = value
    with pytest.raises(TypeError, match="running_mean"):
        save(layer, tmp_path / "a.lnn")
