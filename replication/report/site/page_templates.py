"""Pages from the templates beside this module, and the style sheet that every page shares."""

from __future__ import annotations

from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from replication.display.formatting import SIMULATED, typeset

HERE = Path(__file__).parent
STYLE, SCRIPT = HERE / "site.css", HERE / "site.js"


@cache
def style() -> str:
    """The style sheet, written into every page that stands alone so that nothing is loaded from elsewhere."""
    return STYLE.read_text(encoding="utf-8").strip()


def page(template: str, **values: Any) -> str:
    """A page from a template beside this module; whatever comes from a study is escaped."""
    text: str = _environment().get_template(template).render(**values)
    return text + "\n"


@cache
def _environment() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["prose"] = prose
    return environment


def prose(text: str) -> Any:
    """Text of a study as HTML: ranges with en dashes, and what stands in backticks as code."""
    from markupsafe import Markup

    parts = text.split("`")
    if len(parts) % 2 == 0:
        parts = [text]
    shown = [
        f"<code>{escape(part)}</code>" if place % 2 else escape(typeset(part))
        for place, part in enumerate(parts)
    ]
    return Markup("".join(shown))


def from_markdown(path: Path) -> Any:
    """A text in Markdown, with tables and footnotes, as HTML; HTML inside the text is escaped."""
    from markdown_it import MarkdownIt
    from markupsafe import Markup
    from mdit_py_plugins.footnote import footnote_plugin

    reader = MarkdownIt("commonmark", {"html": False}).enable("table").use(footnote_plugin)
    reader.add_render_rule("footnote_caption", _footnote_number)
    return Markup(reader.render(path.read_text(encoding="utf-8")))


def _footnote_number(_renderer: Any, tokens: Any, place: int, *_others: Any) -> str:
    """A footnote's number, the same wherever it is cited."""
    return str(tokens[place].meta["id"] + 1)


SINGLE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>{title}</title>
<style>
{style}
</style>
</head>
<body{mark}>
<main>
{heading}{body}
<p class="made">Made with {made}.</p>
</main>
</body>
</html>
"""
# Not a template beside this module: loading jinja2 takes longer than a small estimate.


def single_page(title: str, body: str, made: str, *, simulated: bool = False, headed: bool = True) -> str:
    """A page that stands alone.

    Parameters
    ----------
    body : HTML, escaped by the caller.
    headed : whether the title stands above the body; a table has its own.
    """
    import markupsafe

    shown = markupsafe.escape(title)
    return SINGLE.format(
        title=shown,
        style=style(),
        mark=f' class="simulated" data-mark="{SIMULATED}"' if simulated else "",
        heading=f"<h1>{shown}</h1>\n" if headed else "",
        body=body,
        made=markupsafe.escape(made),
    )
