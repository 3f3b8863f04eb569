"""Placebo rollouts: what is exchanged, what is summed up, and that stopping changes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from replication.analyses.placebo_draws import SHIFTS, Placebo, draw_placebos, placebo_order, placebo_subjects
from replication.analyses.placebo_summary import power_of, smallest_detectable, summarize_placebos
from replication.cli import main
from replication.core.errors import PanelError, SpecError
from replication.core.files import write_parquet
from replication.core.panel import Panel
from replication.core.panel_builder import build_panel
from replication.core.spec import Spec, parse_spec
from replication.estimators.estimate_spec import estimate
from replication.workflow.placebo_simulation import make_order, simulate
from replication.workflow.project import study

PERIODS = np.arange(600, 616)
BASE = {
    "study": "made",
    "panel": "county_month",
    "outcome": "y",
    "unit": "fips",
    "time": "month",
    "cohort": "cohort",
    "cluster": "state",
}
TWFE = {**BASE, "id": "made_twfe", "estimator": "twfe"}
IMPUTATION = {**BASE, "id": "made_imputation", "estimator": "imputation"}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """18 states of 3 to 6 counties, half of the states with one date; shocks of whole states."""
    rng = np.random.default_rng(4)
    state = np.repeat(np.arange(1, 19), np.arange(18) % 4 + 3)
    dates = rng.choice([604, 606, 608, 610, 0], 18)
    cohort = np.where(state % 2 == 0, dates[state - 1], rng.choice([605, 609, 0], state.size))
    shocks = rng.normal(0, 0.2, (18, PERIODS.size)).cumsum(axis=1)[state - 1]
    y = shocks + rng.normal(0, 0.1, (state.size, PERIODS.size))
    return pd.DataFrame(
        {
            "fips": np.repeat(np.arange(state.size), PERIODS.size),
            "state": np.repeat(state, PERIODS.size),
            "month": np.tile(PERIODS, state.size),
            "cohort": np.repeat(cohort, PERIODS.size),
            "y": y.reshape(-1),
        }
    )


def plan_of(*specs: dict) -> Placebo:
    return Placebo(tuple(parse_spec(spec) for spec in specs), ("fips", "state"), "state", 5)


def test_every_state_gets_the_schedule_of_one_state(frame: pd.DataFrame) -> None:
    ready = placebo_subjects(plan_of(TWFE), {"county_month": frame})[0]
    panel = ready.panel
    state = frame.drop_duplicates("fips")["state"].to_numpy()
    for draw in range(5):
        order = placebo_order(ready.blocks, 5, draw)
        donors = pd.DataFrame({"own": state, "drawn": state[order]}).drop_duplicates()
        assert donors["own"].is_unique
        assert sorted(donors["drawn"]) == list(range(1, 19))
        # Dates of a donor of the same size arrive one by one; otherwise they are thinned.
        for own, drawn in donors.itertuples(index=False):
            inside = state == own
            given, from_where = panel.cohort[order][inside], panel.cohort[state == drawn]
            if inside.sum() == (state == drawn).sum():
                assert sorted(given) == sorted(from_where)
            assert set(given) <= set(from_where)


def test_a_draw_is_its_number_and_nothing_else(frame: pd.DataFrame) -> None:
    plan = plan_of(TWFE)
    ready = placebo_subjects(plan, {"county_month": frame})
    together = draw_placebos(plan, ready, range(6))
    apart = [draw_placebos(plan, ready, [number]) for number in (5, 0, 3)]
    for part in apart:
        same = together[together["draw"] == part["draw"].iloc[0]].reset_index(drop=True)
        pd.testing.assert_frame_equal(part, same)
    assert together.groupby("draw")["estimate"].nunique().eq(1).all()
    assert together["estimate"].nunique() == 6
    other = draw_placebos(replace(plan, seed=6), ready, range(6))
    assert (other["estimate"] != together["estimate"]).all()


def test_order_inside_a_state_is_random(frame: pd.DataFrame) -> None:
    ready = placebo_subjects(plan_of(TWFE), {"county_month": frame})[0]
    block = max(ready.blocks, key=len)
    given = np.array([placebo_order(ready.blocks, 5, draw)[block] for draw in range(40)])
    cohorts = ready.panel.cohort[given]
    varied = cohorts[[len(set(row)) > 1 for row in cohorts]]
    assert len(varied) > 5
    # By rank, the first county would always come first.
    assert (np.diff(np.where(varied == 0, 9999, varied), axis=1) < 0).any()


@pytest.mark.parametrize("name", SHIFTS)
def test_a_constant_effect_moves_the_estimate_and_not_its_error(frame: pd.DataFrame, name: str) -> None:
    windowed = {"stacked": [-2, 3], "local_projections": [-2, 3], "event_study": [-3, 12]}
    more = {"window": windowed[name]} if name in windowed else {}
    spec = parse_spec({**BASE, "id": "shift", "estimator": name, **more})
    panel = build_panel(frame, spec)
    before = estimate(panel, spec).att
    after = estimate(replace(panel, y=panel.y + 0.7 * panel.dose), spec).att
    assert after[0] - before[0] == pytest.approx(0.7, abs=1e-8)
    assert after[1] == pytest.approx(before[1], rel=1e-6)


def test_estimators_that_do_not_shift_are_refused() -> None:
    poisson = {**BASE, "id": "made_poisson", "estimator": "poisson"}
    with pytest.raises(SpecError, match="power of poisson"):
        plan_of(poisson)
    with pytest.raises(SpecError, match="at least one of each"):
        Placebo((), ("state",), "state", 1)


def draws_of(estimates: list[float], std_error: float = 1.0, critical: float = 2.0) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "draw": range(len(estimates)),
            "spec_id": "s",
            "cluster": "state",
            "estimate": estimates,
            "std_error": std_error,
            "critical": critical,
        }
    )


def test_summary_by_hand() -> None:
    table = summarize_placebos(draws_of([-3.0, -1.0, 0.0, 1.0]), {"s": "S"}, {"state": "State"}, [0.0, 2.5])
    row = table.iloc[0]
    assert row["coverage"] == 0.75
    assert row["coverage_error"] == pytest.approx(np.sqrt(0.75 * 0.25 / 4))
    assert row["mean_estimate"] == -0.75
    assert row["sd_estimate"] == pytest.approx(np.std([-3, -1, 0, 1], ddof=1))
    assert row["detectable_by_error"] == pytest.approx(2 + 0.8416212)
    # At 2.5: up gives -0.5, 1.5, 2.5, 3.5 (two found); down gives -5.5, -3.5, -2.5, -1.5 (three).
    assert table["power"].tolist() == [0.25, 0.625]
    assert table["clustered_by"].tolist() == ["State", "State"]


def test_power_and_detectable_effect_agree_with_the_normal_formula() -> None:
    rng = np.random.default_rng(1)
    draws = draws_of(list(rng.normal(0, 0.05, 20_000)), std_error=0.05, critical=1.959964)
    assert power_of(draws, np.array([0.0]))[0] == pytest.approx(0.05, abs=0.005)
    assert smallest_detectable(draws) == pytest.approx(0.05 * (1.959964 + 0.841621), abs=0.002)
    assert np.isnan(smallest_detectable(draws_of([0.0, 1.0], std_error=10.0)))


def test_draws_that_cannot_be_estimated_are_counted() -> None:
    draws = draws_of([0.0, 1.0, np.nan])
    row = summarize_placebos(draws, {"s": "S"}, {"state": "State"}, [0.0]).iloc[0]
    assert (row["draws"], row["not_estimated"]) == (2, 1)
    with pytest.raises(PanelError, match="1 of 3 placebo draws"):
        summarize_placebos(draws_of([0.0, np.nan, np.nan]), {"s": "S"}, {"state": "State"})


@pytest.fixture
def root(tmp_path: Path, frame: pd.DataFrame) -> Path:
    """A project with one simulated study whose panel is there."""
    folder = tmp_path / "studies" / "made" / "specs"
    folder.mkdir(parents=True)
    (tmp_path / "Snakefile").touch()
    rows = [{"spec": "made_twfe", "label": "Two-way"}, {"spec": "made_imputation"}]
    table = {"id": "estimators_SIMULATED", "title": "All", "kind": "estimators", "rows": rows}
    config = {
        "id": "made",
        "title": "Made",
        "simulated": True,
        "panels": ["county_month"],
        "sources": [],
    }
    (folder.parent / "study.yaml").write_text(yaml.safe_dump(config))
    (folder.parent / "tables.yaml").write_text(yaml.safe_dump([table]))
    for spec in (TWFE, IMPUTATION):
        (folder / f"{spec['id']}.yaml").write_text(yaml.safe_dump(spec))
    write_parquet(tmp_path / "data_clean" / "made" / "county_month.parquet", frame)
    return tmp_path


class Stop:
    """Interrupts the simulation after so many lines of progress."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self, line: str) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt(line)


def chunk_bytes(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((out / "chunks").iterdir())}


def test_units_may_be_the_blocks(frame: pd.DataFrame) -> None:
    """Dates are permuted across units where the state of a unit is the unit itself."""
    states = frame.groupby(["state", "month"], as_index=False)[["cohort", "y"]].mean()
    states["cohort"] = states["state"].map({k: 604 + 2 * (k % 3) if k % 2 else 0 for k in range(1, 19)})
    spec = parse_spec({**TWFE, "unit": "state", "cluster": None})
    ready = placebo_subjects(Placebo((spec,), ("state",), "state", 5), {"county_month": states})[0]
    assert len(ready.blocks) == 18
    order = placebo_order(ready.blocks, 5, 1)
    assert sorted(order) == list(range(18))


def test_interrupted_and_extended_runs_give_the_same_numbers(root: Path, tmp_path: Path) -> None:
    whole = make_order(study(root, "made"), root, tmp_path / "whole", 25)
    expected = simulate(whole, 1, Stop(99))
    assert set(expected["label"]) == {"Two-way", "made_imputation"}
    stopped = make_order(study(root, "made"), root, tmp_path / "stopped", 25)
    with pytest.raises(KeyboardInterrupt):
        simulate(stopped, 1, Stop(2))
    held = chunk_bytes(stopped.out)
    assert list(held) == ["draws_000000-000009.csv", "draws_000010-000019.csv"]
    output: list[str] = []
    pd.testing.assert_frame_equal(simulate(stopped, 1, output.append), expected)
    assert output[0] == "20 of 25 placebo draws are saved; 5 remain"
    assert chunk_bytes(stopped.out) == chunk_bytes(whole.out)
    fewer = make_order(study(root, "made"), root, tmp_path / "extended", 12)
    simulate(fewer, 1, Stop(99))
    extended = make_order(study(root, "made"), root, tmp_path / "extended", 25)
    pd.testing.assert_frame_equal(simulate(extended, 1, Stop(99)), expected)


def test_two_processes_give_the_bytes_of_one(root: Path, tmp_path: Path) -> None:
    one = make_order(study(root, "made"), root, tmp_path / "one", 20, specs=["made_twfe"])
    two = make_order(study(root, "made"), root, tmp_path / "two", 20, specs=["made_twfe"])
    pd.testing.assert_frame_equal(simulate(one, 1, Stop(9)), simulate(two, 2, Stop(9)))
    assert chunk_bytes(one.out) == chunk_bytes(two.out)


def test_state_clusters_cover_better_than_county_clusters(root: Path, tmp_path: Path) -> None:
    order = make_order(study(root, "made"), root, tmp_path / "o", 40, specs=["made_twfe"])
    table = simulate(order, 1, Stop(9)).query("effect == 0").set_index("cluster")
    assert table.loc["state", "coverage"] >= table.loc["fips", "coverage"] + 0.1
    assert table.loc["state", "sd_estimate"] == table.loc["fips", "sd_estimate"]


def test_command_writes_marked_table_and_figure_and_refuses_a_mixed_folder(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REPLICATION_ROOT", str(root))
    out = tmp_path / "out"
    command = ["simulate", "made", "--draws", "4", "--out", str(out), "--processes", "1"]
    assert main(command) == 0
    names = {path.name for path in out.iterdir()}
    assert {
        "coverage_SIMULATED.md",
        "coverage_SIMULATED.csv",
        "power_SIMULATED.png",
        "power_SIMULATED.csv",
        "summary_SIMULATED.csv",
        "plan.json",
    } <= names
    assert (out / "coverage_SIMULATED.md").read_text().startswith("**SIMULATED: ")
    assert main([*command, "--seed", "9"]) == 2
    assert "contains placebo draws of another plan (its seed differ)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "output"),
    [
        (["--draws", "1"], "at least two"),
        (["--draws", "4", "--specs", "made_twf"], "did you mean 'made_twfe'"),
        (["--draws", "4", "--clusters", "fipz"], "no column 'fipz' to cluster by (did you mean"),
    ],
)
def test_bad_orders_are_refused_in_one_paragraph(
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    output: str,
) -> None:
    monkeypatch.setenv("REPLICATION_ROOT", str(root))
    assert main(["simulate", "made", "--out", str(tmp_path / "x"), *more]) == 2
    error = capsys.readouterr().err
    assert output in error
    assert error.count("\n") == 1
    assert not (tmp_path / "x").exists()


def test_missing_panels_and_studies_without_estimators_are_refused(root: Path, tmp_path: Path) -> None:
    (root / "data_clean" / "made" / "county_month.parquet").unlink()
    with pytest.raises(SpecError, match="Clean the study first"):
        make_order(study(root, "made"), root, tmp_path / "x", 4)
    (root / "studies" / "made" / "tables.yaml").unlink()
    with pytest.raises(SpecError, match="Name specifications with --specs"):
        make_order(study(root, "made"), root, tmp_path / "x", 4)


def test_states_as_units_exchange_dates_and_are_the_only_clusters(
    root: Path, tmp_path: Path, frame: pd.DataFrame
) -> None:
    first = frame["fips"].isin(frame.drop_duplicates("state")["fips"])
    units = frame[first].drop(columns="fips").assign(label=lambda data: data["state"])
    panel = root / "data_clean" / "made" / "county_month.parquet"
    for spec in (TWFE, IMPUTATION):
        place = root / "studies" / "made" / "specs" / f"{spec['id']}.yaml"
        place.write_text(yaml.safe_dump({**spec, "unit": "label"}))
    write_parquet(panel, units)
    order = make_order(study(root, "made"), root, tmp_path / "o", 4)
    assert order.placebo.clusters == ("state",)
    assert simulate(order, 1, Stop(9))["cluster"].unique().tolist() == ["state"]
    write_parquet(panel, units.drop(columns="state"))
    with pytest.raises(SpecError, match=r"made cannot be simulated.*no column 'state'.*'blocks'"):
        make_order(study(root, "made"), root, tmp_path / "x", 4)


def test_bootstrap_draws_are_kept_where_the_error_needs_them(frame: pd.DataFrame) -> None:
    spec: Spec = parse_spec({**TWFE, "inference": {"method": "bootstrap", "draws": 7}})
    found = placebo_subjects(Placebo((spec,), ("state",), "state", 1), {"county_month": frame})[0]
    assert (found.spec.inference.method, found.spec.inference.draws) == ("bootstrap", 7)
    wild: Spec = parse_spec({**TWFE, "inference": {"method": "wild"}})
    found = placebo_subjects(Placebo((wild,), ("state",), "state", 1), {"county_month": frame})[0]
    assert (found.spec.inference.method, found.spec.inference.draws) == ("analytic", 1)
    assert isinstance(found.panel, Panel)
