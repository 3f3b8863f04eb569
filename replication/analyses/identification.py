"""Identifying variation of a two-way regression: residual treatment variation by group of units.

The coefficient of a treatment d on absorbed effects is ``sum(w r y) / sum(w r d)``, with r the
residual of d on the effects and w the weights. A unit's share of ``sum(w r^2)`` is its share of
the identifying variation (Aronow & Samii 2016, eq. 8): units with little of it contribute
little, however large their population.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from replication.core.arrays import Floats
from replication.core.panel_builder import build_panel
from replication.core.spec import Spec
from replication.estimators.shared.estimation_sample import estimation_sample
from replication.estimators.shared.fixed_effects import read_effects
from replication.estimators.twfe import fit_twfe


def identification(
    context: AnalysisContext,
    *,
    spec: str,
    trends: dict[str, list[str]],
    by: str,
    people: str,
    totals: bool = False,
) -> pd.DataFrame:
    """Shares of the identifying variation by group of units.

    Parameters
    ----------
    spec : specification whose panel, sample, treatment and weights are used.
    trends : name -> ``trends`` in whose presence the treatment varies; ``[]`` for none.
    by : column of the panel that groups units; the date of activation by its year.
    people : column of people, for the groups' shares of the population.
    totals : give only what the groups add up to, one row per name of ``trends``.

    Returns
    -------
    DataFrame
        By group: ``group``, ``units``, ``people_share`` and for each name of ``trends``
        ``<name>_share``; sorted by the first of them, largest first. With ``totals``: ``name``,
        ``left`` (identifying variation as a share of that under the first name),
        ``effective_units`` and ``effective_groups`` (one over the sum of squared shares) and
        ``largest``, the group with the largest share, with ``largest_share``.
    """
    chosen = context.spec(spec)
    frame = context.frame(chosen.panel)
    varying = {name: variation(frame, chosen, list(kinds)) for name, kinds in trends.items()}
    units = pd.DataFrame(varying).fillna(0.0)
    first = frame.drop_duplicates(chosen.unit).set_index(chosen.unit).loc[units.index]
    group = first[by].dt.year if pd.api.types.is_datetime64_any_dtype(first[by]) else first[by]
    if totals:
        return pd.DataFrame([total(name, units, group) for name in trends])
    shares = (units / units.sum()).groupby(group).sum().add_suffix("_share")
    counted = pd.DataFrame(
        {
            "units": group.value_counts(),
            "people_share": first[people].groupby(group).sum() / first[people].sum(),
        }
    )
    table = counted.join(shares).rename_axis("group").reset_index()
    order = [f"{next(iter(trends))}_share", "group"]
    return table.sort_values(order, ascending=[False, True], ignore_index=True)


def variation(frame: pd.DataFrame, spec: Spec, trends: list[str]) -> pd.Series:
    """``sum over periods of w r^2`` of each unit."""
    panel = build_panel(frame, replace(spec, trends=tuple(trends)))
    effects = read_effects(panel, trends)
    sample = estimation_sample(panel, effects)
    weight = residual_weights(sample, effects)[0]
    return pd.Series(weight, index=sample.panel.units)


def residual_weights(sample: Any, effects: Any) -> tuple[Floats, Floats]:
    """``sum_t w r^2`` by unit (N,), and the weights (N, T) of the outcomes in the coefficient."""
    fit = fit_twfe(sample, effects)
    residual = fit.x[:, fit.design.profile] * sample.weight
    linear = np.tensordot(fit.bread[0], residual, 1)
    own: Floats = (fit.x[0][fit.design.profile] * residual[0]).sum(axis=1)
    return own, linear


def total(name: str, units: pd.DataFrame, group: pd.Series) -> dict[str, Any]:
    """What the shares of all units add up to, under one set of trends."""
    share = units[name] / units[name].sum()
    grouped = share.groupby(group).sum()
    return {
        "name": name,
        "left": units[name].sum() / units.iloc[:, 0].sum(),
        "effective_units": 1 / (share**2).sum(),
        "effective_groups": 1 / (grouped**2).sum(),
        "largest": grouped.idxmax(),
        "largest_share": grouped.max(),
    }
