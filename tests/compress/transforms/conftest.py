"""`laws`: what every transform of the values must obey, whatever it computes. A technique's test file calls it."""

import copy

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import lightnn
from lightnn import nn, runtime
from lightnn.compress import SUPPORTS, VALUES, Mask, decode, decode_parameter, encode
from lightnn.io import save_to_train, to_bytes
from lightnn.io.arrays import read_array, write_array
from lightnn.io.cursor import Reader, Writer
from lightnn.nn import Parameter
from lightnn.optim import SGD
from lightnn.tensor import Tensor
from lightnn.testing import check_codec

SHAPES = [(), (1,), (7,), (5, 4), (3, 2, 2, 2), (0,), (4, 0)]


def a_parameter(make, shape, dtype, density, rng):
    """A Parameter whose values are make(latent), and with a random mask unless density is None."""
    p = Parameter(np.asarray(rng.standard_normal(shape), dtype))
    p.values = make(p.data)
    if density is not None:
        p.support = Mask(np.asarray(rng.random(shape) < density))
    return p


def same_bits(a, b):
    assert a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def check_storing(make, rng):
    """decode(encode(p)) is p(), bit for bit, alone and under a Mask, and so is what comes back from the parts."""
    for shape in SHAPES:
        for dtype in (np.float32, np.float64):
            for density in (None, 0.0, 0.4, 1.0):
                p = a_parameter(make, shape, dtype, density, rng)
                check_codec(p)
                again = decode_parameter(encode(p))
                check_codec(again)
                same_bits(again().data, p().data)
                if p.support is not None:
                    assert not p().data[~p.support.mask].tobytes().strip(b"\0"), "a pruned weight is +0"
                    kept = [encode(p).parts[name].shape for name in p.values.per_weight]
                    assert kept == [(p.support.mask.sum(),)] * len(kept)


LATENTS = st.sampled_from([np.float32, np.float64]).flatmap(
    lambda dtype: arrays.arrays(
        dtype,
        arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6),
        elements=st.floats(allow_nan=False, allow_infinity=False, width=8 * np.dtype(dtype).itemsize),
    )
)


def check_storing_anything(make):
    """The same for any finite latent array and any mask, through the bytes of a file, too."""

    @given(LATENTS, st.data())
    @example(np.array([-0.0, 1e-45, 3e38], np.float32), None)
    def check(latent, data):
        p = Parameter(latent)
        p.values = make(latent)
        if data is not None and data.draw(st.booleans()):
            p.support = Mask(data.draw(arrays.arrays(bool, latent.shape)))
        check_codec(p)
        encoded, out, kinds = encode(p), Writer(), sorted(VALUES | SUPPORTS)
        write_array(out, "w", encoded, kinds)
        again = read_array(Reader(out.data), "w", latent.shape, kinds, latent.nbytes)
        same_bits(decode(again), p().data)
        same_bits(decode_parameter(again)().data, p().data)

    check()


def check_surgery(make, rng):
    """`take` gives the transform of the smaller weight."""
    p = a_parameter(make, (5, 4), np.float32, None, rng)
    for axis, keep in ((0, [0, 3]), (1, [1, 2, 3]), (0, [])):
        smaller = Parameter(np.take(p.data, keep, axis))
        smaller.values = p.values.settled(p).take(np.array(keep, int), axis)
        same_bits(smaller().data, np.take(p().data, keep, axis))


def check_training(make, rng):
    """A step changes what the network uses, a copy is another one, and a pruned weight stays 0."""
    p = a_parameter(make, (20, 30), np.float32, 0.5, rng)
    twin, before = copy.deepcopy(p), p().data.copy()
    trained = [p, *(q for transform in (p.values, p.support) for q in transform.parameters())]
    optimizer = SGD(trained, lr=0.5, momentum=0.9, weight_decay=0.01)
    for _ in range(3):
        optimizer.zero_grad()
        p().backward(rng.standard_normal(p.shape).astype(np.float32))
        assert any(q.grad is not None for q in trained)
        optimizer.step()
    assert (p().data != before).any() and not p().data[~p.support.mask].any()
    same_bits(twin().data, before)


def check_files(make, rng, tmp_path):
    """A network with it is saved, loaded, inspected and lowered, also to go on training."""
    model = nn.Sequential(nn.Linear(30, 20, rng=0), nn.ReLU(), nn.Linear(20, 10, rng=1))
    for layer, density in ((model[0], None), (model[2], 0.5)):
        layer.weight = a_parameter(make, layer.weight.shape, np.float32, density, rng)
    x, path = Tensor(rng.standard_normal((3, 30), np.float32)), tmp_path / "a.lnn"
    lightnn.save(model.eval(), path)
    same_bits(lightnn.load(path)(x).data, model(x).data)
    assert to_bytes(lightnn.load(path)) == to_bytes(model)
    assert set(model[0].weight.values.parts) <= set(lightnn.inspect(path).parts)
    save_to_train(model, path)
    for name, array in lightnn.load(path).state_dict().items():
        same_bits(array, model.state_dict()[name])
    np.testing.assert_allclose(runtime.lower(model)(x).data, model(x).data, rtol=1e-5, atol=1e-5)
    rows = {row.module: row for row in runtime.lower_report(model)}
    assert all(row.why or row.runs_as != "Linear" for row in rows.values())
    shown = f"{model[0].weight.values!r}"
    assert shown.startswith(type(model[0].weight.values).__name__) and len(shown) < 80


@pytest.fixture
def stores_anything():
    """stores_anything(make): the law of storing alone."""
    return check_storing_anything


@pytest.fixture
def laws(rng, tmp_path):
    """laws(make): check all of them for make(latent array) -> transform."""

    def check(make):
        check_storing(make, rng)
        check_storing_anything(make)
        check_surgery(make, rng)
        check_training(make, rng)
        check_files(make, rng, tmp_path)

    return check
