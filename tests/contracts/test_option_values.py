"""Estimators called as functions refuse what a specification refuses, whatever the option."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

import replication as rp
from replication.core.spec import Inference
from replication.core.spec_schema import schema
from replication.estimators.registry import ENTRIES

PROPERTIES: dict[str, Any] = schema()["properties"]
CHOICES = {key: entry["enum"] for key, entry in PROPERTIES.items() if "enum" in entry and key != "estimator"}
INFERENCE = PROPERTIES["inference"]["properties"]
NO_CHOICE = "no_such_choice"
WRONG: dict[str, Any] = {"integer": 0.5, "boolean": "often", "array": "text", "number": "many"}
"""A value of no type that the schema has for such an option."""


def options(kinds: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Every registered estimator with every option of its own among some, and a value that is refused."""
    for (name, entry), (key, value) in itertools.product(ENTRIES.items(), kinds.items()):
        if key in entry.keys:
            yield name, key, value


def typed() -> dict[str, Any]:
    """Options without a list of values, and a value of another type."""
    found = {}
    for key, entry in PROPERTIES.items():
        kinds = entry.get("type", ())
        kind = next((one for one in WRONG if one == kinds or one in kinds), None)
        if kind is not None:
            found[key] = WRONG[kind]
    return found


@pytest.fixture(scope="module")
def panel() -> rp.Panel:
    """A small panel of staggered adoption (simulated)."""
    return rp.read_panel(rp.simulated_panel(seed=1), outcome="y")


def test_the_schema_has_choices_for_many_estimators() -> None:
    """The tests below run over something: choices, and estimators that take one of them."""
    assert len(CHOICES) >= 10
    assert len({name for name, _, _ in options(CHOICES)}) >= 8


@pytest.mark.parametrize(("name", "key", "allowed"), list(options(CHOICES)))
def test_a_choice_that_is_none(panel: rp.Panel, name: str, key: str, allowed: list[Any]) -> None:
    """Both the function of ``rp`` and that of the module refuse it, with the allowed values."""
    for function in (getattr(rp, name), ENTRIES[name].function):
        with pytest.raises(rp.InputError, match=f"'{key}' is '{NO_CHOICE}'.* Allowed values: ") as refused:
            function(panel, **{key: NO_CHOICE})
        assert all(str(value) in str(refused.value) for value in allowed if value is not None)


@pytest.mark.parametrize(("name", "key", "value"), list(options(typed())))
def test_a_value_of_another_type(panel: rp.Panel, name: str, key: str, value: Any) -> None:
    """So with whole numbers, lists, and true or false."""
    with pytest.raises(rp.InputError, match=f"'{key}'"):
        getattr(rp, name)(panel, **{key: value})


@pytest.mark.parametrize("key", [key for key, entry in INFERENCE.items() if "enum" in entry])
def test_inference_refuses_a_choice_that_is_none(key: str) -> None:
    """At once, and not only when it is used."""
    with pytest.raises(rp.InputError, match=f"'inference.{key}' is '{NO_CHOICE}'.* Allowed values: "):
        Inference(**{key: NO_CHOICE})


def test_inference_refuses_numbers_that_are_none() -> None:
    """The bounds of a number are in the message, with its meaning."""
    expected = (
        "'inference.draws' (draws of a bootstrap or permutation, and of the simultaneous bands) must be a "
    )
    expected += "whole number between 1 and 100,000; got 'many'."
    with pytest.raises(rp.InputError, match=re.escape(expected)):
        Inference(method="wild", draws="many")  # type: ignore[arg-type]


def test_a_signature_shows_no_defaults_of_inference() -> None:
    """Only what differs from the defaults is in the representation."""
    assert repr(Inference()) == "Inference()"
    assert repr(Inference(method="wild", draws=99)) == "Inference(method='wild', draws=99)"


@pytest.mark.parametrize("name", list(ENTRIES))
@pytest.mark.parametrize(
    "data", [pd.DataFrame({"y": [1.0]}), 3, "panel.csv"], ids=["frame", "number", "path"]
)
def test_what_is_no_panel(name: str, data: Any) -> None:
    """One paragraph names the two ways to pass a data frame."""
    with pytest.raises(rp.InputError, match=f"{name} takes a Panel") as refused:
        getattr(rp, name)(data)
    assert f"rp.{name}(rp.read_panel(frame, outcome=...))" in str(refused.value)
    assert "rp.estimate(frame" in str(refused.value)


@pytest.mark.parametrize("name", list(ENTRIES))
def test_inference_as_a_mapping(panel: rp.Panel, name: str) -> None:
    """The class is named that carries the options."""
    with pytest.raises(rp.InputError, match=r"'inference' is of type dict\. Pass rp\.Inference"):
        getattr(rp, name)(panel, inference={"method": "wild"})


@pytest.mark.parametrize("name", list(ENTRIES))
def test_a_docstring_begins_with_a_verb_and_names_what_is_returned(name: str) -> None:
    """The help of every estimator has the same form."""
    text = ENTRIES[name].function.__doc__ or ""
    assert text.partition(" ")[0] in {"Estimate", "Compute", "Decompose", "Impute"}
    assert "Returns\n" in text


def test_results_of_a_panel_carry_the_name_of_the_estimator(panel: rp.Panel) -> None:
    """A panel read once has no specification of its own."""
    assert rp.event_study(panel).table["spec_id"].unique().tolist() == ["event_study"]
    found = rp.honest_did(rp.event_study(panel, window=(-3, 3)), bounds=[1.0])
    assert found["spec_id"].tolist() == ["event_study"]
    # The binned end points pool all event times beyond.
    assert found["event_times"].tolist() == ["-2..2"]


def test_sensitivity_takes_a_result(panel: rp.Panel) -> None:
    """Neither a panel nor a data frame is one."""
    for wrong in (panel, pd.DataFrame(), 3):
        with pytest.raises(rp.InputError, match="takes the result of an estimator"):
            rp.honest_did(wrong)  # type: ignore[arg-type]


def test_a_single_result_is_drawn_and_tabulated(panel: rp.Panel) -> None:
    """A list of one is not needed; what is no result is refused."""
    fit = rp.event_study(panel)
    assert len(rp.event_plot(fit).axes) == 1
    assert rp.table(fit).to_text() == rp.table([fit]).to_text()
    for wrong in (3, [3], "fit", None):
        with pytest.raises(rp.InputError, match=r"Pass Estimates, as estimators return them: \[fit\]\."):
            rp.event_plot(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "rows"), [("group", ["Cohort 4", "All cohorts"]), ("calendar", ["Period 10"])]
)
def test_averages_by_cohort_and_period_are_printed(panel: rp.Panel, kind: str, rows: list[str]) -> None:
    """A result that consists of them shows every one."""
    found = rp.callaway_santanna(panel).aggregate(kind)
    text = found.summary()
    assert all(row in text for row in rows)
    assert len([line for line in text.splitlines() if line.startswith(("Cohort", "Period", "All"))]) == len(
        found.table
    )
