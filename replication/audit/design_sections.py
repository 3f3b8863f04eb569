"""Design sections of the audit: cohorts, comparisons, clusters, and the weights of TWFE."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from replication.core.errors import InputError
from replication.core.panel import NEVER, Panel
from replication.display.formatting import fixed, integer, probability
from replication.estimators.goodman_bacon import by_kind, components
from replication.estimators.twfe import twfe
from replication.estimators.twfe_weights import twfe_weights

FEW_UNITS = 5
"""Units of a cohort below which its own estimates are hardly informative."""
KINDS = {
    "treated_vs_never": "treated against never-treated",
    "earlier_vs_later": "earlier against later adopters, before the later adopt",
    "later_vs_earlier": "later against earlier adopters, already treated",
    "treated_vs_always": "treated against always-treated",
}


@dataclass(frozen=True, slots=True)
class AuditSection:
    """One item of the checklist.

    Attributes
    ----------
    words : sentences in plain words.
    warnings : sentences that a reader must not miss; they are repeated at the top of the page.
    table, figure : shown below the words, where there are any.
    """

    title: str
    words: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    table: pd.DataFrame | None = field(default=None, repr=False)
    figure: Figure | None = field(default=None, repr=False)


def cohorts(panel: Panel) -> AuditSection:
    """Cohorts, gaps, and units that are always or never treated."""
    first, last = int(panel.periods[0]), int(panel.periods[-1])
    labels, counts = np.unique(panel.cohort, return_counts=True)
    table = pd.DataFrame({"cohort": labels, "units": counts})
    table["clusters"] = [clusters_of(panel, panel.cohort == label) for label in labels]
    table["share of units"] = (counts / counts.sum()).round(3)
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
        f"{len(panel.units):,} units are observed over {panel.periods.size} periods, "
        f"{panel.written(first)} to {panel.written(last)}; "
        f"{never:,} are never treated, {later:,} adopt only after the last period, and {always:,} are "
        "treated "
        "throughout."
    ]
    if gaps:
        words.append(f"{gaps:,} of {panel.y.size:,} unit-periods are not observed.")
    warnings = []
    if always:
        warnings.append(
            f"{always:,} units are treated in every period. They have no untreated period, so no estimator "
            "learns "
            "their effect, and two-way fixed effects uses them as controls."
        )
    if small:
        warnings.append(f"Cohorts with fewer than {FEW_UNITS} units: {', '.join(small)}.")
    if never + later == 0:
        warnings.append("No unit is untreated to the end: the last cohort serves as the control group.")
    return AuditSection("Cohorts", tuple(words), tuple(warnings), table)


def clusters_of(panel: Panel, units: np.ndarray) -> int:
    """Clusters of the first dimension among some units."""
    codes = next(iter(panel.clusters.values()))
    return int(np.unique(codes[units]).size)


def comparisons(panel: Panel) -> AuditSection:
    """How many treated and not-yet-treated units there are at each event time."""
    first = panel.first.astype(float)
    treated = first < panel.periods.size
    event = np.arange(panel.periods.size) - first[:, None]
    rows = []
    for time in range(
        int(-first[treated].max(initial=0)), int(panel.periods.size - first[treated].min(initial=0))
    ):
        there = (event == time) & treated[:, None] & panel.observed
        periods = there.any(axis=0)
        if there.any():
            controls = ((first[:, None] > np.arange(panel.periods.size)) & panel.observed)[:, periods].sum(
                axis=0
            )
            cohorts = np.unique(panel.cohort[there.any(axis=1)]).size
            rows.append((time, int(there.any(axis=1).sum()), cohorts, int(controls.min())))
    table = pd.DataFrame(
        rows, columns=["event time", "treated units", "cohorts", "fewest not-yet-treated units"]
    )
    after = table[table["event time"] >= 0]
    alone = after[after["fewest not-yet-treated units"] == 0]["event time"].tolist()
    words = [
        "At each event time, the units that adopt are compared with units not yet treated in the same "
        "period. The "
        "composition changes with event time: changes in slope may reflect changes in composition."
    ]
    warnings = []
    if alone:
        warnings.append(
            f"From event time {alone[0]} on some periods have no not-yet-treated unit: effects there depend "
            "on functional form alone, or cannot be estimated."
        )
    return AuditSection("Comparison groups by event time", tuple(words), tuple(warnings), table)


def two_way_weights(panel: Panel) -> AuditSection:
    """The two-way estimate, its negative weights, and the comparisons that it averages."""
    try:
        estimate, std_error = coefficient(panel)
        weights = twfe_weights(panel).details
    except InputError as refusal:
        return AuditSection("Two-way fixed effects", (f"It cannot be estimated here: {refusal}",))
    words = [
        f"Two-way fixed effects (TWFE) gives {fixed(estimate)} (standard error {fixed(std_error)}). It "
        f"weights the effects of treated unit-periods; {100 * weights.find('share_negative'):.1f}% of them "
        f"get a negative weight, which sum to {fixed(weights.find('sum_negative'))}."
    ]
    warnings = []
    if weights.find("sum_negative") < -0.01:
        warnings.append(
            "TWFE gives negative weights to some effects, so it may differ in sign from every one of them if "
            "effects vary over cohorts or time."
        )
    table, forbidden = None, 0.0
    try:
        kinds = by_kind(components(panel))
        table = pd.DataFrame(
            [(KINDS.get(kind, kind), one["weight"], one["estimate"]) for kind, one in kinds.items()],
            columns=["comparison", "weight", "estimate"],
        ).round(4)
        forbidden = float(kinds.get("later_vs_earlier", {}).get("weight", 0.0))
        words.append(
            f"In the Goodman-Bacon decomposition, comparisons with already-treated units carry "
            f"{100 * forbidden:.1f}% of the weight."
        )
    except InputError as refusal:
        words.append(f"The Goodman-Bacon decomposition does not apply: {refusal}")
    return AuditSection("What two-way fixed effects averages", tuple(words), tuple(warnings), table)


def coefficient(panel: Panel) -> tuple[float, float]:
    """Estimate and standard error of the treatment coefficient."""
    row = twfe(panel).table.iloc[0]
    return float(row["estimate"]), float(row["std_error"])


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
        f"{with_treated} with treated units and {with_control} with never-treated units. Effective number "
        f"of clusters by size: {even:.1f}."
    ]
    warnings = []
    if with_treated < 10:
        warnings.append(
            f"Only {with_treated} clusters contain treated units, so that clustered standard errors are too "
            "small; report randomization inference beside them (`replication estimate` with `--set "
            "inference.method=permutation`)."
        )
    if panel.n_clusters < 20:
        warnings.append(
            f"There are only {panel.n_clusters} clusters. The wild cluster bootstrap (`replication "
            "estimate` with `--set inference.method=wild`) keeps its size better than the usual t-test."
        )
    return AuditSection("Clusters", tuple(words), tuple(warnings))


def p_text(value: float) -> str:
    """A p-value in words."""
    shown = probability(value)
    return "not available" if not shown else f"p {shown}" if shown.startswith("<") else f"p = {shown}"
