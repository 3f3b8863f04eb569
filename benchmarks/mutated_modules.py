"""Which modules are mutated, and the tests that are to notice it."""

from __future__ import annotations

from collections.abc import Mapping

CLEANING = "tests/cleaning/test_panel_"
ESTIMATORS = "tests/estimators/test_"
INFERENCE = "tests/inference/test_"


def _tests(start: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{start}{name}.py" for name in names)


_WEIGHTS = _tests(ESTIMATORS, "weights_of_units")
_GROUP_TIME = _tests(f"{ESTIMATORS}callaway_santanna", "", "_paths", "_properties", "_refusals")
_PEERS = _tests(ESTIMATORS, "callaway_santanna_peers")
_SWITCHERS = (*_tests(ESTIMATORS, "dcdh", "dcdh_doses"), *_WEIGHTS)
_ROTH = _tests(ESTIMATORS, "roth_santanna")

MODULES: Mapping[str, tuple[str, ...]] = {
    "cleaning/timing.py": _tests(CLEANING, "timing"),
    "cleaning/county_coverage.py": _tests(CLEANING, "coverage", "known_answers"),
    "cleaning/rates.py": _tests(CLEANING, "rates", "context"),
    "cleaning/agency_months.py": _tests(CLEANING, "monthly_coverage"),
    "inference/joint_tests.py": _tests(INFERENCE, "joint"),
    "inference/psd.py": _tests(INFERENCE, "psd"),
    "inference/cluster.py": _tests(INFERENCE, "psd", "joint"),
    "inference/few_treated.py": _tests(INFERENCE, "few_treated"),
    "inference/assemble.py": _tests(INFERENCE, "assemble", "bands", "methods"),
    "estimators/callaway_santanna/aggregation.py": _GROUP_TIME,
    "estimators/callaway_santanna/doubly_robust.py": (*_tests(ESTIMATORS, "doubly_robust"), *_PEERS),
    "estimators/callaway_santanna/influence.py": (*_GROUP_TIME, *_WEIGHTS),
    "estimators/callaway_santanna/cells_one_by_one.py": (*_GROUP_TIME, *_PEERS),
    "estimators/continuous_dose/dose_curves.py": _tests(ESTIMATORS, "continuous_dose"),
    "estimators/dcdh/dcdh.py": _SWITCHERS,
    "estimators/dcdh/treatment_paths.py": _SWITCHERS,
    "estimators/dcdh/switcher_comparisons.py": _SWITCHERS,
    "estimators/dcdh/control_slopes.py": _SWITCHERS,
    "estimators/etwfe/etwfe_linear.py": _tests(ESTIMATORS, "etwfe"),
    "estimators/event_study.py": (*_tests(ESTIMATORS, "event_study", "interactions"), *_WEIGHTS),
    "estimators/goodman_bacon.py": _tests(ESTIMATORS, "goodman_bacon", "decomposition"),
    "estimators/imputation/untreated_fit.py": _tests(ESTIMATORS, "two_stage", "imputation"),
    "estimators/local_projections/horizon_regression.py": _tests(ESTIMATORS, "local_projections"),
    "estimators/ols.py": _tests(ESTIMATORS, "ols"),
    "estimators/shared/least_squares.py": (
        *_tests(ESTIMATORS, "event_study", "twfe", "ols"),
        *_tests(INFERENCE, "conley"),
        *_WEIGHTS,
    ),
    "estimators/shared/poisson_irls.py": _tests(ESTIMATORS, "poisson", "poisson_trends"),
    "estimators/roth_santanna/design_moments.py": _ROTH,
    "estimators/roth_santanna/design_weights.py": _ROTH,
    "estimators/roth_santanna/roth_santanna.py": _ROTH,
    "estimators/stacked.py": (*_tests(ESTIMATORS, "stacked", "stacked_covariates"), *_WEIGHTS),
    "estimators/sun_abraham.py": (*_tests(ESTIMATORS, "sun_abraham"), *_WEIGHTS),
    "estimators/synthetic_did/simplex_weights.py": _tests(ESTIMATORS, "synthetic_did"),
    "estimators/synthetic_did/projected_covariates.py": _tests(ESTIMATORS, "synthetic_did_covariates"),
    "estimators/triple_difference/adjusted_cells.py": _tests(ESTIMATORS, "triple_difference"),
    "estimators/triple_difference/triple_cells.py": _tests(ESTIMATORS, "triple_difference"),
    "estimators/twfe.py": _tests(ESTIMATORS, "twfe"),
    "estimators/two_stage.py": _tests(ESTIMATORS, "two_stage"),
}
