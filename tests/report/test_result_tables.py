"""Tables and figures of results outside a study: drawn p-values, pooled ends, and what columns differ in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import replication as rp
from replication.display.formatting import probability

MINUS = "\N{MINUS SIGN}"
DRAWN = {
    "wild": ("twfe", {"method": "wild"}, "wild bootstrap", "the wild cluster bootstrap (99 draws"),
    "permutation": (
        "twfe",
        {"method": "permutation"},
        "randomization inference",
        "randomization inference (99",
    ),
    "bootstrap": (
        "callaway_santanna",
        {"method": "bootstrap"},
        "cluster bootstrap",
        "a cluster bootstrap of",
    ),
    "conley_taber": ("twfe", {"method": "conley_taber"}, "Conley-Taber", "as in Conley and Taber (2011)"),
    "ferman_pinto": ("twfe", {"method": "ferman_pinto"}, "Ferman-Pinto", "as in Ferman and Pinto (2019)"),
}
"""Methods whose p-values the printed standard errors do not give: estimator, keys, row, words of the note."""


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    found = rp.simulated_panel(seed=1, n_units=100)
    return found.assign(x=np.random.default_rng(2).normal(size=len(found)), z=found["time"] % 3)


def estimated(frame: pd.DataFrame, estimator: str, **keys: Any) -> rp.Estimates:
    """A result of the simulated panel, clustered by its units, which are treated as a whole."""
    return rp.estimate(frame, **{"outcome": "y", "estimator": estimator, **keys})


def cells(table: Any, row: str) -> list[tuple[str, ...]]:
    """The cells of the first row of this name."""
    return list(next(one.cells for one in table.document.rows if one.label == row))


def names(table: Any) -> list[str]:
    """The names of all rows."""
    return [row.label for row in table.document.rows]


@pytest.mark.parametrize("name", DRAWN)
def test_a_drawn_p_value_has_a_row_and_a_note(frame: pd.DataFrame, name: str, tmp_path: Path) -> None:
    estimator, keys, row, words = DRAWN[name]
    fit = estimated(frame, estimator, inference=rp.Inference(draws=99, **keys))
    plain = estimated(frame, "imputation")
    table = rp.table([fit, plain])
    assert names(table)[:2] == ["Overall effect", f"p-value, {row}"]
    assert cells(table, f"p-value, {row}") == [(probability(fit.table["p_value"].iloc[0]),), ("",)]
    (note,) = table.document.notes
    assert ", p-values are from " in note
    assert words in note
    alone = rp.table(fit)
    assert "P-values are from " in alone.document.notes[0]
    for ending in ("md", "tex", "html"):
        assert f"p-value, {row}" in alone.save(tmp_path / f"t.{ending}").read_text(encoding="utf-8")


def test_every_drawn_event_time_has_its_p_value_and_the_figure_names_the_intervals(
    frame: pd.DataFrame,
) -> None:
    fit = estimated(frame, "event_study", inference=rp.Inference(method="wild", draws=99))
    rows = names(rp.table(fit))
    place = rows.index("Event time 1")
    assert rows[place + 1] == "p-value, wild bootstrap"
    reference = rows.index(f"Event time {MINUS}1")
    assert rows[reference + 1] == "Event time 0", "the reference period has no p-value"
    note = " ".join(fit.plot().texts[1].get_text().split())
    assert "Confidence intervals are from the wild cluster bootstrap (99 draws, null imposed)." in note
    permuted = estimated(frame, "event_study", inference=rp.Inference(method="permutation", draws=19))
    assert "are from" not in permuted.plot().texts[1].get_text(), "its intervals are cluster-robust"


@pytest.mark.parametrize("inference", [{}, {"method": "multiplier"}, {"variance": "cv3"}])
def test_p_values_by_the_standard_error_have_no_row(frame: pd.DataFrame, inference: dict[str, Any]) -> None:
    table = rp.table(estimated(frame, "twfe", inference=rp.Inference(draws=99, **inference)))
    assert not any(name.startswith("p-value") for name in names(table))
    assert "p-values" not in table.to_text().lower()


@pytest.mark.parametrize(
    ("window", "endpoints", "words"),
    [
        ((-3, 2), "bin", f"Pooled event times: {MINUS}3 and earlier, 2 and later."),
        ((-3, 30), "bin", f"Pooled event times: {MINUS}3 and earlier."),
        ((-30, 2), "bin", "Pooled event times: 2 and later."),
        ((-30, 30), "bin", ""),
        ((-3, 2), "drop", ""),
        (None, "bin", ""),
    ],
)
def test_pooled_ends_are_in_the_figure_the_table_and_the_summary(
    frame: pd.DataFrame, window: tuple[int, int] | None, endpoints: str, words: str
) -> None:
    fit = estimated(frame, "event_study", window=window, endpoints=endpoints)
    figure = " ".join(fit.plot().texts[1].get_text().split())
    (note,) = rp.table(fit).document.notes
    for text in (figure, note, " ".join(fit.summary().split())):
        assert (words in text) if words else ("Pooled event times" not in text)


def test_pooled_ends_name_the_result_among_several(frame: pd.DataFrame) -> None:
    fits = [estimated(frame, "event_study", window=(-3, 2)), estimated(frame, "imputation")]
    words = f"Pooled event times: {MINUS}3 and earlier, 2 and later (A)."
    assert words in rp.table(fits, labels=["A", "B"]).document.notes[0]
    assert words in " ".join(rp.event_plot(fits, labels=["A", "B"]).texts[1].get_text().split())


def test_the_estimator_has_a_row_only_where_the_headings_do_not_name_it(frame: pd.DataFrame) -> None:
    fits = [estimated(frame, "imputation"), estimated(frame, "twfe")]
    assert "Estimator" not in names(rp.table(fits))
    assert cells(rp.table(fits, labels=["A", "B"]), "Estimator")[1] == ("Two-way fixed effects",)


def test_outcomes_and_covariates_that_differ_have_a_row(frame: pd.DataFrame) -> None:
    frame = frame.assign(y=np.exp(frame["y"] / 10))
    plain, logged = estimated(frame, "twfe"), estimated(frame, "twfe", outcome="log(y)", covariates=["x"])
    table = rp.table([plain, logged], labels=["A", "B"])
    assert cells(table, "Outcome") == [("y",), ("log(y)",)]
    assert cells(table, "Covariates") == [("none",), ("x",)]
    assert "Outcome:" not in table.document.notes[0]
    alike = rp.table([logged, logged], labels=["A", "B"])
    assert not {"Outcome", "Covariates"} & set(names(alike))
    assert alike.document.notes[0].startswith("Outcome: log(y). Covariates: x.")
