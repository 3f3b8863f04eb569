"""Keys that are set and that no estimator of the file reads: said, so that nobody waits for them.

A grid over estimators hands every key to all of them; what one of them reads is no mistake there,
and the others say nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from replication.estimators.registry import ENTRIES
from replication.results import Estimates
from replication.specs import Spec

CHOICES = list(dict.fromkeys(key for entry in ENTRIES.values() for key in entry.keys))


def unread_keys(specs: Sequence[Spec]) -> dict[str, list[str]]:
    """Notes about keys without effect.

    Parameters
    ----------
    specs : all specifications of one file.

    Returns
    -------
    dict
        Id of a specification -> its notes; only of those that have any.
    """
    read = {key for spec in specs for key in reads(spec.estimator)}
    found = {
        spec.id: [
            f"{key!r} is set and {spec.estimator} does not read it: it changes nothing"
            for key in CHOICES
            if key not in read and getattr(spec, key) != Spec.__dataclass_fields__[key].default
        ]
        for spec in specs
    }
    return {name: notes for name, notes in found.items() if notes}


def reads(estimator: str) -> list[str]:
    """Keys that an estimator reads, each once."""
    entry = ENTRIES[estimator]
    return list(dict.fromkeys((*entry.takes, *entry.keys)))


def with_notes(result: Estimates, notes: Sequence[str]) -> Estimates:
    """The result with further notes; the same one if there are none."""
    if not notes:
        return result
    info: Mapping[str, object] = result.info
    return replace(result, info={**info, "notes": [*result.info.get("notes", []), *notes]})
