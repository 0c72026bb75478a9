"""The bytes that a network holds to run, module by module."""

from dataclasses import dataclass

from lightnn import nn
from lightnn.runtime.registry import RunsOnly
from lightnn.tables import Tabular


@dataclass(frozen=True)
class HeldRow:
    """Bytes that one module holds itself, without the modules in it. parts: {what they are for: bytes}; dense: what
    weight and bias take with every weight stored as a plain number."""

    module: str
    kind: str  # its class
    parts: dict[str, int]
    dense: int

    held = property(lambda self: sum(self.parts.values()))


class Held(list, Tabular):
    """HeldRows, in the order of the modules. Printed, a table with totals."""

    held = property(lambda self: sum(row.held for row in self))
    dense = property(lambda self: sum(row.dense for row in self))

    def table(self):
        parts = tuple(dict.fromkeys(part for row in self for part in row.parts))
        rows = [(r.module, *(r.parts.get(p, 0) for p in parts), r.held, r.dense) for r in self]
        totals = [sum(column) for column in zip(*(row[1:] for row in rows))] or [0, 0]
        return "", ("module", *parts, "held", "dense"), [*rows, ("total", *totals)]


def held_bytes(model: nn.Module) -> Held:
    """The bytes of the arrays that each module of a network, lowered or not, holds to run: weights, indices, buffers.

    Neither what training adds (gradients, optimizer) nor what a run allocates for a while is counted.
    """
    rows = [_row(name, m) for name, m in model.named_modules()]
    return Held(row for row in rows if row.held)


def _row(name, m):
    if isinstance(m, RunsOnly):
        parts, dense = {part: 0 if a is None else a.nbytes for part, a in m.stored().items()}, m.dense_bytes
    else:
        own = {n: p.data.nbytes for n, p in m.members() if isinstance(p, nn.Parameter)}
        bias = own.pop("bias", 0)
        parts = {"values": sum(own.values()) + sum(getattr(m, b).nbytes for b in m.buffers), "bias": bias}
        dense = sum(parts.values())
    return HeldRow(name, type(m).__name__, parts, dense)
