"""Analyses that estimate something, against dummies written out, likelihoods and enumeration."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from replication.analyses.analysis_context import AnalysisContext
from replication.analyses.determinants import at_risk, months_since
from replication.analyses.kinds import analyze
from replication.analyses.missing_agency_bounds import linear_weights
from replication.core.errors import PanelError, SpecError
from replication.core.panel_builder import build_panel
from replication.core.saved_results import save
from replication.core.spec import parse_spec
from replication.estimators.estimate_spec import estimate

PERIODS = range(2004, 2008)


def run(context: AnalysisContext, kind: str, **options: Any) -> pd.DataFrame:
    return analyze({"id": "a", "kind": kind, **options}, context)


@pytest.fixture
def frame() -> pd.DataFrame:
    """Sixteen units in eight states by four years, share-of-year treatment."""
    rng = np.random.default_rng(8)
    grid = pd.MultiIndex.from_product([range(1, 17), PERIODS], names=["fips", "year"])
    rows = grid.to_frame(index=False)
    start = 2004.2 + 0.25 * rows["fips"] + 0.3 * rng.random(16)[rows["fips"] - 1]
    rows["share"] = np.clip(rows["year"] + 1 - start, 0, 1)
    rows["state"] = (rows["fips"] + 1) // 2
    rows["region"] = rows["state"] % 2
    rows["high"] = rows["fips"] % 3 == 0
    rows["share_x_high"] = rows["share"] * rows["high"]
    rows["z"] = rng.normal(size=len(rows))
    rows["weight"] = 50.0 + 10 * rows["fips"]
    rows["y"] = rng.normal(size=len(rows)) - rows["share"]
    rows["indicator"] = 100.0 * (1 - 0.2 * rng.random(len(rows)))
    rows["ratio"] = 1.02 - 0.15 * rng.random(len(rows))
    rows["date"] = pd.Timestamp("2008-10-15") + pd.to_timedelta(60 * rows["fips"], unit="D")
    return rows


@pytest.fixture
def context(tmp_path: Path, frame: pd.DataFrame) -> AnalysisContext:
    clean, tables = tmp_path / "clean", tmp_path / "tables"
    clean.mkdir()
    frame.to_parquet(clean / "panel.parquet")
    common = {
        "outcome": "y",
        "estimator": "twfe",
        "treatment": "share",
        "unit": "fips",
        "time": "year",
        "cluster": "state",
        "weights": "weight",
    }
    for name, more in {
        "main": {},
        "trends": {"trends": "unit_linear"},
        "both": {"covariates": ["z", "share_x_high"]},
        "yes": {"sample": {"where": {"high": [True]}}},
        "no": {"sample": {"where": {"high": [False]}}},
        "differ": {"covariates": ["share_x_high"], "trends": ["high_by_time"]},
    }.items():
        spec = parse_spec({**common, "id": name, **more})
        save(estimate(build_panel(frame, spec), spec), spec, tables / "specs" / name)
    return AnalysisContext(clean, tables)


def effects(frame: pd.DataFrame, *keys: str) -> np.ndarray:
    return np.hstack([pd.get_dummies(frame[key]).to_numpy(float) for key in keys])


def residual(x: np.ndarray, on: np.ndarray, weight: np.ndarray) -> np.ndarray:
    root = np.sqrt(weight)
    fitted = on @ np.linalg.lstsq(on * root[:, None], x * root, rcond=None)[0]
    return x - fitted


def test_identifying_shares_are_squared_residuals(context: AnalysisContext, frame: pd.DataFrame) -> None:
    options: dict[str, Any] = {
        "spec": "main",
        "trends": {"none": [], "lines": ["unit_linear"]},
        "by": "state",
        "people": "weight",
    }
    table = run(context, "identification", **options).set_index("group")
    weight, line = frame["weight"].to_numpy(), (frame["year"] - 2005.5).to_numpy()
    fixed = effects(frame, "fips", "year")
    lines = np.hstack([fixed, effects(frame, "fips") * line[:, None]])
    left = {}
    for name, on in (("none", fixed), ("lines", lines)):
        square = pd.Series(weight * residual(frame["share"].to_numpy(), on, weight) ** 2)
        shares = square.groupby(frame["state"]).sum() / square.sum()
        assert table[f"{name}_share"].sort_index().to_numpy() == pytest.approx(shares.to_numpy())
        left[name] = square.groupby(frame["fips"]).sum()
    assert table["none_share"].is_monotonic_decreasing
    assert table["units"].eq(2).all()
    whole = run(context, "identification", **options, totals=True).set_index("name")
    assert whole.loc["lines", "left"] == pytest.approx(left["lines"].sum() / left["none"].sum())
    share = left["none"] / left["none"].sum()
    assert whole.loc["none", "effective_units"] == pytest.approx(1 / (share**2).sum())
    assert whole.loc["none", "largest"] == table.index[0]


def test_identifying_shares_by_year_of_a_date(context: AnalysisContext) -> None:
    table = run(context, "identification", spec="main", trends={"none": []}, by="date", people="weight")
    assert table.set_index("group")["units"].to_dict() == {2008: 1, 2009: 6, 2010: 6, 2011: 3}
    assert table["people_share"].sum() == pytest.approx(1)


@pytest.mark.parametrize("name", ["main", "trends", "both"])
def test_linear_weights_give_back_the_coefficient(
    context: AnalysisContext, frame: pd.DataFrame, name: str
) -> None:
    spec = context.spec(name)
    panel = build_panel(frame, spec)
    found = (linear_weights(panel, spec) * panel.y).sum()
    assert found == pytest.approx(context.estimates(name).att[0])


def test_bounds_by_cell_are_the_best_of_all_choices(context: AnalysisContext, frame: Any) -> None:
    few = frame[frame["fips"] <= 3]
    few.to_parquet(context.clean / "few.parquet")
    data = {
        "id": "few",
        "outcome": "y",
        "estimator": "twfe",
        "treatment": "share",
        "unit": "fips",
        "time": "year",
        "panel": "few",
    }
    spec = parse_spec(data)
    save(estimate(build_panel(few, spec), spec), spec, context.tables / "specs" / "few")
    table = run(
        context,
        "missing_agency_bounds",
        specs={"Few": "few"},
        ranges=[[0.5, 2.0]],
        indicator="indicator",
        ratio="ratio",
    ).set_index("assumption")
    covered = np.minimum(np.minimum(few["indicator"] / 100, few["ratio"]), 1).to_numpy()
    ends = [np.log(covered + (1 - covered) * k) for k in (0.5, 2.0)]
    on = effects(few, "fips", "year")
    d = residual(few["share"].to_numpy(), on, np.ones(len(few)))
    v, y = d / (d @ d), few["y"].to_numpy()
    assert table["estimate"].iloc[0] == pytest.approx(v @ y)
    choices = [
        v @ (y + np.where(chosen, ends[1], ends[0]))
        for chosen in itertools.product([False, True], repeat=len(few))
    ]
    assert table.loc["by_cell", "low"] == pytest.approx(min(choices))
    assert table.loc["by_cell", "high"] == pytest.approx(max(choices))
    grid = [np.log(covered + (1 - covered) * k) for k in np.linspace(0.5, 2.0, 9)]
    common = [v @ (y + shift) for shift in grid]
    assert table.loc["common", ["low", "high"]].tolist() == pytest.approx([min(common), max(common)])
    active = few["share"].to_numpy() > 0
    status = [v @ (y + np.where(active, a, b)) for a in grid for b in grid]
    assert table.loc["by_status", ["low", "high"]].tolist() == pytest.approx([min(status), max(status)])
    assert table["covered"].iloc[0] == pytest.approx(covered.mean())


def test_bounds_close_where_everyone_reports_and_grow_with_the_range(
    context: AnalysisContext, frame: pd.DataFrame
) -> None:
    whole = frame.assign(indicator=100.0, ratio=1.1)
    whole.to_parquet(context.clean / "panel.parquet")
    options: dict[str, Any] = {"specs": {"M": "main"}, "indicator": "indicator", "ratio": "ratio"}
    closed = run(context, "missing_agency_bounds", ranges=[[0.0, 2.0]], **options)
    assert np.allclose(closed[["low", "high"]], closed[["estimate"]])
    frame.to_parquet(context.clean / "panel.parquet")
    context = AnalysisContext(context.clean, context.tables)
    table = run(context, "missing_agency_bounds", ranges=[[1, 1], [0.5, 1.5], [0, 2]], **options)
    width = (table["high"] - table["low"]).to_numpy().reshape(3, 3)
    assert np.allclose(width[0], 0)
    assert (np.diff(width, axis=0) > 0).all()  # wider ranges
    assert (np.diff(width[1:], axis=1) > 0).all()  # weaker assumptions
    assert (table["conf_low"] < table["low"]).all()
    exempt = run(context, "missing_agency_bounds", ranges=[[0, 2]], exempt=list(range(1, 17)), **options)
    assert exempt["covered"].iloc[0] > table["covered"].iloc[0]
    with pytest.raises(SpecError, match="k cannot run from 2 to 1"):
        run(context, "missing_agency_bounds", ranges=[[2, 1]], **options)


def test_a_county_that_reports_for_nobody_has_no_lower_bound(
    context: AnalysisContext, frame: pd.DataFrame
) -> None:
    frame.assign(indicator=0.0).to_parquet(context.clean / "panel.parquet")
    with pytest.raises(SpecError, match="64 cells report for no population, and with k = 0"):
        run(
            context,
            "missing_agency_bounds",
            specs={"M": "main"},
            ranges=[[0, 2]],
            indicator="indicator",
            ratio="ratio",
        )


def test_combinations_equal_another_parametrisation(context: AnalysisContext, frame: pd.DataFrame) -> None:
    # On the side where the flag is on, the effect is the sum; there it is a coefficient itself.
    other = frame.assign(share_x_low=frame["share"] * ~frame["high"])
    data = {
        "id": "other",
        "outcome": "y",
        "estimator": "twfe",
        "treatment": "share",
        "unit": "fips",
        "time": "year",
        "cluster": "state",
        "weights": "weight",
        "covariates": ["z", "share_x_low"],
    }
    spec = parse_spec(data)
    direct = estimate(build_panel(other, spec), spec).table.iloc[0]
    rows = [{"label": "l", "block": "b", "spec": "both", "weights": {"att": 1, "coef:share_x_high": 1}}]
    found = run(context, "combinations", rows=rows).iloc[0]
    for name in ("estimate", "std_error", "p_value", "conf_low", "conf_high", "n_units"):
        assert found[name] == pytest.approx(direct[name])
    rows[0]["weights"] = {"coef:share_x_hgh": 1}
    with pytest.raises(SpecError, match=r"no single row 'coef:share_x_hgh' \(did you mean"):
        run(context, "combinations", rows=rows)


def test_the_interaction_is_the_difference_of_the_splits(context: AnalysisContext) -> None:
    split = {name: context.estimates(name).att[0] for name in ("yes", "no")}
    both = context.estimates("differ").table.set_index("term")["estimate"]
    assert both["att"] == pytest.approx(split["no"])
    assert both["coef:share_x_high"] == pytest.approx(split["yes"] - split["no"])


@pytest.fixture
def dated(tmp_path: Path) -> tuple[AnalysisContext, pd.DataFrame]:
    rng = np.random.default_rng(4)
    n = 300
    rows = pd.DataFrame({"fips": range(n), "state": rng.integers(0, 20, n), "flag": rng.random(n) < 0.3})
    rows["x"] = rng.normal(size=n) + 0.5 * rows["state"] / 20
    rows["region"] = rows["state"] % 3
    latent = -0.8 * rows["x"] - 0.6 * rows["flag"] + np.log(rng.exponential(size=n))
    rank = latent.rank().to_numpy() / n
    rows["date"] = pd.Timestamp("2008-11-02") + pd.to_timedelta(900 * rank, unit="D")
    clean = tmp_path / "dated"
    clean.mkdir()
    rows.to_parquet(clean / "panel.parquet")
    return AnalysisContext(clean, tmp_path), rows


def determinants(context: AnalysisContext, **models: dict[str, Any]) -> pd.DataFrame:
    return run(
        context,
        "determinants",
        panel="panel",
        date="date",
        origin="2008-10",
        cluster="state",
        regressors={"x": "X", "flag": "Flag"},
        models=models,
    ).set_index("term")


def sandwich(scores: np.ndarray, bread: np.ndarray, state: np.ndarray) -> np.ndarray:
    summed = np.stack([scores[state == g].sum(axis=0) for g in np.unique(state)])
    groups, (n, k) = len(summed), scores.shape
    factor = groups / (groups - 1) * (n - 1) / (n - k)
    return np.sqrt(np.diag(factor * bread @ summed.T @ summed @ bread))


def test_least_squares_on_the_date(dated: tuple[AnalysisContext, pd.DataFrame]) -> None:
    context, rows = dated
    table = determinants(context, ols={"kind": "ols"}, region={"kind": "ols", "effects": "region"})
    months = months_since(rows["date"], "2008-10").to_numpy()
    scale = rows["x"].std()
    design = np.column_stack([rows["x"] / scale, rows["flag"].astype(float), np.ones(len(rows))])
    with_regions = np.column_stack([design[:, :2], effects(rows, "region")])
    for name, x in (("ols", design), ("region", with_regions)):
        beta = np.linalg.lstsq(x, months, rcond=None)[0]
        bread = np.linalg.inv(x.T @ x)
        errors = sandwich(x * (months - x @ beta)[:, None], bread, rows["state"].to_numpy())
        shown = table.loc[["x", "flag"]]
        assert shown[f"{name}_estimate"].to_numpy() == pytest.approx(beta[:2])
        assert shown[f"{name}_std_error"].to_numpy() == pytest.approx(errors[:2])
        p = 2 * stats.t.sf(np.abs(beta[:2] / errors[:2]), rows["state"].nunique() - 1)
        assert shown[f"{name}_p_value"].to_numpy() == pytest.approx(p)
    assert table["scale"].tolist()[:2] == pytest.approx([scale, np.nan], nan_ok=True)
    assert table[["units", "clusters"]].iloc[0].tolist() == [300, rows["state"].nunique()]
    fitted = design @ np.linalg.lstsq(design, months, rcond=None)[0]
    assert table.loc["r_squared", "ols_estimate"] == pytest.approx(np.corrcoef(fitted, months)[0, 1] ** 2)


def test_hazard_maximises_its_likelihood(dated: tuple[AnalysisContext, pd.DataFrame]) -> None:
    context, rows = dated
    table = determinants(context, hazard={"kind": "hazard"})
    quarter = (months_since(rows["date"], "2008-10") // 3).astype(int).to_numpy()
    x = np.column_stack([rows["x"] / rows["x"].std(), rows["flag"].astype(float)])
    lines = [(i, q, q == quarter[i]) for i in range(len(rows)) for q in range(quarter[i] + 1)]
    unit, clock, event = (np.array(column) for column in zip(*lines, strict=True))
    informative = np.array([0 < event[clock == q].mean() < 1 for q in clock])
    unit, clock, event = unit[informative], clock[informative], event[informative]
    design = np.hstack([x[unit], pd.get_dummies(clock).to_numpy(float)])

    def minus(beta: np.ndarray) -> float:
        hazard = np.exp(design @ beta)
        return float(hazard[~event].sum() - np.log(-np.expm1(-hazard[event])).sum())

    def slope(beta: np.ndarray) -> np.ndarray:
        return -scores(beta).sum(axis=0)

    def scores(beta: np.ndarray) -> np.ndarray:
        hazard = np.exp(design @ beta)
        return design * np.where(event, hazard / np.expm1(hazard), -hazard)[:, None]

    start = np.r_[0, 0, np.full(design.shape[1] - 2, -2.0)]
    best = optimize.minimize(minus, start, jac=slope, method="BFGS", options={"gtol": 1e-6})
    shown = table.loc[["x", "flag"]]
    assert shown["hazard_estimate"].to_numpy() == pytest.approx(best.x[:2], abs=1e-5)
    assert (shown["hazard_estimate"] > 0).all()  # a larger x was drawn to be earlier
    steps = 1e-5 * np.eye(best.x.size)
    hessian = np.stack([(slope(best.x + h) - slope(best.x - h)) / 2e-5 for h in steps])
    errors = sandwich(scores(best.x), np.linalg.inv(hessian), rows["state"].to_numpy()[unit])
    assert shown["hazard_std_error"].to_numpy() == pytest.approx(errors[:2], rel=1e-4)


def test_quarters_at_risk() -> None:
    unit, quarter, event = at_risk(pd.Series([0.0, 4.0, 5.0, 7.0]))
    # In the first quarter one of four; in the second two of three; the last has only its event.
    assert unit.tolist() == [0, 1, 1, 2, 2, 3, 3]
    assert quarter.tolist() == [0, 0, 1, 0, 1, 0, 1]
    assert event.tolist() == [1, 0, 1, 0, 1, 0, 0]
    with pytest.raises(SpecError, match="activated before 'origin'"):
        at_risk(pd.Series([-1.0, 3.0]))


def test_models_and_regressors_that_cannot_be(dated: tuple[AnalysisContext, pd.DataFrame]) -> None:
    context, rows = dated
    with pytest.raises(SpecError, match=r"kind 'cox'\. Kinds: ols, hazard"):
        determinants(context, a={"kind": "cox"})
    rows.assign(x=np.nan).to_parquet(context.clean / "panel.parquet")
    with pytest.raises(PanelError, match="No unit has all regressors"):
        determinants(AnalysisContext(context.clean, context.tables), a={"kind": "ols"})
