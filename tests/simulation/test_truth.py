"""The truth that is put in, and what two-way effects make of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from replication.core.errors import SpecError
from replication.core.panel import Panel
from replication.estimators.twfe import twfe
from studies.secure_communities_simulated.simulation.simulated_agencies import draw_agencies
from studies.secure_communities_simulated.simulation.simulated_counties import draw_counties
from studies.secure_communities_simulated.simulation.simulated_crime import draw_crime
from studies.secure_communities_simulated.simulation.simulated_effects import (
    NUMBERS,
    differential_trends,
    effects,
    shares_in_force,
    two_way,
)
from studies.secure_communities_simulated.simulation.simulation_settings import (
    Facts,
    Settings,
    Truth,
    parse_settings,
)

ONE = pd.DataFrame({"activation_date": pd.to_datetime(["2010-03-16", "2012-12-01"])})
MARCH_2010 = 12 * (2010 - 2004) + 2


def test_constant_effect_follows_the_share_of_the_month() -> None:
    moved = effects(ONE, Truth("constant", -0.05))
    assert (moved[0, :MARCH_2010] == 0).all()
    assert moved[0, MARCH_2010] == pytest.approx(-0.05 * 16 / 31)
    assert moved[0, MARCH_2010 + 1 :] == pytest.approx(-0.05)
    assert moved[1, -1] == pytest.approx(-0.05)
    assert moved[1, -2] == 0


def test_growing_effect_is_the_size_after_a_year() -> None:
    moved = effects(ONE, Truth("growing", -0.03))
    assert moved[0, MARCH_2010 + 12] == pytest.approx(-0.03 * (12 + 16 / 31) / 12)
    assert np.diff(moved[0, MARCH_2010 + 1 :]) == pytest.approx(-0.03 / 12)


def test_anticipation_is_the_constant_effect_moved_forward() -> None:
    early = effects(ONE, Truth("anticipation", -0.05, lead=6))
    late = effects(ONE, Truth("constant", -0.05))
    # September has 30 days, March 31: only the month of the start itself differs.
    assert early[0, MARCH_2010 - 5 : -6] == pytest.approx(late[0, MARCH_2010 + 1 :])
    assert early[0, MARCH_2010 - 6] < 0
    assert (early[0, : MARCH_2010 - 6] == 0).all()


@pytest.fixture(scope="module")
def everyone(facts: Facts) -> pd.DataFrame:
    return draw_counties(Settings(), facts)


def as_panel(counties: pd.DataFrame, y: np.ndarray) -> Panel:
    weight = counties["population_2010"].to_numpy(dtype=float)
    return Panel(
        y=y,
        units=counties["fips"].to_numpy(),
        periods=NUMBERS,
        cohort=np.zeros(len(counties), dtype=np.int64),
        weight=np.repeat(weight[:, None], NUMBERS.size, axis=1),
        exposure=shares_in_force(counties),
        clusters={"state": pd.factorize(counties["state"])[0].astype(np.int64)},
    )


def test_trends_alone_give_the_two_way_number_asked_for(everyone: pd.DataFrame) -> None:
    weight = everyone["population_2010"].to_numpy(dtype=float)
    lines = differential_trends(everyone, weight, Truth(two_way_bias=-0.04))
    panel = as_panel(everyone, lines)
    assert twfe(panel).att[0] == pytest.approx(-0.04, abs=1e-9)
    assert two_way(lines, shares_in_force(everyone), weight) == pytest.approx(-0.04, abs=1e-12)
    assert twfe(panel, trends=("unit_linear",)).att[0] == pytest.approx(0.0, abs=1e-9)
    # Straight lines, steeper downwards for those activated earlier.
    slope = lines[:, 1] - lines[:, 0]
    assert np.diff(lines, axis=1) == pytest.approx(np.repeat(slope[:, None], 107, axis=1))
    assert np.corrcoef(slope, everyone["activation_date"].astype("int64"))[0, 1] > 0.999


def test_drawn_crime_shows_the_fall_without_county_trends_only(everyone: pd.DataFrame, facts: Facts) -> None:
    settings = Settings(seed=11, truth=Truth(two_way_bias=-0.04))
    agencies = draw_agencies(everyone, settings)
    counts = draw_crime(everyone, agencies, settings, facts).actual.sum(axis=2)
    by_county = np.zeros((len(everyone), NUMBERS.size))
    np.add.at(by_county, agencies["row"].to_numpy(), counts)
    people = everyone["population_2010"].to_numpy(dtype=float)
    whole = (by_county > 0).all(axis=1)
    panel = as_panel(everyone[whole], np.log(by_county[whole] / people[whole, None]))
    plain, std_error = twfe(panel).att
    trends, trend_std_error = twfe(panel, trends=("unit_linear",)).att
    # Three standard errors around what was put in; the two are far apart.
    assert plain == pytest.approx(-0.04, abs=3 * std_error)
    assert std_error < 0.012
    assert trends == pytest.approx(0.0, abs=3 * trend_std_error)
    assert trend_std_error < 0.007
    assert plain < -0.02 < trends
    zero = twfe(replace(panel, y=panel.y - effects(everyone[whole], settings.truth))).att[0]
    assert zero == pytest.approx(plain, abs=1e-12)


@pytest.mark.parametrize(
    ("truth", "output"),
    [
        ({"effect": "konstant", "size": 1.0}, "constant"),
        ({"effect": "none", "size": -0.1}, "size -0.1"),
        ({"effect": "constant"}, "size 0"),
        ({"effect": "constant", "size": 1.0, "lead": 2}, "lead 2"),
        ({"effect": "anticipation", "size": 1.0}, "at least one month"),
    ],
)
def test_truths_that_make_no_sense_are_refused(truth: dict, output: str) -> None:
    with pytest.raises(SpecError, match=output):
        Truth(**truth)


def test_settings_are_read_from_a_study(facts: Facts) -> None:
    entry = {
        "seed": 5,
        "panels": {"a": {"share": 0.5, "effect": "constant", "size": -0.1}, "b": {}},
    }
    found = parse_settings(entry, "study.yaml")
    assert found["a"] == Settings(5, 0.5, Truth("constant", -0.1))
    assert found["b"] == Settings(5, 1.0, Truth())
    entry["panels"]["a"]["sizes"] = 1
    with pytest.raises(SpecError, match=r"'sizes' \(did you mean 'size'\?\)"):
        parse_settings(entry, "study.yaml")
    with pytest.raises(SpecError, match="share of the counties is 0"):
        Settings(share=0.0)
