"""A network as an ONNX file, which other programs run: ONNX Runtime on a phone, a server or in a browser.

    pip install 'lightnn[onnx]'
    lightnn.io.to_onnx(model, "net.onnx", (1, 1, 28, 28))

On an Android phone: put net.onnx among the app's assets, add `com.microsoft.onnxruntime:onnxruntime-android` to its
dependencies, open a session on the file, and give it a float array (N, C, H, W) under the name "input", scaled
as in training; the logits come under the name "output". Runtimes for iOS and browsers read the same file. In Python:

    session = onnxruntime.InferenceSession("net.onnx")
    (logits,) = session.run(None, {"input": x})

The graph is what two runs of the network compute, with different inputs and sizes of the batch (see onnx_graph). Where
the runs differ the network does something with its input that no op shows, and is refused. Opset 17 and IR version 8
are those of ONNX 1.12 (2022), so that older phones' runtimes read the file.
"""

import importlib
import itertools
import os
from collections.abc import Sequence

import numpy as np

from lightnn import options
from lightnn.files import write_atomically
from lightnn.io.onnx_graph import Graph
from lightnn.io.onnx_integers import with_integer_operators
from lightnn.io.onnx_ops import RULES
from lightnn.nn import Module
from lightnn.nn.module import evaluating
from lightnn.tensor import Tensor, no_grad, watching

OPSET, IR_VERSION = 17, 8
INPUT, OUTPUT = "input", "output"


def to_onnx(model: Module, path: str | os.PathLike, input_shape: Sequence[int]) -> int:
    """Write the model, as it is in eval mode, to path as an ONNX file for inputs of input_shape (N, C, H, W) or
    whatever it takes. Returns the size of the file in bytes.

    The file takes batches of any size; the images must have the size of input_shape. Numbers are float32, and weights
    have their names in the state_dict; a pruned weight is written with its zeros. ValueError names the module and the
    op if ONNX has no counterpart, ImportError says what to install; the file is written whole or not at all.
    """
    return _write(path, *_graph("to_onnx", model, input_shape))


def to_onnx_integers(model: Module, path: str | os.PathLike, input_shape: Sequence[int]) -> int:
    """Like `to_onnx` of a network that was quantized to 8 bits, with its layers as QLinearConv, QLinearMatMul,
    ConvInteger and MatMulInteger (see onnx_integers): for programs that don't find these in the other file by
    themselves, as ONNX Runtime does.

    ValueError for a network without a layer whose input and weight are quantized, and for sums that may not fit int32.
    """
    graph, *shapes = _graph("to_onnx_integers", model, input_shape)
    if not with_integer_operators(graph):
        raise ValueError("to_onnx_integers: want a layer whose input and weight are quantized, got none")
    return _write(path, graph, *shapes)


def _write(path, graph, *shapes):
    data = _model(graph, *shapes).SerializeToString(deterministic=True)
    write_atomically(path, data)
    return len(data)


def _graph(where, model, input_shape):
    """(graph, shape of the input, shape of the output), with "N" for the size of the batch."""
    if not isinstance(model, Module):
        raise TypeError(f"{where}: want a Module, got {type(model).__name__}")
    shape = options.shape(f"{where}: input_shape", input_shape)
    (first, y), (second, other) = (
        _run(model, (n, *shape[1:]), seed) for seed, n in enumerate((shape[0], shape[0] + 1))
    )
    _check_same(first, second)
    axes = [n if n == m else "N" if (n, m) == (shape[0], shape[0] + 1) else None for n, m in zip(y.shape, other.shape)]
    return first, ["N", *shape[1:]], axes


def _run(model, shape, seed):
    """(graph, output) of one run."""
    dtype = next((p.dtype for p in model.parameters()), np.float32)
    x = Tensor(np.random.default_rng(seed).random(shape).astype(dtype))
    graph = Graph(model, RULES)
    graph.names[id(x.data)] = x.data, graph.free(INPUT)
    graph.taken.add(OUTPUT)
    with evaluating(model), no_grad(), watching(graph):
        y = model(x)
    if not isinstance(y, Tensor) or not graph.known(y.data):
        came = "a Tensor made otherwise" if isinstance(y, Tensor) else type(y).__name__
        raise ValueError(f"to_onnx: want a network whose output is one Tensor made by ops from its input, got {came}")
    graph.give_output(graph.names[id(y.data)][1], INPUT, OUTPUT)
    return graph, y.data


def _check_same(first, second):
    """ValueError names the first op at which two runs on different batches differ."""
    for a, b in itertools.zip_longest(first.nodes, second.nodes):
        if a != b or not all(_equal(first, second, name) for name in a.inputs):
            where = (a or b).where
            raise ValueError(f"to_onnx: {where}: want what is the same for every batch; it depends on the input")


def _equal(first, second, name):
    a, b = first.constants.get(name), second.constants.get(name)
    return (a is None and b is None) or (a is not None and b is not None and np.array_equal(a, b, equal_nan=True))


def _model(graph, in_shape, out_shape):
    """The graph as onnx's own record, checked."""
    try:
        onnx = importlib.import_module("onnx")
    except ImportError as error:
        raise ImportError(f"to_onnx: want the package onnx, got {error}: pip install 'lightnn[onnx]'") from None
    helper, FLOAT = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [
        helper.make_node(n.operator, n.inputs, [n.output], name=f"{n.output}:{n.operator}", **n.attributes)
        for n in graph.nodes
    ]
    constants = [onnx.numpy_helper.from_array(array, name) for name, array in graph.constants.items()]
    ends = [helper.make_tensor_value_info(*end) for end in ((INPUT, FLOAT, in_shape), (OUTPUT, FLOAT, out_shape))]
    made = helper.make_graph(nodes, "lightnn", ends[:1], ends[1:], constants)
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(made, opset_imports=opset, ir_version=IR_VERSION, producer_name="lightnn")
    onnx.checker.check_model(model, full_check=True)
    return model
