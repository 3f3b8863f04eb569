"""Held against the saturated regression itself (pyfixest, explicit dummies) and diff-diff 3.13."""

import warnings
from dataclasses import replace

import diff_diff
import moderndid
import numpy as np
import pandas as pd
import pyfixest
import pytest
from drawn_panels import as_frame, draw_panel

from replication.core.details import EventSupport
from replication.core.errors import PanelError
from replication.core.panel_builder import build_panel
from replication.core.spec import Inference, parse_spec
from replication.estimators.callaway_santanna import callaway_santanna
from replication.estimators.sun_abraham import sun_abraham

ANALYTIC = Inference(draws=99)

# diff-diff 3.13.0, SunAbraham(control_group="never_treated") on mpdta, printed with repr().
MPDTA_ATT = (-0.039951275155176276, 0.011796277441754287)
MPDTA_PATH = {
    -4: (0.003306356692512408, 0.024555095531863646),
    -3: (0.02502182959755504, 0.01815434441004851),
    -2: (0.02445874497116954, 0.014266792154618242),
    0: (-0.01993181678925932, 0.011857538963453297),
    1: (-0.05095736706519374, 0.016870678384610097),
    2: (-0.13725873888940313, 0.03658947596376605),
    3: (-0.10081136308540405, 0.034504271910207884),
}


@pytest.fixture(scope="module")
def mpdta():
    data = moderndid.load_mpdta()
    frame = pd.DataFrame({name: data[name].to_numpy() for name in data.columns})
    return build_panel(
        frame.rename(columns={"first.treat": "cohort", "countyreal": "unit", "year": "time"}),
        parse_spec({"id": "mpdta", "outcome": "lemp", "estimator": "sun_abraham"}),
    )


def path_of(estimates):
    return estimates.rows("event").set_index("event_time")[["estimate", "std_error"]]


def test_mpdta_equals_the_reference(mpdta) -> None:
    found = sun_abraham(mpdta, inference=ANALYTIC)
    assert found.att == pytest.approx(MPDTA_ATT, abs=1e-10)
    path = path_of(found)
    for event_time, values in MPDTA_PATH.items():
        assert tuple(path.loc[event_time]) == pytest.approx(values, abs=1e-10)
    assert path.loc[-1, "estimate"] == 0.0
    assert np.isnan(path.loc[-1, "std_error"])
    assert found.details.support[-1] == EventSupport(3, 1, 20)


def saturated_regression(panel, anticipation=0):
    """The whole regression by pyfixest, dummy by dummy, aggregated with fixed shares."""
    frame = as_frame(panel)
    names = []
    for k, name in enumerate(panel.covariate_names):
        frame[name] = panel.covariates[k].ravel()
        names.append(name)
    frame = frame.dropna()
    columns, event, mass = {}, [], []
    last = panel.periods[-1]
    for g in np.unique(panel.cohort[(panel.cohort > 0) & (panel.cohort <= last)]):
        for t in panel.periods:
            cell = ((frame["cohort"] == g) & (frame["time"] == t)).to_numpy()
            if t != g - 1 - anticipation and cell.any():
                columns[f"d{g}x{t}"] = cell.astype(float)
                event.append(t - g)
                mass.append(frame["w"][cell].sum())
    frame = pd.concat([frame, pd.DataFrame(columns, index=frame.index)], axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = pyfixest.feols(
            f"y ~ {' + '.join([*columns, *names])} | unit + time",
            frame,
            weights="w",
            vcov={"CRV1": "cluster"},
            fixef_tol=1e-12,
        )
    assert list(fit._coefnames[: len(columns)]) == list(columns)
    point, variance = fit.coef().to_numpy(), fit._vcov
    loadings = {"att": np.where(np.array(event) >= 0, mass, 0.0)}
    loadings |= {e: np.where(np.array(event) == e, mass, 0.0) for e in set(event)}
    out = {}
    for key, load in loadings.items():
        share = np.zeros(point.size)
        share[: load.size] = load / load.sum()
        out[key] = (share @ point, np.sqrt(share @ variance @ share))
    return out, fit


def with_covariates(panel, seed, number=2):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(number, *panel.y.shape)) + 0.2 * np.nan_to_num(panel.y)
    x[:, np.isnan(panel.y)] = np.nan
    return replace(panel, covariates=x, covariate_names=("x1", "x2")[:number])


CASES = {
    "balanced": {},
    "weights": {"weighted": True},
    "clusters": {"n_clusters": 12},
    "cohort of one unit, treated in period two": {"adoption": (0, 2002, 2005), "n_units": 9},
    "gaps": {"missing": 0.08},
    "gaps, weights, clusters": {"missing": 0.05, "weighted": True, "n_clusters": 12},
}


@pytest.mark.parametrize("covariates", [0, 2])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("seed", [1, 2])
def test_equals_the_regression_with_every_dummy(seed, case, covariates) -> None:
    panel = draw_panel(seed, **CASES[case])
    if covariates:
        panel = with_covariates(panel, seed, covariates)
    found = sun_abraham(panel, inference=ANALYTIC)
    expected, fit = saturated_regression(panel)
    path = path_of(found)
    assert found.att == pytest.approx(expected.pop("att"), abs=1e-8)
    assert set(expected) == set(path.index) - {-1}
    for event_time, values in expected.items():
        assert tuple(path.loc[event_time]) == pytest.approx(values, abs=1e-8)
    assert int(found.table["n_obs"].iloc[0]) == fit._N


def test_weights_that_change_over_time_equal_the_regression() -> None:
    panel = draw_panel(4, missing=0.05)
    rng = np.random.default_rng(4)
    panel = replace(panel, weight=rng.uniform(0.2, 3.0, panel.y.shape), weighted=True)
    expected, _ = saturated_regression(panel)
    assert sun_abraham(panel, inference=ANALYTIC).att == pytest.approx(expected["att"], abs=1e-8)


def test_anticipation_moves_the_reference_period() -> None:
    panel = draw_panel(5)
    found = sun_abraham(panel, anticipation=1, inference=ANALYTIC)
    early = panel.keep_units(panel.cohort != 2002)
    expected, _ = saturated_regression(early, anticipation=1)
    assert found.att == pytest.approx(expected["att"], abs=1e-9)
    assert path_of(found).loc[-2, "estimate"] == 0.0
    assert tuple(path_of(found).loc[-1]) == pytest.approx(expected[-1], abs=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_equals_diff_diff(seed) -> None:
    panel = draw_panel(seed, n_clusters=15 if seed % 2 else None, missing=0.04 if seed > 2 else 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = diff_diff.SunAbraham(cluster="cluster", df_convention="cluster").fit(
            as_frame(panel).dropna(), outcome="y", unit="unit", time="time", first_treat="cohort"
        )
    found = sun_abraham(panel, inference=ANALYTIC)
    path = path_of(found)
    assert found.att == pytest.approx((theirs.overall_att, theirs.overall_se), abs=1e-7)
    for event_time, effect in theirs.event_study_effects.items():
        expected = (effect["effect"], effect["se"])
        assert tuple(path.loc[event_time]) == pytest.approx(expected, abs=1e-7)


def means_path(panel):
    """Group-time effects from four means, averaged by cohort size at each event time."""
    w = panel.weight[:, 0]
    columns = {int(t): k for k, t in enumerate(panel.periods)}
    cells: dict[int, list[tuple[float, float]]] = {}
    never = panel.cohort == 0
    for g in np.unique(panel.cohort[panel.cohort > 0]):
        rows = panel.cohort == g
        for t, k in columns.items():
            change = panel.y[:, k] - panel.y[:, columns[int(g) - 1]]
            effect = np.average(change[rows], weights=w[rows])
            effect -= np.average(change[never], weights=w[never])
            cells.setdefault(t - int(g), []).append((w[rows].sum(), effect))
    return {e: np.average([x for _, x in c], weights=[m for m, _ in c]) for e, c in cells.items()}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", [7, 8, 9])
def test_points_on_balanced_panels_are_differences_of_means(seed, weighted) -> None:
    panel = draw_panel(seed, weighted=weighted)
    path = path_of(sun_abraham(panel, inference=ANALYTIC))
    for event_time, value in means_path(panel).items():
        assert path.loc[event_time, "estimate"] == pytest.approx(value, abs=1e-12)


def test_not_yet_treated_without_never_treated_is_the_last_cohort_and_cuts_its_periods() -> None:
    panel = draw_panel(3, adoption=(2003, 2005, 2007))
    found = sun_abraham(panel, control_group="not_yet_treated", inference=ANALYTIC)
    assert found.details.control_group == "last_treated"
    cut = panel.keep_periods(panel.periods < 2007)
    as_never = replace(cut, cohort=np.where(cut.cohort == 2007, 0, cut.cohort))
    expected, _ = saturated_regression(as_never)
    assert found.att == pytest.approx(expected["att"], abs=1e-10)
    assert any("(2007) serves only as the control group" in note for note in found.details.notes)


def test_last_treated_leaves_out_whoever_is_not_treated_inside_the_panel() -> None:
    panel = draw_panel(3, adoption=(0, 2003, 2005, 2007, 2012))
    found = sun_abraham(panel, control_group="last_treated", inference=ANALYTIC)
    inside = panel.keep_units(np.isin(panel.cohort, [2003, 2005, 2007]))
    expected = sun_abraham(inside, control_group="not_yet_treated", inference=ANALYTIC)
    assert found.att == pytest.approx(expected.att, abs=1e-12)
    assert int(found.table["n_units"].iloc[0]) == len(inside.units)


@pytest.mark.parametrize("control_group", ["never_treated", "last_treated"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", [12, 13])
def test_points_equal_the_group_time_path_on_balanced_panels(seed, weighted, control_group) -> None:
    """Never-treated comparison and universal base; with fixed shares the errors differ."""
    panel = draw_panel(seed, weighted=weighted)
    found = path_of(sun_abraham(panel, control_group=control_group, inference=ANALYTIC))
    other = path_of(
        callaway_santanna(panel, control_group=control_group, base_period="universal", inference=ANALYTIC)
    )
    other = other[other.index.notna()]
    assert list(found.index) == list(other.index)
    assert found["estimate"].to_numpy() == pytest.approx(other["estimate"].to_numpy(), abs=1e-12)


def share_variance(panel, found, event_time):
    """What eventstudyinteract adds: delta' V(shares) delta, from the multinomial shares."""
    cells = {}
    for g in np.unique(panel.cohort[panel.cohort > 0]):
        if g + event_time in panel.periods and event_time != -1:
            rows = panel.cohort == g
            one = panel.keep_units(rows | (panel.cohort == 0))
            effect = path_of(sun_abraham(one, inference=ANALYTIC)).loc[event_time, "estimate"]
            cells[int(g)] = (int(rows.sum()), effect)
    size = np.array([n for n, _ in cells.values()], dtype=float)
    share, effect = size / size.sum(), np.array([x for _, x in cells.values()])
    multinomial = (np.diag(share) - np.outer(share, share)) / size.sum()
    return effect @ multinomial @ effect


def test_estimated_shares_add_their_variance() -> None:
    panel = draw_panel(11)
    fixed = sun_abraham(panel, inference=ANALYTIC)
    estimated = sun_abraham(panel, shares="estimated", inference=ANALYTIC)
    assert path_of(estimated)["estimate"].equals(path_of(fixed)["estimate"])
    n_obs, groups = panel.y.size, len(panel.units)
    factor = groups / (groups - 1) * (n_obs - 1) / (n_obs - fixed.details.uncertainty.parameters)
    for event_time in (-3, 0, 1, 2):
        added = path_of(estimated).loc[event_time, "std_error"] ** 2
        added -= path_of(fixed).loc[event_time, "std_error"] ** 2
        assert added == pytest.approx(factor * share_variance(panel, fixed, event_time), rel=1e-6)
    assert fixed.details.extras["att_std_error_estimated_shares"] == pytest.approx(estimated.att[1])
    assert estimated.details.extras["att_std_error_fixed_shares"] == pytest.approx(fixed.att[1])


def test_relabelling_and_constants_change_nothing_and_scaling_scales() -> None:
    panel = draw_panel(6, missing=0.05, weighted=True)
    base = sun_abraham(panel, inference=ANALYTIC).table
    rng = np.random.default_rng(6)
    order = rng.permutation(len(panel.units))
    moved = replace(
        panel.keep_units(order),
        periods=panel.periods + 50,
        cohort=np.where(panel.cohort > 0, panel.cohort + 50, 0)[order],
    )
    shifted = replace(panel, y=panel.y + rng.normal(size=(48, 1)) + rng.normal(size=8))
    scaled = replace(panel, y=3 * panel.y)
    for other, factor in ((moved, 1.0), (shifted, 1.0), (scaled, 3.0)):
        table = sun_abraham(other, inference=ANALYTIC).table
        for column in ("estimate", "std_error"):
            expected = factor * base[column].to_numpy()
            assert table[column].to_numpy() == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_a_cell_cut_off_from_its_reference_period_is_counted_and_left_out() -> None:
    panel = draw_panel(2, adoption=(0, 2004), n_units=12)
    y = panel.y.copy()
    rows = np.flatnonzero(panel.cohort == 2004)
    y[np.ix_(rows, [0])] = np.nan
    found = sun_abraham(replace(panel, y=y), inference=ANALYTIC)
    assert found.details.count_dropped("not_identified") == 1
    assert path_of(found).index.min() == -2


def test_the_window_limits_the_rows_and_not_the_regression() -> None:
    panel = draw_panel(1)
    whole, part = (sun_abraham(panel, window=w, inference=ANALYTIC) for w in (None, (-2, 1)))
    assert list(path_of(part).index) == [-2, -1, 0, 1]
    expected = path_of(whole).loc[-2:1].to_numpy().ravel()
    assert path_of(part).to_numpy().ravel() == pytest.approx(expected, abs=1e-12, nan_ok=True)
    assert part.att == pytest.approx(whole.att, abs=1e-12)


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (
            {"adoption": (2003, 2005)},
            {"control_group": "never_treated"},
            r"Leave 'control_group' out \(the last cohort to adopt is then the control group\)",
        ),
        ({}, {"window": (20, 30)}, r"The window \[20, 30\] contains no event time"),
        ({}, {"window": (-1, -1)}, r"The window \[-1, -1\] contains no event time"),
        ({"adoption": (2003,)}, {"control_group": "last_treated"}, "All 48 units in the sample adopt in"),
        ({"adoption": (0, 2003)}, {"control_group": "last_treated"}, "apart from the comparison units"),
        ({"adoption": (0,)}, {}, "None of the 48 units"),
        ({"adoption": (0,)}, {"control_group": "last_treated"}, "None of the 48 units"),
        (
            {"adoption": (2001,)},
            {},
            "All 48 treated units are treated in or before the first period \\(2001\\)",
        ),
        ({"n_clusters": 1}, {}, "One cluster is left"),
        ({"dose": True}, {}, "takes a binary treatment"),
    ],
)
def test_refusals(change, options, message) -> None:
    with pytest.raises(PanelError, match=message):
        sun_abraham(draw_panel(1, **change), inference=ANALYTIC, **options)


def test_a_covariate_constant_within_units_is_refused_by_name() -> None:
    panel = draw_panel(1)
    x = np.repeat(np.random.default_rng(1).normal(size=(48, 1)), 8, axis=1)[None]
    with pytest.raises(PanelError, match="'income' is collinear with the unit fixed effects"):
        sun_abraham(replace(panel, covariates=x, covariate_names=("income",)), inference=ANALYTIC)


def test_last_treated_cuts_the_periods_from_anticipation_on() -> None:
    panel = draw_panel(3, adoption=(2003, 2005, 2007))
    found = sun_abraham(panel, control_group="last_treated", anticipation=1, inference=ANALYTIC)
    note = next(note for note in found.details.notes if "(2007) serves only as the control group" in note)
    assert "periods (2006 to " in note
    cut = panel.keep_periods(panel.periods < 2006)
    as_never = replace(cut, cohort=np.where(cut.cohort == 2007, 0, cut.cohort))
    expected = sun_abraham(as_never, anticipation=1, inference=ANALYTIC)
    assert found.att == pytest.approx(expected.att, abs=1e-12)


def test_a_unit_on_each_side_is_an_exact_fit_and_two_are_not() -> None:
    """Four periods of two units: 2 unit, 3 period and 3 path coefficients for 8 observations."""
    panel = draw_panel(3, adoption=(0, 2003), n_units=3, n_periods=4)
    with pytest.raises(PanelError, match="8 observations are left for 8 parameters, absorbed effects"):
        sun_abraham(panel.keep_units(np.arange(3) < 2), inference=ANALYTIC)
    assert sun_abraham(panel, inference=ANALYTIC).att[1] > 0


def test_the_weight_of_clusters_is_that_on_the_overall_effect_whatever_the_window() -> None:
    panel = draw_panel(3, n_clusters=10)
    whole, *others = (
        sun_abraham(panel, window=window, inference=ANALYTIC).details.cluster_influence
        for window in (None, (-2, 1), (-1, 0))
    )
    assert whole is not None
    assert all(other == whole for other in others)
