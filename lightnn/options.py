"""Checks of options: one helper each for counts, pairs, numbers and probabilities, and for the few other kinds.

    stride = pair("conv2d: stride", stride, at_least=1)

Each takes what an error calls the option, and what was given. It returns Python's own number, or raises ValueError in
one line, "conv2d: stride: want an int >= 1 or a pair of them, got 0". NumPy's numbers are taken wherever Python's are;
True and False are no numbers.
"""

import math
import numbers
from collections.abc import Callable, Mapping, Sequence

import numpy as np

Pair = int | tuple[int, int]  # an option for both axes, or one for each: (vertical, horizontal)
Rng = np.random.Generator | int  # a generator, or a seed for one
MOST = 2**31 - 1  # a count; also what an int32 of a kernel can hold
WIDEST = 2**63 - 1  # any other int


def count(name: str, value: int, at_least: int = 1, at_most: int = MOST) -> int:
    """How many or how wide: an int from at_least to at_most."""
    if not _is_int(value, at_least, at_most):
        raise wrong(name, _ints(value, at_least, at_most), value)
    return int(value)


def counts(where: str, **values: int) -> list[int]:
    """Several counts >= 1 of one function, each by its name."""
    return [count(f"{where}: {name}", value) for name, value in values.items()]


def times(name: str, value: int) -> int:
    """How often, or how far: an int >= 0."""
    return count(name, value, at_least=0)


def place(name: str, value: int, length: int) -> int:
    """The index of one of `length` things: an int from 0 to length - 1."""
    return count(name, value, 0, length - 1)


def whole(name: str, value: int) -> int:
    """Any int of 64 bits: an axis, a label, a step of the training."""
    return count(name, value, -WIDEST - 1, WIDEST)


def wholes(where: str, **values: int) -> list[int]:
    """Several ints of one function, each by its name."""
    return [whole(f"{where}: {name}", value) for name, value in values.items()]


def pair(name: str, value: Pair, at_least: int = 0, at_most: int = MOST) -> tuple[int, int]:
    """(h, w), from an int for both or from two ints, each from at_least to at_most."""
    two = list(value) if _is_listed(value) else [value, value]
    if len(two) != 2 or not all(_is_int(v, at_least, at_most) for v in two):
        largest = max((v for v in two if isinstance(v, numbers.Integral)), default=0)
        raise wrong(name, f"{_ints(largest, at_least, at_most)} or a pair of them", value)
    return int(two[0]), int(two[1])


def listed(name: str, value: Sequence, want: str, lengths: Sequence[int] = range(1, MOST)) -> list:
    """Some things in a tuple, a list or an array of one dimension."""
    if not _is_listed(value) or len(value) not in lengths:
        raise wrong(name, want, value)
    return list(value)


def named(name: str, value: Mapping[str, object]) -> Mapping[str, object]:
    """Something for each of some names: a dict."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise wrong(name, "a dict with names as keys", value)
    return value


def ints(name: str, value: Sequence[int], want: str, at_least: int = 0) -> tuple[int, ...]:
    """Some ints, each >= at_least; `want` says which."""
    if not _is_listed(value) or not all(_is_int(n, at_least, MOST) for n in value):
        raise wrong(name, want, value)
    return tuple(map(int, value))


def shape(name: str, value: Sequence[int]) -> tuple[int, ...]:
    """The shape of a batch of something: at least one int, each >= 1."""
    want = f"ints from 1 to {MOST}, batch first"
    sizes = ints(name, value, want, at_least=1)
    if not sizes:
        raise wrong(name, want, value)
    return sizes


def number(
    name: str,
    value: float,
    *,
    at_least: float = -math.inf,
    at_most: float = math.inf,
    above: float = -math.inf,
    below: float = math.inf,
    infinite: bool = False,
) -> float:
    """A number within the bounds, finite unless infinite. An int stays an int if a float holds it exactly."""
    if _is_number(value, infinite) and at_least <= value <= at_most and (above < value < below or infinite):
        own = value.item() if isinstance(value, np.generic) else value
        return own if type(own) is int and abs(own) <= 2**53 else float(own)
    bounds = ((">=", at_least), ("<=", at_most), (">", above), ("<", below))
    said = " and ".join(f"{sign} {n}" for sign, n in bounds if abs(n) < math.inf)
    raise wrong(name, f"a {'' if infinite else 'finite '}number {said}".strip(), value)


def any_number(name: str, value: float) -> float:
    """Any number, infinities and NaN too: for a formula that is defined for them, or checks the range itself."""
    is_nan = isinstance(value, numbers.Real) and value != value
    return float(value) if is_nan else number(name, value, infinite=True)


def finite(where: str, **values: float) -> list[float]:
    """Several finite numbers of one function, each by its name."""
    return [number(f"{where}: {name}", value) for name, value in values.items()]


def numbers_above_0(where: str, **values: float) -> list[float]:
    """Several numbers > 0 of one function, each by its name."""
    return [number(f"{where}: {name}", value, above=0) for name, value in values.items()]


def probability(name: str, value: float) -> float:
    """A number from 0 to 1."""
    return number(name, value, at_least=0, at_most=1)


def fraction(name: str, value: float) -> float:
    """A part of a whole, of which something stays: a number > 0 and <= 1."""
    return number(name, value, above=0, at_most=1)


def flag(name: str, value: bool) -> bool:
    """True or False."""
    if not isinstance(value, bool | np.bool_):
        raise wrong(name, "True or False", value)
    return bool(value)


def one_of(name: str, value: str, choices: Sequence[str]) -> str:
    """One of a few words."""
    if not isinstance(value, str) or value not in choices:
        raise wrong(name, " or ".join(choices), value)
    return value


def text(name: str, value: str) -> str:
    """A text, such as a name."""
    if not isinstance(value, str):
        raise wrong(name, "a text", value)
    return value


def function(name: str, value: Callable | None, optional: bool = False) -> Callable | None:
    """Something that can be called; None too if it is optional."""
    if not callable(value) and not (optional and value is None):
        raise wrong(name, "a function or None" if optional else "a function", value)
    return value


def instance(name: str, value: object, kind: type, want: str) -> object:
    """Something of a class, which `want` names with its article."""
    if not isinstance(value, kind):
        raise wrong(name, want, value)
    return value


def seed(name: str, value: int) -> int:
    """A seed that is written down: an int of 64 bits, >= 0."""
    return count(name, value, 0, WIDEST)


def settle(frozen: object, **checked: object) -> None:
    """Set fields of a frozen dataclass to what their checks gave, in its __post_init__."""
    for name, value in checked.items():
        object.__setattr__(frozen, name, value)


def generator(name: str, rng: Rng | None, default: int | None = None) -> np.random.Generator:
    """The Generator itself, or a new one from a seed. None stands for the seed `default`, if there is one."""
    if isinstance(rng, np.random.Generator):
        return rng
    given = default if rng is None else rng
    if not _is_int(given, 0, math.inf):
        raise wrong(name, "a numpy.random.Generator or a seed, an int >= 0", rng)
    return np.random.default_rng(int(given))


def wrong(name: str, want: str, value: object) -> ValueError:
    """The error, to be raised: what came is cut to one short line."""
    try:
        came = " ".join(repr(value).split())
    except ValueError:  # Python prints no int of more than 4300 digits
        came = f"{type(value).__name__} too long to print"
    return ValueError(f"{name}: want {want}, got {came if len(came) <= 80 else came[:80] + ' ...'}")


def _is_int(value, at_least, at_most):
    integral = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    return integral and at_least <= value <= at_most


def _is_listed(value):
    return isinstance(value, tuple | list | range) or (isinstance(value, np.ndarray) and value.ndim == 1)


def _ints(value, at_least, at_most):
    """What is said to be wanted: the upper bound only where that is what was missed."""
    if at_least < -MOST:
        return "an int of 64 bits"
    missed = isinstance(value, numbers.Integral) and value > at_most
    return f"an int from {at_least} to {at_most}" if missed or at_most < MOST else f"an int >= {at_least}"


def _is_number(value, infinite):
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value) or (infinite and not math.isnan(value))
    except OverflowError:  # an int beyond the largest float
        return False
