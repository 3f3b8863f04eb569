"""The two panels that installed packages carry."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import causaldata
import numpy as np
import pandas as pd
import pytest

from replication.core.errors import SourceError
from replication.sources import countymurders
from replication.sources.castle_panel import FIPS, NAMES, read_castle
from replication.sources.countymurders import read_countymurders


def test_castle_is_fifty_states_by_eleven_years() -> None:
    table = read_castle()
    assert len(table) == 550
    assert table["state_fips"].nunique() == 50
    assert 11 not in table["state_fips"].to_numpy()
    assert sorted(table["year"].unique()) == list(range(2000, 2011))
    assert not table.duplicated(["state_fips", "year"]).any()
    assert len(FIPS) == 51
    controls = list(NAMES.values())[-12:]
    assert controls[0] == "log_police"
    assert table[controls].notna().all(axis=None)


def test_castle_states_carry_their_own_numbers() -> None:
    table = read_castle().set_index(["state_fips", "year"])
    assert table.loc[(12, 2005), "sid"] == 10
    assert table.loc[(56, 2000), "sid"] == 51
    people = table["population_weight"].xs(2000, level="year")
    assert (people.idxmax(), people.idxmin()) == (6, 56)
    assert people.nlargest(4).index.tolist() == [6, 48, 36, 12]
    assert table.loc[(1, 2000), "homicide"] == pytest.approx(7.593978, abs=1e-6)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda t: t.head(400), r"has 400 rows and lacks no column"),
        (lambda t: t.drop(columns=["popwt"]), r"lacks popwt; 50 states by 11 years"),
        (lambda t: t.assign(year=t["year"].clip(2001)), r"550 rows.*requirements\.lock"),
    ],
)
def test_another_castle_panel_is_refused(
    monkeypatch: pytest.MonkeyPatch, damage: Callable, message: str
) -> None:
    damaged = damage(causaldata.castle.load_pandas().data)
    monkeypatch.setattr(causaldata.castle, "load_pandas", lambda: SimpleNamespace(data=damaged))
    with pytest.raises(SourceError, match=message):
        read_castle()


def test_county_murders_are_numbers_throughout() -> None:
    table = read_countymurders()
    assert len(table) == 37_349
    assert table["fips"].nunique() == 2197
    assert all(np.issubdtype(kind, np.number) for kind in table.dtypes)
    assert (table["fips"] // 1000 == table["state_fips"]).all()
    missing = table.isna().sum()
    assert missing[missing > 0].to_dict() == {
        "murder_arrests": 504,
        "income_maintenance": 3,
        "personal_income": 3,
        "unemployment_insurance": 3,
    }
    assert (table["murders"] == 0).mean() == pytest.approx(0.42, abs=0.005)
    assert {4, 12, 13, 19, 21}.isdisjoint(table["state_fips"])
    assert 17031 not in table["fips"].to_numpy()


def test_county_murders_hold_what_the_package_prints() -> None:
    first = read_countymurders().iloc[0]
    assert first[["fips", "year", "population", "murders", "murder_arrests"]].tolist() == [
        1001,
        1980,
        32216,
        2,
        2,
    ]
    assert first["personal_income"] == 8780.8


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda t: t.head(100), r"has 100 rows"),
        (lambda t: t.rename(columns={"popul": "pop"}), r"lacks popul; 2,197 counties by 17"),
        (lambda t: t.assign(year=1980), r"37349 rows and lacks no column"),
    ],
)
def test_another_murder_panel_is_refused(
    monkeypatch: pytest.MonkeyPatch, damage: Callable, message: str
) -> None:
    damaged: pd.DataFrame = damage(countymurders._packaged())
    monkeypatch.setattr(countymurders, "_packaged", lambda: damaged)
    with pytest.raises(SourceError, match=message):
        read_countymurders()
