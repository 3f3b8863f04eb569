"""A schema refuses damage in one paragraph, and is the codebook."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest

from replication.cleaning import codebook
from replication.cleaning.codebook import column, schema
from replication.core.errors import PanelError

KEYS = ["fips", "year"]
SCHEMA = schema(
    "made",
    {
        "fips": column("int64", "County", "FIPS code", "a list"),
        "year": column("int64", "Year", "year", "a list", bounds=(2004, 2012)),
        "role": column("str", "Role | part", "role", "a rule", allowed=("treated", "comparison")),
        "rate": column("float64", "Rate", "per 100,000", "counts", missing="no one covered"),
        "since": column("datetime64[ns]", "Day", "date", "a list"),
    },
    KEYS,
    [pa.Check(lambda frame: frame["rate"].isna() | (frame["rate"] < 9), error="rates below nine")],
)


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "year": [2005, 2004, 2004],
            "fips": [1, 2, 1],
            "role": ["treated", "comparison", "treated"],
            "rate": [1.5, np.nan, 0.25],
            "since": pd.to_datetime(["2010-01-05", "2012-03-20", "2010-01-05"]),
        }
    )


def test_columns_types_and_rows_come_out_in_order(frame: pd.DataFrame) -> None:
    out = codebook.conform(frame.astype({"fips": float}), SCHEMA)
    assert out.columns.tolist() == list(SCHEMA.columns)
    assert out[KEYS].to_numpy().tolist() == [[1, 2004], [1, 2005], [2, 2004]]
    assert str(out["fips"].dtype) == "int64"


def spoil(frame: pd.DataFrame, name: str, row: int, value: object) -> pd.DataFrame:
    return frame.astype({name: object}).pipe(
        lambda spoiled: spoiled.assign(
            **{name: [value if k == row else v for k, v in enumerate(spoiled[name])]}
        )
    )


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("year", 1999, r"column 'year'.*in_range.*1 row, first at fips 2, year 1999 \(value 1999"),
        ("role", "left", r"column 'role'.*isin.*first at fips 2, year 2004 \(value left"),
        ("fips", None, r"1 missing values? in column 'fips', first at fips nan, year 2004"),
        ("role", None, r"1 missing values? in column 'role', first at fips 2, year 2004"),
        ("rate", "high", r"values in column 'rate' that are no number"),
        ("rate", 9.5, r"in its rows: rates below nine fails in 1 row, first at fips 2, year 2004"),
    ],
)
def test_damage_is_refused_with_column_count_and_row(
    frame: pd.DataFrame, name: str, value: object, message: str
) -> None:
    with pytest.raises(PanelError, match=message) as refusal:
        codebook.conform(spoil(frame, name, 1, value), SCHEMA)
    assert "\n" not in str(refusal.value)


def test_repeated_rows_are_refused(frame: pd.DataFrame) -> None:
    twice = pd.concat([frame, frame.iloc[[1]]])
    with pytest.raises(PanelError, match="made contain 1 repeated rows by fips and year, first fips 2"):
        codebook.conform(twice, SCHEMA)


def test_unknown_and_absent_columns_are_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(PanelError, match=r"lacks rate and has rat beyond it"):
        codebook.conform(frame.rename(columns={"rate": "rat"}), SCHEMA)


def test_codebook_says_what_every_column_is(frame: pd.DataFrame) -> None:
    table = codebook.codebook(codebook.conform(frame, SCHEMA), SCHEMA).set_index("name")
    assert table.columns.tolist() == ["label", "unit", "source", "type", "range", "missing"]
    assert table.loc["year"].tolist() == [
        "Year",
        "year",
        "a list",
        "whole number",
        "2004 to 2005",
        "none",
    ]
    assert table.loc["role", "range"] == "comparison, treated"
    assert table.loc["rate", "range"] == "0.25 to 1.5"
    assert table.loc["rate", "missing"] == "1: no one covered"
    assert table.loc["since", "range"] == "2010-01-05 to 2012-03-20"


def test_codebook_page(frame: pd.DataFrame) -> None:
    page = codebook.codebook_markdown(codebook.conform(frame, SCHEMA), SCHEMA, "Made panel")
    lines = page.splitlines()
    assert lines[0] == "# Made panel"
    assert lines[2] == "3 rows, 5 columns; one row for each `fips` and `year`."
    assert lines[4] == "| name | label | unit | source | type | range | missing |"
    assert lines[8].startswith("| `role` | Role \\| part | role |")
    assert len(lines) == 11
