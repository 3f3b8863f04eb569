"""Every estimator as a function of a panel, under its own name: ``rp.twfe(panel, trends=...)``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from replication.core.errors import SpecError, nearest
from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.spec import Spec
from replication.estimators.estimate_spec import estimate
from replication.estimators.registry import ENTRIES, require_usable


def by_name(name: str) -> Callable[..., Estimates]:
    """The estimator of a name on a ``Panel``, with every check and method of inference of ``estimate``."""
    entry = ENTRIES[name]

    @functools.wraps(entry.function)
    def run(panel: Panel, **options: Any) -> Estimates:
        """The estimator with the keys of a specification as options."""
        require_usable(name, panel, {})
        unknown = [key for key in options if key not in (*entry.keys, "inference")]
        if unknown:
            raise SpecError(
                f"{name} has no option {unknown[0]!r}{nearest(unknown[0], [*entry.keys, 'inference'])}. "
                f"Its options are: {', '.join((*entry.keys, 'inference'))}."
            )
        require_usable(name, panel, options)
        carried = {"covariates": panel.covariate_names, "weights": "weights" if panel.weighted else None}
        carried |= {key: key for key in entry.needs if key in panel.unit_values or key in panel.strata}
        lists = {key: tuple(value) for key, value in options.items() if isinstance(value, list | np.ndarray)}
        spec = Spec(id=name, outcome=panel.outcome, estimator=name, **{**carried, **options, **lists})
        return estimate(panel if panel.spec_id else replace(panel, spec_id=name), spec)

    return run
