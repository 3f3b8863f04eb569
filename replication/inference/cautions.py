"""Notes on standard errors from few clusters.

The threshold for treated and control clusters: of 400 samples without an effect (50 units over 10
periods, AR(0.5), all treated in period 6) nominal 5% tests of ``twfe``, ``callaway_santanna``,
``imputation`` and ``dcdh`` reject 81% with 1 treated unit (``dcdh`` none), 29 to 39% with 2, 17 to
23% with 3, 9 to 16% with 5, 8 to 11% with 8, 7 to 9% with 10 and 6 to 8% with 12; with 5 units left
as controls 9 to 13%, with 10 7 to 10%.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from replication.core.arrays import Bools, Floats
from replication.core.details import ClusterSupport, Details, JointTest
from replication.core.estimates import ClusterScores
from replication.core.panel import Panel
from replication.inference.joint_tests import impossible_test, pretrend_test
from replication.inference.psd import Repaired
from replication.inference.row_table import EstimateRow, RowKeys
from replication.inference.support import effective_clusters, support_of

FEW_TREATED = 10
"""Fewer treated (or control) clusters than this are noted."""

FEW_EFFECTIVE = 10
"""Fewer clusters, or effective clusters behind the overall effect, than this are noted.

Regressions, where the number follows from leverage, are noted below 15 (``leverage.FEW_EFFECTIVE``)."""

NO_SPREAD = 1e-8
"""Standard errors below this share of the standard deviation of the outcome are zero."""

ONE_SIDED = "There is only 1 "
"""How the note on one treated or one control cluster begins."""
FEW_BEHIND = "The effective number of clusters is"
"""How the note on few clusters behind the overall effect begins."""
DIFFER = "The analytic interval and the permutation p-value"
"""How the note on an interval and a permutation test that disagree begins."""
REFLECTS = "; the standard error reflects sampling variation in the"
LISTED = 4
REPAIRED = (
    "the covariance was not positive semi-definite and had to be repaired, and the inverse of a "
    "matrix that was made singular gives no test"
)


def support_notes(found: ClusterSupport, n_clusters: int, *, by_cohort: bool) -> list[str]:
    """Notes on few treated and few control clusters.

    ``by_cohort``: whether there are rows for single cohorts or event times.
    """
    if n_clusters < FEW_TREATED and min(found.treated, found.control) > 1:
        same = found.treated == found.control == n_clusters
        sides = "" if same else f", {found.treated} treated and {found.control} control"
        return [
            f"There are only {n_clusters} clusters ({found.kind}){sides}; clustered standard errors are "
            f"imprecise, and tests over-reject{t_clause(n_clusters)}"
        ]
    notes = []
    if 0 < found.treated < FEW_TREATED:
        notes.append(_few(found.treated, "treated", found.kind, "control"))
    if 0 < found.control < FEW_TREATED:
        notes.append(_few(found.control, "control", found.kind, "treated"))
    if by_cohort and found.treated > 1 and found.alone > 0:
        alone = (
            "are the only members of their cohorts" if found.alone > 1 else "is the only member of its cohort"
        )
        notes.append(
            f"{found.alone} of the {found.treated} treated clusters ({found.kind}) {alone}"
            ", whose standard errors reflect sampling variation in the control group only"
        )
    return notes


def t_clause(n_clusters: int) -> str:
    """What a note on few clusters adds on critical values; methods without a t distribution remove it."""
    return f"; critical values are those of t({n_clusters - 1}) unless another distribution is requested"


def _few(count: int, side: str, kind: str, other: str) -> str:
    if count == 1:
        return (
            f"{ONE_SIDED}{side} cluster ({kind}), whose residuals are nearly zero by construction{REFLECTS} "
            f"{other} group only"
        )
    return (
        f"There are only {count} {side} clusters ({kind}); with so few, standard errors are too small on "
        "average and tests over-reject"
    )


def cluster_notes(n_clusters: int, effective: float | None) -> list[str]:
    """Notes on few clusters, or few effective ones behind the overall effect."""
    if n_clusters < FEW_EFFECTIVE:
        return [
            f"There are only {n_clusters} clusters; clustered standard errors are "
            f"imprecise{t_clause(n_clusters)}"
        ]
    if effective is not None and effective < FEW_EFFECTIVE:
        return [
            f"{FEW_BEHIND} {effective:.1f} of {n_clusters}; standard errors are "
            "likely too small, and tests over-reject; 'inference.distribution: bootstrap_t' accounts for it"
        ]
    return []


def lost_std_errors(estimate: Floats, std_error: Floats) -> Bools:
    """(K,) estimates that are not fixed at zero but lack a standard error."""
    found: Bools = np.isfinite(estimate) & (estimate != 0) & ~np.isfinite(std_error)
    return found


def lost_note(labels: Sequence[str], lost: Bools) -> list[str]:
    """A note on estimates without a standard error."""
    if not lost.any():
        return []
    names = [label for label, one in zip(labels, lost, strict=True) if one]
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return [
        f"No standard error is reported for {len(names)} of {lost.size} estimates "
        f"({', '.join(names[:LISTED])}{more}): the cluster scores are all zero, as happens when each cohort "
        "is a single cluster or no degrees of freedom remain"
    ]


def outcome_spread(panel: Panel) -> float:
    """Standard deviation of the observed outcomes, the scale of what counts as zero."""
    whole = float(panel.y.std())
    # Ignoring gaps costs a copy of the panel, and most have none.
    return float(np.nanstd(panel.y)) if np.isnan(whole) else whole


def without_zero(panel: Panel, rows: Sequence[EstimateRow], std_error: Floats, details: Details) -> Floats:
    """Standard errors with those that are zero on the scale of the outcome set to missing.

    Coefficients of covariates have other units and keep theirs.
    """
    small = std_error < NO_SPREAD * (1.0 if details.scale == "log points" else outcome_spread(panel))
    if not small.any():
        return std_error
    own = np.array([not row.term.startswith("coef:") for row in rows])
    return np.where(small & own, np.nan, std_error)


def with_repair(details: Details, found: Repaired) -> Details:
    """The details with the notes of a repaired variance, whose inverse means nothing any more."""
    if not found.notes:
        return details
    known = details.noted(found.notes).measured(repaired=True)
    return known.measured(missing_noted=True) if found.negative.any() else known


def path_test(
    table: pd.DataFrame, vcov: pd.DataFrame, n_clusters: int, anticipation: int, *, repaired: bool
) -> JointTest | None:
    """The joint test of the leads from the covariance of the path, where there is an event path."""
    terms = np.array(table["term"].tolist())
    event_time, estimate = table["event_time"].to_numpy(), table["estimate"].to_numpy()
    # The covariance of many cells is not kept.
    kept = (terms != "att_gt") | (len(vcov) == len(table))
    events = kept & (terms == "event") & ~np.isnan(event_time)
    if not events.any():
        return None
    event_time, estimate, inside = event_time[events], estimate[events], events[kept]
    if repaired:
        leads = (event_time < -anticipation) & (estimate != 0)
        return impossible_test(int(leads.sum()), REPAIRED)
    variance = vcov.to_numpy()[np.ix_(inside, inside)]
    return pretrend_test(event_time, estimate, variance, n_clusters, anticipation)


def with_cautions(
    panel: Panel,
    keys: RowKeys,
    table: pd.DataFrame,
    vcov: pd.DataFrame,
    details: Details,
    overall: ClusterScores | None,
) -> Details:
    """The details with the pre-trend test, the support by clusters, and notes on what is thin."""
    effects = any(not term.startswith("coef:") for term in keys.terms)
    if not effects:
        return details
    found = support_of(panel, details.control_group or None)
    estimate, std_error = table["estimate"].to_numpy(), table["std_error"].to_numpy()
    behind = details.effective_clusters if overall is None else effective_clusters(overall.sums)
    lost = lost_std_errors(estimate, std_error)
    # The notes on treated and control clusters cover all of fewer than ten.
    same = min(found.treated, found.control) > 0 and panel.n_clusters < FEW_TREATED
    sides = support_notes(found, panel.n_clusters, by_cohort="event" in keys.terms or "group" in keys.terms)
    if not np.isfinite(std_error).any():
        sides = [note.partition(REFLECTS)[0] for note in sides]
    # A corrected variance has said why its rows have none.
    unexplained = lost.any() and not details.uncertainty.missing_noted
    notes = [
        *sides,
        # Regressions count effective clusters by leverage, and have noted it where they are few.
        *([] if same else cluster_notes(panel.n_clusters, None if details.cluster_influence else behind)),
        *(lost_note(list(keys.labels()), lost) if unexplained else []),
    ]
    known = replace(
        details,
        effective_clusters=behind,
        cluster_support=found,
        pretrend=details.pretrend
        or path_test(
            table, vcov, panel.n_clusters, details.anticipation, repaired=details.uncertainty.repaired
        ),
    ).noted(notes)
    return known.measured(missing_noted=True) if lost.any() else known
