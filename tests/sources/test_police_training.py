"""Officers' records: a made file reads back, damaged ones are refused, the real one is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyreadr
import pytest

from replication.core.errors import SourceError
from replication.sources.police_training import read_police_training

RAW = "policing/pj_officer_level_balanced.rda"
FIRST_TRAINED = {101: 13, 102: 40, 103: 72}


def artificial() -> pd.DataFrame:
    """Three officers by 72 months, in the columns and types of the real file."""
    months = pd.date_range("2011-01-01", periods=72, freq="MS")
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        [(uid, t, cohort) for uid, cohort in FIRST_TRAINED.items() for t in range(1, 73)],
        columns=["uid", "period", "first_trained"],
    )
    frame["month"] = [months[t - 1].strftime("%Y-%m-%d") for t in frame["period"]]
    frame["assigned"] = [months[t - 1].strftime("%Y-%m-%d") for t in frame["first_trained"]]
    for name in ("complaints", "sustained", "force"):
        frame[name] = rng.poisson(0.3, len(frame)).astype(float)
    return frame


def written(frame: pd.DataFrame, folder: Path) -> Path:
    path = folder / "officers.rda"
    pyreadr.write_rdata(str(path), frame, df_name="officers")
    return path


def test_a_made_file_reads_back(tmp_path: Path) -> None:
    frame = artificial()
    read = read_police_training(written(frame.sample(frac=1, random_state=2), tmp_path))
    assert read.columns.tolist() == [
        "uid",
        "period",
        "month",
        "first_trained",
        "complaints",
        "sustained",
        "force",
    ]
    assert len(read) == 216
    assert read.groupby("uid")["first_trained"].first().to_dict() == FIRST_TRAINED
    assert (read["complaints"].to_numpy() == frame["complaints"].to_numpy()).all()
    assert read["month"].iloc[71] == pd.Timestamp("2016-12-01")


def cell(column: str, value: object, row: int = 5):
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[row, column] = value
        return frame

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: frame.drop(columns="force"), "1 expected columns are missing: force"),
        (lambda frame: frame.iloc[:-3], "1 of 3 officers do not have 72 months"),
        (
            lambda frame: pd.concat([frame, frame.iloc[[7]]]),
            "uid 101, period 8 occurs in 2 records",
        ),
        (cell("complaints", -1.0), "negative, or not whole in 1 of 216 records, first in record 6"),
        (cell("complaints", np.nan), "missing, negative, or not whole in 1 of 216"),
        (cell("sustained", 0.5), "not whole in 1 of 216"),
        (cell("period", 99), "not one of 1 to 72 in 1 of 216"),
        (cell("month", "2015-01-01"), "disagree in 1 of 216 records, first in record 6"),
        (cell("first_trained", 14), "disagree in 1 of 216"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(change, words: str, tmp_path: Path) -> None:
    frame = change(artificial()).reset_index(drop=True)
    with pytest.raises(SourceError, match=words) as error:
        read_police_training(written(frame, tmp_path))
    assert "Fetch the file again" in str(error.value)
    assert "\n" not in str(error.value)


def test_two_dates_of_one_officer_are_refused(tmp_path: Path) -> None:
    frame = artificial()
    frame.loc[10, ["first_trained", "assigned"]] = [14, "2012-02-01"]
    with pytest.raises(SourceError, match="first officer 101 with 72 months and 2 dates"):
        read_police_training(written(frame, tmp_path))


def test_files_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "officers.rda"
    with pytest.raises(SourceError, match="no such file"):
        read_police_training(path)
    path.write_bytes(b"")
    with pytest.raises(SourceError, match="empty"):
        read_police_training(path)
    path.write_bytes(b"not an R data file" * 20)
    with pytest.raises(SourceError, match="R data file"):
        read_police_training(path)


def test_the_real_file_cut_off(mirror: Path, tmp_path: Path) -> None:
    if not (mirror / RAW).is_file():
        pytest.skip(f"no {RAW} in the mirror of raw files (REPLICATION_MIRROR)")
    path = tmp_path / "officers.rda"
    path.write_bytes((mirror / RAW).read_bytes()[:90_000])
    with pytest.raises(SourceError, match="R data file"):
        read_police_training(path)


def test_the_real_file(mirror: Path) -> None:
    """Counts of officers, cohorts and events."""
    if not (mirror / RAW).is_file():
        pytest.skip(f"no {RAW} in the mirror of raw files (REPLICATION_MIRROR)")
    read = read_police_training(mirror / RAW)
    assert len(read) == 7_785 * 72
    assert read["uid"].nunique() == 7_785
    assert read["first_trained"].nunique() == 48
    assert read[["complaints", "sustained", "force"]].sum().tolist() == [21_478, 1_684, 22_365]
