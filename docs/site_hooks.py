"""Parts of the documentation that come from elsewhere: equations, sources, CONTRIBUTING, notebook."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)
DEFAULT = re.compile(r",\s*default:\s*<code>.*?</code>", re.DOTALL)
"""Of a parameter; those that share a line of a docstring would all have that of the first."""
CODE = re.compile(r"(?ms)^```(\w+)\n(.*?)^```$\n?")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Fill the table of sources and the text of CONTRIBUTING in (a hook of mkdocs)."""
    if "<!-- sources -->" in markdown:
        markdown = markdown.replace("<!-- sources -->", sources())
    if "<!-- contributing -->" in markdown:
        text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
        markdown = markdown.replace("<!-- contributing -->", text.split("\n", 1)[1])
    return markdown


def on_page_content(text: str, **_: Any) -> str:
    """Turn equations into MathML, which browsers show without a script (a hook of mkdocs).

    A bar in the code of a table is escaped for GitHub; Python-Markdown leaves the escape.
    """
    from latex2mathml.converter import convert

    def mathml(found: re.Match[str]) -> str:
        display = "block" if found[1] == "div" else "inline"
        return str(convert(html.unescape(found[2]).strip(), display=display))

    return DEFAULT.sub("", FORMULA.sub(mathml, text)).replace("\\|", "|")


def sources() -> str:
    """One row per file or series of ``data_raw/sources.yaml``: citation, terms, access."""
    from replication.sources.manifest import load_manifest

    rows: dict[tuple[str, str, str], list[str]] = {}
    for source in load_manifest(ROOT):
        access = f"package {source.package}" if source.package else "fetched" if source.url else "by hand"
        access = "in the repository" if source.path.startswith("typed/") else access
        doi = f" doi:{source.doi}" if source.doi else ""
        rows.setdefault((source.citation + doi, source.license, access), []).append(f"`{source.id}`")
    lines = ["| files | citation | terms | access |", "| --- | --- | --- | --- |"]
    for (citation, terms, access), names in rows.items():
        lines.append(
            f"| {', '.join(names)} | {' | '.join(' '.join(x.split()) for x in (citation, terms, access))} |"
        )
    return "\n".join(lines)


def notebook(markdown: str) -> str:
    """The text of ``tutorial.ipynb``: a cell per paragraph of text and per block of Python."""
    cells: list[dict[str, Any]] = []

    def add(kind: str, text: str) -> None:
        body = re.sub(r"(?m)^</?details.*$\n?", "", text).strip()
        if body:
            more = {"execution_count": None, "outputs": []} if kind == "code" else {}
            lines = body.splitlines(keepends=True)
            cells.append(
                {"cell_type": kind, "id": f"cell-{len(cells)}", "metadata": {}, "source": lines, **more}
            )

    place = 0
    for block in CODE.finditer(markdown):
        add("markdown", markdown[place : block.start()])
        if block[1] == "python":
            add("code", block[2])
        place = block.end()
    add("markdown", markdown[place:])
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    parts = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(parts, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    made = notebook((ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8"))
    (ROOT / "docs" / "tutorial.ipynb").write_text(made, encoding="utf-8")
