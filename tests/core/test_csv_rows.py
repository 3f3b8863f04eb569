"""CSV files have the bytes that pandas would write."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from replication.core.csv_rows import csv_text
from replication.core.files import FLOAT_FORMAT, write_csv

NUMBERS = [0.1, -0.0, 1e-300, np.nan, np.inf, 2 / 3, 1e22]
FRAMES = {
    "numbers and text": pd.DataFrame(
        {
            "x": NUMBERS,
            "n": range(7),
            "ok": [True, False] * 3 + [True],
            "t": [*'a,"\n', None, "é", "", "b"][:7],
        }
    ),
    "carriage return": pd.DataFrame({"t": ["a\rb", "c"], "x": [0.5, 1.0]}),
    "one column of a matrix": pd.DataFrame({"x": [0.5, np.nan]}),
    "matrix": pd.DataFrame([[0.1, np.nan], [2 / 3, -1.0]], columns=["a", "b"]),
    "nothing but one empty cell": pd.DataFrame({"only": [None, "a", None]}),
    "all missing": pd.DataFrame({"x": [np.nan, np.nan], "t": [None, None]}),
    "no rows": pd.DataFrame({"x": np.array([], dtype=float), "t": np.array([], dtype=object)}),
    "names that repeat and need quotes": pd.DataFrame([[1.5, 2.5]], columns=["a,b", "a,b"]),
    "nullable integers": pd.DataFrame({"n": pd.array([1, None], dtype="Int64")}),
    "dates and mixtures": pd.DataFrame({"d": pd.to_datetime(["2010-01-02"]), "m": [0.1]}),
    "mixed": pd.DataFrame({"m": [0.1, "a", None]}),
    "small floats": pd.DataFrame({"x": np.array([0.1], dtype=np.float32)}),
    "categories": pd.DataFrame({"c": pd.Categorical(["a", "b"])}),
}


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("index", [None, "row"])
def test_the_bytes_are_those_of_pandas(name: str, index: str | None, tmp_path: Path) -> None:
    frame = FRAMES[name].rename_axis(index)
    for with_index in (True, False):
        write_csv(tmp_path / "ours.csv", frame, index=with_index)
        frame.to_csv(
            tmp_path / "pandas.csv", index=with_index, float_format=FLOAT_FORMAT, lineterminator="\n"
        )
        assert (tmp_path / "ours.csv").read_bytes() == (tmp_path / "pandas.csv").read_bytes()


def test_what_is_left_to_pandas() -> None:
    left = {name for name, frame in FRAMES.items() if csv_text(frame, FLOAT_FORMAT) is None}
    assert left == {"nullable integers", "dates and mixtures", "mixed", "small floats", "categories"}
