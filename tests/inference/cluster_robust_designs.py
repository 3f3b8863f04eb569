"""Regressions behind the estimators with every dummy written out, for R and for formulas.

Nothing here uses the package's way to absorb effects: ``nested`` are the dummies (and lines) of
units, ``design`` the other columns with those of interest first, ``rows`` what the table reports.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from two_way_data import two_way_panel

from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.estimators.etwfe import etwfe
from replication.estimators.event_study import event_study
from replication.estimators.local_projections import local_projections
from replication.estimators.stacked import stacked
from replication.estimators.sun_abraham import sun_abraham
from replication.estimators.twfe import twfe


@dataclass(frozen=True)
class Written:
    """One regression: M rows, nested (M, A) and other (M, B) columns, labeled rows (B,)."""

    y: np.ndarray
    weight: np.ndarray
    cluster: np.ndarray
    nested: np.ndarray
    design: np.ndarray
    rows: dict[str, np.ndarray]


@dataclass(frozen=True)
class Case:
    """How the package estimates it, and the same regression written out."""

    panel: Panel
    estimate: Callable[..., Estimates]
    written: Callable[[], Written]


def dummies(codes):
    """Indicators of the values that occur."""
    return (codes[:, None] == np.unique(codes)).astype(float)


def two_way(panel, columns, rows, trends=()):
    """Columns (B, N, T) of interest, covariates, and all effects of a two-way regression."""
    unit, time = np.nonzero(panel.observed & (panel.weight > 0))
    nested = [dummies(unit)]
    others = [column[unit, time] for column in columns]
    others += [] if panel.covariates is None else [c[unit, time] for c in panel.covariates]
    others = [np.column_stack(others)]
    time_trend = (time - time.mean())[:, None]
    if "unit_linear" in trends:
        nested.append(nested[0] * time_trend)
    strata = [t.removesuffix("_by_time") for t in trends if t.endswith("_by_time")]
    n_periods = panel.periods.size
    for codes in [panel.strata[s][unit] for s in strata] or [np.zeros(unit.size, dtype=int)]:
        others.append(dummies(codes * n_periods + time))
    for trend in trends:
        if trend.endswith("_linear") and trend != "unit_linear":
            others.append(dummies(panel.strata[trend.removesuffix("_linear")][unit]) * time_trend)
    design = np.hstack(others)
    padded = {name: np.concatenate([row, np.zeros(design.shape[1] - len(row))]) for name, row in rows.items()}
    return Written(
        panel.y[unit, time], panel.weight[unit, time], panel.cluster[unit], np.hstack(nested), design, padded
    )


def twfe_case(trends=(), **drawn):
    panel = two_way_panel(7, cluster="state", **drawn)
    names = ["att", *(f"coef:{name}" for name in panel.covariate_names)]
    rows = dict(zip(names, np.eye(len(names)), strict=True))
    return Case(
        panel,
        lambda inference: twfe(panel, trends=trends, inference=inference),
        lambda: two_way(panel, [panel.dose], rows, trends),
    )


def event_case(**drawn):
    panel = two_way_panel(8, cluster="state", **drawn)
    times = [-3, -2, 0, 1, 2]
    event = np.clip(panel.periods - panel.cohort[:, None], -3, 2)
    event = np.where(panel.cohort[:, None] == 0, -1, event)
    rows = {f"event:{e}": row for e, row in zip(times, np.eye(5), strict=True)}
    rows["att"] = np.array([0, 0, 1, 1, 1]) / 3
    return Case(
        panel,
        lambda inference: event_study(panel, window=(-3, 2), inference=inference),
        lambda: two_way(panel, [(event == e).astype(float) for e in times], rows),
    )


def inside(panel):
    """The panel with units that adopt after its end as never treated, which they are in it."""
    return replace(panel, cohort=np.where(panel.cohort > panel.periods[-1], 0, panel.cohort))


def cells_case(estimate, untreated_only, **drawn):
    """Cohort-by-period effects: all but the last before adoption, or the treated ones only."""
    panel = inside(two_way_panel(9, cluster="state", **drawn))
    seen = panel.observed
    columns, mass, event = [], [], []
    for cohort in np.unique(panel.cohort[panel.cohort > 0]):
        for period in panel.periods:
            cell = (panel.cohort == cohort)[:, None] & (panel.periods == period) & seen
            e = int(period - cohort)
            if not cell.any() or e == -1 or (untreated_only and e < 0):
                continue
            columns.append(cell.astype(float))
            mass.append(panel.weight[cell].sum())
            event.append(e)
    mass, event = np.array(mass), np.array(event)
    rows = {"att": mass * (event >= 0) / mass[event >= 0].sum()}
    for e in np.unique(event):
        rows[f"event:{e}"] = mass * (event == e) / mass[event == e].sum()
    return Case(
        panel, lambda inference: estimate(panel, inference=inference), lambda: two_way(panel, columns, rows)
    )


def stacked_case(**drawn):
    """The stack of windows (-1, 1) with rows of units that are not yet treated."""
    panel = inside(two_way_panel(10, cluster="state", **drawn))
    onset = np.where(panel.cohort == 0, 10**6, panel.cohort - panel.periods[0])
    parts = []
    for a in np.unique(onset[onset < 10**6]):
        if not 1 <= a < panel.periods.size - 1:
            continue
        for treated in (1, 0):
            rows = np.flatnonzero(onset == a) if treated else np.flatnonzero(onset > a + 1)
            for h in (-1, 0, 1):
                w = panel.weight[rows, a + h]
                parts.append(
                    (
                        np.full(rows.size, a),
                        np.full(rows.size, treated),
                        np.full(rows.size, h),
                        rows,
                        panel.y[rows, a + h],
                        w,
                    )
                )
    a, treated, h, unit, y, w = (np.concatenate(column) for column in zip(*parts, strict=True))
    share = w.copy()
    for sub in np.unique(a):
        for e in (-1, 0, 1):
            own, at = (a == sub) & (h == e), h == e
            q = w[own & (treated == 1)].sum() / w[at & (treated == 1)].sum()
            q /= w[own & (treated == 0)].sum() / w[at & (treated == 0)].sum()
            share[own & (treated == 0)] *= q
    design = dummies(3 * treated + h + 1)
    # Columns: controls at -1, 0 and 1, then the treated.
    now, later = np.array([[1.0, -1, 0, -1, 1, 0], [1, 0, -1, -1, 0, 1]])
    rows = {"event:0": now, "event:1": later, "att": (now + later) / 2}
    return Case(
        panel,
        lambda inference: stacked(panel, window=(-1, 1), inference=inference),
        lambda: Written(y, share, panel.cluster[unit], np.zeros((y.size, 0)), design, rows),
    )


def projection_case(lead, reweight=False, **drawn):
    """Long differences from the period before adoption to ``lead`` periods after it."""
    panel = inside(two_way_panel(11, cluster="state", **drawn))
    onset = np.where(panel.cohort == 0, 10**6, panel.cohort - panel.periods[0])
    unit, time = [], []
    for t in range(1, panel.periods.size - lead):
        adopts, clean = onset == t, onset > t + lead
        if clean.any() and (adopts.any() or panel.covariates is not None):
            chosen = np.flatnonzero(adopts | clean)
            unit.append(chosen)
            time.append(np.full(chosen.size, t))
    unit, time = np.concatenate(unit), np.concatenate(time)
    adopter = (onset[unit] == time).astype(float)
    weight = panel.weight[unit, 0].copy()
    if reweight:
        for t in np.unique(time):
            at = time == t
            weight[at] *= weight[at].sum() / weight[at & (adopter == 0)].sum()
    covariates = [] if panel.covariates is None else [c[unit, time] for c in panel.covariates]
    design = np.hstack([np.column_stack([adopter, *covariates]), dummies(time)])
    return Case(
        panel,
        lambda inference: local_projections(
            panel, window=(lead, lead), reweight=reweight, inference=inference
        ),
        lambda: Written(
            panel.y[unit, time + lead] - panel.y[unit, time - 1],
            weight,
            panel.cluster[unit],
            np.zeros((unit.size, 0)),
            design,
            {f"event:{lead}": np.eye(design.shape[1])[0]},
        ),
    )


def cases() -> dict[str, Case]:
    """Every case by name."""
    gaps, weights = {"missing": 0.1}, {"weights": "unit"}
    return {
        "twfe": twfe_case(),
        "twfe_share_covariates": twfe_case(share=True, covariates=2),
        "twfe_gaps": twfe_case(covariates=1, **gaps),
        "twfe_weights": twfe_case(**weights),
        "twfe_weights_gaps": twfe_case(covariates=1, **weights, **gaps),
        "twfe_varying_weights": twfe_case(weights="varying"),
        "twfe_region_by_time": twfe_case(("region_by_time",)),
        "twfe_crossed_gaps": twfe_case(("region_by_time", "kind_by_time"), **gaps),
        "twfe_unit_linear": twfe_case(("unit_linear",), share=True),
        "twfe_unit_linear_weights": twfe_case(("unit_linear",), share=True, **weights),
        "twfe_region_linear": twfe_case(("region_linear",), share=True),
        "event_study": event_case(),
        "event_study_gaps": event_case(**gaps),
        "event_study_weights": event_case(**weights),
        "sun_abraham": cells_case(sun_abraham, False),
        "sun_abraham_gaps": cells_case(sun_abraham, False, **gaps),
        "sun_abraham_covariates": cells_case(sun_abraham, False, covariates=2),
        "sun_abraham_weights": cells_case(sun_abraham, False, **weights),
        "etwfe": cells_case(etwfe, True),
        "etwfe_gaps": cells_case(etwfe, True, **gaps),
        "etwfe_weights": cells_case(etwfe, True, **weights),
        "stacked": stacked_case(),
        "stacked_weights": stacked_case(**weights),
        "local_projections": projection_case(1),
        "local_projections_covariates": projection_case(0, covariates=1),
        "local_projections_reweighted": projection_case(2, reweight=True),
        "local_projections_weights": projection_case(1, **weights),
    }
