"""Treated and comparison counties and their population by cohort, in the panel and in all."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from replication.analyses.analysis_context import AnalysisContext

EVERYTHING = "All"


def rollout_by_role(
    context: AnalysisContext,
    *,
    panel: str,
    everyone: str,
    cohort: str,
    role: str,
    roles: Mapping[str, str],
    year: int,
    unit: str = "fips",
) -> pd.DataFrame:
    """Units and people by cohort, and how they are used by the design that ends early.

    Parameters
    ----------
    panel, everyone : the cleaned panel, and the one with every unit that can be followed.
    cohort, role : columns of the cohort and of the role.
    roles : value of ``role`` -> its label.
    year : year whose population counts people.
    unit : column that identifies a unit.

    Returns
    -------
    DataFrame
        ``cohort``, ``role``, ``all_units``, ``all_people`` and ``units``, ``people`` of the
        panel, ``people_share`` (of the people of the panel); one row per cohort and role, then one per
        role and one for everything (``cohort`` is ``All``).
    """
    keys = [[cohort, role], [role], []]
    parts = []
    for chosen in keys:
        whole = _count(context.frame(everyone), year, chosen, unit).add_prefix("all_")
        used = _count(context.frame(panel), year, chosen, unit)
        parts.append(_labeled(whole.join(used).fillna(0.0), cohort, role, roles))
    table = pd.concat(parts, ignore_index=True)
    table["people_share"] = table["people"] / table["people"].iloc[-1]
    counts = ["all_units", "all_people", "units", "people"]
    return table.astype(dict.fromkeys(counts, "int64"))


def _count(frame: pd.DataFrame, year: int, keys: list[str], unit: str) -> pd.DataFrame:
    """Units and people by the keys, or of everything."""
    rows = frame[frame["year"] == year].assign(everything=EVERYTHING)
    grouped = rows.groupby(keys or ["everything"])
    return grouped.agg(units=(unit, "nunique"), people=("population", "sum"))


def _labeled(part: pd.DataFrame, cohort: str, role: str, roles: Mapping[str, str]) -> pd.DataFrame:
    """``cohort`` and ``role`` in words; within a cohort in the order of ``roles``."""
    table = part.reset_index().rename(columns={cohort: "cohort", role: "role"})
    names = {**roles, EVERYTHING: EVERYTHING}
    table = table.assign(**{n: EVERYTHING for n in ("cohort", "role") if n not in table})
    table["role"] = pd.Categorical(table["role"], list(names), ordered=True)
    table = table.sort_values(["cohort", "role"], ignore_index=True)
    columns = ["cohort", "role", "all_units", "all_people", "units", "people"]
    return table.assign(role=table["role"].map(names).astype(str))[columns].astype({"cohort": "str"})
