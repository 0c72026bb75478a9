"""What every paper's `reproduce` takes: where the finished steps are kept, the seed, how long, and whom to tell."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from lightnn.journal import Journal


@dataclass(frozen=True)
class Session:
    """One run of a paper's experiment.

    journal: each long step goes through it. seed: the first one, if there are several. quick: the small experiment of
    a minute or two. progress: whether bars are shown. say: called with a line of text after each network or step.
    """

    journal: Journal
    seed: int = 0
    quick: bool = False
    progress: bool = True
    say: Callable[[str], None] = print

    def seeds(self, count: int) -> list[int]:
        """So many seeds, from this one on."""
        return list(range(self.seed, self.seed + count))

    def part(self, name: str) -> "Session":
        """The same, with a journal within this one, for a part whose steps have names of their own."""
        return dataclasses.replace(self, journal=self.journal.part(name))

    def of_seed(self, seed: int) -> "Session":
        """The part that belongs to one of several seeds."""
        return dataclasses.replace(self.part(f"seed {seed}"), seed=seed)
