"""Tables of any estimates side by side, outside a study, in every format.

``write_pictures`` is the output for one result: an event-study figure, a table, and a page with both.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import pandas as pd
import yaml

from replication.core.errors import SpecError
from replication.core.estimates import Estimates
from replication.core.files import replacing, write_text
from replication.core.spec import Spec
from replication.core.wording import extension_words
from replication.display.fitted_notes import NOTES
from replication.display.result_text import heading
from replication.estimators.registry import ENTRIES
from replication.report.html_table import fragment, table_page
from replication.report.latex_table import latex, latex_fragment
from replication.report.markdown_table import markdown
from replication.report.result_rows import effect_rows, notes, result_rows, row_names, sample_rows
from replication.report.site.page_templates import single_page
from replication.report.table_document import (
    MADE_WITH,
    Heading,
    Section,
    TableDocument,
    folded_head,
)


@dataclass(frozen=True, slots=True)
class ResultTable:
    """A table of results, and the formats that it is written in."""

    document: TableDocument

    def to_markdown(self) -> str:
        """The table in GitHub's Markdown."""
        return markdown(self.document)

    def to_text(self) -> str:
        """The table in columns of characters, for a terminal."""
        widths = self.document.column_widths()

        def line(texts: Sequence[str]) -> str:
            """One row: the label to the left, numbers to the right of their columns."""
            first, *others = texts
            padded = [text.rjust(width) for text, width in zip(others, widths[1:], strict=True)]
            return "  ".join([first.ljust(widths[0]), *padded]).rstrip()

        heads = [folded_head(heading.text) for heading in self.document.headings[0]]
        lines = [line(["", *texts]) for texts in itertools.zip_longest(*heads, fillvalue="")]
        for section in self.document.sections:
            lines.append("")
            for row in section.rows:
                for place, texts in enumerate(itertools.zip_longest(*row.cells, fillvalue="")):
                    lines.append(line([row.label if place == 0 else "", *texts]))
        return "\n".join(
            [self.document.title, "", *lines, "", *(f"{NOTES} {note}" for note in self.document.notes)]
        )

    def to_latex(self, *, whole: bool = False) -> str:
        r"""The table in LaTeX: a fragment for ``\input`` (``booktabs``), or a document that compiles."""
        return latex(self.document) if whole else latex_fragment(self.document)

    def to_html(self) -> str:
        """The table as an HTML fragment."""
        return fragment(self.document)

    def save(self, path: str | Path, *, whole: bool = False) -> Path:
        """Write the table; the ending of the name (.md, .tex, .html, .docx) is the format.

        ``whole`` asks for a LaTeX document that compiles by itself instead of a fragment.

        Raises
        ------
        SpecError
            For any other ending.
        """
        place = Path(path)
        writers: dict[str, Callable[[], str]] = {
            ".md": self.to_markdown,
            ".tex": lambda: self.to_latex(whole=whole),
            ".html": lambda: table_page(self.document),
        }
        if place.suffix == ".docx":
            from replication.report.word_table import write_word

            return write_word(self.document, place)
        if place.suffix not in writers:
            raise SpecError(
                f"Tables are saved as {', '.join(writers)}, or .docx, and {place} {extension_words(place)}. "
                "Use one of these endings."
            )
        write_text(place, writers[place.suffix]())
        return place

    def __str__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return self.to_html()


def result_table(
    fits: Sequence[Estimates], labels: Sequence[str], title: str, *, overall: bool = False
) -> ResultTable:
    """One column per result: overall effect, coefficients and event times, then the sample.

    ``overall`` leaves out the event times.

    Raises
    ------
    SpecError
        If no result has a row that a table shows.
    """
    found = [result_rows(fit) for fit in fits]
    names = row_names(fits, found)
    names = [name for name in names if not name.startswith("Event time")] if overall else names
    if not names:
        raise SpecError("None of the results has an overall effect, a coefficient, or an event time to show.")
    document = TableDocument(
        id="table",
        study="",
        title=title,
        headings=(tuple(Heading(label) for label in labels),),
        sections=(Section(tuple(effect_rows(fits, found, names))), Section(tuple(sample_rows(fits, labels)))),
        align="c" * len(fits),
        data=pd.concat([fit.table.assign(column=label) for fit, label in zip(fits, labels, strict=True)]),
        notes=(" ".join(notes(fits, labels, overall=overall)),),
    )
    return ResultTable(document)


def write_pictures(fit: Estimates, spec: Spec, folder: Path) -> None:
    """Write ``event_study.png`` and ``.pdf`` where there is a path, ``table.*`` and ``index.html``."""
    title = spec.title or heading(spec.outcome, spec.estimator)
    drawn = write_figure(fit, spec, folder)
    table = table_of(fit, spec, title)
    if table is not None:
        for ending in ("md", "tex", "html", "docx"):
            table.save(folder / f"table.{ending}")
    write_text(folder / "index.html", page(fit, spec, title, table, drawn=drawn))


def write_figure(fit: Estimates, spec: Spec, folder: Path) -> bool:
    """Draw the path, if there is one with two points or more."""
    if len(fit.path()[0]) < 2:
        return False
    from replication.display.canvas import COMPRESSED
    from replication.display.event_plot import event_study_figure

    figure = event_study_figure([fit], [ENTRIES[spec.estimator].label], spec.title or "")
    for ending, metadata in (("png", {}), ("pdf", {"CreationDate": None})):
        with replacing(folder / f"event_study.{ending}") as temporary:
            figure.savefig(temporary, format=ending, metadata=metadata, **COMPRESSED.get(ending, {}))
    return True


def table_of(fit: Estimates, spec: Spec, title: str) -> ResultTable | None:
    """The table of one result; None for a decomposition, which has no effect to show."""
    if not result_rows(fit):
        return None
    return result_table([fit], [ENTRIES[spec.estimator].label], title)


def page(fit: Estimates, spec: Spec, title: str, table: ResultTable | None, *, drawn: bool) -> str:
    """Summary, figure, table and specification on one page."""
    parts = [f"<pre>{escape(fit.summary())}</pre>"]
    if drawn:
        parts.append(
            '<p><img src="event_study.png" alt="Event study: the numbers are in the table below"/></p>'
        )
    if table is not None:
        parts.append(fragment(table.document))
    text = yaml.safe_dump(spec.resolved(), sort_keys=False)
    parts.append(f"<details><summary>Specification</summary><pre>{escape(text)}</pre></details>")
    return single_page(title, "\n".join(parts), MADE_WITH)
