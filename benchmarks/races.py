"""Races: estimators, panels and peers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks import peers
from benchmarks.panels import ANNUAL, MONTHLY, ONE_COHORT
from replication.core.estimates import Estimates
from replication.core.panel import Panel

BOTH = (ANNUAL, MONTHLY)
LONG = {ANNUAL: (-5, 5), MONTHLY: (-25, 25), ONE_COHORT: None}
SHORT = {ANNUAL: (-2, 1), MONTHLY: (-12, 12)}
DYNAMIC = {ANNUAL: (-4, 4), MONTHLY: (-13, 23)}
OURS = "replication"


@dataclass(frozen=True, slots=True)
class Race:
    """One estimator on its panels.

    Attributes
    ----------
    peers : package and how it is called, the one expected to be quickest first.
    target : target ratio of the fastest peer's time to that of this package.
    window : event times by panel; all if there are none.
    options, inference : fields of ``Spec`` and ``Inference``.

    """

    name: str
    estimator: str
    peers: Mapping[str, Any]
    target: float = 5.0
    panels: tuple[str, ...] = BOTH
    window: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    inference: Mapping[str, Any] = field(default_factory=dict)

    def ours(self, panel: Panel, panel_name: str) -> Estimates:
        """Estimates of this package."""
        from replication.core.spec import Inference, Spec
        from replication.estimators.registry import estimate

        spec = Spec(
            id="race",
            outcome="y",
            estimator=self.estimator,
            window=self.window.get(panel_name),
            inference=Inference(**self.inference),
            **self.options,
        )
        return estimate(panel, spec)


RACES = [
    Race(
        "two-way fixed effects",
        "twfe",
        {"pyfixest": peers.pyfixest_twfe, "linearmodels": peers.linearmodels_twfe},
    ),
    Race(
        "event study",
        "event_study",
        {"pyfixest": peers.pyfixest_event_study, "linearmodels": peers.linearmodels_event_study},
        window=LONG,
    ),
    Race(
        "group-time, 1,000 draws",
        "callaway_santanna",
        {
            "diff-diff": peers.diff_diff_group_time,
            "moderndid": peers.moderndid_group_time,
            "csdid": peers.csdid_group_time,
        },
        inference={"method": "multiplier", "draws": peers.DRAWS},
    ),
    Race(
        "Sun-Abraham",
        "sun_abraham",
        {"diff-diff": peers.diff_diff_sun_abraham, "pyfixest": peers.pyfixest_sun_abraham},
    ),
    Race("imputation", "imputation", {"diff-diff": peers.diff_diff_imputation}),
    Race(
        "two-stage",
        "two_stage",
        {"diff-diff": peers.diff_diff_two_stage, "pyfixest": peers.pyfixest_two_stage},
    ),
    Race("Goodman-Bacon", "goodman_bacon", {"diff-diff": peers.diff_diff_bacon}),
    Race("weights of two-way effects", "twfe_weights", {"diff-diff": peers.diff_diff_weights}),
    Race(
        "de Chaisemartin-D'Haultfoeuille",
        "dcdh",
        {"diff-diff": peers.diff_diff_dcdh, "moderndid": peers.moderndid_dcdh},
        1.0,
        window=DYNAMIC,
    ),
    Race("stacked", "stacked", {"diff-diff": peers.diff_diff_stacked}, 1.0, window=SHORT),
    Race(
        "local projections",
        "local_projections",
        {"diff-diff": peers.diff_diff_local_projections, "pyfixest": peers.pyfixest_local_projections},
        1.0,
        window=SHORT,
    ),
    Race("extended two-way", "etwfe", {"diff-diff": peers.diff_diff_etwfe}, 1.0),
    Race(
        "synthetic difference-in-differences",
        "synthetic_did",
        {"diff-diff": peers.diff_diff_synthetic},
        1.0,
        (ONE_COHORT,),
        inference={"draws": 200},
    ),
    Race(
        "synthetic difference-in-differences, 7 cohorts",
        "synthetic_did",
        {},
        1.0,
        (ANNUAL,),
        options={"donor_errors": "jackknife"},
    ),
    Race(
        "permutation of the rollout, 999 draws",
        "twfe",
        {},
        1.0,
        (MONTHLY,),
        inference={"method": "permutation", "draws": 999},
    ),
]
