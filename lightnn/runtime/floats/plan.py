"""The plan of a float network: its weights, packed once, and programs for the shapes of images that have come."""

import threading

import numpy as np

from lightnn.kernels.program.run import run
from lightnn.nn import Module
from lightnn.runtime.floats.graph import Graph, Unsupported
from lightnn.runtime.floats.layout import Layout
from lightnn.runtime.floats.program import build, memory_for
from lightnn.runtime.floats.recording import Recording
from lightnn.runtime.floats.rules import RULES

PROGRAMS = 4  # that are kept, each for one shape of x


class Plan:
    """Takes the model over: its weights are packed, and then the model has none. What is left records another run when
    images of another size come. Several Python threads may call `run`."""

    def __init__(self, model: Module, shape: tuple[int, ...]):
        """Unsupported, with the reason, if the network can't become a program; the model is then as it was."""
        if any(p.dtype != np.float32 for p in model.parameters()) or len(shape) not in (2, 4):
            raise Unsupported("it is not one of float32 weights that reads (N, C) or (N, C, H, W)")
        self.dense_bytes = sum(p.data.nbytes for p in model.parameters())
        layout, ends = self._layout(model, shape[1:])
        self.weights, self._order = layout.weights, layout.order
        self._layouts, self._programs, self._memories = {shape[1:]: (layout, ends)}, {}, {}
        self._turn, self._model = threading.Lock(), model
        for p in model.parameters():
            if p.ndim > 1:
                p.data = np.broadcast_to(np.zeros((), p.dtype), p.shape)

    def __deepcopy__(self, memo):
        """What is planned does not change; memory is each network's own."""
        twin = memo[id(self)] = object.__new__(Plan)
        vars(twin).update(vars(self), _turn=threading.Lock(), _memories={})
        twin._layouts, twin._programs = dict(self._layouts), dict(self._programs)
        return twin

    def run(self, x: np.ndarray) -> np.ndarray:
        (layout, ends), program, memory = self._take(x.shape)
        y = np.empty((len(x), *ends), np.float32)
        if y.size:
            given = np.ascontiguousarray(x).reshape(-1)
            run(program.rows, program.bounds, memory, self.weights, program.table, given, y.reshape(-1))
        with self._turn:
            if x.shape in self._programs:
                self._memories.setdefault(x.shape, []).append(memory)
        return y

    def program(self):
        """That of the last shape, or of one image of the first one."""
        if not self._programs:
            layout, _ = next(iter(self._layouts.values()))
            return build(layout, 1)
        return next(reversed(self._programs.values()))

    def _take(self, shape):
        """The layout and the program for this shape, and memory that nobody else is using."""
        with self._turn:
            if shape[1:] not in self._layouts:
                layout, ends = self._layout(self._model, shape[1:])
                if layout.order != self._order:
                    raise ValueError(
                        f"FloatNetwork: want images for which the network has the same layers, got {shape}"
                    )
                self._layouts[shape[1:]] = layout, ends
            layout = self._layouts[shape[1:]]
            if shape not in self._programs:
                if len(self._programs) == PROGRAMS:
                    oldest = next(iter(self._programs))
                    del self._programs[oldest]
                    self._memories.pop(oldest, None)
                self._programs[shape] = build(layout[0], max(1, shape[0]))
            program, spare = self._programs[shape], self._memories.get(shape)
            return layout, program, spare.pop() if spare else memory_for(program)

    @staticmethod
    def _layout(model, shape):
        """The Layout for images of this shape, and the shape of what comes out."""
        recording = Recording(model, np.zeros((1, *shape), np.float32))
        graph = Graph(recording, (1, *shape), RULES)
        return Layout(graph), graph.shapes[recording.output][1:]
