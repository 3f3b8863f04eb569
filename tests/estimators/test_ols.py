"""Least squares with chosen fixed effects against statsmodels and published regressions."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from drawn_panels import draw_panel
from statsmodels.tools.sm_exceptions import SingularMatrixWarning

import replication as rp
from replication.core.errors import PanelError, SpecError
from replication.core.spec import Inference, load_specs
from replication.estimators.ols import ols
from replication.sources.guns import read_guns

ROOT = Path(__file__).parents[2]
# Both solve the same normal equations in double precision, by different decompositions.
SAME = 1e-9
DUMMIES = {(): "", ("unit",): " + C(unit)", ("time",): " + C(time)", ("unit", "time"): " + C(unit) + C(time)"}


def drawn(seed: int) -> pd.DataFrame:
    """An unbalanced panel with weights, a covariate and a treatment between 0 and 1."""
    rng = np.random.default_rng(seed)
    cells = pd.MultiIndex.from_product([range(24), range(2001, 2009)], names=["unit", "time"])
    frame = cells.to_frame(index=False)
    frame["cohort"] = frame["unit"].map(dict(enumerate(rng.choice([0, 2003, 2005, 2007], 24))))
    frame["d"] = np.where(
        (frame["cohort"] > 0) & (frame["time"] >= frame["cohort"]), rng.uniform(0.2, 1, 192), 0
    )
    frame["x"] = rng.normal(size=192) + frame["unit"] / 10
    frame["w"] = rng.uniform(0.5, 3, 192)
    frame["state"] = frame["unit"] // 2
    frame["y"] = rng.normal(size=192) + frame["d"] + frame["x"] + frame["time"] / 5
    return frame.sample(frac=0.9, random_state=seed).sort_values(["unit", "time"], ignore_index=True)


@pytest.mark.parametrize("effects", list(DUMMIES), ids="+".join)
@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("seed", range(3))
def test_same_as_statsmodels(effects: tuple[str, ...], weights: str | None, seed: int) -> None:
    frame = drawn(seed)
    formula = "y ~ d + x" + DUMMIES[effects]
    model = smf.wls(formula, frame, weights=frame["w"] if weights else np.ones(len(frame)))
    kinds: dict[str, dict[str, Any]] = {
        "hc1": {"cov_type": "HC1"},
        "cv1": {"cov_type": "cluster", "cov_kwds": {"groups": frame["state"]}},
    }
    for variance, options in kinds.items():
        found = rp.estimate(
            frame,
            outcome="y",
            estimator="ols",
            fixed_effects=list(effects),
            treatment="d",
            reversals="allow",
            covariates=["x"],
            weights=weights,
            cluster="state",
            inference={"variance": variance},
        )
        known = model.fit(use_t=True, **options)
        table = found.table.set_index("term")
        assert table.loc["att", "estimate"] == pytest.approx(known.params["d"], rel=SAME)
        assert table.loc["att", "std_error"] == pytest.approx(known.bse["d"], rel=SAME)
        assert table.loc["coef:x", "std_error"] == pytest.approx(known.bse["x"], rel=SAME)
        if variance == "hc1":
            assert table.loc["att", "p_value"] == pytest.approx(known.pvalues["d"], rel=1e-6)


def test_both_effects_are_twfe_but_for_the_parameters_that_are_counted() -> None:
    frame = drawn(5)
    common: dict[str, Any] = {"outcome": "y", "treatment": "d", "reversals": "allow", "cluster": "state"}
    pooled = rp.estimate(frame, estimator="ols", **common)
    two_way = rp.estimate(frame, estimator="twfe", **common)
    assert pooled.att[0] == pytest.approx(two_way.att[0], rel=SAME)
    n, units, periods = len(frame), 24, 8
    ratio = (n - (1 + periods)) / (n - (units + periods))
    assert pooled.att[1] / two_way.att[1] == pytest.approx(ratio**0.5, rel=SAME)


def test_a_panel_that_falls_apart_counts_one_constant_for_each_part() -> None:
    """Two groups of units seen in different years: statsmodels takes the rank of the indicators."""
    frame = drawn(8)
    frame = frame[(frame["unit"] < 12) == (frame["time"] < 2005)].assign(
        d=lambda f: np.random.default_rng(8).normal(size=len(f))
    )
    found = rp.estimate(
        frame,
        outcome="y",
        estimator="ols",
        treatment="d",
        reversals="allow",
        inference={"variance": "hc1"},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SingularMatrixWarning)
        known = smf.ols("y ~ d + C(unit) + C(time)", frame).fit(cov_type="HC1")
    # statsmodels counts the rank here; its N - K has one constant for each of the two parts.
    assert found.table["n_obs"].iloc[0] - found.details.uncertainty.parameters == known.df_resid
    assert found.att == pytest.approx((known.params["d"], known.bse["d"]), rel=SAME)


def test_collinear_covariates_are_left_out_and_named() -> None:
    frame = drawn(6).assign(twice=lambda f: 2 * f["x"])
    found = rp.estimate(
        frame, outcome="y", estimator="ols", treatment="d", reversals="allow", covariates=["x", "twice"]
    )
    assert found.details.omitted == ("twice",)
    alone = rp.estimate(
        frame, outcome="y", estimator="ols", treatment="d", reversals="allow", covariates=["x"]
    )
    assert found.att == pytest.approx(alone.att, rel=SAME)


def test_refusals() -> None:
    frame = drawn(7)
    same = frame.assign(d=(frame["time"] >= 2005).astype(float))
    with pytest.raises(PanelError, match="unit and period fixed effects absorb all variation"):
        rp.estimate(same, outcome="y", estimator="ols", treatment="d")
    with pytest.raises(SpecError, match="cv3"):
        rp.estimate(frame, outcome="y", estimator="ols", inference={"variance": "cv3"})
    with pytest.raises(SpecError, match=r"hc1.*for the estimator ols"):
        rp.estimate(frame, outcome="y", estimator="twfe", inference={"variance": "hc1"})


def test_published_regressions_on_shall_issue_laws() -> None:
    """Printed values, cut off after the printed decimals or rounded (the source does both)."""
    published = pd.read_csv(
        ROOT / "data_raw" / "typed" / "published_guns_stock_watson.csv",
        dtype={"estimate": str, "std_error": str},
    )
    controls = load_specs(ROOT / "studies" / "shall_issue" / "specs" / "controls.yaml")[0].covariates
    guns = read_guns().assign(y=lambda f: np.log(f["rate_violent"]))
    kinds = [((), ()), (controls, ()), (controls, ("unit",)), *[(controls, ("unit", "time"))] * 2]
    for place, (covariates, effects) in enumerate(kinds):
        found = rp.estimate(
            guns,
            outcome="y",
            estimator="ols",
            unit="state",
            time="year",
            treatment="law",
            covariates=list(covariates),
            fixed_effects=list(effects),
            inference=Inference(variance="cv1" if place == 4 else "hc1"),
        )
        for value, printed in zip(found.att, published.loc[place, ["estimate", "std_error"]], strict=True):
            places = len(printed.partition(".")[2])
            assert abs(value - float(printed)) < 1.0 * 10**-places, (place, value, printed)


def test_two_clusterings_are_the_sum_of_both_less_that_of_their_intersections() -> None:
    """Each without its G/(G-1) (N-1)/(N-K); the factor of the sum is that of the fewest clusters."""
    frame = drawn(8).assign(year=lambda f: f["time"], both=lambda f: 100 * f["state"] + f["time"])
    common: dict[str, Any] = {"outcome": "y", "estimator": "ols", "treatment": "d", "reversals": "allow"}
    groups = {"state": 12, "year": 8, "both": frame["both"].nunique()}
    variance = {
        name: rp.estimate(frame, cluster=name, **common).att[1] ** 2 * (size - 1) / size
        for name, size in groups.items()
    }
    total = (variance["state"] + variance["year"] - variance["both"]) * 8 / 7
    found = rp.estimate(frame, cluster=["state", "year"], **common)
    assert found.att[1] == pytest.approx(total**0.5, rel=SAME)


def test_cells_without_weight_are_left_out_and_counted() -> None:
    frame = drawn(9).assign(w=lambda f: np.where(np.arange(len(f)) % 10 == 3, 0.0, f["w"]))
    options: dict[str, Any] = {"outcome": "y", "estimator": "ols", "treatment": "d", "reversals": "allow"}
    found = rp.estimate(frame, weights="w", **options)
    without = rp.estimate(frame[frame["w"] > 0], weights="w", **options)
    assert found.att == pytest.approx(without.att, rel=SAME)
    assert found.details.count_dropped("zero_weight_cells") == int((frame["w"] == 0).sum())
    assert without.details.count_dropped("zero_weight_cells") == 0


def test_one_cluster_and_an_exact_fit_are_refused() -> None:
    options: dict[str, Any] = {"outcome": "y", "estimator": "ols", "treatment": "d", "reversals": "allow"}
    panel = draw_panel(10, n_clusters=1)
    with pytest.raises(PanelError, match="All units are in one cluster of cluster"):
        ols(panel)
    assert ols(panel, inference=Inference(variance="hc1")).att[1] > 0
    rng = np.random.default_rng(10)
    square = pd.DataFrame({"unit": np.repeat(range(3), 2), "time": [1, 2] * 3, "y": rng.normal(size=6)})
    square["d"] = ((square["unit"] == 0) & (square["time"] == 2)).astype(float)
    with pytest.raises(PanelError, match="4 observations are left for 4 parameters"):
        rp.estimate(square[square["unit"] < 2], **options)
    hc1 = {"variance": "hc1"}
    # One degree of freedom: six observations, three unit and one period effect, and the treatment.
    assert rp.estimate(square, inference=hc1, **options).details.uncertainty.parameters == 5


@pytest.mark.parametrize("unit", [1e-4, 1.0, 1e4])
@pytest.mark.parametrize(("difference", "kept"), [(1e-6, False), (1e-4, True)])
def test_a_covariate_with_a_ten_billionth_of_its_variation_left_is_collinear(
    difference: float, kept: bool, unit: float
) -> None:
    """A millionth of the spread leaves a share of 1e-12, a ten thousandth one of 1e-8."""
    noise = np.random.default_rng(6).normal(size=len(drawn(6)))
    frame = drawn(6).assign(near=lambda f: unit * (f["x"] + difference * noise))
    found = rp.estimate(
        frame, outcome="y", estimator="ols", treatment="d", reversals="allow", covariates=["x", "near"]
    )
    assert found.details.omitted == (() if kept else ("near",))


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_the_scale_of_the_weights_changes_nothing(scale: float) -> None:
    frame = drawn(11).assign(near=lambda f: f["x"] + 100)
    options: dict[str, Any] = {"outcome": "y", "estimator": "ols", "treatment": "d", "reversals": "allow"}
    plain, scaled = (
        rp.estimate(frame.assign(w=factor * frame["w"]), weights="w", covariates=["x", "near"], **options)
        for factor in (1.0, scale)
    )
    assert scaled.att == pytest.approx(plain.att, rel=1e-7)
    assert scaled.details.omitted == plain.details.omitted == ("near",)
