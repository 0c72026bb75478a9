"""The contract of weight transforms: what turns a Parameter's latent array into the weight that the network uses.

    w = support(values(latent))

`values` says which values may be stored (Codebook, PowerOfTwo), `support` where the weight may be non-zero (Mask). A
transform is a Module, registered under its `kind`, its name in a file. `encode` and `decode` below store a whole
Parameter and obey the law  decode(encode(p)) == p()  bit for bit.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from lightnn import options
from lightnn.nn import Module, Parameter

VALUES, SUPPORTS = {}, {}  # {kind: class} of all registered transforms


class Transform(Module):
    """One way to compute w from the latent array. A subclass defines

    parts        the names of the arrays that must be stored: bool, integer or float arrays
    per_weight   those of them with one entry a weight; under a Mask only the entries of kept weights are stored
    forward      w from the latent Tensor, an op
    encode       {name: array} of the parts, from the latent array
    decode       w from the parts: the very numbers that `forward` gives
    restore      the transform from the parts, as a loaded network has it
    latent       the latent array that goes with it: forward(latent) gives w again. It is w itself unless defined
    take         the transform of a weight that has lost some indices along an axis (surgery)
    settled      the transform with all that it measures on p's latent weights fixed; itself if it measures nothing
    project      puts the latent array back, in place, to where it must stay; called after each step of an optimizer
    """

    kind: str
    parts: tuple[str, ...] = ()
    per_weight: tuple[str, ...] = ()

    def encode(self, latent: np.ndarray) -> dict[str, np.ndarray]:
        raise NotImplementedError(f"{type(self).__name__} defines no encode")

    @classmethod
    def decode(cls, parts: dict[str, np.ndarray]) -> np.ndarray:
        raise NotImplementedError(f"{cls.__name__} defines no decode")

    @classmethod
    def restore(cls, parts: dict[str, np.ndarray]) -> "Transform":
        raise NotImplementedError(f"{cls.__name__} defines no restore")

    @classmethod
    def latent(cls, parts: dict[str, np.ndarray]) -> np.ndarray:
        return cls.decode(parts)

    def settled(self, p: Parameter) -> "Transform":
        return self

    def project(self, latent: np.ndarray) -> None:
        pass

    def take(self, keep: np.ndarray, axis: int) -> "Transform":
        """The transform of the weight that keeps only the indices `keep` along `axis`."""
        raise NotImplementedError(f"{type(self).__name__} defines no take")


def transform(kind: str, slot: str = "values") -> Callable[[type], type]:
    """Class decorator: register a Transform under `kind`, for the slot "values" or "support" of a Parameter."""

    options.text("transform: kind", kind)
    options.one_of("transform: slot", slot, ("values", "support"))

    def register(cls):
        table = {"values": VALUES, "support": SUPPORTS}[slot]
        if kind in VALUES | SUPPORTS:
            raise ValueError(f"transform: {kind!r} is {(VALUES | SUPPORTS)[kind].__name__} already")
        if not set(cls.per_weight) <= set(cls.parts):
            raise ValueError(f"transform: want per_weight among the parts {cls.parts}, got {cls.per_weight}")
        cls.kind, table[kind] = kind, cls
        return cls

    return register


@transform("float")
class Float(Transform):
    """The values of a plain weight: each is stored as it is. Never set; it stands for `values = None` in a file."""

    parts = per_weight = ("data",)

    def encode(self, latent):
        return {"data": latent}

    @classmethod
    def decode(cls, parts):
        return np.array(parts["data"])

    @classmethod
    def restore(cls, parts):
        return None


@dataclass
class Encoded:
    """A Parameter as it is stored: its shape and dtype, the kinds of its transforms, and their parts by name.

    values: a kind, "float" for a plain weight. support: a kind, or None. Where a support says 0, nothing is stored: the
    per-weight parts are then 1-D, the entries of the kept weights in C order."""

    shape: tuple[int, ...]
    dtype: np.dtype
    values: str = "float"
    support: str | None = None
    parts: dict[str, np.ndarray] = field(default_factory=dict)


def encode(p: Parameter) -> Encoded:
    """What must be stored to get p() back. TypeError for a transform that is not registered."""
    values = Float() if p.values is None else p.values
    encoded = Encoded(p.shape, p().dtype, kind_of(values, VALUES), None, values.settled(p).encode(p.data))
    if p.support is not None:
        encoded.support = kind_of(p.support, SUPPORTS)
        for name in values.per_weight:
            encoded.parts[name] = encoded.parts[name][p.support.mask]
        encoded.parts |= p.support.encode(p.data)
    return encoded


def decode(encoded: Encoded) -> np.ndarray:
    """The array w = p() from what `encode` gave."""
    w = VALUES[encoded.values].decode(unfold(encoded))
    return w if encoded.support is None else SUPPORTS[encoded.support].decode(encoded.parts, w)


def decode_parameter(encoded: Encoded) -> Parameter:
    """The Parameter with its `values` and `support`, from what `encode` gave, and a latent array that gives w."""
    cls, parts = VALUES[encoded.values], unfold(encoded)
    latent = cls.latent(parts)
    p = Parameter(latent if encoded.support is None else SUPPORTS[encoded.support].decode(encoded.parts, latent))
    p.values = cls.restore(parts)
    p.support = None if encoded.support is None else SUPPORTS[encoded.support].restore(encoded.parts)
    return p


def unfold(encoded: Encoded) -> dict[str, np.ndarray]:
    """The parts of the values, the per-weight ones in the weight's shape, 0 where the weight is not kept."""
    cls, parts = VALUES[encoded.values], dict(encoded.parts)
    for name in cls.per_weight if encoded.support is not None else ():
        full = np.zeros(encoded.shape, parts[name].dtype)
        full[encoded.parts["mask"]] = parts[name]
        parts[name] = full
    return {name: parts[name] for name in cls.parts}


def kind_of(transform: Transform, table: dict[str, type]) -> str:
    """The kind under which the transform's very class is registered."""
    kind = getattr(transform, "kind", None)
    if table.get(kind) is not type(transform):
        raise TypeError(f"encode: want a registered transform ({', '.join(table)}), got {type(transform).__name__}")
    return kind
