"""Small panels on which a number looked right and was wrong, each with its right value.

The folders of ``data`` hold one specification and one made-up panel each. Beside every case stand
the other estimators of its kind.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import stats

from replication.cli import main
from replication.core.errors import PanelError, SpecError
from replication.core.estimates import Estimates
from replication.core.frames import read_frame
from replication.core.panel import Panel
from replication.core.panel_builder import build_panel
from replication.core.spec import Inference, Spec, load_specs
from replication.estimators.estimate_spec import ENTRIES, estimate
from replication.inference.joint_tests import hotelling_test, joint_test
from replication.inference.psd import repaired_variance
from replication.inference.support import support_of

DATA = Path(__file__).with_name("data")
INFERENCE = (
    "bootstrap_too_few_draws",
    "event_study_pretrend_singular",
    "multiplier_mammen_two_clusters",
    "single_treated_unit_callaway_santanna",
    "single_treated_unit_twfe",
    "three_clusters_normal_callaway_santanna",
    "three_clusters_sun_abraham",
    "two_way_clusters_not_psd",
    "wild_unbounded_interval",
)
WITHOUT_INFERENCE = ("goodman_bacon", "twfe_weights", "roth_santanna")  # the last: units as clusters only
EFFECTS = [name for name in ENTRIES if name not in WITHOUT_INFERENCE and not ENTRIES[name].needs]
PATHS = [name for name in EFFECTS if name not in ("twfe", "poisson", "ols")]


def case(name: str, **changes: Any) -> Estimates:
    """The estimate of a case, with some keys of its specification changed."""
    spec = replace(load_specs(DATA / name / "spec.yaml")[0], **changes)
    return estimate(build_panel(read_frame(DATA / name / "panel.csv"), spec), spec)


def notes(found: Estimates) -> str:
    return " | ".join(found.details.notes)


def blank(found: Estimates) -> bool:
    """Whether no effect has a statistic, p-value, interval or band."""
    rows = found.table[~found.table["term"].str.startswith("coef:")]
    columns = ["statistic", "p_value", "conf_low", "conf_high", "band_low", "band_high"]
    return bool(rows[columns].isna().all(axis=None)) and len(rows) > 0


# 1. Variances that are not positive semi-definite ------------------------------------------------


def two_way_by_hand(frame: pd.DataFrame) -> np.ndarray:
    """Cameron, Gelbach & Miller (2011) for the event study of the case, from dummies."""
    frame = frame.sort_values(["unit", "time"])
    event = np.where(frame["cohort"] > 0, frame["time"] - frame["cohort"], -1)
    times = sorted(set(event) - {-1})
    path = (event[:, None] == np.array(times)).astype(float)
    effects = pd.get_dummies(frame[["unit", "time"]].astype(str)).to_numpy(dtype=float)
    inner = path - effects @ np.linalg.lstsq(effects, path, rcond=None)[0]
    y = frame["y"].to_numpy()
    y = y - effects @ np.linalg.lstsq(effects, y, rcond=None)[0]
    bread = np.linalg.inv(inner.T @ inner)
    scores = inner * (y - inner @ (bread @ (inner.T @ y)))[:, None] @ bread
    by_unit = pd.DataFrame(scores).groupby(frame["unit"].to_numpy()).sum().to_numpy()
    by_time = pd.DataFrame(scores).groupby(frame["time"].to_numpy()).sum().to_numpy()
    groups = frame["time"].nunique()
    # Both sets of effects are nested in a clustering and count as one constant.
    factor = groups / (groups - 1) * (len(y) - 1) / (len(y) - len(times) - 1)
    meat = by_unit.T @ by_unit + by_time.T @ by_time - scores.T @ scores
    return factor * np.asarray(meat)


def test_two_way_clusters_are_repaired_by_eigenvalue_and_noted() -> None:
    found = case("two_way_clusters_not_psd")
    raw = two_way_by_hand(read_frame(DATA / "two_way_clusters_not_psd" / "panel.csv"))
    values, vectors = np.linalg.eigh(raw)
    assert (values < 0).sum() == 3
    assert (np.diag(raw) > 0).all()
    path, variance = found.path()
    moving = path["std_error"].notna().to_numpy()
    expected = (vectors * np.maximum(values, 0)) @ vectors.T
    # Demeaning by dummies and in closed form agree to 1e-12.
    np.testing.assert_allclose(variance[np.ix_(moving, moving)], expected, atol=1e-10)
    assert np.linalg.eigvalsh(found.vcov.to_numpy())[0] > -1e-12
    assert "not positive semi-definite: 3 of 9 eigenvalues" in notes(found)
    assert found.details.pretrend.p_value is None
    assert "repaired" in found.details.pretrend.reason


@pytest.mark.parametrize(
    "name", ["twfe", "event_study", "callaway_santanna", "imputation", "two_stage", "dcdh"]
)
def test_a_negative_conley_variance_has_no_standard_error(name: str) -> None:
    """Three units in a row share a shock, the outer two are treated and too far apart.

    Their scores are (1, -1, 1) or (1, -2, 1), for which a uniform kernel that links neighbors
    gives 3 - 4 and 6 - 8.
    """
    panel = example_panel(seed=4, n_units=36)
    rng = np.random.default_rng(5)
    y = rng.normal(size=(12, 8)).repeat(3, axis=0) + 0.01 * rng.normal(size=(36, 8))
    row = np.repeat(np.arange(12.0), 3)
    panel = replace(
        panel,
        y=y,
        cohort=np.tile([5, 0, 5], 12),
        coordinates=np.column_stack([np.tile([0.0, 1.0, 2.0], 12), 10 * row]),
    )
    # A degree of latitude is 111 km.
    inference = Inference(method="conley", kernel="uniform", cutoff_km=150)
    found = run(name, panel, inference=inference)
    assert np.isnan(found.att[1])
    assert np.isnan(found.table["p_value"][0])
    assert "variance below zero in the Conley variance" in notes(found)
    assert np.linalg.eigvalsh(found.vcov.to_numpy())[0] > -1e-12


@pytest.mark.parametrize("pairs", ["any_period", "same_period"])
def test_both_kinds_of_pairs_are_repaired(pairs: str) -> None:
    panel = example_panel(seed=4, n_units=36)
    row = np.repeat(np.arange(12.0), 3)
    place = np.column_stack([np.tile([0.0, 1.0, 2.0], 12), 10 * row])
    inference = Inference(method="conley", kernel="uniform", cutoff_km=150, pairs=pairs)
    shocks = np.random.default_rng(6).normal(size=(12, 8)).repeat(3, axis=0)
    cohort = np.tile([5, 0, 5], 12)
    panel = replace(panel, y=shocks + 0.01 * panel.y, cohort=cohort, coordinates=place)
    found = run("event_study", panel, inference=inference)
    assert "not positive semi-definite" in notes(found)
    assert found.details.pretrend.p_value is None
    assert np.linalg.eigvalsh(found.vcov.to_numpy())[0] > -1e-12


def test_repair_keeps_a_semidefinite_variance_as_it_is() -> None:
    scores = np.random.default_rng(0).normal(size=(3, 5)) * [1, 1e3, 1e-3, 1, 1]
    variance = scores.T @ scores
    found = repaired_variance(variance, "The variance")
    assert found.notes == ()
    np.testing.assert_array_equal(found.variance, variance)


# 2. Joint tests ----------------------------------------------------------------------------------


def test_leads_of_one_treated_cluster_are_not_tested() -> None:
    found = case("event_study_pretrend_singular")
    assert found.details.pretrend.p_value is None
    assert "only 1 treated cluster" in found.details.pretrend.reason


def test_a_singular_covariance_is_not_inverted() -> None:
    rng = np.random.default_rng(2)
    scores = rng.normal(size=(5, 5))
    scores -= scores.mean(axis=0)
    found = joint_test(rng.normal(size=5), scores.T @ scores, 6, "leads")
    assert found.p_value is None
    assert "its rank is 4" in found.reason


def test_redundant_leads_are_tested_with_their_rank() -> None:
    """Leads that sum to zero: the test of all is that of all but one."""
    rng = np.random.default_rng(3)
    scores, point = rng.normal(size=(30, 4)), rng.normal(size=4)
    whole, all_scores = np.append(point, -point.sum()), np.c_[scores, -scores.sum(axis=1)]
    found = joint_test(whole, all_scores.T @ all_scores, 30)
    wald = point @ np.linalg.solve(scores.T @ scores, point)
    expected = hotelling_test(float(wald), 4, 30)
    assert (found.df, found.df_resid) == (4, 26)
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-8)


@pytest.mark.parametrize("name", PATHS)
def test_every_path_has_a_test_of_its_leads_or_a_reason(name: str) -> None:
    keys = {"donor_errors": "jackknife"} if name == "synthetic_did" else options(name)
    found = run(name, example_panel(seed=1, n_units=60), **keys)
    test = found.details.pretrend
    if name == "synthetic_did":
        assert test.statistic is None
        assert "weights were chosen" in test.reason
        return
    path, variance = found.path()
    leads = ((path["event_time"] < 0) & path["std_error"].notna()).to_numpy()
    points, block = path["estimate"].to_numpy()[leads], variance[np.ix_(leads, leads)]
    rank, groups = np.linalg.matrix_rank(block, tol=1e-9 * block.max()), 60
    assert (test.test, test.df, test.df_resid) == ("F", rank, groups - rank)
    statistic = points @ np.linalg.pinv(block, 1e-9) @ points
    statistic *= (groups - rank) / (rank * (groups - 1))
    assert test.statistic == pytest.approx(statistic, rel=1e-6)
    assert test.p_value == pytest.approx(stats.f.sf(statistic, rank, groups - rank), rel=1e-5)


# 3. Few treated ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["twfe", "callaway_santanna"])
def test_one_treated_unit_has_no_p_value(name: str) -> None:
    found = case(f"single_treated_unit_{name}")
    assert blank(found)
    assert "There is only 1 treated cluster (unit)" in notes(found)
    # Conley-Taber needs 20 control units, of which there are 14.
    assert "permutation" in notes(found)
    assert "conley_taber" not in notes(found)
    assert np.isfinite(found.att).all()


@pytest.mark.parametrize("name", EFFECTS)
@pytest.mark.parametrize("treated", [1, 4, 10])
def test_few_treated_clusters_are_noted_in_every_estimator(name: str, treated: int) -> None:
    panel = example_panel(seed=treated, n_units=40)
    cohort = np.where(np.arange(40) < treated, 5, 0)
    found = run(name, replace(panel, cohort=cohort), **options(name))
    assert found.details.cluster_support.treated == treated
    words = "1 treated cluster " if treated == 1 else f"{treated} treated clusters "
    assert (f"only {words}" in notes(found)) is (treated < 10)
    # Placebo errors of synthetic DiD come from the controls by design.
    assert blank(found) is (treated == 1 and name != "synthetic_did")


def test_treated_units_that_drop_out_are_not_counted() -> None:
    """Units treated from the first period on, and two units of one cluster, carry nothing more."""
    panel = example_panel(seed=8, n_units=40)
    cohort = np.zeros(40, dtype=np.int64)
    cohort[:2], cohort[2:6] = 5, 1
    clusters = {"pair": np.arange(40) // 2}
    for name in EFFECTS:
        if name == "synthetic_did":
            continue
        found = run(name, replace(panel, cohort=cohort, clusters=clusters), **options(name))
        assert found.details.cluster_support.treated == 1, name
        assert blank(found), name


@pytest.mark.parametrize("control_group", [None, "never_treated", "not_yet_treated", "last_treated"])
@pytest.mark.parametrize("never", [True, False])
def test_support_from_dates_equals_support_from_cells(control_group: str | None, *, never: bool) -> None:
    panel = example_panel(seed=2, n_units=20)
    for seed in range(50):
        rng = np.random.default_rng(seed)
        cohort = rng.choice([0, 1, 4, 6, 8, 12] if never else [1, 4, 6, 8], 20)
        whole = replace(panel, cohort=cohort)
        # One more unit that is never seen leaves the counts as they are and takes the cells' path.
        y, weight = (np.vstack([part, part[:1]]) for part in (panel.y, panel.weight))
        y[-1] = np.nan
        more = replace(
            whole,
            y=y,
            weight=weight,
            units=np.arange(21),
            cohort=np.append(cohort, cohort[0]),
            clusters={"unit": np.arange(21)},
        )
        assert support_of(more, control_group) == support_of(whole, control_group)


@pytest.mark.parametrize("treated", [1, 4, 30])
def test_doses_count_where_they_change(treated: int) -> None:
    """A share of the period in force counts as treatment, a dose that is always there does not."""
    panel = example_panel(seed=12, n_units=40)
    dose = np.zeros((40, 8))
    dose[:treated, 4] = 0.3
    dose[:treated, 5:] = 1
    found = run("twfe", replace(panel, exposure=dose), treatment="d")
    assert found.details.cluster_support.treated == treated
    assert blank(found) is (treated == 1)
    steady = dose + np.arange(40)[:, None]
    again = run("twfe", replace(panel, exposure=steady), treatment="d")
    assert again.details.cluster_support.treated == treated
    varying = np.random.default_rng(1).uniform(1, 2, size=(40, 8))
    everywhere = run("twfe", replace(panel, exposure=varying), treatment="d")
    assert everywhere.details.cluster_support.treated == everywhere.details.cluster_support.control == 40
    assert np.isfinite(everywhere.table["p_value"][0])


def test_one_control_unit_is_as_bad_as_one_treated_unit() -> None:
    panel = example_panel(seed=9, n_units=30)
    cohort = np.where(np.arange(30) < 29, 5, 0)
    found = run("callaway_santanna", replace(panel, cohort=cohort))
    assert blank(found)
    assert "There is only 1 control cluster" in notes(found)


def test_a_permuted_p_value_stays_with_one_treated_unit() -> None:
    found = case("single_treated_unit_twfe", inference=Inference(method="permutation", draws=99))
    assert 0 < found.table["p_value"][0] <= 1
    assert found.table[["conf_low", "conf_high"]].isna().all(axis=None)


# 4. Few clusters ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["callaway_santanna", "sun_abraham"])
def test_three_clusters_that_are_three_cohorts_have_no_variance(name: str) -> None:
    folder = {
        "callaway_santanna": "three_clusters_normal_callaway_santanna",
        "sun_abraham": "three_clusters_sun_abraham",
    }[name]
    found = case(folder)
    assert blank(found)
    assert "the cluster scores are all zero" in notes(found)
    assert "No standard error is reported for" in notes(found)


@pytest.mark.parametrize("name", ["imputation", "two_stage", "callaway_santanna"])
def test_clusters_above_the_unit_have_t_and_a_factor(name: str) -> None:
    """G/(G-1) in the variance and t(G-1), or neither if asked for by name."""
    clustered = replace(example_panel(seed=3, n_units=60), clusters={"c": np.arange(60) % 20})
    usual = run(name, clustered).table
    plain = run(name, clustered, inference=Inference(small_sample="none")).table
    normal = run(name, clustered, inference=Inference(distribution="normal")).table
    effects = ((usual["event_time"] >= 0) | (usual["term"] == "att")).to_numpy()
    ratio = usual["std_error"][effects] / plain["std_error"][effects]
    np.testing.assert_allclose(ratio, np.sqrt(20 / 19), rtol=1e-10)
    for table, distribution in ((usual, stats.t(19)), (plain, stats.t(19)), (normal, stats.norm)):
        reach = (table["conf_high"] - table["estimate"]) / table["std_error"]
        np.testing.assert_allclose(reach[effects], distribution.ppf(0.975), rtol=1e-9)


@pytest.mark.parametrize(("n_units", "distribution"), [(39, stats.t(38)), (40, stats.norm)])
def test_units_as_clusters_have_t_where_they_are_few(n_units: int, distribution: Any) -> None:
    for name in ("imputation", "two_stage", "callaway_santanna", "dcdh"):
        table = run(name, example_panel(seed=5, n_units=n_units)).table
        row = table[table["term"] == "att"].iloc[0]
        reach = (row["conf_high"] - row["estimate"]) / row["std_error"]
        assert reach == pytest.approx(distribution.ppf(0.975), rel=1e-9), name


# 6. Draws ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["callaway_santanna", "imputation", "sun_abraham", "dcdh"])
def test_multiplier_errors_of_a_handful_of_clusters_are_refused(name: str) -> None:
    inference = Inference(method="multiplier", multiplier="mammen")
    with pytest.raises(PanelError, match=r"mammen multipliers of 2 clusters.*12 clusters or more"):
        case("multiplier_mammen_two_clusters", estimator=name, inference=inference)


def test_a_wild_interval_without_ends_is_unbounded() -> None:
    """32 patterns of signs: the smallest p-value is 1/16."""
    found = case("wild_unbounded_interval")
    row = found.table.iloc[0]
    assert (row["conf_low"], row["conf_high"]) == (-np.inf, np.inf)
    assert row["p_value"] >= 1 / 16
    assert "unbounded" in notes(found)


@pytest.mark.parametrize("multiplier", ["rademacher", "webb", "mammen"])
@pytest.mark.parametrize("interval", ["symmetric", "equal_tailed"])
def test_ends_of_wild_intervals_do_not_move_with_the_scale(multiplier: str, interval: str) -> None:
    """A finite end is where the test starts to reject: outcomes times 1000 move it as much."""
    panel = replace(example_panel(seed=6, n_units=24), clusters={"c": np.arange(24) % 6})
    inference = Inference(method="wild", multiplier=multiplier, interval=interval, draws=499)
    ends = [
        run("twfe", replace(panel, y=scale * panel.y), inference=inference)
        .table[["conf_low", "conf_high"]]
        .iloc[0]
        .to_numpy(dtype=float)
        / scale
        for scale in (1.0, 1000.0)
    ]
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-6)
    assert (np.isinf(ends[0]) | (np.abs(ends[0]) < 1e3)).all()


@pytest.mark.parametrize(
    ("inference", "needed"),
    [
        ({"method": "bootstrap", "level": 0.999999}, 2_000_000),
        ({"method": "bootstrap", "draws": 1}, 40),
        ({"method": "bootstrap", "draws": 19, "distribution": "t"}, 20),
        ({"method": "bootstrap", "draws": 19, "interval": "symmetric"}, 20),
        ({"method": "permutation", "draws": 18}, 19),
        ({"distribution": "bootstrap_t", "draws": 19}, 20),
        ({"method": "multiplier", "draws": 5}, 20),
    ],
)
def test_too_few_draws_are_refused_with_the_number_needed(inference: dict[str, Any], needed: int) -> None:
    with pytest.raises(SpecError, match=f"to {needed} or more"):
        case("bootstrap_too_few_draws", inference=Inference(**inference))


def test_bands_from_too_few_draws_are_not_reported() -> None:
    panel = example_panel(seed=7, n_units=60)
    found = run("event_study", panel, inference=Inference(draws=99, level=0.999))
    event = found.rows("event").dropna(subset="std_error")
    assert event["band_low"].isna().all()
    assert event["conf_low"].notna().all()
    assert "99.9% uniform bands need at least 1000 draws" in notes(found)


# The promise of the command line -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (path.name, 2 if path.name in ("multiplier_mammen_two_clusters", "bootstrap_too_few_draws") else 0)
        for path in sorted(DATA.iterdir())
        if path.name in INFERENCE
    ],
)
def test_the_command_answers_every_case(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, code: int
) -> None:
    folder = DATA / name
    given = ["estimate", str(folder / "spec.yaml"), "--panel", str(folder / "panel.csv")]
    assert main([*given, "--out", str(tmp_path / "out")]) == code
    output = capsys.readouterr()
    assert "Traceback" not in output.err
    if code:
        assert output.err.count("\n") == 1
        return
    record = yaml.safe_load((tmp_path / "out" / "spec.yaml").read_text())
    assert record["details"]["notes"]
    assert "Note: " in output.out


def options(name: str) -> dict[str, Any]:
    """Keys with which an estimator shows leads."""
    if name == "etwfe":
        return {"control_group": "never_treated"}
    return {"window": (-3, 2)} if name == "stacked" else {}


def run(name: str, panel: Panel, **keys: Any) -> Estimates:
    return estimate(panel, Spec(id="made", outcome="y", estimator=name, **keys))


def example_panel(*, seed: int, n_units: int, n_periods: int = 8) -> Panel:
    """Positive outcomes without an effect, three cohorts and never-treated units, by turns."""
    rng = np.random.default_rng(seed)
    shape = (n_units, n_periods)
    return Panel(
        y=np.exp(0.3 * rng.normal(size=(n_units, 1)) + 0.3 * rng.normal(size=shape)),
        units=np.arange(n_units),
        periods=np.arange(1, n_periods + 1),
        cohort=np.array([0, 4, 5, 6])[np.arange(n_units) % 4],
        weight=np.ones(shape),
        clusters={"unit": np.arange(n_units)},
        outcome="y",
    )
