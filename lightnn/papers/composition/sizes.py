"""The bytes of one network in several forms: the file, the same without Huffman's codes, and general compressors."""

import bz2
import gzip
import importlib
import lzma

import numpy as np

from lightnn import compress, io, nn
from lightnn.bits import width
from lightnn.io import sparse_index


def sizes(model: nn.Module) -> dict:
    """{"bytes": {"file", "packed", "floats", "gzip", "bzip2", "xz", "zstd"}, "kept %"}.

    file: the .lnn file. packed: the same with packed symbols where it has Huffman's codes, headers left out. floats:
    the plain float32 numbers that the network uses, and gzip to zstd those compressed; "zstd" only where Python has it.
    """
    floats = b"".join(p().data.astype("<f4").tobytes() for p in stored(model))
    weights = [p for p in stored(model) if p.support is not None]
    whole = sum(p.size for p in stored(model))
    removed = sum(p.size - int(p.support.mask.sum()) for p in weights)
    found = {"file": len(io.to_bytes(model)), "packed": packed_bytes(model), "floats": len(floats)}
    return {"bytes": found | general(floats), "kept %": round(100 * (1 - removed / whole), 2)}


def stored(model: nn.Module) -> list[nn.Parameter]:
    """The weights and biases, without the parameters of their transforms."""
    return [p for name, p in model.named_parameters() if ".values." not in name and ".support." not in name]


def general(data: bytes) -> dict[str, int]:
    """{compressor: bytes} of the data at each compressor's strongest ordinary level."""
    found = {"gzip": len(gzip.compress(data, 9)), "bzip2": len(bz2.compress(data, 9)), "xz": len(lzma.compress(data))}
    return found | ({"zstd": len(zstd(data))} if (zstd := find_zstd()) else {})


def find_zstd():
    """A function that compresses by Zstandard at level 19, of Python 3.14 or the package zstandard; None without."""
    for name, make in (
        ("compression.zstd", lambda m: lambda data: m.compress(data, 19)),
        ("zstandard", lambda m: m.ZstdCompressor(level=19).compress),
    ):
        try:
            return make(importlib.import_module(name))
        except ImportError:
            continue
    return None


def packed_bytes(model: nn.Module) -> int:
    """Parts as a file holds them if each symbol takes as many bits as any other of its part."""
    return sum(_part_bytes(part) for p in stored(model) for part in compress.encode(p).parts.values())


def _part_bytes(part):
    part = np.asarray(part)
    if part.dtype.kind == "b":
        positions = np.flatnonzero(part)
        return min(-(-len(sparse_index.relative(positions, b)[0]) * width(2**b + 1) // 8) for b in range(1, 11))
    if part.dtype.kind in "iu" and part.size:
        return -(-part.size * width(int(part.max()) - int(part.min()) + 1) // 8)
    return part.nbytes
