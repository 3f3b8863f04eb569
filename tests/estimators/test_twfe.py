"""Two-way fixed effects against pyfixest, published tables, and itself by other paths."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyfixest
import pytest
from group_time_data import mpdta
from scipy import stats
from two_way_data import (
    CASTLE,
    EXACT,
    RIGHT_TO_CARRY,
    cluster_of,
    formula_of,
    frame_of,
    permuted,
    two_way_panel,
)

from replication.checks.second_engine import second_engine
from replication.core.errors import PanelError, SpecError
from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.panel_builder import build_panel
from replication.core.spec import parse_spec
from replication.estimators.shared.estimation_sample import EstimationSample
from replication.estimators.twfe import twfe
from replication.sources.castle_panel import read_castle
from replication.sources.countymurders import read_countymurders

TRENDS = [
    (),
    ("unit_linear",),
    ("region_by_time",),
    ("state_by_time",),
    ("region_linear",),
    ("region_by_time", "unit_linear"),
    ("region_by_time", "state_linear"),
    ("kind_by_time", "state_linear"),
    ("region_by_time", "kind_by_time"),
]
PANELS = {
    "balanced": {},
    "weighted": {"weights": "unit", "cluster": "state", "covariates": 2},
    "share": {"share": True, "weights": "unit", "cluster": "state"},
    "gaps": {"missing": 0.12, "cluster": "state"},
    "gaps_weighted": {"missing": 0.12, "weights": "varying", "covariates": 2},
    "varying": {"weights": "varying", "cluster": "state_period", "covariates": 1},
    "two_way": {"cluster": "unit_period"},
    "by_period": {"cluster": "period"},
    "gaps_two_way": {"missing": 0.1, "cluster": "state_period", "singletons": 3},
    "singletons": {"missing": 0.1, "singletons": 4, "weights": "unit", "share": True},
}


@pytest.mark.parametrize("trends", TRENDS, ids="+".join)
@pytest.mark.parametrize("options", PANELS.values(), ids=PANELS)
def test_equals_pyfixest(options: dict[str, object], trends: tuple[str, ...]) -> None:
    """Points and errors to 1e-8: both are exact but for pyfixest's demeaning tolerance, 1e-13."""
    panel = two_way_panel(len(str(options)) + 7 * len(trends), **options)
    ours = twfe(panel, trends=trends)
    theirs = pyfixest.feols(
        formula_of(panel, trends),
        frame_of(panel),
        vcov=cluster_of(panel),
        weights="w",
        demeaner=EXACT,
        fixef_rm="singleton",
    )
    names = {"att": "d"} | {f"coef:{name}": name for name in panel.covariate_names}
    table = ours.table.set_index("term")
    factor = relative_correction(panel, trends, ours, theirs)
    for term, name in names.items():
        assert table.at[term, "estimate"] == pytest.approx(theirs.coef()[name], rel=1e-8, abs=1e-10)
        std_error = theirs.se()[name] * factor
        assert table.at[term, "std_error"] == pytest.approx(std_error, rel=1e-7)
        statistic = table.at[term, "estimate"] / table.at[term, "std_error"]
        degrees = table.at[term, "n_clusters"] - 1
        assert table.at[term, "p_value"] == pytest.approx(2 * stats.t.sf(abs(statistic), degrees))
        assert factor < 1 or table.at[term, "p_value"] == pytest.approx(theirs.pvalue()[name])
    assert table.at["att", "n_obs"] == theirs._N


def relative_correction(
    panel: Panel, trends: tuple[str, ...], ours: Estimates, theirs: pyfixest.Feols
) -> float:
    """Root of our correction over theirs.

    As regressors of pyfixest unit trends count in K; as effects of the unit they do not here where
    they are nested. Period effects of strata count by their rank here (``test_absorb``); pyfixest
    takes off one for each set.
    """
    counted = theirs._df_k - ours.details.uncertainty.parameters
    nested = "unit_linear" in trends and set(panel.clusters) != {"period"}
    if any(name.endswith("_by_time") for name in trends):
        assert counted >= 0
    else:
        assert counted == (ours.table["n_units"][0] - 1 if nested else 0)
    return float(np.sqrt((theirs._N - theirs._df_k) / (theirs._N - ours.details.uncertainty.parameters)))


@pytest.mark.parametrize("trends", TRENDS, ids="+".join)
@pytest.mark.parametrize("options", PANELS.values(), ids=PANELS)
def test_second_engine_agrees(options: dict[str, object], trends: tuple[str, ...]) -> None:
    """linearmodels keeps singletons and weighs them, which moves no coefficient."""
    panel = two_way_panel(len(str(options)) + 7 * len(trends), **options)
    table = twfe(panel, trends=trends).table.set_index("term")
    for term, value in second_engine(panel, trends=trends).items():
        assert table.at[term, "estimate"] == pytest.approx(value, rel=1e-8, abs=1e-9)


@pytest.mark.parametrize("trends", TRENDS, ids="+".join)
@pytest.mark.parametrize("weights", ["none", "unit"])
@pytest.mark.parametrize("covariates", [0, 2])
def test_general_path_equals_closed_form(
    trends: tuple[str, ...], weights: str, covariates: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = two_way_panel(5, weights=weights, covariates=covariates, cluster="state")
    fast = twfe(panel, trends=trends)
    monkeypatch.setattr(EstimationSample, "regular", property(lambda self: False))
    slow = twfe(panel, trends=trends)
    crossed = "kind_by_time" in trends
    assert (fast.details.extras["engine"], slow.details.extras["engine"]) == (
        "general" if crossed else "closed form",
        "general",
    )
    columns = ["estimate", "std_error"]
    np.testing.assert_allclose(fast.table[columns], slow.table[columns], rtol=1e-10)
    np.testing.assert_allclose(fast.vcov, slow.vcov, rtol=1e-9, atol=1e-16)


def test_mpdta_equals_the_reference() -> None:
    """pyfixest 0.60, CRV1: the convention of fixest and reghdfe; 8 digits printed there."""
    assert twfe(mpdta()).att == pytest.approx((-0.03654894, 0.01326516), abs=5e-9)


def test_mpdta_of_the_reference_folder(reference: Path) -> None:
    spec = parse_spec(
        {
            "id": "m",
            "outcome": "lemp",
            "estimator": "twfe",
            "unit": "countyreal",
            "time": "year",
            "cohort": "first.treat",
        }
    )
    panel = build_panel(pd.read_csv(reference / "mpdta.csv"), spec)
    assert twfe(panel).att == pytest.approx((-0.03654894, 0.01326516), abs=5e-9)


@pytest.mark.parametrize(
    ("weights", "expected"),
    [("popwt", (0.07553324, 0.033194)), (None, (0.06939843, 0.05585964))],
)
def test_castle_on_post_equals_the_reference(weights: str | None, expected: tuple[float, float]) -> None:
    """Points: pyfixest, linearmodels, R lm (data in single precision); errors: pyfixest CRV1."""
    from causaldata import castle

    spec = parse_spec(
        {
            "id": "c",
            "outcome": "l_homicide",
            "estimator": "twfe",
            "unit": "sid",
            "time": "year",
            "treatment": "post",
            "weights": weights,
        }
    )
    estimate, std_error = twfe(build_panel(castle.load_pandas().data, spec)).att
    assert estimate == pytest.approx(expected[0], abs=2e-8)
    assert std_error == pytest.approx(expected[1], abs=5e-7)


@pytest.mark.parametrize(
    ("trends", "controls", "published"),
    [
        ((), False, (0.0801, 0.0342)),
        (("region_by_time",), False, (0.0946, 0.0279)),
        (("region_by_time",), True, (0.0937, 0.0290)),
        (("region_by_time", "sid_linear"), True, (0.100, 0.0388)),
    ],
)
def test_castle_equals_the_published_table(
    trends: tuple[str, ...], controls: bool, published: tuple[float, float]
) -> None:
    """Cheng & Hoekstra (2013), Table 5, log homicide, with their errors as printed."""
    names = list(read_castle().columns[-12:]) if controls else []
    estimate, std_error = twfe(castle_panel(names), trends=trends).att
    assert estimate == pytest.approx(published[0], abs=5e-4 if "sid_linear" in trends else 5e-5)
    assert std_error == pytest.approx(published[1], abs=5e-5)


def test_unit_trends_count_as_effects_of_the_unit() -> None:
    """The same points as state trends; the error leaves 46 trends out of K."""
    panel = castle_panel(list(read_castle().columns[-12:]))
    as_unit = twfe(panel, trends=("region_by_time", "unit_linear"))
    as_stratum = twfe(panel, trends=("region_by_time", "sid_linear"))
    assert as_unit.att[0] == pytest.approx(as_stratum.att[0], rel=1e-9)
    assert as_stratum.details.uncertainty.parameters - as_unit.details.uncertainty.parameters == 46
    ratio = as_unit.details.uncertainty.correction / as_stratum.details.uncertainty.correction
    assert as_unit.att[1] / as_stratum.att[1] == pytest.approx(np.sqrt(ratio), rel=1e-9)


def castle_panel(controls: list[str]) -> Panel:
    frame = read_castle()
    year, sid = frame["year"].to_numpy(), frame["sid"].to_numpy()
    distribution = np.array([CASTLE.get(number, (9999, 0.0)) for number in sid])
    frame["share"] = np.where(year == distribution[:, 0], distribution[:, 1], year > distribution[:, 0])
    frame["log_homicide"] = np.log(frame["homicide"])
    northeast, midwest = {9, 23, 25, 33, 34, 36, 42, 44, 50}, {17, 18, 19, 20, 26, 27, 29, 31, 38}
    midwest |= {39, 46, 55}
    west = {2, 4, 6, 8, 15, 16, 30, 32, 35, 41, 49, 53, 56}
    groups = (northeast, midwest, west)
    frame["region"] = [
        next((k for k, group in enumerate(groups) if fips in group), 3) for fips in frame["state_fips"]
    ]
    spec = parse_spec(
        {
            "id": "c",
            "outcome": "log_homicide",
            "estimator": "twfe",
            "unit": "sid",
            "time": "year",
            "treatment": "share",
            "weights": "population_weight",
            "covariates": controls,
            "trends": ["region_by_time", "sid_linear"],
        }
    )
    return build_panel(frame, spec)


def test_right_to_carry_equals_the_reference() -> None:
    """pyfixest, three digits printed there; population changes by year: the general path."""
    frame = read_countymurders()
    frame["rate"] = 1e5 * frame["murders"] / frame["population"]
    frame["cohort"] = frame["state_fips"].map(RIGHT_TO_CARRY).fillna(0)
    spec = parse_spec(
        {
            "id": "r",
            "outcome": "rate",
            "estimator": "twfe",
            "unit": "fips",
            "time": "year",
            "weights": "population",
            "cluster": "state_fips",
        }
    )
    found = twfe(build_panel(frame, spec))
    assert found.att == pytest.approx((1.056, 0.632), abs=5e-4)
    assert found.details.extras["engine"] == "general"
    assert found.details.extras["always_treated"] == 145
    assert any("145 units that are treated in every period" in note for note in found.details.notes)


@pytest.mark.parametrize("options", [{}, {"missing": 0.1, "weights": "varying"}])
@pytest.mark.parametrize("trends", [(), ("region_by_time", "unit_linear")])
def test_identities(options: dict[str, object], trends: tuple[str, ...]) -> None:
    panel = two_way_panel(11, cluster="state", **options)
    base = np.array(twfe(panel, trends=trends).att)
    rng = np.random.default_rng(2)
    shift = rng.normal(size=(45, 1)) + rng.normal(size=9)
    line = rng.normal(size=(45, 1)) * np.arange(9) if "unit_linear" in trends else 0.0
    order = rng.permutation(45)
    same = {
        "constants": replace(panel, y=panel.y + 10 * shift + line),
        "weights": replace(panel, weight=panel.weight * 1e4),
        "order": permuted(panel, order),
        "labels": replace(
            panel, periods=panel.periods + 7, cohort=np.where(panel.cohort == 0, 0, panel.cohort + 7)
        ),
    }
    for name, other in same.items():
        assert twfe(other, trends=trends).att == pytest.approx(base, rel=1e-9), name
    scaled = twfe(replace(panel, y=-1000 * panel.y), trends=trends).att
    assert scaled == pytest.approx(base * [-1000, 1000], rel=1e-9)


def test_unit_weights_are_replication_weights() -> None:
    panel = two_way_panel(3, cluster="state")
    copies = np.arange(45) % 3 + 1
    weighted = replace(panel, weight=np.repeat(copies[:, None], 9, axis=1).astype(float))
    repeated = permuted(panel, np.repeat(np.arange(45), copies))
    assert twfe(weighted).att[0] == pytest.approx(twfe(repeated).att[0], rel=1e-10)


def test_zero_weights_leave_cells_out() -> None:
    panel = two_way_panel(4, cluster="state", weights="varying")
    zero = np.random.default_rng(0).random(panel.y.shape) < 0.2
    nothing = twfe(replace(panel, weight=np.where(zero, 0.0, panel.weight)))
    absent = twfe(replace(panel, y=np.where(zero, np.nan, panel.y)))
    assert nothing.att == pytest.approx(absent.att, rel=1e-12)
    assert nothing.details.count_dropped("zero_weight_cells") == zero.sum()
    assert nothing.table["n_obs"][0] == (~zero).sum()


def test_collinear_covariates_are_left_out_and_said() -> None:
    panel = two_way_panel(6, covariates=2)
    assert panel.covariates is not None
    first, second = panel.covariates
    by_unit = np.repeat(np.arange(45.0)[:, None], 9, axis=1)
    more = np.stack([first, second, by_unit, 2 * first - second + by_unit])
    found = twfe(replace(panel, covariates=more, covariate_names=("a", "b", "c", "d")))
    assert found.details.omitted == ("c", "d")
    assert list(found.table["term"]) == ["att", "coef:a", "coef:b"]
    assert found.att == pytest.approx(twfe(panel).att, rel=1e-9)
    assert any("collinearity: c, d" in note for note in found.details.notes)


def test_covariates_with_large_means_are_kept() -> None:
    panel = two_way_panel(6, covariates=1)
    assert panel.covariates is not None
    moved = twfe(replace(panel, covariates=panel.covariates + 1e7))
    assert moved.att == pytest.approx(twfe(panel).att, rel=1e-7)


@pytest.mark.parametrize(
    ("cohort", "trends"),
    [(np.zeros(45), ()), (np.full(45, 1993), ()), (np.full(45, 1993), ("region_by_time",))],
)
def test_treatment_without_variation_is_refused(cohort: np.ndarray, trends: tuple[str]) -> None:
    panel = replace(two_way_panel(7), cohort=cohort.astype(np.int64))
    why = "All 45 units in the sample adopt in period 1993" if cohort.any() else "None of the 45 units"
    with pytest.raises(PanelError, match=f"The effect of treatment on 'y' is not identified. {why}"):
        twfe(panel, trends=trends)


def test_unknown_strata_are_refused_with_the_nearest() -> None:
    with pytest.raises(SpecError, match=r"'regoin_by_time'.*did you mean 'region_by_time'"):
        twfe(two_way_panel(7), trends=("regoin_by_time",))


def test_units_seen_once_are_refused() -> None:
    panel = two_way_panel(7)
    y = np.full(panel.y.shape, np.nan)
    y[:, 0] = 1.0
    with pytest.raises(PanelError, match="two or more periods"):
        twfe(replace(panel, y=y))


def test_one_cluster_is_refused() -> None:
    panel = two_way_panel(7, singletons=20)
    codes = (np.arange(45) < 20).astype(np.int64)
    with pytest.raises(PanelError, match="One cluster is left"):
        twfe(replace(panel, clusters={"half": codes}))


def test_more_parameters_than_observations_are_refused() -> None:
    """Seventy covariates and three crossed sets of period effects on 12 units by 9 periods."""
    panel = two_way_panel(7, n_units=12, covariates=70, cluster="state")
    strata = {"a": np.arange(12) % 2, "b": np.arange(12) // 2 % 3, "c": np.arange(12) // 6}
    panel = replace(panel, strata=strata, clusters={"unit": np.arange(12)})
    with pytest.raises(PanelError, match="observations are left for"):
        twfe(panel, trends=("a_by_time", "b_by_time", "c_by_time"))


def test_details_hold_what_was_done() -> None:
    panel = two_way_panel(8, weights="unit", cluster="state")
    details = twfe(panel, trends=("region_by_time", "unit_linear")).details
    assert (details.absorbed, details.linear_trends) == (("unit", "region_by_time"), ("unit",))
    assert twfe(panel).details.absorbed == ("unit", "time")
    assert details.mean_outcome == pytest.approx(np.average(panel.y, weights=panel.weight))
    before = (panel.cohort > 0)[:, None] & ~panel.treated
    assert details.mean_pre == pytest.approx(np.average(panel.y[before], weights=panel.weight[before]))


def test_the_refusal_counts_who_is_ever_treated_and_who_changes() -> None:
    """Of 45 units 20 have a dose in every period: ever treated, but without a change."""
    panel = two_way_panel(7)
    dose = np.repeat((np.arange(45) < 20).astype(float)[:, None], panel.periods.size, axis=1)
    words = "20 of 45 units are ever treated and 0 change their treatment"
    with pytest.raises(PanelError, match=words):
        twfe(replace(panel, exposure=dose))


def test_the_refusal_names_units_treated_from_the_first_period_on() -> None:
    panel = two_way_panel(7)
    cohort = np.where(np.arange(45) < 20, panel.periods[0] - 1, 0).astype(np.int64)
    with pytest.raises(PanelError, match=r"All 20 treated units are treated in or before the first period"):
        twfe(replace(panel, cohort=cohort))
    cohort = np.full(45, panel.periods[3])
    with pytest.raises(PanelError, match="All 45 units in the sample adopt in period 1993"):
        twfe(replace(panel, cohort=cohort))


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_units_of_a_covariate_decide_nothing(scale: float) -> None:
    """One that varies stays, and one that is constant within units is omitted, in any unit of measurement."""
    panel = two_way_panel(12)
    rng = np.random.default_rng(12)
    x = rng.normal(size=panel.y.shape)
    constant = np.broadcast_to(rng.normal(size=(len(x), 1)), x.shape)
    expected = twfe(replace(panel, covariates=x[None], covariate_names=("x",)))
    both = scale * np.stack([x, constant])
    found = twfe(replace(panel, covariates=both, covariate_names=("x", "constant")))
    assert found.att == pytest.approx(expected.att, rel=1e-9)
    assert found.details.omitted == ("constant",)
