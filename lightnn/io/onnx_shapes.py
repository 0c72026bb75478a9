"""How ops that move numbers and reduce axes are said in ONNX: flatten, reshape, slices, sums (see onnx_ops).

The size of the batch stays open. In a Reshape, 0 keeps an axis and -1 is what is left; a Slice goes to the end of an
axis by an end that lies beyond it.
"""

import operator

import numpy as np

from lightnn.io.onnx_graph import table

RULES, exports = table()
FIRST, LAST = -(2**63), 2**63 - 1  # an end of a Slice beyond all pixels


@exports("flatten")
def _flatten(call):
    start = call.options["start_dim"] % call.arrays[0].ndim
    if start == 1:
        return call.node("Flatten", call.value(0), axis=1)
    return call.node("Reshape", call.value(0), call.ints(*[0] * start, -1))


@exports("reshape")
def _reshape(call):
    """The first axis is what is left, so that a batch of any size fits."""
    return call.node("Reshape", call.value(0), call.ints(*([-1, *call.y.shape[1:]] if call.y.ndim else [])))


@exports("transpose")
def _transpose(call):
    n = call.arrays[0].ndim
    axes = range(n)[::-1] if call.options["axes"] is None else call.options["axes"]
    return call.node("Transpose", call.value(0), perm=[axis % n for axis in axes])


@exports("pad")
def _pad(call):
    """Our pairs begin with the last axis; ONNX has all beginnings, then all ends, from the first axis on."""
    pairs = np.zeros((call.arrays[0].ndim, 2), np.int64)
    given = np.array(call.options["padding"], np.int64).reshape(-1, 2)
    pairs[len(pairs) - len(given) :] = given[::-1]
    return call.node("Pad", call.value(0), call.ints(*pairs.T.ravel()), call.floats(call.options["value"]))


@exports("concat")
def _concat(call):
    return call.node("Concat", *map(call.value, range(len(call.arrays))), axis=int(call.options["dim"]))


@exports("sum")
def _sum(call):
    axes = _axes(call)
    return call.node("ReduceSum", call.value(0), *([call.ints(*axes)] if axes else []), keepdims=_keepdims(call))


@exports("max")
def _max(call):
    axes = _axes(call)  # in opset 17 an attribute, in ReduceSum an input
    return call.node("ReduceMax", call.value(0), **({"axes": axes} if axes else {}), keepdims=_keepdims(call))


def _axes(call):
    axis = call.options["axis"]
    return [] if axis is None else [int(a) for a in (axis if isinstance(axis, tuple) else (axis,))]


def _keepdims(call):
    return int(bool(call.options["keepdims"]))


@exports("getitem")
def _getitem(call):
    """Slices and single indices; lists of indices have no such simple counterpart."""
    index = call.options["index"] if isinstance(call.options["index"], tuple) else (call.options["index"],)
    if Ellipsis in (kinds := [i if i is Ellipsis else type(i) for i in index]):
        at = kinds.index(Ellipsis)
        index = (*index[:at], *[slice(None)] * (call.arrays[0].ndim - len(index) + 1), *index[at + 1 :])
    if not all(isinstance(i, slice | int | np.integer) and not isinstance(i, bool) for i in index):
        raise call.error("has no counterpart in ONNX unless its index is made of ints and slices")
    cuts = [(axis, *_cut(i)) for axis, i in enumerate(index) if i != slice(None)]
    y = call.value(0)
    if cuts:
        axes, starts, ends, steps = zip(*cuts)
        y = call.node("Slice", y, call.ints(*starts), call.ints(*ends), call.ints(*axes), call.ints(*steps))
    single = [axis for axis, i in enumerate(index) if not isinstance(i, slice)]
    return call.node("Squeeze", y, call.ints(*single)) if single else y


def _cut(i):
    """(start, end, step) of one axis. An end that is not given lies beyond all pixels, whatever their number."""
    if not isinstance(i, slice):
        i = operator.index(i)
        return i, i + 1 if i != -1 else LAST, 1
    step = 1 if i.step is None else operator.index(i.step)
    start = (0 if step > 0 else LAST) if i.start is None else operator.index(i.start)
    return start, (LAST if step > 0 else FIRST) if i.stop is None else operator.index(i.stop), step
