"""Robustness sections of the audit: other inference, leaving parts out, the specification curve."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from replication.audit.checklist import (
    AuditSection,
    Check,
    attainable_p,
    drawn_p,
    fit,
    main_row,
    smallest_p,
    verdicts,
)
from replication.audit.design_sections import MOST_ROWS
from replication.core.errors import InputError
from replication.core.panel import NEVER, Panel
from replication.core.spec import Spec
from replication.core.wording import label_text
from replication.display.formatting import fixed, listed
from replication.estimators.registry import ENTRIES

DRAWS = 499
SIZE = 0.05
METHODS = {"analytic": "analytic", "wild": "wild bootstrap", "permutation": "permutation"}
"""Methods of inference on TWFE, and how a sentence names them."""
MARKED = "<\N{LESS-THAN OR EQUAL TO}"
"""What a p-value begins with where it is a bound."""
WORDS = {"twfe": "TWFE", "imputation": "imputation"}
"""Estimators that are fast enough to be refitted over specifications."""
MOST_CLUSTERS = 60
"""Clusters, or units where clusters are more, up to which each is left out in turn."""


def other_inference(panel: Panel, spec: Spec) -> AuditSection:
    """The two-way estimate by the usual test, the wild cluster bootstrap, and randomization inference."""
    rows, values, able, agreeing = [], [], [], []
    for method, adjective in METHODS.items():
        inference = replace(spec.inference, method=method, draws=DRAWS)
        try:
            found = fit(panel, replace(spec, inference=inference), "twfe", drawn=True)
            p_value = float(found.table["p_value"].iloc[0])
            rows.append((method, drawn_p(p_value, smallest_p(found, panel))))
            if np.isfinite(p_value):
                values.append(p_value)
                able.append(attainable_p(found, panel) < SIZE)
                agreeing.append(adjective)
        except InputError as refusal:
            rows.append((f"{method}: {refusal}", ""))
    table = pd.DataFrame(rows, columns=["inference on TWFE", "p-value"])
    named = [f"p {p if p[0] in MARKED else f'= {p}'} ({method})" for method, p in rows if p]
    check = Check(
        len({value < SIZE for value in values}) > 1,
        "Whether the TWFE estimate is significant at the 5% level depends on the method of inference: "
        f"{listed(named)}.",
        f"the {listed(agreeing)} p-values of the TWFE estimate agree on significance at the 5% level",
    )
    # Methods agree on nothing where one of them cannot reject, or there is one alone.
    checks = [check] if check.fails or (len(able) > 1 and all(able)) else []
    words = (
        f"The wild cluster bootstrap and randomization inference use {DRAWS} draws; "
        "\N{LESS-THAN OR EQUAL TO} marks the smallest p-value that they can give.",
    )
    return AuditSection("Inference by other methods", words, *verdicts(checks), table)


def leave_one_out(panel: Panel, spec: Spec) -> AuditSection:
    """The imputation estimate without each cohort, and without each cluster or unit where there are few."""
    rows = []
    for label, keep in left_out(panel):
        try:
            estimate, std_error, *_ = main_row(fit(panel.keep_units(keep), spec, "imputation"))
            rows.append((label, estimate, std_error))
        except InputError:
            continue
    if not rows:
        return AuditSection("Leave one out", ("No cohort, cluster, or unit can be left out.",))
    table = pd.DataFrame(rows, columns=["left out", "estimate", "std. error"]).round(4)
    places = table["estimate"].sort_values().index
    (low, lowest), (high, highest) = (rows[places[end]][1::-1] for end in (0, -1))
    words = (
        f"Leaving out one cohort, cluster, or unit at a time, the imputation estimate ranges from "
        f"{fixed(low)} (without {lowest}) to {fixed(high)} (without {highest}). Imputation is refitted here "
        "because it is fast and keeps units with missing periods.",
    )
    checks = [
        Check(
            low < 0 < high,
            "The sign of the imputation estimate depends on a single cohort, cluster, or unit.",
            f"leaving out any one of {len(rows)} cohorts, clusters, or units does not change the sign of the "
            "imputation estimate",
        )
    ]
    short = table.loc[[*places[:3], *places[-3:]]] if len(table) > MOST_ROWS else None
    return AuditSection("Leave one out", words, *verdicts(checks), table, short)


def left_out(panel: Panel) -> Iterator[tuple[str, np.ndarray]]:
    """Names, and units that are kept, of each sample without a part."""
    for cohort in np.unique(panel.cohort):
        name = "the never-treated" if cohort == NEVER else f"cohort {panel.written(cohort)}"
        yield name, panel.cohort != cohort
    dimension, codes = next(iter(panel.clusters.items()))
    if codes.ndim == 1 and codes.max() < MOST_CLUSTERS and codes.max() + 1 < codes.size:
        for code in range(int(codes.max()) + 1):
            inside = codes == code
            labels = panel.cluster_labels.get(dimension)
            # A panel made by hand may have codes of its clusters alone; a unit names one.
            yield (
                (
                    f"the {dimension} that contains unit {label_text(panel.units[inside][0])}"
                    if labels is None
                    else f"{dimension} {label_text(labels[inside][0])}"
                ),
                ~inside,
            )
    elif panel.units.size <= MOST_CLUSTERS:
        for place, unit in enumerate(panel.units):
            yield f"unit {label_text(unit)}", np.arange(panel.units.size) != place


def specification_curve(panel: Panel, spec: Spec) -> AuditSection:
    """Estimates over choices of estimator, trends and weights."""
    weightings = {"weighted" if panel.weighted else "unweighted": panel}
    if panel.weighted:
        weightings["unweighted"] = replace(panel, weight=np.ones_like(panel.weight), weighted=False)
    trends = {"no trends": (), "unit trends": ("unit_linear",)}
    rows = []
    for name, (weighting, given), (label, kept) in itertools.product(
        WORDS, weightings.items(), trends.items()
    ):
        try:
            rows.append(
                (ENTRIES[name].label, weighting, label, *main_row(fit(given, spec, name, trends=kept)))
            )
        except InputError:
            continue
    columns = ["estimator", "weights", "trends", "estimate", "std. error", "conf. low", "conf. high"]
    table = pd.DataFrame(rows, columns=columns).sort_values("estimate", ignore_index=True).round(4)
    if table.empty:
        return AuditSection("Specification curve", ("No choice gives an estimate.",))
    clear = int(((table["conf. low"] > 0) | (table["conf. high"] < 0)).sum())
    low, high = table["estimate"].min(), table["estimate"].max()
    both = " and ".join(WORDS[name] for name in WORDS if ENTRIES[name].label in set(table["estimator"]))
    share = "all" if clear == len(table) else clear
    intervals = f"; {share} of the intervals exclude zero" if table["conf. low"].notna().any() else ""
    words = (
        f"Over {len(table)} combinations of estimator, weights, and unit-specific linear trends, the "
        f"estimate ranges from {fixed(low)} to {fixed(high)}{intervals}.",
    )
    checks = [
        Check(
            low < 0 < high,
            f"The sign of the {both} estimates depends on the specification.",
            f"{both} estimates have the same sign in all {len(table)} specifications",
        )
    ]
    return AuditSection("Specification curve", words, *verdicts(checks), table)
