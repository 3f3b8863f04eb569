"""The two digitized lists of activation dates side by side, by county."""

from __future__ import annotations

import pandas as pd

from replication.cleaning.column_checks import require_columns, require_unique


def compare_transcriptions(
    days: pd.DataFrame, months: pd.DataFrame, names: pd.DataFrame, regions: pd.DataFrame
) -> pd.DataFrame:
    """Both dates of every county that either list has.

    Returns
    -------
    DataFrame
        ``fips``, ``county_name``, ``state_postal``, ``activation_date`` (first list, the day),
        ``activation_month`` (second list, first day of the month) and ``agreement``: ``same
        month``, ``other month``, ``first list only`` or ``second list only``.
    """
    require_columns(days, ["fips", "activation_date"], "The days of activation")
    require_columns(months, ["fips", "activation_month"], "The months of activation")
    require_unique(days, ["fips"], "The days of activation")
    require_unique(months, ["fips"], "The months of activation")
    both = days.merge(months, how="outer", on="fips", sort=True)
    postal = regions.set_index("state_fips")["postal"]
    both.insert(1, "county_name", both["fips"].map(names.set_index("fips")["county_name"]))
    both.insert(2, "state_postal", (both["fips"] // 1000).map(postal))
    month = both["activation_date"].dt.to_period("M").dt.to_timestamp()
    agreement = (month == both["activation_month"]).map({True: "same month", False: "other month"})
    agreement = agreement.mask(both["activation_month"].isna(), "first list only")
    return both.assign(agreement=agreement.mask(both["activation_date"].isna(), "second list only"))
