"""Where a module stands in a network: its dotted path, as `named_modules` gives it, and another module put there."""

from lightnn.nn import Module

__all__ = []


def put(model: Module, path: str, module: Module) -> None:
    """Let the module stand at this path of the model, in the place of the one that is there. ValueError if none is."""
    owner, name, place = _find(model, path)
    if place is None:
        vars(owner)[name] = module
        return
    members = vars(owner)[name]
    vars(owner)[name] = type(members)([*members[:place], module, *members[place + 1 :]])


def _find(model, path):
    """(owner, attribute, None), or (owner, attribute, i) for the i-th of the modules in a list."""
    found, names = model, path.split(".")[::-1]
    while names:
        owner, name, place = found, names.pop(), None
        found = vars(owner).get(name)
        if isinstance(found, list | tuple) and names:
            text = names.pop()
            place = next((i for i in range(len(found)) if str(i) == text), None)
            found = None if place is None else found[place]
        if not isinstance(found, Module):
            raise ValueError(f"want the path of a module, got {path[:60]!r}")
    return owner, name, place
