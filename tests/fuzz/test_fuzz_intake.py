"""Any file and any reading keys make a panel or are refused in one paragraph, as in a check."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
from fuzzing import accepted, cases
from hypothesis import given
from hypothesis import strategies as st

from replication.checks.panel_check import check_panel, check_text
from replication.core.frames import read_frame
from replication.core.panel_builder import build_panel
from replication.core.spec import parse_spec

PERIODS = (
    "2010Q1",
    "2010-Q2",
    "2010 q3",
    "2010-03",
    "Mar 2010",
    "201003",
    "2010",
    "2010-03-31",
    "31/03/2010",
)
ODD = (
    "",
    " ",
    "never",
    "9999",
    "Inf",
    "-inf",
    "0",
    "1e400",
    "2010Q5",
    "2010-13",
    "0000-00-00",
    "nan",
    "\n",
    "Q",
)
UNITS = ("a", "b", "a ", " b", "A", "c", "01", "1", "1.0", "", "Ohio", "\uff4f")
NUMBERS = ("1", "2.5", "1,5", "1,234", "1.234,5", "12%", ".", "-999", "", "1e3", "inf", "NA", "\u0663")
FLAGS = ("0", "1", "True", "false", "", "2", "0.0")
KEYS: dict[str, st.SearchStrategy[Any]] = {
    "time_format": st.sampled_from(["year", "quarter", "month", "date", "%d/%m/%Y", "%Y", "%q", "%", "x"]),
    "never": st.lists(st.sampled_from([9999, 0, -1, "never", "Inf", "", "nan", 1.5]), max_size=3),
    "cohort_from": st.sampled_from(["policy", "y", "absent", "unit"]),
    "duplicates": st.sampled_from(["refuse", "drop_identical", "first", "last", "mean", "all"]),
    "reversals": st.sampled_from(["refuse", "allow"]),
    "read.sep": st.sampled_from([";", ",", "\t", "|", ".", "\n", '"']),
    "read.decimal": st.sampled_from([",", "."]),
    "read.thousands": st.sampled_from([",", ".", " ", "'"]),
    "read.percent": st.sampled_from(["points", "share"]),
    "read.missing": st.lists(st.sampled_from([".", "-999", "", -999]), max_size=2),
    "read.encoding": st.sampled_from(["latin-1", "utf-16", "no such"]),
    "read.sheet": st.sampled_from([1, 0, "panel"]),
    "read.strip_blanks": st.booleans(),
}


@st.composite
def table(draw: st.DrawFn) -> pd.DataFrame:
    """A panel as text: labels of one spelling with odd ones among them, or anything."""
    rows = draw(st.integers(1, 12))

    def cells(usual: tuple[str, ...], odd: tuple[str, ...]) -> list[str]:
        one = draw(st.sampled_from(usual))
        values = st.one_of(st.just(one), st.sampled_from(usual), st.sampled_from(odd))
        return draw(st.lists(values, min_size=rows, max_size=rows))

    return pd.DataFrame(
        {
            "unit": cells(UNITS, UNITS),
            "time": cells(PERIODS, ODD),
            "cohort": cells(PERIODS, ODD),
            "y": cells(NUMBERS, NUMBERS),
            "policy": cells(FLAGS, FLAGS),
        }
    )


def chosen() -> st.SearchStrategy[dict[str, Any]]:
    """A few reading keys."""
    return st.lists(st.sampled_from(sorted(KEYS)), unique=True, max_size=4).flatmap(
        lambda names: st.fixed_dictionaries({name: KEYS[name] for name in names})
    )


def nested(keys: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {"id": "f", "outcome": "y", "estimator": "twfe"}
    for key, value in keys.items():
        block, _, name = key.rpartition(".")
        (data.setdefault(block, {}) if block else data)[name] = value
    return data


@cases(0.05)
@given(table(), chosen())
def test_any_frame_and_reading_keys_make_a_panel_or_are_refused(
    frame: pd.DataFrame, keys: dict[str, Any]
) -> None:
    before = frame.copy()
    spec = accepted(lambda: parse_spec(nested(keys)))
    if spec is not None:
        accepted(lambda: build_panel(frame, spec))
        pd.testing.assert_frame_equal(frame, before)


@cases(0.03)
@given(table(), chosen(), st.sampled_from([",", ";"]), st.booleans())
def test_a_check_answers_as_an_estimate_does(
    frame: pd.DataFrame, keys: dict[str, Any], separator: str, named: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "panel.csv"
        columns = list(frame.columns if "cohort_from" not in keys else frame.columns.drop("cohort"))
        frame[columns].to_csv(place, index=False, sep=separator)
        found = accepted(lambda: check_panel(place, keys, ["y"] if named else []))
        if found is None:
            return
        assert check_text(found, "command")
        spec = parse_spec(nested(keys))
        if named and not found.refusal:
            assert build_panel(read_frame(place, [spec.unit], spec.read), spec).units.size
