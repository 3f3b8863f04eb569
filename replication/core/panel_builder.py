"""From a tidy frame and a specification to a ``Panel``: checked once, refused with counts.

Every refusal names the column, the count, an example and the remedy. What is dropped without
being an error is said in ``Panel.notes``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from replication.core.arrays import Floats, Ints
from replication.core.columns import numeric, require_no_reversal, require_unique, whole_numbers
from replication.core.errors import PanelError
from replication.core.panel import NEVER, Panel
from replication.core.sample_selection import (
    absent_values,
    balanced_rows,
    cohort_column,
    strata_names,
    take_sample,
)
from replication.core.spec import Spec


def build_panel(frame: pd.DataFrame, spec: Spec) -> Panel:
    """Panel of one specification.

    Parameters
    ----------
    frame : DataFrame
        One row a unit and period.
    spec : Spec
        Names the columns and the sample.

    Raises
    ------
    PanelError
        Missing columns, text where numbers are needed, duplicates, cohorts or treatments that
        move the wrong way, negative or missing weights, an empty sample.

    """
    everything, frame = frame, take_sample(frame, spec)
    notes = absent_values(everything, spec)
    require_unique(frame, spec.unit, spec.time)
    at = (spec.unit, spec.time)
    outcome = numeric(frame, spec.outcome, at=at)
    complete = np.isfinite(outcome)
    for name in [*spec.covariates, *([spec.offset] if spec.offset else [])]:
        values = numeric(frame, name, at=at)
        absent = int((complete & ~np.isfinite(values)).sum())
        if absent:
            notes.append(f"{absent} rows without {name} were dropped")
        complete = complete & np.isfinite(values)
    frame, outcome = frame[complete], outcome[complete]
    if spec.sample.balanced:
        keep, note = balanced_rows(frame, spec)
        frame, outcome = frame[keep], outcome[keep]
        notes += [note] if note else []
    if frame.empty:
        unknown = "".join(f" {sentence}." for sentence in absent_values(everything, spec))
        raise PanelError(
            f"No row is left for outcome {spec.outcome!r} after the sample rules of {spec.id!r}."
            f"{unknown} Check 'sample' (years, where, drop, balanced) and missing values in the "
            "outcome."
        )
    return _assemble(frame, outcome, spec, notes)


def _assemble(frame: pd.DataFrame, outcome: Floats, spec: Spec, notes: list[str]) -> Panel:
    row, units = pd.factorize(frame[spec.unit], sort=True)
    at = (spec.unit, spec.time)
    periods, column = np.unique(whole_numbers(frame, spec.time, at=at), return_inverse=True)
    shape = (len(units), periods.size)
    place = (row, column)
    weight = weights_of(frame, spec)
    exposure = (
        None
        if spec.treatment == "binary"
        else _matrix(numeric(frame, spec.treatment, missing="refuse", at=at), place, shape)
    )
    if exposure is not None and spec.reversals == "refuse":
        require_no_reversal(exposure, spec.treatment, np.asarray(units))
    cohort = _cohorts(frame, spec, row, exposure, periods)
    notes += _gap_note(len(frame), shape)
    notes += _far_cohorts(cohort, periods, np.asarray(units)) if exposure is None else []
    return Panel(
        y=_matrix(outcome, place, shape),
        units=np.asarray(units),
        periods=periods,
        cohort=cohort,
        weight=_filled(_matrix(weight, place, shape)),
        exposure=None if exposure is None else np.nan_to_num(exposure),
        clusters=_codes(frame, spec.cluster or (spec.unit,), place, shape),
        covariates=_stack(frame, spec.covariates, place, shape),
        covariate_names=spec.covariates,
        strata=_strata(frame, spec, row, len(units)),
        offset=None
        if spec.offset is None
        else np.nan_to_num(_matrix(numeric(frame, spec.offset, missing="refuse"), place, shape)),
        coordinates=_coordinates(frame, spec, row, len(units)),
        weighted=spec.weights is not None,
        outcome=spec.outcome,
        spec_id=spec.id,
        study=spec.study,
        notes=tuple(notes),
    )


def weights_of(frame: pd.DataFrame, spec: Spec) -> Floats:
    """Weights of the rows; ones if unweighted, negative and missing ones refused."""
    if spec.weights is None:
        return np.ones(len(frame))
    values = numeric(frame, spec.weights, at=(spec.unit, spec.time))
    bad = ~(values >= 0)
    if bad.any():
        example = frame.loc[bad, [spec.unit, spec.time]].iloc[0].tolist()
        raise PanelError(
            f"{int(bad.sum())} of {len(frame)} weights in column {spec.weights!r} are negative or "
            f"missing, for example for {spec.unit} {example[0]} in {spec.time} {example[1]}. "
            "Weights must be zero or more: correct them or drop these rows in 'sample'."
        )
    if not values.any():
        raise PanelError(f"All weights in column {spec.weights!r} are zero. Name another column.")
    return values


def _cohorts(frame: pd.DataFrame, spec: Spec, row: Any, exposure: Floats | None, periods: Ints) -> Ints:
    name = cohort_column(spec, frame)
    if name not in frame.columns:
        assert exposure is not None
        on = np.nan_to_num(exposure) > 0
        return np.where(on.any(axis=1), periods[on.argmax(axis=1)], 0).astype(np.int64)
    if pd.api.types.is_datetime64_any_dtype(frame[name]):
        raise PanelError(
            f"Column {name!r} holds dates. The cohort is the first treated period in the same "
            "whole numbers as the time column; 0 or empty for never."
        )
    values = np.nan_to_num(numeric(frame, name, at=(spec.unit, spec.time)))
    low = np.full(int(row.max()) + 1, np.inf)
    high = np.full(int(row.max()) + 1, -np.inf)
    np.minimum.at(low, row, values)
    np.maximum.at(high, row, values)
    moving = np.flatnonzero(low != high)
    if moving.size:
        example = frame.loc[row == moving[0], spec.unit].iloc[0]
        raise PanelError(
            f"The cohort column {name!r} changes within {moving.size} units, for example "
            f"{spec.unit} {example} ({low[moving[0]]:g} and {high[moving[0]]:g}). The first "
            "treated period is one number a unit: correct it."
        )
    if (low != np.round(low)).any():
        raise PanelError(
            f"{int((low != np.round(low)).sum())} units have a cohort in {name!r} that is not a "
            "whole number. Use the first treated period; 0 or empty for never."
        )
    return low.astype(np.int64)


def _codes(
    frame: pd.DataFrame, names: Sequence[str], place: tuple[Any, Any], shape: tuple[int, int]
) -> dict[str, Ints]:
    found: dict[str, Ints] = {}
    for name in names:
        absent = int(frame[name].isna().sum())
        if absent:
            raise PanelError(f"{absent} rows have no cluster in column {name!r}. Fill them in.")
        codes = pd.factorize(frame[name], sort=True)[0].astype(float)
        matrix = _matrix(codes, place, shape)
        constant = np.nanmin(matrix, axis=1)
        if (np.nanmax(matrix, axis=1) == constant).all():
            found[name] = constant.astype(np.int64)
        else:
            found[name] = np.nan_to_num(matrix).astype(np.int64)
        if int(found[name].max()) == 0:
            raise PanelError(
                f"Column {name!r} has one cluster. Clustered errors need at least two; name a "
                "finer column, or leave 'cluster' empty to cluster by unit."
            )
    return found


def _strata(frame: pd.DataFrame, spec: Spec, row: Any, n_units: int) -> dict[str, Ints]:
    found = {}
    for name in dict.fromkeys([*strata_names(spec), *spec.inference.groups]):
        if frame[name].isna().any():
            raise PanelError(f"{int(frame[name].isna().sum())} rows have no {name!r}. Fill it in.")
        codes, _ = pd.factorize(frame[name], sort=True)
        by_unit = np.zeros(n_units, dtype=np.int64)
        by_unit[row] = codes
        moved = len(np.unique(row[by_unit[row] != codes]))
        if moved:
            raise PanelError(
                f"{moved} units change their {name!r} over time; groups with their own period "
                "effects or trends need one value a unit."
            )
        found[name] = by_unit
    return found


def _coordinates(frame: pd.DataFrame, spec: Spec, row: Any, n_units: int) -> Floats | None:
    if spec.inference.method != "conley":
        return None
    found = np.zeros((n_units, 2))
    for axis, name in enumerate(spec.inference.coordinates):
        found[row, axis] = numeric(frame, name, missing="refuse", at=(spec.unit, spec.time))
    return found


def _stack(
    frame: pd.DataFrame, names: Sequence[str], place: tuple[Any, Any], shape: tuple[int, int]
) -> Floats | None:
    if not names:
        return None
    return np.stack([_matrix(numeric(frame, name), place, shape) for name in names])


def _matrix(values: Floats, place: tuple[Any, Any], shape: tuple[int, int]) -> Floats:
    matrix = np.full(shape, np.nan)
    matrix[place] = values
    return matrix


def _filled(weight: Floats) -> Floats:
    """Weights of unobserved cells: the unit's mean, so that constant weights stay constant."""
    mean = np.nanmean(weight, axis=1, keepdims=True)
    return np.where(np.isnan(weight), mean, weight)


def _far_cohorts(cohort: Ints, periods: Ints, units: Any) -> list[str]:
    """Notes on cohorts further from the panel than it is long, which is how a typo looks."""
    first, last = int(periods[0]), int(periods[-1])
    length = last - first + 1
    found = []
    for far, words in (
        (cohort > last + length, f"after the last period ({last}) and count as untreated"),
        (
            (cohort != NEVER) & (cohort < first - length),
            f"before the first period ({first}) and count as treated throughout",
        ),
    ):
        if far.any():
            example = f"{units[far][0]}: {cohort[far][0]}"
            found.append(f"{int(far.sum())} units are first treated long {words}, for example {example}")
    return found


def _gap_note(rows: int, shape: tuple[int, int]) -> list[str]:
    gaps = shape[0] * shape[1] - rows
    return [f"{gaps} of {shape[0] * shape[1]} unit-periods are not observed"] if gaps else []
