"""The two-way event study against pyfixest and statsmodels, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import moderndid
import numpy as np
import pandas as pd
import pyfixest
import pytest
from drawn_panels import draw_panel
from group_time_data import mpdta
from scipy import stats
from two_way_data import EXACT, cluster_of, formula_of, frame_of, two_way_panel

from replication.core.errors import PanelError, SpecError
from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.estimators.event_study import event_study
from replication.estimators.shared.estimation_sample import EstimationSample
from replication.estimators.twfe import twfe

PANELS = {
    "balanced": {},
    "weighted": {"weights": "unit", "cluster": "state", "covariates": 1},
    "gaps": {"missing": 0.12, "cluster": "state", "singletons": 2},
    "varying": {"missing": 0.08, "weights": "varying", "cluster": "state_period"},
}
SETTINGS = {
    "all": {},
    "binned": {"window": (-3, 2)},
    "dropped": {"window": (-3, 2), "endpoints": "drop"},
    "anticipated": {"window": (-4, 2), "anticipation": 1},
    "pre_pooled": {"window": (-1, 3)},
    "strata": {"trends": ("region_by_time",)},
    "trends": {"window": (-3, 2), "trends": ("unit_linear",)},
}


def by_pyfixest(panel: Panel, **setting: object) -> pyfixest.Feols:
    """The same regression, event times binned or dropped and the reference set by hand."""
    frame = frame_of(panel)
    treated = frame["unit"].map(dict(enumerate(panel.cohort))) != 0
    reference = -1 - int(setting.get("anticipation", 0))
    if "window" in setting:
        low, high = setting["window"]
        inside = frame["e"].between(low, high) | ~treated
        frame["e"] = frame["e"].clip(low, high)
        if setting.get("endpoints") == "drop":
            frame, treated = frame[inside], treated[inside]
    frame["e"] = np.where(treated, frame["e"], reference)
    left = f"y ~ i(e, ref={reference})"
    return pyfixest.feols(
        formula_of(panel, setting.get("trends", ()), left),
        frame,
        vcov=cluster_of(panel),
        weights="w",
        demeaner=EXACT,
        fixef_rm="singleton",
    )


def path_of(theirs: pyfixest.Feols) -> tuple[pd.Series, np.ndarray]:
    """Coefficients by event time, and their covariance."""
    names = theirs.coef().index
    place = [k for k, name in enumerate(names) if str(name).startswith("e::")]
    times = [int(float(str(names[k]).removeprefix("e::"))) for k in place]
    points = pd.Series(theirs.coef().to_numpy()[place], index=times)
    order = np.argsort(times)
    return points.iloc[order], theirs._vcov[np.ix_(place, place)][np.ix_(order, order)]


def semidefinite(vcov: np.ndarray) -> np.ndarray:
    """Two-way sums of pyfixest with negative eigenvalues set to zero, as R fixest has them."""
    values, vectors = np.linalg.eigh(vcov)
    if values[0] > -1e-8 * values[-1]:
        return vcov
    return (vectors * np.maximum(values, 0)) @ vectors.T


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("options", PANELS.values(), ids=PANELS)
def test_equals_pyfixest(options: dict[str, object], setting: dict[str, object]) -> None:
    """Path, covariance, average and joint test, to 1e-7: pyfixest demeans to 1e-13."""
    panel = two_way_panel(20 + len(str(setting)), **options)
    ours = event_study(panel, **setting)
    theirs = by_pyfixest(panel, **setting)
    points, vcov = path_of(theirs)
    vcov = vcov * (theirs._N - theirs._df_k) / (theirs._N - ours.details.uncertainty.parameters)
    raw, whole = vcov, semidefinite(vcov)
    lost, repaired = np.diag(raw) < 0, whole is not raw
    # An estimate whose own variance is negative has no standard error and no covariances.
    vcov = np.where(lost | lost[:, None], 0.0, whole)
    notes = [note for note in ours.details.notes if "not positive semi-definite" in note]
    assert bool(notes) is repaired
    path, covariance = ours.path()
    path = path.reset_index(drop=True)
    moving = (path["event_time"] != ours.details.base_period).to_numpy()
    assert (path["std_error"][moving].isna().to_numpy() == (np.diag(raw) < 0)).all()
    assert path["event_time"][moving].tolist() == points.index.tolist()
    np.testing.assert_allclose(path["estimate"][moving], points, rtol=1e-7, atol=1e-9)
    scale = np.abs(vcov).max()
    np.testing.assert_allclose(covariance[np.ix_(moving, moving)], vcov, rtol=1e-7, atol=1e-8 * scale)
    post = (points.index >= 0).astype(float)
    post /= post.sum()
    average = (points.to_numpy() @ post, np.sqrt(post @ whole @ post))
    assert ours.att == pytest.approx(average, rel=1e-7)
    check_pretrend(ours, points, vcov, repaired=repaired)


def check_pretrend(ours: Estimates, points: pd.Series, vcov: np.ndarray, *, repaired: bool) -> None:
    found = ours.details.pretrend
    pre = np.asarray(points.index < ours.details.base_period)
    groups = int(ours.table["n_clusters"][0])
    assert found.df == pre.sum()
    if 0 < pre.sum() < groups and not repaired:
        values = points.to_numpy()[pre]
        wald = values @ np.linalg.solve(vcov[np.ix_(pre, pre)], values) / pre.sum()
        statistic, freedom = wald * (groups - pre.sum()) / (groups - 1), groups - pre.sum()
        assert found.statistic == pytest.approx(statistic, rel=1e-5)
        p_value = stats.f.sf(statistic, pre.sum(), freedom)
        assert found.p_value == pytest.approx(p_value, rel=1e-4)
    else:
        assert found.p_value is None
        assert found.reason


def test_mpdta_equals_pyfixest_printed() -> None:
    """pyfixest 0.60: ``lemp ~ i(e, ref=-1) | county + year``, CRV1 by county, 6 digits typed."""
    path, _ = event_study(mpdta()).path()
    printed = {
        -4: (0.003549, 0.022829),
        -3: (0.024624, 0.017679),
        -2: (0.023355, 0.013437),
        0: (-0.018144, 0.010982),
        1: (-0.043472, 0.017577),
        2: (-0.131795, 0.028837),
        3: (-0.092247, 0.032336),
    }
    found = path.set_index("event_time")[["estimate", "std_error"]]
    for time, values in printed.items():
        assert found.loc[time].tolist() == pytest.approx(values, abs=5e-7)
    assert found.at[-1, "estimate"] == 0
    assert np.isnan(found.at[-1, "std_error"])


@pytest.mark.parametrize("cluster", ["unit", "state", "state_period"])
def test_parameters_are_counted_as_pyfixest_counts_them(cluster: str) -> None:
    """Terms dropped for collinearity are not counted; periods are, unless nested in a cluster.

    The effects stand apart in the formula on purpose: written ``unit+period``, pyfixest 0.60
    matches names with columns in an order that changes from process to process, and can take the
    period effects for nested.
    """
    panel = two_way_panel(31, covariates=1, cluster=cluster)
    assert panel.covariates is not None
    shift = np.arange(45.0)[:, None] + np.arange(9.0)
    more = np.stack([panel.covariates[0], shift, 2 * panel.covariates[0] - shift])
    panel = replace(panel, covariates=more, covariate_names=("x0", "x1", "x2"))
    ours, theirs = event_study(panel, window=(-3, 2)), by_pyfixest(panel, window=(-3, 2))
    assert ours.details.omitted == ("x1", "x2") == tuple(theirs._collin_vars)
    # Five event times and a covariate; one for the units, nested in their clusters, and eight
    # further periods; with periods as clusters one for them.
    expected = 5 + 1 + (1 if cluster == "state_period" else 9)
    assert ours.details.uncertainty.parameters == theirs._df_k == expected
    place = list(theirs.coef().index).index("x0")
    error = np.sqrt(semidefinite(theirs._vcov)[place, place])
    assert ours.rows("coef:x0")["std_error"].iloc[0] == pytest.approx(error, rel=1e-7)


def test_parameters_of_the_medicaid_panel() -> None:
    """43 states, 2008-2015, expansion in 2014: seven event times, the units' one, seven years."""
    data = moderndid.load_ehec().to_pandas()
    first = data["yexp2"].fillna(0).astype(int)
    data = data[(data["year"] < 2016) & (first != 2015)]
    wide = data.pivot(index="stfips", columns="year", values="dins")
    first = data.groupby("stfips")["yexp2"].first().fillna(0).to_numpy()
    panel = Panel(
        y=wide.to_numpy(),
        units=wide.index.to_numpy(),
        periods=wide.columns.to_numpy().astype(np.int64),
        cohort=np.where(first == 2014, 2014, 0).astype(np.int64),
        weight=np.ones(wide.shape),
        clusters={"stfips": np.arange(len(wide))},
    )
    found = event_study(panel)
    assert wide.shape == (43, 8)
    assert found.details.uncertainty.parameters == 15
    # pyfixest 0.60: dins ~ i(year, D, ref=2013) | stfips + year, CRV1 by stfips.
    std_errors = found.rows("event")["std_error"].to_numpy()
    assert std_errors[:3] == pytest.approx([0.0086536, 0.00852438, 0.00710778], abs=6e-9)


def test_general_path_equals_closed_form(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = two_way_panel(31, weights="unit", cluster="state")
    trends = ("region_by_time", "unit_linear")
    fast = event_study(panel, trends=trends, window=(-3, 3))
    monkeypatch.setattr(EstimationSample, "regular", property(lambda self: False))
    slow = event_study(panel, trends=trends, window=(-3, 3))
    assert (fast.details.extras["engine"], slow.details.extras["engine"]) == ("closed form", "general")
    np.testing.assert_allclose(fast.table["estimate"], slow.table["estimate"], rtol=1e-9)
    np.testing.assert_allclose(fast.vcov, slow.vcov, rtol=1e-8, atol=1e-14)


def test_poisson_family_equals_pyfixest() -> None:
    """IRLS of pyfixest stops at 1e-13 of the deviance; 1e-6 in the errors is its limit."""
    panel = two_way_panel(32, counts=True, cluster="state", covariates=1)
    ours = event_study(panel, window=(-3, 2), family="poisson")
    frame = frame_of(panel)
    treated = frame["unit"].map(dict(enumerate(panel.cohort))) != 0
    frame["e"] = np.where(treated, frame["e"].clip(-3, 2), -1)
    theirs = pyfixest.fepois(
        "y ~ i(e, ref=-1) + x0 | unit + period",
        frame,
        vcov={"CRV1": "state"},
        offset="o",
        demeaner=EXACT,
        iwls_tol=1e-13,
        separation_check=["fe"],
    )
    points, vcov = path_of(theirs)
    path, covariance = ours.path()
    moving = path["std_error"].notna().to_numpy()
    np.testing.assert_allclose(path["estimate"][moving], points, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(covariance[np.ix_(moving, moving)], vcov, rtol=1e-5, atol=1e-7 * vcov.max())
    assert ours.details.scale == "log points"


def test_one_post_coefficient_for_all_times_is_twfe() -> None:
    """With the window [-1, 0] both ends pool, and the path is the two-way coefficient."""
    panel = two_way_panel(33, cluster="state", missing=0.1)
    assert event_study(panel, window=(-1, 0)).att == pytest.approx(twfe(panel).att, rel=1e-9)


def test_support_counts_cohorts_and_units() -> None:
    panel = two_way_panel(34, missing=0.3)
    observed = panel.observed.sum(axis=1) > 1
    found = {entry.event_time: entry for entry in event_study(panel).details.support}
    event = panel.periods - panel.cohort[:, None]
    for time, entry in found.items():
        cells = (event == time) & panel.observed & (panel.cohort > 0)[:, None] & observed[:, None]
        assert entry.units == cells.any(axis=1).sum()
        assert entry.cohorts == np.unique(panel.cohort[cells.any(axis=1)]).size
    assert min(found) == -11
    assert max(found) == 5


def test_units_treated_before_the_panel_keep_their_event_times() -> None:
    panel = two_way_panel(35, cluster="state")
    early = replace(panel, cohort=np.where(panel.cohort == 1994, 1988, panel.cohort))
    found = event_study(early, window=(-4, 6))
    assert found.details.extras["always_treated"] == (panel.cohort == 1994).sum()
    dropped = early.keep_units(early.cohort != 1988)
    assert found.att[0] != pytest.approx(event_study(dropped, window=(-4, 6)).att[0], abs=1e-6)
    assert found.details.support[-1].units >= found.details.extras["always_treated"]


@pytest.mark.parametrize("trends", [(), ("region_by_time",)])
def test_adding_constants_and_scaling(trends: tuple[str, ...]) -> None:
    panel = two_way_panel(36, weights="unit", cluster="state")
    base = event_study(panel, trends=trends).table
    rng = np.random.default_rng(0)
    moved = replace(panel, y=-3 * panel.y + rng.normal(size=(45, 1)) + rng.normal(size=9))
    table = event_study(moved, trends=trends).table
    np.testing.assert_allclose(table["estimate"], -3 * base["estimate"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(table["std_error"], 3 * base["std_error"], rtol=1e-9)


def no_never(panel: Panel) -> Panel:
    return panel.keep_units((panel.cohort > 0) & (panel.cohort <= panel.periods[-1]))


@pytest.mark.parametrize("family", ["gaussian", "poisson"])
def test_path_up_to_a_line_is_refused(family: str) -> None:
    panel = no_never(replace(two_way_panel(37, counts=True), offset=None))
    with pytest.raises(PanelError, match=r"up to a linear trend.*'window'"):
        event_study(panel, family=family)
    assert np.isfinite(event_study(panel, window=(-3, 2), family=family).att).all()


def test_all_event_times_with_unit_trends_are_refused() -> None:
    with pytest.raises(PanelError, match="unit-specific linear trends"):
        event_study(two_way_panel(38), trends=("unit_linear",))


@pytest.mark.parametrize("window", [(-3, -1), (0, 3), (-1, 2)])
def test_window_without_reference_or_post_is_refused(window: tuple[int, int]) -> None:
    with pytest.raises(SpecError, match="must reach from the reference period -2"):
        event_study(two_way_panel(39), window=window, anticipation=1)


def test_offset_in_a_linear_model_is_refused() -> None:
    with pytest.raises(SpecError, match="family: poisson"):
        event_study(two_way_panel(39, counts=True))


def test_nobody_treated_is_refused() -> None:
    panel = replace(two_way_panel(40), cohort=np.zeros(45, dtype=np.int64))
    with pytest.raises(PanelError, match="None of the 45 units in the sample is ever treated"):
        event_study(panel)


def test_periods_that_skip_the_reference_are_refused_with_what_occurs() -> None:
    panel = two_way_panel(41)
    periods = 1990 + 2 * np.arange(9)
    cohort = np.where(panel.cohort > 0, 1990 + 2 * (panel.cohort - 1990), 0)
    with pytest.raises(PanelError, match=r"event times that occur: -22, -20, .*consecutively"):
        event_study(replace(panel, periods=periods, cohort=cohort))


def test_info_names_reference_ends_and_absorbed() -> None:
    panel = two_way_panel(42)
    details = event_study(panel, window=(-3, 2), endpoints="drop").details
    assert (details.base_period, details.endpoints) == (-1, "drop")
    assert details.count_dropped("cells_outside_window") > 0
    assert event_study(panel).details.endpoints == "all"


def test_event_times_are_lost_where_cells_go_and_not_where_none_has_a_weight() -> None:
    """Cells without weight are not in the panel; a unit seen once takes its event time along."""
    panel = draw_panel(31, adoption=(0, 2003, 2004))
    event = np.where(panel.cohort[:, None] == 0, -99, panel.periods - panel.cohort[:, None])
    found = event_study(replace(panel, weight=np.where(event == 5, 0.0, panel.weight)))
    assert 5 not in set(found.rows("event")["event_time"])
    assert not any("were left out with their cells" in note for note in found.details.notes)
    alone = np.flatnonzero(panel.cohort == 2004)[0]
    lone = np.where(np.arange(48) == alone, 2008, np.where(panel.cohort == 2004, 0, panel.cohort))
    y = np.where((np.arange(48) == alone)[:, None] & (panel.periods != 2002), np.nan, panel.y)
    lost = event_study(replace(panel, cohort=lone.astype(np.int64), y=y))
    words = "event times -6 were left out with their cells and are not in the overall effect"
    assert words in lost.details.notes


@pytest.mark.parametrize(
    ("setting", "pooled"),
    [
        ({"window": (-3, 2)}, True),
        ({"window": (-3, 2), "endpoints": "drop"}, False),
        ({"window": (-3, 90)}, False),
    ],
)
def test_a_window_chooses_the_event_times_of_the_overall_effect(setting, pooled) -> None:
    found = event_study(two_way_panel(3), **setting)
    path = found.table[found.table["term"] == "event"]
    after = path[path["event_time"] >= 0]
    last = int(after["event_time"].max())
    note = f"the overall effect is the unweighted mean of the coefficients at event times 0 to {last}"
    assert (note + f"; event time {last} includes later ones" * pooled) in found.details.notes
    assert found.att[0] == pytest.approx(after["estimate"].mean(), rel=1e-12)
    whole = event_study(two_way_panel(3)).details.notes
    assert not any("overall effect" in note for note in whole)


def test_ends_of_a_window_that_pool_nothing_are_not_recorded_as_pooled() -> None:
    panel = draw_panel(3)
    event = np.where(panel.cohort == 0, 0, panel.periods[:, None] - panel.cohort)
    last, first = int(event.max()), int(event.min())
    found = event_study(panel, window=(first, last)).details.extras
    assert (found["pools_earlier"], found["pools_later"]) == (False, False)
    found = event_study(panel, window=(first + 1, last - 1)).details.extras
    assert (found["pools_earlier"], found["pools_later"]) == (True, True)
    assert "pools_later" not in event_study(panel).details.extras


def test_a_table_of_regressors_that_does_not_fit_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where every regressor takes a number per unit and period: with gaps, or with covariates."""
    whole = draw_panel(5, missing=0.0)
    size = whole.y.size
    monkeypatch.setattr("replication.estimators.shared.least_squares.MOST_NUMBERS", 4 * size)
    assert np.isfinite(event_study(whole).att[0])
    gaps = draw_panel(5, missing=0.1)
    with_covariate = replace(whole, covariates=whole.y[None] ** 2, covariate_names=("x",))
    for panel in (gaps, with_covariate):
        with pytest.raises(
            PanelError, match=r"coefficients for .* units and .* periods.*a narrower event window"
        ):
            event_study(panel)
        assert np.isfinite(event_study(panel, window=(-1, 1)).att[0])


@pytest.mark.parametrize("family", ["gaussian", "poisson"])
def test_units_that_each_have_a_cohort_of_their_own(family: str) -> None:
    """As many profiles as units, in another order than the units."""
    panel = draw_panel(9, n_units=7, n_periods=12)
    cohort = panel.periods[[8, 3, 6, 2, 9, 4, 7]].astype(np.int64)
    panel = replace(panel, cohort=cohort, y=np.exp(panel.y - panel.y.mean()))
    order = np.argsort(cohort)
    moved = replace(panel, cohort=cohort[order], y=panel.y[order])
    found, again = (event_study(one, window=(-2, 2), family=family).table for one in (panel, moved))
    for name in ("estimate", "std_error"):
        np.testing.assert_allclose(again[name], found[name], rtol=1e-7, atol=1e-12)
