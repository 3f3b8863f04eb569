"""Notes on few clusters that fit the method of inference in use and those that this panel allows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from replication.core.errors import PanelError
from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.inference.assignment import assignment_of
from replication.inference.cautions import DIFFER, t_clause
from replication.inference.cluster import sum_by_cluster

DESIGNED: Final = ("permutation", "conley_taber", "ferman_pinto")
"""Methods for few treated clusters."""
WITHOUT_T: Final = ("wild", "bootstrap", *DESIGNED)
"""Methods whose p-values and intervals take no critical value of a t distribution."""
ON_FEW: Final = re.compile(r"There (is|are) only \d+ (treated )?clusters? \(")
ON_CLUSTERED: Final = re.compile(
    r"There are only \d+ treated clusters \(|There is only 1 treated cluster .* by construction|"
    r"The effective number of clusters is|\d+ of the \d+ treated clusters \("
)
"""Notes on clustered standard errors, which ``conley_taber`` and ``ferman_pinto`` replace."""


def with_remedies(found: Estimates, panel: Panel, inference: Inference, possible: Sequence[str]) -> Estimates:
    """The estimates with notes on few clusters that fit the method in use and those that can replace it.

    Parameters
    ----------
    panel : the panel before the estimator drops anything, as the methods read it.
    possible : methods that the estimator has for this specification.
    """
    replaced = inference.method in DESIGNED[1:]
    words, given = ("critical values are", DIFFER), found.details.notes
    if not replaced and not any(ON_FEW.match(note) or any(w in note for w in words) for note in given):
        return found
    remedy = "" if inference.method in ("wild", *DESIGNED) else remedy_of(panel, inference.level, possible)
    few = set(DESIGNED[1:]) <= set(possible) and enough_controls(panel, inference.level)
    valid = "; 'conley_taber' and 'ferman_pinto' provide valid ones" if few else ""
    clause = t_clause(int(found.table["n_clusters"].iloc[0]))
    drop = inference.method in WITHOUT_T or inference.distribution not in ("auto", "t")
    notes = [
        (note.replace(clause, "") if drop else note)
        + (remedy if ON_FEW.match(note) else valid if note.startswith(DIFFER) else "")
        for note in given
        if not (replaced and ON_CLUSTERED.match(note))
    ]
    return replace(found, details=replace(found.details, notes=tuple(notes)))


def remedy_of(panel: Panel, level: float, possible: Sequence[str]) -> str:
    """A clause on the methods for few treated clusters that can be used; empty if there are none."""
    residual = enough_controls(panel, level) if set(DESIGNED[1:]) & set(possible) else False
    names = [name for name in DESIGNED if name in possible and (name == "permutation" or residual)]
    if not names:
        return ""
    quoted = [f"'inference.method: {names[0]}'", *(f"'{name}'" for name in names[1:])]
    if len(quoted) == 1:
        return f"; {quoted[0]} is designed for few treated clusters"
    listed = " and ".join(quoted) if len(quoted) == 2 else f"{', '.join(quoted[:-1])}, and {quoted[-1]}"
    return f"; {listed} are designed for few treated clusters"


def enough_controls(panel: Panel, level: float) -> bool:
    """Whether whole clusters are treated, with the 1 / (1 - level) control clusters that a test needs."""
    try:
        assigned = assignment_of(panel, DESIGNED[1])
    except PanelError:
        return False
    seen = np.where(panel.observed, panel.weight, 0.0)
    whole = (sum_by_cluster(seen, assigned.codes)[assigned.control] > 0).all(axis=1)
    return int(whole.sum()) >= int(np.ceil(round(1 / (1 - level), 6)))
