"""Conley-Taber and Ferman-Pinto against loops over clusters, their symmetries, their refusals."""

from dataclasses import asdict, replace
from functools import partial

import numpy as np
import pytest
from drawn_panels import as_frame
from few_treated_written_out import (
    interval,
    loadings_of_group_time,
    loadings_of_twfe,
    p_value,
    placebo_values,
    variance_shape,
)

from replication.core.errors import InputError
from replication.core.panel import Panel
from replication.core.panel_builder import build_panel
from replication.core.spec import Inference, Spec, parse_spec
from replication.estimators.control_residuals import control_residuals
from replication.estimators.estimate_spec import estimate
from replication.estimators.twfe import twfe
from replication.estimators.unused_keys import find_unused_keys
from replication.inference.few_treated import TITLES, few_treated_test
from replication.inference.methods import FEW_TREATED
from replication.inference.size_variance import rescaling, variance_by_size

CT = Inference(method="conley_taber")
FP = Inference(method="ferman_pinto")
LINEAR = (
    "twfe",
    "event_study",
    "callaway_santanna",
    "sun_abraham",
    "imputation",
    "two_stage",
    "etwfe",
    "stacked",
    "local_projections",
    "dcdh",
)
# Loadings come from differences of fits, exact to about 1e-12 of a step.
CLOSE = {"rel": 1e-8, "abs": 1e-10}


def artificial(
    seed: int,
    *,
    clusters: int = 24,
    dates: tuple[int, ...] = (5,),
    units: int = 1,
    uneven: bool = False,
    weighted: bool = False,
    gaps: bool = False,
    covariate: bool = False,
    stratum: bool = False,
) -> Panel:
    """Autoregressive shocks of clusters and units; the first clusters adopt on ``dates``."""
    rng = np.random.default_rng(seed)
    size = rng.integers(1, 2 * units + 3, clusters) if uneven else np.full(clusters, units)
    code = np.repeat(np.arange(clusters), size)
    shape = (code.size, 8)
    y = rng.normal(size=(clusters, 8)).cumsum(axis=1)[code] / 2 + rng.normal(size=shape)
    if gaps:
        # Every cluster keeps its first unit whole.
        hole = rng.random(shape) < 0.1
        hole[np.unique(code, return_index=True)[1]] = False
        y[hole] = np.nan
    cohort = np.zeros(clusters, dtype=np.int64)
    cohort[: len(dates)] = dates
    weight = rng.uniform(0.5, 3, code.size) if weighted else np.ones(code.size)
    return Panel(
        y=y,
        units=np.arange(code.size),
        periods=np.arange(1, 9),
        cohort=cohort[code],
        weight=np.repeat(weight[:, None], 8, axis=1),
        clusters={"state": code},
        covariates=rng.normal(size=(1, *shape)) if covariate else None,
        covariate_names=("x",) if covariate else (),
        strata={"region": np.arange(clusters)[code] % 2} if stratum else {},
        weighted=weighted,
        outcome="y",
    )


def spec_of(estimator: str, inference: Inference, **options: object) -> Spec:
    return Spec(id="few", outcome="y", estimator=estimator, inference=inference, **options)


def overall(panel: Panel, estimator: str, inference: Inference, **options: object):
    return estimate(panel, spec_of(estimator, inference, **options)).rows("att").iloc[0]


@pytest.mark.parametrize("inference", [CT, FP])
@pytest.mark.parametrize(
    ("options", "trends"),
    [
        ({}, ()),
        ({"dates": (4, 6)}, ()),
        ({"units": 3, "uneven": True, "dates": (5, 5)}, ()),
        ({"units": 2, "uneven": True, "weighted": True, "dates": (4, 6)}, ()),
        ({"units": 4, "gaps": True, "weighted": True}, ()),
        ({"units": 3, "covariate": True, "gaps": True}, ()),
        ({"units": 2, "uneven": True, "stratum": True, "dates": (5, 6)}, ("region_by_time",)),
        ({"units": 2, "weighted": True}, ("unit_linear",)),
    ],
)
def test_two_way_effects_against_dummies_and_loops(options, trends, inference) -> None:
    panel = artificial(1, **options)
    row = overall(panel, "twfe", inference, trends=trends)
    loading = loadings_of_twfe(panel, trends)
    draws = placebo_values(panel, loading, trends, sizes=inference is FP)
    assert row["estimate"] == pytest.approx(np.nansum(loading * panel.y), **CLOSE)
    assert row["p_value"] == p_value(row["estimate"], draws)
    # The likelihood of the sizes is maximised without derivatives in the formulas written out.
    close = CLOSE if inference is CT else {"rel": 1e-5}
    assert row["std_error"] == pytest.approx(np.sqrt(np.mean(draws**2)), **close)
    ends = interval(row["estimate"], draws)
    assert (row["conf_low"], row["conf_high"]) == pytest.approx(ends, **close)


@pytest.mark.parametrize("seed", range(20))
def test_group_time_average_against_loops(seed) -> None:
    panel = artificial(seed, dates=(4, 6), units=1 + seed % 2)
    row = overall(panel, "callaway_santanna", CT, control_group="never_treated")
    loading = loadings_of_group_time(panel)
    draws = placebo_values(panel, loading)
    assert row["estimate"] == pytest.approx((loading * panel.y).sum(), **CLOSE)
    assert row["p_value"] == p_value(row["estimate"], draws)
    ends = interval(row["estimate"], draws)
    assert (row["conf_low"], row["conf_high"]) == pytest.approx(ends, **CLOSE)


def test_one_treated_of_equal_clusters_is_the_formula_of_conley_and_taber() -> None:
    """Section III with one treated group: ``sum_t (d_t - mean d) e_lt / sum_t (d_t - mean d)^2``.

    With all clusters alike, two-way loadings are those times D / (D + 1), up to what loads on the
    controls; the finite-sample factor is sqrt((1 + 1/D) D/(D - 1)).
    """
    panel = artificial(3, clusters=41)
    d = panel.dose[0] - panel.dose[0].mean()
    y = panel.y[1:] - panel.y[1:].mean(axis=1, keepdims=True)
    placebo = (y - y.mean(axis=0)) @ d / (d @ d)
    observed = (panel.y[0] - panel.y[1:].mean(axis=0)) @ d / (d @ d)
    row = overall(panel, "twfe", CT)
    assert row["estimate"] == pytest.approx(observed, **CLOSE)
    draws = placebo * np.sqrt((1 + 1 / 40) * 40 / 39)
    assert row["p_value"] == p_value(observed, draws)
    assert row["std_error"] == pytest.approx(np.sqrt(np.mean(draws**2)), **CLOSE)


def test_random_choices_of_controls_approach_all_of_them() -> None:
    panel = artificial(4, dates=(4, 5, 6), clusters=23)
    draws = placebo_values(panel, loadings_of_twfe(panel))
    row = overall(panel, "twfe", replace(CT, draws=4999))
    # Three standard errors of a share from 4,999 draws.
    assert row["p_value"] == pytest.approx(p_value(row["estimate"], draws), abs=0.022)
    assert row["std_error"] == pytest.approx(np.sqrt(np.mean(draws**2)), rel=0.04)


@pytest.mark.parametrize("estimator", LINEAR)
def test_every_linear_estimator_moves_with_an_effect_and_not_with_the_data(estimator) -> None:
    """The placebo values do not know the effect, the units' levels or the periods' levels."""
    panel = artificial(5, dates=(4, 6), units=2)
    options = {"window": (-2, 1)} if estimator in ("stacked", "local_projections") else {}
    first = estimate(panel, spec_of(estimator, CT, **options))
    rng = np.random.default_rng(6)
    level = rng.normal(size=(len(panel.y), 1)) + rng.normal(size=8)
    second = estimate(
        replace(panel, y=2 * (panel.y + level + 3 * panel.treated)), spec_of(estimator, CT, **options)
    )
    post = first.table["term"].eq("att") | first.table["event_time"].ge(0)
    for name in ("conf_low", "conf_high", "band_low", "band_high", "estimate"):
        expected = 2 * (first.table[name] + 3 * post)
        found = second.table[name]
        assert found[post].tolist() == pytest.approx(expected[post].tolist(), rel=1e-7, abs=1e-7)
    row = first.rows("att").iloc[0]
    middle = (row["conf_low"] + row["conf_high"]) / 2
    assert middle == pytest.approx(row["estimate"], **CLOSE)
    assert row["std_error"] > 0
    path = first.rows("event")
    path = path[path["event_time"].notna() & path["std_error"].notna()]
    assert (path["band_low"] <= path["conf_low"] + 1e-12).all()
    place = first.table["term"].tolist().index("att")
    variance = first.vcov.to_numpy()[place, place]
    assert variance == pytest.approx(row["std_error"] ** 2, **CLOSE)


def test_sizes_of_clusters_change_the_test_only_where_they_differ() -> None:
    equal = artificial(7, units=3, dates=(5, 5))
    one, other = (estimate(equal, spec_of("twfe", method)) for method in (CT, FP))
    assert one.table.equals(other.table)
    assert "same size" in other.details.notes[-1]
    uneven = artificial(8, units=6, uneven=True, dates=(5, 5))
    # Without shocks of clusters the variance of a mean is that of a unit over the size.
    uneven = replace(uneven, y=np.random.default_rng(8).normal(size=uneven.y.shape))
    one, other = (overall(uneven, "twfe", method) for method in (CT, FP))
    assert one["std_error"] != pytest.approx(other["std_error"], rel=1e-3)


def test_variance_by_size_finds_the_line_that_made_the_values() -> None:
    rng = np.random.default_rng(8)
    size = rng.uniform(1, 30, 4000)
    variance = 0.5 + 4 / size
    values = rng.normal(size=(1, 4000, 1)) * np.sqrt(variance)[None, :, None]
    model = variance_by_size(values, size)
    a, b = model.a[0, 0], model.b[0, 0]
    columns = np.column_stack([np.ones(size.size), 1 / size])
    # Information of the normal likelihood: sum of x x' / (2 variance^2).
    error = np.sqrt(np.diag(np.linalg.inv((columns.T / (2 * variance**2)) @ columns)))
    assert a == pytest.approx(0.5, abs=3 * error[0])
    assert b == pytest.approx(4, abs=3 * error[1])
    factor = rescaling(model, np.array([2.0]), size)[0, :, 0]
    assert factor**2 == pytest.approx((a + b / 2) / (a + b / size))
    falling = variance_by_size(values * size[None, :, None], size)
    assert falling.b[0, 0] == 0
    assert falling.a[0, 0] == pytest.approx(np.mean((values[0, :, 0] * size) ** 2))


@pytest.mark.parametrize("seed", range(20))
def test_variance_by_size_maximises_the_normal_likelihood(seed) -> None:
    rng = np.random.default_rng(seed)
    size = np.exp(rng.uniform(1, 5, 40))
    values = rng.normal(size=(1, 40, 1)) * np.sqrt(0.1 + seed % 5 / size)[None, :, None]
    model, shape = variance_by_size(values, size), variance_shape(values[0, :, 0], size)
    found = model.at(size)[0, :, 0]
    # A minimum found without derivatives is exact to the root of rounding.
    assert found / found[0] == pytest.approx(shape(size) / shape(size[0]), rel=1e-5)
    assert np.mean(values[0, :, 0] ** 2 / found) == pytest.approx(1, rel=1e-5)


def test_the_test_rejects_as_often_as_it_should_where_clustered_errors_do_not() -> None:
    rejected = {"conley_taber": 0, "analytic": 0}
    for seed in range(60):
        panel = artificial(seed, clusters=40)
        for method in rejected:
            row = overall(panel, "twfe", Inference(method=method))
            if method == "analytic":
                # The p-value is not reported; this is what it would have been.
                rejected[method] += abs(row["estimate"] / row["std_error"]) > 2.0
            else:
                rejected[method] += row["p_value"] <= 0.05
    # Three of sixty expected; eight is three standard errors above.
    assert rejected["conley_taber"] <= 8
    assert rejected["analytic"] >= 36


def test_covariates_keep_the_clustered_errors_of_the_regression() -> None:
    panel = artificial(9, covariate=True, units=2)
    found, plain = (estimate(panel, spec_of("twfe", one)) for one in (CT, Inference()))
    row, usual = (one.rows("coef:x").iloc[0] for one in (found, plain))
    assert row.equals(usual)
    assert found.vcov.loc["coef:x", "coef:x"] == plain.vcov.loc["coef:x", "coef:x"]
    assert found.vcov.loc["att", "coef:x"] == 0


def test_leads_are_tested_against_placebo_values() -> None:
    found = estimate(artificial(10), spec_of("event_study", CT))
    leads = found.rows("event")
    leads = leads[leads["event_time"] < -1]
    test = found.details.pretrend
    assert test.df == len(leads) == 3
    assert test.statistic == leads["statistic"].abs().max()
    assert test.p_value * 24 % 1 == pytest.approx(0, abs=1e-9)
    record = asdict(found.details.few_treated)
    factor = record.pop("finite_sample_factor")
    assert factor == pytest.approx(np.sqrt((1 + 1 / 23) * 23 / 22), rel=1e-8)
    assert record == {
        "method": "conley_taber",
        "treated_clusters": 1,
        "control_clusters": 23,
        "placebo_values": 23,
        "smallest_p_value": 1 / 24,
    }


def test_controls_with_gaps_and_clusters_treated_throughout_are_left_out_with_a_note() -> None:
    panel = artificial(11, clusters=26)
    y = panel.y.copy()
    y[20, 3] = np.nan
    cohort = panel.cohort.copy()
    cohort[25] = 1
    found = estimate(replace(panel, y=y, cohort=cohort), spec_of("twfe", CT))
    assert found.details.few_treated.control_clusters == 23
    notes = " ".join(found.details.notes)
    assert "1 control clusters that are not observed in every period" in notes
    assert "1 clusters are treated in every period" in notes


def test_a_specification_reaches_the_method_and_an_unread_key_is_noted() -> None:
    panel = artificial(14, units=2, dates=(4, 6))
    frame = as_frame(panel).rename(columns={"cluster": "state"})
    data = {"id": "few", "outcome": "y", "estimator": "imputation", "cluster": "state"}
    spec = parse_spec({**data, "inference": {"method": "conley_taber", "statistic": "coefficient"}})
    found = estimate(build_panel(frame, spec), spec)
    row, same = found.rows("att").iloc[0], overall(panel, "imputation", CT)
    assert row["conf_high"] == pytest.approx(same["conf_high"], **CLOSE)
    assert (found.details.uncertainty.method, row["n_clusters"]) == ("conley_taber", 24)
    assert "'inference.statistic' has no effect" in find_unused_keys([spec])["few"][0]
    with pytest.raises(InputError, match="conley_taber"):
        parse_spec({**data, "inference": {"method": "conley_tabor"}})


def everybody(panel: Panel) -> Panel:
    return replace(panel, cohort=np.where(panel.cohort == 0, 7, panel.cohort))


def mixed(panel: Panel) -> Panel:
    cohort = panel.cohort.copy()
    cohort[1] = 0
    return replace(panel, cohort=cohort)


def two_way(panel: Panel) -> Panel:
    return replace(panel, clusters={**panel.clusters, "other": np.arange(len(panel.y))})


@pytest.mark.parametrize(
    ("change", "spec", "message"),
    [
        (everybody, spec_of("twfe", CT), "Every one of the 24 clusters of 'state' is treated"),
        (mixed, spec_of("twfe", CT), "1 of 24 clusters of 'state' units differ.*units 0 and 1"),
        (two_way, spec_of("twfe", FP), "2 clusterings .state, other."),
        (
            lambda panel: panel.keep_units(panel.cluster < 20),
            spec_of("twfe", CT),
            "19 clusters of 'state' are untreated throughout; a test at the 5% level needs at least 20",
        ),
        (
            lambda panel: replace(panel, cohort=np.where(panel.cohort > 0, 9, 0)),
            spec_of("twfe", CT),
            "No cluster of 'state' starts its treatment",
        ),
        (
            lambda panel: replace(panel, y=np.exp(panel.y)),
            spec_of("event_study", CT, family="poisson"),
            "linear in the outcome, and .family: poisson. is not",
        ),
        (lambda panel: panel, spec_of("poisson", CT), "does not support 'inference.method: conley_taber'"),
        (lambda panel: panel, spec_of("synthetic_did", FP), "does not support 'inference.method: ferman"),
        (
            lambda panel: replace(panel, covariates=np.ones((1, *panel.y.shape)), covariate_names=("x",)),
            spec_of("callaway_santanna", CT, covariates=("x",)),
            "lets the coefficients of covariates differ between periods",
        ),
    ],
)
def test_without_a_basis_there_is_a_refusal(change, spec, message) -> None:
    with pytest.raises(InputError, match=message):
        estimate(change(artificial(12, units=2)), spec)


def test_an_estimate_that_is_not_linear_is_found_out() -> None:
    def bent(panel: Panel, *, inference: Inference):
        return twfe(replace(panel, y=np.tanh(panel.y)), inference=inference)

    residuals = partial(control_residuals, estimator="twfe")
    with pytest.raises(InputError, match="not a linear function of the outcome"):
        few_treated_test(bent, artificial(13), CT, residuals)


def test_too_few_draws_for_the_level_are_refused() -> None:
    panel = artificial(13, dates=(4, 5))
    with pytest.raises(InputError, match=r"10 draws cannot give a p-value below 0\.05"):
        estimate(panel, spec_of("twfe", replace(CT, draws=10)))


def test_one_treated_cluster_has_one_placebo_value_per_control_whatever_the_draws() -> None:
    """All 23 placements are listed, so that few draws are no reason to refuse; p is k / 24."""
    panel = artificial(13)
    few, many = (overall(panel, "twfe", replace(CT, draws=draws)) for draws in (5, 999))
    assert few["p_value"] == many["p_value"]
    assert (few["p_value"] * 24) % 1 == pytest.approx(0, abs=1e-9)


def test_the_methods_of_few_treated_clusters_are_those_that_can_be_chosen() -> None:
    """They are named in ``methods`` as well, which loads none of them."""
    assert tuple(TITLES) == FEW_TREATED
