"""The two lists of activation dates: real files, made ones, and damaged ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from artificial_sources import activation_days, activation_months, stata_bytes

from replication.core.errors import SourceError
from studies.secure_communities.activations import read_activation_days, read_activation_months

DAYS = "secure_communities/securecommunities.dta"
MONTHS = "secure_communities/activation_dates_makayla_revisedforbalance.dta"
NEW_COUNTIES = {2008: 14, 2009: 91, 2010: 790, 2011: 1099, 2012: 1043, 2013: 106}
"""Newly active counties a year: agency list of January 22, 2013."""

Damage = Callable[[pd.DataFrame], pd.DataFrame]


def written(folder: Path, table: pd.DataFrame) -> Path:
    path = folder / "dates.dta"
    path.write_bytes(stata_bytes(table))
    return path


def test_days_are_taken_over_all_years_of_a_county(tmp_path: Path) -> None:
    read = read_activation_days(written(tmp_path, activation_days()))
    assert read["fips"].tolist() == [1001, 1005, 48201]
    assert read["activation_date"].dt.strftime("%Y-%m-%d").tolist() == [
        "2011-04-26",
        "2013-01-22",
        "2008-10-27",
    ]
    assert read["activation_date"].dtype == "datetime64[ns]"


def test_months_are_first_days(tmp_path: Path) -> None:
    read = read_activation_months(written(tmp_path, activation_months()))
    assert read["fips"].tolist() == [1001, 1005, 48201]
    assert read["activation_month"].tolist() == [
        pd.Timestamp(2011, 4, 1),
        pd.Timestamp(2013, 1, 1),
        pd.Timestamp(2008, 10, 1),
    ]


@pytest.mark.parametrize("read", [read_activation_days, read_activation_months])
@pytest.mark.parametrize("kept", [0.3, 0.8])
def test_cut_files_are_refused(tmp_path: Path, read: Callable[[Path], pd.DataFrame], kept: float) -> None:
    table = activation_days() if read is read_activation_days else activation_months()
    path = tmp_path / "dates.dta"
    whole = stata_bytes(table)
    path.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(SourceError, match=r"dates\.dta: .*(Stata file|missing).*Fetch the file"):
        read(path)


def test_text_and_empty_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "dates.dta"
    path.write_text(activation_days().to_csv(), encoding="utf-16")
    with pytest.raises(SourceError, match=r"cannot be read as a Stata file.*another kind of file"):
        read_activation_days(path)
    path.write_bytes(b"")
    with pytest.raises(SourceError, match=r"dates\.dta: the file is empty"):
        read_activation_months(path)


def test_the_other_list_is_refused_by_its_columns(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"expected columns are missing: year, county.*countyname"):
        read_activation_days(written(tmp_path, activation_months()))
    with pytest.raises(SourceError, match=r"missing: countyfips, activation_month"):
        read_activation_months(written(tmp_path, activation_days()))


def wrong_year(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(date_secure=table["date_secure"] + pd.DateOffset(years=6))


def another_year_column(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(year_secure=table["year_secure"] - 1)


def shifted(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(statefips=table["statefips"].shift(fill_value=9))


def repeated(table: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([table, table.iloc[[5]]], ignore_index=True)


def torn(table: pd.DataFrame) -> pd.DataFrame:
    second = table["date_secure"].where(
        ~((table["county"] == 1001) & (table["year"] == 2015)), pd.Timestamp(2011, 5, 1)
    )
    return table.assign(date_secure=second)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (wrong_year, r"outside October 27, 2008 to January 22, 2013.* 34 of 34 records, first in"),
        (another_year_column, r"not in year_secure in 34 of 34 records"),
        (shifted, r"state and county disagree in 3 of 64 records, first in record 1 \(statefips 9"),
        (repeated, r"county 1005, year 2007.0 occurs in 2 records|occurs in 2 records"),
        (torn, r"1 counties have more than one date_secure, first county 1001 \(2011-04-26 and"),
    ],
)
def test_damaged_days_are_refused(tmp_path: Path, damage: Damage, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read_activation_days(written(tmp_path, damage(activation_days())))


def test_damaged_months_are_refused(tmp_path: Path) -> None:
    good = activation_months()
    late = good.assign(activation_year=good["activation_year"] + 4)
    with pytest.raises(SourceError, match=r"outside October 2008 to January 2013 in 2 of 3 records"):
        read_activation_months(written(tmp_path, late))
    twice = pd.concat([good, good.iloc[[2]]], ignore_index=True)
    with pytest.raises(SourceError, match=r"countyfips 48201 occurs in 2 records \(records 3, 5\)"):
        read_activation_months(written(tmp_path, twice))
    moved = good.assign(statefips=good["statefips"].shift(fill_value=9))
    with pytest.raises(SourceError, match=r"state and county disagree in 3 of 4 records"):
        read_activation_months(written(tmp_path, moved))


def test_the_real_roster_has_the_known_counts(mirror: Path) -> None:
    read = read_activation_days(mirror / DAYS)
    when = read["activation_date"]
    assert when.dt.year.value_counts().to_dict() == NEW_COUNTIES
    assert (when <= "2010-08-10").sum() == 546
    by_may = read[when <= "2011-05-17"]
    assert len(by_may) == 1302
    assert (by_may["fips"] // 1000).nunique() == 42
    assert when.min() == pd.Timestamp(2008, 10, 27)
    assert read.loc[when.idxmin(), "fips"] == 48201
    assert read.loc[when == "2013-01-22", "fips"].floordiv(1000).value_counts().to_dict() == {
        17: 76,
        1: 30,
    }


def test_the_real_lists_agree_but_for_eight_counties_of_indiana(mirror: Path) -> None:
    months = read_activation_months(mirror / MONTHS)
    assert len(months) == 3102
    both = read_activation_days(mirror / DAYS).merge(months, on="fips")
    assert len(both) == 3102
    month_of_day = both["activation_date"].dt.to_period("M").dt.to_timestamp()
    apart = both[month_of_day != both["activation_month"]]
    assert (apart["fips"] // 1000).tolist() == [18] * 8
    assert (apart["activation_date"] == "2011-05-31").all()
    assert (apart["activation_month"] == "2011-06-01").all()
