"""Races: estimators, panels and peers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from benchmarks import peers, peers_by_design
from benchmarks.panels import ANNUAL, MONTHLY, ONE_COHORT, POLICE, frame_of, race_frame, race_panel
from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.spec import Spec

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
    options, inference : keys of the specification and of its ``inference``.
    columns : whether columns beyond ``frame_of`` are needed, so that the panel is read from a frame.

    """

    name: str
    estimator: str
    peers: Mapping[str, Any]
    target: float = 5.0
    panels: tuple[str, ...] = BOTH
    window: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    inference: Mapping[str, Any] = field(default_factory=dict)

    columns: bool = False

    def keys(self, panel_name: str) -> dict[str, Any]:
        """Keys of the specification."""
        window = self.window.get(panel_name)
        keys = {"id": "race", "outcome": "y", "estimator": self.estimator, **self.options}
        keys |= {"window": list(window)} if window else {}
        return keys | ({"inference": dict(self.inference)} if self.inference else {})

    def spec(self, panel_name: str) -> Spec:
        """The specification."""
        from replication.core.spec import parse_spec

        return parse_spec(self.keys(panel_name))

    def frame(self, panel_name: str) -> pd.DataFrame:
        """The data as peers take them."""
        if self.columns or panel_name == POLICE:
            return race_frame(panel_name)
        return frame_of(race_panel(panel_name))

    def panel(self, panel_name: str) -> Panel:
        """The data as this package takes them."""
        if not self.columns and panel_name != POLICE:
            return race_panel(panel_name)
        from replication.core.panel_builder import build_panel

        return build_panel(self.frame(panel_name), self.spec(panel_name))

    def ours(self, panel: Panel, spec: Spec) -> Estimates:
        """Estimates of this package."""
        from replication.estimators.estimate_spec import estimate

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
    Race(
        "de Chaisemartin-D'Haultfoeuille, reversals and doses",
        "dcdh",
        {
            "diff-diff": peers_by_design.diff_diff_dcdh_doses,
            "moderndid": peers_by_design.moderndid_dcdh_doses,
        },
        3.0,
        window=DYNAMIC,
        options={"treatment": "z"},
        columns=True,
    ),
    Race(
        "triple difference",
        "triple_difference",
        {"diff-diff": peers_by_design.diff_diff_triple, "moderndid": peers_by_design.moderndid_triple},
        3.0,
        options={"eligible": "eligible"},
        columns=True,
    ),
    Race(
        "continuous dose",
        "continuous_dose",
        {"diff-diff": peers_by_design.diff_diff_dose, "moderndid": peers_by_design.moderndid_dose},
        3.0,
        options={"dose": "dose"},
        columns=True,
    ),
    Race(
        "group-time, repeated cross-sections, 1,000 draws",
        "callaway_santanna",
        {"diff-diff": peers_by_design.diff_diff_people, "moderndid": peers_by_design.moderndid_people},
        3.0,
        options={"unit": "row", "repeated_cross_sections": True, "cluster": "unit"},
        inference={"method": "multiplier", "draws": peers.DRAWS},
        columns=True,
    ),
    Race(
        "two-way fixed effects, covariate by period",
        "twfe",
        {"pyfixest": peers_by_design.pyfixest_by_time},
        3.0,
        options={"covariates": ["x_by_time"]},
        columns=True,
    ),
    Race(
        "least squares with unit and period effects",
        "ols",
        {"pyfixest": peers.pyfixest_twfe, "linearmodels": peers.linearmodels_twfe},
        3.0,
        options={"treatment": "d", "fixed_effects": ["unit", "time"]},
        columns=True,
    ),
    Race(
        "group-time, 1,000 draws, officers",
        "callaway_santanna",
        {
            "diff-diff": peers.diff_diff_group_time,
            "moderndid": peers.moderndid_group_time,
            "csdid": peers.csdid_group_time,
        },
        panels=(POLICE,),
        inference={"method": "multiplier", "draws": peers.DRAWS},
    ),
    Race(
        "Sun-Abraham, officers",
        "sun_abraham",
        {"diff-diff": peers.diff_diff_sun_abraham, "pyfixest": peers.pyfixest_sun_abraham},
        panels=(POLICE,),
    ),
    Race(
        "random timing, officers",
        "roth_santanna",
        {"formula in numpy": peers_by_design.numpy_random_timing},
        3.0,
        (POLICE,),
        window={POLICE: (-12, 23)},
    ),
]


def is_chosen(name: str, parts: Sequence[str]) -> bool:
    """Whether one of the parts is the race's name, or part of it and no race's whole name."""
    names = {race.name for race in RACES}
    return any(part == name if part in names else part in name for part in parts)
