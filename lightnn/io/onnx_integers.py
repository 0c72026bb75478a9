"""A quantized graph with ONNX's integer operators written out, for programs that do not find them by themselves.

`to_onnx` writes floats between pairs of QuantizeLinear and DequantizeLinear. Here what a pair encloses becomes one
operator on codes:

    Conv, Gemm with codes out       QLinearConv; a Gemm is a 1x1 convolution, without a bias a QLinearMatMul
    Conv, Gemm with floats out      ConvInteger, MatMulInteger: int32 sums, plus b, times S_x S_w
    MaxPool, Reshape, Slice, ...    the same operator on codes
    Relu and Clip before codes      a Clip of codes, where it changes any

    q_y = clip(round(S_x S_w / S_y (b + sum (q_x - Z_x) (q_w - Z_w))) + Z_y, 0, 255)

ONNX has no integer addition, concatenation or average; these stay floats between their pair.
"""

from typing import NamedTuple

import numpy as np

from lightnn.io.onnx_graph import Graph, Node

MOVES = frozenset(["MaxPool", "Reshape", "Flatten", "Transpose", "Slice", "Squeeze", "Relu", "Clip"])
BOUNDS = frozenset({"Relu", "Clip"})
MOST = 2**31 - 1


def with_integer_operators(graph: Graph) -> int:
    """Rewrite the graph in place. Returns how many of its layers compute with integers."""
    rewriting = Rewriting(graph)
    for node in graph.nodes:
        rewriting.add(node)
    graph.nodes = rewriting.nodes
    _drop_unused(graph)
    rewriting.nodes = []
    for node in graph.nodes:
        rewriting.add_open_end(node)
    graph.nodes = rewriting.nodes
    _drop_unused(graph)
    return rewriting.count


def _drop_unused(graph):
    """Only the nodes and constants that the output depends on."""
    used, kept = {graph.nodes[-1].output, "output"}, []
    for node in reversed(graph.nodes):
        if node.output in used:
            used.update(node.inputs)
            kept.append(node)
    graph.nodes = kept[::-1]
    graph.constants = {name: array for name, array in graph.constants.items() if name in used}


class Codes(NamedTuple):
    """What a DequantizeLinear reads: the names of the codes, their scale and their zero point."""

    q: str
    S: str
    Z: str


class Rewriting:
    """The nodes of a graph, written anew from first to last."""

    def __init__(self, graph: Graph):
        self.graph, self.nodes, self.count = graph, [], 0
        self.makers = {node.output: node for node in graph.nodes}

    def codes(self, name: str) -> Codes | None:
        maker = self.makers.get(name)
        return Codes(*maker.inputs) if maker and maker.operator == "DequantizeLinear" else None

    def emit(self, like: Node, operator: str, inputs: tuple, attributes: dict | None = None, output: str = "") -> str:
        """A node in the place of `like`; the name of its output."""
        output = output or self.graph.free(f"{like.output}.{operator}")
        self.nodes.append(Node(operator, tuple(inputs), output, attributes or {}, like.where))
        return output

    def constant(self, name: str, array: np.ndarray) -> str:
        return self.graph.constant(name, np.asarray(array))

    def array(self, name: str) -> np.ndarray:
        return self.graph.constants[name]

    def add(self, node: Node) -> None:
        """The node; for a QuantizeLinear the integer operators that give its codes, if there are such."""
        if node.operator != "QuantizeLinear" or not self.add_integers(node):
            self.nodes.append(node)

    def add_integers(self, quantize: Node) -> bool:
        chain, name = [], quantize.inputs[0]
        while self.makers.get(name) and self.makers[name].operator in MOVES:
            chain.append(self.makers[name])
            name = chain[-1].inputs[0]
        y, x, core = Codes(quantize.output, *quantize.inputs[1:]), self.codes(name), self.makers.get(name)
        if x and chain and (x.S, x.Z) == (y.S, y.Z):
            q = x.q
        elif core and all(n.operator in BOUNDS for n in chain) and (inputs := self.layer(core)):
            q = self.sums_as_codes(core, y, *inputs)
        else:
            return False
        for node in reversed(chain):
            q = self.moved(node, q, y)
        if self.nodes[-1].output == q:
            self.nodes[-1] = self.nodes[-1]._replace(output=y.q)
        else:  # bounds that change nothing
            self.emit(quantize, "Identity", (q,), output=y.q)
        return True

    def moved(self, node: Node, q: str, y: Codes) -> str:
        """An operator that moves numbers, on codes."""
        if node.operator not in BOUNDS:
            return self.emit(node, node.operator, (q, *node.inputs[1:]), node.attributes)
        S, Z, limits = self.array(y.S), int(self.array(y.Z)), np.iinfo(self.array(y.Z).dtype)
        ends = [self.array(name) for name in node.inputs[1:]] or [0.0]
        ends = [float(np.clip(np.rint(end / S) + Z, limits.min, limits.max)) for end in ends]
        low, high = ends if len(ends) == 2 else (ends[0], limits.max)
        if low <= limits.min and high >= limits.max:
            return q
        names = [
            self.constant(f"{node.output}.{side}", limits.dtype.type(n)) for side, n in (("low", low), ("high", high))
        ]
        return self.emit(node, "Clip", (q, *names))

    def layer(self, core: Node) -> tuple[Codes, Codes, str] | None:
        """Codes of x and w and the name of the int32 bias ("" if there is none) of a layer that can be integer."""
        if core.operator not in ("Conv", "Gemm"):
            return None
        x, w, *b = map(self.codes, core.inputs)
        if x is None or w is None or None in b:
            return None
        self.check_sums(core, w, b[0].q if b else "")
        return x, w, b[0].q if b else ""

    def check_sums(self, core, w, b):
        """ValueError if a sum may not fit int32."""
        q, Z = self.array(w.q).astype(np.int64), self.array(w.Z).astype(np.int64)
        most = 255 * np.abs(q.reshape(len(q), -1) - Z.reshape(-1, 1)).sum(1)
        most = most + (np.abs(self.array(b).astype(np.int64)) if b else 0)
        if most.max(initial=0) > MOST:
            raise ValueError(f"to_onnx_integers: {core.where}: want sums of at most {MOST}, got up to {most.max()}")

    def sums_as_codes(self, core: Node, y: Codes, x: Codes, w: Codes, b: str) -> str:
        self.count += 1
        if core.operator == "Conv":
            inputs = (x.q, x.S, x.Z, w.q, w.S, w.Z, y.S, y.Z, *([b] if b else []))
            return self.emit(core, "QLinearConv", inputs, core.attributes)
        q = self.array(w.q)
        if not b:
            turned = self.constant(f"{w.q}.T", np.ascontiguousarray(q.T))
            return self.emit(core, "QLinearMatMul", (x.q, x.S, x.Z, turned, w.S, w.Z, y.S, y.Z))
        shapes = [self.constant(f"{core.output}.shape", np.array(s)) for s in ((0, -1, 1, 1), (0, -1))]
        image = self.emit(core, "Reshape", (x.q, shapes[0]))
        filters = self.constant(f"{w.q}.filters", q.reshape(*q.shape, 1, 1))
        rows = self.emit(core, "QLinearConv", (image, x.S, x.Z, filters, w.S, w.Z, y.S, y.Z, b))
        return self.emit(core, "Reshape", (rows, shapes[1]))

    def add_open_end(self, node: Node) -> None:
        """The node; for a layer that gives floats, integer sums and their scale."""
        if not (inputs := self.layer(node)):
            self.nodes.append(node)
            return
        x, w, b = inputs
        self.count += 1
        q, S = self.array(w.q), self.array(x.S) * self.array(w.S)
        if node.operator == "Conv":
            along = (1, -1, 1, 1)
            sums = self.emit(node, "ConvInteger", (x.q, w.q, x.Z, w.Z), node.attributes)
        else:
            along = (1, -1)
            turned = self.constant(f"{w.q}.T", np.ascontiguousarray(q.T))
            sums = self.emit(node, "MatMulInteger", (x.q, turned, x.Z, w.Z))
        if b:
            sums = self.emit(node, "Add", (sums, self.constant(f"{b}.row", self.array(b).reshape(along))))
        floats = self.emit(node, "Cast", (sums,), {"to": 1})
        scale = self.constant(f"{node.output}.scale", S.reshape(along).astype(np.float32))
        self.emit(node, "Mul", (floats, scale), output=node.output)
