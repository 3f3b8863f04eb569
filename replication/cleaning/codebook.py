"""Schemas that check a panel and print as its codebook.

Every column carries its label, unit, source and the meaning of a missing value in the pandera
schema itself, so a panel cannot have a column without an entry in the codebook.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import pandera.pandas as pa

from replication.cleaning.column_checks import require_unique
from replication.core.errors import PanelError

FIELDS: Final = ("name", "label", "unit", "source", "type", "range", "missing")
NEVER_MISSING: Final = "none"
WORDS_SHOWN: Final = 6
TYPED: Final = "hand-entered table in data_raw/typed"
FIPS_BOUNDS: Final = (1001, 56999)
STATE_BOUNDS: Final = (1, 56)
_TYPES: Final = {
    "int64": "whole number",
    "float64": "number",
    "bool": "true or false",
    "str": "text",
    "datetime64[ns]": "date",
}


def column(
    kind: str,
    label: str,
    unit: str,
    source: str,
    *,
    bounds: tuple[float, float] | None = None,
    allowed: Sequence[Any] | None = None,
    missing: str | None = None,
) -> pa.Column:
    """One column of a panel.

    Parameters
    ----------
    kind : type: ``int64``, ``float64``, ``bool``, ``str`` or ``datetime64[ns]``.
    label, unit, source : its description, unit and source.
    bounds : lowest and highest value allowed, both included.
    allowed : the only values allowed.
    missing : what a missing value means. Without it no value may be missing.
    """
    checks = []
    if bounds is not None:
        checks.append(pa.Check.in_range(*bounds))
    if allowed is not None:
        checks.append(pa.Check.isin(list(allowed)))
    return pa.Column(
        kind,
        checks=checks,
        nullable=missing is not None,
        title=label,
        metadata={"type": kind, "unit": unit, "source": source, "missing": missing},
    )


def amount(label: str, unit: str, source: str, *, missing: str | None = None) -> pa.Column:
    """A column of numbers of zero or more."""
    return column("float64", label, unit, source, bounds=(0, float("inf")), missing=missing)


def schema(
    name: str, columns: dict[str, pa.Column], keys: Sequence[str], checks: Sequence[pa.Check] = ()
) -> pa.DataFrameSchema:
    """A panel that has exactly these columns, and one row for each combination of the keys."""
    return pa.DataFrameSchema(
        columns, name=name, unique=list(keys), strict=True, ordered=True, checks=list(checks)
    )


def conform(frame: pd.DataFrame, schema: pa.DataFrameSchema) -> pd.DataFrame:
    """The frame in the schema's columns, types and order of rows, after validation.

    Parameters
    ----------
    frame : has every column of the schema and no other, in any order.
    schema : made by ``schema``; rows are sorted by its keys.

    Raises
    ------
    PanelError
        If a column is absent, unknown, has missing values that it may not have, another type or
        values out of range, or a row is repeated: the first breach, with column, count and row.
    """
    absent = [name for name in schema.columns if name not in frame.columns]
    unknown = [str(name) for name in frame.columns if name not in schema.columns]
    if absent or unknown:
        raise PanelError(
            f"The panel {schema.name} does not have the columns of its codebook: it lacks "
            f"{', '.join(absent) or 'none'} and has {', '.join(unknown) or 'none'} beyond it. "
            "Describe every column in the panel's schema."
        )
    require_unique(frame, _keys(schema), f"The rows of the panel {schema.name}")
    ordered = frame[list(schema.columns)].sort_values(_keys(schema), ignore_index=True)
    typed = pd.concat([_cast(ordered, name, schema) for name in schema.columns], axis=1)
    try:
        schema.validate(typed, lazy=True)
    except pa.errors.SchemaErrors as errors:
        raise PanelError(_breach(schema, errors.failure_cases, typed)) from None
    return typed


def codebook(frame: pd.DataFrame, schema: pa.DataFrameSchema) -> pd.DataFrame:
    """The codebook of a panel as a table.

    Returns
    -------
    DataFrame
        One row per column of the panel: ``name``, ``label``, ``unit``, ``source``, ``type``,
        ``range`` (lowest to highest, or the values) and ``missing`` (count and meaning).
    """
    rows = [_described(name, spec, frame[name]) for name, spec in schema.columns.items()]
    return pd.DataFrame(rows, columns=list(FIELDS))


def codebook_markdown(frame: pd.DataFrame, schema: pa.DataFrameSchema, title: str) -> str:
    """The codebook as a page: title, size of the panel, one table row per column."""
    table = codebook(frame, schema)
    keys = " and ".join(f"`{key}`" for key in _keys(schema))
    unique = f"; one row for each {keys}" if keys else ""
    cells = table.map(lambda value: str(value).replace("|", "\\|"))
    cells["name"] = "`" + cells["name"] + "`"
    head = ["| " + " | ".join(FIELDS) + " |", "|" + " --- |" * len(FIELDS)]
    body = ["| " + " | ".join(row) + " |" for row in cells.itertuples(index=False)]
    size = f"{len(frame):,} rows, {len(table)} columns{unique}."
    return "\n".join([f"# {title}", "", size, "", *head, *body, ""])


def _described(name: str, spec: pa.Column, values: pd.Series) -> tuple[str, ...]:
    meta = spec.metadata or {}
    absent = int(values.isna().sum())
    meaning = meta["missing"]
    missing = NEVER_MISSING if not absent else f"{absent:,}: {meaning}"
    words = (str(spec.title), meta["unit"], meta["source"], _TYPES[meta["type"]])
    return (name, *words, _range(values), missing)


def _range(values: pd.Series) -> str:
    present = values.dropna()
    if present.empty:
        return "no value"
    if pd.api.types.is_datetime64_any_dtype(present):
        return " to ".join(f"{pd.Timestamp(day):%Y-%m-%d}" for day in (present.min(), present.max()))
    if pd.api.types.is_bool_dtype(present) or not pd.api.types.is_numeric_dtype(present):
        words = sorted({str(value) for value in present.unique()})
        more = f" and {len(words) - WORDS_SHOWN:,} more" if len(words) > WORDS_SHOWN else ""
        return ", ".join(words[:WORDS_SHOWN]) + more
    return f"{_number(present.min())} to {_number(present.max())}"


def _number(value: Any) -> str:
    return str(int(value)) if isinstance(value, (int, np.integer)) else f"{float(value):.6g}"


def _keys(schema: pa.DataFrameSchema) -> list[str]:
    return list(schema.unique or [])


def _cast(frame: pd.DataFrame, name: str, schema: pa.DataFrameSchema) -> pd.Series:
    """One column in its type; a missing value where none may be is refused before the cast."""
    spec, values = schema.columns[name], frame[name]
    absent = values.isna().to_numpy(dtype=bool)
    if absent.any() and not spec.nullable:
        raise PanelError(
            f"The panel {schema.name} has {int(absent.sum())} missing values in column {name!r}, "
            f"first at {_row(schema, frame, int(absent.argmax()))}. No value of it may be "
            f"missing: check its source ({(spec.metadata or {})['source']})."
        )
    kind = (spec.metadata or {})["type"]
    try:
        return values.astype(kind)
    except (ValueError, TypeError) as error:
        raise PanelError(
            f"The panel {schema.name} has values in column {name!r} that are no {_TYPES[kind]} "
            f"({error}). Check its source ({(spec.metadata or {})['source']})."
        ) from None


def _row(schema: pa.DataFrameSchema, frame: pd.DataFrame, index: int) -> str:
    return ", ".join(f"{key} {frame[key].tolist()[index]}" for key in _keys(schema))


def _breach(schema: pa.DataFrameSchema, cases: pd.DataFrame, frame: pd.DataFrame) -> str:
    """One paragraph about the first of the failures."""
    case = cases.iloc[0]
    same = (cases["check"] == case["check"]) & (cases["column"] == case["column"])
    whole = case["schema_context"] != "Column"
    where = "its rows" if whole else f"column {case['column']!r}"
    failing = cases.loc[same, "index"].dropna().unique()
    first = f", first at {_row(schema, frame, int(failing[0]))}" if len(failing) else ""
    value = "" if whole else f" (value {case['failure_case']})"
    others = int((~same).sum())
    return (
        f"The panel {schema.name} breaks its codebook in {where}: {case['check']} fails in "
        f"{max(len(failing), 1)} rows{first}{value}"
        f"{f'; {others} failures of other rules follow' if others else ''}. A raw file is "
        "damaged or a cleaning rule is wrong: check the source of what is named here."
    )
