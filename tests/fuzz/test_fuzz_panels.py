"""Any frame and any valid specification make a panel or are refused in one paragraph."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from drawn_specs import valid
from fuzzing import accepted, cases
from hypothesis import given
from hypothesis import strategies as st

from replication.core.frames import require_plain_cells
from replication.core.panel import Panel
from replication.core.panel_builder import build_panel
from replication.core.spec import Spec, parse_spec

ROLES = (
    "unit",
    "time",
    "cohort",
    "y",
    "w",
    "d",
    "x",
    "cl",
    "region",
    "state",
    "year",
    "income",
    "age",
    "county",
    "latitude",
    "longitude",
)
HUGE = [2**31, 2**53 + 1, 2**62, -(2**62), 10**30]
CELLS: dict[str, st.SearchStrategy[Any]] = {
    "small": st.integers(0, 3),
    "years": st.integers(2000, 2004),
    "fractions": st.floats(-3, 3),
    "floats": st.floats(),
    "whole floats": st.integers(0, 3).map(float),
    "huge": st.sampled_from(HUGE),
    "words": st.sampled_from(["a", "b", "", " ", "2001", "nan", "\n"]),
    "flags": st.booleans(),
    "dates": st.sampled_from([pd.Timestamp(2001, 1, 1), pd.NaT, pd.Timestamp(1700, 1, 1)]),
    "none": st.none(),
    "mixed": st.one_of(st.integers(0, 3), st.text(max_size=2), st.none(), st.floats()),
    "objects": st.sampled_from([[1], {"a": 1}, (1, 2), b"x", 1j]),
}
TYPES = ("Int64", "category", "string", "float32", "int8", "object", "datetime64[ns]")


@st.composite
def column(draw: st.DrawFn, rows: int, usual: str) -> pd.Series:
    """A column that holds what its role asks for, or anything."""
    kind = usual if draw(st.integers(0, 3)) else draw(st.sampled_from(sorted(CELLS)))
    values = draw(st.lists(CELLS[kind], min_size=rows, max_size=rows))
    series = pd.Series(values, dtype=object if kind in {"mixed", "objects", "huge"} else None)
    if draw(st.integers(0, 4)) == 0:
        try:
            series = series.astype(draw(st.sampled_from(TYPES)))
        except (TypeError, ValueError, OverflowError):
            return series
    return series


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """A frame that resembles a panel, with anything in a few columns."""
    usual = {
        "unit": "small",
        "time": "years",
        "cohort": "years",
        "y": "fractions",
        "w": "small",
        "region": "words",
    }
    names = list(ROLES)
    for _ in range(draw(st.integers(0, 2))):
        names.remove(draw(st.sampled_from(names)))
    if draw(st.booleans()):
        units, periods = draw(st.integers(1, 4)), draw(st.integers(1, 5))
        rows = units * periods
    else:
        units, periods, rows = 0, 0, draw(st.integers(0, 12))
    frame = pd.DataFrame({name: draw(column(rows, usual.get(name, "small"))) for name in names})
    if units and {"unit", "time", "cohort"} <= set(names):
        frame["unit"] = np.repeat(np.arange(units), periods)
        frame["time"] = np.tile(np.arange(2000, 2000 + periods), units)
        first = draw(st.lists(st.sampled_from([0, 1999, 2001, 2002]), min_size=units, max_size=units))
        frame["cohort"] = np.repeat(first, periods)
    if draw(st.integers(0, 9)) == 0:
        frame.index = draw(st.sampled_from([frame.index[::-1], pd.Index([0] * len(frame))]))
    if draw(st.integers(0, 9)) == 0 and names:
        frame = pd.concat([frame, frame[[draw(st.sampled_from(names))]]], axis=1)
    return frame


def built(frame: pd.DataFrame, spec: Spec) -> Panel:
    """As the command line does it: what a file holds is looked at before a panel is made of it."""
    require_plain_cells(frame, "The frame")
    return build_panel(frame, spec)


@cases(0.05)
@given(frame=frames(), data=valid())
def test_any_frame_is_a_panel_or_refused(frame: pd.DataFrame, data: dict[str, Any]) -> None:
    spec = accepted(lambda: parse_spec(data))
    if spec is None:
        return
    panel = accepted(lambda: built(frame, spec))
    if panel is not None:
        assert isinstance(panel, Panel)
        assert panel.y.shape == (len(panel.units), len(panel.periods))
        assert np.isfinite(panel.weight[np.isfinite(panel.y)]).all()
