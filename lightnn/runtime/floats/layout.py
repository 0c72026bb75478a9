"""Where channels lie in a pixel, and the weights in that order: what does not depend on the batch.

The arrays of nodes whose channels are read together (a concatenation) share one `Group`: their pixels lie in one
another, each node at its own slots. A slot is a number's place in a pixel; each node begins with a new vector.
"""

from dataclasses import dataclass

import numpy as np

from lightnn.compress.finite import check_finite
from lightnn.kernels.program.tile import V
from lightnn.runtime.floats.graph import Graph, Node, Unsupported, Value


@dataclass(eq=False)
class Group:
    """Arrays in one another. pixel: numbers in a pixel. border: zeros around the image (top, bottom, left, right)."""

    size: tuple[int, int]
    pixel: int = 0
    border: tuple[int, int, int, int] = (0, 0, 0, 0)


@dataclass(eq=False)
class Home:
    """Where a node's channels are: slots `first + slots[c]` of its group. width: the slots it owns. vectors: for a node
    that works lane by lane, where its operand's vectors are. w, b: places of its packed weights. panels: of them."""

    group: Group
    first: int
    slots: np.ndarray
    width: int
    vectors: np.ndarray | None = None
    z_vectors: np.ndarray | None = None
    lanes: bool = False  # these two are of single numbers
    w: int = 0
    b: int = 0


class Layout:
    """homes: {number of a node: its Home}. weights: all packed weights, float32. order: what is packed, one after the
    other: two layouts with the same order can use each other's weights."""

    def __init__(self, graph: Graph):
        self.graph, self.homes, self.order, self._packed, self._size = graph, {}, [], [], 0
        groups = self._groups()
        for i in graph.needed:
            node = graph.nodes[i]
            home = self.homes[i] = self._home(node, groups[i])
            home.group.pixel += home.width
            if node.w is not None:
                self._pack(node, home)
                node.w = node.b = None
        for i in graph.needed:
            self._widen(graph.nodes[i])
        self.weights = np.concatenate([*self._packed, np.zeros(4 * V, np.float32)])
        del self._packed

    def places(self, x: Value) -> np.ndarray:
        """The slot of each channel, in the pixels of its group."""
        return np.array([self.homes[i].first + self.homes[i].slots[c] for i, c in zip(x.nodes, x.channels)], np.int64)

    def group_of(self, x: Value) -> Group:
        return self.homes[int(x.nodes[0])].group

    def _groups(self):
        """{node: its Group}: nodes that some node reads together have the same one."""
        nodes, lead = self.graph.nodes, {}

        def root(i):
            while lead.get(i, i) != i:
                i = lead[i]
            return i

        values = [v for i in self.graph.needed for v in (nodes[i].x, nodes[i].z) if v is not None]
        for value in [*values, self.graph.output]:
            first, *others = dict.fromkeys(value.nodes.tolist())
            for other in others:
                a, b = sorted((root(first), root(other)))
                lead[b] = a
        made = {}
        found = {i: made.setdefault(root(i), Group(nodes[root(i)].out[1:])) for i in self.graph.needed}
        if any(found[i].size != nodes[i].out[1:] for i in found):
            raise Unsupported("arrays of different sizes are read as one")
        return found

    def _home(self, node: Node, group: Group) -> Home:
        count = node.out[0]
        if node.kind in ("input", "dense"):
            return Home(group, group.pixel, np.arange(count), self._width(node, count))
        vectors, slots = self._vectors(node.x)
        home = Home(group, group.pixel, slots, V * len(vectors), vectors * V)
        if node.z is not None:
            z_vectors, z_slots = self._vectors(node.z)
            home.z_vectors = z_vectors * V
            if not np.array_equal(slots, z_slots):
                return self._lanes(node, group)
        return home

    def _lanes(self, node, group):
        """For operands whose channels lie differently: number by number, and lanes to spare repeat the first one."""
        count = node.out[0]
        width = -(-count // V) * V
        tables = [np.resize(self.places(v), width) for v in (node.x, node.z)]
        return Home(group, group.pixel, np.arange(count), width, *tables, lanes=True)

    def _width(self, node, count):
        """Whole vectors; an image that only dense layers read needs none."""
        if node.kind == "input":
            number = self.graph.nodes.index(node)
            readers = [n for n in (self.graph.nodes[i] for i in self.graph.needed) if n.x is not None]
            readers = [n for n in readers if any(v is not None and number in v.nodes for v in (n.x, n.z))]
            if all(n.kind == "dense" and n.z is None and set(n.x.nodes.tolist()) == {number} for n in readers):
                return count
        return -(-count // V) * V

    def _vectors(self, x):
        """(The vectors of a pixel that hold channels of x, the slot of each channel if only these were there)."""
        places = self.places(x)
        vectors, order = np.unique(places // V, return_inverse=True)
        return vectors, order * V + places % V

    def _pack(self, node, home):
        self.order.append((node.kind, node.module, node.w.shape, home.slots.tobytes()))
        rows = (node.w.reshape(len(node.w), -1).T * node.scale).astype(np.float32)  # (C KH KW, O)
        for array in (rows, node.b):
            check_finite(f"lower: {node.module or 'the network'}", array)
        if node.kind == "dense":
            o, c, kh, kw = node.w.shape
            rows = rows.reshape(c, kh * kw, o).transpose(1, 0, 2).reshape(-1, o)
        wide = np.zeros((len(rows), home.width), np.float32)
        wide[:, home.slots] = rows
        cuts = [start * V for start, _ in panels(home.width // V)] if node.kind == "dense" else [0]
        home.w = self._keep([part.reshape(-1) for part in np.split(wide, cuts[1:], axis=1)])
        b = np.zeros(home.width)
        b[home.slots] = node.b
        home.b = self._keep([b.astype(np.float32)])

    def _keep(self, arrays):
        """The place where they begin, one after the other."""
        at = self._size
        self._packed += arrays
        self._size += sum(map(len, arrays))
        return at

    def _widen(self, node):
        """The border of what a convolution reads is as wide as it needs."""
        if node.kind not in ("dense", "depthwise"):
            return
        group, needed = self.group_of(node.x), []
        kernel = node.kernel
        for axis in (0, 1):
            before = node.padding[2 * axis]
            reach = (node.out[1 + axis] - 1) * node.stride[axis] + (kernel[axis] - 1) * node.dilation[axis]
            needed += [before, max(0, reach - before - node.x.size[axis] + 1)]
        group.border = tuple(map(max, group.border, needed))


def panels(vectors: int) -> list[tuple[int, int]]:
    """How the vectors of a layer's filters are cut into panels of up to three: (first, last + 1)."""
    count = -(-vectors // 3)
    return [(p * vectors // count, (p + 1) * vectors // count) for p in range(count)]
