"""Estimates of the audit: estimators side by side, event-study paths, sensitivity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from replication.audit.checklist import (
    AuditSection,
    Check,
    drawn_p,
    fit,
    main_row,
    one_sided,
    p_text,
    smallest_p,
    verdicts,
)
from replication.audit.event_window import NEAR
from replication.core.details import JointTest
from replication.core.errors import InputError
from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.spec import Spec
from replication.core.wording import series
from replication.display.event_plot import event_study_figure
from replication.display.formatting import distinct_words, fixed, integer, sentence
from replication.display.result_text import is_large_loss
from replication.estimators.registry import ENTRIES
from replication.inference.critical_values import FEWEST_FOR_NORMAL
from replication.inference.sensitivity import breakdown_value, pretest_power

COMPARED = (
    "twfe",
    "callaway_santanna",
    "sun_abraham",
    "imputation",
    "two_stage",
    "etwfe",
    "stacked",
    "local_projections",
    "dcdh",
)
ROBUST = COMPARED[1:]
ALL_CELLS = ("simple", "cells_by_size", "cells_by_weight")
"""Averages over all treated cells; the stack, local projections, and others cover shorter windows."""
SWITCHERS = "switchers"
"""The average of de Chaisemartin-D'Haultfoeuille: over all treated cells unless a window ends earlier."""
SHORTER = ("stacked regressions", "local projections")
PATHS = ("callaway_santanna", "imputation")
FRAGILE = 0.5
"""Breakdown value of relative magnitudes below which a warning is given; below 1 it is a caution."""
NOT_VALID = "not reported, because with 1 {} cluster the standard errors on which it relies are not valid."
RESTRICTIONS = {
    "relative_magnitudes": "relative magnitudes (Mbar, multiple of the largest change before adoption)",
    "smoothness": "smoothness (M, change in slope per period, units of the outcome)",
}
SENSITIVITY = (
    "The breakdown value is the largest bound at which the interval of the average effect excludes zero. "
    "Relative magnitudes bound the change in the violation of parallel trends between consecutive periods "
    "after adoption: at 1, by the largest such change before adoption."
)
TOO_SHORT = " The sensitivity intervals use normal critical values and are too short with so few clusters."
WINDOWS = (
    f"Event times up to {NEAR} before and after adoption enter. `replication honest DIR` examines the event "
    "times of a saved result, so its breakdown value may differ; for a result estimated without `window`, "
    f"`replication honest DIR --window -{NEAR} {NEAR}` reproduces the value below."
)
SIDE_BY_SIDE = [
    *("estimator", "estimate", "std. error", "conf. low", "conf. high", "p-value", "observations", "units"),
    "reason not estimated",
]

Fits = dict[str, Estimates]


def every_estimator(panel: Panel, spec: Spec) -> tuple[AuditSection, Fits]:
    """All estimators side by side, and the results for the sections below."""
    fits, rows = Fits(), []
    for name in COMPARED:
        try:
            fits[name] = fit(panel, spec, name, drawn=True)
            first = fits[name].table.iloc[0]
            p_value = drawn_p(float(first["p_value"]), smallest_p(fits[name], panel))
            counts = (int(first["n_obs"]), int(first["n_units"]))
            row: tuple[object, ...] = (*main_row(fits[name]), p_value, *counts, "")
        except InputError as refusal:
            row = (*[np.nan] * 4, "", pd.NA, pd.NA, str(refusal))
        rows.append((ENTRIES[name].label, *row))
    table = pd.DataFrame(rows, columns=SIDE_BY_SIDE).round(4)
    table = table.astype({"observations": "Int64", "units": "Int64"})
    if (table[SIDE_BY_SIDE[-1]] == "").all():
        table = table.drop(columns=SIDE_BY_SIDE[-1])
    averages = ALL_CELLS if spec.window else (*ALL_CELLS, SWITCHERS)
    robust = [
        main_row(fits[name])[0] for name in ROBUST if name in fits and fits[name].details.average in averages
    ]
    shorter = [*SHORTER, ENTRIES["dcdh"].label] if spec.window else SHORTER
    words = [*robust_words(robust, shorter), *sample_words(table), *method_words(fits, spec.inference.method)]
    found = verdicts(side_by_side_checks(fits, robust))
    return AuditSection("All estimators side by side", tuple(words), *found, table), fits


def side_by_side_checks(fits: Fits, robust: Sequence[float]) -> list[Check]:
    """Estimators that cannot be computed, units that are lost, and TWFE against the ``robust`` estimates."""
    absent = len(COMPARED) - len(fits)
    losses = distinct_words(
        sentence(note) for found in fits.values() for note in found.details.notes if is_large_loss(note)
    )
    checks = [
        Check(
            absent > 0,
            f"{absent} of {len(COMPARED)} estimators cannot be computed here; the table gives the reasons.",
            f"all {len(COMPARED)} estimators can be computed",
        ),
    ]
    if fits:
        checks.append(
            Check(bool(losses), " ".join(losses), "no estimator drops more than 10% of the units"),
        )
    if "twfe" in fits and robust:
        checks.append(
            Check(
                outside(main_row(fits["twfe"]), robust),
                f"TWFE gives {fixed(main_row(fits['twfe'])[0])}, outside the range of the robust estimators "
                f"that average all treated cells ({fixed(min(robust))} to {fixed(max(robust))}).",
                "TWFE lies within the range of the robust estimators",
            )
        )
    return checks


def robust_words(robust: Sequence[float], shorter: Sequence[str] = SHORTER) -> list[str]:
    """The range of the robust estimates of one estimand, and what averages fewer event times."""
    if not robust:
        return []
    return [
        f"The {len(robust)} estimators that allow effects to differ over cohorts and time and average all "
        f"treated cells give {fixed(min(robust))} to {fixed(max(robust))}; {series(shorter)} average fewer "
        "event times, and TWFE weights effects by the residual variance of treatment."
    ]


def method_words(fits: Fits, method: str) -> list[str]:
    """Whether some estimators have no such method of inference."""
    if all(method in ENTRIES[name].methods for name in fits):
        return []
    return [f"Standard errors are analytic where an estimator has no `inference.method={method}`."]


def sample_words(table: pd.DataFrame) -> list[str]:
    """Whether the estimators use the same units, and why their observations differ."""
    units, counts = table["units"].dropna(), table["observations"].dropna()
    if units.nunique() == counts.nunique() == 1 or units.empty:
        return []
    same = f"All of them use {integer(units.max())} units"
    if units.nunique() > 1:
        same = f"Their samples differ, from {integer(units.min())} to {integer(units.max())} units"
    return [
        f"{same}. A stacked regression counts an observation once for each sub-experiment (stack) in which "
        "it appears; local projections count differences."
    ]


def outside(row: tuple[float, float, float, float], others: Sequence[float]) -> bool:
    """Whether an estimate is below or above all others by more than a tenth of its standard error."""
    least = 0.1 * row[1]
    return not min(others) - least <= row[0] <= max(others) + least


def event_paths(fits: Fits) -> AuditSection:
    """Event-study paths, their pre-trend tests, and the power of these."""
    shown = {name: fits[name] for name in PATHS if name in fits}
    if not shown:
        return AuditSection("Event study", ("No estimator gives a path by event time here.",))
    words, checks = [], []
    for name, found in shown.items():
        test = found.details.pretrend or JointTest(reason="no periods before")
        p_value = test.p_value
        if p_value is None:
            words.append(f"{ENTRIES[name].label}: no pre-trend test, {test.reason}.")
            continue
        words.append(f"{ENTRIES[name].label}: joint test of the periods before adoption, {p_text(p_value)}.")
        checks.append(
            Check(
                p_value < 0.05,
                f"The pre-trend test of {ENTRIES[name].label} rejects at the 5% level ({p_text(p_value)}).",
                f"the pre-trend test of {ENTRIES[name].label} does not reject ({p_text(p_value)})",
            )
        )
    words += power_words(*next(iter(shown.items())))
    figure = event_study_figure(
        list(shown.values()), [ENTRIES[name].label for name in shown], window=(-NEAR, NEAR)
    )
    return AuditSection(
        "Event study, pre-trends and their power", tuple(words), *verdicts(checks), figure=figure
    )


def power_words(name: str, fit: Estimates) -> list[str]:
    """Power of a pre-trend test of this path (Roth 2022)."""
    if side := one_sided(fit):
        return [f"Power of the pre-trend test: {NOT_VALID.format(side)}"]
    try:
        row = pretest_power(fit, power=(0.8,), window=near(fit)).iloc[0]
    except InputError:
        return []
    slope, bias = float(row["slope"]), float(row["trend"])
    return [
        f"The pre-trend test of {ENTRIES[name].label} at the 5% level detects a linear difference in trends "
        f"of {fixed(slope)} per period with 80% power; such a difference would bias the average effect by "
        f"{fixed(bias)} in absolute value. A test that does not reject is weak evidence for parallel trends."
    ]


def near(fit: Estimates) -> tuple[int, int]:
    """The event times around adoption that the path has, at most ``NEAR`` on either side."""
    times = fit.path()[0]["event_time"]
    return max(int(times.min()), -NEAR), min(int(times.max()), NEAR)


def few_clusters(fits: Fits) -> bool:
    """Whether clusters are so few that intervals of the estimates do not use normal critical values."""
    return any(int(found.table["n_clusters"].iloc[0]) < FEWEST_FOR_NORMAL for found in fits.values())


def honest_bounds(fits: Fits) -> AuditSection:
    """Sensitivity of the overall effect to violations of parallel trends (Rambachan & Roth 2023)."""
    rows, words = [], []
    for name in (name for name in PATHS if name in fits):
        label, window = ENTRIES[name].label, near(fits[name])
        if side := one_sided(fits[name]):
            words.append(f"{label}: {NOT_VALID.format(side)}")
            continue
        try:
            found = {
                method: breakdown_value(fits[name], method=method, window=window) for method in RESTRICTIONS
            }
        except InputError:
            words.append(f"Not available for {label}: its leads have no common reference period.")
            continue
        times = f"0 to {window[1]}"
        rows += [(label, times, RESTRICTIONS[method], value) for method, value in found.items()]
    columns = ["estimator", "average of event times", "restriction", "breakdown value"]
    table = pd.DataFrame(rows, columns=columns).round(4) if rows else None
    short = TOO_SHORT if rows and few_clusters(fits) else ""
    if rows:
        words += [SENSITIVITY + short, WINDOWS]
    least, averaged = min(
        ((value, f"{label}, event times {times}") for label, times, name, value in rows if "Mbar" in name),
        default=(np.inf, ""),
    )
    checks = [
        Check(
            least < FRAGILE,
            f"Breakdown value {fixed(least, 2)}: the interval of the average effect ({averaged}) includes "
            f"zero once the violation of parallel trends may change between consecutive periods by more than "
            f"{fixed(least, 2)} times the largest change before adoption.{short}",
            f"the breakdown value under relative magnitudes is {fixed(least, 2)}, at least the threshold of "
            f"{FRAGILE:g} used here (a value of 1 means that post-adoption violations as large as the "
            "largest one before adoption do not overturn the result)",
            caution=least < 1,
        )
    ]
    return AuditSection(
        "Sensitivity to violations of parallel trends",
        tuple(words),
        *(verdicts(checks) if rows else ((), (), ())),
        table,
    )
