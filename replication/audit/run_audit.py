"""The checklist on one panel, with its conclusions and limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from replication.audit import design_sections as design
from replication.audit import estimate_sections as estimates
from replication.audit.design_sections import AuditSection
from replication.core.panel import Panel
from replication.core.threads import one_thread
from replication.display.formatting import fixed
from replication.estimators.registry import ENTRIES

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


def audit(panel: Panel, title: str) -> Audit:
    """Run the checklist.

    Parameters
    ----------
    panel : Panel
        Binary treatment from the cohorts.
    title : title of the page.
    """
    with one_thread():
        first = [
            design.cohorts(panel),
            design.comparisons(panel),
            design.effective_clusters(panel),
            design.two_way_weights(panel),
        ]
        side_by_side, fits = estimates.every_estimator(panel)
        last = [
            estimates.event_paths(fits),
            estimates.honest_bounds(fits),
            estimates.other_inference(panel),
            estimates.leave_one_out(panel),
            estimates.specification_curve(panel),
        ]
    sections = (*first, side_by_side, *last)
    return Audit(title, sections, tuple(findings(fits, sections)))


def findings(fits: estimates.Fits, sections: Sequence[AuditSection]) -> list[str]:
    """The answer in plain words: the robust estimate, its interval, and how many warnings there are."""
    name = next((name for name in ("callaway_santanna", "imputation", "twfe") if name in fits), None)
    if name is None:
        return ["No estimator could be computed on this panel; the sections below give the reasons."]
    estimate, _, low, high = estimates.main_row(fits[name])
    label = ENTRIES[name].label
    side = "The interval excludes zero." if low > 0 or high < 0 else "The interval includes zero."
    if not low <= high:
        side = "No interval can be given; see the notes."
    count = sum(len(section.warnings) for section in sections)
    return [
        "Under parallel trends and without anticipation, the average effect on the treated is "
        f"{fixed(estimate)} "
        f"({label}; 95% confidence interval {fixed(low)} to {fixed(high)}). {side}",
        f"The checklist raises {count} warnings." if count != 1 else "The checklist raises 1 warning.",
    ]
