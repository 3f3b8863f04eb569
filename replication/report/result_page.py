"""Output for one result: an event-study figure, a table in every format, and a page with both."""

from __future__ import annotations

from html import escape
from pathlib import Path

import yaml

from replication.core.estimates import Estimates
from replication.core.files import replacing, write_text
from replication.core.spec import Spec
from replication.display.result_text import heading
from replication.estimators.registry import ENTRIES
from replication.report.html_table import fragment
from replication.report.result_table import ResultTable, result_rows, result_table, row_names
from replication.report.site.page_templates import single_page
from replication.report.table_document import MADE_WITH


def write_pictures(fit: Estimates, spec: Spec, folder: Path) -> None:
    """Write ``event_study.png`` and ``.pdf`` where there is a path, ``table.*`` and ``index.html``."""
    title = spec.title or heading(spec.outcome, spec.estimator)
    drawn = write_figure(fit, spec, title, folder)
    table = table_of(fit, spec, title)
    if table is not None:
        for ending in ("md", "tex", "html", "docx"):
            table.save(folder / f"table.{ending}")
    write_text(folder / "index.html", page(fit, spec, title, table, drawn=drawn))


def write_figure(fit: Estimates, spec: Spec, title: str, folder: Path) -> bool:
    """Draw the path, if there is one with two points or more."""
    if len(fit.path()[0]) < 2:
        return False
    from replication.display.event_plot import event_figure, event_frame, figure_note

    figure = event_figure(
        [event_frame(fit, ENTRIES[spec.estimator].label)],
        title,
        figure_note([fit]),
        y_label=f"Effect on {spec.outcome}",
    )
    for ending, metadata in (("png", {}), ("pdf", {"CreationDate": None})):
        with replacing(folder / f"event_study.{ending}") as temporary:
            figure.savefig(temporary, format=ending, metadata=metadata)
    return True


def table_of(fit: Estimates, spec: Spec, title: str) -> ResultTable | None:
    """The table of one result; None for a decomposition, which has no effect to show."""
    if not any(name in result_rows(fit) for name in row_names([fit])):
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
