"""Inference with few treated clusters from the residuals of many control clusters.

Setting
    C clusters are treated, D are not, and D is large. An estimate that is linear in the outcome
    has the error ``theta_hat - theta = sum_c sum_t w_ct e_ct + (contribution of the controls)``, with
    w_ct its loading on treated cluster c in period t. The contribution of the controls vanishes as D grows;
    that of the C treated clusters does not, and clustered standard errors, which take it from
    the residuals of those C clusters alone, miss nearly all of it.
Conley & Taber (2011, Review of Economics and Statistics 93(1), equation 7 and section III)
    The error of a treated cluster has the same distribution as those of controls, of which there
    are many. The placebo values ``W = sum_c sum_t w_ct e_{l(c),t}``, with a control cluster l(c)
    drawn for each treated one, estimate the distribution of the error.
Ferman & Pinto (2019, Review of Economics and Statistics 101(3), section III)
    Means over large clusters vary less than means over small ones: ``Var(sum_t w_t e_lt) = a + b /
    M_l`` with M_l the size (sum of weights) of cluster l. a and b are fitted to the
    values of the controls, and a value of control l that stands in for treated c is multiplied by
    ``sqrt((a + b/M_c) / (a + b/M_l))``.
Tests and intervals
    ``p = (1 + #{|W| >= |theta_hat|}) / (1 + n)`` over n placebo values; the interval holds the
    values of theta that this test does not reject. Equal tails would need twice as many controls.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from replication.core.arrays import Floats, Ints
from replication.core.errors import PanelError
from replication.core.estimates import Estimates, row_labels
from replication.core.estimator_records import FewTreatedRecord
from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.inference.assignment import Assignment, assignment_of
from replication.inference.cautions import ONE_SIDED
from replication.inference.loadings import group_loadings, require_linear
from replication.inference.placebo_rows import with_placebo_values
from replication.inference.size_variance import SizeVariance, rescaling, variance_by_size

Residuals = Callable[[Panel], Floats]
TITLES = {"conley_taber": "Conley-Taber", "ferman_pinto": "Ferman-Pinto"}


def few_treated_test(
    function: Callable[..., Estimates], panel: Panel, inference: Inference, residuals: Residuals
) -> Estimates:
    """Estimates whose standard errors, p-values, intervals and bands come from control clusters.

    Parameters
    ----------
    function : takes a panel and ``inference``; linear in the outcome.
    inference : ``method`` is ``conley_taber`` or ``ferman_pinto``; ``draws``, ``seed`` and
        ``level`` are used. All D^C choices of controls are taken where they are at most
        ``draws`` (or one cluster is treated), else so many are drawn with replacement.
    residuals : (N, T) residuals of a panel of untreated units, NaN where there is none.

    Returns
    -------
    Estimates
        ``std_error`` is the root mean square of the placebo values; rows of covariates stay as
        ``function`` gives them. ``details.few_treated`` counts clusters and placebo values.

    Raises
    ------
    PanelError
        Without a basis for inference: fewer control clusters than ``1 / (1 - level)``, none at all, clusters
        with mixed treatment, several clusterings, or an estimate that is not linear.

    Notes
    -----
    With D controls their part of the error is not yet zero, and residuals are smaller than
    errors by the fitted period effects. Placebo values are therefore multiplied by a factor which
    goes to one as D grows, for equal clusters ``sqrt((1 + C/D) D/(D-1))``; Conley and Taber leave
    it out. It is in ``details.few_treated``.
    """
    once = replace(inference, method="analytic", draws=1, distribution="normal")
    assigned = assignment_of(panel, inference.method)
    require_enough(assigned.control.size, assigned, panel, inference)
    paths, clusters = control_paths(panel, assigned, residuals)
    require_enough(clusters.size, assigned, panel, inference)
    # Rows of covariates keep what the analytic method gives, draws of their own included.
    whole = replace(inference, method="analytic")
    found = function(panel, inference=once if panel.covariates is None else whole)
    labels = row_labels(found.table)
    tested = testable(found)
    names = [labels[row] for row in tested]
    loading = treated_loadings(function, panel, once, names, assigned)
    values, models = placebo_table(loading, paths, clusters, assigned, inference.method)
    factor = finite_sample_factor(values, loading, paths, assigned.mass[clusters])
    choice = choices(clusters.size, assigned.treated.size, inference)
    draws: Floats = np.sum([own[drawn] for own, drawn in zip(values, choice.T, strict=True)], axis=0)
    draws *= factor
    record = FewTreatedRecord(
        inference.method,
        int(assigned.treated.size),
        int(clusters.size),
        len(draws),
        1 / (1 + len(draws)),
        float(factor[names.index("att")]),
    )
    notes = placebo_details(assigned, record, models, next(iter(panel.clusters)))
    return with_placebo_values(found, tested, draws, inference, record, notes)


def testable(found: Estimates) -> Ints:
    """Rows that are treatment effects, excluding coefficients of covariates and weights."""
    table = found.table
    other = table["term"].str.startswith("coef:") | (table["term"] == "weight")
    finite = np.isfinite(table["estimate"].to_numpy(dtype=float))
    return np.flatnonzero(~other.to_numpy(dtype=bool) & finite)


def control_paths(panel: Panel, assigned: Assignment, residuals: Residuals) -> tuple[Floats, Ints]:
    """(D, T) mean residuals of control clusters seen in every period, and which clusters."""
    inside = np.isin(assigned.codes, assigned.control)
    error = residuals(panel.keep_units(inside))
    codes = np.searchsorted(assigned.control, assigned.codes[inside])
    weight = np.where(np.isnan(error), 0.0, panel.weight[inside])
    shape = (assigned.control.size, panel.periods.size)
    total, mass = np.zeros(shape), np.zeros(shape)
    np.add.at(total, codes, weight * np.nan_to_num(error))
    np.add.at(mass, codes, weight)
    whole = (mass > 0).all(axis=1)
    return total[whole] / mass[whole], assigned.control[whole]


def require_enough(number: int, assigned: Assignment, panel: Panel, inference: Inference) -> None:
    """Refuse fewer control clusters or draws than a test at this level needs."""
    share = 1 - inference.level
    needed = int(np.ceil(round(1 / share, 6)))
    name = next(iter(panel.clusters))
    gaps = assigned.control.size - number
    if number < needed:
        partly = f" ({gaps} more are not observed in every period)" if gaps else ""
        raise PanelError(
            f"'method: {inference.method}' reads the distribution of the error from control "
            f"clusters, and {number} clusters of {name!r} are untreated throughout{partly}; a "
            f"test at the {100 * share:g}% level needs at least {needed}. Use 'method: "
            "permutation', whose result says which p-values are possible, or a lower 'level'."
        )
    if assigned.treated.size > 1 and (1 + inference.draws) * share < 1:
        raise PanelError(
            f"{inference.draws} draws cannot give a p-value below {share:g}, so no interval with "
            f"'level: {inference.level:g}' exists. Set 'draws' to {needed - 1} or more, such as "
            "999."
        )


def treated_loadings(
    function: Callable[..., Estimates],
    panel: Panel,
    inference: Inference,
    labels: list[str],
    assigned: Assignment,
) -> Floats:
    """(C, T, K) loadings of the estimates on each treated cluster.

    Where the panel has no gaps, covariates or strata, clusters of one schedule share loadings in
    proportion to their weight, and one set of fits per schedule is enough.
    """
    own = np.full(int(assigned.codes.max()) + 1, -1)
    constant = (panel.weight == panel.weight[:, :1]).all()
    plain = panel.balanced and constant and panel.covariates is None and not panel.strata
    kind = np.arange(assigned.treated.size)
    if plain:
        first = np.unique(assigned.codes, return_index=True)[1][assigned.treated]
        rows = np.unique(panel.dose[first], axis=0, return_inverse=True)[1]
        cohorts = np.unique(panel.cohort[first], return_inverse=True)[1]
        joint = rows.reshape(-1) * (int(cohorts.max()) + 1) + cohorts.reshape(-1)
        kind = np.unique(joint, return_inverse=True)[1].reshape(-1)
    own[assigned.treated] = kind
    groups = own[assigned.codes]
    by_kind = group_loadings(function, panel, inference, labels, groups)
    mass = assigned.mass[assigned.treated]
    share = mass / np.bincount(kind, mass)[kind]
    loading: Floats = by_kind[kind] * share[:, None, None]
    separate = np.full(own.size, -1)
    separate[assigned.treated] = np.arange(assigned.treated.size)
    require_linear(function, panel, inference, labels, loading, separate[assigned.codes])
    return loading


def placebo_table(
    loading: Floats, paths: Floats, clusters: Ints, assigned: Assignment, method: str
) -> tuple[Floats, SizeVariance | None]:
    """(C, D, K) value of the functional of each treated cluster on each control cluster."""
    values: Floats = np.einsum("ctk,dt->cdk", loading, paths)
    if method == "conley_taber":
        return values, None
    size = assigned.mass[clusters]
    model = variance_by_size(values, size)
    return values * rescaling(model, assigned.mass[assigned.treated], size), model


def finite_sample_factor(values: Floats, loading: Floats, paths: Floats, mass: Floats) -> Floats:
    """(K,) factor for the controls' own part of the error and for their fitted period effects.

    What loads on controls in sum is minus what loads on the treated, since adding a constant to
    all outcomes of a period changes nothing; a control has its share of the weight of all.
    """
    share = mass / mass.sum()
    treated = (values**2).mean(axis=1).sum(axis=0)
    control = share**2 @ (paths @ loading.sum(axis=0)) ** 2
    ratio = np.divide(control, treated, out=np.zeros_like(treated), where=treated > 0)
    factor: Floats = np.sqrt((1 + ratio) / (1 - (share**2).sum()))
    return factor


def choices(controls: int, treated: int, inference: Inference) -> Ints:
    """(n, C) control that stands in for each treated cluster."""
    if treated == 1 or controls**treated <= inference.draws:
        return np.array(list(itertools.product(range(controls), repeat=treated)))
    rng = np.random.default_rng(inference.seed)
    return rng.integers(0, controls, (inference.draws, treated))


def placebo_details(
    assigned: Assignment, record: FewTreatedRecord, model: SizeVariance | None, kind: str
) -> list[str]:
    """Details and notes on the placebo values."""
    alone = (
        f"{ONE_SIDED}treated cluster ({kind}); the clustered standard error would reflect sampling variation "
        "in the control group only, so "
    )
    notes = [
        f"{alone if record.treated_clusters == 1 else ''}{TITLES[record.method]} standard errors, p-values, "
        f"and intervals are reported (residuals of {record.control_clusters} control clusters, "
        f"{record.placebo_values} placebo values)"
    ]
    gaps = assigned.control.size - record.control_clusters
    if gaps:
        notes.append(f"{gaps} control clusters that are not observed in every period give no placebo value")
    if assigned.left_out:
        notes.append(
            f"{assigned.left_out} clusters are treated in every period or have no weight; they are "
            "neither treated nor control clusters here"
        )
    if model is not None and model.equal_sizes:
        notes.append(
            "all control clusters have the same size, so that the variance cannot depend on it and "
            "ferman_pinto equals conley_taber"
        )
    return notes
