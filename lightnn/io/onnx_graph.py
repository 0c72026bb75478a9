"""What a run of a network computes, as the nodes and constants of an ONNX graph; plain records, without onnx itself.

A `Graph` is a watcher (`lightnn.tensor.watching`): each op that reads something computed from the network's input
becomes nodes, by the rules of `onnx_ops`. An op on weights alone, such as a mask, is not exported: its result is a
constant under the weight's name in the state. An array that neither an op nor the state gave is a constant too.
"""

import itertools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lightnn.compress.structure.wiring import MOVES
from lightnn.declare import Declaration
from lightnn.io.onnx_quantized import pair
from lightnn.nn import Module, Parameter
from lightnn.nn.module import running


def table():
    """(rules, exports): rules {name of an op: function(Call) -> the name of what is its y}, and a decorator that adds
    one: @exports("relu", ...)."""
    rules = {}

    def exports(*ops):
        def register(rule):
            rules.update(dict.fromkeys(ops, rule))
            return rule

        return register

    return rules, exports


class Node(NamedTuple):
    """One ONNX operator. attributes: ints, floats and lists of ints. where: the module and op that it comes from."""

    operator: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict
    where: str


class Graph:
    """Nodes in the order of the run, and constants by name. rules: {name of an op: its rule}."""

    def __init__(self, model: Module, rules: dict):
        self.nodes, self.constants, self.rules = [], {}, rules
        self.paths = {id(m): path for path, m in model.named_modules()}
        self.parameters = dict(model.named_parameters())
        self.names = {}  # id of an array computed from the input: the array, which keeps the id taken, and its name
        self.weights = {id(array): (array, name) for name, array in _state(model)}
        self.codes, self.held_weights = {}, {}  # of what is quantized (see onnx_quantized)
        self.taken = set()

    def __call__(self, op: Declaration, arrays: list, options: dict, y: np.ndarray) -> None:
        if any(self.known(a) for a in arrays):
            call = Call(self, op.name, arrays, options, y, self.paths.get(id(running.get()), ""))
            if op.name not in self.rules:
                raise call.error("has no counterpart in ONNX")
            self.names[id(y)] = y, self.passed_on(call, self.rules[op.name](call))
        elif found := [self.weights[id(a)] for a in arrays if id(a) in self.weights]:
            self.weights[id(y)] = y, found[0][1]

    def passed_on(self, call: "Call", y: str) -> str:
        """y; as codes, if the op only moves numbers and those of its input are."""
        x = call.value(0) if call.op in MOVES and self.known(call.arrays[0]) else None
        return pair(call, y, self.codes[x]) if x in self.codes and x != y else y

    def known(self, array) -> bool:
        """Whether the array was computed from the network's input."""
        return id(array) in self.names

    def free(self, name: str) -> str:
        """The name, with a number if it is taken. It is taken then."""
        numbered = (f"{name}_{i}" for i in itertools.count(1))
        name = next(n for n in itertools.chain([name], numbered) if n not in self.taken)
        self.taken.add(name)
        return name

    def constant(self, name: str, array: np.ndarray) -> str:
        """A constant of this name, or another name if there is a different one already."""
        held = self.constants.get(name)
        if held is not None and held.dtype == array.dtype and np.array_equal(held, array, equal_nan=True):
            return name
        name = self.free(name)
        self.constants[name] = np.array(array)
        return name

    def give_output(self, name: str, given: str, output: str) -> None:
        """Rename the value `name` to `output`; the input and constants keep theirs, and are copied."""
        if name == given or all(node.output != name for node in self.nodes):
            self.nodes.append(Node("Identity", (name,), output, {}, "the network's output"))
            return
        for k, node in enumerate(self.nodes):
            inputs = tuple(output if i == name else i for i in node.inputs)
            self.nodes[k] = node._replace(inputs=inputs, output=output if node.output == name else node.output)


def _state(model):
    """(name, array) of the state; what a weight's transforms hold has the weight's name."""
    inside = []
    for name, owner, attribute in model._slots():
        outer = next((p for p in inside if name.startswith(p + ".")), None)
        if isinstance(owner, Parameter) and outer is None:
            inside.append(name)
        yield outer or name, getattr(owner, attribute)


@dataclass(frozen=True)
class Call:
    """One call of an op, for its rule."""

    graph: Graph
    op: str
    arrays: list
    options: dict
    y: np.ndarray
    path: str

    @property
    def where(self) -> str:
        return f"`{self.op}` in {self.path or 'the network itself'}"

    def error(self, reason: str) -> ValueError:
        return ValueError(f"to_onnx: {self.where} {reason}")

    def value(self, which: int) -> str:
        """The name of the op's array number `which`: what an op gave, or a float32 constant."""
        array = self.arrays[which]
        return self.graph.names[id(array)][1] if self.graph.known(array) else self.floats(array)

    def floats(self, array) -> str:
        """A float32 constant: under its name in the state if the array is there, else named for the op."""
        return self.graph.constant(self.state_name(array, "constant"), np.asarray(array, np.float32))

    def state_name(self, array, otherwise: str) -> str:
        """The array's name in the state, else one made of the module's path and the op."""
        held, name = self.graph.weights.get(id(array), (None, None))
        return name if held is array and name else f"{self.path}/{self.op}.{otherwise}"

    def ints(self, *numbers: int) -> str:
        """A constant that says a shape or axes."""
        return self.graph.constant(f"{self.path}/{self.op}.ints", np.array(numbers, np.int64))

    def node(self, operator: str, *inputs: str, **attributes) -> str:
        """A node with these inputs; the name of its output."""
        output = self.graph.free(f"{self.path}/{self.op}")
        self.graph.nodes.append(Node(operator, inputs, output, attributes, self.where))
        return output
