"""Imputation: reference values, the model written out with dummies, peers, identities, refusals."""

import warnings
from dataclasses import replace

import diff_diff
import numpy as np
import pyfixest
import pytest
from drawn_panels import as_frame
from scipy import stats
from written_out import (
    Dense,
    castle,
    conservative,
    diff_diff_fit,
    labeled,
    mpdta,
    random_panel,
    with_covariates,
    with_varying_weights,
)

from replication.core.details import Dropped
from replication.core.errors import PanelError, SpecError
from replication.core.spec import Inference
from replication.estimators.imputation import imputation
from replication.estimators.two_stage import two_stage

# The formulas and packages below have no G/(G-1) where clusters hold several units.
FEW = Inference(draws=9, small_sample="none")


def impute(panel, **options):
    return imputation(panel, inference=FEW, **options)


# Reference values -------------------------------------------------------------------------------

# diff-diff 3.13 on mpdta, 7 digits printed; cohort x event-time groups.
MPDTA = {
    ("att", None): (-0.0477099, 0.0132225),
    ("event", 0): (-0.0310669, 0.0135772),
    ("event", 1): (-0.0522349, 0.0188124),
    ("event", 2): (-0.1360781, 0.0353420),
    ("event", 3): (-0.1047075, 0.0337659),
    ("group", 2004): (-0.0846193, 0.0256166),
    ("group", 2006): (-0.0183394, 0.0200177),
    ("group", 2007): (-0.0431060, 0.0183721),
}
LEFT_OUT = 0.0134691


def test_mpdta_equals_the_reference_to_the_printed_digits() -> None:
    found = labeled(impute(mpdta()))
    for name, values in MPDTA.items():
        assert found[name] == pytest.approx(values, abs=6e-8), name
    assert impute(mpdta(), leave_one_out=True).att[1] == pytest.approx(LEFT_OUT, abs=6e-8)


def test_mpdta_of_the_shared_folder_is_the_same(reference) -> None:
    import pandas as pd

    frame = pd.read_csv(reference / "mpdta.csv").sort_values(["countyreal", "year"])
    shared = mpdta(y=frame["lemp"].to_numpy().reshape(-1, 5))
    parity = pd.read_csv(reference / "parity.csv").query("estimator == 'imputation'").iloc[0]
    assert impute(shared).att == pytest.approx((parity.estimate, parity.std_error), abs=1e-6)


# The model written out --------------------------------------------------------------------------


MODELS = {
    "two-way": ((), {}),
    "gaps": ((), {"missing": 0.15}),
    "few clusters": ((), {"n_clusters": 9}),
    "stratum by period": (("region_by_time",), {"n_units": 60}),
    "stratum lines": (("region_linear",), {}),
    "unit lines": (("unit_linear",), {}),
    "unit lines and strata": (("unit_linear", "region_by_time"), {"n_units": 70}),
    "unit lines and gaps": (("unit_linear",), {"missing": 0.1, "n_units": 60}),
}


@pytest.mark.parametrize("extra", ["plain", "weights", "covariates", "both"])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("groups", ["cohort_event", "cohort", "none"])
def test_general_path_equals_the_model_written_out(model, extra, groups) -> None:
    trends, changes = MODELS[model]
    panel = random_panel(8, adoption=(0, 2004, 2005, 2007), **changes)
    if extra in {"weights", "both"}:
        panel = with_varying_weights(panel)
    if extra in {"covariates", "both"}:
        panel = with_covariates(panel)
    result = impute(panel, trends=trends, residual_groups=groups)
    enough = Dense(panel).fit.reshape(panel.y.shape).sum(axis=1) >= 1 + ("unit_linear" in trends)
    assert result.details.count_dropped("units_not_used") == (~enough).sum()
    panel = panel.keep_units(enough)
    dense, found = Dense(panel, trends), labeled(result)
    for name, mask in dense.masks(panel).items():
        omega = dense.average(mask)
        point = omega @ dense.tau
        assert found[name][0] == pytest.approx(point, rel=1e-8, abs=1e-9), name
        expected = conservative(dense, panel, omega, groups)
        assert found[name][1] == pytest.approx(expected, rel=1e-7), name


@pytest.mark.parametrize("groups", ["cohort_event", "cohort", "none"])
@pytest.mark.parametrize("n_clusters", [None, 11])
def test_leave_one_out_equals_the_loop(groups, n_clusters) -> None:
    panel = with_varying_weights(random_panel(3, n_clusters=n_clusters, adoption=(0, 2004, 2006)))
    result = impute(panel, residual_groups=groups, leave_one_out=True)
    plain = impute(panel, residual_groups=groups)
    dense = Dense(panel)
    expected = conservative(dense, panel, dense.average(dense.masks(panel)["att", None]), groups, True)
    assert result.att[1] == pytest.approx(expected, rel=1e-9)
    assert result.att[0] == plain.att[0]
    assert result.att[1] > plain.att[1]
    # The lone unit of 2005 cannot be left out of its own cells.
    lone = {"cohort_event": 4, "cohort": 1, "none": 0}[groups]
    assert result.details.extras["groups_of_one_cluster"] == lone


@pytest.mark.parametrize("trends", [(), ("unit_linear",), ("region_by_time",)])
@pytest.mark.parametrize("weighted", [False, True])
def test_pretrends_equal_the_regression_on_untreated_cells(trends, weighted) -> None:
    """pyfixest on the untreated rows with lead dummies; the reference is all earlier periods."""
    panel = with_covariates(random_panel(16, n_periods=9, missing=0.05, adoption=(0, 2005, 2007)))
    panel = with_varying_weights(panel) if weighted else panel
    result = impute(panel, trends=trends, window=(-3, 2))
    frame = as_frame(panel).assign(
        region=np.repeat(panel.strata["region"], 9),
        x1=panel.covariates[0].ravel(),
        x2=panel.covariates[1].ravel(),
    )
    event = frame["time"] - frame["cohort"]
    frame = frame[((frame["cohort"] == 0) | (event < 0)) & frame["y"].notna()].copy()
    for lead in (3, 2, 1):
        match = (frame["cohort"] > 0) & (frame["time"] - frame["cohort"] == -lead)
        frame[f"lead{lead}"] = match.astype(float)
    period = "region^time" if "region_by_time" in trends else "time"
    slopes = " + i(unit, time)" if "unit_linear" in trends else ""
    fit = pyfixest.feols(
        f"y ~ lead3 + lead2 + lead1 + x1 + x2{slopes} | unit + {period}",
        frame,
        vcov={"CRV1": "cluster"},
        weights="w" if weighted else None,
    )
    found = labeled(result)
    ours = fit._df_k
    if trends == ("unit_linear",):
        # Written as regressors, pyfixest counts the lines; here they are nested like the units.
        ours = 3 + 2 + panel.periods.size
    elif trends:
        # Effects of regions by period count by their rank here.
        ours -= np.unique(panel.strata["region"]).size - 1
    factor = np.sqrt((len(frame) - ours) / (len(frame) - fit._df_k))
    for lead in (3, 2, 1):
        expected = fit.coef()[f"lead{lead}"]
        assert found["event", -lead][0] == pytest.approx(expected, rel=1e-6), lead
        std_error = found["event", -lead][1] * factor
        assert std_error == pytest.approx(fit.se()[f"lead{lead}"], rel=1e-5), lead
    assert result.details.count_dropped("leads_not_identified") == 0


def test_pretrend_test_is_the_wald_test_of_the_leads() -> None:
    result = impute(random_panel(4), window=(-3, 2))
    path, vcov = result.path()
    early = (path["event_time"] < 0).to_numpy()
    points = path["estimate"].to_numpy()[early]
    wald = points @ np.linalg.solve(vcov[np.ix_(early, early)], points)
    groups, count = int(result.table["n_clusters"][0]), int(early.sum())
    statistic = wald / count * (groups - count) / (groups - 1)
    found = result.details.pretrend
    assert found.statistic == pytest.approx(statistic, rel=1e-9)
    assert (found.df, found.df_resid) == (count, groups - count)
    assert found.p_value == pytest.approx(stats.f.sf(statistic, count, groups - count))


def test_leads_keep_a_reference_when_no_window_is_given() -> None:
    with_never = impute(mpdta())
    assert with_never.details.dropped == (Dropped("leads_not_identified", 1, "leads", (-4,)),)
    # Without never-treated units a straight line in event time is not identified either; the
    # fourth lead belongs to the last cohort alone, which is not treated before the cut.
    panel = mpdta()
    without = impute(panel.keep_units(panel.cohort != 0))
    assert without.details.dropped == (Dropped("leads_not_identified", 1, "leads", (-3,)),)


def test_cohorts_far_beyond_the_panel_are_comparison_not_leads() -> None:
    panel = random_panel(1, adoption=(2003, 2004, 2030))
    never = replace(panel, cohort=np.where(panel.cohort == 2030, 0, panel.cohort))
    far, plain = (
        {key: value for key, value in labeled(impute(each)).items() if key[0] == "event"}
        for each in (panel, never)
    )
    assert far.keys() == plain.keys()
    assert all(far[key] == pytest.approx(plain[key], rel=1e-9, nan_ok=True) for key in far)


# Peers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_random_panels_equal_diff_diff(seed) -> None:
    """Clusters are units: with others diff-diff sums groups within units, Stata in clusters."""
    panel = random_panel(seed, n_clusters=None)
    peer, path = diff_diff_fit(diff_diff.ImputationDiD(), panel)
    result = impute(panel)
    found = labeled(result)
    assert found["att", None] == pytest.approx((peer.overall_att, peer.overall_se), rel=1e-6)
    checked = 0
    for row in path[path["event_time"] >= 0].itertuples():
        if np.isfinite(row.se):
            assert found["event", row.event_time] == pytest.approx((row.att, row.se), rel=1e-6)
            checked += 1
    assert checked >= 1


def test_leave_one_out_and_anticipation_equal_diff_diff() -> None:
    panel = random_panel(4, n_clusters=None, adoption=(0, 2004, 2006))
    frame = as_frame(panel).dropna(subset=["y"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = {"outcome": "y", "unit": "unit", "time": "time", "first_treat": "cohort"}
        left_out = diff_diff.ImputationDiD(leave_one_out=True).fit(frame, **names)
        early = diff_diff.ImputationDiD(anticipation=1).fit(frame, **names)
        path = early.aggregate("event_study").to_dataframe().set_index("event_time")
    assert impute(panel, leave_one_out=True).att == pytest.approx(
        (left_out.overall_att, left_out.overall_se), rel=1e-7
    )
    found = labeled(impute(panel, anticipation=1))
    for h in (-1, 0, 1, 2):
        assert found["event", h] == pytest.approx((path["att"][h], path["se"][h]), rel=1e-7)


# Properties -------------------------------------------------------------------------------------


def numbers(result) -> np.ndarray:
    return result.table[["estimate", "std_error"]].to_numpy()


@pytest.fixture(scope="module")
def base():
    return with_covariates(with_varying_weights(random_panel(1)))


def test_unit_and_period_constants_change_nothing(base) -> None:
    rng = np.random.default_rng(5)
    moved = base.y + 10 * rng.normal(size=(len(base.units), 1)) + 10 * rng.normal(size=8)
    assert numbers(impute(replace(base, y=moved))) == pytest.approx(numbers(impute(base)), rel=1e-7)


def test_unit_lines_in_the_outcome_change_nothing_with_unit_lines_in_the_model() -> None:
    panel = random_panel(0, adoption=(0, 2004, 2006))
    slope = np.random.default_rng(5).normal(size=(len(panel.units), 1))
    moved = replace(panel, y=panel.y + slope * (panel.periods - 2000))
    before = numbers(impute(panel, trends=("unit_linear",)))
    assert numbers(impute(moved, trends=("unit_linear",))) == pytest.approx(before, rel=1e-7)
    assert impute(moved).att[0] != pytest.approx(impute(panel).att[0], rel=1e-3)


def test_scaling_the_outcome_scales_everything(base) -> None:
    scaled = impute(replace(base, y=-4.0 * base.y))
    expected = numbers(impute(base)) * np.array([-4.0, 4.0])
    assert numbers(scaled) == pytest.approx(expected, rel=1e-9)


def test_scaling_the_weights_changes_nothing(base) -> None:
    heavier = impute(replace(base, weight=1e6 * base.weight))
    assert numbers(heavier) == pytest.approx(numbers(impute(base)), rel=1e-9)


def test_relabelling_units_and_periods_changes_nothing(base) -> None:
    order = np.random.default_rng(2).permutation(len(base.units))
    shuffled = base.keep_units(np.ones(len(base.units), dtype=bool))
    shuffled = replace(
        shuffled,
        y=base.y[order],
        cohort=base.cohort[order],
        weight=base.weight[order],
        covariates=base.covariates[:, order],
        units=base.units[order],
        clusters={"cluster": base.clusters["cluster"][order]},
    )
    later = replace(
        shuffled, periods=base.periods + 30, cohort=np.where(shuffled.cohort == 0, 0, shuffled.cohort + 30)
    )
    assert numbers(impute(later)) == pytest.approx(numbers(impute(base)), rel=1e-8)


def test_weights_are_replication_weights_for_the_points() -> None:
    panel = with_covariates(random_panel(1))
    copies = np.arange(len(panel.units)) % 3 + 1
    weighted = replace(panel, weight=np.repeat(copies[:, None], 8, axis=1).astype(float))
    rows = np.repeat(np.arange(len(panel.units)), copies)
    repeated = replace(
        panel,
        y=panel.y[rows],
        cohort=panel.cohort[rows],
        weight=panel.weight[rows],
        covariates=panel.covariates[:, rows],
        units=np.arange(rows.size),
        clusters={"cluster": panel.clusters["cluster"][rows]},
        strata={},
        coordinates=None,
    )
    first, second = labeled(impute(weighted)), labeled(impute(repeated))
    for name, values in first.items():
        assert second[name][0] == pytest.approx(values[0], rel=1e-8), name


def test_a_period_of_labels_apart_keeps_event_times_in_label_units() -> None:
    panel = random_panel(0)
    cohort = np.where(panel.cohort == 0, 0, 2001 + 2 * (panel.cohort - 2001))
    wide = replace(panel, periods=2001 + 2 * np.arange(8), cohort=cohort)
    assert impute(wide).att == pytest.approx(impute(panel).att, rel=1e-10)
    assert labeled(impute(wide))["event", 2] == pytest.approx(labeled(impute(panel))["event", 1])


def test_a_balanced_panel_is_its_cohort_by_period_means() -> None:
    panel = random_panel(0)
    cohorts, codes, size = np.unique(panel.cohort, return_inverse=True, return_counts=True)
    means = np.stack([panel.y[codes == g].mean(axis=0) for g in range(cohorts.size)])
    collapsed = replace(
        panel,
        y=means,
        units=cohorts,
        cohort=cohorts,
        coordinates=None,
        strata={},
        weight=np.repeat(size[:, None].astype(float), 8, axis=1),
        clusters={"cohort": np.arange(cohorts.size)},
    )
    small, large = labeled(impute(collapsed)), labeled(impute(panel))
    for name, values in large.items():
        assert small[name][0] == pytest.approx(values[0], rel=1e-9), name


@pytest.mark.parametrize("trends", [(), ("unit_linear",), ("region_by_time",)])
def test_a_unit_seen_once_takes_the_general_path_and_changes_nothing(trends) -> None:
    panel = random_panel(0, n_units=60, adoption=(0, 2004, 2006))
    weight = np.random.default_rng(0).uniform(0.5, 2.0, (60, 1))
    panel = replace(panel, weight=np.repeat(weight, 8, axis=1), coordinates=None)
    never = np.flatnonzero(panel.cohort == 0)[0]
    rows = np.append(np.arange(60), never)
    y = panel.y[rows].copy()
    y[-1, 1:] = np.nan
    longer = replace(
        panel,
        y=y,
        units=np.arange(61),
        cohort=panel.cohort[rows],
        weight=panel.weight[rows],
        strata={"region": panel.strata["region"][rows]},
        clusters={"cluster": np.arange(61)},
    )
    fast, general = impute(panel, trends=trends), impute(longer, trends=trends)
    assert numbers(general) == pytest.approx(numbers(fast), rel=1e-9)


def test_averages_add_up() -> None:
    result = impute(random_panel(2, missing=0.1))
    found = labeled(result)
    sizes = {row.event_time: row.units for row in result.details.support}
    post = {h: n for h, n in sizes.items() if h >= 0}
    mean = sum(found["event", h][0] * n for h, n in post.items()) / sum(post.values())
    assert found["att", None][0] == pytest.approx(mean, rel=1e-10)
    plain = np.mean([found["event", h][0] for h in post])
    assert found["event_mean", None][0] == pytest.approx(plain, rel=1e-10)


def test_a_window_shows_part_of_the_path_and_leaves_the_average_alone() -> None:
    panel = random_panel(0)
    whole, part = impute(panel), impute(panel, window=(-2, 1))
    shown = part.rows("event")["event_time"].dropna().tolist()
    assert shown == [-2, -1, 0, 1]
    assert part.att == whole.att
    assert labeled(part)["event", 1] == labeled(whole)["event", 1]


def test_an_effect_without_noise_is_recovered_with_unit_lines() -> None:
    panel = random_panel(0, adoption=(0, 2004, 2006))
    rng = np.random.default_rng(0)
    n = len(panel.units)
    y = rng.normal(size=(n, 1)) + rng.normal(size=(n, 1)) * panel.periods + rng.normal(size=8)
    event = panel.periods - panel.cohort[:, None]
    y = y + np.where(panel.treated, 1.0 + 0.5 * event, 0.0)
    found = labeled(impute(replace(panel, y=y), trends=("unit_linear",)))
    for h in range(4):
        assert found["event", h][0] == pytest.approx(1.0 + 0.5 * h, abs=1e-8)


# What is dropped, and refusals ------------------------------------------------------------------


def test_units_that_cannot_be_imputed_are_dropped_with_the_count() -> None:
    panel = mpdta()
    # 20 counties of 2004 have one untreated year: enough for an effect, not for a line.
    lines = impute(panel, trends=("unit_linear",))
    assert any(n.startswith("20 of ") and "fewer than 2 untreated" in n for n in lines.details.notes)
    assert lines.details.count_dropped("units_not_used") == 20
    always = replace(panel, cohort=np.where(panel.cohort == 2004, 2003, panel.cohort))
    assert any("treated in or before" in note for note in impute(always).details.notes)


def test_periods_without_comparison_are_left_out_and_named() -> None:
    panel = random_panel(0, adoption=(2003, 2004, 2006))
    result = impute(panel)
    assert any("2006, 2007, 2008" in note for note in result.details.notes)
    assert result.rows("calendar")["time"].dropna().max() == 2005
    cut = impute(panel.keep_periods(panel.periods < 2006))
    assert result.att == pytest.approx(cut.att, rel=1e-9)


def test_strata_without_comparison_are_left_out() -> None:
    panel = random_panel(0, n_units=60, adoption=(0, 2004, 2006))
    region = np.where(panel.cohort == 0, panel.strata["region"] % 2, panel.strata["region"])
    panel = replace(panel, strata={"region": region})
    result = impute(panel, trends=("region_by_time",))
    dense = Dense(panel, ("region_by_time",))
    omega = dense.average(dense.masks(panel)["att", None])
    assert (dense.treated & ~dense.effect).any()
    assert result.att[0] == pytest.approx(omega @ dense.tau, rel=1e-9)
    assert result.details.extras["treated_cells"] == dense.effect.sum()


def refusals():
    panel = random_panel(0)
    constant = np.repeat(np.arange(40.0)[:, None], 8, axis=1)[None]
    return {
        "no treated": (replace(panel, cohort=np.zeros(40, dtype=np.int64)), {}, "None of the 40 units"),
        "all always": (replace(panel, cohort=np.full(40, 2001)), {}, "All 40 treated units"),
        "no comparison": (replace(panel, cohort=np.full(40, 2004)), {}, "adopt in period 2004"),
        "window": (panel, {"window": (50, 60)}, r"window \[50, 60\] contains no event time"),
        "one cluster": (replace(panel, clusters={"c": np.zeros(40, dtype=np.int64)}), {}, "One cluster"),
        "covariate": (
            replace(panel, covariates=constant, covariate_names=("size",)),
            {},
            "'size' is collinear with the unit and period fixed effects and the covariates listed before it",
        ),
        "dose": (replace(panel, exposure=np.ones((40, 8))), {}, "binary treatment"),
    }


@pytest.mark.parametrize("case", refusals())
def test_refusals_say_what_is_wrong(case) -> None:
    panel, options, message = refusals()[case]
    with pytest.raises(PanelError, match=message):
        impute(panel, **options)


def test_unknown_groups_and_trends_are_refused_with_the_nearest() -> None:
    with pytest.raises(SpecError, match="did you mean 'cohort_event'"):
        impute(random_panel(0), residual_groups="cohort_evnt")
    with pytest.raises(SpecError, match="region"):
        impute(random_panel(0), trends=("regio_by_time",))


def test_castle_runs_with_weights_that_change_over_time() -> None:
    """The point is the two-stage one, which pyfixest gives too: 0.066900 without weights."""
    assert impute(castle()).att[0] == pytest.approx(0.066900, abs=5e-7)
    weighted = castle(weighted=True)
    dense = Dense(weighted)
    omega = dense.average(dense.masks(weighted)["att", None])
    assert impute(weighted).att[0] == pytest.approx(omega @ dense.tau, rel=1e-8)


@pytest.mark.parametrize(("difference", "refused"), [(0.0, True), (1e-6, True), (1e-4, False)])
def test_a_covariate_that_those_before_it_span_is_refused_by_name(difference: float, refused: bool) -> None:
    """Own variation up to a share of 1e-10 is none: a millionth of the spread squared is 1e-12."""
    panel = with_covariates(random_panel(0))
    first, other = panel.covariates
    panel = replace(panel, covariates=np.stack([first, 2 * first + 3 + difference * other]))
    for estimate in (impute, lambda one: two_stage(one, inference=FEW)):
        if refused:
            with pytest.raises(
                PanelError, match="Covariate 'x2' is collinear with the unit and period fixed"
            ):
                estimate(panel)
        else:
            assert np.isfinite(estimate(panel).att).all()
