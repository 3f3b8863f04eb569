"""The rollout table: cumulative counties, states and people."""

from __future__ import annotations

import pandas as pd
import pytest

from studies.secure_communities import rollout


def test_rollout_by_date_and_by_year() -> None:
    dates = pd.DataFrame(
        {
            "fips": [1001, 1003, 2020, 4001, 4003],
            "activation_date": pd.to_datetime(["2009-05-05", "2008-10-27", "2009-05-05", None, "2013-01-22"]),
        }
    )
    people = pd.Series({1001: 10, 1003: 20, 2020: 30, 4001: 15, 4003: 25})
    table = rollout.rollout_by_date(dates, people)
    assert table["newly_active"].tolist() == [1, 2, 1]
    assert table["counties"].tolist() == [1, 3, 4]
    assert table["states"].tolist() == [1, 2, 3]
    assert table["people"].tolist() == [20, 60, 85]
    assert table["population_share"].tolist() == pytest.approx([0.2, 0.6, 0.85])
    by_year = rollout.rollout_by_year(table)
    assert by_year["year"].tolist() == [2008, 2009, 2013]
    assert by_year["newly_active"].tolist() == [1, 2, 1]
    assert by_year["counties"].tolist() == [1, 3, 4]
