"""Keys that are set but not read by any estimator of the file, which are noted.

A grid over estimators hands every key to all of them; a key that one of them reads is no mistake
there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from functools import cache

from replication.core.estimates import Estimates
from replication.core.spec import Inference, Spec
from replication.estimators.registry import ENTRIES
from replication.inference.methods import READ_BY

SMALL_SAMPLE = ("callaway_santanna", "continuous_dose", "triple_difference", "imputation", "two_stage")
"""Estimators that read ``inference.small_sample``."""

OF_THE_PANEL = frozenset(
    (
        *("id", "title", "study", "panel", "outcome", "estimator", "note", "sample", "inference"),
        *("unit", "time", "cohort", "treatment", "weights", "cluster", "cohort_from", "time_format", "never"),
        *("duplicates", "read", "cohort_rule", "reversals"),
    )
)
"""Keys of a specification that no estimator reads as an argument."""


def find_unused_keys(specs: Sequence[Spec]) -> dict[str, list[str]]:
    """Notes about keys without effect.

    Parameters
    ----------
    specs : all specifications of one file.

    Returns
    -------
    dict
        Id of a specification -> its notes; only of those that have any.
    """
    read = {key for spec in specs for key in keys_read(spec.estimator)}
    methods = {method_of(spec) for spec in specs}
    estimators = {spec.estimator for spec in specs}
    found: dict[str, list[str]] = {}
    for spec in specs:
        names = {one.name for one in fields(Spec)} - OF_THE_PANEL - read
        given = {name for name in names if is_set(spec, name)}
        # Which keys are those of estimators is known only once all are imported.
        keys = [(key, spec.estimator) for key in choices() if key in given] if given else []
        keys += [
            (f"inference.{key}", f"method {spec.inference.method!r}")
            for key, able in READ_BY.items()
            if methods.isdisjoint(able) and is_set(spec.inference, key)
        ]
        if estimators.isdisjoint(SMALL_SAMPLE) and is_set(spec.inference, "small_sample"):
            keys.append(("inference.small_sample", spec.estimator))
        if keys:
            found[spec.id] = [f"{key!r} has no effect: {who} does not use it" for key, who in keys]
    return found


@cache
def choices() -> list[str]:
    """Every key that some estimator reads; all of them are imported for it."""
    return list(dict.fromkeys(key for entry in ENTRIES.values() for key in entry.keys))


def is_set(values: Spec | Inference, key: str) -> bool:
    """Whether a key differs from its default."""
    default: object = type(values).__dataclass_fields__[key].default
    return bool(getattr(values, key) != default)


def method_of(spec: Spec) -> str:
    """The method of inference; with unit-specific linear trends, group-time effects resample clusters."""
    return "bootstrap" if ENTRIES[spec.estimator].own(spec).resampled else spec.inference.method


def keys_read(estimator: str) -> list[str]:
    """Keys that an estimator reads, each once."""
    entry = ENTRIES[estimator]
    return list(dict.fromkeys((*entry.takes, *entry.keys)))


def with_notes(result: Estimates, notes: Sequence[str]) -> Estimates:
    """The result with further notes; the same one if there are none."""
    if not notes:
        return result
    return replace(result, details=result.details.noted(notes))
