"""The homicide panel: made reports with known answers, and the real ones where they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from artificial_monthly import crosswalk, places, read_victims
from sources.artificial_masters import Incident

from replication.cleaning.codebook import codebook
from replication.core.errors import PanelError
from replication.sources import acs, census, hand_entered, nacjd
from replication.sources.crosswalks import read_agencies
from replication.sources.supplementary_homicides import read_homicides
from studies.secure_communities import activations
from studies.secure_communities_homicides.county_homicides import (
    UNSCREENED,
    HomicidePanel,
    HomicideRule,
    HomicideSources,
    build_county_month,
)
from studies.secure_communities_homicides.homicide_comparison import compare_states
from studies.secure_communities_homicides.homicide_ethnicity import by_ethnicity
from studies.secure_communities_homicides.homicide_schemas import (
    COUNTY_MONTH_ETHNICITY,
    COUNTY_MONTH_HOMICIDES,
)
from studies.secure_communities_monthly.county_places import Places

ROOT = Path(__file__).parents[2]
YEARS = (2008, 2009, 2011)
H, N, U, BLANK = (("30", "M", "W", kind) for kind in "HNU ")


def incidents(year: int) -> list[Incident]:
    """Victims of a year: 1001 has two Hispanic ones and two others, 36061 six unknown."""
    return [
        Incident("AL00100", 3, victims=[H, N], offenders=[H]),
        Incident("AL00101", 3, victims=[H], offenders=[N]),
        Incident("AL00101", 12, victims=[U]),
        Incident("AL00200", 7, victims=[N], county="002"),
        Incident("AL00200", 7, victims=[N], county="002", kind="B"),
        Incident("NY03030", 1, 31, "030", victims=[BLANK] * 6),
        Incident("TX05700", 5, 42, "057", victims=[H, H, H, BLANK]),
        Incident("TX99999", 6, 42, "057", victims=[N]),
        Incident("VI00100", 2, 62, "", victims=[N]),
    ]


REFERENCE = {1001: 4, 1003: 1, 12086: 9, 36061: 5, 36005: 1, 48085: 0, 48113: 5}


def sources(tmp_path: Path, **changed: object) -> HomicideSources:
    grid = pd.MultiIndex.from_product([REFERENCE, range(2008, 2012)], names=["fips", "year"])
    reference = grid.to_frame(index=False)
    reference["murder"] = reference["fips"].map(REFERENCE)
    victims = read_victims(tmp_path, {year: incidents(year) for year in YEARS})
    artificial = {"victims": victims, "crosswalk": crosswalk(), "reference": reference, "places": places()}
    return HomicideSources(**{**artificial, **changed})  # type: ignore[arg-type]


@pytest.fixture
def artificial(tmp_path: Path) -> HomicidePanel:
    return build_county_month(sources(tmp_path), years=range(2008, 2012))


def cell(panel: HomicidePanel, fips: int, year: int, month: int) -> pd.Series:
    frame = panel.frame
    rows = (frame["fips"] == fips) & (frame["year"] == year) & (frame["month_of_year"] == month)
    assert rows.sum() == 1
    return frame[rows].iloc[0]


def test_months_of_a_year_without_a_file_are_absent(artificial: HomicidePanel) -> None:
    assert artificial.absent_years == (2010,)
    assert sorted(artificial.frame["year"].unique()) == [2008, 2009, 2011]
    assert sorted(artificial.frame["month"].unique()) == [*range(576, 600), *range(612, 624)]
    assert artificial.frame.groupby("fips").size().eq(36).all()
    rule = artificial.flow.table()["rule"].iloc[0]
    assert rule == "Census counties, months of 2008-2011 (2010 absent: no homicide file)"


def test_rules_and_what_they_cost(artificial: HomicidePanel) -> None:
    table = artificial.flow.table()
    assert table["counties_before"].tolist() == [7, 7, 6, 6, 6, 5]
    assert table["counties_after"].tolist() == [7, 6, 6, 6, 5, 5]
    assert table["people_after"].iloc[-1] == 50_000 + 20_000 + 100_000 + 10_000 + 30_000
    assert table["rows_after"].iloc[-1] == 5 * 36
    assert "at least 50% of its murders in every year checked (2008, 2009, 2011)" in (table["rule"].iloc[4])
    assert sorted(artificial.frame["fips"].unique()) == [1001, 1003, 36061, 48085, 48113]


def test_victims_by_ethnicity(artificial: HomicidePanel) -> None:
    march = cell(artificial, 1001, 2009, 3)
    assert march[["homicides", "hispanic_victims", "non_hispanic_victims"]].tolist() == [3, 2, 1]
    assert march["hispanic_offender_victims"] == 2
    assert march["rate_homicides"] == pytest.approx(1e5 * 3 / 50_000)
    assert march["rate_hispanic_victims"] == pytest.approx(1e5 * 2 / 5000)
    assert march["rate_non_hispanic_victims"] == pytest.approx(1e5 / 45_000)
    december = cell(artificial, 1001, 2009, 12)
    assert december["unknown_ethnicity_victims"] == 1
    assert december["hispanic_victims_allocated"] == pytest.approx(2 / 3)
    assert december["non_hispanic_victims_allocated"] == pytest.approx(1 / 3)
    assert cell(artificial, 1003, 2009, 7)["homicides"] == 1
    assert cell(artificial, 48113, 2008, 6)["homicides"] == 1
    assert artificial.frame.groupby("year")["homicides"].sum().tolist() == [16, 16, 16]


def test_counties_without_known_ethnicity_are_marked(artificial: HomicidePanel) -> None:
    county = artificial.frame.drop_duplicates("fips").set_index("fips")
    assert county["reports_ethnicity"].to_dict() == {
        1001: True,
        1003: True,
        36061: False,
        48085: True,
        48113: True,
    }
    assert county.loc[36061, "ethnicity_known_share"] == 0
    assert county.loc[1001, "ethnicity_known_share"] == 0.75
    assert np.isnan(county.loc[48085, "ethnicity_known_share"])
    assert np.isnan(cell(artificial, 36061, 2008, 1)["hispanic_victims_allocated"])
    assert cell(artificial, 36061, 2008, 2)["hispanic_victims_allocated"] == 0


def test_a_stricter_rule_of_known_ethnicity(tmp_path: Path) -> None:
    strict = HomicideRule(minimum_known=0.8)
    panel = build_county_month(sources(tmp_path), strict, range(2008, 2012))
    county = panel.frame.drop_duplicates("fips").set_index("fips")
    assert not county.loc[1001, "reports_ethnicity"]


def test_the_unknown_of_a_year_follow_the_county_then_the_state(tmp_path: Path) -> None:
    lines = {year: incidents(year) for year in YEARS}
    lines[2009] = [
        Incident("AL00101", 12, victims=[U, U]),
        Incident("AL00200", 7, victims=[N], county="002"),
        Incident("TX04300", 4, 42, "043", victims=[U]),
    ]
    raw = sources(tmp_path, victims=read_victims(tmp_path, lines))
    panel = build_county_month(raw, UNSCREENED, range(2008, 2012))
    assert cell(panel, 1001, 2009, 12)["hispanic_victims_allocated"] == pytest.approx(2 * 2 / 3)
    assert cell(panel, 48085, 2009, 4)["hispanic_victims_allocated"] == pytest.approx(6 / 8)


def test_timing_and_place(artificial: HomicidePanel) -> None:
    dallas = cell(artificial, 48113, 2008, 11)
    assert dallas["share_of_month"] == pytest.approx(15 / 30)
    assert dallas[["cohort_calendar_month", "cohort_mid_month", "cohort_first_full_month"]].tolist() == [
        586,
        587,
        587,
    ]
    assert (dallas["state"], dallas["state_postal"], dallas["hispanic_share"]) == (48, "TX", 0.4)
    assert dallas["state_first_activation"] == pd.Timestamp(2008, 11, 16)
    city = cell(artificial, 36061, 2011, 1)
    assert city["new_york_city"]
    assert (city["population"], city["comparison_2012"]) == (100_000, "comparison")
    assert city["hispanic_share"] == pytest.approx((500 + 200) / 2000)
    role = artificial.frame.drop_duplicates("fips").set_index("fips")["comparison_2012"]
    assert role.to_dict() == {
        1001: "treated",
        1003: "left_out",
        36061: "comparison",
        48085: "treated",
        48113: "treated",
    }
    design = artificial.frame.drop_duplicates("fips").set_index("fips")["cohort_design_2011"]
    assert design.to_dict() == {1001: 607, 1003: 0, 36061: 0, 48085: 587, 48113: 587}


def test_the_panel_is_its_codebook(artificial: HomicidePanel) -> None:
    table = codebook(artificial.frame, COUNTY_MONTH_HOMICIDES)
    assert table["name"].tolist() == list(artificial.frame.columns)
    missing = table.set_index("name")["missing"]
    assert missing["log_hispanic_population"] == "36: county not in the survey, or no such people"


def test_what_decided_each_agency(artificial: HomicidePanel) -> None:
    table = artificial.allocation[artificial.allocation["year"] == 2008].set_index("decided_by")
    assert table["victims"].to_dict() == {
        "agency crosswalk": 15,
        "FBI county number": 1,
        "left out: no county": 0,
    }
    assert table["agencies"].to_dict() == {
        "agency crosswalk": 5,
        "FBI county number": 1,
        "left out: no county": 1,
    }


def test_states_against_the_second_count() -> None:
    compared = pd.DataFrame(
        {
            "fips": [1001, 1003, 1001, 1003, 12001, 12001, 4001, 4001],
            "year": [2008, 2008, 2009, 2009, 2008, 2009, 2008, 2009],
            "state": [1, 1, 1, 1, 12, 12, 4, 4],
            "murders": [10, 1, 12, 2, 5, 7, 3, 5],
            "victims": [11, 1, 13, 2, 0, 0, 5, 3],
        }
    )
    table = compare_states(compared).set_index("state")
    numbers = table.loc[1, ["counties", "county_years", "murders", "victims"]]
    assert numbers.tolist() == [2, 4, 25, 27]
    assert table.loc[1, "correlation"] == pytest.approx(102.25 / np.sqrt(92.75 * 112.75))
    assert table["agrees"].to_dict() == {1: True, 4: False, 12: False}
    assert table.loc[4, "correlation"] == pytest.approx(-1)
    assert np.isnan(table.loc[12, "correlation"])
    assert table.loc[12, "ratio"] == 0


def test_without_screens_every_county_stays(tmp_path: Path) -> None:
    panel = build_county_month(sources(tmp_path), UNSCREENED, range(2008, 2012))
    assert panel.frame["fips"].nunique() == 6
    assert len(panel.flow.table()) == 4


def test_refusals(tmp_path: Path) -> None:
    raw = sources(tmp_path)
    with pytest.raises(PanelError, match="victims have no row in 1990-1991"):
        build_county_month(raw, years=range(1990, 1992))
    broken = sources(tmp_path, reference=raw.reference.rename(columns={"murder": "murders"}))
    with pytest.raises(PanelError, match=r"no column 'murder' \(did you mean 'murders'\?\)"):
        build_county_month(broken)


def test_the_panel_of_both_groups(artificial: HomicidePanel) -> None:
    frame, flow = by_ethnicity(artificial.frame, artificial.flow)
    assert flow.table()["counties_after"].tolist()[-2:] == [4, 4]
    assert len(frame) == 2 * 4 * 36
    assert frame["unit"].nunique() == 8
    assert list(frame.columns) == list(COUNTY_MONTH_ETHNICITY.columns)
    one = frame[(frame["fips"] == 1001) & (frame["month"] == 590)].set_index("hispanic")
    assert one["victims"].to_dict() == {0: 1, 1: 2}
    assert one["group_population"].to_dict() == {0: 45_000, 1: 5000}
    assert one["log_group_population"].tolist() == pytest.approx(np.log([45_000, 5000]))
    after = frame[(frame["fips"] == 1001) & (frame["month"] == 623)].set_index("hispanic")
    assert after["share_of_month"].to_dict() == {0: 1.0, 1: 1.0}
    assert after["hispanic_share_of_month"].to_dict() == {0: 0.0, 1: 1.0}
    known = frame.groupby("year")["victims"].sum()
    both = artificial.frame[["hispanic_victims", "non_hispanic_victims"]].sum(axis=1)
    assert known.tolist() == both.groupby(artificial.frame["year"]).sum().tolist()


# The real files

REAL_FILES = {
    2003: "SHRYR2003MASTER just.ZIP",
    2004: "SHRYR2004MASTER just.ZIP",
    2005: "SHRYR2005MASTER just.zip",
    2006: "SHRYR2006MASTER just.zip",
    2008: "SHRYR2008MASTER just.ZIP",
    2009: "SHRYR2009MASTER just.zip",
    2010: "SHRYR2010MASTERFXUNPACKED.ZIP",
    2011: "SHRYR2011MASTERNFXUNPACKED.zip",
    2012: "SHRYR2012MASTERFXUNPACKED.zip",
    2013: "SHR2013.TXT",
}


def real_places(mirror: Path) -> Places:
    tables = ROOT / "data_raw/typed"
    return Places(
        activations.read_activation_days(mirror / "secure_communities/securecommunities.dta"),
        census.read_intercensal(mirror / "census/co-est00int-tot.csv"),
        census.read_vintage_2019(mirror / "census/co-est2019-alldata.csv"),
        hand_entered.read_fips_changes(tables / "county_fips_changes.csv"),
        hand_entered.read_regions(tables / "census_regions.csv"),
        hand_entered.read_border_counties(tables / "mexican_border_counties.csv"),
        acs.read_acs(mirror / "acs/acs5_2009.json", 2009),
    )


def test_the_real_panel(mirror: Path) -> None:
    victims = [read_homicides(mirror / "fbi/shr" / name, year).victims for year, name in REAL_FILES.items()]
    murders = [
        nacjd.read_county_offenses(mirror / f"nacjd/{nacjd.STUDY[year]:05d}-0004-Data.txt", year)
        for year in range(2003, 2013)
    ]
    panel = build_county_month(
        HomicideSources(
            pd.concat(victims, ignore_index=True),
            read_agencies(mirror / "geography/kaplan_crosswalk.rds"),
            pd.concat(murders, ignore_index=True),
            real_places(mirror),
        )
    )
    assert panel.comparison["agrees"].sum() >= 38
    assert panel.absent_years == (2007,)
    assert panel.frame.shape[0] == 2738 * 120
    assert panel.frame["state"].nunique() == 47
    assert not {1, 11, 12, 31} & set(panel.frame["state"])
    by_year = panel.frame.groupby("year")[["homicides", "hispanic_victims"]].sum()
    assert by_year.loc[2003].tolist() == [13_460, 1_903]
    assert by_year.loc[2012].tolist() == [12_139, 1_589]
    assert panel.flow.table()["counties_after"].tolist() == [3138, 3132, 3132, 3132, 2904, 2738]
    left = panel.allocation[panel.allocation["decided_by"] == "left out: no county"]
    assert left["victims"].sum() == 0
