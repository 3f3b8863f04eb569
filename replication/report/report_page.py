"""The page with all tables and figures, and the studies that did not run.

One file that opens from disk: figures are embedded, tables are the fragments of the pages that
``document.write_document`` wrote, nothing is loaded from elsewhere. The files beside it are
linked by relative paths.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote

from replication.core.files import write_text
from replication.report.html_table import cut_fragment, style
from replication.report.report_data import Folders
from replication.report.study_config import SIMULATED, SIMULATED_WARNING, Entry, StudyConfig
from replication.report.table_document import MADE_WITH
from replication.report.table_files import ENDINGS

FIGURE_ENDINGS = ("pdf", "png", "csv")
TITLE = "Replication report"
INTRODUCTION = (
    "Every table and figure that the pipeline wrote, study by study. Below each are its notes, "
    "the specifications behind it and the files to take away: LaTeX, HTML, Markdown and CSV of "
    "each table; PDF, PNG and the plotted numbers (CSV) of each figure."
)

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{introduction}</p>
<nav aria-label="Contents">
{contents}
</nav>
{body}
<p class="notes">Made with {versions}.</p>
</main>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class StudyReport:
    """A study that ran, and where its tables and figures are."""

    study: StudyConfig
    folders: Folders


@dataclass(frozen=True, slots=True)
class Skipped:
    """A study that did not run.

    Attributes
    ----------
    missing : files that are not on this machine.
    remedies : how a person gets them, one entry per way.
    """

    study: StudyConfig
    missing: tuple[str, ...]
    remedies: tuple[str, ...] = ()


def write_page(studies: Sequence[StudyReport], skipped: Sequence[Skipped], path: Path) -> None:
    """Write the page.

    Parameters
    ----------
    studies : those that ran, in the order of the page.
    skipped : those that did not.
    path : ``report/index.html``; links are relative to its folder.
    """
    sections = [study_section(report, path.parent) for report in studies]
    if skipped:
        sections.append(skipped_section(skipped))
    if not sections:
        sections.append("<p>No study has run. Run <code>make</code> first.</p>")
    page = PAGE.format(
        title=TITLE,
        style=style(),
        introduction=escape(INTRODUCTION),
        contents=contents(studies, skipped),
        body="\n".join(sections),
        versions=escape(MADE_WITH),
    )
    write_text(path, page)


def contents(studies: Sequence[StudyReport], skipped: Sequence[Skipped]) -> str:
    """Links to every study, table and figure."""
    lines = ["<ul>"]
    for report in studies:
        study = report.study
        lines.append(f'<li><a href="#{study.id}">{escape(study.heading(study.title))}</a><ul>')
        lines += [_content(study, "table", entry) for entry in study.tables]
        lines += [_content(study, "figure", entry) for entry in study.figures]
        lines.append("</ul></li>")
    if skipped:
        lines.append('<li><a href="#not-run">Studies that did not run, with the reason</a></li>')
    return "\n".join([*lines, "</ul>"])


def _content(study: StudyConfig, kind: str, entry: Entry) -> str:
    words = f"{kind.capitalize()}: {escape(entry.title)}"
    return f'<li><a href="#{kind}-{study.id}-{entry.id}">{words}</a></li>'


def study_section(report: StudyReport, base: Path) -> str:
    """Title, description, references, figures and tables of one study."""
    study = report.study
    marked = f' class="simulated" data-mark="{SIMULATED}"' if study.simulated else ""
    lines = [
        f'<section id="{study.id}"{marked} aria-labelledby="title-{study.id}">',
        f'<h2 id="title-{study.id}">{escape(study.heading(study.title))}</h2>',
    ]
    if study.simulated:
        lines.append(f'<p class="banner">{escape(SIMULATED_WARNING)}</p>')
    lines += [f"<p>{escape(part)}</p>" for part in paragraphs(study.description)]
    lines.append(f'<p class="files">{study_files(report, base)}</p>')
    if not study.tables and not study.figures:
        lines.append("<p>This study has no tables or figures yet.</p>")
    lines += [table_block(report, entry, base) for entry in study.tables]
    lines += [figure_block(report, entry, base) for entry in study.figures]
    if study.references:
        items = "".join(f"<li>{escape(reference)}</li>" for reference in study.references)
        lines.append(f"<h3>References</h3>\n<ul>{items}</ul>")
    return "\n".join([*lines, "</section>"])


def study_files(report: StudyReport, base: Path) -> str:
    """Links to the summary, all estimates of the study and its codebook, where they are."""
    folders = report.folders
    requested = [
        ("Written summary", base / report.study.id / "summary.md"),
        ("All estimates (CSV)", folders.tables / "estimates.csv"),
        ("Second engine (CSV)", folders.tables / "second_engine.csv"),
        ("Codebook", folders.clean / "codebook.md"),
        ("Sample flow (CSV)", folders.clean / "sample_flow.csv"),
    ]
    return "\n".join(_link(path, base, words) for words, path in requested if path.is_file())


def table_block(report: StudyReport, entry: Entry, base: Path) -> str:
    """One table with links to its files, or a line that it was not written."""
    source = report.folders.tables / f"{entry.id}.html"
    if not source.is_file():
        return absent(report.study, "table", entry)
    fragment = cut_fragment(source.read_text(encoding="utf-8"))
    return f"{fragment}\n{_files(report.folders.tables, entry, ENDINGS, base)}"


def figure_block(report: StudyReport, entry: Entry, base: Path) -> str:
    """One figure, embedded, with its words for readers who do not see it and links to its files."""
    from replication.report.figures.figure_files import read_description

    folder = report.folders.figures
    picture = folder / f"{entry.id}.png"
    if not picture.is_file():
        return absent(report.study, "figure", entry)
    metadata = read_description(picture)
    data = base64.b64encode(picture.read_bytes()).decode("ascii")
    title = escape(report.study.heading(entry.title))
    lines = [*metadata.get("Comment", "").splitlines(), *metadata.get("Details", "").splitlines()]
    notes = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return "\n".join(
        [
            f'<figure id="figure-{report.study.id}-{entry.id}">',
            f'<figcaption class="unseen">{title}</figcaption>',
            '<div class="scroll" tabindex="0" role="region" '
            f'aria-label="Figure: {title}"><img src="data:image/png;base64,{data}" '
            f'width="{metadata["width"]}" height="{metadata["height"]}" '
            f'alt="{escape(metadata.get("Description", entry.title))}"/></div>',
            f"<details><summary>Notes and description as text</summary>{notes}"
            f"<p>{escape(metadata.get('Description', ''))}</p>"
            f"<p>Made with {escape(metadata.get('Software', MADE_WITH))}.</p></details>",
            _files(folder, entry, FIGURE_ENDINGS, base),
            "</figure>",
        ]
    )


def absent(study: StudyConfig, kind: str, entry: Entry) -> str:
    """Notice in place of a table or figure that was not written."""
    return (
        f'<p class="missing" id="{kind}-{study.id}-{entry.id}">{kind.capitalize()} not written: '
        f"{escape(entry.title)}. Run the pipeline again; its log gives the reason.</p>"
    )


def skipped_section(skipped: Sequence[Skipped]) -> str:
    """Studies that did not run: which files are missing and how to get them."""
    lines = [
        '<section id="not-run" aria-labelledby="title-not-run">',
        '<h2 id="title-not-run">Studies that did not run, with the reason</h2>',
    ]
    for one in skipped:
        study = one.study
        lines.append(f'<div class="missing"><h3>{escape(study.heading(study.title))}</h3>')
        lines += [f"<p>{escape(part)}</p>" for part in paragraphs(study.description)]
        lines.append(f"<p>{_count(len(one.missing))} not on this machine:</p>")
        lines.append(_items([f"<code>{escape(name)}</code>" for name in one.missing]))
        if one.remedies:
            lines.append("<p>How to get them:</p>")
            lines.append(_items([escape(way) for way in one.remedies]))
        lines.append("</div>")
    return "\n".join([*lines, "</section>"])


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a text, separated by blank lines."""
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


def _items(items: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>"


def _count(number: int) -> str:
    return "One of its raw files is" if number == 1 else f"{number} of its raw files are"


def _files(folder: Path, entry: Entry, endings: Sequence[str], base: Path) -> str:
    links = [
        _link(folder / f"{entry.id}.{ending}", base, ending.upper().replace("TEX", "LaTeX"))
        for ending in endings
    ]
    return f'<p class="files">{" ".join(links)}</p>'


def _link(path: Path, base: Path, words: str) -> str:
    target = quote(Path(os.path.relpath(path, base)).as_posix())
    return f'<a href="{target}">{escape(words)}</a>'
