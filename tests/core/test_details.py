"""Details: typed, frozen, and the same after they were saved and loaded, for every estimator."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError, asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from drawn_panels import draw_panel
from eligible_panels import eligible_panel
from unit_dose_panels import dosed_panel

import replication as rp
from replication.core import saved_results
from replication.core.details import (
    NAN,
    BalanceRow,
    BalanceTest,
    ClusterInfluence,
    ClusterSupport,
    ClusterWeight,
    Details,
    Dropped,
    EventSupport,
    JointTest,
)
from replication.core.details_record import details_of, plain
from replication.core.errors import InputError
from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.spec import Inference, Spec
from replication.display import details_text
from replication.estimators.registry import ENTRIES
from replication.inference.methods import OwnMethods, apply_method
from replication.report import facts
from replication.report.report_data import load

FEW = Inference(draws=59, seed=4)
OPTIONS: dict[str, dict[str, Any]] = {"synthetic_did": {"donor_errors": "jackknife"}}
WEIGHTS_ONLY = ("goodman_bacon", "twfe_weights")


def spec_of(estimator: str) -> Spec:
    return Spec(
        id="small",
        study="tests",
        panel="panel",
        outcome="y",
        unit="unit",
        time="time",
        cohort="cohort",
        estimator=estimator,
    )


# Panels of the estimators that need a column of their own.
OWN = {"continuous_dose": (dosed_panel, "dose"), "triple_difference": (eligible_panel, "eligible")}


def panel_of(name: str) -> Panel:
    if name in OWN:
        draw, column = OWN[name]
        keys = {"outcome": "y", "unit": "unit", "time": "time", "cohort": "cohort", column: column}
        return rp.read_panel(pd.DataFrame(draw(2)), **keys)
    panel = draw_panel(3, n_units=40)
    return replace(panel, y=np.exp(panel.y)) if name == "poisson" else panel


def estimate(name: str, inference: Inference = FEW) -> Estimates:
    function = ENTRIES[name].function
    own = {OWN[name][1]: OWN[name][1]} if name in OWN else {}
    return function(panel_of(name), inference=inference, **OPTIONS.get(name, {}), **own)


def saved(found: Estimates, name: str, folder: Path) -> Path:
    """The folder of the estimates, saved with a specification."""
    saved_results.save(found, spec_of(name), folder)
    return folder


def text(details: Details) -> str:
    return yaml.safe_dump(plain(details), sort_keys=False)


@pytest.mark.parametrize("name", ENTRIES)
def test_saved_and_loaded_they_are_the_same(name: str, tmp_path: Path) -> None:
    found = estimate(name)
    again, record = saved_results.load(saved(found, name, tmp_path / "first"))
    assert isinstance(again.details, Details)
    assert text(again.details) == text(found.details)
    assert record["details"] == yaml.safe_load(text(found.details))
    second = saved(again, name, tmp_path / "second")
    for file in saved_results.FILES:
        assert (second / file).read_bytes() == (tmp_path / "first" / file).read_bytes()


@pytest.mark.parametrize("method", ["permutation", "conley_taber", "bootstrap", "wild"])
def test_records_of_the_methods_are_saved_and_loaded(method: str, tmp_path: Path) -> None:
    from replication.estimators.twfe import twfe

    adoption = (0,) * 24 + (2004,)
    panel = draw_panel(5, n_units=40, adoption=adoption)
    inference = replace(FEW, method=method)
    found = apply_method(twfe, panel, inference, own=OwnMethods(two_way=True), residuals=_centered)
    again, _ = saved_results.load(saved(found, "twfe", tmp_path))
    assert again.details.uncertainty.method == method
    assert text(again.details) == text(found.details)
    kept = {"permutation": "permutation", "conley_taber": "few_treated"}.get(method, "uncertainty")
    assert getattr(again.details, kept) == getattr(found.details, kept)


def _centered(panel: Panel) -> Any:
    """(N, T) residuals of two-way effects on a panel without gaps."""
    y = panel.y - panel.y.mean(axis=1, keepdims=True)
    return y - y.mean(axis=0)


def test_every_field_survives_whatever_it_holds() -> None:
    full = Details(
        absorbed=("unit", "region_by_time"),
        linear_trends=("unit",),
        base_period=-2,
        window=(-4, 3),
        averaged_times=(0, 3),
        mean_outcome=1.5,
        support=(EventSupport(-1, 2, 30), EventSupport(0, 2, 30, 12.5)),
        dropped=(
            Dropped("periods_cut", 2, "periods", (2007, 2008)),
            Dropped("not_estimated", 1, "cells", ("a",)),
        ),
        cluster_support=ClusterSupport(3, 20, 1, "state"),
        cluster_influence=ClusterInfluence(
            "state", 2, 1.9, 0.6, "AL", by_cluster=(ClusterWeight("AL", 0.6),)
        ),
        pretrend=JointTest("F", 3, 2.5, 0.06, 40),
        balance=BalanceTest((BalanceRow("att", 0.1, 0.2, 0.5, 0.6, 0.7),), draws=39),
        by_row={"degrees_of_freedom": {"att": 12.3, "event:0": NAN}},
        extras={"whole": 3, "number": 0.5, "text": "b", "none": None},
        notes=("one", "two"),
    )
    record = yaml.safe_load(text(full))
    assert text(details_of(record, "here")) == text(full)
    assert replace(details_of(record, "here"), by_row={}, mean_pre=0.0) == replace(
        full, by_row={}, mean_pre=0.0
    )
    # A base period may be a number or a word, and stays what it is.
    assert details_of({"base_period": "universal"}, "here").base_period == "universal"


def test_they_are_frozen() -> None:
    details = estimate("twfe").details
    for part in (details, details.uncertainty, details.cluster_support):
        with pytest.raises(FrozenInstanceError):
            setattr(part, next(iter(asdict(part))), None)
    assert all(one.type != "Any" for one in fields(Details))


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"absorbed": ["unit"], "reference_event_time": -1}, "unknown field 'details.reference_event_time'"),
        ({"pretrend": {"chi2": 3.0}}, "unknown field 'details.pretrend.chi2'"),
        ({"support": [{"event_time": 1, "units": 3}]}, "lack the field 'details.support.cohorts'"),
        ({"mean_outcome": "high"}, "contain 'high' at 'details.mean_outcome'"),
        ({"window": [1, 2, 3]}, "at 'details.window'"),
        ({"notes": "a sentence"}, "at 'details.notes'"),
        (None, "are missing"),
    ],
)
def test_a_foreign_file_is_refused_in_one_paragraph(record: Any, message: str, tmp_path: Path) -> None:
    folder = saved(estimate("twfe"), "twfe", tmp_path)
    whole = yaml.safe_load((folder / "spec.yaml").read_text())
    whole["details"] = record
    (folder / "spec.yaml").write_text(yaml.safe_dump(whole, sort_keys=False))
    for read in (saved_results.load, lambda place: load(place).details):
        with pytest.raises(InputError, match=re.escape(message)) as refusal:
            read(folder)
        assert str(folder / "spec.yaml") in str(refusal.value)
        assert "Estimate the specification again" in str(refusal.value)
        assert "\n" not in str(refusal.value)


def test_numbers_of_extras_and_of_records_are_found_by_their_names() -> None:
    details = replace(Details(extras={"treated_cells": 12}), pretrend=JointTest("F", 2, 3.0, 0.05))
    assert details.find("treated_cells") == 12
    assert details.find("pretrend.p_value") == 0.05
    assert details.find("uncertainty.level") == 0.95
    assert details.find("balance.wald.df") is None
    assert details.find("nothing.at.all") is None


def test_rewording_changes_no_cell_of_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Notes and the words of averages and base periods are free; effects, numbers and gaps stay."""
    found = estimate("event_study")
    plainly = load(saved(found, "event_study", tmp_path / "first"))
    other = replace(found.details, notes=tuple(f"Reworded: {note}" for note in found.notes))
    monkeypatch.setattr(details_text, "AVERAGE", dict.fromkeys(details_text.AVERAGE, "another average"))
    monkeypatch.setattr(
        details_text, "BASE_PERIOD", dict.fromkeys(details_text.BASE_PERIOD, "another period")
    )
    reworded = load(saved(replace(found, details=other), "event_study", tmp_path / "second"))
    assert details_text.average(reworded.details) == "another average"
    for read in (
        facts.absorbed,
        lambda saved: (saved.details.mean_outcome, saved.details.mean_pre),
        facts.pretrend_p,
        facts.support_by_event_time,
        facts.level,
    ):
        assert read(reworded) == read(plainly)
    assert plainly.table.equals(reworded.table)


def test_a_note_on_missing_errors_is_known_by_its_field_not_by_its_words() -> None:
    from replication.inference.unsupported_statistics import guarded

    found = estimate("twfe")
    table = found.table.assign(std_error=np.nan)
    output = replace(found, table=table, details=found.details.measured(missing_noted=True))
    silent = replace(found, table=table)
    assert guarded(output, FEW).notes == output.notes
    assert any("standard error" in note for note in set(guarded(silent, FEW).notes) - set(silent.notes))


@pytest.mark.parametrize("name", [name for name in ENTRIES if name not in WEIGHTS_ONLY])
def test_every_choice_of_an_estimator_has_words(name: str) -> None:
    details = estimate(name).details
    for words in (details_text.average, details_text.base_period, details_text.control_group):
        assert isinstance(words(details), str)
    assert details.average == "" or details_text.average(details)
    assert not re.search(r"[{}_]", details_text.average(details) + details_text.base_period(details))
