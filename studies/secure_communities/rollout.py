"""The rollout: counties and people covered, by date and by year."""

from __future__ import annotations

import pandas as pd

from replication.cleaning.column_checks import require_columns


def rollout_by_date(dates: pd.DataFrame, population: pd.Series) -> pd.DataFrame:
    """Cumulative coverage at every activation date.

    Parameters
    ----------
    dates : DataFrame
        ``fips`` and ``activation_date`` of every county.
    population : Series
        People by ``fips``, of one year; its total is the denominator of the share.

    Returns
    -------
    DataFrame
        ``date``, ``newly_active``, ``counties`` and ``people`` (cumulative), ``states`` (with at
        least one active county) and ``population_share`` (0 to 1).
    """
    require_columns(dates, ["fips", "activation_date"], "The activation dates")
    people = dates["fips"].map(population).fillna(0)
    frame = dates.assign(people=people, state=dates["fips"] // 1000)
    frame = frame.dropna(subset="activation_date").sort_values(["activation_date", "fips"])
    by_date = frame.groupby("activation_date").agg(
        newly_active=("fips", "size"), new_people=("people", "sum")
    )
    starts = frame.groupby("state")["activation_date"].min().value_counts()
    states = starts.reindex(by_date.index, fill_value=0).cumsum()
    table = by_date.assign(
        counties=by_date["newly_active"].cumsum(),
        people=by_date["new_people"].cumsum().astype("int64"),
        states=states,
    )
    table["population_share"] = table["people"] / population.sum()
    table = table.rename_axis("date").reset_index()
    columns = ["date", "newly_active", "counties", "states", "people", "population_share"]
    return table[columns]


def rollout_by_year(by_date: pd.DataFrame) -> pd.DataFrame:
    """The state of the rollout at the end of every year.

    Returns
    -------
    DataFrame
        ``year``, ``newly_active``, ``counties``, ``states``, ``people``, ``population_share``.
    """
    year = by_date["date"].dt.year
    grouped = by_date.groupby(year)
    last = grouped[["counties", "states", "people", "population_share"]].last()
    table = last.assign(newly_active=grouped["newly_active"].sum()).rename_axis("year")
    columns = ["year", "newly_active", "counties", "states", "people", "population_share"]
    return table.reset_index()[columns]


def rollout_tables(days: pd.DataFrame, vintage_2019: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rollout by date and by year; 2010 population."""
    population = vintage_2019.query("year == 2010").set_index("fips")["population"]
    by_date = rollout_by_date(days, population)
    return {"rollout": by_date, "rollout_by_year": rollout_by_year(by_date)}
