"""Sample and comparison groups of the group-time estimators.

The rules are those of R ``did::att_gt``: units treated in or before the first period leave, a
cohort after the last period counts as never treated, and where no unit is never treated the
periods from the last cohort's adoption on are cut, so that this cohort can serve as comparison.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.details import Dropped
from replication.core.dropped_units import units_dropped
from replication.core.errors import PanelError
from replication.core.panel import NEVER, Panel
from replication.core.reading import proposal
from replication.estimators.shared.adoption_contrast import COLUMN, require_adoption, require_contrast
from replication.estimators.shared.cohort_comparisons import (
    base_period_gaps,
    early_dropped,
    require_never_treated,
)
from replication.inference.cluster import influence_factor

PAIRWISE = {"unbalanced": "pairwise"}
"""Key that keeps units with gaps."""


@dataclass(frozen=True)
class ComparisonDesign:
    """A panel that is ready for 2x2 comparisons.

    Attributes
    ----------
    panel : what is left of the panel handed in.
    adoption : (N,) float
        First treated period; infinite for units that only serve as comparison.
    comparison : ``never_treated`` (the units with infinite adoption) or ``not_yet_treated``; before
        ``with_comparison`` also ``last_treated``, whose cohort then has infinite adoption.
    anticipation : periods before adoption that may already be affected.
    dropped : units and periods that were left out, with the reason.
    notes : the same as sentences.
    small_sample : ``clusters`` or ``none``
        Whether clusters above the unit multiply the variance by G/(G-1).
    """

    panel: Panel
    adoption: Floats
    comparison: str
    anticipation: int = 0
    dropped: tuple[Dropped, ...] = ()
    notes: tuple[str, ...] = ()
    small_sample: str = "clusters"

    @cached_property
    def cohorts(self) -> Ints:
        """(H,) first treated periods of the cohorts that get estimates, ascending."""
        return np.unique(self.adoption[np.isfinite(self.adoption)]).astype(np.int64)

    @cached_property
    def level(self) -> Ints:
        """(N,) position of the unit's cohort in ``cohorts``; H for comparison units."""
        return np.searchsorted(self.cohorts, self.adoption).astype(np.int64)

    @cached_property
    def mass(self) -> Floats:
        """(H + 1,) total weight of each cohort, and of the comparison units at the end.

        Weights are those of the first period, as R ``did::aggte`` takes them.
        """
        size = self.cohorts.size + 1
        return np.bincount(self.level, self.panel.weight[:, 0], size).astype(float)

    @property
    def score_factor(self) -> float:
        """Factor of the scores: root of G / (G - 1) with clusters above the unit, else 1."""
        return float(np.sqrt(influence_factor(self.panel, self.small_sample)))

    def with_note(self, note: str, *dropped: Dropped) -> ComparisonDesign:
        """The design with one more note, and what it counts."""
        return replace(self, notes=(*self.notes, note), dropped=(*self.dropped, *dropped))

    def keep(self, units: Bools) -> ComparisonDesign:
        """The design of the units where ``units`` is true."""
        return replace(self, panel=self.panel.keep_units(units), adoption=self.adoption[units])


def group_time_design(
    panel: Panel,
    *,
    control_group: str,
    anticipation: int = 0,
    unbalanced: str = "drop",
    small_sample: str = "clusters",
) -> ComparisonDesign:
    """Drop and cut what the group-time estimator cannot use, with counts.

    Raises
    ------
    PanelError
        If no cohort, no comparison unit, no period or one cluster is left.
    """
    design = ComparisonDesign(
        panel, adoption_of(panel, anticipation), control_group, anticipation, small_sample=small_sample
    )
    require_contrast(panel, anticipation)
    design = without_early(design)
    if control_group == "last_treated":
        design = without_never_treated(design)
    # Dropping units with gaps may take the last never-treated unit or a whole cohort away, and cutting
    # periods may close a gap: until nothing changes.
    while True:
        before = design.panel.y.shape
        require_never_treated(design.panel, control_group, anticipation)
        design = with_comparison(design)
        if unbalanced == "drop":
            design = without_gaps(design)
        if design.panel.y.shape == before and np.isinf(design.adoption).any():
            break
    require_two_clusters(design)
    gaps = base_period_gaps(design.panel, design.cohorts, anticipation)
    return design.with_note(gaps) if gaps else design


def adoption_of(panel: Panel, anticipation: int) -> Floats:
    """(N,) first treated period; infinite if never, or only after the last period."""
    inside = (panel.cohort != NEVER) & (panel.cohort <= panel.periods[-1] + anticipation)
    return np.where(inside, panel.cohort.astype(float), np.inf)


def without_early(design: ComparisonDesign) -> ComparisonDesign:
    """Drop the units that have no untreated period."""
    early = design.adoption <= int(design.panel.periods[0]) + design.anticipation
    if not early.any():
        return design
    note = early_dropped(design.panel, early, design.anticipation)
    dropped = Dropped("units_treated_in_first_period", int(early.sum()), "units")
    return design.keep(~early).with_note(note, dropped)


def without_never_treated(design: ComparisonDesign) -> ComparisonDesign:
    """Drop the never-treated units, which ``last_treated`` does not compare with."""
    never = np.isinf(design.adoption)
    if not never.any():
        return design
    return design.keep(~never).with_note(
        f"{int(never.sum())} units not treated inside the panel are dropped, since the control group is the "
        "last cohort to adopt",
        Dropped("units_not_treated", int(never.sum()), "units"),
    )


def with_comparison(design: ComparisonDesign) -> ComparisonDesign:
    """Turn the last cohort into the comparison, and cut its treated periods, where needed."""
    require_cohorts(design, np.isfinite(design.adoption))
    if np.isinf(design.adoption).any():
        rule = "never_treated" if design.comparison == "last_treated" else design.comparison
        return replace(design, comparison=rule)
    last = int(design.adoption.max())
    panel = design.panel
    named = panel.written(last)
    keep = panel.periods < last - design.anticipation
    adoption = np.where(design.adoption >= last, np.inf, design.adoption)
    require_cohorts(design, np.isfinite(adoption))
    only_last = design.comparison == "last_treated"
    who = "The control group is the last cohort" if only_last else "There are no never-treated units"
    todo = "Set 'control_group: not_yet_treated'" if only_last else "Add units that are never treated"
    if keep.sum() < 2:
        raise PanelError(
            f"No control group is left. {who}, and only {int(keep.sum())} of {keep.size} periods come before "
            f"the last cohort, {named}, adopts. {todo}, or add earlier periods."
        )
    cut = panel.periods[~keep]
    kept = replace(
        design,
        panel=panel.keep_periods(keep),
        adoption=adoption,
        comparison="never_treated" if only_last else "not_yet_treated",
    )
    ends = " to ".join(dict.fromkeys(panel.written(period) for period in cut[[0, -1]])) if cut.size else ""
    gone = f"{cut.size} periods ({ends}) are dropped" if cut.size else ""
    note = f"The last cohort to adopt ({named}) serves only as the control group{gone and f'; {gone}'}"
    if not only_last:
        note = (
            f"{who}, so the control group consists of units not yet treated; the last cohort to adopt "
            f"({named}) serves only as a control{gone and f', and {gone}'}"
        )
    lost = [Dropped("periods_cut", cut.size, "periods", tuple(panel.label(cut).tolist()))] if cut.size else []
    return kept.with_note(
        note,
        Dropped("comparison_cohort", 1, "cohorts", (int(panel.label(last)),)),
        *lost,
    )


def without_gaps(design: ComparisonDesign) -> ComparisonDesign:
    """Drop the units that are not observed in every period."""
    panel = design.panel
    whole: Bools = np.asarray(complete_cells(panel).all(axis=1))
    if whole.all():
        return design
    count = int((~whole).sum())
    if not whole.any():
        raise PanelError(
            f"None of the {whole.size} units is observed in all {panel.periods.size} periods. "
            f"Use {proposal(PAIRWISE)} to use units in the pairs of periods in which they are observed, or "
            "restrict the periods in 'sample'."
        )
    return design.keep(whole).with_note(
        units_dropped(
            panel.units[~whole],
            whole.size,
            "they are not observed in every period",
            f"{proposal(PAIRWISE)} keeps them where they are observed",
        ),
        Dropped("units_with_gaps", count, "units"),
    )


def complete_cells(panel: Panel) -> Bools:
    """(N, T) cells with the outcome and every covariate."""
    if panel.covariates is None:
        return panel.observed
    return panel.observed & ~np.isnan(panel.covariates).any(axis=0)


def require_cohorts(design: ComparisonDesign, treated: Bools) -> None:
    """Refuse a panel in which no unit that is treated inside it has a comparison."""
    if not treated.any():
        require_adoption(design.panel, "; ".join(design.notes))
        raise PanelError(f"No cohort of the panel can be compared with another one. {COLUMN}")


def require_two_clusters(design: ComparisonDesign) -> None:
    """Refuse a single cluster: its variance is not defined."""
    if design.panel.n_clusters >= 2:
        return
    name = next(iter(design.panel.clusters))
    what = "unit" if design.panel.cohort.size == 1 else "cluster"
    after = f" ({'; '.join(design.notes)})" if design.notes else ""
    raise PanelError(
        f"The sample has only one {what} in column {name!r}{after}, and standard errors need at least two. "
        f"Add units{'' if what == 'unit' else ', or name another cluster column'}."
    )
