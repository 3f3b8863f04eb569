"""Allocation of police agencies to counties.

The crosswalk of agency identifiers comes first, because the FBI's own county numbers are not
FIPS codes. Where an agency is not in it, the FBI's county number decides: it stands for the
county in which most agencies with that number lie. An agency in several counties is split by the
people that its header counts in each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from replication.cleaning.column_checks import require_columns, require_unique
from replication.core.errors import PanelError, nearest

LAST_STATE: Final = 56
SLOTS: Final = (1, 2, 3)
STATE_POLICE: Final = "state law enforcement agency"
DECISIONS: Final = (
    "agency crosswalk",
    "FBI county number",
    "several counties, by the header's people",
    "left out: state police without a county or by rule",
    "left out: no people, by rule",
    "left out: territory",
    "left out: no county",
)
CROSSWALK, NUMBER, SEVERAL, POLICE, EMPTY, TERRITORY, NOWHERE = DECISIONS
PLACED: Final = (CROSSWALK, NUMBER, SEVERAL)

PoliceChoice = Literal["county", "keep", "drop"]
EmptyChoice = Literal["keep", "drop"]


@dataclass(frozen=True, slots=True)
class AgencyRule:
    """Treatment of agencies that count no people.

    Attributes
    ----------
    state_police : state police without people: ``county`` keeps those whose header names a county (a post, a
        barracks) and drops the statewide ones, which the crosswalk puts at their headquarters; ``keep`` keeps
        all, ``drop`` none.
    zero_population : other agencies without people (universities, transit, tribal police): ``keep`` or
        ``drop``. Kept, they add offenses to their county and nothing to its coverage.
    """

    state_police: PoliceChoice = "county"
    zero_population: EmptyChoice = "keep"

    def __post_init__(self) -> None:
        choices = {"state_police": PoliceChoice, "zero_population": EmptyChoice}
        for name, allowed in {name: get_args(kind) for name, kind in choices.items()}.items():
            value = getattr(self, name)
            if value not in allowed:
                raise PanelError(
                    f"The agency rule has {name}={value!r}{nearest(value, allowed)}. Choose one "
                    f"of {', '.join(allowed)}."
                )


CANONICAL: Final = AgencyRule()


@dataclass(frozen=True, slots=True)
class Allocation:
    """Where the agencies of a year lie.

    Attributes
    ----------
    shares : ``ori``, ``fips``, ``share`` (of the agency's offenses and people; they add up to 1),
        ``decided_by``.
    table : one row per decision: ``decided_by``, ``agencies``, ``people``.
    """

    shares: pd.DataFrame
    table: pd.DataFrame


def fbi_counties(headers: pd.DataFrame, crosswalk: pd.DataFrame) -> pd.DataFrame:
    """The county that each of the FBI's county numbers stands for.

    Parameters
    ----------
    headers : ``ori``, ``fbi_state``, ``county_1``.
    crosswalk : ``ori``, ``fips``.

    Returns
    -------
    DataFrame
        ``fbi_state``, ``county``, ``fips`` (of most agencies; the lowest code in a tie),
        ``agencies`` (with that number and in the crosswalk), ``agreement`` (share of them that lie
        in that county).
    """
    return _learned(headers.merge(crosswalk[["ori", "fips"]], on="ori", validate="many_to_one"))


def _learned(agencies: pd.DataFrame) -> pd.DataFrame:
    """The same from headers that have the ``fips`` of the crosswalk, or none."""
    known = agencies[["fbi_state", "county_1", "fips"]].dropna(subset=["county_1", "fips"])
    keys = ["fbi_state", "county_1"]
    counts = known.groupby([*keys, "fips"]).size().rename("here").reset_index()
    counts = counts.sort_values([*keys, "here", "fips"], ascending=[True, True, False, True])
    top = counts.drop_duplicates(keys).rename(columns={"county_1": "county"})
    total = counts.groupby(keys)["here"].sum().to_numpy()
    top = top.assign(agencies=total, agreement=top["here"].to_numpy() / total)
    return top.drop(columns="here").reset_index(drop=True)


def allocate(headers: pd.DataFrame, crosswalk: pd.DataFrame, rule: AgencyRule = CANONICAL) -> Allocation:
    """County, or shares of counties, of every agency.

    Parameters
    ----------
    headers : one row per agency: ``ori``, ``fbi_state``, ``group``, ``population_k`` and ``county_k`` for k =
        1, 2, 3 (``sources.return_a``, or ``homicide_headers``).
    crosswalk : ``ori``, ``fips``, ``agency_type`` (``sources.geography.read_agencies``).
    rule : treatment of agencies without people.

    Raises
    ------
    PanelError
        If a column is absent or an agency stands twice in either frame.
    """
    _require_frames(headers, crosswalk)
    agencies = headers.merge(
        crosswalk[["ori", "fips", "agency_type"]], how="left", on="ori", validate="one_to_one"
    ).sort_values("ori", ignore_index=True)
    places = _places(agencies, _learned(agencies))
    decided = _decisions(agencies, places, rule)
    row = places["agency"].to_numpy()
    shares = pd.DataFrame(
        {
            "ori": agencies["ori"].to_numpy()[row],
            "fips": places["fips"].to_numpy(),
            "share": places["share"].to_numpy(),
            "decided_by": decided[row],
        }
    )
    placed = np.isin(decided, PLACED)[row]
    return Allocation(shares[placed].reset_index(drop=True), _table(agencies, decided))


def homicide_headers(victims: pd.DataFrame) -> pd.DataFrame:
    """Headers of the agencies that report homicides, in the columns of a Return A header.

    An agency's county number and people are those of its first line.
    """
    require_columns(victims, ["ori", "fbi_state", "group", "population", "county"], "The victims")
    first = victims.drop_duplicates("ori")
    blank = pd.array([pd.NA] * len(first), dtype="Int64")
    return pd.DataFrame(
        {
            "ori": first["ori"].to_numpy(),
            "fbi_state": first["fbi_state"].to_numpy(),
            "group": first["group"].to_numpy(),
            "population_1": first["population"].to_numpy(),
            "population_2": 0,
            "population_3": 0,
            "county_1": first["county"].array,
            "county_2": blank,
            "county_3": blank,
        }
    )


def people_of(headers: pd.DataFrame) -> pd.Series:
    """People of each agency in all its counties, by ``ori``."""
    total = headers[[f"population_{k}" for k in SLOTS]].sum(axis=1)
    return pd.Series(total.to_numpy(dtype=float), index=headers["ori"].to_numpy())


def _require_frames(headers: pd.DataFrame, crosswalk: pd.DataFrame) -> None:
    slots = [f"{name}_{k}" for k in SLOTS for name in ("population", "county")]
    require_columns(headers, ["ori", "fbi_state", "group", *slots], "The agency headers")
    require_columns(crosswalk, ["ori", "fips", "agency_type"], "The agency crosswalk")
    require_unique(headers, ["ori"], "The agency headers")
    require_unique(crosswalk, ["ori"], "The agency crosswalk")


def _places(agencies: pd.DataFrame, learned: pd.DataFrame) -> pd.DataFrame:
    """Every county of every agency with its share; agencies without any county are absent.

    Returns
    -------
    DataFrame
        ``agency`` (row of ``agencies``), ``fips``, ``share``; ordered by the first two.
    """
    number = learned.set_index(["fbi_state", "county"])["fips"]
    slots = []
    for k in SLOTS:
        people, county = f"population_{k}", f"county_{k}"
        # Few agencies have people in a second county: only their numbers are looked up.
        part = agencies.loc[(k == 1) | (agencies[people] > 0), ["fbi_state", people, county]]
        keys = pd.MultiIndex.from_frame(part[["fbi_state", county]])
        slots.append(
            pd.DataFrame(
                {
                    "agency": part.index.to_numpy(),
                    "slot": k,
                    "people": part[people].to_numpy(dtype=float),
                    "fips": number.reindex(keys).to_numpy(dtype=float, na_value=np.nan),
                }
            )
        )
    return _shares(_with_crosswalk(pd.concat(slots, ignore_index=True), agencies))


def _with_crosswalk(long: pd.DataFrame, agencies: pd.DataFrame) -> pd.DataFrame:
    """The crosswalk's county in place of the largest part's, unless another part lies in it."""
    home = agencies["fips"].to_numpy(dtype=float, na_value=np.nan)[long["agency"]]
    elsewhere = long["agency"].isin(long.loc[(long["fips"] == home) & (long["slot"] > 1), "agency"])
    main = (long["slot"] == 1) & ~np.isnan(home) & ~elsewhere
    return long.assign(fips=long["fips"].mask(main, home))


def _shares(long: pd.DataFrame) -> pd.DataFrame:
    """Shares by people among the parts whose county is known."""
    known = long.dropna(subset="fips").astype({"fips": "int64"})
    merged = known.groupby(["agency", "fips"], sort=True)["people"].sum().reset_index()
    of_agency = merged.groupby("agency")["people"]
    total, parts = of_agency.transform("sum"), of_agency.transform("size")
    share = np.where(total > 0, merged["people"] / total.where(total > 0, 1), 1 / parts)
    return merged.assign(share=share).loc[share > 0, ["agency", "fips", "share"]]


def _decisions(agencies: pd.DataFrame, places: pd.DataFrame, rule: AgencyRule) -> NDArray[np.str_]:
    """The basis of each agency's allocation; the first that applies."""
    parts = places["agency"].value_counts().reindex(agencies.index, fill_value=0)
    state = places.drop_duplicates("agency").set_index("agency")["fips"].reindex(agencies.index) // 1000
    empty = agencies[[f"population_{k}" for k in SLOTS]].sum(axis=1) == 0
    police = empty & ((agencies["agency_type"] == STATE_POLICE) | agencies["group"].str.endswith("E"))
    gone = {
        "county": police & agencies["county_1"].isna(),
        "keep": police & False,
        "drop": police,
    }[rule.state_police]
    others = empty & ~police & (rule.zero_population == "drop")
    return np.select(
        [parts == 0, state > LAST_STATE, gone, others, parts > 1, agencies["fips"].notna()],
        [NOWHERE, TERRITORY, POLICE, EMPTY, SEVERAL, CROSSWALK],
        NUMBER,
    )


def _table(agencies: pd.DataFrame, decided: NDArray[np.str_]) -> pd.DataFrame:
    grouped = people_of(agencies).groupby(decided)
    table = pd.DataFrame({"agencies": grouped.size(), "people": grouped.sum()})
    table = table.reindex(list(DECISIONS), fill_value=0).astype("int64")
    return table.rename_axis("decided_by").reset_index()
