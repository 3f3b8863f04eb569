"""The checklist on one panel, with its conclusions and limits: a page of HTML and a text for the terminal."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd

from replication.audit import design_sections as design
from replication.audit import estimate_sections as estimates
from replication.audit import robustness_sections as robustness
from replication.audit.checklist import (
    AuditSection,
    main_row,
    one_sided,
    require_staggered,
    require_treated,
    setup_of,
)
from replication.core.estimates import Estimates
from replication.core.files import replacing, write_text
from replication.core.panel import Panel
from replication.core.spec import Spec
from replication.core.threads import one_thread
from replication.core.wording import counted
from replication.display.canvas import COMPRESSED
from replication.display.details_text import confidence_level
from replication.display.formatting import fixed, sentence
from replication.display.result_text import WIDTH
from replication.estimators.registry import ENTRIES
from replication.inference.cautions import FEW_TREATED
from replication.report.site.page_templates import prose, single_page
from replication.report.spreadsheet import write_spreadsheet
from replication.report.table_document import MADE_WITH

CANNOT = (
    "No test can establish that trends would have been parallel absent treatment; pre-adoption trends are "
    "informative but not proof.",
    "Nothing here tests whether the treatment of one unit affects the outcomes of others (spillovers), or "
    "whether units anticipate it.",
    "Adoption may not be random. If what drives adoption also affects trends in the outcome, the estimates "
    "are biased.",
)


@dataclass(frozen=True, slots=True)
class Audit:
    """The sections of an audit, what was found, and what cannot be concluded."""

    title: str
    sections: tuple[AuditSection, ...]
    found: tuple[str, ...]
    cannot: tuple[str, ...] = CANNOT

    @property
    def warnings(self) -> list[str]:
        """The warnings of all sections."""
        return [warning for section in self.sections for warning in section.warnings]

    @property
    def passed(self) -> list[str]:
        """The checks of all sections that found nothing."""
        return [words for section in self.sections for words in section.passed]

    @property
    def listed(self) -> list[tuple[str, str]]:
        """The checks of all sections without a warning, under their headings."""
        cautions = [words for section in self.sections for words in section.cautions]
        named = {"Passed": self.passed, "To interpret with caution": cautions}
        return [(title, "; ".join(found)) for title, found in named.items() if found]


def audit(panel: Panel, title: str, spec: Spec | None = None) -> Audit:
    """Run the checklist.

    Parameters
    ----------
    panel : Panel
        Binary treatment from the cohorts.
    title : title of the page.
    spec : the setup: keys that each estimator reads if it knows them; the defaults if None.

    Raises
    ------
    SpecError
        For a treatment column or repeated cross-sections.
    PanelError
        If no unit adopts within the panel.
    """
    spec = setup_of(panel) if spec is None else spec
    require_staggered(spec)
    require_treated(panel, spec)
    with one_thread():
        first = [
            design.cohorts(panel),
            design.comparisons(panel),
            design.effective_clusters(panel),
            design.two_way_weights(panel, spec),
        ]
        side_by_side, fits = estimates.every_estimator(panel, spec)
        last = [
            estimates.event_paths(fits),
            estimates.honest_bounds(fits),
            robustness.other_inference(panel, spec),
            robustness.leave_one_out(panel, spec),
            robustness.specification_curve(panel, spec),
        ]
    sections = (*first, side_by_side, *last)
    return Audit(title, sections, tuple(findings(fits, sections)))


def findings(fits: estimates.Fits, sections: Sequence[AuditSection]) -> list[str]:
    """The answer in plain words: the robust estimate, its interval, and how many warnings there are."""
    name = next((name for name in ("callaway_santanna", "imputation", "twfe") if name in fits), None)
    if name is None:
        return ["No estimator could be computed on this panel; the sections below give the reasons."]
    estimate, _, low, high = main_row(fits[name])
    label = ENTRIES[name].label
    interval = f"; {confidence_level(fits[name].details)} confidence interval {fixed(low)} to {fixed(high)}"
    side = "The interval excludes zero." if low > 0 or high < 0 else "The interval includes zero."
    side += unreliable(fits[name])
    if not low <= high:
        alone = {"treated": "only 1 cluster is treated", "control": "there is only 1 control cluster"}
        reason = alone.get(one_sided(fits[name]), "")
        interval = ""
        side = f"No confidence interval is reported{reason and f', because {reason}'}; see the warnings."
    count, passed, cautions = (
        sum(len(getattr(section, kind)) for section in sections)
        for kind in ("warnings", "passed", "cautions")
    )
    return [
        f"Under parallel trends and without anticipation, the estimated average effect on the treated is "
        f"{fixed(estimate)} ({label}{interval}). {side}",
        f"The checklist raises {counted(count, 'warning')}; {counted(passed, 'check')} passed"
        + (f", and {counted(cautions, 'is', 'are')} to be interpreted with caution." if cautions else "."),
    ]


def unreliable(found: Estimates) -> str:
    """A sentence on the interval where few clusters are treated, or serve as controls."""
    support = found.details.cluster_support
    designed = found.details.few_treated is not None
    if support is None or designed or min(support.treated, support.control) >= FEW_TREATED:
        return ""
    return " With so few treated or control clusters, this interval is not reliable; see the warnings."


def audit_text(audit: Audit) -> str:
    """What was found, the warnings, and what cannot be concluded."""
    parts = [audit.title, "", *audit.found]
    parts += ["", "Warnings:", *(f"  - {warning}" for warning in audit.warnings)] if audit.warnings else []
    for title, words in audit.listed:
        parts += ["", *textwrap.wrap(f"{title}: {words}.", WIDTH, subsequent_indent="  ")]
    parts += ["", "What cannot be concluded:", *(f"  - {words}" for words in audit.cannot)]
    return "\n".join(parts)


def write_audit(audit: Audit, folder: Path) -> Path:
    """Write ``index.html``, ``audit.txt``, and a CSV or PNG for each table and figure."""
    body = [listing("What was found", audit.found)]
    body += [listing("Warnings", audit.warnings)] if audit.warnings else []
    for title, words in audit.listed:
        heading = "Checks passed" if title == "Passed" else title
        body.append(f"<h2>{heading}</h2>\n<p>{prose(sentence(words))}</p>")
    body.append(listing("What cannot be concluded", audit.cannot))
    body += [section_html(section, folder) for section in audit.sections]
    write_text(folder / "audit.txt", audit_text(audit) + "\n")
    write_text(folder / "index.html", single_page(audit.title, "\n".join(body), MADE_WITH))
    return folder / "index.html"


def listing(title: str, words: tuple[str, ...] | list[str]) -> str:
    """A heading with a list below it."""
    items = "\n".join(f"<li>{prose(one)}</li>" for one in words)
    return f"<h2>{escape(title)}</h2>\n<ul>\n{items}\n</ul>"


def section_html(section: AuditSection, folder: Path) -> str:
    """A section of the page; its table and figure are written beside it."""
    name = re.sub(r"[^a-z0-9]+", "_", section.title.lower()).strip("_")
    parts = [f"<h2>{escape(section.title)}</h2>", *(f"<p>{prose(words)}</p>" for words in section.words)]
    parts += [f"<p><strong>{prose(warning)}</strong></p>" for warning in section.warnings]
    if section.figure is not None:
        with replacing(folder / f"{name}.png") as temporary:
            section.figure.savefig(temporary, format="png", **COMPRESSED["png"])
        parts.append(f'<p><img src="{name}.png" alt="{escape(section.title)}"/></p>')
    if section.table is not None:
        write_spreadsheet(folder / f"{name}.csv", section.table)
        parts.append(table_html(section))
        parts.append(f'<p><a href="{name}.csv">CSV</a></p>')
    return "\n".join(parts)


def table_html(section: AuditSection) -> str:
    """The table of a section; a long one is folded behind the rows that are shown."""
    assert section.table is not None
    if section.short is None:
        return f'<div class="scroll">{rows_html(section.table)}</div>'
    return (
        f'<div class="scroll">{rows_html(section.short)}</div>\n<details><summary>All {len(section.table)} '
        f'rows</summary><div class="scroll">{rows_html(section.table)}</div></details>'
    )


def rows_html(table: pd.DataFrame) -> str:
    """A table in HTML, every number of a column with the same decimals and a minus sign."""
    shown = table.copy()
    for name in table.columns:
        if pd.api.types.is_numeric_dtype(table[name]):
            digits = max((decimals(value) for value in table[name].dropna()), default=0)
            shown[name] = [fixed(value, digits) for value in table[name]]
    return str(shown.to_html(index=False, border=0, na_rep="", justify="right"))


def decimals(value: float) -> int:
    """Decimals of a number that was rounded to four."""
    return len(f"{value:.4f}".rstrip("0").partition(".")[2]) if np.isfinite(value) else 0
