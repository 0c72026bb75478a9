"""The library's layers: each module imports only what design.md puts below it, and importing it is cheap."""

import ast
import importlib
import pathlib
import pkgutil
import subprocess
import sys

import pytest

import lightnn

ROOT = pathlib.Path(lightnn.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
ORDER = [  # from the bottom to the top; a line's members don't import each other
    ("exercise", "options", "startup"),
    ("declare",),
    ("arithmetic", "kernels", "files", "tables"),
    ("bits", "tensor"),
    ("functional",),
    ("nn",),
    ("optim", "data"),
    ("models",),
    ("metrics",),
    ("training",),
    ("compress",),
    ("io",),
    ("runtime",),
    ("pretrained", "journal", "record", "reporting"),
    ("search",),
    ("papers",),
    ("study",),
    ("__init__",),
    ("bench",),
    ("arguments_of",),
    ("__main__",),
]
REST = "every other name"
INSIDE = {  # the same for the members of a folder
    "functional": [("check",), ("activation", "conv", "pool"), ("quantize",), (REST,)],
    "nn": [("sketch",), ("init", "module"), ("layers",), (REST,)],
    "kernels": [
        ("parallel", "elias"),
        ("vector",),
        ("conv",),
        ("matrix",),
        ("quantized", "binary", "program"),
        ("ladder",),
    ],
    "compress": [("finite", "gradients"), ("transforms",), ("structure",), ("pruning",), ("quantization",)],
    "papers": [("lab",), (REST,)],
    "study": [("exercises",), ("book",), ("plots",)],
}
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


def level(part, order=ORDER):
    """The place of a part in an order; that of REST if it is not named there."""
    places = {name: i for i, names in enumerate(order) for name in names}
    return places.get(part, places.get(REST))


def upward(source, module):
    """What the module imports from its own level or above, in the package or in its folder: [(line, what)]."""
    tree = ast.parse(source)
    wrong = []
    for name, node in imports(tree, module):
        if name[0] != "lightnn":
            continue
        if module[1] == ANYWHERE:
            allowed = level(part_of(name)) <= level("tensor") or node not in tree.body
        elif part_of(name) == module[1]:
            allowed = len(module) < 3 or below_in_folder(name, module)
        else:
            allowed = part_of(name) == ANYWHERE or level(part_of(name)) < level(module[1])
        if not allowed:
            wrong.append((node.lineno, ".".join(name)))
    return wrong


def part_of(name):
    return name[1] if len(name) > 1 else "__init__"


def below_in_folder(name, module):
    """Whether a module may import `name` of the same folder of lightnn. A folder's face may import all of it."""
    folder, own = module[1:3]
    order, member = INSIDE.get(folder), name[2] if len(name) > 2 else "__init__"
    if order is None or own in ("__init__", member):
        return True
    return member != "__init__" and level(member, order) < level(own, order)


def circle(needs):
    """The members of {member: those it imports} that import each other in a circle, if any."""
    needs = {member: set(others) & needs.keys() - {member} for member, others in needs.items()}
    while free := {member for member, others in needs.items() if not others}:
        needs = {member: others - free for member, others in needs.items() if member not in free}
    return sorted(needs)


def ids(path):
    return str(path.relative_to(ROOT))


def test_every_part_has_its_place_in_the_order():
    modules = [module_of(path) for path in FILES]
    assert all(level(m[1]) is not None for m in modules if m[1] != ANYWHERE)
    inside = [m[1:3] for m in modules if m[1] in INSIDE and m[2] != "__init__"]
    assert [(folder, own) for folder, own in inside if level(own, INSIDE[folder]) is None] == []


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_imports_point_one_way(path):
    assert upward(path.read_text(), module_of(path)) == []


@pytest.mark.parametrize("folder", sorted(p.parent for p in ROOT.rglob("__init__.py") if p.parent != ROOT), ids=ids)
def test_the_members_of_a_folder_do_not_import_each_other_in_a_circle(folder):
    place, needs = module_of(folder / "__init__.py")[:-1], {}
    for path in folder.rglob("*.py"):
        module = module_of(path)
        names = [name for name, _ in imports(ast.parse(path.read_text()), module) if name[: len(place)] == place]
        member = needs.setdefault(module[len(place)], set())
        member |= {name[len(place)] if len(name) > len(place) else "__init__" for name in names}
    assert circle(needs) == []


def test_a_circle_is_seen():
    assert circle({"a": {"b"}, "b": {"c", "other"}, "c": {"c"}, "d": {"a"}}) == []
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["a", "b", "c"]


@pytest.mark.parametrize("folder", sorted(p.parent for p in ROOT.rglob("__init__.py")), ids=ids)
def test_no_name_is_both_a_module_and_something_else(folder):
    """`from lightnn.metrics import trace` must not mean the function or the module, whichever was imported last."""
    package = importlib.import_module(".".join(module_of(folder / "__init__.py")[:-1]))
    modules = [m.name for m in pkgutil.iter_modules(package.__path__)]
    bound = names_bound(ast.parse((folder / "__init__.py").read_text()), package.__name__)
    assert [name for name in modules if name in bound] == []
    for name in set(modules) - {"__main__"}:
        module = importlib.import_module(f"{package.__name__}.{name}")
        assert getattr(package, name) is module


def names_bound(tree, package):
    """The names that an __init__ gives to what is not a module of its own folder."""
    names = {getattr(node, "name", None) for node in tree.body}
    for node in tree.body:
        if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and node.module != package):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def test_a_name_bound_twice_is_seen():
    tree = ast.parse("from lightnn.metrics import a\nfrom lightnn.metrics.trace import trace\ndef f(): pass\nx = 1")
    assert names_bound(tree, "lightnn.metrics") - {None} == {"trace", "f", "x"}


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
        ("nn/module", "from lightnn.nn import layers", [(1, "lightnn.nn.layers")]),
        ("nn/layers", "from lightnn.nn.norm import BatchNorm1d", [(1, "lightnn.nn.norm")]),
        ("nn/layers", "from lightnn.nn import Module", [(1, "lightnn.nn")]),
        (
            "compress/transforms/base",
            "from lightnn.compress.pruning import filters",
            [(1, "lightnn.compress.pruning.filters")],
        ),
        ("compress/pruning/filters", "from lightnn.compress.structure.surgery import thin", []),
        ("compress/pruning/filters", "from .magnitude import prune", []),
        ("papers/han2015/curves", "from ..li2016 import costs", [(1, "lightnn.papers.li2016.costs")]),
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
    """Numba imports SciPy where it is installed; here it is hidden."""
    heavy = ("matplotlib", "jupyter", "jupyterlab", "IPython", "ipywidgets", "nbformat", "torch", "scipy", "pandas")
    heavy += ("onnx", "onnxruntime", "PIL", "skimage")
    code = "import sys; sys.modules['scipy'] = None; import lightnn; "
    assert python(f"{code} print(*(m for m in {heavy} if sys.modules.get(m)))") == []


def test_importing_every_module_compiles_nothing():
    modules = [".".join(m).removesuffix(".__init__") for m in map(module_of, FILES) if m[-1] != "__main__"]
    code = (
        "import importlib, numba.core.event as event\n"
        "with event.install_recorder('numba:compile') as compiled:\n"
        f"    for module in {modules}: importlib.import_module(module)\n"
        "print(*(e.data['dispatcher'] for _, e in compiled.buffer))"
    )
    assert python(code) == []
