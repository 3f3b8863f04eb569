"""Random staggered panels against csdid (a port of R did) and diff-diff.

csdid follows R in the sample rules, bases, comparison groups, weights, covariates and averages;
equality to 1e-9 is rounding and the tolerance of its propensity score (statsmodels).
"""

from __future__ import annotations

import contextlib
import io
import warnings

import diff_diff
import numpy as np
import pytest
from csdid.att_gt import ATTgt
from group_time_data import cell, staggered, tidy, value

from replication.estimators.callaway_santanna import callaway_santanna

GAPS = {"periods": (1, 2, 4, 7, 8, 11, 12), "adoption": (0, 3, 4, 5, 8, 9)}
NO_NEVER = {"adoption": (3, 4, 6, 7)}
CASES = {
    "plain": (1, {}, {}),
    "universal": (2, {}, {"base_period": "universal"}),
    "never, anticipation": (3, {}, {"control_group": "never_treated", "anticipation": 1}),
    "weights": (4, {"weights": "constant"}, {"base_period": "universal", "anticipation": 1}),
    "nobody never": (5, NO_NEVER, {"base_period": "universal", "anticipation": 1}),
    "long gaps, cohorts between periods": (6, GAPS, {"base_period": "universal"}),
    "long gaps, nobody never": (7, {**GAPS, "adoption": (3, 4, 5, 8, 9)}, {}),
    "a cohort of one unit": (8, {"one_alone": True}, {}),
    "cohort in period 2, one early, one late": (9, {"adoption": (0, 1, 2, 8, 11)}, {}),
    "units with gaps": (10, {"missing": 0.04, "adoption": (3, 4, 6, 7)}, {}),
    "balance_e": (11, {}, {"base_period": "universal", "balance_e": 2}),
    "doubly robust": (12, {"covariates": 2, "n_units": 200}, {}),
    "ipw, weights": (
        13,
        {"covariates": 1, "n_units": 200, "weights": "varying"},
        {"adjustment": "ipw", "base_period": "universal", "control_group": "never_treated"},
    ),
    "regression, weights": (
        14,
        {"covariates": 2, "n_units": 200, "weights": "varying"},
        {"adjustment": "outcome_regression", "fix_weights": "base_period"},
    ),
    "weights of each period": (15, {"weights": "varying"}, {"fix_weights": "varying"}),
}
TERMS = {"simple": "att", "dynamic": "event", "group": "group", "calendar": "calendar"}
NAMES = {
    "never_treated": "nevertreated",
    "not_yet_treated": "notyettreated",
    "doubly_robust": "dr",
    "ipw": "ipw",
    "outcome_regression": "reg",
    "none": None,
}


@pytest.mark.parametrize("name", CASES)
def test_every_value_equals_csdid(name) -> None:
    seed, artificial, options = CASES[name]
    panel = staggered(seed, **artificial)
    options = {"base_period": "varying", **options}
    ours = callaway_santanna(panel, **options)
    theirs = fit_csdid(panel, options)
    results = theirs.results
    assert len(results["att"]) == len(ours.rows("att_gt"))
    for cohort, time, att, std_error in zip(
        results["group"], results["year"], results["att"], results["se"], strict=True
    ):
        assert cell(ours, cohort, time) == pytest.approx((att, std_error), abs=1e-9, nan_ok=True)
    for kind, term in TERMS.items():
        for key, att, std_error in averages(theirs, kind, options.get("balance_e")):
            found = value(ours, term, key)
            assert found == pytest.approx((att, std_error), abs=1e-9, nan_ok=True), (term, key)
    assert ours.details.pretest_cells.statistic == pytest.approx(theirs.MP["W"], rel=1e-7)


def fit_csdid(panel, options):
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        return ATTgt(
            yname="y",
            tname="time",
            idname="unit",
            gname="g",
            data=tidy(panel),
            control_group=NAMES[options.get("control_group", "not_yet_treated")],
            xformla="y ~ " + (" + ".join(panel.covariate_names) or "1"),
            anticipation=options.get("anticipation", 0),
            weights_name="w" if panel.weighted else None,
            fix_weights=NAMES.get(options.get("fix_weights", "none"), options.get("fix_weights")),
        ).fit(
            est_method=NAMES[options.get("adjustment", "doubly_robust")],
            base_period=options["base_period"],
            bstrap=False,
        )


def averages(fitted, kind, balance_e):
    extra = {"balance_e": balance_e} if kind == "dynamic" else {}
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        # na_rm: a cohort may have cells before adoption only; it has no group average.
        found = fitted.aggte(typec=kind, bstrap=False, cband=False, na_rm=True, **extra).atte
    yield None, found["overall_att"], found["overall_se"]
    if kind != "simple":
        yield from zip(found["egt"], found["att_egt"], np.ravel(found["se_egt"]), strict=True)


@pytest.mark.parametrize(
    ("seed", "options"),
    [
        (21, {"control_group": "never_treated", "base_period": "varying"}),
        (22, {"control_group": "not_yet_treated", "base_period": "universal"}),
    ],
)
def test_pairs_of_periods_equal_diff_diff(seed, options) -> None:
    """Cells over the units observed in both periods.

    Only cells: its averages weight each cell by the treated units that it happens to have, ours
    and R's by the size of the cohort.
    """
    panel = staggered(seed, n_units=100, missing=0.08)
    ours = callaway_santanna(panel, unbalanced="pairwise", **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = diff_diff.CallawaySantAnna(**options).fit(
            tidy(panel), outcome="y", unit="unit", time="time", first_treat="g"
        )
    assert len(theirs.group_time_effects) >= 28
    for (cohort, time), found in theirs.group_time_effects.items():
        expected = (found["effect"], found["se"])
        assert cell(ours, cohort, time) == pytest.approx(expected, abs=1e-12, nan_ok=True)
    assert ours.table["n_units"].iloc[0] == 100


def test_clusters_equal_diff_diff() -> None:
    panel = staggered(23, clusters=12)
    ours = callaway_santanna(panel, control_group="never_treated")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = diff_diff.CallawaySantAnna(cluster="cluster").fit(
            tidy(panel), outcome="y", unit="unit", time="time", first_treat="g"
        )
    assert ours.att == pytest.approx((theirs.overall_att, theirs.overall_se), rel=1e-10)
