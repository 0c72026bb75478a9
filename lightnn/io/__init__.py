"""Compressed networks as files: bit packing, Huffman coding, sparse indices, and the .lnn format made of them."""

from lightnn.io.errors import FormatError
from lightnn.io.lnn import FileReport, inspect, load, save, to_bytes

__all__ = ["FileReport", "FormatError", "inspect", "load", "save", "to_bytes"]
