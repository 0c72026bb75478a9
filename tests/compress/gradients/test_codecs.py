"""What every gradient codec obeys: lightnn/training/codec.py's contract, and that damaged bytes are refused."""

import functools
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightnn import compress
from lightnn.files import FormatError

CODECS = {
    "uncompressed": compress.Uncompressed,
    "QSGD": compress.QSGD,
    "QSGD, 7 levels, buckets of 16": functools.partial(compress.QSGD, levels=7, bucket=16),
    "TernGrad": compress.TernGrad,
    "TernGrad, not clipped": functools.partial(compress.TernGrad, clip=None),
    "1-bit SGD": compress.OneBitSGD,
    "DGC": functools.partial(compress.DeepGradientCompression, sparsity=0.9, warm_up_steps=1),
    "DGC, clipped": functools.partial(compress.DeepGradientCompression, sparsity=0.5, clip=1.0, workers=4),
    "DoReFa": compress.DoReFaGradient,
    "DoReFa, 1 bit": functools.partial(compress.DoReFaGradient, bits=1),
}
UNBIASED = ["QSGD", "QSGD, 7 levels, buckets of 16", "TernGrad, not clipped", "DoReFa", "DoReFa, 1 bit"]
SHAPES = [(1,), (7,), (3, 5), (4, 3, 5, 5), ()]


def gradient(shape, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(shape) * np.exp(rng.standard_normal(shape))).astype(np.float32)


def signed(body):
    """The body with the checksum that belongs to it."""
    return body + zlib.crc32(body).to_bytes(4, "little")


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("make", CODECS.values(), ids=CODECS)
def test_a_message_is_bytes_and_gives_an_array_of_the_shape(make, shape):
    codec, g = make(shape), np.asarray(gradient(shape))
    before = g.copy()
    data = codec.encode(g)
    found = codec.decode(data)
    assert isinstance(data, bytes)
    assert found.shape == shape and found.dtype == np.float32 and np.isfinite(found).all()
    np.testing.assert_array_equal(g, before)


@pytest.mark.parametrize("make", CODECS.values(), ids=CODECS)
def test_another_workers_codec_decodes_to_the_same_bits_and_leaves_its_state(make):
    mine, other = make((4, 50), rng=1), make((4, 50), rng=2)
    state = {name: np.copy(value) for name, value in vars(other).items() if isinstance(value, np.ndarray)}
    for seed in range(4):
        data = mine.encode(gradient((4, 50), seed))
        np.testing.assert_array_equal(mine.decode(data), other.decode(bytearray(data)))
    for name, value in state.items():
        np.testing.assert_array_equal(vars(other)[name], value)


@pytest.mark.parametrize("make", CODECS.values(), ids=CODECS)
def test_the_same_seed_gives_the_same_bytes(make):
    runs = [
        [codec.encode(gradient((300,), t)) for t in range(3)] for codec in (make((300,), rng=5), make((300,), rng=5))
    ]
    assert runs[0] == runs[1]


@pytest.mark.parametrize("make", CODECS.values(), ids=CODECS)
def test_zeros_stay_zeros(make):
    codec = make((4, 50))
    for _ in range(2):
        assert not codec.decode(codec.encode(np.zeros((4, 50), np.float32))).any()


@pytest.mark.parametrize("name", UNBIASED)
def test_the_mean_over_draws_is_the_gradient(name):
    """Within five standard errors of the mean, as measured from the draws."""
    g, codec, draws = gradient((2, 20)), CODECS[name]((2, 20), rng=3), 4000
    found = np.stack([codec.decode(codec.encode(g)) for _ in range(draws)]).astype(np.float64)
    errors = found.std(0) / draws**0.5
    assert (abs(found.mean(0) - g) <= 5 * errors + 1e-6).all()


@pytest.mark.parametrize("make", CODECS.values(), ids=CODECS)
def test_every_truncation_and_every_flipped_bit_is_refused(make):
    codec = make((3, 5))
    data = codec.encode(gradient((3, 5)))
    damaged = [data[:n] for n in range(len(data))] + [data + b"\0"]
    for i in range(8 * len(data)):
        one = bytearray(data)
        one[i // 8] ^= 1 << i % 8
        damaged.append(bytes(one))
    for bad in damaged:
        with pytest.raises(FormatError, match=f"^{type(codec).__name__}: want .* got "):
            codec.decode(bad)


@pytest.mark.parametrize("make", CODECS.values(), ids=CODECS)
@given(data=st.data())
def test_a_body_with_a_right_checksum_is_refused_or_gives_finite_numbers(make, data):
    """What somebody else wrote: a changed body, or any bytes at all."""
    codec = make((3, 5))
    body = bytearray(codec.encode(gradient((3, 5)))[:-4])
    if data.draw(st.booleans()):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    else:
        body = data.draw(st.binary(max_size=70))
    try:
        found = codec.decode(signed(bytes(body)))
    except FormatError as error:
        assert "want " in str(error) and "got " in str(error)
    else:
        assert found.shape == (3, 5) and np.isfinite(found).all()


@pytest.mark.parametrize("make", CODECS.values(), ids=CODECS)
@pytest.mark.parametrize(
    "bad",
    [np.zeros((5, 3), np.float32), np.zeros((3, 5), int), np.full((3, 5), np.nan), np.full((3, 5), np.inf), 1.0, None],
    ids=["shape", "integers", "NaN", "infinite", "a number", "None"],
)
def test_a_gradient_that_does_not_fit_is_refused(make, bad):
    with pytest.raises(ValueError, match=r"want .*[;,] got "):
        make((3, 5)).encode(bad)


def test_what_is_no_bytes_is_refused():
    with pytest.raises(ValueError, match="Uncompressed: data: want bytes, got list"):
        compress.Uncompressed((2,)).decode([1, 2])


def test_uncompressed_is_the_float32_itself():
    g = gradient((4, 50))
    data = compress.Uncompressed((4, 50)).encode(g.astype(np.float64))
    assert len(data) == g.nbytes + 4
    np.testing.assert_array_equal(compress.Uncompressed((4, 50)).decode(data), g)


def test_repr_shows_the_options():
    codec = compress.QSGD((2, 3), levels=7)
    assert repr(codec) == "QSGD(shape=(2, 3), levels=7, bucket=512)"


def test_a_codec_that_defines_nothing_says_so():
    with pytest.raises(NotImplementedError, match="GradientCodec defines no pack"):
        compress.GradientCodec((2,)).encode(np.zeros(2))
    with pytest.raises(NotImplementedError, match="GradientCodec defines no unpack"):
        compress.GradientCodec((2,)).decode(signed(b""))
