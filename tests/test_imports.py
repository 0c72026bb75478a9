"""The library's layers: each module imports only what design.md puts below it, and importing it is cheap."""

import ast
import pathlib
import subprocess
import sys

import pytest

import lightnn

ROOT = pathlib.Path(lightnn.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
ORDER = [  # from the bottom to the top; a line's members don't import each other
    ("exercise",),
    ("declare",),
    ("arithmetic", "kernels", "files", "tables"),
    ("tensor",),
    ("functional",),
    ("nn",),
    ("optim", "data"),
    ("models",),
    ("metrics",),
    ("training",),
    ("compress",),
    ("io",),
    ("runtime",),
    ("search",),
    ("papers",),
    ("bench",),
    ("study",),
    ("__main__", "__init__"),
]
LEVEL = {part: i for i, parts in enumerate(ORDER) for part in parts}
ANYWHERE = "testing"  # for tests and notebooks; itself needs no more than Tensor


def module_of(path):
    """("lightnn", "io", "lnn") of lightnn/io/lnn.py, ("lightnn", "io", "__init__") of lightnn/io/__init__.py."""
    return ("lightnn", *path.relative_to(ROOT).with_suffix("").parts)


def exists(parts):
    path = ROOT.joinpath(*parts[1:])
    return path.is_dir() or path.with_suffix(".py").exists()


def imports(tree, module):
    """Yield (names, statement) for each import: ("lightnn", "io", "lnn"), absolute, `from` unfolded to modules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((tuple(alias.name.split(".")), node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = (*module[: -node.level], *(node.module or "").split(".")) if node.level else node.module.split(".")
            base = tuple(filter(None, base))
            for alias in node.names:
                is_module = base[0] == "lightnn" and exists((*base, alias.name))
                yield ((*base, alias.name) if is_module else base), node


def upward(source, module):
    """What the module imports from its own level or above: [(line, what)]."""
    own, wrong = module[1], []
    tree = ast.parse(source)
    for name, node in imports(tree, module):
        if name[0] != "lightnn":
            continue
        part = name[1] if len(name) > 1 else "__init__"
        lazy = node not in tree.body
        if own == ANYWHERE:
            allowed = LEVEL[part] <= LEVEL["tensor"] or lazy
        else:
            allowed = part in (own, ANYWHERE) or LEVEL[part] < LEVEL[own]
        if not allowed:
            wrong.append((node.lineno, ".".join(name)))
    return wrong


def ids(path):
    return str(path.relative_to(ROOT))


def test_every_part_has_its_place_in_the_order():
    assert {module_of(path)[1] for path in FILES} - {ANYWHERE} <= LEVEL.keys()


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_imports_point_one_way(path):
    assert upward(path.read_text(), module_of(path)) == []


@pytest.mark.parametrize(
    ("module", "source", "wrong"),
    [
        ("nn/layers", "from lightnn import functional as F", []),
        ("nn/layers", "from lightnn.nn.module import Module", []),
        ("nn/layers", "from .module import Module\nfrom . import init", []),
        ("nn/layers", "import numpy as np\nfrom lightnn.testing import check_vjp", []),
        ("nn/layers", "from lightnn.compress import Mask", [(1, "lightnn.compress")]),
        ("nn/layers", "def f():\n    import lightnn.io.lnn", [(2, "lightnn.io.lnn")]),
        ("nn/layers", "from lightnn import Tensor", [(1, "lightnn")]),
        ("nn/layers", "from ..models import lenet", [(1, "lightnn.models.lenet")]),
        ("nn/__init__", "from ..models import lenet", [(1, "lightnn.models.lenet")]),
        ("optim/sgd", "from lightnn import data", [(1, "lightnn.data")]),
        ("testing", "def f():\n    from lightnn.compress import encode", []),
        ("testing", "from lightnn.compress import encode", [(1, "lightnn.compress")]),
    ],
)
def test_this_test_sees_what_it_should(module, source, wrong):
    assert upward(source, ("lightnn", *module.split("/"))) == wrong


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_every_file_says_what_it_is_and_names_what_it_imports(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree)
    stars = [n.lineno for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.names[0].name == "*"]
    assert stars == []


def python(code):
    """What a new interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT.parent, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_import_lightnn_is_light():
    heavy = ("matplotlib", "jupyter", "jupyterlab", "IPython", "ipywidgets", "nbformat", "torch", "scipy", "pandas")
    assert python(f"import lightnn, sys; print(*(m for m in {heavy} if m in sys.modules))") == []


def test_importing_every_module_compiles_nothing():
    modules = [".".join(m).removesuffix(".__init__") for m in map(module_of, FILES) if m[-1] != "__main__"]
    code = (
        "import importlib, numba.core.event as event\n"
        "with event.install_recorder('numba:compile') as compiled:\n"
        f"    for module in {modules}: importlib.import_module(module)\n"
        "print(*(e.data['dispatcher'] for _, e in compiled.buffer))"
    )
    assert python(code) == []
