"""CR2 and CV3 against R clubSandwich, formulas written out and refits; leverage against hats."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cluster_robust_designs import cases
from scipy import stats
from two_way_data import two_way_panel

from replication.core.errors import PanelError, SpecError
from replication.core.estimates import row_labels
from replication.core.spec import Inference, parse_spec
from replication.estimators.callaway_santanna import callaway_santanna
from replication.estimators.dcdh import dcdh
from replication.estimators.estimate_spec import ENTRIES
from replication.estimators.estimate_spec import estimate as run
from replication.estimators.event_study import event_study
from replication.estimators.imputation import imputation
from replication.estimators.local_projections import local_projections
from replication.estimators.poisson import poisson
from replication.estimators.shared.cluster_weights import weighted_shares
from replication.estimators.shared.estimation_sample import estimation_sample
from replication.estimators.shared.fixed_effects import read_effects
from replication.estimators.shared.regression_influence import regular_leverage
from replication.estimators.shared.two_way_shares import blocks_of, two_way_shares
from replication.estimators.stacked import stacked
from replication.estimators.sun_abraham import sun_abraham
from replication.estimators.twfe import fit_twfe, twfe
from replication.estimators.two_stage import two_stage
from replication.inference.bias_reduced import bias_reduced, weighted_bias_reduced
from replication.inference.leverage import FEW_EFFECTIVE
from replication.inference.methods import ADJUSTING

REFERENCE = pd.read_csv(Path(__file__).parents[1] / "reference" / "cluster_robust.csv")
# R works on the regression with all dummies, whose cross-products have a condition number of some
# 1e6: its roots of matrices and ours agree to about 1e-11. The issue asks for 1e-8.
EQUAL = 1e-8
CASES = cases()


def rows_of(found):
    table = found.table.assign(row=row_labels(found.table)).set_index("row")
    degrees = pd.Series(found.details.by_row["degrees_of_freedom"])
    return table[["estimate", "std_error"]].assign(df=degrees)


def reference(name, kind):
    chosen = REFERENCE[(REFERENCE["case"] == name) & (REFERENCE["type"] == kind)]
    assert len(chosen), (name, kind)
    return chosen.set_index("row")[["estimate", "std_error", "df"]]


@pytest.mark.parametrize("name", [name for name in CASES if "varying" not in name])
def test_cr2_and_its_degrees_equal_clubsandwich(name) -> None:
    requested = reference(name, "CR2")
    found = rows_of(CASES[name].estimate(Inference(variance="cv2"))).loc[requested.index]
    np.testing.assert_allclose(found, requested, rtol=EQUAL)


@pytest.mark.parametrize("name", CASES)
def test_cv3_is_cr3_of_clubsandwich_times_its_factor(name) -> None:
    requested = reference(name, "CR3")
    n_clusters = np.unique(CASES[name].written().cluster).size
    found = rows_of(CASES[name].estimate(Inference(variance="cv3"))).loc[requested.index]
    factor = np.sqrt((n_clusters - 1) / n_clusters)
    np.testing.assert_allclose(found["estimate"], requested["estimate"], rtol=EQUAL)
    np.testing.assert_allclose(found["std_error"], factor * requested["std_error"], rtol=EQUAL)
    assert (found["df"] == n_clusters - 1).all()


@pytest.mark.parametrize("name", ["twfe", "twfe_gaps"])
def test_absorbing_in_plm_gives_the_same_reference(name) -> None:
    np.testing.assert_allclose(reference(name, "CR2_plm"), reference(name, "CR2"), rtol=EQUAL)


def hat(written):
    """Hat matrix of the columns that the nested dummies leave, and these columns."""
    root = np.sqrt(written.weight)[:, None]
    nested = written.nested * root
    design = written.design * root
    if nested.size:
        design = design - nested @ (np.linalg.pinv(nested, rcond=1e-10) @ design)
    return design @ np.linalg.pinv(design, rcond=1e-10), design


def jackknifed(written, row):
    """Differences of ``row'beta`` when each cluster is left out and everything is fitted again."""
    columns = np.hstack([written.design, written.nested])
    load = np.concatenate([row, np.zeros(written.nested.shape[1])])
    root = np.sqrt(written.weight)

    def effect(keep):
        x, y = columns[keep] * root[keep, None], written.y[keep] * root[keep]
        return load @ np.linalg.lstsq(x, y, rcond=1e-11)[0]

    whole = effect(np.ones(written.y.size, dtype=bool))
    clusters = np.unique(written.cluster)
    return np.array([effect(written.cluster != g) - whole for g in clusters])


@pytest.mark.parametrize("name", CASES)
def test_cv3_is_the_sum_over_refits_without_each_cluster(name) -> None:
    written = CASES[name].written()
    found = rows_of(CASES[name].estimate(Inference(variance="cv3")))["std_error"]
    for label in list(written.rows)[:2]:
        moved = jackknifed(written, written.rows[label])
        requested = np.sqrt((moved.size - 1) / moved.size * moved @ moved)
        # Refits by lstsq with all dummies have a condition number near 1e6.
        np.testing.assert_allclose(found[label], requested, rtol=1e-8)


@pytest.mark.parametrize("name", [name for name in CASES if "local" not in name])
def test_leverage_and_partial_leverage_are_those_of_the_hat_matrix(name) -> None:
    case = CASES[name]
    written = case.written()
    found = case.estimate(Inference()).details.cluster_influence
    whole, design = hat(written)
    direction = design @ np.linalg.pinv(design.T @ design, rcond=1e-10) @ written.rows["att"]
    clusters = np.unique(written.cluster)
    leverage = [np.diag(whole)[written.cluster == g].sum() for g in clusters]
    part = np.array([(direction[written.cluster == g] ** 2).sum() for g in clusters])
    part = part / part.sum()
    listed = pd.DataFrame(found.by_cluster)
    np.testing.assert_allclose(listed["leverage"], leverage, rtol=1e-8)
    np.testing.assert_allclose(listed["partial_leverage"], part, rtol=1e-8)
    # G* = G / (1 + squared coefficient of variation), Carter, Schnepel & Steigerwald (2017).
    spread = part.var() / part.mean() ** 2
    assert found.effective == pytest.approx(clusters.size / (1 + spread), rel=1e-10)
    assert found.leverage_max == pytest.approx(max(leverage), rel=1e-8)
    assert found.partial_leverage_max == pytest.approx(part.max(), rel=1e-8)


def test_leverage_of_local_projections_is_that_of_the_pooled_regression() -> None:
    case = CASES["local_projections_covariates"]
    written = case.written()
    found = case.estimate(Inference()).details.cluster_influence
    whole, _ = hat(written)
    requested = [np.diag(whole)[written.cluster == g].sum() for g in np.unique(written.cluster)]
    # The pooled horizons are 0 to 0, so that the regression is that of the event row.
    np.testing.assert_allclose(pd.DataFrame(found.by_cluster)["leverage"], requested, rtol=1e-8)


@pytest.mark.parametrize(
    "trends",
    [
        (),
        ("region_by_time",),
        ("unit_linear",),
        ("region_linear",),
        ("region_by_time", "state_linear"),
        ("state_by_time", "region_linear"),
    ],
)
@pytest.mark.parametrize("weights", ["none", "unit"])
def test_closed_and_general_leverage_agree(trends, weights) -> None:
    panel = two_way_panel(3, weights=weights, cluster="state", share=True)
    effects = read_effects(panel, trends)
    sample = estimation_sample(panel, effects)
    general = blocks_of(sample, effects, sample.weight).leverage()
    np.testing.assert_allclose(regular_leverage(panel, effects), general, rtol=1e-9)


@pytest.mark.parametrize("trends", [(), ("region_by_time",), ("unit_linear",)])
def test_the_weighted_algebra_at_equal_weights_is_the_unweighted_one(trends) -> None:
    panel = two_way_panel(3, cluster="state", share=True, covariates=1, missing=0.05)
    effects = read_effects(panel, trends)
    sample = estimation_sample(panel, effects)
    fit = fit_twfe(sample, effects)
    two_way, shares = two_way_shares(sample, effects, fit, np.eye(2))
    one = bias_reduced(shares)
    other = weighted_bias_reduced(weighted_shares(shares, two_way, fit.residual, lambda _: two_way))
    np.testing.assert_allclose(other.score, one.score, atol=1e-11)
    np.testing.assert_allclose(other.freedom, one.freedom, rtol=1e-10)


@pytest.mark.parametrize("variance", ["cv2", "cv3"])
def test_the_unit_of_the_weights_does_not_matter(variance) -> None:
    panel = two_way_panel(3, weights="unit", cluster="state", share=True)
    million = replace(panel, weight=1e6 * panel.weight)
    one, other = (twfe(p, inference=Inference(variance=variance)) for p in (panel, million))
    assert other.att == pytest.approx(one.att, rel=1e-9)
    degrees = [found.details.by_row["degrees_of_freedom"]["att"] for found in (one, other)]
    assert degrees[1] == pytest.approx(degrees[0], rel=1e-9)


@pytest.mark.parametrize("variance", ["cv2", "cv3"])
def test_clusters_of_one_kind_share_their_decomposition(variance) -> None:
    """By unit, clusters of a cohort are alike; a weight of 1 + 1e-13 makes each one its own."""
    panel = two_way_panel(3)
    apart = replace(panel, weight=panel.weight * (1 + 1e-13 * np.arange(45)[:, None]))
    one, other = (
        event_study(p, window=(-2, 2), inference=Inference(variance=variance)) for p in (panel, apart)
    )
    columns = ["std_error", "p_value", "conf_low"]
    np.testing.assert_allclose(one.table[columns], other.table[columns], rtol=1e-8)


def one_treated_cluster():
    panel = two_way_panel(3, cluster="state")
    return replace(panel, cohort=np.where(panel.cluster == 4, panel.periods[4], 0))


@pytest.mark.parametrize("variance", ["cv2", "cv3"])
@pytest.mark.parametrize("estimate", [twfe, event_study, sun_abraham, stacked, local_projections])
def test_an_effect_of_one_cluster_has_no_standard_error(estimate, variance) -> None:
    panel = one_treated_cluster()
    found = estimate(panel, inference=Inference(variance=variance))
    assert np.isfinite(found.att[0])
    assert np.isnan(found.table[["std_error", "p_value", "conf_low", "band_low"]]).all(axis=None)
    assert np.isnan(found.vcov.loc["att", "att"])
    assert any("no standard error for att" in note for note in found.details.notes)


def test_a_pretrend_test_without_variance_gives_its_reason() -> None:
    found = event_study(one_treated_cluster(), inference=Inference(variance="cv3"))
    assert "standard error" in found.details.pretrend.reason


def test_few_degrees_of_freedom_are_noted() -> None:
    panel = two_way_panel(3, cluster="state")
    treated = np.isin(panel.cluster, (4, 5))
    panel = replace(panel, cohort=np.where(treated, panel.periods[4], 0))
    found = twfe(panel, inference=Inference(variance="cv2"))
    assert found.details.by_row["degrees_of_freedom"]["att"] < 4
    assert any("fewer than 4 degrees of freedom" in note for note in found.details.notes)


def test_intervals_and_p_values_use_each_rows_degrees() -> None:
    found = CASES["event_study"].estimate(Inference(variance="cv2", level=0.9))
    table = found.table[found.table["std_error"].notna()]
    degrees = np.array(list(found.details.by_row["degrees_of_freedom"].values()))
    half = stats.t.ppf(0.95, degrees) * table["std_error"]
    np.testing.assert_allclose(table["conf_high"] - table["estimate"], half, rtol=1e-10)
    p_value = 2 * stats.t.sf(np.abs(table["statistic"]), degrees)
    np.testing.assert_allclose(table["p_value"], p_value, rtol=1e-10)
    assert (table["band_high"] >= table["conf_high"] - 1e-12).all()


def test_few_effective_clusters_are_noted_and_many_are_not() -> None:
    panel = two_way_panel(3)
    assert twfe(panel).details.cluster_influence.effective > FEW_EFFECTIVE
    assert not any("effective number of clusters" in note for note in twfe(panel).details.notes)
    heavy = replace(panel, weight=panel.weight * np.where(np.arange(45) < 3, 200, 1)[:, None])
    note = next(note for note in twfe(heavy).details.notes if "effective number of clusters" in note)
    assert "effective number of clusters is 3.3 of 45" in note
    assert "cv3" in note
    periods = np.broadcast_to(np.arange(heavy.periods.size), heavy.y.shape)
    changing = replace(heavy, clusters={"period": periods})
    note = next(note for note in twfe(changing).details.notes if "effective number of clusters" in note)
    assert "cv3" not in note, "CV3 is refused for clusters that units change"


def test_influence_of_poisson_uses_its_working_weights() -> None:
    panel = two_way_panel(3, counts=True, cluster="state")
    found = poisson(panel).details.cluster_influence
    assert found.clusters == 12
    total = sum(row.partial_leverage for row in found.by_cluster)
    assert total == pytest.approx(1, rel=1e-12)
    # Rank of the regressor and the period effects beside unit effects: 1 + 9 - 1.
    assert sum(row.leverage for row in found.by_cluster) == pytest.approx(9, rel=1e-6)


@pytest.mark.parametrize("estimator", sorted(set(ENTRIES) - set(ADJUSTING)))
def test_other_estimators_refuse(estimator) -> None:
    spec = parse_spec(
        {
            "id": "a",
            "outcome": "y",
            "estimator": estimator,
            "inference": {"variance": "cv3"},
        }
    )
    with pytest.raises(SpecError, match=r"variance: cv3.*linear regressions"):
        run(two_way_panel(3, cluster="state"), spec)


@pytest.mark.parametrize("estimate", [imputation, callaway_santanna, dcdh, two_stage, poisson])
def test_functions_called_without_a_specification_refuse_too(estimate) -> None:
    panel = two_way_panel(3, cluster="state", counts=estimate is poisson)
    with pytest.raises(SpecError, match="variance: cv2"):
        estimate(panel, inference=Inference(variance="cv2"))


@pytest.mark.parametrize("estimator", ["event_study", "etwfe"])
def test_poisson_families_refuse(estimator) -> None:
    spec = parse_spec(
        {
            "id": "a",
            "outcome": "y",
            "estimator": estimator,
            "family": "poisson",
            "inference": {"variance": "cv2"},
        }
    )
    with pytest.raises(SpecError, match="family poisson"):
        run(two_way_panel(3, cluster="state", counts=True), spec)


@pytest.mark.parametrize("method", ["wild", "bootstrap", "permutation", "multiplier"])
def test_other_methods_refuse(method) -> None:
    spec = parse_spec(
        {
            "id": "a",
            "outcome": "y",
            "estimator": "twfe",
            "inference": {"variance": "cv3", "method": method},
        }
    )
    with pytest.raises(SpecError, match="belongs to 'method: analytic'"):
        run(two_way_panel(3, cluster="state"), spec)


def test_several_clusterings_varying_weights_and_estimated_shares_refuse() -> None:
    for variance in ("cv2", "cv3"):
        both = two_way_panel(3, cluster="unit_period")
        with pytest.raises(
            PanelError, match=r"one-way clustering only; 2 cluster columns .*\(unit, period\)"
        ):
            twfe(both, inference=Inference(variance=variance))
        alone = replace(both, clusters={"period": both.clusters["period"]})
        with pytest.raises(PanelError, match="units appear in several clusters of 'period'"):
            twfe(alone, inference=Inference(variance=variance))
    varying = two_way_panel(3, cluster="state", weights="varying")
    with pytest.raises(SpecError, match="constant within units"):
        twfe(varying, inference=Inference(variance="cv2"))
    with pytest.raises(SpecError, match="shares: fixed"):
        sun_abraham(
            two_way_panel(3, cluster="state"), shares="estimated", inference=Inference(variance="cv2")
        )
