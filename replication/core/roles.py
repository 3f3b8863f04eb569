"""Pairs of column roles that must differ."""

from __future__ import annotations

import itertools

import pandas as pd

from replication.core.errors import SpecError
from replication.core.sample_selection import cohort_column
from replication.core.spec import Spec


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
    beside = [("covariates", name) for name in spec.covariates]
    beside += [(key, name) for key in ("offset", "weights") if (name := getattr(spec, key))]
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
            f"{name}: {first!r} and {second!r} name the same column {column!r}. Name a column of "
            "its own for each."
        )
