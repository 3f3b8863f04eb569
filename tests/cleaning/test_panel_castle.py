"""Castle doctrine: the data ship with causaldata, so the printed table is met on every machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from artificial_panels import dummies, two_way

from replication.core.errors import PanelError
from replication.sources import hand_entered
from replication.sources.castle_panel import read_castle
from studies.castle_doctrine import state_year
from studies.castle_doctrine.state_year_schema import CASTLE_CONTROLS, STATE_YEAR

PUBLISHED = [
    ("log_homicide", "state and year effects", "0.0801", "0.0342"),
    ("log_homicide", "state and region-by-year effects", "0.0946", "0.0279"),
    ("log_homicide", "region-by-year effects and controls", "0.0937", "0.0290"),
    ("log_homicide", "region-by-year effects, controls and state linear trends", "0.100", "0.0388"),
    ("log_burglary", "state and year effects", "0.0780", "0.0255"),
    ("log_burglary", "state and region-by-year effects", "0.0290", "0.0236"),
    ("log_burglary", "region-by-year effects and controls", "0.0223", "0.0223"),
    ("log_robbery", "state and year effects", "0.0408", "0.0254"),
    ("log_robbery", "state and region-by-year effects", "0.0344", "0.0224"),
    ("log_robbery", "region-by-year effects and controls", "0.0262", "0.0229"),
    ("log_assault", "state and year effects", "0.0434", "0.0387"),
    ("log_assault", "state and region-by-year effects", "0.0397", "0.0407"),
    ("log_assault", "region-by-year effects and controls", "0.0372", "0.0319"),
]
"""Cheng & Hoekstra (2013), as printed."""

Built = tuple[pd.DataFrame, pd.DataFrame]


@pytest.fixture(scope="module")
def laws() -> tuple[pd.DataFrame, pd.DataFrame]:
    folder = Path(__file__).parents[2] / "data_raw" / "typed"
    return (
        hand_entered.read_castle_adoption(folder / "castle_doctrine_adoption.csv"),
        hand_entered.read_regions(folder / "census_regions.csv"),
    )


@pytest.fixture(scope="module")
def built(laws: tuple[pd.DataFrame, pd.DataFrame]) -> Built:
    frame, flow = state_year.build_state_year(read_castle(), *laws)
    return frame, flow.table()


@pytest.mark.parametrize(("outcome", "specification", "printed", "std_error"), PUBLISHED)
def test_printed_coefficients(
    built: Built, outcome: str, specification: str, printed: str, std_error: str
) -> None:
    frame = built[0]
    effects = frame["year"].astype(str)
    if "region" in specification:
        effects = effects + "-" + frame["region"].astype(str)
    columns = [frame[["post"]].to_numpy(), dummies(effects)]
    if "controls" in specification:
        controls = frame[list(CASTLE_CONTROLS)]
        columns.append(((controls - controls.mean()) / controls.std()).to_numpy())
    trends = "trends" in specification
    estimate, error = two_way(
        frame[outcome].to_numpy(),
        np.hstack(columns),
        50,
        frame["popwt"].to_numpy(),
        frame["state_fips"].to_numpy(),
        trends=trends,
        # The printed error counts the 50 state lines as regressors; nested in the clusters and
        # left out of the count they would give 0.0368.
        counted_lines=50 * trends,
    )
    assert f"{estimate:.{len(printed) - 2}f}" == printed
    assert f"{error:.4f}" == std_error


def test_shape_and_flow(built: Built) -> None:
    frame, flow = built
    assert frame.columns.tolist() == list(STATE_YEAR.columns)
    assert frame.groupby("state_fips").size().eq(11).all()
    assert flow[["states_before", "states_after"]].to_numpy().tolist() == [[50, 50]]
    assert (frame.drop_duplicates("state_fips")["cohort"] > 0).sum() == 21


def test_treatment_starts_in_the_effective_year_and_not_the_year_after(built: Built) -> None:
    florida = built[0].query("state == 'Florida'").set_index("year")
    assert florida["post"].loc[[2004, 2005, 2006]].tolist() == [0.0, 0.246575, 1.0]
    assert florida["cohort"].unique().tolist() == [2005]
    assert florida["cohort_first_full_year"].unique().tolist() == [2006]
    california = built[0].query("state == 'California'")
    assert california[["post", "cohort", "cohort_first_full_year"]].eq(0).all(axis=None)


def test_cohort_by_effective_year_counts(built: Built) -> None:
    cohorts = built[0].drop_duplicates("state_fips")["cohort"].value_counts()
    assert cohorts.to_dict() == {0: 29, 2005: 1, 2006: 13, 2007: 4, 2008: 2, 2009: 1}


def test_share_in_force() -> None:
    year = pd.Series([2004, 2005, 2006, 2006])
    effective = pd.Series([2005, 2005, 2005, np.nan])
    shares = state_year.share_in_force(year, effective, pd.Series([0.25, 0.25, 0.25, np.nan]))
    assert shares.tolist() == [0.0, 0.25, 1.0, 0.0]


def test_a_law_in_force_all_year_makes_that_year_the_first_full_one(
    laws: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    adoption = laws[0].assign(share_of_effective_year_in_force=1.0)
    frame, _ = state_year.build_state_year(read_castle(), adoption, laws[1])
    assert frame["cohort"].equals(frame["cohort_first_full_year"])


def test_a_law_outside_the_data_is_refused(laws: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    adoption = laws[0].assign(state_fips=laws[0]["state_fips"].replace({12: 11}))
    with pytest.raises(PanelError, match="name 1 states that the data do not have, first state"):
        state_year.build_state_year(read_castle(), adoption, laws[1])


def test_a_repeated_state_year_is_refused(laws: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    panel = read_castle()
    with pytest.raises(PanelError, match="1 repeated rows by state_fips and year, first state_f"):
        state_year.build_state_year(pd.concat([panel, panel.iloc[[5]]]), *laws)


def test_a_share_above_one_breaks_the_codebook(laws: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    adoption = laws[0].assign(share_of_effective_year_in_force=1.5)
    with pytest.raises(PanelError, match=r"state_year breaks its codebook in column 'post'.*21 row"):
        state_year.build_state_year(read_castle(), adoption, laws[1])
