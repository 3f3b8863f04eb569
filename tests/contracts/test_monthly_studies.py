"""The two studies on Return A 2004-2012, from made raw files in the real layout to the figures.

The files of these years are on no machine of ours: what is proved here is the pipeline, on a made
country with an effect of -0.3 on every offense and none on clearances per offense.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from artificial_project import ROOT, make_project

from replication.cli import main
from replication.sources import OFFENSES
from replication.sources.manifest import MIRROR, state_of
from replication.workflow import project
from replication.workflow.data_commands import status_text
from replication.workflow.report_step import whole_report
from replication.workflow.run_snakemake import closing
from replication.workflow.steps import step
from studies.secure_communities_simulated.simulation.simulated_agencies import CITY
from studies.secure_communities_simulated.simulation.simulated_panel import Country
from studies.secure_communities_simulated.simulation.simulated_reporting import NO_RAPES
from studies.secure_communities_simulated.simulation.simulation_settings import Settings, Truth

COUNTIES, CITIES = "secure_communities_monthly", "secure_communities_cities"
STUDIES = (COUNTIES, CITIES)
TRUTH = -0.3
STATES = (1, 6, 8, 12, 13, 17, 25, 26, 27, 36, 37, 39, 42, 46, 48, 51, 53)
"""Of every region, early and late; 17 and 1 report as badly as Illinois and Alabama did."""
STEPS = ("clean", "estimate", "analyze", "tables", "figures")
FIRST = 12 * (2004 - 1960)


def run_all(root: Path, steps: tuple[str, ...]) -> None:
    for study in STUDIES:
        for name in steps:
            log = root / "logs" / study / f"{name}.log"
            assert step(name, study, root, threads=1, log=log) == 0, log.read_text()


@pytest.fixture(scope="module")
def no_mirror() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(MIRROR, raising=False)
        yield


@pytest.fixture(scope="module")
def artificial(tmp_path_factory: pytest.TempPathFactory, no_mirror: None) -> tuple[Path, Country]:
    """A project in which both studies ran."""
    root = tmp_path_factory.mktemp("project")
    settings = Settings(seed=7, share=1e-6, truth=Truth("constant", TRUTH))
    country = make_project(root, settings, STUDIES, STATES)
    run_all(root, STEPS)
    return root, country


def panel(artificial: tuple[Path, Country], study: str, name: str) -> pd.DataFrame:
    return pd.read_parquet(artificial[0] / "data_clean" / study / f"{name}.parquet")


def estimate_of(artificial: tuple[Path, Country], study: str, spec: str, term: str = "att") -> pd.Series:
    table = pd.read_csv(artificial[0] / "tables" / study / "estimates.csv")
    rows = table[(table["spec_id"] == spec) & (table["term"] == term)]
    assert len(rows) == 1
    return rows.iloc[0]


def filed_whole(country: Country) -> np.ndarray:
    """Agencies that reported every month of their own, monthly, and are in the crosswalk."""
    reporting, agencies = country.reporting, country.agencies
    whole = reporting.returned.all(axis=1) & ~reporting.quarterly
    return whole & (agencies["covered_by"] == "").to_numpy() & agencies["in_crosswalk"].to_numpy()


def drawn(country: Country, rows: np.ndarray) -> np.ndarray:
    """(agencies, months, offenses) as drawn; two states write zero rapes in some years."""
    counts = country.crime.actual[rows].astype(float)
    state, year = country.agencies.loc[rows, "state"].to_numpy(), np.repeat(range(2004, 2013), 12)
    for code, years in NO_RAPES.items():
        cells = (state == code)[:, None] & np.isin(year, years)[None, :]
        counts[cells, OFFENSES.index("rape")] = 0
    return counts


def test_every_promised_file_is_written(artificial: tuple[Path, Country]) -> None:
    root, _ = artificial
    assert [study.id for study in project.runnable(root)] == list(STUDIES)
    for study in project.studies(root):
        promised = [*study.clean_outputs(), *study.table_outputs(), *study.figure_outputs()]
        assert len(promised) > 50
        assert [name for name in promised if not (root / name).stat().st_size] == []
        for source in study.sources:
            assert state_of(source, root) == ("verified", "")


def test_counts_of_counties_are_those_that_were_drawn(artificial: tuple[Path, Country]) -> None:
    frame, country = panel(artificial, COUNTIES, "county_month"), artificial[1]
    whole = pd.Series(filed_whole(country)).groupby(country.agencies["fips"]).all()
    fips = sorted(set(whole[whole].index) & set(frame["fips"]))
    assert len(fips) > 50
    wide = frame[frame["fips"].isin(fips)].sort_values(["fips", "month"])
    found = wide[list(OFFENSES)].to_numpy().reshape(len(fips), 108, len(OFFENSES))
    assert wide["month"].iloc[0] == FIRST
    rows = country.agencies["fips"].isin(fips).to_numpy()
    place = np.searchsorted(fips, country.agencies.loc[rows, "fips"])
    expected = np.zeros_like(found)
    np.add.at(expected, place, drawn(country, rows))
    assert np.array_equal(found, expected)
    assert found.sum() > 1e6


def test_counts_of_cities_are_those_that_were_drawn(artificial: tuple[Path, Country]) -> None:
    frame, country = panel(artificial, CITIES, "city_month"), artificial[1]
    agencies = country.agencies
    assert set(agencies.set_index("ori").loc[frame["ori"].unique(), "kind"]) == {CITY}
    rows = agencies["ori"].isin(frame["ori"]).to_numpy() & filed_whole(country)
    names = sorted(agencies.loc[rows, "ori"])
    assert len(names) > 100
    wide = frame[frame["ori"].isin(names)].sort_values(["ori", "month"])
    found = wide[list(OFFENSES)].to_numpy().reshape(len(names), 108, len(OFFENSES))
    order = np.argsort(agencies.loc[rows, "ori"].to_numpy())
    assert np.array_equal(found, drawn(country, rows)[order])
    dates = country.counties.set_index("fips")["activation_date"]
    assert (wide["activation_date"] == wide["fips"].map(dates)).all()
    assert frame["population"].min() >= 10_000


WEIGHT = "covered_population_2004"


@pytest.mark.parametrize(
    ("study", "spec", "within"),
    [
        (COUNTIES, f"scm_twfe__log_rate_index__none__{WEIGHT}", 0.03),
        (COUNTIES, f"scm_twfe__log_rate_index__unit_linear__{WEIGHT}", 0.03),
        (COUNTIES, f"scm_twfe__log_rate_property__region_by_time__{WEIGHT}", 0.03),
        (COUNTIES, "scm_twfe__log_rate_violent__none__none", 0.05),
        (COUNTIES, "scm_offense__log_rate_burglary__none", 0.05),
        (COUNTIES, "scm_poisson__index__none", 0.03),
        (COUNTIES, "scm_poisson__index__unit_linear", 0.03),
        (COUNTIES, "scm_poisson__robbery__none", 0.06),
        (COUNTIES, "scm_rule__county_month_scaled__log_rate_index__none", 0.03),
        (COUNTIES, "scm_rule__county_month_interpolated__log_rate_index__unit_linear", 0.03),
        (COUNTIES, "scm_event__log_rate_index__none", 0.05),
        (COUNTIES, "scm_event_poisson__index", 0.05),
        (COUNTIES, "scm_imputation__log_rate_index__none", 0.05),
        (COUNTIES, "scm_imputation__log_rate_index__unit_linear", 0.05),
        # Few made counties compare: the cohort estimators are the noisiest.
        (COUNTIES, "scm_cohorts__log_rate_index__callaway_santanna", 0.08),
        (COUNTIES, "scm_reporting__log_rate_index__none", 0.05),
        (CITIES, "scc_twfe__log_rate_index__none__population_base__state", 0.03),
        (CITIES, "scc_twfe__log_rate_index__unit_linear__population_base__fips", 0.03),
        (CITIES, "scc_poisson__index__none", 0.03),
        (CITIES, "scc_imputation__log_rate_index__none", 0.05),
        (CITIES, "scc_cohorts__log_rate_index", 0.08),
    ],
)
def test_the_planted_effect_comes_back(
    artificial: tuple[Path, Country], study: str, spec: str, within: float
) -> None:
    row = estimate_of(artificial, study, spec)
    assert row["estimate"] == pytest.approx(TRUTH, abs=within)
    assert 0 < row["std_error"] < within


@pytest.mark.parametrize("trends", ["none", "unit_linear"])
def test_clearances_per_offense_do_not_move(artificial: tuple[Path, Country], trends: str) -> None:
    for study, prefix in ((COUNTIES, "scm"), (CITIES, "scc")):
        row = estimate_of(artificial, study, f"{prefix}_clearance__clearance_share_index__{trends}")
        assert abs(row["estimate"]) < 0.005
        assert 0 < row["std_error"] < 0.005


def test_clusters_and_samples_are_what_the_specifications_say(artificial: tuple[Path, Country]) -> None:
    base = "scc_twfe__log_rate_index__none__population_base"
    by_state, by_county = (estimate_of(artificial, CITIES, f"{base}__{c}") for c in ("state", "fips"))
    assert by_state["estimate"] == by_county["estimate"]
    assert by_state["n_clusters"] < by_county["n_clusters"] <= by_county["n_units"]
    flows = {
        rule: pd.read_csv(artificial[0] / "data_clean" / COUNTIES / f"sample_flow{rule}.csv")
        for rule in ("", "_scaled", "_interpolated")
    }
    kept = {rule: flow["counties_after"].iloc[-1] for rule, flow in flows.items()}
    assert kept[""] < kept["_scaled"]
    path = panel(artificial, COUNTIES, "county_month")["month"]
    assert (path.min(), path.max()) == (FIRST, FIRST + 107)


def test_illinois_begins_to_report_late(artificial: tuple[Path, Country]) -> None:
    drift = pd.read_csv(artificial[0] / "data_clean" / COUNTIES / "coverage_by_state.csv")
    assert set(drift["group"]) > {"US", "IL", "AL", "CA"}
    illinois = drift[drift["group"] == "IL"].set_index("time")["covered_share"]
    assert illinois[illinois.index >= 2010].min() > illinois[illinois.index < 2010].max() + 0.1


def test_secondary_figures_are_marked_as_such(artificial: tuple[Path, Country]) -> None:
    text = (artificial[0] / "tables" / COUNTIES / "published.md").read_text()
    assert "a statistically significant decline of about 4%" in text
    assert "† From a secondary source." in text
    city = (artificial[0] / "tables" / CITIES / "published.md").read_text()
    assert "arrests are not in Return A" in city


def test_a_missing_year_is_named_with_the_command(
    artificial: tuple[Path, Country], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(MIRROR, raising=False)
    root = artificial[0]
    place = root / "data_raw" / "fbi" / "return_a" / "RETA2007.txt.zip"
    aside = place.rename(place.with_suffix(".aside"))
    try:
        assert project.runnable(root) == []
        output = closing(root)
        for study in STUDIES:
            assert (
                f"{study} did not run: 1 raw file is missing; fetch with `replication data fetch "
                "secure_communities --monthly`. (outputs of an earlier run are left as they are)"
            ) in output
        for study in STUDIES:
            assert step("clean", study, root, threads=1, log=None) == 2
            message = capsys.readouterr().err
            assert "data_raw/fbi/return_a/RETA2007.txt.zip is missing" in message
            assert "replication data fetch secure_communities --monthly" in message
            assert "Traceback" not in message
    finally:
        aside.rename(place)


def test_verify_passes_over_studies_without_committed_numbers(
    artificial: tuple[Path, Country], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REPLICATION_ROOT", str(artificial[0]))
    assert main(["report"]) == 0
    assert main(["verify"]) == 0
    output = capsys.readouterr().out
    for study in STUDIES:
        assert f"none  {study}  no numbers are committed" in output
        assert not (ROOT / "studies" / study / "expected").exists()
    assert main(["verify", COUNTIES]) == 1


def test_without_files_the_run_and_the_page_say_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(MIRROR, raising=False)
    for name in ("studies", "data_raw/sources.yaml", "config.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).symlink_to(ROOT / name)
    output = closing(tmp_path)
    for study in STUDIES:
        line = next(line for line in output.splitlines() if line.startswith(f"{study} did not run"))
        assert "14 raw files are missing" in line
        assert "replication data fetch secure_communities --monthly" in line
        assert f"{study}" not in next(x for x in output.splitlines() if x.startswith("Tables:"))
    status = status_text(tmp_path, CITIES)
    assert "14 missing" in status
    assert "RETA2004.txt.zip" in status
    by_hand = next(x for x in output.splitlines() if x.startswith("secure_communities_homicides did"))
    assert "fetch with" not in by_hand
    assert "see `replication data status secure_communities_homicides`" in by_hand
    html = whole_report(tmp_path).read_text(encoding="utf-8")
    skipped = html[html.index('id="not-run"') :]
    assert "Secure Communities and crime, by county and month" in skipped
    assert "Secure Communities, city police and crime, by month" in skipped
    assert "fbi/return_a/RETA2012.txt.zip" in skipped
    assert "replication data fetch secure_communities --monthly" in skipped


@pytest.mark.slow
def test_the_whole_country_agrees_with_other_software(tmp_path: Path, no_mirror: None) -> None:
    """Every state: 372 counties; 152 coefficients a second time, and the noisiest estimators."""
    settings = Settings(seed=7, share=1e-6, truth=Truth("constant", TRUTH))
    country = make_project(tmp_path, settings, STUDIES)
    run_all(tmp_path, ("clean", "estimate", "check"))
    for study, least in ((COUNTIES, 92), (CITIES, 60)):
        second = pd.read_csv(tmp_path / "tables" / study / "second_engine.csv")
        assert len(second) >= least
        assert second["difference"].max() < 1e-8
    for study, spec in (
        (COUNTIES, "scm_cohorts__log_rate_index__callaway_santanna"),
        (COUNTIES, "scm_cohorts__log_rate_index__sun_abraham"),
        (COUNTIES, f"scm_twfe__log_rate_index__state_by_time__{WEIGHT}"),
        (CITIES, "scc_cohorts__log_rate_index"),
    ):
        row = estimate_of((tmp_path, country), study, spec)
        assert row["estimate"] == pytest.approx(TRUTH, abs=0.03)
