"""Staggered-adoption difference-in-differences: estimate, check, plot, and rerun published studies.

>>> import replication as rp
>>> panel = rp.simulated_panel(seed=1)
>>> fit = rp.estimate(panel, outcome="y", estimator="callaway_santanna")
>>> round(fit.att[0], 3)
0.723

Modules are imported on first use; ``__init__.pyi`` names them for type checkers. The studies of a project
are run by the command line (``replication run``) and ``replication.workflow``, which are not part of this
interface.
"""

from __future__ import annotations

import importlib

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
    "simulated_panel": "replication.core.simulated_panel",
    "table": "replication.api",
}


def __getattr__(name: str) -> object:
    # Every step of a run imports this, and most of them nothing else of the package.
    from replication.core.estimator_files import estimator_names

    if name == "__all__":
        value: object = ["__version__", *_HOMES, *estimator_names()]
    elif name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    elif name in estimator_names():
        value = importlib.import_module("replication.estimators.by_name").by_name(name)
    else:
        raise AttributeError(f"module 'replication' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__getattr__("__all__")})  # type: ignore[misc]
