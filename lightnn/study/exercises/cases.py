"""What an exercise is graded on: calls, written as Python that a reader can paste.

The cases of chapter NN are in `tests/exercises/chNN.py`: `CASES = {"NN.M": [Case(...), ...]}`, the smallest first. A
solution is right if every call gives what the reference gives (outcome.py says what is compared). Where any of several
results is right, because random numbers are drawn, the case has a `judge` instead.
"""

import ast
import copy
import functools
import importlib.util
import inspect
from collections.abc import Callable
from dataclasses import dataclass

from lightnn.exercise import REGISTRY, reference_of
from lightnn.files import ROOT

FOLDER = ROOT / "tests" / "exercises"


@dataclass(frozen=True)
class Case:
    """One or more calls of the function that an exercise asks for.

    call: "share(p, 2)", or several such calls, each on fresh arguments; setup: the lines before it. They see the names
    of the reader's file. says: the words of the docstring that the case holds a solution to. want: the result, worked
    out by hand, as an expression; the reference is tested against it. judge(results) gets what the calls returned, and
    returns None or (what was wanted, what came).
    """

    call: str | tuple[str, ...]
    setup: str = ""
    says: str = ""
    want: str = ""
    judge: Callable | None = None

    @property
    def calls(self) -> tuple[str, ...]:
        return (self.call,) if isinstance(self.call, str) else self.call

    def text(self, place: int = 0) -> str:
        """What to paste for call number `place`."""
        return "\n".join(filter(None, [self.setup.strip("\n"), self.calls[place]]))


def cases_of(number: str) -> list[Case]:
    """The cases of exercise `number`, in the order in which they are tried."""
    found = _chapter(number.partition(".")[0]).CASES
    if number not in found:
        raise ValueError(f"{FOLDER.name} has no cases for exercise {number}")
    return found[number]


@functools.cache
def _chapter(chapter):
    path = FOLDER / f"ch{chapter}.py"
    if not path.exists():
        raise ValueError(f"there is no {path.relative_to(ROOT)}: the exercises need a checkout of the repository")
    spec = importlib.util.spec_from_file_location(f"cases_ch{chapter}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def namespace(number: str) -> dict:
    """The names that a case may use: those of the module in which the reference stands, and the chapter's exercises.

    A chapter's stubs import what their references use of these; a test sees to it that the cases need nothing else."""
    import numpy as np

    from lightnn.nn import Parameter
    from lightnn.tensor import Tensor

    space = dict(vars(inspect.getmodule(reference_of(number))))
    chapter = number.partition(".")[0]
    space |= {fn.__name__: fn for n, fn in REGISTRY.items() if n.partition(".")[0] == chapter}
    return space | {"np": np, "Parameter": Parameter, "Tensor": Tensor}


def arguments(number: str, case: Case) -> list[tuple[tuple, dict]]:
    """(positional arguments, options) of each of the case's calls, new and with no memory in common."""
    space = namespace(number)
    exec(case.setup, space)
    made = []
    for call in case.calls:
        node = ast.parse(call, mode="eval").body
        if not isinstance(node, ast.Call):
            raise ValueError(f"exercise {number}: want a call, got {call!r}")

        def value(part):
            return eval(compile(ast.Expression(part), "<case>", "eval"), space)

        args, options = tuple(map(value, node.args)), {k.arg: value(k.value) for k in node.keywords}
        made.append(copy.deepcopy((args, options)))
    return made
