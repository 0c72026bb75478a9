"""What workers exchange: the contract of gradient codecs, and the one that compresses nothing.

A worker has one codec for each of its parameters, because most codecs have a state: what could not be sent yet, or a
generator. `encode` gives the bytes that are really exchanged, and `decode` what the others make of them:

    bytes = codec.encode(g),        g^ = codec.decode(bytes)

An unbiased codec obeys E[g^] = g. One with error feedback keeps what it did not send, e, and obeys the telescoping law

    sum_t g^_t + e_T = sum_t g_t

The last four bytes of every message are a checksum (CRC-32), so a damaged one is refused.
"""

import inspect
import math
import zlib

import numpy as np

from lightnn import options
from lightnn.files import FormatError
from lightnn.options import Rng

CHECKSUM_BYTES = 4
LARGEST = 1e30  # so that no norm or sum of gradients is too large for float32


class GradientCodec:
    """The codec of one parameter of one worker, with its state. A subclass defines

    pack       the message's body, bytes, from g, a float32 array; this is where the state moves on
    unpack     g^ from the body: any array of float32 with as many numbers; FormatError if the body is not one

    shape: the parameter's. rng: what the codec draws from. `unpack` reads no state, so that every worker decodes with
    codecs of its own; only options and the shape must agree.
    """

    def __init__(self, shape: tuple[int, ...], *, rng: Rng = 0):
        name = type(self).__name__
        self.shape = options.ints(f"{name}: shape", shape, "ints >= 1", at_least=1)
        self.rng = options.generator(f"{name}: rng", rng)
        self.size = math.prod(self.shape)

    def encode(self, g: np.ndarray) -> bytes:
        """The message for the gradient g, which must be finite and have the codec's shape."""
        name, g = type(self).__name__, np.asarray(g)
        if g.shape != self.shape or g.dtype.kind != "f":
            raise ValueError(f"{name}: want g, floats of shape {self.shape}; got {g.dtype} of shape {g.shape}")
        if wrong := g.size - np.count_nonzero(np.abs(g) <= LARGEST):  # NaN is not <= either
            raise ValueError(f"{name}: want finite numbers up to {LARGEST:g} in size in g, got {wrong} others")
        body = self.pack(g.astype(np.float32))
        return body + zlib.crc32(body).to_bytes(CHECKSUM_BYTES, "little")

    def decode(self, data: bytes) -> np.ndarray:
        """g^, a float32 array of the codec's shape. FormatError for what `encode` did not write."""
        name = type(self).__name__
        if not isinstance(data, bytes | bytearray | memoryview):
            raise ValueError(f"{name}: data: want bytes, got {type(data).__name__}")
        body, check = bytes(data[:-CHECKSUM_BYTES]), bytes(data[-CHECKSUM_BYTES:])
        if len(data) < CHECKSUM_BYTES or zlib.crc32(body).to_bytes(CHECKSUM_BYTES, "little") != check:
            raise FormatError(f"{name}: want a message that ends with its checksum; got {len(data)} damaged bytes")
        return np.asarray(self.unpack(body), np.float32).reshape(self.shape)

    def pack(self, g: np.ndarray) -> bytes:
        raise NotImplementedError(f"{type(self).__name__} defines no pack")

    def unpack(self, body: bytes) -> np.ndarray:
        raise NotImplementedError(f"{type(self).__name__} defines no unpack")

    def wants(self, body: bytes, size_bytes: int) -> None:
        """FormatError unless the body has just this many bytes."""
        if len(body) != size_bytes:
            raise FormatError(f"{type(self).__name__}: want a body of {size_bytes} bytes, got {len(body)}")

    def __repr__(self) -> str:
        named = (k for k in inspect.signature(type(self)).parameters if k != "rng")
        return f"{type(self).__name__}({', '.join(f'{k}={getattr(self, k)!r}' for k in named)})"


class Uncompressed(GradientCodec):
    """The control: four bytes a number, g^ = g in float32."""

    def pack(self, g):
        return g.astype("<f4").tobytes()

    def unpack(self, body):
        self.wants(body, 4 * self.size)
        g = np.frombuffer(body, "<f4")
        if not np.isfinite(g).all():
            raise FormatError("Uncompressed: want finite numbers, got others")
        return g
