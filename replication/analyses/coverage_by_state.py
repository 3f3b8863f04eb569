"""Coverage of each state by reporting agencies, by year."""

from __future__ import annotations

import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from replication.analyses.moments import columns_of


def coverage_by_state(context: AnalysisContext, *, panel: str, state: str) -> pd.DataFrame:
    """People covered over Census population, and the coverage indicator, by state and year.

    Parameters
    ----------
    panel : name of the cleaned panel with every unit.
    state : column that names states.

    Returns
    -------
    DataFrame
        ``measure``, ``state``, ``year``, ``value`` (percent), ``change`` (from the state's first
        year to its last, the same in all its rows); ``All`` is the country.
    """
    frame = context.frame(panel)
    numbers = columns_of(frame, ["covered_population", "population", "coverage_indicator"])
    data = numbers.assign(
        weighted=numbers["coverage_indicator"] * numbers["population"],
        state=frame[state],
        year=frame["year"],
    )
    whole = pd.concat([data, data.assign(state="US")])
    summed = whole.groupby(["state", "year"]).sum()
    measures = {
        "Covered / Census population, %": 100 * summed["covered_population"] / summed["population"],
        "Coverage indicator": summed["weighted"] / summed["population"],
    }
    parts = [values.rename("value").reset_index().assign(measure=name) for name, values in measures.items()]
    table = pd.concat(parts, ignore_index=True)
    ends = table.groupby(["measure", "state"])["value"].agg(["first", "last"])
    change = (ends["last"] - ends["first"]).rename("change")
    table = table.join(change, on=["measure", "state"])
    return table[["measure", "state", "year", "value", "change"]]
