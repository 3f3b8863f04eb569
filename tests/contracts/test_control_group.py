"""The control group that is asked for is the one that is used, or the estimate is refused."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest

import replication as rp
from replication.core.errors import PanelError
from replication.estimators.registry import ENTRIES

TAKING = [
    name for name, one in ENTRIES.items() if "control_group" in inspect.signature(one.function).parameters
]


def without_never_treated() -> pd.DataFrame:
    """60 units by 10 periods in which every unit adopts, with what single estimators need besides."""
    frame = rp.simulated_panel(seed=1)
    number = frame["unit"].rank(method="dense").astype(int)
    frame["cohort"] = np.array([4, 6, 8])[number % 3]
    return frame.assign(eligible=number // 3 % 2, dose=1.0 + number % 4)


def options(name: str) -> dict[str, str]:
    """What an estimator needs besides the panel."""
    return {"triple_difference": {"eligible": "eligible"}, "continuous_dose": {"dose": "dose"}}.get(name, {})


def test_all_estimators_with_a_control_group_are_looked_at() -> None:
    assert {"callaway_santanna", "etwfe", "local_projections", "stacked", "sun_abraham"} < set(TAKING)


@pytest.mark.parametrize("name", TAKING)
def test_never_treated_is_refused_where_no_unit_is(name: str) -> None:
    with pytest.raises(PanelError, match=r"'never_treated', and none of the \d+ units"):
        rp.estimate(
            without_never_treated(),
            outcome="y",
            estimator=name,
            control_group="never_treated",
            **options(name),
        )


def test_the_default_falls_back_with_a_note() -> None:
    found = rp.estimate(without_never_treated(), outcome="y")
    assert found.details.control_group == "not_yet_treated"
    assert any(note.startswith("There are no never-treated units") for note in found.details.notes)


def test_repeated_cross_sections_refuse_it_as_well() -> None:
    people = without_never_treated()
    people = people.assign(place=people["unit"], unit=range(len(people)))
    with pytest.raises(PanelError, match="'never_treated', and none of"):
        rp.estimate(
            people, outcome="y", cluster="place", repeated_cross_sections=True, control_group="never_treated"
        )
