"""Removal of statistics without a basis from a result, with a note that gives the reason.

Estimators report what their formulas give, as resampling and permutation need in every draw; a
reported result passes through ``guarded`` once, whatever the estimator and the method.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from replication.core.arrays import Bools
from replication.core.details import Details
from replication.core.errors import PanelError, SpecError
from replication.core.estimates import Estimates, row_labels
from replication.core.spec import Inference
from replication.inference.cautions import FEW_BEHIND, ONE_SIDED, lost_note, lost_std_errors
from replication.inference.critical_values import FEW_CLUSTERS
from replication.inference.joint_tests import impossible_test

TESTED = ["statistic", "p_value"]
INTERVALS = ["conf_low", "conf_high", "band_low", "band_high"]

WITHOUT_CLUSTERS = {
    "permutation": TESTED,
    "conley_taber": [*TESTED, *INTERVALS],
    "ferman_pinto": [*TESTED, *INTERVALS],
}
"""Methods that do not rest on the noise of the treated clusters, and the columns that they make;
other columns of theirs are analytic."""

SATURATED = ("callaway_santanna", "triple_difference", "sun_abraham", "etwfe", "imputation")
"""Estimators with a separate effect for every cohort and period, so that the residuals of a
cohort of one cluster are zero."""

FEWEST_DRAWS = 20
"""Fewest draws whose standard deviation or interquartile range is reported as a standard error."""


def draws_needed(tails: int, level: float) -> int:
    """Fewest draws with which a p-value can be below 1 - level, or a quantile lie inside them.

    Parameters
    ----------
    tails : 2 for equal-tailed intervals, 1 for symmetric ones.
    level : confidence level.

    Returns
    -------
    int
        The smallest number of draws.
    """
    return int(np.ceil(tails / (1 - level) - 1e-9))


def require_draws(inference: Inference, *, resampled: bool) -> None:
    """Refuse draws too few for the level, before anything is estimated.

    Parameters
    ----------
    resampled : whether whole clusters are drawn, by the method or by the estimator itself.

    Raises
    ------
    SpecError
        With the number of draws that the level needs.
    """
    least, what, fewest = 1, "", 1
    percent = level_words(inference.level)
    if resampled and inference.distribution in ("auto", "normal"):
        tails = 1 if inference.interval == "symmetric" else 2
        least, what = draws_needed(tails, inference.level), f"a {percent} percentile interval"
    elif inference.method == "permutation":
        least = draws_needed(1, inference.level) - 1
        what = f"a p-value below {1 - inference.level:g}"
    elif inference.distribution == "bootstrap_t":
        least, what = draws_needed(1, inference.level), f"a critical value of a {percent} bootstrap-t"
    if resampled or inference.method == "multiplier":
        fewest = FEWEST_DRAWS
        least, what = max((least, what), (fewest, f"a {inference.method} standard error"))
    if inference.draws < least:
        # At a lower level the standard error itself still needs its draws.
        lower = ", or lower 'inference.level'" if inference.draws >= fewest else ""
        raise SpecError(
            f"{inference.draws} draws are too few for {what}. Set 'inference.draws' to {least} or more "
            f"(999 or more is usual){lower}."
        )


def level_words(level: float) -> str:
    """A confidence level as it is read: ``95%``."""
    return f"{100 * level:g}%"


def guarded(found: Estimates, inference: Inference) -> Estimates:
    """The estimates without statistics, p-values and intervals that have no basis.

    Raises
    ------
    PanelError
        For standard errors from multiplier draws of a handful of clusters.
    """
    require_clusters(found, inference)
    table, details, notes = found.table, found.details, list[str]()
    reason, few = no_basis(found), inference.draws < draws_needed(1, inference.level)
    if reason or few:
        table = table.copy()
    if few:
        notes += _without_bands(table, inference)
    if reason and (named := _blank(table, inference)):
        details = _with_reason(details, reason, named)
        if details.pretrend is not None:
            details = replace(details, pretrend=impossible_test(details.pretrend.df, reason))
    if reason or inference.distribution == "bootstrap_t":
        kept = tuple(note for note in details.notes if not note.startswith(FEW_BEHIND))
        details = details if kept == details.notes else replace(details, notes=kept)
    notes += _unbounded(table)
    notes += _lost(found)
    if not notes and details is found.details:
        return found
    return replace(found, table=table, details=details.noted(notes))


def require_clusters(found: Estimates, inference: Inference) -> None:
    """Refuse the interquartile range of multiplier draws where it can take only a few values."""
    groups = int(found.table["n_clusters"].iloc[0])
    if inference.method == "multiplier" and groups < FEW_CLUSTERS:
        raise PanelError(
            f"Multiplier standard errors are the interquartile range of draws, and the "
            f"{inference.multiplier} multipliers of {groups} clusters take too few different "
            f"values for one; {FEW_CLUSTERS} clusters or more are needed. Set 'method: analytic', "
            "or name a finer cluster column."
        )


def no_basis(found: Estimates) -> str:
    """The reason why no clustered test of the effects is possible; empty if one is."""
    counts, extras = found.details.cluster_support, found.details.extras
    if counts is None or extras.get("donor_errors") == "placebo":
        return ""
    treated, control, kind = counts.treated, counts.control, counts.kind
    if treated == 1:
        return f"only {treated} treated cluster ({kind}) identifies the estimate"
    if control == 1:
        return f"only {control} control cluster ({kind}) identifies the estimate"
    grouped = extras.get("residual_groups") != "none" and not extras.get("leave_one_out")
    estimator = str(found.table["estimator"].iloc[0])
    if estimator in SATURATED and grouped and counts.alone == treated > 0:
        return f"each of the {treated} treated clusters ({kind}) is the only one of its cohort"
    return ""


def _blank(table: pd.DataFrame, inference: Inference) -> str:
    """Remove statistics without a basis, in place; which they are in words, empty if there are none."""
    skipped = WITHOUT_CLUSTERS.get(inference.method, [])
    columns = [name for name in (*TESTED, *INTERVALS) if name not in skipped]
    if not columns:
        return ""
    table.loc[effects(table), columns] = np.nan
    return "interval is" if "p_value" in skipped else "statistic, p-value, and interval are"


def _with_reason(details: Details, reason: str, named: str) -> Details:
    """The details with what is not reported, in the note that gives the reason already where there is one."""
    for place, note in enumerate(details.notes):
        if note.startswith(ONE_SIDED):
            longer = f"{note}, so the {named} not reported"
            return replace(details, notes=(*details.notes[:place], longer, *details.notes[place + 1 :]))
    return details.noted(
        [
            f"Because {reason}, the standard error does not measure the noise of the effect: its {named} not "
            "reported"
        ]
    )


def effects(table: pd.DataFrame) -> Bools:
    """(K,) rows that are effects of the treatment, not coefficients of covariates."""
    terms = table["term"].astype(str)
    return (~terms.str.startswith("coef:") | (terms == "coef:log_ratio")).to_numpy()


def _without_bands(table: pd.DataFrame, inference: Inference) -> list[str]:
    """Remove bands, in place, that would rest on too few draws."""
    inside = (table["band_high"] != table["conf_high"]) & table["band_high"].notna()
    if not inside.any():
        return []
    table.loc[inside, ["band_low", "band_high"]] = np.nan
    return [
        f"{level_words(inference.level)} uniform bands need at least "
        f"{draws_needed(1, inference.level)} draws; with {inference.draws} they are not reported"
    ]


def _unbounded(table: pd.DataFrame) -> list[str]:
    """A note on intervals that end in infinity."""
    ends = np.isinf(table["conf_low"].to_numpy()) | np.isinf(table["conf_high"].to_numpy())
    if not ends.any():
        return []
    return [
        f"The confidence interval of {int(ends.sum())} of {len(table)} estimates is unbounded: "
        "with so few clusters the test rejects no value, however far from the estimate"
    ]


def _lost(found: Estimates) -> list[str]:
    """The reason for missing standard errors, where the estimator has given none."""
    table = found.table
    lost = lost_std_errors(table["estimate"].to_numpy(), table["std_error"].to_numpy())
    if not lost.any() or found.details.uncertainty.missing_noted:
        return []
    lost &= (table["term"] != "weight").to_numpy()
    return lost_note(row_labels(table), lost) if lost.any() else []
