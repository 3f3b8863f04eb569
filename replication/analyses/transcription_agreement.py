"""Agreement of two lists of dates."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from replication.analyses.analysis_context import AnalysisContext


def transcription_agreement(
    context: AnalysisContext, *, lists: str, words: Mapping[str, str], listed: bool = False
) -> pd.DataFrame:
    """Counts by agreement, or the counties whose months differ.

    Parameters
    ----------
    lists : the cleaned table of both lists.
    words : value of ``agreement`` -> its label, in the order of the rows.
    listed : give the counties instead of the counts.

    Returns
    -------
    DataFrame
        ``agreement``, ``counties``, ``states`` (how many) and ``where`` (postal codes where they
        are at most six); or, listed, ``county`` (with its state), ``fips``, ``first`` and
        ``second`` (the dates as the lists give them) and ``days`` (first list to the first day
        of the second's month).
    """
    frame = context.frame(lists)
    if listed:
        return _listed(frame[frame["agreement"] == "other month"])
    rows = []
    for value, label in words.items():
        part = frame[frame["agreement"] == value]
        states = sorted(part["state_postal"].dropna().unique())
        where = ", ".join(states) if len(states) <= 6 else ""
        rows.append({"agreement": label, "counties": len(part), "states": len(states), "where": where})
    return pd.DataFrame(rows)


def _listed(frame: pd.DataFrame) -> pd.DataFrame:
    first, second = pd.to_datetime(frame["activation_date"]), pd.to_datetime(frame["activation_month"])
    return pd.DataFrame(
        {
            "county": frame["county_name"] + ", " + frame["state_postal"],
            "fips": frame["fips"],
            "first": first.dt.strftime("%Y-%m-%d"),
            "second": second.dt.strftime("%Y-%m"),
            "days": (second - first).dt.days,
        }
    )
