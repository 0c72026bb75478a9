"""What each op of a run becomes: a new node, more work for the node before it, or another view of the same channels."""

import math

import numpy as np

from lightnn import options
from lightnn.functional.pool import window
from lightnn.kernels.conv.planes import out_size
from lightnn.kernels.program import tail
from lightnn.runtime.floats.graph import Graph, Node, Unsupported, Value

RULES = {}
CLAMPS = {"relu": (0.0, np.inf), "relu6": (0.0, 6.0)}
TAILS = {"hardswish": tail.HARDSWISH, "hardsigmoid": tail.HARDSIGMOID, "silu": tail.SILU, "sigmoid": tail.SIGMOID}


def rule(*names):
    """Decorator: function(graph, call) -> Value is the rule of these ops."""
    return lambda function: RULES.update(dict.fromkeys(names, function)) or function


# ---- layers ----


@rule("conv2d", "grouped_conv2d", "depthwise_conv2d")
def convolution(graph: Graph, call) -> Value:
    x, w, b = graph.value(call), *weights(call)
    stride, padding, dilation = (options.pair(n, call.options[n]) for n in ("stride", "padding", "dilation"))
    top, bottom, left, right = x.border
    padding = top + padding[0], bottom + padding[0], left + padding[1], right + padding[1]
    size = [
        out_size(n, k, s, p, q, d)
        for n, k, s, p, q, d in zip(x.size, w.shape[2:], stride, padding[::2], padding[1::2], dilation)
    ]
    groups = len(x.nodes) // w.shape[1]
    how = {"module": call.module, "stride": stride, "padding": padding, "dilation": dilation, "done": [call.op]}
    if groups > 1 and len(w) == groups:
        return graph.add(Node("depthwise", (len(w), *size), x=x, w=w, b=b, **how))
    if groups > 1 and w.shape[1] == 1:
        raise Unsupported(f"several filters a channel in {call.module or 'the network'}")
    o, c = len(w) // groups, w.shape[1]
    made = []
    for g in range(groups):
        part, rows = x.part(slice(g * c, (g + 1) * c)), slice(g * o, (g + 1) * o)
        how["done"] = [call.op]
        made.append(graph.add(Node("dense", (o, *size), x=part, w=w[rows], b=b[rows], **how)))
    y = listed(made)
    y.fresh = True
    return y


@rule("linear")
def linear(graph, call):
    x, w, b = graph.value(call), *weights(call)
    if any(x.border) or len(call.shape) != 2:
        raise Unsupported(f"linear on more than two axes in {call.module or 'the network'}")
    w = w.reshape(len(w), len(x.nodes), *x.size)
    x = Value(x.nodes, x.channels, x.size)
    return graph.add(Node("dense", (len(w), 1, 1), x=x, w=w, b=b, module=call.module, done=[call.op]))


def weights(call):
    """w as it is, and b in float64; b is zeros if there is none."""
    w, b = call.inputs[1], call.inputs[2] if len(call.inputs) > 2 else None
    if not isinstance(w, np.ndarray) or not (b is None or isinstance(b, np.ndarray)):
        raise Unsupported(f"{call.op} in {call.module or 'the network'} has weights that are computed in the run")
    return w, np.zeros(len(w)) if b is None else b.astype(np.float64)


# ---- what follows a layer ----


@rule("batch_norm")
def batch_norm(graph, call):
    """w' = gamma w / sqrt(var + eps), b' = beta + gamma (b - mean) / sqrt(var + eps) (Jacob et al. 2018, arXiv
    1712.05877, section 3.2)."""
    given = call.options
    gamma, beta = (np.asarray(a, np.float64) for a in call.inputs[1:3])
    scale = gamma / np.sqrt(given["running_var"].astype(np.float64) + given["eps"])
    shift = beta - given["running_mean"] * scale
    nodes = graph.parts(call)
    if nodes is None or any(n.w is None or n.z is not None or not n.bare() for n in nodes):
        return each(graph, call, scale, shift)
    start = 0
    for node in nodes:
        rows = slice(start, start + node.out[0])
        node.scale = node.scale * scale[rows]
        node.b, start = node.b * scale[rows] + shift[rows], rows.stop
        node.done.append(call.op)
    return graph.value(call)


@rule(*CLAMPS, *TAILS, "hardtanh")
def activation(graph, call):
    given = call.options
    low, high = CLAMPS.get(call.op, (given.get("min_val", -np.inf), given.get("max_val", np.inf)))
    nodes = graph.parts(call)
    if nodes is None or not all(n.kind in ("dense", "depthwise", "each") and n.bare() for n in nodes):
        y = each(graph, call)
        nodes = graph.nodes[-1:]
    else:
        y = graph.value(call)
    for node in nodes:
        node.low, node.high, node.act = low, high, TAILS.get(call.op, tail.NONE)
        if node.done[-1] != call.op:
            node.done.append(call.op)
    return y


def each(graph, call, scale=None, shift=None):
    """A node that maps each number by itself."""
    x = graph.image(call) if not graph.value(call).flat else unflat(graph.value(call))
    count = len(x.nodes)
    w, b = np.ones(count) if scale is None else scale, np.zeros(count) if shift is None else shift
    return graph.add(Node("each", (count, *x.size), x=x, w=w, b=b, module=call.module, done=[call.op]))


def unflat(x):
    if x.size != (1, 1):
        raise Unsupported("an op on each number of a flattened image")
    return Value(x.nodes, x.channels, x.size)


@rule("add")
def addition(graph, call):
    """Into the layer that makes the later operand, if nothing else reads that: its sums start from the other one."""
    if not all(isinstance(i, type(call.inputs[0])) and i in graph.values for i in call.inputs):
        return with_number(graph, call)
    a, b = (graph.image(call, i) for i in (0, 1))
    if graph.shapes[call.inputs[0]] != graph.shapes[call.inputs[1]]:
        raise Unsupported(f"a sum of different shapes in {call.module or 'the network'}")
    later = int(a.nodes.max() < b.nodes.max())
    own, other = ((a, b), (b, a))[later]
    nodes = graph.parts(call, later)
    whole = nodes and len(nodes) == 1 and nodes[0].kind == "dense" and nodes[0].z is None and nodes[0].bare()
    if whole and other.nodes.max() < own.nodes[0] and len(set(other.nodes.tolist())) == 1 and in_order(other):
        nodes[0].z = other
        nodes[0].done.append("add")
        return own
    return graph.add(Node("each", (len(a.nodes), *a.size), x=a, z=b, mode="add", module=call.module, done=["add"]))


def in_order(x):
    return (np.diff(x.channels) == 1).all()


@rule("mul")
def product(graph, call):
    """An image times a gate (N, C, 1, 1), as in squeeze-and-excitation."""
    if not all(isinstance(i, type(call.inputs[0])) and i in graph.values for i in call.inputs):
        return with_number(graph, call)
    a, b = (graph.image(call, i) for i in (0, 1))
    a, b = (b, a) if a.size == (1, 1) != b.size else (a, b)
    if b.size not in ((1, 1), a.size) or len(a.nodes) != len(b.nodes):
        raise Unsupported(f"a product of different shapes in {call.module or 'the network'}")
    return graph.add(Node("each", (len(a.nodes), *a.size), x=a, z=b, mode="gate", module=call.module, done=["mul"]))


def with_number(graph, call):
    """x + a or x a, a one number."""
    a = call.inputs[1]
    if not isinstance(a, int | float) or isinstance(a, type(call.inputs[0])):
        raise Unsupported(f"{call.op} with a constant array in {call.module or 'the network'}")
    count = len(graph.value(call).nodes)
    scale = np.full(count, float(a)) if call.op == "mul" else None
    return each(graph, call, scale, np.full(count, float(a)) if call.op == "add" else None)


# ---- pooling ----


@rule("max_pool2d", "avg_pool2d")
def pooling(graph, call):
    x, given = graph.image(call), dict(call.options)
    counted = given.pop("count_include_pad", True)
    shape = np.empty((1, 1, *x.size), np.float32)
    kernel, stride, (top, bottom, left, right), _ = window(call.op, shape, **given)
    size = call.shape[2:]
    how = (*kernel, *stride, top, left, bottom, right, *size, int(counted))
    kind = "max" if call.op == "max_pool2d" else "mean"
    return graph.add(Node(kind, (len(x.nodes), *size), x=x, window=how, module=call.module, done=[call.op]))


@rule("adaptive_avg_pool2d")
def adaptive(graph, call):
    x, size = graph.image(call), call.shape[2:]
    how = (0, 0, 0, 0, 0, 0, 0, 0, *size, 0)
    return graph.add(Node("mean", (len(x.nodes), *size), x=x, window=how, module=call.module, done=[call.op]))


# ---- views ----


def listed(values):
    nodes, channels = (np.concatenate([getattr(v, name) for v in values]) for name in ("nodes", "channels"))
    return Value(nodes, channels, values[0].size, flat=values[0].flat)


@rule("concat")
def concatenation(graph, call):
    values = [graph.value(call, i) for i in range(len(call.inputs))]
    bad = any(any(v.border) or (v.flat and v.size != (1, 1)) for v in values)
    if bad or call.options["dim"] % len(call.shape) != 1:
        raise Unsupported(f"a concatenation of something else than channels in {call.module or 'the network'}")
    return listed(values)


@rule("channel_shuffle")
def shuffle(graph, call):
    x, groups = graph.image(call), call.options["groups"]
    return x.part(np.arange(len(x.nodes)).reshape(groups, -1).T.reshape(-1))


@rule("getitem")
def chosen(graph, call):
    x, index = graph.image(call), call.options["index"]
    index = index if isinstance(index, tuple) else (index,)
    everything = [slice(None)] * 4
    if len(index) > 4 or not all(isinstance(s, slice) for s in index):
        raise Unsupported(f"an index {index} in {call.module or 'the network'}")
    index = [*index, *everything[len(index) :]]
    steps = [s.step or 1 for s in index[2:]]
    whole = index[0] == slice(None) and all(s.start in (None, 0) and s.stop is None for s in index[2:])
    if not whole or min(steps) < 1:
        raise Unsupported(
            f"an index that chooses more than channels and every n-th pixel in {call.module or 'the network'}"
        )
    x = x.part(index[1])
    if steps == [1, 1]:
        return x
    how = (1, 1, *steps, 0, 0, 0, 0, *call.shape[2:], 1)  # the largest of one pixel
    return graph.add(Node("max", call.shape[1:], x=x, window=how, module=call.module, done=[call.op]))


@rule("flatten", "reshape")
def flattened(graph, call):
    x = graph.value(call)
    if any(x.border) or call.shape[1:] != (len(x.nodes) * math.prod(x.size),):
        raise Unsupported(f"a reshape to {call.shape} in {call.module or 'the network'}")
    return Value(x.nodes, x.channels, x.size, flat=True)


@rule("pad")
def padded(graph, call):
    x = graph.value(call)
    left, right, top, bottom, *more = (*call.options["padding"], *[0] * (6 - len(call.options["padding"])))
    if call.options["value"] or any(more[2:]) or x.flat:
        raise Unsupported(f"a pad that is not of zeros around an image in {call.module or 'the network'}")
    border = tuple(a + b for a, b in zip(x.border, (top, bottom, left, right)))
    x = Value(x.nodes, x.channels, x.size, border)
    return more_channels(graph, call, x, *more) if any(more) else x


def more_channels(graph, call, x, before, after):
    """Zeros as further channels, by a 1x1 convolution that copies the others: a shortcut of ResNet's option A."""
    count = len(x.nodes)
    w, b = np.pad(np.eye(count, dtype=np.float32), ((before, after), (0, 0))), np.zeros(count + before + after)
    top, bottom, left, right = x.border
    size = x.size[0] + top + bottom, x.size[1] + left + right
    how = {"module": call.module, "padding": x.border, "done": [call.op]}
    return graph.add(Node("dense", (len(w), *size), x=x, w=w[:, :, None, None], b=b, **how))
