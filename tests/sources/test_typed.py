"""Tables typed from publications: against each other, against the packages, and damaged."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from replication.core.errors import SourceError
from replication.sources import hand_entered
from replication.sources.castle_panel import FIPS
from studies.secure_communities.activations import read_activation_days, read_activations_by_state

FOLDER = Path(__file__).parents[2] / "data_raw/typed"


@pytest.fixture(scope="module")
def regions() -> pd.DataFrame:
    return hand_entered.read_regions(FOLDER / "census_regions.csv")


def test_regions_are_the_four_and_the_nine(regions: pd.DataFrame) -> None:
    assert tuple(regions["state_fips"]) == FIPS
    assert regions["state"].is_monotonic_increasing
    assert regions["postal"].is_unique
    sizes = regions.groupby("region_name").size().to_dict()
    assert sizes == {"Northeast": 9, "Midwest": 12, "South": 17, "West": 13}
    assert (regions.groupby("division")["region"].nunique() == 1).all()
    assert regions.groupby("division").size().tolist() == [6, 3, 5, 7, 9, 4, 4, 8, 5]


def test_castle_adoption_names_the_states_of_the_panel(regions: pd.DataFrame) -> None:
    table = hand_entered.read_castle_adoption(FOLDER / "castle_doctrine_adoption.csv")
    assert len(table) == 21
    assert [FIPS[sid - 1] for sid in table["sid"]] == table["state_fips"].tolist()
    both = table.merge(regions, on="state_fips")
    assert (both["state_x"] == both["state_y"]).all()
    assert table["effective_year"].value_counts().to_dict() == {2006: 13, 2007: 4} | {
        2008: 2,
        2005: 1,
        2009: 1,
    }
    assert table["share_of_effective_year_in_force"].between(0, 1, inclusive="neither").all()


def test_right_to_carry_names_states(regions: pd.DataFrame) -> None:
    table = hand_entered.read_right_to_carry(FOLDER / "right_to_carry_adoption.csv")
    assert len(table) == 29
    both = table.merge(regions, on="state_fips")
    assert (both["state_x"] == both["state_y"]).all()
    years = table.set_index("state")["first_year_in_force"]
    assert years[["Florida", "Maine", "Texas", "Washington"]].tolist() == [1988, 1982, 1997, 1977]


def test_fips_changes_have_dates_and_kinds() -> None:
    table = hand_entered.read_fips_changes(FOLDER / "county_fips_changes.csv").set_index("old_fips")
    assert table.loc[51560, "new_fips"] == 51005
    assert table.loc[12025, "kind"] == "renamed"
    assert table.loc[46113, "effective"] == pd.Timestamp(2015, 5, 1)
    assert table["new_fips"].isna().sum() == 1
    assert set(table["kind"]) == {"absorbed", "renamed", "created", "split"}


def test_border_counties_are_in_four_states() -> None:
    table = hand_entered.read_border_counties(FOLDER / "mexican_border_counties.csv")
    assert table["fips"].floordiv(1000).value_counts().to_dict() == {48: 14, 4: 4, 35: 3, 6: 2}


def test_the_rollout_by_state_sums_to_the_known_counts() -> None:
    table = read_activations_by_state(FOLDER / "secure_communities_activations_by_state.csv")
    by_year = table.groupby(table["activation_date"].dt.year)["counties"].sum().to_dict()
    assert by_year == {2008: 14, 2009: 91, 2010: 790, 2011: 1099, 2012: 1043, 2013: 106}
    assert table.loc[table["activation_date"] <= "2010-08-10", "counties"].sum() == 546
    may = table[table["activation_date"] <= "2011-05-17"]
    assert (may["counties"].sum(), may["state_fips"].nunique()) == (1302, 42)


def test_the_rollout_by_state_is_that_of_the_real_roster(mirror: Path) -> None:
    roster = read_activation_days(mirror / "secure_communities/securecommunities.dta")
    counted = roster.groupby([roster["fips"] // 1000, "activation_date"]).size()
    table = read_activations_by_state(FOLDER / "secure_communities_activations_by_state.csv")
    keys = ["state_fips", "activation_date"]
    assert table.set_index(keys)["counties"].sort_index().tolist() == counted.tolist()
    assert table.set_index(keys).sort_index().index.tolist() == counted.index.tolist()


def test_every_border_county_was_active_by_the_27th_of_july_2010(mirror: Path) -> None:
    roster = read_activation_days(mirror / "secure_communities/securecommunities.dta")
    border = hand_entered.read_border_counties(FOLDER / "mexican_border_counties.csv")
    dates = border.merge(roster, on="fips")["activation_date"]
    assert len(dates) == 23
    assert dates.max() <= pd.Timestamp(2010, 7, 27)


HEAD = "old_fips,new_fips,effective,kind,note\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"the file is empty \(0 bytes\)"),
        (HEAD, r"a heading and no rows\. Restore the table"),
        ("old_fips,effective\n1,2001-07-01\n", r"3 expected columns are missing: new_fips, kind"),
        (
            HEAD + "51560,51005,1.7.2001,absorbed,x\n",
            r"effective, line 2: '1\.7\.2001' where a date",
        ),
        (HEAD + "51560,51005,2001-07-01,,x\n", r"column kind, line 2: nan where a word belongs"),
        (HEAD + "51x60,51005,2001-07-01,split,x\n", r"column old_fips, line 2: '51x60' where a"),
        (
            HEAD + "51560,5,2001-07-01,split,x,y\n" * 2,
            r"2 lines do not have the 5 fields .* first line 2 with 6",
        ),
        (HEAD + "51560,,2001-07-01,split,x\n" * 2, r"old_fips 51560 occurs in 2 records"),
    ],
)
def test_damaged_tables_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "county_fips_changes.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=message) as refusal:
        hand_entered.read_fips_changes(path)
    assert str(refusal.value).endswith("(`git checkout -- data_raw/typed`).")


def test_a_table_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "county_fips_changes.csv"
    path.write_bytes((HEAD + "51560,51005,2001-07-01,split,Doña Ana\n").encode("latin-1"))
    with pytest.raises(SourceError, match=r"line 2 contains the byte 0xf1, .* written in utf-8"):
        hand_entered.read_fips_changes(path)
