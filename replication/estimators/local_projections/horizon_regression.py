"""One horizon of local projections: a long difference on adoption and period effects, and its shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.errors import PanelError
from replication.core.spec import Inference
from replication.estimators.shared.cluster_weights import equal_weights, unweighted_residuals
from replication.estimators.shared.collinear import least_variation, own_variation
from replication.inference.bias_reduced import WeightedShares
from replication.inference.cluster import small_sample_factor, sum_by_cluster
from replication.inference.cluster_shares import Adjusted, ClusterShares, Share
from replication.inference.variances import adjust_scores


@dataclass(frozen=True, slots=True)
class Setting:
    """Arrays shared by all horizons, periods first so that a period is contiguous.

    Attributes
    ----------
    y, seen, weight : (L, N) outcome, whether it is there, and weight.
    covariates, complete : (K, L, N), zero where missing, and (L, N) cells where none is missing
    names : (K,) of the covariates.
    onset, cluster : (N,)
    eligible : (N,) units that may be controls.
    """

    y: Floats
    seen: Bools
    weight: Floats
    covariates: Floats
    complete: Bools
    names: tuple[str, ...]
    onset: Ints
    cluster: Ints
    eligible: Bools
    reweight: bool


@dataclass(frozen=True, slots=True)
class HorizonProjection:
    """One regression.

    Attributes
    ----------
    estimate, scores : point and (N,) unit scores, the small-sample factor in them.
    n_obs, adopters : rows and adopters in it.
    onsets : columns of adoption in it.
    unmatched : adopters left out because their period has no clean control.
    used : (N,) units in it.
    fit : the regression itself, where it is kept.
    """

    estimate: float
    scores: Floats
    n_obs: int
    onsets: Ints
    adopters: int
    unmatched: int
    used: Bools
    fit: HorizonFit | None = None


def project(setting: Setting, leads: list[int], *, keep: bool = False) -> HorizonProjection | None:
    """The regression for one horizon, or for the mean over several; None without support."""
    clean = max(0, *leads)
    length = setting.y.shape[0]
    columns = np.arange(max(1, -min(leads)), length - max(0, *leads))
    if not columns.size:
        return None
    inside = setting.seen[columns - 1].copy()
    for h in leads:
        inside &= setting.seen[columns + h]
    inside &= setting.complete[columns] & (setting.weight[columns] > 0)
    adopter = inside & (setting.onset == columns[:, None])
    control = inside & setting.eligible & (setting.onset > columns[:, None] + clean)
    live = adopter.any(axis=1) & control.any(axis=1)
    if not live.any():
        return None
    unmatched = int(adopter[~live].sum())
    adopter[~live] = False
    counted = live if setting.reweight else control.any(axis=1)
    rows = (adopter | control) & counted[:, None]
    kept = counted if len(setting.covariates) else live
    chosen = columns[kept]
    change = sum((setting.y[chosen + h] for h in leads[1:]), setting.y[chosen + leads[0]]) / len(leads)
    change -= setting.y[chosen - 1]
    point, scores, fit = regress(setting, chosen, change, adopter[kept], control[kept])
    used = rows.any(axis=0)
    n_obs = int(rows.sum())
    n_params = 1 + int(counted.sum()) + len(setting.covariates)
    groups = int(np.count_nonzero(np.bincount(setting.cluster[used])))
    return HorizonProjection(
        point,
        scores * np.sqrt(small_sample(groups, n_obs, n_params)),
        n_obs,
        columns[live].astype(np.int64),
        int(adopter.sum()),
        unmatched,
        used,
        fit if keep else None,
    )


def small_sample(groups: int, n_obs: int, n_params: int) -> float:
    """The factor of the variance; zero, so that no standard error is reported, without degrees of freedom."""
    if groups < 2 or n_obs <= n_params:
        return 0.0
    return small_sample_factor(groups, n_obs, n_params)


def regress(
    setting: Setting, columns: Ints, change: Floats, adopter: Bools, control: Bools
) -> tuple[float, Floats, HorizonFit]:
    """Coefficient of adoption, its (N,) unit scores, and the fit; ``change`` loses its period effects."""
    weight = setting.weight[columns] * (adopter | control)
    if setting.reweight:
        outside = (weight * control).sum(axis=1)
        weight *= (weight.sum(axis=1) / outside)[:, None]
    inner = np.empty((1 + len(setting.covariates), *change.shape))
    means = [sweep(adopter, weight, inner[0])]
    means += [sweep(x[columns], weight, into) for x, into in zip(setting.covariates, inner[1:], strict=True)]
    sweep(change, weight, change)
    flat = (inner * weight).reshape(len(inner), -1)
    product = flat @ inner.reshape(len(inner), -1).T
    require_full_rank(product, np.array(means), weight.sum(axis=1), setting.names)
    bread: Floats = np.linalg.inv(product).astype(np.float64)
    slopes = bread @ (flat @ change.ravel())
    residual = change - np.tensordot(slopes, inner, 1)
    own = (bread[0] @ flat).reshape(weight.shape)
    fit = HorizonFit(inner, weight, residual, bread)
    return float(slopes[0]), np.einsum("ln,ln->n", own, residual), fit


def sweep(values: Floats | Bools, weight: Floats, into: Floats) -> Floats:
    """(L,) weighted mean of each period; the deviations from it are written ``into`` an array."""
    mean: Floats = np.einsum("ln,ln->l", weight, values) / weight.sum(axis=1)
    np.subtract(values, mean[:, None], out=into)
    return mean


def require_full_rank(product: Floats, means: Floats, mass: Floats, names: tuple[str, ...]) -> None:
    """Refuse covariates that are collinear with the period effects, adoption, or one another.

    Parameters
    ----------
    product : (K, K) cross-products within periods.
    means, mass : (K, L) period means, and (L,) summed weights.
    """
    within, overall = np.diag(product), means @ mass / mass.sum()
    spread = within + (means - overall[:, None]) ** 2 @ mass
    free = own_variation(product, least_variation(within + means**2 @ mass, spread))
    if not free.all():
        first = int(np.argmin(free))
        # Adoption comes first and varies wherever there are adopters and controls.
        name = f"Covariate {names[first - 1]!r}" if first else "Adoption"
        raise PanelError(
            f"{name} is collinear with the period effects, adoption, or the covariates listed before it in "
            "at least one horizon of local_projections, so its coefficient is not identified. Remove it."
        )


@dataclass(frozen=True, slots=True)
class HorizonFit:
    """A fitted horizon with L periods, N units and K regressors, adoption first.

    Attributes
    ----------
    inner : (K, L, N) regressors less their period means
    weight : (L, N) weights, zero outside the regression
    residual : (L, N)
    bread : (K, K)
    """

    inner: Floats
    weight: Floats
    residual: Floats
    bread: Floats

    def influence(self) -> tuple[Floats, Floats]:
        """(N,) parts of the effect that units settle, and their leverage."""
        z = np.tensordot(self.bread[0], self.inner, 1)
        root = np.tensordot(np.linalg.cholesky(self.bread).T, self.inner, 1)
        period = 1 / self.weight.sum(axis=1)
        leverage = (self.weight * (root**2).sum(axis=0)).sum(axis=0) + period @ self.weight
        return (self.weight * z**2).sum(axis=0), leverage

    def adjusted(self, cluster: Ints, inference: Inference) -> Adjusted:
        """Scores (G, 1) of ``inference.variance`` over all clusters, and the degrees of freedom."""
        used: Bools = np.asarray((self.weight > 0).any(axis=0))
        present, codes = np.unique(cluster[used], return_inverse=True)
        sums = HorizonSums.of(self, np.asarray(codes.reshape(-1), dtype=np.int64), used)
        found = adjust_scores(inference, sums.shares(), None if equal_weights(self.weight) else sums.weighted)
        score = np.zeros((int(cluster.max()) + 1, 1))
        score[present] = found.score
        alone = np.where(found.alone >= 0, present[found.alone], -1)
        return Adjusted(score, found.freedom, alone)


@dataclass(frozen=True, slots=True)
class HorizonSums:
    """Sums by cluster in orthonormal coordinates: regressors (K), then periods (L).

    Attributes
    ----------
    loading : (1, K + L) the effect
    inner : for weights to the power k = 0, 1, 2 (G, K, K)
    cross : (G, K, L) of each power
    period : (G, L) of each power
    score, plain : (G, K + L) with weights, and without
    """

    loading: Floats
    inner: list[Floats]
    cross: list[Floats]
    period: list[Floats]
    score: Floats
    plain: Floats

    @classmethod
    def of(cls, fit: HorizonFit, codes: Ints, used: Bools) -> HorizonSums:
        """Sum the units that are used."""
        root = np.linalg.cholesky(fit.bread)
        weight, residual = fit.weight[:, used], fit.residual[:, used]
        x = np.tensordot(root.T, fit.inner[:, :, used], 1)
        scale = 1 / np.sqrt(weight.sum(axis=1))
        powers = [(weight > 0).astype(float), weight, weight**2]

        def by_cluster(values: Floats) -> Floats:
            """(G, ...) sums of values (..., n)."""
            flat = np.moveaxis(values, -1, 0).reshape(codes.size, -1)
            return sum_by_cluster(flat, codes).reshape(-1, *values.shape[:-1])

        def scores(residual: Floats) -> Floats:
            """(G, K + L) products with residuals, weighted or not."""
            regressors = by_cluster((x * residual).sum(axis=1))
            return np.hstack([regressors, by_cluster(residual * scale[:, None])])

        loading = np.concatenate([root[0], np.zeros(len(scale))])[None]
        return cls(
            loading,
            [by_cluster(np.einsum("kln,ln,mln->kmn", x, w, x)) for w in powers],
            [by_cluster(x * w * scale[:, None]) for w in powers],
            [by_cluster(w * (scale**2)[:, None]) for w in powers],
            scores(weight * residual),
            scores(unweighted_residuals(weight * residual, weight)),
        )

    def moment(self, power: int, cluster: int) -> Share:
        """Coordinates and cross-products of a cluster."""
        count, size = self.cross[power].shape[1:]
        found = np.diag(np.concatenate([np.zeros(count), self.period[power][cluster]]))
        found[:count, :count] = self.inner[power][cluster]
        found[:count, count:] = self.cross[power][cluster]
        found[count:, :count] = self.cross[power][cluster].T
        return np.arange(count + size), found

    def shares(self) -> ClusterShares:
        """The shares, in one block per cluster."""
        kinds = np.arange(len(self.score))
        return ClusterShares(self.loading, self.score, kinds, lambda cluster: (self.moment(1, cluster),))

    def weighted(self) -> WeightedShares:
        """Moments for CR2 with unequal weights."""
        return WeightedShares(self.shares(), self.plain, self.moment)
