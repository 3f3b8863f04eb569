"""Extended two-way model: R etwfe's own values, the regression written out, peers, identities."""

import warnings
from dataclasses import replace

import diff_diff
import numpy as np
import pyfixest
import pytest
import statsmodels.api as sm
from drawn_panels import as_frame, draw_panel
from written_out import (
    clusters_above,
    diff_diff_fit,
    labeled,
    mpdta,
    mpdta_population,
    random_panel,
    with_covariates,
    with_varying_weights,
)

from replication.core.errors import PanelError, SpecError
from replication.core.spec import Inference
from replication.estimators.etwfe import etwfe
from replication.estimators.imputation import imputation
from replication.inference.cluster import small_sample_factor

FEW = Inference(draws=9)


def extended(panel, **options):
    return etwfe(panel, inference=FEW, **options)


def cells(result) -> dict:
    rows = result.rows("att_gt").to_dict("records")
    return {(int(r["cohort"]), int(r["time"])): (r["estimate"], r["std_error"]) for r in rows}


# Reference values -------------------------------------------------------------------------------

# R etwfe (CRAN), inst/tinytest/test_etwfe.R and test_emfx.R: mpdta, clustered by county. R counts
# cohort effects among the parameters (here: unit effects, nested in the clusters), so that its
# factor (N-1)/(N-K) has K = 15 where ours has 12, and with the covariate 30 where ours has 23.
R_CELLS = {
    (2004, 2004): (-0.0193723636759116, 0.0223952764912568),
    (2004, 2005): (-0.0783190990620529, 0.030506236091693),
    (2004, 2006): (-0.136078114440309, 0.0354768817979489),
    (2004, 2007): (-0.104707471576594, 0.0338947465597152),
    (2006, 2006): (0.00251386194191313, 0.0199448451562706),
    (2006, 2007): (-0.0391927355917248, 0.0240232361043774),
    (2007, 2007): (-0.0431060328087001, 0.0184422693090335),
}
R_NEVER = {
    (2004, 2004): (-0.0105032462209509, 0.0233633078987137),
    (2004, 2007): (-0.100811363085397, 0.0345251351219756),
    (2006, 2003): (-0.00376929367371485, 0.0314933678411734),
    (2006, 2004): (0.00275081875051886, 0.0196530028296998),
    (2006, 2007): (-0.041224471546218, 0.0203268606975245),
    (2007, 2003): (0.00330635669251332, 0.0245699429153858),
    (2007, 2005): (0.0310871193896906, 0.0179638358765074),
    (2007, 2007): (-0.0260544107191967, 0.0167358589135634),
}
R_COVARIATE = {
    ("att", None): (-0.0506270331228907, 0.0124972546529842),
    ("event", 0): (-0.0332122037837542, 0.0133659635774059),
    ("event", 1): (-0.0573456479257483, 0.0171496442892364),
    ("event", 2): (-0.137870386660852, 0.0307883597041053),
    ("event", 3): (-0.10953945536511, 0.0323152785480507),
    ("group", 2004): (-0.0876269608795944, 0.0230474099815232),
    ("group", 2006): (-0.0212783329358987, 0.0185912208081438),
    ("group", 2007): (-0.0459545277368072, 0.0179714452432232),
    ("calendar", 2004): (-0.0212480022225509, 0.0217240109737018),
    ("calendar", 2007): (-0.0524323095862384, 0.015015825012757),
}
R_COVARIATE_NEVER = {
    ("event", -2): (0.0234649547538384, 0.0145314904277398),
    ("event", 0): (-0.0211467366918433, 0.0113935648352396),
    ("event", 3): (-0.107544274673025, 0.0329231688783015),
}
R_POISSON = {
    ("event", 0): (-25.3497484355494, 15.8862762958862),
    ("event", 1): (1.09175116997388, 40.2952222352926),
    ("event", 2): (-75.1246321552693, 23.1541376499351),
    ("event", 3): (-101.823979344829, 27.0877431076141),
}


def held(found: dict, known: dict, ours: int, theirs: int, digits: float = 1e-9) -> None:
    """Points as they are; errors after R's count of parameters is put in place of ours."""
    factor = np.sqrt((2500 - ours) / (2500 - theirs))
    for name, (point, error) in known.items():
        assert found[name][0] == pytest.approx(point, rel=digits), name
        # R differentiates numerically, which costs it digits of the error.
        assert found[name][1] * factor == pytest.approx(error, rel=1e-5), name


def test_cells_equal_r() -> None:
    result = extended(mpdta())
    assert result.details.uncertainty.parameters == 12
    held(cells(result), R_CELLS, 12, 15)
    never = extended(mpdta(), control_group="never_treated")
    assert never.details.uncertainty.parameters == 17
    held(cells(never), R_NEVER, 17, 20)


def with_population(**changes):
    population = mpdta_population()[None]
    return mpdta(covariates=population, covariate_names=("lpop",), **changes)


def test_averages_with_a_covariate_equal_r() -> None:
    result = extended(with_population())
    assert result.details.uncertainty.parameters == 23
    held(labeled(result), R_COVARIATE, 23, 30)
    never = extended(with_population(), control_group="never_treated")
    held(labeled(never), R_COVARIATE_NEVER, never.details.uncertainty.parameters, 40)


def test_poisson_averages_in_levels_equal_r() -> None:
    panel = with_population()
    result = extended(replace(panel, y=np.exp(panel.y)), family="poisson")
    assert result.details.uncertainty.parameters == 30
    # R stops its iterations at a relative deviance of 1e-8.
    held(labeled(result), R_POISSON, 30, 30, digits=1e-7)


# diff-diff 3.13 on mpdta, 7 digits printed.
MPDTA = {
    ("att", None): (-0.0477099, 0.0132650),
    ("event", 0): (-0.0310669, 0.0136209),
    ("event", 1): (-0.0522349, 0.0188729),
    ("event", 2): (-0.1360781, 0.0354555),
    ("event", 3): (-0.1047075, 0.0338743),
}


def test_mpdta_equals_the_reference_to_the_printed_digits() -> None:
    found = labeled(extended(mpdta()))
    for name, values in MPDTA.items():
        assert found[name] == pytest.approx(values, abs=6e-8), name


def test_parity_table_of_the_shared_folder(reference) -> None:
    import pandas as pd

    row = pd.read_csv(reference / "parity.csv").query("estimator == 'etwfe'").iloc[0]
    assert extended(mpdta()).att == pytest.approx((row.estimate, row.std_error), abs=1e-6)


# The regression written out ---------------------------------------------------------------------


def written_out(panel, control_group: str, anticipation: int = 0):
    """Design with one column per parameter, the columns of each cell, and the used rows."""
    n_units, n_periods = panel.y.shape
    unit = np.repeat(np.arange(n_units), n_periods)
    time = np.tile(np.arange(n_periods), n_units)
    cohort = np.repeat(panel.cohort, n_periods)
    event = np.where(cohort != 0, panel.periods[time] - cohort, -10_000)
    used = (panel.observed & (panel.weight > 0)).ravel()
    inside = (cohort != 0) & (cohort <= panel.periods[-1])
    if control_group == "never_treated":
        dummied = inside & (event != -1 - anticipation)
    else:
        dummied = event >= -anticipation
    x = [] if panel.covariates is None else [np.nan_to_num(c).ravel() for c in panel.covariates]
    columns = [np.eye(n_units)[unit], np.eye(n_periods)[time]]
    labels = np.unique(cohort, return_inverse=True)[1]
    for values in x:
        columns.append(np.eye(n_periods)[time] * values[:, None])
        columns.append(np.eye(labels.max() + 1)[labels] * values[:, None])
    names, parts = [], []
    for g in np.unique(cohort[dummied & used]):
        for t in np.unique(time[dummied & used & (cohort == g)]):
            cell = (dummied & (cohort == g) & (time == t)).astype(float)
            names.append((int(g), int(panel.periods[t])))
            parts.append(np.column_stack([cell, *[cell * values for values in x]]))
    width = 1 + len(x)
    common = sum(part.shape[1] for part in columns)
    places = [common + width * k + np.arange(width) for k in range(len(names))]
    return np.hstack([*columns, *parts]), dict(zip(names, places, strict=True)), used, event


def dense_average(panel, control_group, chosen):
    """Estimate and clustered error of the mean effect over the cells picked by ``chosen``."""
    design, places, used, _ = written_out(panel, control_group)
    w = np.where(used, panel.weight.ravel(), 0.0)
    y = np.where(used, np.nan_to_num(panel.y).ravel(), 0.0)
    root = design * np.sqrt(w)[:, None]
    bread = np.linalg.pinv(root.T @ root, rcond=1e-11, hermitian=True)
    beta = bread @ (root.T @ (np.sqrt(w) * y))
    load, total = np.zeros(design.shape[1]), 0.0
    for (g, t), place in places.items():
        if chosen(g, t):
            cell = design[:, place[0]] * w
            load[place] += cell @ design[:, place] / 1.0
            total += cell.sum()
    load /= total
    cluster = np.repeat(panel.cluster, panel.periods.size)
    influence = (design @ (bread @ load)) * w * (y - design @ beta)
    sums = np.bincount(cluster, influence)
    rank = np.linalg.matrix_rank(root, tol=1e-8) - len(panel.units) + 1
    factor = small_sample_factor(panel.n_clusters, int(used.sum()), rank)
    return load @ beta, np.sqrt(factor * (sums**2).sum())


@pytest.mark.parametrize("control_group", ["not_yet_treated", "never_treated"])
@pytest.mark.parametrize("extra", ["plain", "weights", "covariates", "both"])
@pytest.mark.parametrize("changes", [{}, {"missing": 0.1}, {"n_clusters": 9, "missing": 0.05}])
def test_averages_equal_the_regression_written_out(control_group, extra, changes) -> None:
    panel = random_panel(10, adoption=(0, 2003, 2004, 2006), n_units=50, **changes)
    panel = with_varying_weights(panel) if extra in {"weights", "both"} else panel
    panel = with_covariates(panel, names=("x1",)) if extra in {"covariates", "both"} else panel
    result = extended(panel, control_group=control_group)
    found = labeled(result)
    rows = {
        ("att", None): lambda g, t: t >= g,
        ("event", 1): lambda g, t: t - g == 1,
        ("group", 2004): lambda g, t: g == 2004 and t >= g,
        ("calendar", 2006): lambda g, t: t == 2006 and t >= g,
    }
    if control_group == "never_treated":
        rows["event", -2] = lambda g, t: t - g == -2
    for name, chosen in rows.items():
        expected = dense_average(panel, control_group, chosen)
        assert found[name] == pytest.approx(expected, rel=1e-7, abs=1e-9), name


def test_a_cohort_of_one_unit_with_a_covariate_equals_the_regression() -> None:
    """Its cell and the covariate inside it are one number; their sum is still an effect."""
    panel = with_covariates(random_panel(11, adoption=(0, 2003, 2006), missing=0.0), names=("x1",))
    assert (panel.cohort == 2005).sum() == 1
    found = labeled(extended(panel))
    for name, chosen in {("att", None): lambda g, t: t >= g, ("group", 2005): lambda g, t: g == 2005}.items():
        expected = dense_average(panel, "not_yet_treated", chosen)
        assert found[name] == pytest.approx(expected, rel=1e-6), name


@pytest.mark.parametrize("seed", range(12))
def test_random_panels_equal_diff_diff(seed) -> None:
    panel = random_panel(seed)
    peer, path = diff_diff_fit(diff_diff.WooldridgeDiD(cluster=clusters_above(panel)), panel, "event")
    found = labeled(extended(panel))
    assert found["att", None] == pytest.approx((peer.overall_att, peer.overall_se), rel=1e-6)
    assert len(path) > 0
    for row in path.itertuples():
        name = ("event", row.relative_period)
        assert found[name] == pytest.approx((row.att, row.se), rel=1e-6), name


@pytest.mark.parametrize("seed", range(4))
def test_never_treated_comparison_equals_diff_diff(seed) -> None:
    panel = random_panel(seed, adoption=(0, 2003, 2004, 2006))
    frame = as_frame(panel).dropna(subset=["y"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = diff_diff.WooldridgeDiD(control_group="never_treated").fit(
            frame, outcome="y", unit="unit", time="time", first_treat="cohort"
        )
    result = extended(panel, control_group="never_treated")
    assert result.att == pytest.approx((peer.overall_att, peer.overall_se), rel=1e-6)


# Poisson ----------------------------------------------------------------------------------------


def counts(seed: int, **changes):
    """Panel of counts with zeros, an offset and a covariate-free mean."""
    panel = random_panel(seed, **changes)
    rng = np.random.default_rng(seed)
    offset = rng.normal(scale=0.5, size=panel.y.shape)
    scaled = np.nan_to_num(panel.y - np.nanmean(panel.y))
    y = rng.poisson(np.exp(0.4 * scaled + offset + 0.5)).astype(float)
    return replace(panel, y=np.where(np.isnan(panel.y), np.nan, y), offset=offset)


def glm_average(panel, chosen, kind):
    """Mean effect, or log ratio, after statsmodels' GLM, with a numerical delta method."""
    n_units, n_periods = panel.y.shape
    cohort, time = np.repeat(panel.cohort, n_periods), np.tile(panel.periods, n_units)
    design, places, used, event = written_out(panel, "not_yet_treated")
    labels = np.unique(cohort, return_inverse=True)[1]
    levels = np.hstack([np.eye(labels.max() + 1)[labels], np.eye(n_periods)[time - time.min()][:, 1:]])
    own = np.column_stack([design[:, place[0]] for place in places.values()])
    full = np.hstack([levels, own])[used]
    offset = panel.offset.ravel()[used]
    weight, y = panel.weight.ravel()[used], panel.y.ravel()[used]
    fit = sm.GLM(y, full, family=sm.families.Poisson(), offset=offset, var_weights=weight).fit(
        tol=1e-13, maxiter=200
    )
    base = np.hstack([levels, 0 * own])[used]
    picked = chosen(cohort[used], time[used]) & (event[used] >= 0)
    omega = weight * picked

    def target(beta):
        with_, without = np.exp(full @ beta + offset), np.exp(base @ beta + offset)
        if kind == "levels":
            return omega @ (with_ - without) / omega.sum()
        return np.log(omega @ with_ / (omega @ without))

    step = 1e-6
    gradient = np.array(
        [
            (target(fit.params + step * e) - target(fit.params - step * e)) / (2 * step)
            for e in np.eye(fit.params.size)
        ]
    )
    mean = fit.fittedvalues
    bread = np.linalg.inv(full.T @ ((weight * mean)[:, None] * full))
    scores = (full @ (bread @ gradient)) * weight * (y - mean)
    sums = np.bincount(np.repeat(panel.cluster, n_periods)[used], scores)
    factor = small_sample_factor(panel.n_clusters, int(used.sum()), fit.params.size)
    return target(fit.params), np.sqrt(factor * (sums**2).sum())


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("weighted", [False, True])
def test_poisson_equals_a_glm_with_dummies(seed, weighted) -> None:
    panel = counts(seed, adoption=(0, 2003, 2004, 2006), n_units=60)
    panel = with_varying_weights(panel) if weighted else panel
    found = labeled(extended(panel, family="poisson"))
    rows = {
        ("att", None): (lambda g, t: g > 0, "levels"),
        ("coef:log_ratio", None): (lambda g, t: g > 0, "ratio"),
        ("event", 1): (lambda g, t: t - g == 1, "levels"),
        ("group", 2004): (lambda g, t: g == 2004, "levels"),
    }
    for name, (chosen, kind) in rows.items():
        expected = glm_average(panel, chosen, kind)
        assert found[name][0] == pytest.approx(expected[0], rel=1e-7), name
        assert found[name][1] == pytest.approx(expected[1], rel=1e-5), name


@pytest.mark.parametrize("seed", [0, 3, 4])
def test_poisson_equals_diff_diff(seed) -> None:
    panel = replace(counts(seed, adoption=(0, 2003, 2004, 2006), n_units=60), offset=None)
    frame = as_frame(panel).dropna(subset=["y"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = diff_diff.WooldridgeDiD(method="poisson", cluster="cluster").fit(
            frame, outcome="y", unit="unit", time="time", first_treat="cohort"
        )
    result = extended(panel, family="poisson")
    assert result.att == pytest.approx((peer.overall_att, peer.overall_se), rel=1e-5)


def test_one_cell_equals_the_poisson_coefficient_with_unit_effects() -> None:
    """One cohort in the last period: the log ratio is its coefficient, and unit effects agree."""
    panel = counts(0, adoption=(0, 2008), n_units=60)
    panel = replace(panel, offset=None, cohort=np.where(panel.cohort == 2008, 2008, 0))
    keep = panel.y.sum(axis=1) > 0
    panel = panel.keep_units(keep)
    frame = as_frame(panel)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = pyfixest.fepois("y ~ d | unit + time", frame, vcov={"CRV1": "cluster"})
    result = extended(panel, family="poisson")
    found = labeled(result)["coef:log_ratio", None]
    n = frame.shape[0]
    # pyfixest leaves the unit effects out of K (1 + 8 periods); cohort effects count: 9 + 1.
    ours, theirs = result.details.uncertainty.parameters, 9
    assert found[0] == pytest.approx(fit.coef()["d"], rel=1e-6)
    assert found[1] * np.sqrt((n - ours) / (n - theirs)) == pytest.approx(fit.se()["d"], rel=1e-5)
    effect = result.details.extras["proportional_effect"]
    assert effect == pytest.approx(np.expm1(found[0]))


def test_poisson_covariates_make_every_unit_count() -> None:
    """With an effect that multiplies the mean, the proportional effect comes back."""
    rng = np.random.default_rng(3)
    panel = random_panel(0, adoption=(0, 2004, 2006), n_units=400)
    x = rng.normal(size=(1, 400, 8))
    index = 2.0 + 0.5 * x[0] + 0.1 * np.arange(8) + np.where(panel.treated, np.log(1.3), 0.0)
    exact = replace(panel, y=np.exp(index), covariates=x, covariate_names=("x",))
    result = extended(exact, family="poisson")
    assert result.details.extras["proportional_effect"] == pytest.approx(0.3, rel=1e-8)
    assert result.att[0] == pytest.approx((np.exp(index) * (1 - 1 / 1.3))[panel.treated].mean(), rel=1e-8)


# Identities -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 2, 3, 5, 6, 8, 9, 11])
def test_balanced_points_equal_imputation(seed) -> None:
    panel = random_panel(seed, missing=0.0)
    rng = np.random.default_rng(seed)
    panel = replace(panel, weight=np.repeat(rng.uniform(0.5, 2, (40, 1)), 8, axis=1))
    ours, other = labeled(extended(panel)), labeled(imputation(panel, inference=FEW))
    compared = [name for name in ours if name in other and (name[0] != "event" or name[1] >= 0)]
    assert len(compared) > 8
    for name in compared:
        assert ours[name][0] == pytest.approx(other[name][0], rel=1e-8, abs=1e-10), name


def test_gaps_separate_the_regression_from_imputation() -> None:
    """The regression fits unit effects on treated outcomes too; only balance makes them equal."""
    panel = random_panel(1, missing=0.15)
    other = imputation(panel, inference=FEW).att[0]
    assert extended(panel).att[0] != pytest.approx(other, rel=1e-4)


def test_never_treated_cells_are_differences_of_means() -> None:
    panel = random_panel(0, adoption=(0, 2003, 2005))
    found = cells(extended(panel, control_group="never_treated"))
    never = panel.y[panel.cohort == 0].mean(axis=0)
    assert {g for g, _ in found} == {2003, 2005}
    for (g, t), (point, _) in found.items():
        own = panel.y[panel.cohort == g].mean(axis=0)
        base, at = g - 1 - 2001, t - 2001
        expected = (own[at] - own[base]) - (never[at] - never[base])
        assert point == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("family", ["gaussian", "poisson"])
def test_constants_labels_scale_and_replication(family) -> None:
    panel = random_panel(0) if family == "gaussian" else replace(counts(0), offset=None)
    base = labeled(extended(panel, family=family))
    scaled = labeled(extended(replace(panel, y=5.0 * panel.y), family=family))
    later = replace(panel, periods=panel.periods + 7, cohort=np.where(panel.cohort == 0, 0, panel.cohort + 7))
    moved = labeled(extended(later, family=family))
    heavier = labeled(extended(replace(panel, weight=7.0 * panel.weight), family=family))
    for (term, label), values in base.items():
        times = 1.0 if term == "coef:log_ratio" else 5.0
        expected = np.array(values) * times
        assert scaled[term, label] == pytest.approx(expected, rel=1e-7, nan_ok=True)
        assert heavier[term, label] == pytest.approx(values, rel=1e-7, nan_ok=True)
        shift = 7 if term in {"group", "calendar"} and label else 0
        assert moved[term, label + shift if shift else label] == pytest.approx(values, rel=1e-7, nan_ok=True)


def test_unit_and_period_constants_change_nothing() -> None:
    panel = with_covariates(with_varying_weights(random_panel(1)))
    rng = np.random.default_rng(5)
    y = panel.y + 10 * rng.normal(size=(40, 1)) + 10 * rng.normal(size=8)
    before = extended(panel).table[["estimate", "std_error"]].to_numpy()
    after = extended(replace(panel, y=y)).table[["estimate", "std_error"]].to_numpy()
    assert after == pytest.approx(before, rel=1e-6, nan_ok=True)


def test_the_reference_period_is_exactly_zero() -> None:
    result = extended(random_panel(0), control_group="never_treated", anticipation=1)
    row = result.rows("event").set_index("event_time").loc[-2]
    assert row["estimate"] == 0
    assert np.isnan(row["std_error"])
    assert labeled(result)["event", -1][1] > 0


def test_many_cells_leave_their_own_rows_out() -> None:
    panel = random_panel(0, n_units=300, n_periods=40, adoption=(0, *range(2010, 2032)))
    result = extended(panel)
    assert result.details.extras["cells"] > 400
    assert result.rows("att_gt").empty
    assert result.att[0] == pytest.approx(imputation(panel, inference=FEW).att[0], rel=1e-8)


# What is cut, and refusals ----------------------------------------------------------------------


def test_periods_from_the_last_cohort_on_are_cut() -> None:
    result = extended(random_panel(0, adoption=(2003, 2004, 2006)))
    assert any(
        "3 periods without a comparison were cut (2006 to 2008)" in note for note in result.details.notes
    )
    assert result.rows("group")["cohort"].dropna().tolist() == [2003, 2004]


def test_poisson_drops_cohorts_without_a_positive_untreated_outcome() -> None:
    panel = counts(0, adoption=(0, 2003, 2004, 2006), n_units=60)
    y = np.where((panel.cohort == 2003)[:, None] & (panel.periods < 2003), 0.0, panel.y)
    dropped = extended(replace(panel, y=y), family="poisson")
    assert any("1 cohorts without a positive untreated outcome" in n for n in dropped.details.notes)
    without = extended(panel.keep_units(panel.cohort != 2003), family="poisson")
    assert dropped.att == pytest.approx(without.att, rel=1e-9)


def refusals():
    panel = random_panel(0)
    count = counts(0)
    nobody = replace(panel, cohort=np.where(panel.cohort == 0, 2007, panel.cohort))
    return {
        "negative": (panel, {"family": "poisson"}, PanelError, "are negative"),
        "zero": (
            replace(count, y=np.where(count.treated, 1.0, 0.0)),
            {"family": "poisson"},
            PanelError,
            "zero|comparison",
        ),
        "family": (panel, {"family": "gausian"}, SpecError, "did you mean 'gaussian'"),
        "offset": (count, {}, SpecError, "An offset belongs to"),
        "last": (panel, {"control_group": "last_treated"}, SpecError, "not 'last_treated'"),
        "never": (nobody, {"control_group": "never_treated"}, PanelError, "never_treated"),
        "window": (panel, {"window": (90, 99)}, PanelError, "contains no event time"),
    }


@pytest.mark.parametrize("case", refusals())
def test_refusals_say_what_is_wrong(case) -> None:
    panel, options, error, message = refusals()[case]
    with pytest.raises(error, match=message):
        extended(panel, **options)


@pytest.mark.parametrize("unit", [1e-8, 1e8])
def test_the_unit_of_a_covariate_and_a_constant_in_it_change_nothing(unit: float) -> None:
    panel = draw_panel(15, missing=0.03)
    x = np.random.default_rng(15).normal(size=(2, *panel.y.shape))
    names = ("a", "b")
    plain, moved = (
        etwfe(replace(panel, covariates=each, covariate_names=names)).table
        for each in (x, unit * (x + 3.0) * np.array([1.0, 1e-3])[:, None, None])
    )
    columns = ["estimate", "std_error"]
    np.testing.assert_allclose(moved[columns], plain[columns], rtol=1e-6, atol=1e-8)
