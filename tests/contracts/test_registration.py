"""Estimators register themselves, and their defaults are those of a specification."""

from __future__ import annotations

import inspect

import pytest

from replication.core.spec import Spec
from replication.estimators.registry import ENTRIES

DEFAULTS = {name: field.default for name, field in Spec.__dataclass_fields__.items()}


@pytest.mark.parametrize("name", ENTRIES)
def test_a_function_has_the_defaults_of_a_specification(name: str) -> None:
    parameters = inspect.signature(ENTRIES[name].function).parameters
    assert next(iter(parameters)) == "panel"
    for key in (*ENTRIES[name].keys, "inference"):
        assert parameters[key].default == DEFAULTS[key], key


def test_the_fourteen_of_the_first_edition_are_there() -> None:
    assert {"twfe", "callaway_santanna", "imputation", "dcdh", "goodman_bacon"} <= set(ENTRIES)
    assert len(ENTRIES) >= 14
