"""`python -m lightnn book html`: the chapters as static pages that need no network, with navigation and search.

nbconvert (its template "basic") makes the cells, latex2mathml the formulas, as MathML, which browsers draw themselves.
What is added here: the frame of a page, the list of chapters, links from page to page, and an index of the headings and
their texts for a search that runs in the page. Nothing is executed: the pages show the committed outputs.
"""

import html
import json
import pathlib
import re
import shutil

from lightnn.files import ROOT, need_clone, write_atomically
from lightnn.study.book import launch
from lightnn.study.book.page_frame import CSS, SCRIPT, frame

CODE = r"(?P<code>^(`{3,}).*?^\2|`[^`\n]+`)"
FORMULA = re.compile(rf"{CODE}|\$\$(?P<block>.+?)\$\$|(?<![\\$])\$(?P<inline>[^$\n]+?)\$(?!\d)", re.M | re.S)
HEADING = re.compile(r"<h([1-3])[^>]*id=\"([^\"]+)\"[^>]*>(.*?)</h\1>", re.S)
LINKED = re.compile(r'(href|src)="(?!https?:|#|data:|mailto:)([^"]+)"')
WORDS = 600  # characters of a section's text in the index


def build_pages(folder: str | pathlib.Path | None = None, say=print) -> list[pathlib.Path]:
    """Write a page for each chapter, an index.html, style, script and search index into the folder (build/book by
    default). Returns the pages. ValueError if nbconvert or latex2mathml is missing."""
    need_clone("the chapters")
    folder = pathlib.Path(folder) if folder is not None else ROOT / "build" / "book"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [launch.chapter(number) for number in launch.numbers()]
    titles = {path.stem: _title(path) for path in paths}
    entries, pages = [], []
    for path in paths:
        body = convert(path, folder)
        entries += sections(path.stem, body)
        pages.append(_write(folder / f"{path.stem}.html", frame(path.stem, titles, body)))
        say(f"{pages[-1].name:<36}{pages[-1].stat().st_size / 1000:>8,.0f} KB")
    listed = "".join(f'<li><a href="{name}.html">{html.escape(title)}</a></li>' for name, title in titles.items())
    index = f"<h1>lightnn</h1><p>Neural-network compression, to study, to rebuild, and to read.</p><ul>{listed}</ul>"
    pages.insert(0, _write(folder / "index.html", frame("", titles, index)))
    _write(folder / "book.css", CSS + _colours())
    _write(folder / "book.js", SCRIPT)
    _write(folder / "search_index.js", f"window.BOOK = {json.dumps(entries, ensure_ascii=False)};\n")
    for picture in launch.CHAPTERS.glob("*.png"):
        shutil.copy(picture, folder / picture.name)
    return pages


def _write(path, text):
    write_atomically(path, text.encode())
    return path


def _title(path):
    first = json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"]
    return "".join(first).splitlines()[0].lstrip("# ")


def convert(path: pathlib.Path, folder: pathlib.Path) -> str:
    """The chapter's cells as HTML, its formulas as MathML, its links leading to pages and to the repository's files."""
    exporter, nbformat = _tools()
    notebook, formulas = nbformat.read(path, as_version=4), []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = FORMULA.sub(lambda m: _held(m, formulas), cell.source)
        elif cell.metadata.get("jupyter", {}).get("source_hidden"):
            cell.metadata.setdefault("tags", []).append("folded")
    body, _ = exporter.from_notebook_node(notebook)
    for i, formula in enumerate(formulas):
        body = body.replace(f"FORMULA{i}HERE", formula)
    return LINKED.sub(lambda m: f'{m[1]}="{_target(m[2], path.parent, folder)}"', body)


def _tools():
    try:
        import latex2mathml.converter  # noqa: F401
        import nbformat
        from nbconvert import HTMLExporter
    except ImportError as missing:
        raise ValueError(f"book html: want {missing.name}, which is not installed: pip install -e '.[html]'") from None
    exporter = HTMLExporter(template_name="basic", exclude_input_prompt=True, exclude_output_prompt=True)
    return exporter, nbformat


def _held(match, formulas):
    """A word that Markdown leaves alone, in the place of a formula; code stays as it is."""
    if match["code"] is not None:
        return match[0]
    formulas.append(_mathml(match["block"] or match["inline"], match["block"] is not None))
    word = f"FORMULA{len(formulas) - 1}HERE"
    return f"\n\n{word}\n\n" if match["block"] is not None and "\n" in match[0] else word


def _mathml(tex, block):
    from latex2mathml.converter import convert

    try:
        return convert(tex.strip(), display="block" if block else "inline")
    except Exception:  # a formula that it does not know is shown as it is written
        return f"<code>{html.escape(tex.strip())}</code>"


def _target(link, chapters, folder):
    """Where a link of a chapter leads from its page: another page, a picture beside it, or a file of the repository."""
    place, mark, anchor = link.partition("#")
    if re.fullmatch(r"\d\d_\w+\.ipynb", place):
        return f"{place.removesuffix('.ipynb')}.html{mark}{anchor}"
    file = (chapters / place).resolve()
    if file.is_relative_to(ROOT) and file.exists() and file.suffix != ".png":
        steps = len(folder.resolve().relative_to(ROOT).parts) if folder.resolve().is_relative_to(ROOT) else None
        up = "../" * steps if steps is not None else f"{ROOT.as_uri()}/"
        return f"{up}{file.relative_to(ROOT).as_posix()}{mark}{anchor}"
    return file.name if file.suffix == ".png" else link


def sections(page: str, body: str) -> list[dict[str, str]]:
    """[{"page", "anchor", "title", "text"}] of each heading: what the search looks through."""
    found, places = [], [(m.start(), m.end(), m[2], m[3]) for m in HEADING.finditer(body)]
    for (_, end, anchor, title), after in zip(places, [*places[1:], (len(body), 0, "", "")]):
        text = " ".join(_plain(body[end : after[0]]).split())
        found.append({"page": page, "anchor": anchor, "title": _plain(title).strip("¶ \n"), "text": text[:WORDS]})
    return found


def _plain(markup):
    return html.unescape(re.sub(r"<(style|svg|math)\b.*?</\1>|<[^>]+>", " ", markup, flags=re.S))


def _colours():
    from pygments.formatters import HtmlFormatter

    return HtmlFormatter(style="default").get_style_defs(".highlight")
