"""A generic mutator: small changes to a function's source, to see whether an exercise's tests notice them.

The usual operators of mutation testing (DeMillo, Lipton & Sayward 1978): swap an arithmetic or comparison operator,
drop a term, change a constant, swap an axis, negate a condition. Docstrings, messages of errors and annotations are
not changed.
"""

import ast
import copy

SWAPS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
DROPPED = (ast.Add, ast.Sub, ast.Mult, ast.Div)


def mutants(source):
    """Yield (what was changed, the changed source) for every small change to the one function in `source`."""
    tree = ast.parse(source)
    for place, node in enumerate(_sites(tree)):
        for what, change in _changes(node):
            changed = copy.deepcopy(tree)
            target = list(_sites(changed))[place]
            before = ast.unparse(target)
            change(target)
            if ast.unparse(target) == before:
                continue
            try:
                after = ast.unparse(changed)
                compile(after, "<mutant>", "exec")
            except (SyntaxError, ValueError):
                continue
            yield f"line {node.lineno}: {what}: {before}  ->  {ast.unparse(target)}", after + "\n"


def _sites(tree):
    """The nodes that may be changed, always in the same order; none in a `raise` or a docstring."""
    function = tree.body[0]
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    stack = [*function.args.defaults, *body][::-1]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Raise):
            continue
        yield node
        stack.extend(list(ast.iter_child_nodes(node))[::-1])


def _changes(node):
    """[(name, what to do to the node in place)]."""
    found = []
    if isinstance(node, ast.BinOp | ast.AugAssign | ast.BoolOp) and type(node.op) in SWAPS:
        found.append(("swap operator", lambda n: setattr(n, "op", SWAPS[type(n.op)]())))
    if isinstance(node, ast.BinOp) and isinstance(node.op, DROPPED):
        found += [("drop term", _become("left")), ("drop term", _become("right"))]
    if isinstance(node, ast.Compare):
        found += [("swap comparison", _swap_comparison(i)) for i, op in enumerate(node.ops) if type(op) in SWAPS]
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        found.append(("change constant", lambda n: setattr(n, "value", n.value + 1)))
        if node.value == 1:
            found.append(("change constant", lambda n: setattr(n, "value", 0)))
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        found.append(("change constant", lambda n: setattr(n, "value", not n.value)))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Invert | ast.Not):
        found.append(("drop sign", _become("operand")))
    if isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.ctx, ast.Load):
        found.append(("swap axes", lambda n: n.elts.reverse()))
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        found.append(("negate condition", lambda n: setattr(n, "test", ast.UnaryOp(ast.Not(), n.test))))
    return found


def _become(child):
    def change(node):
        value = getattr(node, child)
        node.__class__ = value.__class__
        for name in list(vars(node)):
            delattr(node, name)
        vars(node).update(vars(value))

    return change


def _swap_comparison(i):
    def change(node):
        node.ops[i] = SWAPS[type(node.ops[i])]()

    return change
