"""The texts of the exercises, one file per chapter: title, equation, hints, common mistakes, and the chapter's end.

A mistake is a small change to the reference's source, `old` to `new`, and a sentence that names it. It is used twice:
the exercise's cases must reject it, and a wrong solution with the same results as the mistake is told that sentence.

A chapter's end, `finale()`, runs when all its exercises are passed, with the reader's functions in the library; it
returns a sentence on what they achieve.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

from lightnn.exercise import REGISTRY


@dataclass(frozen=True)
class Mistake:
    """A common mistake: `text` names it, and replacing `old` by `new` in the reference's source makes it."""

    text: str
    old: str
    new: str


@dataclass(frozen=True)
class Sheet:
    """What a reader is told about one exercise."""

    number: str
    title: str
    level: str  # easy, middle or hard
    equation: str
    hints: tuple[str, ...]  # each says more than the one before
    mistakes: tuple[Mistake, ...]

    @property
    def name(self) -> str:
        """The function's name."""
        return REGISTRY[self.number].__name__


def chapters() -> list[str]:
    """The chapters that have exercises: "04", "12", ..."""
    return sorted(m.name.removeprefix("ch") for m in pkgutil.iter_modules(__path__) if m.name.startswith("ch"))


def _module(chapter):
    return importlib.import_module(f"{__name__}.ch{chapter}")


def sheets_of(chapter: str | int) -> tuple[Sheet, ...]:
    """The Sheets of a chapter, in order. ValueError if it has none."""
    chapter = str(chapter).zfill(2)
    if chapter not in chapters():
        raise ValueError(f"chapter {chapter} has no exercises; there are {', '.join(chapters())}")
    return _module(chapter).SHEETS


def finale(chapter: str) -> Callable[[], str]:
    """The chapter's end."""
    return _module(chapter).finale


def exercise_number(text: str) -> str:
    """The number as the book writes it: "4.2" is "04.2", and "4" is "04"."""
    chapter, dot, place = text.strip().partition(".")
    return chapter.zfill(2) + dot + place


def sheet(number: str) -> Sheet:
    """The Sheet of one exercise. ValueError lists the chapter's."""
    number = exercise_number(number)
    found = {s.number: s for s in sheets_of(number.partition(".")[0])}
    if number not in found:
        raise ValueError(f"no exercise {number}; there are {', '.join(found)}")
    return found[number]
