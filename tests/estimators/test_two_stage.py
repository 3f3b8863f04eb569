"""Two-stage: reference values, peers, the stacked moments written out, identities, refusals."""

import warnings
from dataclasses import replace

import diff_diff
import numpy as np
import pyfixest
import pytest
from drawn_panels import as_frame
from written_out import (
    Dense,
    castle,
    clusters_above,
    diff_diff_fit,
    labeled,
    mpdta,
    random_panel,
    with_covariates,
    with_varying_weights,
)

from replication.core.errors import PanelError
from replication.core.spec import Inference
from replication.estimators.imputation import imputation
from replication.estimators.two_stage import two_stage

# The stacked moments and packages have no G/(G-1) where clusters hold several units.
FEW = Inference(draws=9, small_sample="none")


def second(panel, **options):
    return two_stage(panel, inference=FEW, **options)


# diff-diff 3.13 on mpdta, 7 digits printed. The cohort of 2004 is treated in the second period,
# where pyfixest 0.60 stops with an error.
MPDTA = {
    ("att", None): (-0.0477099, 0.0134784),
    ("event", 0): (-0.0310669, 0.0136431),
    ("event", 1): (-0.0522349, 0.0189638),
    ("event", 2): (-0.1360781, 0.0353420),
    ("event", 3): (-0.1047075, 0.0337659),
}


def test_mpdta_equals_the_reference_to_the_printed_digits() -> None:
    found = labeled(second(mpdta()))
    for name, values in MPDTA.items():
        assert found[name] == pytest.approx(values, abs=6e-8), name


def test_castle_equals_three_packages_without_a_small_sample_factor() -> None:
    """pyfixest, py2sdid and diff-diff print 0.066900 (0.057014); G/(G-1) would give 0.057593."""
    assert second(castle()).att == pytest.approx((0.066900, 0.057014), abs=1e-6)


def test_parity_table_of_the_shared_folder(reference) -> None:
    import pandas as pd

    table = pd.read_csv(reference / "parity.csv").query("estimator == 'two_stage'")
    for row in table.itertuples():
        panel = {"mpdta": mpdta, "castle": castle}[row.dataset]()
        assert second(panel).att == pytest.approx((row.estimate, row.std_error), abs=1e-6)


def stacked_moments(dense: Dense, panel, masks: list) -> tuple[np.ndarray, np.ndarray]:
    """Gardner's estimator and variance with dense matrices; the masks are the dummies."""
    w = dense.weight * (dense.fit | dense.effect)
    dummies = np.column_stack([mask.astype(float) for mask in masks])
    cross = np.linalg.inv(dummies.T @ (w[:, None] * dummies))
    estimate = cross @ dummies.T @ (w * dense.tau)
    residual = dense.tau - dummies @ estimate
    gamma = dense.inverse @ (dense.design.T @ (w[:, None] * dummies))
    first = (dense.design @ gamma) * (np.where(dense.fit, dense.weight * dense.tau, 0))[:, None]
    moments = (dummies * (w * residual)[:, None] - first) @ cross
    cluster = np.repeat(panel.cluster, panel.periods.size)
    sums = np.zeros((cluster.max() + 1, len(masks)))
    np.add.at(sums, cluster, moments)
    return estimate, sums.T @ sums


@pytest.mark.parametrize("trends", [(), ("unit_linear",), ("region_by_time",), ("region_linear",)])
@pytest.mark.parametrize("extra", ["plain", "weights", "covariates"])
@pytest.mark.parametrize("n_clusters", [None, 9])
def test_path_equals_the_stacked_moments(trends, extra, n_clusters) -> None:
    panel = random_panel(10, adoption=(0, 2004, 2005, 2007), n_clusters=n_clusters, missing=0.05, n_units=60)
    panel = with_varying_weights(panel) if extra == "weights" else panel
    panel = with_covariates(panel) if extra == "covariates" else panel
    result = second(panel, trends=trends)
    enough = Dense(panel).fit.reshape(panel.y.shape).sum(axis=1) >= 1 + ("unit_linear" in trends)
    panel = panel.keep_units(enough)
    dense = Dense(panel, trends)
    event = dense.event.ravel()
    times = np.unique(event[(dense.fit | dense.effect) & (event > -5000)])
    masks = [(event == h) & (dense.fit | dense.effect) for h in times]
    estimate, variance = stacked_moments(dense, panel, masks)
    path, vcov = result.path()
    assert path["event_time"].tolist() == times.tolist()
    assert path["estimate"].to_numpy() == pytest.approx(estimate, rel=1e-7, abs=1e-9)
    assert vcov == pytest.approx(variance, rel=1e-6, abs=1e-10)
    overall, error = stacked_moments(dense, panel, [dense.effect])
    assert result.att == pytest.approx((overall[0], error[0, 0] ** 0.5), rel=1e-8)


@pytest.mark.parametrize("seed", range(12))
def test_random_panels_equal_diff_diff(seed) -> None:
    """Second-period cohorts, lone units, gaps, clusters above the unit, no never-treated units."""
    panel = random_panel(seed)
    peer, path = diff_diff_fit(diff_diff.TwoStageDiD(cluster=clusters_above(panel)), panel)
    found = labeled(second(panel))
    assert found["att", None] == pytest.approx((peer.overall_att, peer.overall_se), rel=1e-6)
    path = path[(path["event_time"] >= 0) & np.isfinite(path["se"])]
    assert len(path) > 0
    for row in path.itertuples():
        assert found["event", row.event_time] == pytest.approx((row.att, row.se), rel=1e-6)


@pytest.mark.parametrize("seed", [0, 3, 4, 7, 8, 11])
@pytest.mark.parametrize("weighted", [False, True])
def test_random_panels_equal_pyfixest(seed, weighted) -> None:
    """Panels without cohorts of the second period, on which pyfixest 0.60 stops."""
    panel = random_panel(seed, adoption=(0, 2003, 2004, 2006), missing=0.0)
    panel = with_covariates(panel, seed)
    if weighted:
        panel = replace(panel, weight=np.repeat(1.0 + np.arange(40)[:, None] % 5, 8, axis=1))
    frame = as_frame(panel).assign(
        x1=panel.covariates[0].ravel(),
        x2=panel.covariates[1].ravel(),
        treated=panel.treated.ravel().astype(int),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = pyfixest.did2s(
            frame,
            yname="y",
            first_stage="~ x1 + x2 | unit + time",
            second_stage="~ i(treated, ref=0)",
            treatment="treated",
            cluster="cluster",
            weights="w" if weighted else None,
        )
    # pyfixest recovers the fixed effects by iteration, to about five digits here.
    expected = (peer.coef().iloc[0], peer.se().iloc[0])
    assert second(panel).att == pytest.approx(expected, rel=5e-5)


@pytest.mark.parametrize("seed", range(8))
def test_points_equal_the_imputation_estimator(seed) -> None:
    panel = with_varying_weights(with_covariates(random_panel(seed)))
    ours, other = labeled(second(panel)), labeled(imputation(panel, inference=FEW))
    effects = [name for name in ours if name[0] == "att" or name[1] >= 0]
    assert len(effects) > 3
    for name in effects:
        assert ours[name][0] == pytest.approx(other[name][0], rel=1e-12)


def test_constants_labels_and_scale() -> None:
    panel = with_varying_weights(random_panel(1))
    rng = np.random.default_rng(5)
    moved = panel.y + 10 * rng.normal(size=(40, 1)) + 10 * rng.normal(size=8)
    before = second(panel).table[["estimate", "std_error"]].to_numpy()
    after = second(replace(panel, y=3.0 * moved)).table[["estimate", "std_error"]].to_numpy()
    assert after == pytest.approx(3.0 * before, rel=1e-7)


def test_leads_are_means_of_first_stage_residuals_and_say_so() -> None:
    panel = random_panel(0)
    result = second(panel, window=(-2, 1))
    dense = Dense(panel)
    event = dense.event.ravel()
    found = labeled(result)
    for lead in (-2, -1):
        assert found["event", lead][0] == pytest.approx(dense.tau[event == lead].mean(), rel=1e-9)
    assert result.details.base_period == "none"
    assert [row.event_time for row in result.details.support] == [-2, -1, 0, 1]


def test_an_empty_window_is_refused() -> None:
    with pytest.raises(PanelError, match="contains no event time"):
        second(random_panel(0), window=(40, 50))


def test_a_window_after_adoption_has_no_leads_and_the_same_effects() -> None:
    panel = random_panel(3)
    whole, part = (labeled(two_stage(panel, window=w, inference=FEW)) for w in (None, (0, 2)))
    assert set(part) == {("att", None), ("event", 0), ("event", 1), ("event", 2)}
    for name, pair in part.items():
        assert pair == pytest.approx(whole[name], rel=1e-12), name
