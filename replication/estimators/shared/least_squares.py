"""Weighted least squares on absorbed effects: design, collinearity, fit, scores.

Shared by the two-way regressions. Regressors are kept by *profile*: units with the same rows of
regressors (such as all units of a cohort) share one, and cross-products need one row per profile,
so that an event study of 3,000 units costs little more than one of 50.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.errors import PanelError
from replication.core.panel import Panel
from replication.core.reading import proposal
from replication.core.threads import side_by_side
from replication.estimators.shared.absorb import Eliminated
from replication.estimators.shared.closed_form import ClosedForm, closed_form_codes
from replication.estimators.shared.estimation_sample import EstimationSample
from replication.estimators.shared.fixed_effects import Effects
from replication.inference.cluster import members_of, sum_by_cluster

Absorber = Eliminated | ClosedForm
"""Takes the absorbed effects out of (N, T) matrices."""
NO_VARIATION = 1e-10
COLLINEAR = 1e-10
MOST_NUMBERS = 200_000_000
"""Regressors times units times periods that are held at once, 1.6 GB."""
# Profiles at a time, so that their regressors stay near the processor.
ROOM, FEWEST_PROFILES = 1_000_000, 64
# Further from collinear than this, one factorization settles all regressors.
SAFE = 1e3


@dataclass(frozen=True, slots=True)
class RegressionDesign:
    """Treatments by profile, followed by covariates.

    Attributes
    ----------
    treatments : (K, C, T)
    kind : (N,) profile of each unit in the treatments, 0 .. C-1
    covariates : (Z, N, T)
    names : K + Z names; covariates are ``coef:<name>``
    by_unit : whether every unit is a profile of its own, as covariates and the general path need
    """

    treatments: Floats
    kind: Ints
    covariates: Floats
    names: tuple[str, ...]
    by_unit: bool

    @property
    def profile(self) -> Ints:
        """(N,) profile of each unit among those of ``shape``."""
        return np.arange(self.kind.size) if self.by_unit else self.kind

    @property
    def shape(self) -> tuple[int, int, int]:
        """Regressors, profiles, and periods."""
        _, groups, periods = self.treatments.shape
        return len(self.names), self.kind.size if self.by_unit else groups, periods

    def column(self, place: int) -> Floats:
        """(C, T) one regressor by profile."""
        if place >= len(self.treatments):
            own: Floats = self.covariates[place - len(self.treatments)]
            return own
        treatment: Floats = self.treatments[place]
        return treatment[self.kind] if self.by_unit else treatment

    def keep(self, chosen: Bools) -> RegressionDesign:
        """The design of the chosen regressors."""
        names = tuple(name for name, one in zip(self.names, chosen, strict=True) if one)
        first, rest = chosen[: len(self.treatments)], chosen[len(self.treatments) :]
        return replace(self, treatments=self.treatments[first], covariates=self.covariates[rest], names=names)


@dataclass(frozen=True, slots=True)
class RegressionFit:
    """A fitted regression; ``estimate - truth = sum of scores`` to first order.

    Attributes
    ----------
    design : regressors that were kept
    x : (K, C, T) regressors without the absorbed effects
    coefficient : (K,)
    residual : (N, T) residuals times weights, zero outside the sample
    bread : (K, K) inverse of the weighted cross-products of ``x``
    omitted : names of covariates left out as collinear
    path : ``closed form`` or ``general``
    working : (N, T) working weights of a Poisson model; None for least squares
    """

    design: RegressionDesign
    x: Floats
    coefficient: Floats
    residual: Floats
    bread: Floats
    omitted: tuple[str, ...]
    path: str
    working: Floats | None = None

    @property
    def scores(self) -> Floats:
        """(N, K) scores of the units, bread included."""
        profile, (_, groups, _) = self.design.profile, self.x.shape
        if groups == profile.size:
            raw = np.einsum("knt,nt->nk", self.x, self.residual, optimize=False)
        else:
            raw = np.empty((profile.size, len(self.x)))
            for group, rows in enumerate(members_of(profile, groups)):
                raw[rows] = self.residual[rows] @ self.x[:, group].T
        scores: Floats = raw @ self.bread
        return scores

    def cell_scores(self, used: Bools) -> Floats:
        """(M, K) scores of the cells of the sample, bread included."""
        columns = [(x[self.design.profile] * self.residual)[used] for x in self.x]
        return np.column_stack(columns) @ self.bread

    def period_scores(self, column: int) -> Floats:
        """(N, K) scores of one period, bread included; zero for units outside the sample then."""
        x = self.x[:, self.design.profile, column]
        return (x * self.residual[:, column]).T @ self.bread


def design_of(
    panel: Panel, treatments: Floats, names: Sequence[str], profile: Ints | None = None
) -> RegressionDesign:
    """Treatments (K, C, T) by profile, followed by the covariates of the panel, if any."""
    kind = np.arange(len(panel.units)) if profile is None else profile
    none = np.zeros((0, *panel.y.shape))
    covariates = none if panel.covariates is None else np.nan_to_num(panel.covariates)
    labels = (f"coef:{name}" for name in panel.covariate_names)
    by_unit = len(covariates) > 0 or treatments.shape[1] == kind.size
    return RegressionDesign(treatments, kind, covariates, (*names, *labels), by_unit)


def absorption_engines(
    sample: EstimationSample, effects: Effects, design: RegressionDesign
) -> tuple[Absorber, Absorber, Floats, RegressionDesign, str]:
    """Engines for the outcome and for the design, weights of the profiles, and the path taken.

    The closed form needs profiles that lie within strata; the general path has one profile
    per unit.
    """
    panel = sample.panel
    absorbed = effects.codes(panel)
    codes = closed_form_codes(*absorbed) if sample.regular else None
    if codes is None:
        general = Eliminated(sample.weight, panel.periods, *absorbed)
        whole = one_profile_per_unit(design)
        return general, general, sample.weight, whole, "general"
    weight = panel.weight[:, 0]
    outcome = ClosedForm(weight, panel.periods, *codes, effects.unit_linear)
    profile, groups = design.kind, design.shape[1]
    if design.by_unit:
        return outcome, outcome, weight[:, None], design, "closed form"
    total: Floats = np.bincount(profile, weight, minlength=groups).astype(float)
    member = np.zeros(groups, dtype=np.int64)
    member[profile] = np.arange(profile.size)
    slope = None if codes[1] is None else codes[1][member]
    regressors = ClosedForm(total, panel.periods, codes[0][member], slope, effects.unit_linear)
    return outcome, regressors, total[:, None], design, "closed form"


def one_profile_per_unit(design: RegressionDesign) -> RegressionDesign:
    """The same design with one profile per unit."""
    return replace(design, by_unit=True)


def least_squares(sample: EstimationSample, effects: Effects, design: RegressionDesign) -> RegressionFit:
    """Regression of the outcome on the design, weighted, effects absorbed.

    Raises
    ------
    PanelError
        If a treatment is collinear with the effects or with other treatments.
    """
    outcome, regressors, weight, design, path = absorption_engines(sample, effects, design)
    x = residuals(regressors, design)
    gram = cross_products(x, weight)
    kept = independent_regressors(design, x, gram, weight)
    omitted = tuple(np.array(design.names)[~kept])
    x, gram, design = (
        (x, gram, design) if kept.all() else (x[kept], gram[np.ix_(kept, kept)], design.keep(kept))
    )
    y = outcome.residual(np.where(sample.used, sample.panel.y, 0.0))
    moment = cross_moment(x, design.profile, y * sample.weight)
    bread = np.asarray(np.linalg.inv(gram), dtype=np.float64)
    coefficient = bread @ moment
    fitted = np.tensordot(coefficient, x, 1)
    residual = (y - fitted[design.profile]) * sample.weight
    return RegressionFit(design, x, coefficient, residual, bread, omitted, path)


def residuals(engine: Absorber, design: RegressionDesign) -> Floats:
    """(K, C, T) regressors without the absorbed effects.

    Raises
    ------
    PanelError
        If they would be more than ``MOST_NUMBERS``.
    """
    require_room(design)
    out = np.empty(design.shape)

    def fill(place: int) -> None:
        """One regressor."""
        out[place] = engine.residual(design.column(place))

    for _ in side_by_side(fill, range(len(out)), out.size):
        pass
    return out


def require_room(design: RegressionDesign) -> None:
    """Refuse a regression whose regressors take more memory than a computer can be expected to have."""
    count, units, periods = design.shape
    size = count * units * periods
    if size > MOST_NUMBERS:
        raise PanelError(
            f"The regression has {count} coefficients for {units:,} units and {periods} periods. With gaps, "
            "covariates, or weights that vary over time, every regressor takes a number for each unit and "
            f"period: {size / 1e6:,.0f} million, and at most {MOST_NUMBERS // 10**6} million fit. Use fewer "
            f"covariates, or a narrower event window, for example {proposal({'window': [-24, 24]})}; or use "
            "sun_abraham or callaway_santanna, which need no such table."
        )


def cross_products(x: Floats, weight: Floats) -> Floats:
    """(K, K) weighted cross-products of ``x`` (K, C, T); ``weight`` is (C, 1) or (C, T)."""
    count, profiles, periods = x.shape
    gram = np.zeros((count, count))
    step = max(FEWEST_PROFILES, ROOM // max(count * periods, 1))
    for start in range(0, profiles, step):
        part, own = x[:, start : start + step], weight[start : start + step]
        gram += (part * own).reshape(count, -1) @ part.reshape(count, -1).T
    upper = np.triu(gram)
    return upper + np.triu(gram, 1).T


def cross_moment(x: Floats, profile: Ints, scaled: Floats) -> Floats:
    """(K,) products of ``x`` (K, C, T) with a matrix of units by periods."""
    if x.shape[1] < profile.size:
        scaled = sum_by_cluster(scaled, profile)
    return x.reshape(len(x), -1) @ scaled.ravel()


def independent_regressors(design: RegressionDesign, x: Floats, gram: Floats, weight: Floats) -> Bools:
    """(K,) regressors that are neither absorbed nor spanned by those before them.

    Covariates are left out; a treatment that is not identified is refused.
    """
    variation = np.array([(design.column(k) ** 2 * weight).sum() for k in range(len(design.names))])
    kept = np.diag(gram) > NO_VARIATION**2 * variation
    scale = np.sqrt(np.where(kept, np.diag(gram), 1.0))
    normal = gram / np.outer(scale, scale)
    if kept.all() and _clearly_independent(normal):
        return kept
    for k in np.flatnonzero(kept):
        before = np.flatnonzero(kept[:k])
        if before.size:
            solved = np.linalg.solve(normal[np.ix_(before, before)], normal[before, k])
            kept[k] = 1 - normal[k, before] @ solved > COLLINEAR
    lost = [name for name, one in zip(design.names, kept, strict=True) if not one]
    treatments = [name for name in lost if not name.startswith("coef:")]
    if treatments:
        raise NotIdentified(treatments)
    return kept


def _clearly_independent(normal: Floats) -> bool:
    """Whether every regressor of a correlation matrix keeps variation given those before it."""
    try:
        left = np.diag(np.linalg.cholesky(normal)) ** 2
    except np.linalg.LinAlgError:
        return False
    return bool((left > SAFE * COLLINEAR).all())


class NotIdentified(PanelError):
    """Treatments that the absorbed effects, or other treatments, span."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(
            f"The effect {', '.join(names)} cannot be distinguished from the absorbed effects: no variation "
            "is left in the treatment once they are taken out."
        )
        self.names = tuple(names)
