"""The frame of a static page: its head, the list of chapters, previous and next, the style and the search."""

import html

CSS = """
:root { color-scheme: light dark; }
body { margin: 0; font: 16px/1.55 system-ui, "Noto Sans KR", "NanumGothic", sans-serif; display: flex; }
nav { width: 17rem; flex: none; height: 100vh; position: sticky; top: 0; overflow: auto; padding: 1rem;
      box-sizing: border-box; border-right: 1px solid #8884; font-size: 0.88rem; }
nav a { display: block; padding: 0.16rem 0; text-decoration: none; }
nav a.here { font-weight: bold; }
nav input { width: 100%; box-sizing: border-box; padding: 0.35rem; margin-bottom: 0.6rem; font: inherit; }
main { max-width: 54rem; padding: 1rem 2rem 4rem; min-width: 0; flex: 1; }
main img { max-width: 100%; background: white; }
pre, table { overflow-x: auto; font-size: 0.85rem; }
pre { padding: 0.6rem; background: #8881; line-height: 1.35; }
table { border-collapse: collapse; display: block; }
td, th { border: 1px solid #8884; padding: 0.2rem 0.5rem; text-align: left; }
blockquote { margin: 0; padding: 0 1rem; border-left: 4px solid #8886; }
math[display=block] { margin: 1rem 0; overflow-x: auto; }
.anchor-link { visibility: hidden; text-decoration: none; }
.celltag_folded .input { display: none; }
.ends { display: flex; justify-content: space-between; margin-top: 3rem; }
@media (max-width: 60rem) { body { display: block; } nav { width: auto; height: auto; position: static; } }
@media (prefers-color-scheme: dark) { .highlight { background: #eee; color: #111; } }
"""
SCRIPT = """
const box = document.getElementById("search"), found = document.getElementById("found");
const chapters = document.getElementById("chapters");
function look() {
  const words = box.value.toLowerCase().split(/\\s+/).filter(Boolean);
  chapters.hidden = words.length > 0;
  found.replaceChildren();
  if (!words.length) return;
  const titled = e => words.some(w => e.title.toLowerCase().includes(w));
  const hits = window.BOOK.map(e => [e, (e.title + " " + e.text).toLowerCase()])
    .filter(([e, text]) => words.every(w => text.includes(w)))
    .sort(([a], [b]) => titled(b) - titled(a));
  for (const [e] of hits.slice(0, 40)) {
    const link = document.createElement("a");
    link.href = e.page + ".html#" + e.anchor;
    link.textContent = e.page.slice(0, 2) + " · " + e.title;
    found.append(link);
  }
  if (!hits.length) found.textContent = "nothing found";
}
box.addEventListener("input", look);
"""
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><link rel="stylesheet" href="book.css"></head>
<body><nav><input id="search" type="search" placeholder="Search (검색)" aria-label="Search">
<div id="found"></div><div id="chapters"><a href="index.html">lightnn</a>{links}</div></nav>
<main>{body}{ends}</main>
<script src="search_index.js"></script><script src="book.js"></script></body></html>
"""


def frame(name: str, titles: dict[str, str], body: str) -> str:
    """The whole page of chapter `name`, "" for the index; titles: {name: title} of all chapters."""
    names = list(titles)
    links = "".join(
        f'<a href="{n}.html"{" class=here" if n == name else ""}>{html.escape(title)}</a>'
        for n, title in titles.items()
    )
    ends = ""
    if name in names:
        at = names.index(name)
        before = _link(names[at - 1], titles, "← ") if at else "<span></span>"
        after = _link(names[at + 1], titles, "→ ") if at + 1 < len(names) else ""
        ends = f'<div class="ends">{before}{after}</div>'
    return PAGE.format(title=html.escape(titles.get(name, "lightnn")), links=links, body=body, ends=ends)


def _link(name, titles, arrow):
    return f'<a href="{name}.html">{arrow}{html.escape(titles[name])}</a>'
