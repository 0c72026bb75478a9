"""Where two outcomes differ: value, dtype, type, shape; for an exception its type, never its words."""

from typing import NamedTuple

import numpy as np

from lightnn.study.exercises.outcome import Opaque, plain

CLOSE = {"float64": 1e-9, "float32": 1e-5, "float16": 1e-2}  # of the number, or a tenth of it of the largest one


class Difference(NamedTuple):
    """What differs, the expected and the actual value as text, and for arrays the first index that differs."""

    what: str
    expected: str
    got: str
    index: str = ""


def difference(want: dict, got: dict) -> Difference | None:
    """The first entry in which two outcomes disagree, or None."""
    if "raises" in want or "raises" in got:
        return _raises(want, got)
    for what in [*want, *(w for w in got if w not in want)]:
        if what not in got or what not in want:
            given = [plain(side[what]) if what in side else _instead(what, side) for side in (want, got)]
            return Difference(what, *given)
        if what.startswith("type of ") and want[what] != got[what]:
            return Difference(what, str(want[what]), str(got[what]))
        found = _differ(want[what], got[what])
        if found is not None:
            return Difference(what, *found)
    return None


def _instead(what, outcome):
    """What an outcome has in place of the entry `what`: a value of another type."""
    what = what.removeprefix("type of ")
    if f"type of {what}" in outcome:
        return f"a {outcome[f'type of {what}']}"
    return plain(outcome[what]) if what in outcome else "nothing there"


def _raises(want, got):
    if "raises" not in want:
        return Difference("result", _result(want), raised(got))
    kind = want["raises"][0]
    if "raises" not in got:
        return Difference("result", f"a {kind}", f"it returned {_result(got)}")
    return None if kind in got["raises"] else Difference("result", f"a {kind}", raised(got))


def raised(outcome):
    """'it raised KeyError: 3 (line 12)'."""
    line = f" (line {outcome['line'][0]})" if outcome["line"] else ""
    message = " ".join(outcome["message"].split())[:160]
    return f"it raised {outcome['raises'][0]}" + (f": {message}" if message else "") + line


def _result(outcome):
    found = [plain(value, 40) for what, value in outcome.items() if what.startswith("result")]
    return ", ".join(found[:4]) or str(outcome.get("type of result", "nothing"))


def _differ(a, b):
    """None if equal, else (expected, got, first index that differs or "")."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return _arrays(a, b)
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray | Opaque):
        return _described(a), _described(b), ""
    if type(a) is not type(b):
        return f"{plain(a)} ({type(a).__name__})", f"{plain(b)} ({type(b).__name__})", ""
    same = _close(np.float64(a), np.float64(b)) if isinstance(a, float) else a == b
    return None if same else (plain(a), plain(b), "")


def _described(a):
    return f"an array {plain(a)}" if isinstance(a, np.ndarray) else plain(a)


def _arrays(a, b):
    if a.shape != b.shape:
        return f"shape {a.shape}: {plain(a, 48)}", f"shape {b.shape}: {plain(b, 48)}", ""
    if a.dtype != b.dtype:
        return f"dtype {a.dtype}", f"dtype {b.dtype}", ""
    same = _close(a, b) if a.dtype.kind == "f" else a == b
    if same.all():
        return None
    at = tuple(int(i) for i in np.argwhere(~same)[0])
    index = f"[{', '.join(map(str, at))}]: {plain(a[at].item())}, not {plain(b[at].item())}"
    return plain(a), plain(b), index


def _close(a, b):
    relative = CLOSE[a.dtype.name]
    finite = np.abs(a[np.isfinite(a)])
    absolute = 0.1 * relative * float(finite.max()) if finite.size else 0.0
    with np.errstate(invalid="ignore", over="ignore"):
        return np.isclose(b, a, rtol=relative, atol=absolute, equal_nan=True)


def same(a: dict, b: dict) -> bool:
    """Whether two outcomes are the same, exceptions with the same words."""
    if "raises" in a or "raises" in b:
        return a.get("raises") == b.get("raises") and a.get("message") == b.get("message")
    return difference(a, b) is None
