"""Every estimator with every method: a number, or a refusal that names what there is."""

from dataclasses import replace

import numpy as np
import pytest
from drawn_panels import draw_panel

import replication as rp
from replication.core.errors import SpecError
from replication.core.spec import Inference, Spec
from replication.estimators.estimate_spec import estimate
from replication.estimators.registry import ENTRIES
from replication.inference.bands import interquartile_std_errors
from replication.inference.cluster import sum_by_cluster
from replication.inference.multipliers import multiplier_draws

METHODS = ("analytic", "multiplier", "wild", "bootstrap", "permutation", "conley")


def spec_of(estimator, method):
    inference = Inference(method=method, draws=40, cutoff_km=300)
    needed = {key: key for key in ENTRIES[estimator].needs}
    options = {"donor_errors": "jackknife", "degree": 1, **needed}
    return Spec(id="made", outcome="y", estimator=estimator, inference=inference, **options)


def panel_for(estimator):
    # Timing that is assigned to units one by one leaves no clusters above them.
    panel = draw_panel(3, n_clusters=None if estimator == "roth_santanna" else 12)
    numbers = np.arange(len(panel.units))
    panel = replace(panel, strata={"eligible": numbers % 2}, unit_values={"dose": 1.0 + numbers % 7})
    return replace(panel, y=np.exp(panel.y)) if estimator == "poisson" else panel


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("estimator", ENTRIES)
def test_an_estimator_does_a_method_or_says_which_it_does(estimator, method) -> None:
    spec, able = spec_of(estimator, method), ENTRIES[estimator].methods
    if method not in able:
        with pytest.raises(SpecError, match=f"{estimator} does not support .*{method}.*{able[-1]}"):
            estimate(panel_for(estimator), spec)
        return
    found = estimate(panel_for(estimator), spec)
    plain = estimate(panel_for(estimator), spec_of(estimator, "analytic"))
    row, usual = found.rows("att").iloc[0], plain.rows("att").iloc[0]
    assert found.details.uncertainty.method == method
    assert row["estimate"] == pytest.approx(usual["estimate"], rel=1e-12)
    assert row["std_error"] > 0
    assert 0 < row["p_value"] <= 1
    assert row["conf_low"] < row["conf_high"]
    if method != "analytic":
        changed = ["std_error", "p_value", "conf_low"]
        assert (row[changed] != usual[changed]).any()


def test_multiplier_errors_are_the_spread_of_the_draws() -> None:
    panel = draw_panel(4, n_clusters=20)
    spec = spec_of("twfe", "multiplier")
    found = estimate(panel, spec)
    sums = found.overall.sums[:, None]
    expected = interquartile_std_errors(multiplier_draws(sums, spec.inference))[0]
    assert found.att[1] == pytest.approx(expected, rel=1e-12)
    assert sum_by_cluster(np.ones((48, 1)), found.overall.codes).sum() == 48


def test_two_clusterings_leave_no_influence_to_multiply() -> None:
    panel = draw_panel(5, n_clusters=10)
    two = replace(panel, clusters={"a": panel.cluster, "b": np.arange(48) // 6})
    with pytest.raises(SpecError, match="one clustering"):
        estimate(two, spec_of("twfe", "multiplier"))


def test_permutation_in_a_specification_uses_its_strata() -> None:
    panel = draw_panel(6, stratum=True)
    spec = spec_of("twfe", "permutation")
    within = replace(spec, inference=replace(spec.inference, strata="region"))
    free, bound = estimate(panel, spec), estimate(panel, within)
    assert bound.details.permutation.strata == "region"
    assert free.details.permutation.statistics != bound.details.permutation.statistics


@pytest.mark.parametrize(
    ("inference", "words"),
    [
        ({"method": "multiplier", "draws": 5}, "5 draws are too few for a multiplier standard error. Set"),
        ({"method": "multiplier", "draws": 19, "level": 0.5}, "'inference.draws' to 20 or more"),
        ({"method": "bootstrap", "draws": 5, "level": 0.5}, "5 draws are too few for a bootstrap standard"),
        ({"method": "bootstrap", "draws": 5}, "5 draws are too few for a 95% percentile interval."),
    ],
)
def test_a_lower_level_is_not_advised_where_the_standard_error_needs_more_draws(inference, words) -> None:
    with pytest.raises(SpecError) as stopped:
        rp.estimate(rp.simulated_panel(seed=1), outcome="y", inference=inference)
    assert words in str(stopped.value)
    assert "lower" not in str(stopped.value)


def test_a_lower_level_is_advised_where_it_helps() -> None:
    frame = rp.simulated_panel(seed=1)
    with pytest.raises(SpecError, match=r"95% percentile interval.* or lower 'inference.level'"):
        rp.estimate(frame, outcome="y", inference={"method": "bootstrap", "draws": 20})
    found = rp.estimate(frame, outcome="y", inference={"method": "bootstrap", "draws": 20, "level": 0.9})
    assert np.isfinite(found.att[1])
    words = r"5 draws are too few for a p-value below 0\.05\. Set 'inference\.draws' to 19 or more"
    with pytest.raises(SpecError, match=words):
        rp.estimate(frame, outcome="y", estimator="twfe", inference={"method": "permutation", "draws": 5})
