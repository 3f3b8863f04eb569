"""Master files in the exact layout, the faults in them, and what cleaning makes of both."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from replication.cleaning.agency_months import AgencyMonths
from replication.sources import OFFENSES
from replication.sources.return_a import read_return_a
from studies.secure_communities_monthly.county_month import MonthlyPanel
from studies.secure_communities_simulated.simulation.reader_checks import (
    calibration,
    coverage_by_month,
    pathologies,
)
from studies.secure_communities_simulated.simulation.simulated_agencies import CITY
from studies.secure_communities_simulated.simulation.simulated_effects import NUMBERS
from studies.secure_communities_simulated.simulation.simulated_masters import digits, write_master
from studies.secure_communities_simulated.simulation.simulated_panel import (
    Country,
    draw_country,
    simulated_places,
    write_masters,
)
from studies.secure_communities_simulated.simulation.simulated_reporting import ALABAMA, ILLINOIS, MINNESOTA
from studies.secure_communities_simulated.simulation.simulated_reporting_panel import build_reporting_month
from studies.secure_communities_simulated.simulation.simulation_settings import Facts, Settings

YEARS = 9


def one_agency() -> dict:
    actual = np.zeros((1, 12, 7), dtype=np.int64)
    actual[0, 0] = [1, 2, 3, 40, 50, 60, 7]
    actual[0, 2] = [0, 0, -2, 0, 0, 0, -10]
    cleared = np.zeros_like(actual)
    cleared[0, 0] = [1, 1, 1, 20, 5, 6, 0]
    filed = np.zeros((1, 12), dtype=bool)
    filed[0, [0, 2]] = True
    included = np.zeros((1, 12), dtype=np.int64)
    included[0, 1] = 3
    headers = pd.DataFrame(
        {
            "ori": ["AL00100"],
            "fbi_state": [1],
            "group": ["9"],
            "covered_by": [""],
            "population_1": [12345],
            "county_1": pd.array([7], dtype="Int64"),
            "name": ["MADE SHERIFF 001"],
            "state_name": ["AL"],
        }
    )
    return {"headers": headers, "filed": filed, "included_in": included, "actual": actual, "cleared": cleared}


def test_characters_stand_where_the_record_description_has_them(tmp_path: Path) -> None:
    path = tmp_path / "RETA2004.txt"
    write_master(path, year=2004, **one_agency())
    line = path.read_bytes()
    assert len(line) == 7387
    assert line.endswith(b"\r\n")

    def at(position: int, width: int) -> str:
        return line[position - 1 : position - 1 + width].decode()

    assert [at(1, 1), at(2, 2), at(4, 7), at(14, 2)] == ["1", "01", "AL00100", "04"]
    assert [at(42, 2), at(45, 9), at(54, 3)] == ["03", "000012345", "007"]
    assert [at(121, 24), at(145, 6)] == ["MADE SHERIFF 001".ljust(24), "AL".ljust(6)]
    months = [306 + 590 * month for month in range(12)]
    assert [at(months[m] + 8, 5) for m in range(3)] == [" 55  ", "00000", " 55  "]
    assert [at(months[1], 2), at(months[0], 2)] == ["03", "  "]
    card = months[0] + 157
    # Fields 1 murder, 3 rape, 6 robbery, 11 all assaults, 16 simple, 17 burglary, 21, 22, 26 total.
    fields = {1: 1, 3: 2, 6: 3, 11: 80, 16: 40, 17: 50, 21: 60, 22: 7, 26: 203}
    assert {f: int(at(card + 5 * (f - 1), 5)) for f in fields} == fields
    third = months[2] + 157
    assert at(third + 5 * 5, 5) == "0000K"
    assert at(third + 5 * 21, 5) == "0001}"


def test_the_reader_gives_back_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "RETA2004.txt"
    artificial = one_agency()
    write_master(path, year=2004, **artificial)
    tidy = read_return_a(path, 2004)
    wide = tidy.offenses.pivot(index="month", columns="offense", values="actual")
    assert wide[list(OFFENSES)].to_numpy() == pytest.approx(artificial["actual"][0, [0, 2]])
    cleared = tidy.offenses.pivot(index="month", columns="offense", values="cleared")
    assert cleared.loc[1, list(OFFENSES)].tolist() == artificial["cleared"][0, 0].tolist()
    status = tidy.months.set_index("month")["status"]
    assert [status[1], status[2], status[3], status[4]] == ["returned", "included", "returned", "silent"]
    assert tidy.months.set_index("month")["included_in"][2] == 3
    assert tidy.agencies.loc[0, ["population", "county_1"]].tolist() == [12345, 7]


@pytest.mark.parametrize(("value", "text"), [(0, "00000"), (-1, "0000J"), (-120, "0012}")])
def test_negative_numbers_are_overpunched(value: int, text: str) -> None:
    assert digits(np.array([value]), 5).tobytes().decode() == text


def digest(country: Country, folder: Path) -> str:
    sha = hashlib.sha256()
    for path in write_masters(country, folder):
        sha.update(path.read_bytes())
        path.unlink()
    return sha.hexdigest()


def test_the_seed_decides_every_byte(country: Country, facts: Facts, tmp_path: Path) -> None:
    first = digest(country, tmp_path)
    assert digest(draw_country(country.settings, facts), tmp_path) == first
    other = Settings(country.settings.seed + 1, country.settings.share, country.settings.truth)
    assert digest(draw_country(other, facts), tmp_path) != first


def test_a_truth_changes_counts_and_nothing_else(country: Country, facts: Facts) -> None:
    without = draw_country(Settings(country.settings.seed, country.settings.share), facts)
    pd.testing.assert_frame_equal(without.counties, country.counties)
    pd.testing.assert_frame_equal(without.agencies, country.agencies)
    assert (without.reporting.returned == country.reporting.returned).all()
    before = NUMBERS < 12 * (2008 - 1960) + 9
    # Nobody is active before October 2008; afterwards 30% of offenses go. Poisson draws differ.
    early = country.crime.actual[:, before].sum() / without.crime.actual[:, before].sum()
    assert early == pytest.approx(1, abs=0.002)
    late = NUMBERS >= 12 * (2012 - 1960) + 6
    ratio = country.crime.actual[:, late].sum() / without.crime.actual[:, late].sum()
    assert ratio == pytest.approx(np.exp(-0.3), abs=0.02)


def test_the_repairs_give_back_the_true_offenses(country: Country, returns: AgencyMonths) -> None:
    """Agencies that report every month: their years are true to the offense, faults or not."""
    agencies = country.agencies
    place = np.searchsorted(returns.ori, agencies["ori"].to_numpy(dtype=str))
    there = (country.reporting.returned | (country.reporting.included_in > 0)).all(axis=1)
    usual = ~agencies["state"].isin([ILLINOIS, MINNESOTA]).to_numpy()
    chosen = there & usual & ~country.reporting.quarterly
    assert chosen.sum() > 400
    found = returns.actual[place[chosen]].reshape(chosen.sum(), YEARS, 12, -1).sum(axis=2)
    true = country.crime.actual[chosen].reshape(chosen.sum(), YEARS, 12, -1).sum(axis=2)
    assert np.abs(found - true).max() < 0.02
    assert (country.reporting.included_in[chosen] > 0).sum() > 50
    corrected = returns.notes.loc[returns.notes["what"].str.startswith("negative"), "count"]
    assert corrected.sum() > 50


def test_quarterly_figures_are_found_and_not_used(country: Country, returns: AgencyMonths) -> None:
    quarterly = country.agencies.loc[country.reporting.quarterly, "ori"].to_numpy(dtype=str)
    place = np.searchsorted(returns.ori, quarterly)
    large = country.crime.actual[country.reporting.quarterly].sum(axis=(1, 2)) > 24 * YEARS
    assert large.sum() >= 1
    assert not returns.reported[place[large]].any()


def test_illinois_and_alabama(country: Country) -> None:
    agencies, reporting = country.agencies, country.reporting
    own = (agencies["covered_by"] == "").to_numpy()
    people = np.where(own, agencies["people"], 0.0)
    there = reporting.returned | (reporting.included_in > 0)
    by_year = there.reshape(len(agencies), YEARS, 12).mean(axis=2)

    def covered(state: int) -> np.ndarray:
        rows = (agencies["state"] == state).to_numpy()
        return people[rows] @ by_year[rows] / people[rows].sum()

    illinois = (agencies["state"] == ILLINOIS).to_numpy()
    assert (agencies.loc[illinois & (by_year[:, 0] > 0), "kind"] == CITY).all()
    assert (covered(ILLINOIS)[:6] < 0.75).all()
    assert covered(ILLINOIS)[6:].min() > 0.9
    assert covered(ALABAMA)[4:8].mean() < covered(ALABAMA)[:4].mean() - 0.1


def test_some_states_file_no_rapes(country: Country, returns: AgencyMonths) -> None:
    postal = np.array([name[:2] for name in returns.ori])
    rapes = np.nan_to_num(returns.actual[:, :, OFFENSES.index("rape")]).reshape(-1, YEARS, 12)
    by_year = {state: rapes[postal == state].sum(axis=(0, 2)) for state in ("IL", "MN", "WI")}
    assert (by_year["IL"] > 0).tolist() == [False] * 6 + [True] * 3
    assert (by_year["MN"] > 0).tolist() == [True] * 2 + [False] * 3 + [True] * 4
    assert (by_year["WI"] > 0).all()


def test_coverage_rises_in_the_full_country(facts: Facts) -> None:
    """The mean coverage of counties: 91.5 in 2005 and 98.2 in 2012 in the annual county files."""
    country = draw_country(Settings(), facts)
    there = country.reporting.returned | (country.reporting.included_in > 0)
    people = np.where(country.agencies["covered_by"] == "", country.agencies["people"], 0.0)
    cells = pd.DataFrame(people[:, None] * there.reshape(len(people), YEARS, 12).mean(axis=2))
    listed = pd.Series(people).groupby(country.agencies["row"]).sum()
    covered = cells.groupby(country.agencies["row"]).sum().div(listed, axis=0).mean()
    assert covered[1] == pytest.approx(0.915, abs=0.015)
    assert covered[8] == pytest.approx(0.982, abs=0.01)
    table = pathologies(country).set_index("what")
    assert (table["count"] > 0).all()
    assert (table["count"] < table["of"]).all()
    facts_table = calibration(country).set_index(["topic", "what"])
    offenses = facts_table.loc["Index offenses"]
    assert (offenses["drawn"] / offenses["published"]).to_numpy() == pytest.approx(1, abs=0.02)
    assert (offenses["reported"] < offenses["drawn"]).all()


def test_cleaning_keeps_the_well_covered_and_finds_the_effect(
    country: Country, cleaned: MonthlyPanel
) -> None:
    flow = cleaned.flow.table()
    assert flow["counties_before"].iloc[0] == len(country.counties) == 372
    assert 200 < flow["counties_after"].iloc[-1] < 350
    frame = cleaned.frame
    assert not set(frame["state"]) & {ILLINOIS}
    assert frame["census_ratio"].between(0.8, 1.2).all()
    left = cleaned.allocation.set_index("decided_by").query("year == 2012")["agencies"]
    assert left["left out: state police without a county or by rule"] == 51
    assert left["agency crosswalk"] > 0.9 * len(country.agencies)


def test_estimates_find_a_large_constant_effect(cleaned: MonthlyPanel) -> None:
    from replication.core.panel_builder import build_panel
    from replication.core.spec import parse_spec
    from replication.estimators.estimate_spec import estimate

    spec = parse_spec(
        {
            "id": "found",
            "outcome": "log_rate_index",
            "estimator": "twfe",
            "unit": "fips",
            "time": "month",
            "treatment": "share_of_month",
            "cluster": "state",
            "sample": {"balanced": True},
        }
    )
    value, std_error = estimate(build_panel(cleaned.frame, spec), spec).att
    assert value == pytest.approx(-0.3, abs=3 * std_error)
    assert std_error < 0.03


def test_reporting_panel_has_every_county_and_month(country: Country, returns: AgencyMonths) -> None:
    frame = build_reporting_month(returns, country)
    assert len(frame) == 372 * 108
    drift = coverage_by_month(frame)
    assert set(drift["group"]) == {"Alabama", "Illinois", "Other states"}
    illinois = drift[drift["group"] == "Illinois"].set_index("time")["covered_share"]
    assert illinois[illinois.index < 2010].max() < 0.75 < illinois[illinois.index >= 2010].min()
    # Per resident, silent police look like less crime; per covered person they do not count.
    both = frame.dropna(subset=["log_rate_index", "log_naive_index"])
    assert (both["log_naive_index"] <= both["log_rate_index"] + 1e-4).all()


def test_places_are_what_the_cleaning_expects(country: Country) -> None:
    here = simulated_places(country)
    assert here.intercensal["year"].max() == 2009
    assert here.vintage_2019["year"].min() == 2010
    assert here.activation_days["fips"].is_unique
