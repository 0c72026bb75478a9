"""A program for one batch size: where each array lies in memory, and the steps as rows of a table.

Memory is one block of floats. An array has its place from the step that writes it first to the one that reads it last;
then the place is used again (first fit).
"""

from typing import NamedTuple

import numpy as np

from lightnn.kernels.program import steps
from lightnn.kernels.program.steps import Place, Step
from lightnn.kernels.program.tile import V
from lightnn.kernels.vector.gemm import ROWS, aligned_empty
from lightnn.runtime.floats.layout import Layout, panels

GRAIN = 100_000  # multiply-adds, or about as much work, that are worth a task of their own
MOST = 16  # tasks of a step
KINDS = {"dense": steps.DENSE, "depthwise": steps.DEPTHWISE, "each": steps.EACH, "max": steps.MAX, "mean": steps.MEAN}
MODES = {"affine": steps.AFFINE, "add": steps.ADD, "gate": steps.GATE}


class Program(NamedTuple):
    """What kernels.program.run takes, and how much memory it needs, in floats."""

    rows: np.ndarray
    bounds: np.ndarray
    table: np.ndarray
    memory: int
    names: tuple[tuple[str, str], ...]  # module and ops of each step


def build(layout: Layout, batch: int) -> Program:
    return _Builder(layout, batch).program()


class _Builder:
    def __init__(self, layout, batch):
        self.layout, self.graph, self.batch = layout, layout.graph, batch
        self.rows, self.bounds, self.names, self._tables, self._size, self._known = [], [], [], [], 0, {}
        self.dump = (
            max(home.width for home in layout.homes.values()) + 3 * V
        )  # for rows of a tile beyond the last pixel
        self.first = self._memory()

    def program(self):
        channels, height, _ = self.graph.nodes[0].out
        chunks = min(self.batch * height, self._tasks(4 * channels * self._pixels(0) // self.batch))
        self._step("ENTER", 0, steps.ENTER, pixels=self._pixels(0), image=self._place(0), chunks=chunks, tasks=chunks)
        zeroed = set()
        for i in self.graph.needed:
            group = self.layout.homes[i].group
            if any(group.border) and id(group) not in zeroed:
                zeroed.add(id(group))
                self._zero(i, group)
            if i:
                self._node(i, self.graph.nodes[i])
        self._leave()
        program = np.array(self.rows, np.int64).reshape(-1, len(Step._fields))
        table = np.concatenate(self._tables)
        return Program(program, np.array(self.bounds, np.float32), table, self.memory, tuple(self.names))

    # ---- memory ----

    def _memory(self):
        """{group: place of its first number}, and self.memory, how many numbers there are."""
        born, dies, order = {}, {}, self.graph.needed
        for step, i in enumerate(order):
            node = self.graph.nodes[i]
            born.setdefault(id(self.layout.homes[i].group), (step, self.layout.homes[i].group))
            dies[id(self.layout.homes[i].group)] = step
            for x in (node.x, node.z):
                if x is not None:
                    dies[id(self.layout.group_of(x))] = step
        dies[id(self.layout.group_of(self.graph.output))] = len(order)
        self.memory, first, living = self.dump, {}, []
        for key, (step, group) in born.items():
            living = [entry for entry in living if entry[2] >= step]
            size, at = self._numbers(group), -(-self.dump // V) * V
            for start, end, _ in sorted(living):
                if at + size <= start:
                    break
                at = max(at, end)
            living.append((at, at + size, dies[key]))
            first[key], self.memory = at, max(self.memory, at + size + V)
        return first

    def _numbers(self, group):
        top, bottom, left, right = group.border
        high, wide = group.size[0] + top + bottom, group.size[1] + left + right
        return -(-(self.batch * high * wide * group.pixel + 3 * V) // V) * V

    def _geometry(self, group):
        """Place of the pixel (0, 0) of the first image."""
        top, bottom, left, right = group.border
        row = (group.size[1] + left + right) * group.pixel
        image = (group.size[0] + top + bottom) * row
        return Place(
            self.first[id(group)] + top * row + left * group.pixel, image, row, group.pixel, *group.size, group.pixel
        )

    # ---- tables ----

    def _table(self, numbers):
        numbers = np.ascontiguousarray(numbers, np.int64)
        key = numbers.tobytes()
        if key not in self._known:
            self._known[key] = self._size
            self._tables.append(numbers)
            self._size += len(numbers)
        return self._known[key]

    def _place(self, i):
        home, node = self.layout.homes[i], self.graph.nodes[i]
        place = self._geometry(home.group)
        return self._table(place._replace(first=place.first + home.first, channels=node.out[0]))

    def _pixel_table(self, group, size, stride=(1, 1), before=(0, 0), add=0, beyond=None):
        """The place of each pixel (i s - p, j s - p), image by image, and for whole tiles: of those beyond the last."""
        g = self._geometry(group)
        n, i, j = (np.arange(count) for count in (self.batch, *size))
        rows = (i * stride[0] - before[0]) * g.row
        columns = (j * stride[1] - before[1]) * g.pixel
        places = (n[:, None, None] * g.image + rows[:, None] + columns + g.first + add).reshape(-1)
        spare = np.full(-len(places) % ROWS, places[-1] if beyond is None else beyond)
        return self._table(np.concatenate([places, spare]))

    def _pixels(self, i):
        return self.batch * self.graph.nodes[i].out[1] * self.graph.nodes[i].out[2]

    # ---- steps ----

    def _step(self, name, i, kind, bounds=(-np.inf, np.inf), **fields):
        node = self.graph.nodes[i]
        fields = {"tasks": 1, "chunks": 1, "groups": 1, "z_row": -1, **fields}
        self.rows.append([int(fields.get(name, kind if name == "kind" else 0)) for name in Step._fields])
        self.bounds.append(bounds)
        self.names.append((node.module, name))

    def _zero(self, i, group):
        top, bottom, left, right = group.border
        window = self._table([0, 0, 0, 0, top, left, bottom, right, 0, 0, 0])
        self._step("border", i, steps.ZERO, tasks=min(self.batch, MOST), chunks=min(self.batch, MOST),
                   pixels=self.batch, image=self._table(self._geometry(group)), step=window)  # fmt: skip

    def _node(self, i, node):
        home = self.layout.homes[i]
        y = self._pixel_table(home.group, node.out[1:], add=home.first, beyond=0)
        fields = {"pixels": self._pixels(i), "y_row": y, "vectors": home.width // V, "w": home.w, "b": home.b,
                  "act": node.act, "mode": MODES[node.mode]}  # fmt: skip
        fields |= getattr(self, f"_{node.kind}")(node, home)
        self._step(" ".join(node.done), i, KINDS[node.kind], (node.low, node.high), **fields)

    def _taps(self, node):
        """(Table of the pixels' windows, offsets of the taps (K, L))."""
        group = self.layout.group_of(node.x)
        g = self._geometry(group)
        x_row = self._pixel_table(group, node.out[1:], node.stride, node.padding[::2])
        down, right = (np.arange(k) * d for k, d in zip(node.kernel, node.dilation))
        return x_row, down[:, None] * g.row + right * g.pixel

    def _dense(self, node, home):
        x_row, taps = self._taps(node)
        step = (taps[:, :, None] + self.layout.places(node.x)).reshape(-1)
        z_row = -1
        if node.z is not None:
            z_row = self._pixel_table(self.layout.group_of(node.z), node.out[1:], add=self.layout.places(node.z)[0],
                                      beyond=0)  # fmt: skip
        cut = panels(home.width // V)
        tiles, tasks = -(-self.batch * node.out[1] * node.out[2] // ROWS), self._tasks(node.macs)
        if len(step) * home.width * 4 > 1 << 20:  # filters beyond a second-level cache: each thread reads its own
            groups = min(len(cut), tasks)
            chunks = max(1, min(tiles // steps.TILES, tasks // groups))
        else:
            chunks = max(1, min(tiles // 4, tasks))
            groups = max(1, min(len(cut), tasks // chunks))
        return {"x_row": x_row, "step": self._table(step), "depth": len(step), "z_row": z_row, "panels": len(cut),
                "chunks": chunks, "groups": groups, "tasks": chunks * groups}  # fmt: skip

    def _depthwise(self, node, home):
        x_row, taps = self._taps(node)
        tiles = -(-self.batch * node.out[1] * node.out[2] // ROWS)
        chunks = min(tiles, self._tasks(4 * node.macs))
        return {"x_row": x_row, "step": self._table(taps.reshape(-1)), "depth": taps.size, "chunks": chunks,
                "tasks": chunks, "x_vector": self._table(home.vectors)}  # fmt: skip

    def _each(self, node, home):
        size = node.out[1:]
        fields = {"x_row": self._pixel_table(self.layout.group_of(node.x), size)}
        fields["x_vector"] = self._table(home.vectors)
        fields["mode"] = MODES[node.mode] + 2 * home.lanes
        if node.z is not None:
            same = node.z.size == size
            fields["z_row"] = self._pixel_table(self.layout.group_of(node.z), size, (1, 1) if same else (0, 0))
            fields["z_vector"] = self._table(home.z_vectors)
        chunks = min(self._pixels_of(node), self._tasks(8 * home.width * size[0] * size[1]))
        return {**fields, "chunks": chunks, "tasks": chunks}

    def _pool(self, node, home, work):
        place = self._geometry(self.layout.group_of(node.x))
        chunks = min(self._pixels_of(node), self._tasks(work * home.width))
        return {"image": self._table(place), "step": self._table(node.window), "x_vector": self._table(home.vectors),
                "chunks": chunks, "tasks": chunks}  # fmt: skip

    def _max(self, node, home):
        return self._pool(node, home, 2 * node.out[1] * node.out[2] * node.window[0] * node.window[1])

    def _mean(self, node, home):
        return self._pool(node, home, 2 * node.x.size[0] * node.x.size[1])

    def _leave(self):
        y = self.graph.output
        i = int(y.nodes[-1])
        x_row = self._pixel_table(self.layout.group_of(y), y.size)
        self._step("LEAVE", i, steps.LEAVE, pixels=self.batch * y.size[0] * y.size[1], mode=self.batch,
                   depth=len(y.nodes), step=self._table(self.layout.places(y)), x_row=x_row)  # fmt: skip

    def _pixels_of(self, node):
        return self.batch * node.out[1] * node.out[2]

    def _tasks(self, work):
        """How many tasks are worth it: an even number, so that two threads get as much."""
        count = min(MOST, int(self.batch * work) // GRAIN)
        return max(1, count - count % 2)


def memory_for(program: Program) -> np.ndarray:
    """Zeros: what is never written, a lane beyond the last channel, must hold numbers."""
    memory = aligned_empty(program.memory, np.float32)
    memory[:] = 0
    return memory
