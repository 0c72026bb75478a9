"""Compressed networks as files: bit packing, Huffman coding, sparse indices, and the .lnn format made of them.

The map, from the bottom: bits and huffman (numbers as bits), sparse_index, cursor (one byte string), parts (one array
of numbers), arrays (one weight with its transforms), state (what training goes on from), lnn (the file), report. For
other programs: onnx_graph (what a run computes), onnx_ops and onnx_shapes (each op's operators),
onnx_quantized and onnx_integers (codes of 8 bits), onnx_file. From other programs: foreign (one array), safetensors,
zipped and npz, pickle_opcodes and pickled, torch_tensors and torch_file, state_file. bounds: how much is read.
"""

from lightnn.io.errors import FormatError
from lightnn.io.lnn import from_bytes, inspect, load, save, save_to_train, to_bytes, to_train_bytes
from lightnn.io.onnx_file import to_onnx, to_onnx_integers
from lightnn.io.report import FileReport
from lightnn.io.state_file import read_state

__all__ = [
    "FileReport",
    "FormatError",
    "from_bytes",
    "inspect",
    "load",
    "read_state",
    "save",
    "save_to_train",
    "to_bytes",
    "to_onnx",
    "to_onnx_integers",
    "to_train_bytes",
]
