"""The nodes of a float network: what is computed. Each makes the channels of one array; ops that only choose, list or
rearrange channels are `Value`s, which say of which nodes' channels an array consists."""

from dataclasses import dataclass, field

import numpy as np

from lightnn.kernels.program import tail
from lightnn.runtime.floats.recording import INPUT, Recording


class Unsupported(Exception):
    """Why a network can't become a program."""


@dataclass(eq=False)
class Value:
    """An array (N, C, H, W): channel c is channel channels[c] of node nodes[c]. border: zeros around it (top, bottom,
    left, right) that a `pad` has added. flat: it is seen as (N, C H W). fresh: a node has just made all of it."""

    nodes: np.ndarray
    channels: np.ndarray
    size: tuple[int, int]
    border: tuple[int, int, int, int] = (0, 0, 0, 0)
    flat: bool = False
    fresh: bool = False

    def part(self, index) -> "Value":
        return Value(self.nodes[index], self.channels[index], self.size, self.border)


@dataclass(eq=False)
class Node:
    """One step. x, z: what it reads; z is a shortcut, the second operand or a gate. out: channels, height, width of
    what it makes. w, b: a layer's weights (O, C, KH, KW) and bias, or the factors and summands (C,) of an `each`.
    scale: by which w is to be multiplied, filter by filter."""

    kind: str  # input, dense, depthwise, each, max, mean
    out: tuple[int, int, int]
    module: str = ""
    x: Value | None = None
    z: Value | None = None
    w: np.ndarray | None = None
    b: np.ndarray | None = None
    scale: np.ndarray | float = 1.0
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)
    window: tuple = ()  # of a pooling: see kernels.program.steps.Window
    mode: str = "affine"
    low: float = -np.inf
    high: float = np.inf
    act: int = tail.NONE
    done: list = field(default_factory=list)  # the ops that it does, for printing
    kernel: tuple[int, int] = (1, 1)
    macs: int = 0  # for one image

    def bare(self) -> bool:
        """Whether nothing follows its sum yet."""
        return self.act == tail.NONE and (self.low, self.high) == (-np.inf, np.inf)


class Graph:
    """nodes in the order of the run; output: a Value. Unsupported for an op that has no rule."""

    def __init__(self, recording: Recording, shape: tuple[int, ...], rules: dict):
        if recording.output is None:
            raise Unsupported("its output is not made by an op from its input")
        size = shape[2:] if len(shape) == 4 else (1, 1)
        self.nodes, self.reads, self.shapes = [], recording.reads, {INPUT: shape}
        self.values = {INPUT: self.add(Node("input", (shape[1], *size), done=["input"]))}
        self.values[INPUT].fresh = False
        for number, call in enumerate(recording.calls):
            if any(i in self.values for i in call.inputs if isinstance(i, type(INPUT))):
                rule = rules.get(call.op)
                if rule is None:
                    raise Unsupported(f"no rule for {call.op} in {call.module or 'the network'}")
                self.values[number], self.shapes[number] = rule(self, call), call.shape
            elif any(isinstance(i, type(INPUT)) for i in call.inputs):
                raise Unsupported(f"{call.op} in {call.module or 'the network'} reads what was not recorded")
        self.output = self.values.get(recording.output)
        if self.output is None or any(self.output.border):
            raise Unsupported("its output is not computed from its input")
        self._drop_unused()

    def add(self, node: Node) -> Value:
        """The Value that is all of a new node."""
        self.nodes.append(node)
        count = node.out[0]
        if node.w is not None and node.w.ndim == 4:
            node.kernel, node.macs = node.w.shape[2:], node.w.size * node.out[1] * node.out[2]
        return Value(np.full(count, len(self.nodes) - 1), np.arange(count), node.out[1:], fresh=True)

    def parts(self, call, i=0) -> list[Node] | None:
        """The nodes that argument i of the call consists of, if nothing else reads them: more can be done in them."""
        number = call.inputs[i]
        value = self.values.get(number) if isinstance(number, type(INPUT)) else None
        if value is None or not value.fresh or self.reads.get(number) != 1:
            return None
        return [self.nodes[i] for i in dict.fromkeys(value.nodes.tolist())]

    def value(self, call, i=0) -> Value:
        number = call.inputs[i]
        if not isinstance(number, type(INPUT)) or number not in self.values:
            raise Unsupported(f"{call.op} in {call.module or 'the network'} has a constant where an image is wanted")
        return self.values[number]

    def image(self, call, i=0) -> Value:
        """The argument, whose border, if any, is an array's own: a node reads it."""
        value = self.value(call, i)
        if any(value.border) or value.flat:
            raise Unsupported(f"{call.op} in {call.module or 'the network'} reads a padded or flattened image")
        return value

    def _drop_unused(self):
        """Nodes that the output does not need."""
        needed, waiting = set(), list(self.output.nodes)
        while waiting:
            i = int(waiting.pop())
            if i not in needed:
                needed.add(i)
                for value in (self.nodes[i].x, self.nodes[i].z):
                    waiting += [] if value is None else list(np.unique(value.nodes))
        self.needed = sorted(needed | {0})
