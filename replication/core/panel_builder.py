"""Building a ``Panel`` from a tidy frame and a specification, with all checks of the input.

Every refusal names the column, the count, an example and the remedy. Rows and units that are
dropped are reported in ``Panel.notes``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from replication.core.arrays import Bools, Floats, Ints
from replication.core.column_roles import (
    as_individuals,
    eligible_codes,
    require_roles,
    require_room,
    unit_doses,
)
from replication.core.columns import (
    numeric,
    place_of,
    removal,
    require_no_reversal,
    whole_numbers,
    written_cell,
)
from replication.core.duplicates import require_unique
from replication.core.errors import PanelError
from replication.core.identifiers import require_single_names, require_unlike
from replication.core.intake import take_in
from replication.core.interactions import covariate_columns, covariate_stack
from replication.core.logarithm import require_logarithm, with_logarithm
from replication.core.numbering import Numbering, isolated_period, require_even_calendar
from replication.core.panel import NEVER, Panel
from replication.core.panel_groups import (
    cluster_codes,
    cluster_labels,
    matrix_of,
    strata_codes,
    unit_coordinates,
)
from replication.core.panel_periods import cohort_values, far_cohorts, gap_note, numbering_of
from replication.core.period_column import require_periods
from replication.core.sample_selection import (
    absent_values,
    balanced_rows,
    cohort_column,
    identifier_columns,
    outside,
    take_sample,
)
from replication.core.spec import Spec

LARGEST_OFFSET = 50
"""Logarithm of 5e21; no population or exposure has a larger one."""


def build_panel(frame: pd.DataFrame, spec: Spec) -> Panel:
    """Panel of one specification.

    Parameters
    ----------
    frame : DataFrame
        One row per unit and period.
    spec : Spec
        Names the columns and the sample.

    Raises
    ------
    PanelError
        Missing columns, text where numbers are needed, duplicates, cohorts or treatments that
        move the wrong way, negative or missing weights, labels that differ in blanks only,
        periods that cannot be counted, an empty sample.
    SpecError
        If one column is named in two roles that exclude each other.
    """
    if frame.empty:
        raise PanelError("The data have columns and no rows. Pass data with a row per unit and period.")
    require_single_names(list(frame.columns), "The panel")
    if spec.repeated_cross_sections:
        frame = as_individuals(frame, spec)
    frame = with_logarithm(frame, spec)
    require_roles(spec, frame)
    taken = take_in(frame, spec)
    everything, sampled = taken.frame, take_sample(taken.frame, spec)
    if not spec.repeated_cross_sections:
        require_periods(everything, spec.unit, spec.time)
    frame = sampled
    notes = [*taken.notes, *absent_values(everything, spec)]
    require_logarithm(frame, spec)
    require_unlike(frame, identifier_columns(spec))
    require_unique(frame, spec.unit, spec.time)
    outcome = numeric(frame, spec.outcome, at=(spec.unit, spec.time))
    complete, dropped = _complete(frame, spec, outcome)
    frame, outcome, notes = frame[complete], outcome[complete], [*notes, *dropped]
    if spec.sample.balanced:
        keep, note = balanced_rows(frame, spec)
        frame, outcome = frame[keep], outcome[keep]
        notes += [note] if note else []
    if frame.empty:
        raise nothing_left(everything, sampled, spec)
    if spec.repeated_cross_sections:
        require_room(frame, spec)
    numbering, numbering_notes = numbering_of(everything, frame, spec, taken.form)
    panel = _assemble(frame, outcome, spec, numbering, [*notes, *numbering_notes])
    if spec.treatment != "binary":
        panel = replace(panel, doses=_doses(sampled, spec, panel))
    return _with_weight(panel)


def _complete(frame: pd.DataFrame, spec: Spec, outcome: Floats) -> tuple[Bools, list[str]]:
    """Rows with an outcome, all covariates and the offset, and a note on each that is missing elsewhere."""
    complete, notes = np.isfinite(outcome), []
    for name in [*covariate_columns(spec, frame), *([spec.offset] if spec.offset else [])]:
        values = numeric(frame, name, at=(spec.unit, spec.time), covariate=name in spec.covariates)
        if absent := int((complete & ~np.isfinite(values)).sum()):
            notes.append(f"{absent} rows with a missing {name} were dropped")
        complete = complete & np.isfinite(values)
    return complete, notes


def nothing_left(everything: pd.DataFrame, sampled: pd.DataFrame, spec: Spec) -> PanelError:
    """The refusal of a sample without a row that has its outcome."""
    unknown = "".join(f" {sentence}." for sentence in absent_values(everything, spec))
    if len(sampled) and sampled[spec.outcome].isna().all():
        return PanelError(
            f"Column {spec.outcome!r} is missing in all {len(sampled)} rows of the sample.{unknown} Name "
            "another outcome, or correct the file."
        )
    if beyond := outside(everything, spec):
        return PanelError(f"No row with outcome {spec.outcome!r} remains: {beyond}. Correct 'sample'.")
    return PanelError(
        f"No row with outcome {spec.outcome!r} remains in the sample.{unknown} Check 'sample' (years, where, "
        "drop, balanced) and missing values in the outcome."
    )


def _assemble(
    frame: pd.DataFrame, outcome: Floats, spec: Spec, numbering: Numbering, notes: list[str]
) -> Panel:
    row, units = pd.factorize(frame[spec.unit], sort=True)
    at = (spec.unit, spec.time)
    labels = whole_numbers(frame, spec.time, at=at)
    numbers = numbering.number(labels)
    periods = np.sort(pd.unique(numbers))
    require_even_calendar(periods, numbers, labels, spec.time)
    notes += isolated_period(periods, numbers, labels, spec.time)
    shape = (len(units), periods.size)
    place = (row, np.searchsorted(periods, numbers))
    weight = weights_of(frame, spec)
    exposure = _exposure(frame, spec, np.asarray(units), place, shape)
    cohort = _cohorts(frame, spec, row, exposure, (periods, numbering))
    notes += [] if spec.repeated_cross_sections else gap_note(len(frame), shape)
    if exposure is None:
        notes += far_cohorts(cohort, periods, np.asarray(units), numbering)
    covariates, names = covariate_stack(frame, spec, place, numbering.label(periods), len(units))
    clusters = cluster_codes(frame, spec.cluster or (spec.unit,), place, shape)
    return Panel(
        y=matrix_of(outcome, place, shape),
        units=np.asarray(units),
        periods=periods,
        cohort=cohort,
        weight=_filled(matrix_of(weight, place, shape)),
        exposure=None if exposure is None else np.nan_to_num(exposure),
        clusters=clusters,
        cluster_labels=cluster_labels(frame, row, {name: clusters[name] for name in spec.cluster}),
        covariates=covariates,
        covariate_names=names,
        strata={**strata_codes(frame, spec, row, len(units)), **eligible_codes(frame, spec, row, len(units))},
        unit_values=unit_doses(frame, spec, row, numbers, cohort),
        offset=None
        if spec.offset is None
        else matrix_of(offset_of(frame, spec.offset, at), place, shape, 0.0),
        coordinates=unit_coordinates(frame, spec, row, len(units)),
        weighted=spec.weights is not None,
        outcome=spec.outcome,
        spec_id=spec.id,
        study=spec.study,
        notes=tuple(notes),
        numbering=numbering,
    )


def _exposure(
    frame: pd.DataFrame, spec: Spec, units: Any, place: tuple[Any, Any], shape: tuple[int, int]
) -> Floats | None:
    """(N, T) treatment where it is a column; one that goes back is refused unless that is allowed."""
    if spec.treatment == "binary":
        return None
    values = numeric(frame, spec.treatment, missing="refuse", at=(spec.unit, spec.time))
    exposure = matrix_of(values, place, shape)
    if not spec.reversible:
        require_no_reversal(exposure, spec.treatment, units)
    return exposure


def _with_weight(panel: Panel) -> Panel:
    """The panel without units whose weights are all zero: they are in no estimate."""
    there: Bools = np.asarray((panel.weight > 0).any(axis=1))
    if there.all():
        return panel
    idle = int((~there).sum())
    return panel.keep_units(there, f"{idle} units with weight zero in every period were dropped")


def offset_of(frame: pd.DataFrame, column: str, at: Sequence[str]) -> Floats:
    """Offsets of the rows; values that cannot be the logarithm of an exposure are refused."""
    values = numeric(frame, column, missing="refuse", at=at)
    wild = np.abs(values) > LARGEST_OFFSET
    if wild.any():
        raise PanelError(
            f"{int(wild.sum())} of {len(frame)} values of the offset {column!r} are below "
            f"-{LARGEST_OFFSET} or above {LARGEST_OFFSET}, for example "
            f"{values[wild][0]:g}{place_of(frame, wild, at)}; their exponential multiplies the "
            "mean. An offset is a logarithm: take the logarithm of a population, and leave empty "
            "what is missing (a code such as -999 is not a value)."
        )
    return values


def weights_of(frame: pd.DataFrame, spec: Spec) -> Floats:
    """Weights of the rows; ones if unweighted, negative and missing ones refused."""
    if spec.weights is None:
        return np.ones(len(frame))
    values = numeric(frame, spec.weights, at=(spec.unit, spec.time))
    bad = ~(values >= 0)
    if bad.any():
        raise PanelError(
            f"{int(bad.sum())} of {len(frame)} weights in column {spec.weights!r} are negative or "
            f"missing, for example{place_of(frame, bad, (spec.unit, spec.time))}. "
            "Weights must be nonnegative: correct them, or "
            f"{removal(f'frame[{spec.weights!r}] >= 0')}."
        )
    if not values.any():
        raise PanelError(f"All weights in column {spec.weights!r} are zero. Name another column.")
    return values


def _cohorts(
    frame: pd.DataFrame, spec: Spec, row: Any, exposure: Floats | None, calendar: tuple[Ints, Numbering]
) -> Ints:
    periods, numbering = calendar
    name = cohort_column(spec, frame)
    if name not in frame.columns:
        assert exposure is not None
        on = np.nan_to_num(exposure) > 0
        return np.where(on.any(axis=1), periods[on.argmax(axis=1)], NEVER).astype(np.int64)
    values = cohort_values(frame, name, numbering.zero_is_period, (spec.unit, spec.time))
    low = np.full(int(row.max()) + 1, np.inf)
    high = np.full(int(row.max()) + 1, -np.inf)
    np.minimum.at(low, row, values)
    np.maximum.at(high, row, values)
    moving = np.flatnonzero(low != high)
    if moving.size:
        example = frame.loc[row == moving[0], spec.unit].iloc[0]
        ends = (low[moving[0]], high[moving[0]])
        two = ["never treated" if np.isinf(end) else written_cell(frame, name, end) for end in ends]
        raise PanelError(
            f"The cohort column {name!r} takes different values within {moving.size} of {low.size} units, "
            f"for example {spec.unit} {example} ({' and '.join(two)}). Each unit must have one first treated "
            "period: correct the column."
        )
    never = np.isinf(low)
    return np.where(never, NEVER, numbering.number(np.where(never, 0, low))).astype(np.int64)


def _doses(sampled: pd.DataFrame, spec: Spec, panel: Panel) -> Floats:
    """(N, T) treatment of all rows of the sample: a change is dated by rows without outcome as well."""
    row = pd.Index(panel.units).get_indexer(pd.Index(sampled[spec.unit]))
    labels = pd.to_numeric(sampled[spec.time], errors="coerce")
    column = pd.Index(panel.label(panel.periods)).get_indexer(pd.Index(labels))
    inside = (row >= 0) & (column >= 0)
    values = numeric(sampled, spec.treatment, at=(spec.unit, spec.time))
    return matrix_of(values[inside], (row[inside], column[inside]), panel.y.shape)


def _filled(weight: Floats) -> Floats:
    """Weights of unobserved cells: the unit's mean, so that constant weights stay constant."""
    mean = np.nanmean(weight, axis=1, keepdims=True)
    return np.where(np.isnan(weight), mean, weight)
