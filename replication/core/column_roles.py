"""Roles of columns that must differ, the eligible partition, the dose, and individuals observed once."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from replication.core.arrays import Floats, Ints
from replication.core.columns import numeric, place_of
from replication.core.errors import PanelError, SpecError
from replication.core.interactions import covariate_columns
from replication.core.logarithm import logged_column
from replication.core.panel import NEVER
from replication.core.sample_selection import cohort_column
from replication.core.spec import Spec

MOST_CELLS = 60_000_000
"""Individuals times periods of repeated cross-sections: 3 GB and 15 seconds, with a covariate 4 GB and 20."""


def named_columns(spec: Spec) -> list[str]:
    """Columns of the unit, period, cohort, outcome, and weights that any panel of a specification has."""
    cohort = "" if spec.treatment != "binary" or spec.cohort_rule else spec.cohort_from or spec.cohort
    outcome = logged_column(spec.outcome) or spec.outcome
    return [name for name in (spec.unit, spec.time, cohort, outcome, spec.weights) if name]


def require_roles(spec: Spec, frame: pd.DataFrame) -> None:
    """Refuse one column in two roles that exclude each other.

    Unit, period, outcome, cohort and treatment are five different things; the outcome cannot
    be a covariate, offset or weight; the treatment cannot be a covariate; and a covariate counts once.

    Raises
    ------
    SpecError
        With the two keys and the column.
    """
    main = {"unit": spec.unit, "time": spec.time, "outcome": spec.outcome}
    if spec.treatment != "binary":
        main["treatment"] = spec.treatment
    if spec.cohort_from is not None:
        main["cohort_from"] = spec.cohort_from
    cohort = cohort_column(spec, frame)
    if spec.treatment == "binary" or cohort in frame.columns:
        main["cohort"] = cohort
    beside = [("covariates", name) for name in covariate_columns(spec, frame)]
    beside += [
        (key, name) for key in ("offset", "weights", "eligible", "dose") if (name := getattr(spec, key))
    ]
    for key in ("unit", "time"):
        _require_two(spec.id, key, "outcome", main[key], logged_column(spec.outcome) or spec.outcome)
    for (first, column), (second, other) in itertools.combinations(main.items(), 2):
        _require_two(spec.id, first, second, column, other)
    for (first, column), (second, other) in itertools.product(main.items(), beside):
        if first == "outcome" or (first, second) == ("treatment", "covariates"):
            _require_two(spec.id, first, second, column, other)
    repeated = [name for name in spec.covariates if spec.covariates.count(name) > 1]
    if repeated:
        raise SpecError(f"{spec.id}: 'covariates' names {repeated[0]!r} twice. Name it once.")


def _require_two(name: str, first: str, second: str, column: str, other: str) -> None:
    if column == other:
        raise SpecError(
            f"{name}: {first!r} and {second!r} name the same column {column!r}. Give each its own column."
        )


def eligible_codes(frame: pd.DataFrame, spec: Spec, row: Ints, n_units: int) -> dict[str, Ints]:
    """(N,) 1 for eligible and 0 for ineligible units under the name of the column; empty if none is named.

    Raises
    ------
    PanelError
        For other values than 0 and 1, one value only, and units whose value changes.
    """
    name = spec.eligible
    if name is None:
        return {}
    values = numeric(frame, name, missing="refuse", at=(spec.unit, spec.time))
    strange = ~np.isin(values, (0.0, 1.0))
    if strange.any() or np.ptp(values) == 0:
        found = np.unique(values)
        shown = ", ".join(f"{value:g}" for value in found[:4]) + (", ..." if found.size > 4 else "")
        raise PanelError(
            f"The column {name!r} named in 'eligible' contains {shown} ({int(strange.sum())} of "
            f"{values.size} rows are neither 0 nor 1). It must be 1 for units that the treatment can reach "
            "and 0 for the other units of the same groups, and both must occur."
        )
    codes = np.zeros(n_units, dtype=np.int64)
    codes[row] = values.astype(np.int64)
    moved = codes[row] != values
    if moved.any():
        raise PanelError(
            f"{np.unique(row[moved]).size} units change their {name!r} over time, for example {spec.unit} "
            f"{frame.loc[moved, spec.unit].iloc[0]}. Eligibility is one value per unit: take that of a "
            "period before adoption."
        )
    return {name: codes}


def unit_doses(frame: pd.DataFrame, spec: Spec, row: Ints, time: Ints, cohort: Ints) -> dict[str, Floats]:
    """(N,) dose of each unit under the name of its column, 0 for units never treated; empty if none is named.

    Parameters
    ----------
    row, time : unit and numbered period of each row.
    cohort : (N,) numbered first treated periods.

    Raises
    ------
    PanelError
        For negative, infinite and missing doses, doses that change, and treated units without one.
    """
    if spec.dose is None:
        return {}
    at = (spec.unit, spec.time)
    values = numeric(frame, spec.dose, missing="refuse", at=at)
    adopts = np.where(cohort == NEVER, np.iinfo(np.int64).max, cohort)
    treated = (cohort != NEVER)[row]
    wild = treated & ~((values >= 0) & np.isfinite(values))
    dose = np.zeros(cohort.size)
    np.maximum.at(dose, row, np.where(treated, values, 0.0))
    moved = treated & (values != dose[row]) & ~((values == 0) & (time < adopts[row]))
    for bad, what in ((wild, "negative or infinite"), (moved, "not the dose of the unit's other rows")):
        if bad.any():
            raise PanelError(
                f"{int(bad.sum())} values of the dose {spec.dose!r} are {what}, for example "
                f"{values[bad][0]:g}{place_of(frame, bad, at)}. A unit has one positive dose, which may be 0 "
                "in its rows before adoption. For a treatment whose intensity changes over time name the "
                "column in 'treatment' and use twfe or dcdh."
            )
    empty = (cohort != NEVER) & (dose == 0)
    if empty.any():
        raise PanelError(
            f"{int(empty.sum())} units have a cohort but the dose {spec.dose!r} is 0 in all their rows, for "
            f"example {spec.unit} {frame.loc[empty[row], spec.unit].iloc[0]}. Give them their dose, or an "
            "empty cohort if they are never treated."
        )
    return {spec.dose: dose}


def as_individuals(frame: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    """The frame with one unit per row: its own labels, or row numbers where there is no unit column.

    Raises
    ------
    PanelError
        If a unit is observed twice, so that the data are a panel.
    """
    if spec.unit not in frame.columns:
        return frame.assign(**{spec.unit: np.arange(1, len(frame) + 1)})
    again = frame[spec.unit].duplicated()
    if again.any():
        raise PanelError(
            f"{int(again.sum())} of {len(frame)} rows repeat a value of {spec.unit!r}, for example "
            f"{frame.loc[again, spec.unit].iloc[0]}, but in repeated cross-sections every individual is "
            "observed once. Remove 'repeated_cross_sections' if units are followed over time, name the "
            "column of individuals in 'unit', or put the groups that repeat in 'cluster'."
        )
    return frame


def require_room(frame: pd.DataFrame, spec: Spec) -> None:
    """Refuse individuals whose table by period does not fit, with what gives the same estimates.

    Without covariates an estimate takes nothing but means by cluster, cohort, and period.

    Raises
    ------
    PanelError
        With both numbers.
    """
    people, periods = len(frame), int(frame[spec.time].nunique())
    if people * periods <= MOST_CELLS:
        return
    level = " and ".join(spec.cluster) or "the level at which treatment was assigned"
    average, weight = ("weighted average", "sum") if spec.weights else ("average", "number")
    what = "their weights" if spec.weights else "individuals"
    first = "Leave out the covariates and estimate" if spec.covariates else "Estimate"
    named = "" if spec.cluster else ", which then belongs in 'cluster'"
    same = f"the same estimates{' and' if spec.cluster else ', with clustered'} standard errors"
    same = "a small table, adjusted for nothing" if spec.covariates else same
    raise PanelError(
        f"{people:,} individuals over {periods} periods take a table of {people * periods / 1e6:,.0f} "
        f"million cells; at most {MOST_CELLS // 10**6} million fit. {first} from one row per cluster "
        f"({level}{named}), cohort, and period instead, with the {average} of the outcome and the "
        f"{weight} of {what} as weights: {same}. Or use fewer or longer periods."
    )
