"""Which paths are taken, which are refused and how, and the table over many of them."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
from drawn_panels import as_frame, draw_panel
from eligible_panels import eligible_panel
from sensitivity_paths import BC_BETA, BC_SIGMA, benzarti_carloni, example_path, medicaid
from unit_dose_panels import dosed_panel

from replication.core.errors import InputError
from replication.core.estimates import Estimates
from replication.core.panel_builder import build_panel
from replication.core.spec import parse_spec
from replication.estimators.estimate_spec import estimate
from replication.estimators.registry import ENTRIES
from replication.inference.sensitivity import (
    SensitivityError,
    breakdown_value,
    equivalence_test,
    event_path,
    honest_did,
    parallel_trends_interval,
    pretest_path,
    pretest_power,
    sensitivity_table,
)
from replication.inference.sensitivity.event_path import target_weights
from replication.inference.sensitivity.sensitivity_rows import TABLE_COLUMNS

TIMES = [-5, -4, -3, -2, 0, 1, 2, 3]
# A correlation of 2.7 between the first two coefficients.
OVER_ONE = BC_SIGMA + 0.0015 * (np.eye(8)[[1, 0, *range(2, 8)]] - np.diag([0] * 2 + [1] * 6))


def panel():
    return draw_panel(3)


def test_order_and_reference():
    path = event_path(benzarti_carloni())
    assert list(path.times) == TIMES
    assert (path.reference, path.n_pre, path.spacing, path.span) == (-1, 4, 1, "-5..3")
    assert path.estimate == pytest.approx(BC_BETA)
    assert path.variance == pytest.approx(BC_SIGMA)


def test_targets():
    path = event_path(benzarti_carloni())
    assert target_weights(path, "average") == pytest.approx([0.25] * 4)
    assert target_weights(path, 2) == pytest.approx([0, 0, 1, 0])
    # Periods between the reference and adoption are after the reference, but no effect of it.
    early = event_path(example_path(BC_BETA, BC_SIGMA, [-6, -5, -4, -3, -1, 0, 1, 2], reference=-2))
    assert early.n_pre == 4
    assert target_weights(early, "average") == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3])


def test_binned_ends_are_left_out_unless_asked_for():
    binned = example_path(BC_BETA, BC_SIGMA, TIMES, endpoints="bin")
    assert event_path(binned).span == "-4..2"
    assert event_path(binned, (-5, 3)).span == "-5..3"
    assert event_path(benzarti_carloni(), (-3, 1)).span == "-3..1"


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        (
            example_path(BC_BETA, BC_SIGMA, TIMES, base_period="varying"),
            {},
            "varying base period.*linear pre-trend has a kink at zero.*base_period: universal",
        ),
        (
            example_path(BC_BETA[4:], BC_SIGMA[4:, 4:], TIMES[4:]),
            {},
            "no coefficient before its reference period -1",
        ),
        (
            example_path(BC_BETA[:4], BC_SIGMA[:4, :4], TIMES[:4]),
            {},
            "no coefficient after its reference period -1",
        ),
        (
            example_path(BC_BETA[3:6], BC_SIGMA[3:6, 3:6], TIMES[3:6], endpoints="bin"),
            {},
            "once the end coefficients, which pool all event times beyond",
        ),
        (
            benzarti_carloni(),
            {"target": 7},
            r"target 7 is not an event time after the reference period \(-1\)\. "
            "Use 'average' or one of the event times 0, 1, 2, 3",
        ),
        (benzarti_carloni(), {"target": -3}, "target -3 is not an event time after"),
        (benzarti_carloni(), {"target": "mean"}, "target 'mean' is not an event time after"),
        (benzarti_carloni(), {"window": (0, 3)}, "The window 0 to 3 .* Start it at -2 or earlier"),
        (
            example_path(BC_BETA, BC_SIGMA, [-6, -4, -3, -2, 0, 1, 2, 3]),
            {},
            r"not evenly spaced \(-6, -4, -3, -2, -1, 0",
        ),
        (example_path(BC_BETA, OVER_ONE, TIMES), {}, "not positive semi-definite.*cluster one way"),
        (
            example_path(BC_BETA, np.where(np.eye(8) == 1, BC_SIGMA, np.nan), TIMES),
            {},
            "covariance of the event-study coefficients of 'made' has missing values",
        ),
        (example_path(BC_BETA, np.diag([0.01] * 7 + [0]), TIMES), {}, "no standard error at event times 3"),
    ],
)
def test_refusals(path, options, message):
    with pytest.raises(SensitivityError, match=message) as caught:
        honest_did(path, **options)
    assert isinstance(caught.value, InputError)
    assert "\n" not in str(caught.value)


def test_methods_and_bounds_are_checked():
    with pytest.raises(SensitivityError, match=r"'smoothnes' \(did you mean 'smoothness'\?\)"):
        honest_did(medicaid(), method="smoothnes")
    with pytest.raises(SensitivityError, match="relative_magnitudes, smoothness, smoothness_clf"):
        breakdown_value(medicaid(), method="sd")
    with pytest.raises(SensitivityError, match=r"must be finite and nonnegative; got -1\. "):
        honest_did(medicaid(), bounds=[0, -1])
    with pytest.raises(SensitivityError, match=r"'bounds' is an empty list\. Leave it out"):
        honest_did(medicaid(), bounds=[])
    for bounds in (1, "1", [True], {"a": 1}):
        with pytest.raises(
            SensitivityError, match=r"'bounds' must be a list of numbers, such as \[0, 0.5, 1\]"
        ):
            honest_did(medicaid(), bounds=bounds)


@pytest.mark.parametrize(
    ("level", "use"), [(95, "0.95"), (90, "0.9"), (1.0, "0.95"), (0, "0.95"), ("a", "0.95")]
)
def test_a_level_is_a_share_in_every_analysis(level, use):
    analyses = (
        honest_did,
        breakdown_value,
        parallel_trends_interval,
        equivalence_test,
        pretest_power,
        partial(pretest_path, slope=0.1),
    )
    for analysis in analyses:
        with pytest.raises(
            SensitivityError, match=rf"'level' must be above 0 and below 1; got .* Use {use}\."
        ):
            analysis(medicaid(), level=level)


def test_a_window_is_a_pair_in_order():
    with pytest.raises(
        SensitivityError, match=r"The window \[4, -2\] ends before it starts\. Swap the two\."
    ):
        honest_did(medicaid(), window=(4, -2))
    for window in (4, (1, 2, 3), ("a", 2)):
        with pytest.raises(SensitivityError, match="'window' must be the first and the last event time"):
            breakdown_value(medicaid(), window=window)


REFUSED = {
    "imputation": "In imputation, leads come from a separate regression on untreated observations",
    "two_stage": "In two_stage, .*no lead is fixed at zero",
    "etwfe": "In etwfe, .*there are no leads",
    "synthetic_did": "In synthetic_did, .*weights are chosen to make the leads small",
    **dict.fromkeys(
        ["continuous_dose", "goodman_bacon", "ols", "poisson", "twfe", "twfe_weights"],
        "has no event-study coefficients",
    ),
}
KEYS = {
    "continuous_dose": {"dose": "dose"},
    "ols": {"treatment": "d"},
    "synthetic_did": {"donor_errors": "jackknife"},
    "triple_difference": {"eligible": "eligible"},
}


def estimated(name: str, **keys: object) -> Estimates:
    """A result of an estimator on a drawn panel that it takes."""
    frame = as_frame(panel())
    if name == "poisson":
        frame = frame.assign(y=np.exp(frame["y"]))
    drawn = {"continuous_dose": dosed_panel, "triple_difference": eligible_panel}
    if name in drawn:
        frame = pd.DataFrame(drawn[name](3))
    spec = parse_spec({"id": name, "outcome": "y", "estimator": name, **KEYS.get(name, {}), **keys})
    return estimate(build_panel(frame, spec), spec)


@pytest.mark.parametrize("name", ENTRIES)
def test_every_estimator_is_taken_or_refused_with_its_reason(name: str) -> None:
    found = estimated(name)
    if name in REFUSED:
        with pytest.raises(SensitivityError, match=REFUSED[name]) as caught:
            honest_did(found)
        assert "\n" not in str(caught.value)
        return
    frame = honest_did(found, bounds=[0, 1])
    assert (frame["conf_low"] < frame["estimate"]).all()
    assert (frame["conf_high"] > frame["estimate"]).all()
    assert frame["conf_high"].iloc[1] > frame["conf_high"].iloc[0]
    assert breakdown_value(found) >= 0


def test_the_reference_of_dcdh_is_the_period_before_the_change() -> None:
    """Its table leaves out the row that is zero by construction; with the row nothing changes."""
    found = estimated("dcdh")
    assert -1 not in found.rows("event")["event_time"].to_numpy()
    path = event_path(found)
    assert (path.reference, path.n_pre, path.spacing, path.span) == (-1, 3, 1, "-4..5")
    with_row = example_path(path.estimate, path.variance, path.times.tolist())
    for method in ("relative_magnitudes", "smoothness"):
        ends = [honest_did(one, method=method, bounds=[0, 0.5]) for one in (found, with_row)]
        columns = ["estimate", "conf_low", "conf_high"]
        pd.testing.assert_frame_equal(ends[0][columns], ends[1][columns])
    with pytest.raises(
        SensitivityError, match=r"0 to 3 contains no coefficient before .*Start it at -2 or earlier"
    ):
        honest_did(found, window=(0, 3))


def test_paths_without_a_common_reference_or_scale_are_refused() -> None:
    with pytest.raises(SensitivityError, match="varying base period"):
        honest_did(estimated("callaway_santanna", base_period="varying"))
    with pytest.raises(SensitivityError, match=r"effects per unit of treatment.*without 'normalized'"):
        honest_did(estimated("dcdh", normalized=True))
    assert event_path(estimated("etwfe", control_group="never_treated")).reference == -1
    assert event_path(estimated("callaway_santanna", anticipation=1)).reference == -2


def test_table_has_one_row_a_path_and_says_why_one_is_empty():
    varying = example_path(BC_BETA, BC_SIGMA, TIMES, base_period="varying")
    table = sensitivity_table([benzarti_carloni(), medicaid(), varying], target=0)
    assert list(table.columns) == TABLE_COLUMNS
    first, second, third = (table.iloc[k] for k in range(3))
    assert first["breakdown_relative_magnitudes"] == breakdown_value(benzarti_carloni(), target=0)
    power = pretest_power(medicaid(), target=0)
    assert second["slope_power_80"] == power["slope"].iloc[1]
    assert second["bias_power_50"] == power["bias_if_passed"].iloc[0]
    bounds = equivalence_test(medicaid()).set_index("kind")["smallest_bound"]
    assert second["equivalence_mean"] == bounds["mean"]
    assert (first["note"], second["note"]) == ("", "")
    assert third["note"].startswith("'made' was estimated with a varying base period")
    assert pd.isna(third["breakdown_smoothness"])


def test_table_keeps_intervals_where_only_the_power_is_undefined():
    rank_one = np.outer(BC_BETA, BC_BETA) + 1e-9 * np.diag([0, 0, 0, 0, 1, 1, 1, 1])
    row = sensitivity_table([example_path(BC_BETA, rank_one, TIMES)]).iloc[0]
    assert np.isfinite(row["conf_low"])
    assert np.isfinite(row["breakdown_smoothness"])
    assert "singular covariance" in row["note"]


def test_empty_table_has_its_columns():
    assert list(sensitivity_table([]).columns) == TABLE_COLUMNS


def test_a_window_without_one_side_is_told_where_to_begin_or_end() -> None:
    """The window is the cause: the result has coefficients on both sides."""
    with pytest.raises(SensitivityError, match=r"The window -1 to 3 .*Start it at -2 .*times -5 to 3"):
        honest_did(benzarti_carloni(), window=(-1, 3))
    with pytest.raises(SensitivityError, match=r"no coefficient after the reference .*End it at 0 or later"):
        honest_did(benzarti_carloni(), window=(-4, -1))
