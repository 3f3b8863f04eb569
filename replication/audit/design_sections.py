"""Design sections of the audit: cohorts, comparisons, clusters, and the weights of TWFE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from replication.audit.checklist import AuditSection, Check, fit, main_row, verdicts
from replication.core.errors import InputError
from replication.core.panel import NEVER, Panel
from replication.core.reading import proposal
from replication.core.spec import Spec
from replication.core.wording import counted, series
from replication.display.decomposition_text import KINDS
from replication.display.formatting import fixed, integer
from replication.estimators.goodman_bacon import by_kind, components
from replication.estimators.twfe_weights import twfe_weights

FEW_UNITS = 5
"""Units of a cohort below which its own estimates are hardly informative."""
FEW_TREATED, FEW_CLUSTERS = 10, 20
"""Clusters with treated units, and clusters in all, below which a warning is given."""
LEVEL = 0.95
"""Level of the intervals by which a test is judged."""
WITHOUT_COVARIATES = (
    "These weights and the decomposition are defined without covariates, so this section leaves out"
)
SELECTED = (-12, -4, -1, 0, 4, 12)
"""Event times that a long table shows, besides its ends."""
MOST_ROWS = 12
"""Rows of a table that are shown without folding."""


def cohorts(panel: Panel) -> AuditSection:
    """Cohorts, gaps, and units that are always or never treated."""
    first, last = int(panel.periods[0]), int(panel.periods[-1])
    labels, counts = np.unique(panel.cohort, return_counts=True)
    table = pd.DataFrame({"cohort": labels, "units": counts})
    table["clusters"] = [clusters_of(panel, panel.cohort == label) for label in labels]
    table["percent of units"] = (100 * counts / counts.sum()).round(1)
    names = ["never treated" if label == NEVER else panel.written(label) for label in labels]
    table["cohort"] = names
    never = int((panel.cohort == NEVER).sum())
    always = int(((panel.cohort != NEVER) & (panel.cohort <= first)).sum())
    later = int((panel.cohort > last).sum())
    gaps = int((~panel.observed).sum())
    small = [
        name for name, label, count in zip(names, labels, counts, strict=True) if label and count < FEW_UNITS
    ]
    words = [
        f"{counted(len(panel.units), 'unit')} are observed over {counted(panel.periods.size, 'period')}, "
        f"{panel.written(first)} to {panel.written(last)}; {never:,} are never treated, {later:,} adopt only "
        f"after the last period, and {always:,} are treated throughout."
    ]
    if gaps:
        words.append(f"{gaps:,} of {panel.y.size:,} unit-periods are not observed.")
    together = f"All {len(panel.units):,} units adopt in period {names[0]}" if len(names) == 1 else ""
    found = verdicts(cohort_checks(always, small, never + later, together))
    return AuditSection("Cohorts", tuple(words), *found, table, largest(table, "units"))


def cohort_checks(always: int, small: Sequence[str], untreated: int, together: str) -> list[Check]:
    """Units that are treated throughout, small cohorts, and whether units remain untreated.

    ``together``: when all units adopt, where there is a single cohort.
    """
    return [
        Check(
            always > 0,
            f"{counted(always, 'unit is', 'units are')} treated in every period. They have no untreated "
            "period, so no estimator can identify their effect, and two-way fixed effects uses them as "
            "controls.",
            "no unit is treated in every period",
        ),
        Check(
            bool(small),
            f"Cohorts with fewer than {FEW_UNITS} units: {', '.join(small)}.",
            f"every cohort has at least {FEW_UNITS} units",
        ),
        Check(
            untreated == 0,
            f"{together}: there is no control group, and no estimator can be computed."
            if together
            else "No unit remains untreated through the last period: the last cohort serves as the control "
            "group.",
            f"{counted(untreated, 'unit remains', 'units remain')} untreated through the last period",
        ),
    ]


def largest(table: pd.DataFrame, column: str) -> pd.DataFrame | None:
    """The largest rows of a long table, in its order; None if all of it is shown."""
    if len(table) <= MOST_ROWS:
        return None
    return table.loc[table[column].nlargest(MOST_ROWS).index.sort_values()]


def clusters_of(panel: Panel, units: np.ndarray) -> int:
    """Clusters of the first dimension among some units."""
    codes = next(iter(panel.clusters.values()))
    return int(np.unique(codes[units]).size)


def comparisons(panel: Panel) -> AuditSection:
    """How many treated units each event time has, and how many units each cohort is compared with there."""
    table = pd.DataFrame(
        [
            row
            for time in range(1 - panel.periods.size, panel.periods.size)
            for row in compared_at(panel, time)
        ],
        columns=["event time", "treated units", "cohorts", "fewest not-yet-treated units"],
    )
    after = table[table["event time"] >= 0]
    alone = after[after["fewest not-yet-treated units"] == 0]["event time"].tolist()
    words = [
        "At each event time, a cohort is compared with the units of other cohorts that are treated neither "
        "in that period nor in the last period before the cohort adopts. The composition changes with event "
        "time: changes in slope may reflect changes in composition."
    ]
    checks = [
        Check(
            bool(alone),
            f"From event time {alone[0] if alone else 0} on some periods have no not-yet-treated unit: "
            "effects there depend on functional form alone, or cannot be estimated.",
            "every treated period has not-yet-treated units",
        )
    ]
    short = table[table["event time"].isin([*SELECTED, *table["event time"].iloc[[0, -1]]])]
    return AuditSection(
        "Comparison groups by event time",
        tuple(words),
        *verdicts(checks),
        table,
        short if len(table) > MOST_ROWS else None,
    )


def compared_at(panel: Panel, time: int) -> list[tuple[int, int, int, int]]:
    """One row for an event time that some cohort is observed at: units, cohorts, and the fewest controls."""
    units, controls = [], []
    for first in np.unique(panel.first[panel.first < panel.periods.size]):
        period = int(first) + time
        if not 0 <= period < panel.periods.size:
            continue
        seen, own = panel.observed[:, period], panel.first == first
        if (seen & own).any():
            units.append(int((seen & own).sum()))
            controls.append(int((seen & ~own & (panel.first > max(period, int(first) - 1))).sum()))
    return [(time, sum(units), len(units), min(controls))] if units else []


def two_way_weights(panel: Panel, spec: Spec) -> AuditSection:
    """The two-way estimate, its negative weights, and the comparisons that it averages.

    All are without trends and covariates, for which the weights are not derived.
    """
    names = panel.covariate_names
    panel = replace(panel, covariates=None, covariate_names=())
    try:
        estimate, std_error, *_ = main_row(fit(panel, spec, "twfe", trends=(), covariates=()))
        weights = twfe_weights(panel).details
    except InputError as refusal:
        return AuditSection("Two-way fixed effects", (f"It cannot be estimated here: {refusal}",))
    negative = weights.find("sum_negative")
    words = [
        f"Two-way fixed effects (TWFE){left_out(spec, names)} gives {fixed(estimate)} (standard error "
        f"{fixed(std_error)}). It weights the effects of treated unit-periods; "
        + (
            f"{100 * weights.find('share_negative'):.1f}% of them have negative weights, which sum to "
            f"{fixed(negative)}."
            if negative < 0
            else "none of them has a negative weight."
        )
    ]
    checks = [
        Check(
            negative < -0.01,
            "TWFE assigns negative weights to some treatment effects, so the estimate may have a different "
            "sign from all of them if effects vary across cohorts or over time.",
            "TWFE assigns almost no negative weights",
        )
    ]
    if names:
        words.append(f"{WITHOUT_COVARIATES} {series(names)}, which the sections below use.")
    sentence, table = decomposition(panel)
    words.append(sentence)
    return AuditSection("What the TWFE estimator averages", tuple(words), *verdicts(checks), table)


def left_out(spec: Spec, covariates: Sequence[str]) -> str:
    """`` without trends and covariates``, of what the setup has; empty if it has neither."""
    found = [word for word, used in (("trends", spec.trends), ("covariates", covariates)) if used]
    return f" without {series(found)}" if found else ""


def decomposition(panel: Panel) -> tuple[str, pd.DataFrame | None]:
    """The weight of comparisons with already-treated units, and weight and estimate of every kind."""
    try:
        kinds = by_kind(components(panel))
    except InputError as refusal:
        return str(refusal), None
    rows = [(KINDS.get(kind, kind), one["weight"], one["estimate"]) for kind, one in kinds.items()]
    forbidden = float(kinds.get("later_vs_earlier", {}).get("weight", 0.0))
    words = (
        f"In the Goodman-Bacon decomposition, comparisons with already-treated units carry "
        f"{100 * forbidden:.1f}% of the weight."
    )
    return words, pd.DataFrame(rows, columns=["comparison", "weight", "estimate"]).round(4)


def effective_clusters(panel: Panel) -> AuditSection:
    """Clusters, treated and control clusters, and how evenly treatment is spread over them."""
    names = ", ".join(panel.clusters)
    codes = next(iter(panel.clusters.values()))
    by_unit = codes if codes.ndim == 1 else codes[:, 0]
    ever = panel.first < panel.periods.size
    with_treated, with_control = np.unique(by_unit[ever]).size, np.unique(by_unit[~ever]).size
    sizes = np.bincount(by_unit, weights=panel.weight[:, 0])
    even = sizes.sum() ** 2 / (sizes**2).sum()
    words = [
        f"Standard errors are clustered by {names}: {integer(panel.n_clusters)} clusters, "
        f"{with_treated} with treated units, and {with_control} with units untreated through the last "
        f"period. Effective number of clusters by size: {even:.3g}."
    ]
    checks = [
        Check(
            with_treated < FEW_TREATED,
            f"Only {counted(with_treated, 'cluster contains', 'clusters contain')} treated units, so "
            "clustered standard errors are too small; also report randomization inference: "
            f"{proposal({'inference.method': 'permutation'})}.",
            f"{with_treated} clusters contain treated units",
        ),
        Check(
            panel.n_clusters < FEW_CLUSTERS,
            f"There are only {panel.n_clusters} clusters. {other_test(panel.n_clusters)}",
            f"there are {integer(panel.n_clusters)} clusters",
        ),
    ]
    return AuditSection("Clusters", tuple(words), *verdicts(checks))


def other_test(n_clusters: int) -> str:
    """A test that keeps its size better than the usual t-test, and that can reject at the 5% level."""
    smallest = 0.5 ** (n_clusters - 1)
    if smallest < 1 - LEVEL:
        return (
            f"The wild cluster bootstrap keeps its size better than the usual t-test: "
            f"{proposal({'inference.method': 'wild'})}, for TWFE."
        )
    return (
        f"The wild cluster bootstrap with Rademacher weights cannot reject, as its smallest p-value is "
        f"{smallest:.3g}; report randomization inference: {proposal({'inference.method': 'permutation'})}."
    )
