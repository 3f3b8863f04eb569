"""What the sections of the audit share: their form, checks with a verdict, and estimates of one setup."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from replication.core.errors import PanelError, SpecError
from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.spec import ANALYTIC, Spec
from replication.display.formatting import probability
from replication.estimators.estimate_spec import estimate
from replication.estimators.registry import ENTRIES


@dataclass(frozen=True, slots=True)
class AuditSection:
    """One item of the checklist.

    Attributes
    ----------
    words : sentences in plain words.
    warnings : sentences that a reader must not miss; they are repeated at the top of the page.
    passed : checks of this section that found nothing, in a few words each.
    cautions : checks that found something short of a warning, in a few words each.
    table, figure : shown below the words, where there are any.
    short : the rows of a long table that are shown; the whole table is folded behind them.
    """

    title: str
    words: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    table: pd.DataFrame | None = field(default=None, repr=False)
    short: pd.DataFrame | None = field(default=None, repr=False)
    figure: Figure | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Check:
    """A check with its verdict: the warning if it fails, a few words if it does not.

    ``caution``: whether a check that does not fail is to be interpreted with caution.
    """

    fails: bool
    warning: str
    passed: str
    caution: bool = False


def verdicts(checks: Iterable[Check]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The warnings of the checks that fail, and the words of those that pass, without and with caution."""
    every = list(checks)
    return (
        tuple(check.warning for check in every if check.fails),
        tuple(check.passed for check in every if not check.fails and not check.caution),
        tuple(check.passed for check in every if not check.fails and check.caution),
    )


def one_sided(found: Estimates) -> str:
    """The side with a single cluster (``treated``, ``control``) where no interval is reported for it."""
    support = found.details.cluster_support
    if support is None or np.isfinite(main_row(found)[2]):
        return ""
    return "treated" if support.treated == 1 else "control" if support.control == 1 else ""


def setup_of(panel: Panel) -> Spec:
    """The setup of a panel that was built without a specification: every default."""
    weights = "weights" if panel.weighted else None
    return Spec("audit", panel.outcome, "twfe", weights=weights, covariates=panel.covariate_names)


def require_staggered(spec: Spec) -> None:
    """Refuse a setup that is no staggered adoption of units that are followed over time.

    Raises
    ------
    SpecError
        For a treatment column, or repeated cross-sections.
    """
    if spec.treatment != "binary" or spec.repeated_cross_sections:
        key = "treatment" if spec.treatment != "binary" else "repeated_cross_sections"
        raise SpecError(
            f"The audit examines a binary treatment that starts with the cohort, of units that are followed "
            f"over time. Remove {key!r}, or use `replication estimate`, which takes it."
        )


def require_treated(panel: Panel, spec: Spec) -> None:
    """Refuse a panel in which no unit adopts, which has no design to examine.

    Raises
    ------
    PanelError
        With the columns to check.
    """
    if not (panel.first < panel.periods.size).any():
        column = spec.cohort_from or spec.cohort
        dates = "first treated period; 0 or empty for never treated"
        raise PanelError(
            "No unit in the sample adopts treatment, so there is no design to audit. Check the cohort column "
            f"{column!r} ({'0/1 treatment' if spec.cohort_from else dates}) and 'sample'."
        )


def fit(panel: Panel, spec: Spec, name: str, *, drawn: bool = False, **changes: object) -> Estimates:
    """One estimator with the keys of the setup that it reads.

    Parameters
    ----------
    drawn : whether ``inference.method`` of the setup applies, if the estimator has it; else standard errors
        are analytic.
    changes : other values of keys.
    """
    able = drawn and spec.inference.method in ENTRIES[name].methods
    inference = spec.inference if able else replace(ANALYTIC, level=spec.inference.level)
    # The result carries its estimator's name: a refusal further down names the right one.
    keys: dict[str, object] = {"id": name, "estimator": name, "inference": inference, **changes}
    return estimate(replace(panel, spec_id=name), replace(spec, **keys))  # type: ignore[arg-type]


def main_row(found: Estimates) -> tuple[float, float, float, float]:
    """Estimate, standard error and interval of the overall effect, or of the treatment coefficient."""
    row = found.table.iloc[0]
    return tuple(float(row[name]) for name in ("estimate", "std_error", "conf_low", "conf_high"))  # type: ignore[return-value]


def p_text(value: float) -> str:
    """A p-value in words."""
    shown = probability(value)
    return "not available" if not shown else f"p {shown}" if shown.startswith("<") else f"p = {shown}"


def smallest_p(found: Estimates, panel: Panel) -> float:
    """The smallest p-value that the draws can give; 0 where it is no share of random draws."""
    how, record = found.details.uncertainty, found.details.permutation
    if record is not None:
        return 0.0 if record.complete else 1 / (1 + record.draws - record.draws_lost)
    if how.method != "wild" or 2**panel.n_clusters <= how.draws:
        return 0.0
    return (1 if how.interval == "symmetric" else 2) / (1 + how.draws)


def attainable_p(found: Estimates, panel: Panel) -> float:
    """The smallest p-value that a method can give on this panel, drawn or exact; 0 without draws."""
    record = found.details.permutation
    if record is not None and record.complete:
        return 1 / max(len(record.estimates), 1)
    exact = 0.5 ** (panel.n_clusters - 1) if found.details.uncertainty.method == "wild" else 0.0
    return max(exact, smallest_p(found, panel))


def drawn_p(value: float, floor: float) -> str:
    """A p-value from draws, which cannot fall below ``floor``: ``≤ 0.002`` there, as it may be smaller."""
    shown = probability(value)
    return f"\N{LESS-THAN OR EQUAL TO} {shown}" if value <= floor * (1 + 1e-9) and shown[:1] != "<" else shown
