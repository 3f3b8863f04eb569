"""The truth of a simulated panel in the sample and the terms of a specification."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from replication.core.arrays import Floats
from replication.core.errors import SpecError
from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.panel_builder import build_panel
from replication.core.spec import Spec
from replication.estimators.estimate_spec import fit_spec
from studies.secure_communities_simulated.simulation.simulated_effects import NUMBERS, effects
from studies.secure_communities_simulated.simulation.simulation_settings import Truth

TRUTH_KEYS = ("effect", "size", "lead", "two_way_bias")


def panel_and_effect(context: AnalysisContext, spec: Spec) -> tuple[Panel, Floats]:
    """The panel of a specification, and the (N, T) effects that were put into its outcome."""
    if spec.family != "gaussian" or not spec.outcome.startswith("log_rate"):
        raise SpecError(
            f"{spec.id}: the true effect is one on log rates, and its outcome is {spec.outcome!r}. "
            "Name a specification whose outcome is a log rate."
        )
    frame = context.frame(spec.panel)
    panel = build_panel(frame, spec)
    dates = frame.drop_duplicates(spec.unit).set_index(spec.unit)["activation_date"]
    counties = pd.DataFrame({"activation_date": dates.loc[panel.units].to_numpy()})
    columns = np.searchsorted(NUMBERS, panel.periods)
    return panel, effects(counties, truth_of(context, spec.panel))[:, columns]


def truth_of(context: AnalysisContext, name: str) -> Truth:
    """Settings of the simulated panel of this name."""
    known = context.frame("settings").set_index("panel")
    if name not in known.index:
        raise SpecError(f"The panel {name!r} was not simulated, so its true value is unknown.")
    row: Any = known.loc[name]
    effect, size, lead, bias = (row[key] for key in TRUTH_KEYS)
    return Truth(str(effect), float(size), int(lead), float(bias))  # type: ignore[arg-type]


def event_times(panel: Panel) -> Floats:
    """(N, T) periods since the first treated one; missing for units not treated in the panel."""
    inside = (panel.first < panel.periods.size)[:, None]
    return np.where(inside, panel.periods[None, :] - panel.cohort[:, None], np.nan)


def overall_truth(panel: Panel, effect: Floats) -> float:
    """Mean effect per unit of treatment over the treated cells, weighted."""
    weight = panel.weight * (panel.observed & (panel.dose > 0))
    return float((weight * effect).sum() / (weight * panel.dose).sum())


def truth_at(panel: Panel, effect: Floats, event_time: float) -> float:
    """Weighted mean effect over the cells at one event time; missing if there is none."""
    weight = panel.weight * (panel.observed & (event_times(panel) == event_time))
    return float((weight * effect).sum() / weight.sum()) if weight.sum() > 0 else np.nan


def without_noise(panel: Panel, effect: Floats, spec: Spec) -> Estimates:
    """Estimate of the specification from the true effects alone, without noise and trends."""
    quiet = replace(panel, y=np.where(panel.observed, effect, np.nan))
    plain = replace(spec.inference, method="analytic", draws=1)
    return fit_spec(quiet, replace(spec, inference=plain))
