"""Checks of what several searches are given besides numbers."""

from lightnn import options
from lightnn.journal import Journal
from lightnn.search.evaluating import Evaluations
from lightnn.search.proxy import Proxy
from lightnn.search.spaces import Space
from lightnn.training import Recipe

KINDS = {
    "evaluations": (Evaluations, "Evaluations"),
    "journal": (Journal, "a Journal"),
    "proxy": (Proxy, "a Proxy"),
    "recipe": (Recipe, "a Recipe"),
    "short": (Recipe, "a Recipe"),
    "long": (Recipe, "a Recipe"),
    "space": (Space, "a Space"),
}


def check_given(where: str, **given: object) -> None:
    """ValueError unless each is of the class that its name stands for."""
    for name, value in given.items():
        options.instance(f"{where}: {name}", value, *KINDS[name])
