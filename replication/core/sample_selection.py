"""Rows and columns of a tidy frame that a specification reads."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import numpy as np
import pandas as pd

from replication.core.arrays import Bools
from replication.core.columns import numeric, require_columns, written_cell
from replication.core.dropped_units import examples
from replication.core.errors import PanelError, nearest
from replication.core.interactions import covariate_columns
from replication.core.reading import is_text
from replication.core.spec import SampleRule, Spec


def take_sample(frame: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    """Rows that the ``sample`` of the specification keeps, and the columns that it reads."""
    sample: SampleRule = spec.sample
    names = needed_columns(spec, frame)
    _require_coordinates(frame, spec)
    for column, values in (*sample.where.items(), *sample.drop.items()):
        _require_holder(frame, column, values)
    require_columns(frame, names)
    require_columns(frame, [column for _, column, bounds in _ranges(frame, spec) if bounds is not None])
    # Wide panels are mostly columns that one specification does not read.
    return frame.loc[kept_rows(frame, spec), names]


def kept_rows(frame: pd.DataFrame, spec: Spec) -> Bools:
    """Rows that the ``sample`` keeps, so far as the frame has the columns that it names."""
    keep = np.ones(len(frame), dtype=bool)
    for _, column, bounds in _ranges(frame, spec):
        if bounds is not None and column in frame.columns:
            keep &= _inside(frame, column, bounds)
    for column, values in spec.sample.where.items():
        keep &= frame[column].isin(values).to_numpy() if column in frame.columns else True
    for column, values in spec.sample.drop.items():
        keep &= ~frame[column].isin(values).to_numpy() if column in frame.columns else True
    return keep


def _inside(frame: pd.DataFrame, column: str, bounds: tuple[int, int]) -> Bools:
    """Rows whose period is inside the bounds; text and dates are refused."""
    if pd.api.types.is_datetime64_any_dtype(frame[column]):
        raise PanelError(
            f"'sample' selects rows by column {column!r}, which contains dates. Make it whole numbers."
        )
    values = numeric(frame, column)
    return (values >= bounds[0]) & (values <= bounds[1])


def _require_coordinates(frame: pd.DataFrame, spec: Spec) -> None:
    """Refuse Conley standard errors without the columns of the coordinates, which few users named."""
    absent = [name for name in spec.inference.coordinates if name not in frame.columns]
    if spec.inference.method == "conley" and absent:
        raise PanelError(
            f"Conley standard errors need coordinates, and the panel has no column {absent[0]!r}"
            f"{nearest(absent[0], map(str, frame.columns))}. Name the columns of latitude and longitude: "
            "`--set 'inference.coordinates=[LATITUDE, LONGITUDE]'` (in YAML `inference: {coordinates: "
            f"[LATITUDE, LONGITUDE]}}`). The panel's columns are: {', '.join(map(str, frame.columns))}."
        )


def _require_holder(frame: pd.DataFrame, column: str, values: Sequence[Any]) -> None:
    """Refuse a column that is not there; one that has its values is the likeliest to be meant."""
    if column in frame.columns:
        return
    holder = holding(frame, values)
    if holder:
        raise PanelError(
            f"The panel has no column {column!r}, which 'sample' names; did you mean {holder!r}, which has "
            f"{', '.join(map(repr, values[:3]))}? Its columns are: {', '.join(map(str, frame.columns))}."
        )
    require_columns(frame, [column])


def holding(frame: pd.DataFrame, values: Sequence[Any]) -> str:
    """The first text column that has one of the values; empty if none has."""
    texts = [value for value in values if isinstance(value, str)]
    named = [str(name) for name in frame.columns if texts and is_text(frame[name])]
    return next((name for name in named if frame[name].isin(texts).any()), "")


def absent_values(frame: pd.DataFrame, spec: Spec) -> list[str]:
    """Values under ``where`` and ``drop`` that no row has, each in a sentence without its end."""
    found = []
    for key, rules in (("where", spec.sample.where), ("drop", spec.sample.drop)):
        for column, values in rules.items():
            labels = frame[column].drop_duplicates()
            known = set(labels.tolist())
            for value in [value for value in values if not labels.isin([value]).any()]:
                twin = [other for other in known if str(other) == str(value)]
                hint = nearest(str(value), map(str, known))
                other = holding(frame, [value])
                hint = f" (column {other!r} has it)" if other else hint
                hint = f" (it has {twin[0]!r}: mind the quotation marks)" if twin else hint
                found.append(f"'sample.{key}' names {value!r}, which column {column!r} does not have{hint}")
    return found


def _ranges(frame: pd.DataFrame, spec: Spec) -> list[tuple[str, str, Any]]:
    """Keys of ``sample`` that keep a range, their columns and bounds."""
    year = "year" if "year" in frame.columns else spec.time
    return [("years", year, spec.sample.years), ("periods", spec.time, spec.sample.periods)]


def outside(frame: pd.DataFrame, spec: Spec) -> str:
    """The first range of ``sample`` that contains no row, in a clause; empty if every range has rows."""
    for key, column, bounds in _ranges(frame, spec):
        if bounds is not None and not _inside(frame, column, bounds).any():
            ends = [written_cell(frame, column, end) for end in (frame[column].min(), frame[column].max())]
            return (
                f"'sample.{key}' keeps {bounds[0]} to {bounds[1]}, and column {column!r} runs from "
                f"{' to '.join(ends)}"
            )
    return ""


def needed_columns(spec: Spec, frame: pd.DataFrame) -> list[str]:
    """Columns that the specification reads."""
    names = [spec.unit, spec.time, spec.outcome, *covariate_columns(spec, frame), *spec.cluster]
    names += [
        name for name in (spec.weights, spec.offset, spec.eligible, spec.dose, *spec.inference.groups) if name
    ]
    names += [spec.treatment] if spec.treatment != "binary" else []
    dated = spec.treatment == "binary" or cohort_column(spec, frame) in frame.columns
    names += [cohort_column(spec, frame)] if dated else []
    names += strata_names(spec)
    if spec.inference.method == "conley":
        names += spec.inference.coordinates
    return list(dict.fromkeys(names))


SHAPING = attrgetter(
    *("study", "outcome", "treatment", "reversible", "cohort_rule", "unit", "time", "cohort", "cohort_from"),
    *("time_format", "never", "duplicates", "read", "sample", "covariates", "offset", "weights", "cluster"),
    *("repeated_cross_sections", "eligible", "dose", "inference.coordinates"),
)
"""What a specification says of its panel."""


def panel_inputs(spec: Spec) -> tuple[Any, ...]:
    """All inputs of a panel besides its frame and the name of the specification."""
    conley = spec.inference.method == "conley"
    return (*SHAPING(spec), conley, *strata_names(spec), *spec.inference.groups)


def strata_names(spec: Spec) -> list[str]:
    """Columns whose groups have period effects or linear trends of their own."""
    suffixes = ("_by_time", "_linear")
    found = [
        trend.removesuffix(suffix)
        for trend in spec.trends
        for suffix in suffixes
        if trend.endswith(suffix) and trend != "unit_linear"
    ]
    return list(dict.fromkeys(found))


def identifier_columns(spec: Spec) -> list[str]:
    """Columns whose values are labels of units, clusters or strata, not numbers."""
    names = [spec.unit, *spec.cluster, *strata_names(spec), *spec.inference.groups]
    numbers = (spec.time, spec.outcome, spec.cohort)
    return [name for name in dict.fromkeys(names) if name not in numbers]


def cohort_column(spec: Spec, frame: pd.DataFrame) -> str:
    """The cohort column: the one named, or the one that the cohort rule points to."""
    if spec.cohort in frame.columns or spec.cohort_rule is None:
        return spec.cohort
    stem = f"cohort_{spec.cohort_rule.removesuffix('_period')}"
    options = [name for name in frame.columns if str(name).startswith(stem)]
    return str(options[0]) if options else stem


def balanced_rows(frame: pd.DataFrame, spec: Spec) -> tuple[Any, str]:
    """Rows of units that are there in every period, and a note with the count dropped."""
    unit = pd.factorize(frame[spec.unit])[0]
    # A row without a unit has code -1 and counts with the last one of these, which is none.
    keep = np.append(np.bincount(unit[unit >= 0]), 0)[unit] == frame[spec.time].nunique()
    dropped = frame.loc[~keep, spec.unit].unique()
    note = (
        f"{len(dropped)} units with a missing outcome in at least one period were dropped{examples(dropped)}"
    )
    return keep, note if len(dropped) else ""
