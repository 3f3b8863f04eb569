"""Goodman-Bacon (2021) decomposition of two-way fixed effects into its 2x2 comparisons.

Estimand
    beta_TWFE = sum_c s_c * DD_c over all pairs of cohorts, sum_c s_c = 1, s_c >= 0 (Theorem 1).
    For an earlier cohort e and a later one l, adopting in columns F_e < F_l of T periods, with
    weight shares n_e and n_l:
    the earlier against the later before F_l (equation 10f),
    ``s  ~  n_e n_l (F_l - F_e) F_e``, and
    the later against the earlier from F_e on (equation 10g),
    ``s  ~  n_e n_l (F_l - F_e) (T - F_l)``.
    Never-treated units are the case F_l = T (equation 10e), always-treated ones F_e = 0.
Assumptions
    None: this is arithmetic. Only the comparisons with already-treated units need effects that do
    not change over time to be effects at all.
Reproduces
    R ``bacondecomp::bacon``; Stata ``bacondecomp y d, ddetail``. With unit weights it decomposes
    the weighted regression, which those packages do not offer.

Journal of Econometrics 225(2): 254-277. Everything comes from cohort-by-period means, so the
cost is one pass over the outcome and a G x G table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from replication.core.arrays import Floats, Ints
from replication.core.errors import PanelError
from replication.core.estimates import Estimates
from replication.core.estimator_records import TwoByTwo
from replication.core.panel import NEVER, Panel
from replication.core.reading import proposal
from replication.core.spec import ANALYTIC, Inference
from replication.core.wording import counted
from replication.estimators.registry import registered
from replication.estimators.shared.adoption_contrast import require_contrast
from replication.estimators.twfe import twfe
from replication.estimators.twfe_weights import with_weights
from replication.inference.cluster import sum_by_cluster
from replication.inference.methods import FIXED_ROWS

KINDS = ("earlier_vs_later", "later_vs_earlier", "treated_vs_never", "treated_vs_always")


@dataclass(frozen=True, slots=True)
class Components:
    """C comparisons, as parallel arrays.

    Attributes
    ----------
    kind : (C,) index into ``KINDS``
    treated, comparison : (C,) column in which the two groups adopt; 0 is always, T is never.
    estimate, weight : (C,) 2x2 difference-in-differences and its share; the shares sum to 1.
    """

    kind: Ints
    treated: Ints
    comparison: Ints
    estimate: Floats
    weight: Floats


@registered("Goodman-Bacon decomposition", methods=FIXED_ROWS)
def goodman_bacon(panel: Panel, *, inference: Inference = ANALYTIC) -> Estimates:
    """Decompose the two-way fixed effects estimate into its 2x2 comparisons.

    Parameters
    ----------
    panel : Panel
        Balanced, binary treatment, one weight per unit.
    inference : method, variance, level, and draws of standard errors, intervals, and tests.

    Returns
    -------
    Estimates
        ``att`` is the TWFE estimate with its standard error; the 2x2 estimates times their weights sum to
        it up to rounding. One ``weight`` row per comparison follows: ``estimate`` is its weight,
        ``cohort`` the treated group's adoption, and ``time`` the comparison group's (0: never; the
        first period: always treated). ``details.comparisons`` adds the 2x2 estimates and
        ``by_kind`` their totals.

    Raises
    ------
    PanelError
        If the panel is unbalanced, the treatment is not binary, or no group can be compared.

    Examples
    --------
    >>> import replication as rp
    >>> panel = rp.read_panel(rp.simulated_panel(seed=1), outcome="y")
    >>> rp.goodman_bacon(panel).table[["term", "estimate"]].head(3)
         term  estimate
    0     att  0.425136
    1  weight  0.048780
    2  weight  0.097561
    """
    parts = components(panel)
    labels = np.append(panel.periods, NEVER)
    two_way = twfe(panel, inference=inference)
    return with_weights(
        two_way,
        "goodman_bacon",
        labels[parts.treated],
        labels[parts.comparison],
        parts.weight,
        replace(two_way.details, comparisons=as_comparisons(parts, _labels(panel))),
    )


def _labels(panel: Panel) -> Ints:
    """Adoption of each column in the labels of the data; the last is never."""
    return np.append(panel.label(panel.periods), NEVER).astype(np.int64)


def components(panel: Panel) -> Components:
    """Every 2x2 comparison, its estimate and its weight, from cohort-by-period means."""
    require_decomposable(panel)
    first, share, level = cohort_means(panel)
    # Differences of differences ignore cohort and period constants; without them, less is lost
    # to rounding in the running sums.
    level = level - level.mean(axis=1, keepdims=True)
    level -= share @ level
    early, late = np.nonzero(first[:, None] < first[None, :])
    forward = _earlier_treated(first, share, level, early, late, panel.periods.size)
    backward = _later_treated(first, share, level, early, late, panel.periods.size)
    kind, treated, comparison, estimate, raw = (
        np.concatenate(pair) for pair in zip(forward, backward, strict=True)
    )
    if raw.size == 0:
        raise PanelError(
            "Among units with a positive weight, no unit changes treatment while another does not, so unit "
            "and period fixed effects absorb all variation in treatment. Check the weights."
        )
    return Components(kind, treated, comparison, estimate, raw / raw.sum())


def require_decomposable(panel: Panel) -> None:
    """Refuse panels that the theorem does not cover."""
    if panel.exposure is not None:
        raise PanelError(
            "The Goodman-Bacon decomposition is of a binary treatment that starts with the cohort; "
            "this panel has a treatment intensity. Set 'treatment: binary', or use twfe_weights."
        )
    require_contrast(panel)
    gaps = int((~panel.observed).sum())
    if gaps:
        units = int((~panel.observed).any(axis=1).sum())
        raise PanelError(
            "The Goodman-Bacon decomposition needs a balanced panel, and the outcome is missing in "
            f"{counted(gaps, 'unit-period')} ({units} of {len(panel.units)} units). "
            f"Use {proposal({'sample.balanced': True})} to keep the units observed in every period."
        )


def cohort_means(panel: Panel) -> tuple[Ints, Floats, Floats]:
    """Adoption columns (G,), weight shares (G,) and weighted means (G, T) of the cohorts."""
    weight = panel.unit_weight
    first, code = np.unique(panel.first, return_inverse=True)
    mass = np.bincount(code, weight)
    total = sum_by_cluster(weight[:, None] * panel.y, code)
    used = mass > 0
    return first[used], mass[used] / mass.sum(), total[used] / mass[used, None]


def by_kind(parts: Components) -> dict[str, dict[str, float]]:
    """Total weight, mean estimate and number of the comparisons of each kind."""
    found = {}
    for index, name in enumerate(KINDS):
        chosen = parts.kind == index
        weight = float(parts.weight[chosen].sum())
        effect = float(parts.weight[chosen] @ parts.estimate[chosen])
        if chosen.any():
            found[name] = {"weight": weight, "estimate": effect / weight, "comparisons": int(chosen.sum())}
    return found


def as_comparisons(parts: Components, labels: Ints) -> tuple[TwoByTwo, ...]:
    """The comparisons one by one, adoption columns turned into ``labels``."""
    columns = (
        parts.kind.tolist(),
        labels[parts.treated].tolist(),
        labels[parts.comparison].tolist(),
        parts.estimate.tolist(),
        parts.weight.tolist(),
    )
    return tuple(TwoByTwo(KINDS[kind], *rest) for kind, *rest in zip(*columns, strict=True))


Parts = tuple[Ints, Ints, Ints, Floats, Floats]


def _earlier_treated(
    first: Ints, share: Floats, level: Floats, early: Ints, late: Ints, n_periods: int
) -> Parts:
    """The earlier group adopts; the later one is untreated until its own adoption."""
    usable = first[early] > 0
    early, late = early[usable], late[usable]
    start, end = first[early], first[late]
    before = _window_mean(level, np.zeros_like(start), start)
    after = _window_mean(level, start, end)
    estimate = (after(early) - before(early)) - (after(late) - before(late))
    raw: Floats = share[early] * share[late] * (end - start) * start
    kind = np.where(end == n_periods, 2, 0).astype(np.int64)
    return kind, start, end, estimate, raw


def _later_treated(
    first: Ints, share: Floats, level: Floats, early: Ints, late: Ints, n_periods: int
) -> Parts:
    """The later group adopts; the earlier one is already treated and hence not a clean control."""
    usable = first[late] < n_periods
    early, late = early[usable], late[usable]
    start, end = first[early], first[late]
    before = _window_mean(level, start, end)
    after = _window_mean(level, end, np.full_like(end, n_periods))
    estimate = (after(late) - before(late)) - (after(early) - before(early))
    raw: Floats = share[early] * share[late] * (end - start) * (n_periods - end)
    kind = np.where(start == 0, 3, 1).astype(np.int64)
    return kind, end, start, estimate, raw


def _window_mean(level: Floats, start: Ints, end: Ints) -> Callable[[Ints], Floats]:
    """Function of (C,) cohort indices: their means over the columns from start up to end."""
    running = np.concatenate([np.zeros((level.shape[0], 1)), level.cumsum(axis=1)], axis=1)

    def mean(cohort: Ints) -> Floats:
        """Means of the window by cohort."""
        value: Floats = (running[cohort, end] - running[cohort, start]) / (end - start)
        return value

    return mean
