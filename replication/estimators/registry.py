"""Which function estimates a specification, and which keys of the specification it reads."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import partial
from typing import Any

from replication.core.errors import SpecError
from replication.core.estimates import Estimates
from replication.core.memory import keep_freed_memory
from replication.core.panel import Panel
from replication.core.spec import Spec
from replication.core.threads import one_thread
from replication.inference.methods import FIXED_ROWS, REGRESSION, SCORES, apply_method, refuse_method
from replication.inference.variances import refuse_variance


@dataclass(frozen=True, slots=True)
class Entry:
    """An estimator: its label in tables, the keys it reads, and what it can take.

    Attributes
    ----------
    keys : names of ``Spec`` fields passed on as keyword arguments.
    cohorts : whether adoption must be a cohort (a share-of-period treatment is refused).
    takes : which of ``trends``, ``covariates``, ``offset`` and ``weights`` it can use.
    methods : values of ``inference.method`` that it has.

    """

    label: str
    keys: tuple[str, ...]
    cohorts: bool = True
    takes: tuple[str, ...] = ("weights",)
    methods: tuple[str, ...] = SCORES


GROUP_TIME = ("control_group", "base_period", "anticipation", "window")

ENTRIES = {
    "twfe": Entry(
        "Two-way fixed effects",
        ("trends",),
        False,
        ("trends", "covariates", "weights"),
        REGRESSION,
    ),
    "event_study": Entry(
        "Two-way event study",
        ("trends", "window", "anticipation", "endpoints", "family"),
        takes=("trends", "covariates", "weights", "offset"),
        methods=REGRESSION,
    ),
    "poisson": Entry(
        "Poisson, two-way effects",
        ("trends",),
        False,
        ("trends", "covariates", "weights", "offset"),
    ),
    "callaway_santanna": Entry(
        "Group-time (Callaway-Sant'Anna)",
        (*GROUP_TIME, "adjustment", "fix_weights", "unbalanced", "balance_e", "trends"),
        takes=("covariates", "weights", "trends"),
    ),
    "sun_abraham": Entry(
        "Interaction-weighted (Sun-Abraham)",
        ("control_group", "anticipation", "window", "shares"),
        takes=("covariates", "weights"),
    ),
    "imputation": Entry(
        "Imputation (Borusyak-Jaravel-Spiess)",
        ("trends", "window", "anticipation", "residual_groups", "leave_one_out"),
        takes=("trends", "covariates", "weights"),
    ),
    "two_stage": Entry(
        "Two-stage (Gardner)",
        ("trends", "window", "anticipation"),
        takes=("trends", "covariates", "weights"),
    ),
    "etwfe": Entry(
        "Extended two-way (Wooldridge)",
        ("control_group", "family", "window", "anticipation"),
        takes=("covariates", "weights", "offset"),
    ),
    "stacked": Entry(
        "Stacked (Wing-Freedman-Hollingsworth)",
        ("control_group", "window", "clean_window"),
    ),
    "local_projections": Entry(
        "Local projections (Dube et al.)",
        ("control_group", "window", "reweight"),
        takes=("weights", "covariates"),
    ),
    "synthetic_did": Entry(
        "Synthetic difference-in-differences",
        ("donor_errors", "window"),
        takes=(),
        methods=("analytic",),
    ),
    "dcdh": Entry("de Chaisemartin-D'Haultfoeuille", ("window",)),
    "goodman_bacon": Entry("Goodman-Bacon decomposition", (), methods=FIXED_ROWS),
    "twfe_weights": Entry("Weights of two-way fixed effects", (), False, ("weights",), FIXED_ROWS),
}


def estimate(panel: Panel, spec: Spec) -> Estimates:
    """Estimate a specification on its panel.

    Raises
    ------
    SpecError
        If the specification asks for trends, covariates, an offset, weights or a treatment that
        the estimator cannot use.
    PanelError
        If the panel cannot carry the estimate.

    """
    entry = ENTRIES[spec.estimator]
    refuse_unusable(spec, entry)
    module = importlib.import_module(f"replication.estimators.{spec.estimator}")
    function: Any = getattr(module, spec.estimator)
    keywords = {key: getattr(spec, key) for key in entry.keys}
    keep_freed_memory()
    with one_thread():
        return apply_method(
            partial(function, **keywords),
            panel,
            spec.inference,
            own_bootstrap=spec.estimator == "callaway_santanna" and not spec.covariates,
            two_way=spec.estimator == "twfe" and not spec.trends,
        )


def refuse_unusable(spec: Spec, entry: Entry) -> None:
    """Refuse what an estimator would silently leave out."""
    refuse_method(spec.id, spec.estimator, spec.inference, entry.methods)
    refuse_variance(
        spec.id,
        spec.estimator,
        spec.inference,
        poisson="family" in entry.keys and spec.family == "poisson",
    )
    for key in ("trends", "covariates", "offset", "weights"):
        if getattr(spec, key) and key not in entry.takes:
            able = [name for name, other in ENTRIES.items() if key in other.takes]
            raise SpecError(
                f"{spec.id}: {spec.estimator} takes no {key}, and leaving them out silently would "
                f"change the estimand. Remove {key!r}, or use one of: {', '.join(able)}."
            )
    if entry.cohorts and spec.treatment != "binary":
        raise SpecError(
            f"{spec.id}: {spec.estimator} needs a binary treatment that starts with the cohort, "
            f"not the column {spec.treatment!r}. Set 'treatment: binary' and name the cohort "
            "column or 'cohort_rule', or use twfe or poisson."
        )
