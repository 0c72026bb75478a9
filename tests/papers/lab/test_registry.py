"""lightnn/papers/lab/registry.py: a paper's folder registers itself, and README lists what is registered."""

import ast
import inspect
import pathlib

import pytest

import lightnn.papers
from lightnn.papers.lab import registry

PACKAGE = pathlib.Path(lightnn.papers.__file__).parent
README = PACKAGE.parents[1] / "README.md"
FOLDERS = sorted(p.parent.name for p in PACKAGE.glob("*/__init__.py") if p.parent.name != "lab")
PAPERS = registry.papers()


def test_every_folder_is_a_registered_paper_the_oldest_first():
    assert sorted(name.replace("-", "_") for name in PAPERS) == FOLDERS
    assert [p.arxiv for p in PAPERS.values()] == sorted(p.arxiv for p in PAPERS.values())
    assert all(name == paper.name for name, paper in PAPERS.items())


@pytest.mark.skipif(not README.exists(), reason="not a clone of the repository")
@pytest.mark.parametrize("name", PAPERS)
def test_readme_lists_the_paper_as_the_registry_prints_it(name):
    lines = README.read_text(encoding="utf-8").splitlines()
    assert str(PAPERS[name]) in lines
    assert PAPERS[name].command == f"python -m lightnn reproduce {name}"


@pytest.mark.skipif(not README.exists(), reason="not a clone of the repository")
def test_readme_lists_no_paper_that_is_not_registered():
    lines = README.read_text(encoding="utf-8").splitlines()
    listed = {line.split()[4] for line in lines if line.startswith("python -m lightnn reproduce")}
    assert listed == set(PAPERS)


def test_the_table_fits_80_columns_and_names_each_paper():
    lines = registry.table().splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines[1:]] == list(PAPERS)


@pytest.mark.parametrize("name", PAPERS)
def test_reproduce_takes_what_the_command_line_gives(name):
    inspect.signature(PAPERS[name].reproduce).bind("a session")


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_papers_do_not_import_each_other(path):
    """And lab, which all use, imports none of them."""
    allowed = {"lab", path.relative_to(PACKAGE).parts[0]}
    for node in ast.walk(ast.parse(path.read_text())):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        used = [name.split(".")[2] for name in names if name.startswith("lightnn.papers.")]
        assert set(used) <= allowed, f"line {node.lineno}"
