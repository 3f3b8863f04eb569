"""The county panel's context from the real files: values typed in, and read another way."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from artificial_panels import dummies, two_way

from replication.cleaning.recipe import Cleaned
from replication.core.errors import SourceError
from replication.sources import manifest
from replication.sources.raw_files import finder
from replication.workflow import project
from studies.secure_communities.clean import clean

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def cleaned(mirror: Path) -> Cleaned:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(manifest.MIRROR, str(mirror))
        return clean(ROOT)


def test_the_four_panels(cleaned: Cleaned) -> None:
    units = {name: frame["fips"].nunique() for name, (frame, _) in cleaned.panels.items()}
    assert units == {
        "county_year": 2049,
        "county_year_all": 3131,
        "county_year_kaplan": 3114,
        "county_year_border_pairs": 622,
    }
    everyone = cleaned.panels["county_year_all"][0].drop_duplicates("fips")
    ours = cleaned.panels["county_year"][0]["fips"].unique()
    assert sorted(everyone.loc[everyone["coverage_canonical"], "fips"]) == sorted(ours)
    rules = ["coverage_90", "coverage_95", "coverage_ratio_90", "coverage_loose"]
    assert everyone[rules].sum().tolist() == [1882, 1632, 1818, 2449]


def test_shares_equal_the_files_own_counts(cleaned: Cleaned, mirror: Path) -> None:
    rows = json.loads((mirror / "acs" / "acs5_2009.json").read_text())
    table = pd.DataFrame(rows[1:], columns=rows[0])
    city = table[(table["state"] == "36") & table["county"].isin(["005", "047", "061", "081", "085"])]
    people, hispanic = (city[name].astype(int).sum() for name in ("B03002_001E", "B03002_012E"))
    counties = cleaned.panels["county_year"][0].drop_duplicates("fips").set_index("fips")
    assert counties.loc[36061, "hispanic_share"] == pytest.approx(hispanic / people)
    assert counties.loc[36061, "hispanic_share"] == pytest.approx(0.2738, abs=5e-5)
    assert counties.loc[48201, "hispanic_share"] == pytest.approx(0.3842, abs=5e-5)
    assert counties.loc[48201, "noncitizen_share"] == pytest.approx(0.1695, abs=5e-5)
    assert counties.loc[48201, "county_name"] == "Harris County"


def test_splits_hold_half_of_the_people(cleaned: Cleaned) -> None:
    counties = cleaned.panels["county_year"][0].drop_duplicates("fips")
    for name in ("hispanic_high", "noncitizen_high"):
        held = counties.loc[counties[name], "population_2004"].sum()
        assert held / counties["population_2004"].sum() == pytest.approx(0.5, abs=0.005)


def test_the_eight_indiana_counties(cleaned: Cleaned) -> None:
    lists = cleaned.frames["activation_lists"]
    other = lists[lists["agreement"] == "other month"]
    assert other["fips"].tolist() == [18063, 18065, 18069, 18121, 18145, 18165, 18177, 18179]
    assert lists["agreement"].value_counts().to_dict() == {
        "same month": 3094,
        "first list only": 41,
        "other month": 8,
    }


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("data_raw/sources.yaml", "studies/secure_communities/study.yaml"):
        (tmp_path / name).parent.mkdir(parents=True)
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.delenv(manifest.MIRROR, raising=False)
    absent = {source.id for source in project.absent_files(project.study(tmp_path, "secure_communities"))}
    assert {"nacjd_2000", "nacjd_2012", "kaplan_2014", "adjacency", "unemployment"} <= absent
    assert {"acs_2009", "noncitizens", "activation_days", "census_intercensal"} <= absent
    place = finder(tmp_path)
    missing = r"kaplan/county_2014\.json is missing\. To get it: `repl"
    with pytest.raises(SourceError, match=missing):
        place("kaplan_2014")


@pytest.mark.parametrize(
    ("outcome", "trends", "estimate", "std_error"),
    [
        ("coverage_indicator", False, -1.4467, 1.9495),
        ("coverage_indicator", True, 0.2429, 0.4776),
        ("passes_coverage", False, -0.0838, 0.0547),
    ],
)
def test_reporting_by_a_regression_written_out(
    cleaned: Cleaned, outcome: str, trends: bool, estimate: float, std_error: float
) -> None:
    frame = cleaned.panels["county_year_all"][0]
    columns = np.hstack([frame[["share_of_year"]].to_numpy(), dummies(frame["year"])])
    got = two_way(
        frame[outcome].to_numpy(float),
        columns,
        3131,
        frame["population_2004"].to_numpy(float),
        frame["state"].to_numpy(),
        trends=trends,
    )
    assert got == pytest.approx((estimate, std_error), abs=5e-4 * abs(std_error) + 5e-5)
