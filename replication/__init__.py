"""Staggered-adoption difference-in-differences: estimate, check, plot, and rerun published studies.

>>> import replication as rp
>>> panel = rp.simulated_panel(seed=1)
>>> fit = rp.estimate(panel, outcome="y", estimator="callaway_santanna")
>>> round(fit.att[0], 3)
0.723

Modules are imported on first use. The studies of a project are run by the command line (``replication run``)
and ``replication.workflow``, which are not part of this interface.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from replication.core.estimator_files import estimator_names

if TYPE_CHECKING:
    from replication.api import check as check
    from replication.api import estimate as estimate
    from replication.api import event_plot as event_plot
    from replication.api import read_panel as read_panel
    from replication.api import simulated_panel as simulated_panel
    from replication.api import table as table
    from replication.core.errors import InputError as InputError
    from replication.core.estimates import Estimates as Estimates
    from replication.core.panel import Panel as Panel
    from replication.core.spec import Inference as Inference
    from replication.core.spec import Spec as Spec
    from replication.core.spec import load_specs as load_specs
    from replication.estimators.callaway_santanna import callaway_santanna as callaway_santanna
    from replication.estimators.continuous_dose import continuous_dose as continuous_dose
    from replication.estimators.dcdh import dcdh as dcdh
    from replication.estimators.etwfe import etwfe as etwfe
    from replication.estimators.event_study import event_study as event_study
    from replication.estimators.goodman_bacon import goodman_bacon as goodman_bacon
    from replication.estimators.imputation import imputation as imputation
    from replication.estimators.local_projections import local_projections as local_projections
    from replication.estimators.ols import ols as ols
    from replication.estimators.poisson import poisson as poisson
    from replication.estimators.roth_santanna import roth_santanna as roth_santanna
    from replication.estimators.stacked import stacked as stacked
    from replication.estimators.sun_abraham import sun_abraham as sun_abraham
    from replication.estimators.synthetic_did import synthetic_did as synthetic_did
    from replication.estimators.triple_difference import triple_difference as triple_difference
    from replication.estimators.twfe import twfe as twfe
    from replication.estimators.twfe_weights import twfe_weights as twfe_weights
    from replication.estimators.two_stage import two_stage as two_stage
    from replication.inference.sensitivity import honest_did as honest_did

__version__ = "0.1.0"

_HOMES = {
    "Estimates": "replication.core.estimates",
    "Inference": "replication.core.spec",
    "InputError": "replication.core.errors",
    "Panel": "replication.core.panel",
    "Spec": "replication.core.spec",
    "check": "replication.api",
    "estimate": "replication.api",
    "event_plot": "replication.api",
    "honest_did": "replication.inference.sensitivity",
    "load_specs": "replication.core.spec",
    "read_panel": "replication.api",
    "simulated_panel": "replication.api",
    "table": "replication.api",
}
__all__ = ["__version__", *_HOMES, *estimator_names()]  # noqa: PLE0604 - imported when first used


def __getattr__(name: str) -> Any:
    if name in estimator_names():
        value = importlib.import_module("replication.api").by_name(name)
    elif name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module 'replication' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *estimator_names()})
