"""Critical values of simultaneous (sup-t) bands, from draws of the estimates or normal draws.

Montiel Olea & Plagborg-Moller (2019), Journal of Applied Econometrics 34(1); the draws are those of
``multipliers`` or of resampled clusters.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import special

from replication.core.arrays import Floats
from replication.core.spec import Inference

# Interquartile range of the normal distribution.
NORMAL_RANGE = float(special.ndtri(0.75) - special.ndtri(0.25))


def sup_t(draws: Floats, scale: Floats | float, level: float) -> float:
    """Quantile over the B draws of the largest ``|draw| / scale`` among the K columns.

    Parameters
    ----------
    draws : (B, K) deviations of the estimates.
    scale : (K,) standard errors, or one for all.
    level : confidence level, such as 0.95.

    Returns
    -------
    float
        The critical value c of the band: estimate plus and minus c standard errors.
    """
    return quantiles({"": largest_t(draws, scale)}, level)[""]


def largest_t(draws: Floats, scale: Floats | float) -> Floats:
    """(B,) largest ``|draw| / scale`` among the K columns of (B, K) draws."""
    largest: Floats = np.abs(draws / scale).max(axis=1)
    return largest


def quantiles(largest: Mapping[str, Floats], level: float) -> dict[str, float]:
    """Quantile of the (B,) largest t-values of each path, as ``numpy.quantile`` interpolates.

    That function takes ten times as long over a thousand values.
    """
    found = {}
    for term, values in largest.items():
        ranked = np.sort(values)
        place = level * (ranked.size - 1)
        low = int(place)
        low_value, high_value = ranked[low], ranked[min(low + 1, ranked.size - 1)]
        between = float(low_value + (high_value - low_value) * (place - low))
        # Missing values come last.
        found[term] = np.nan if np.isnan(ranked[-1]) else between
    return found


def studentized_critical_value(value: float, n_clusters: int) -> float:
    """The ``sup_t`` value if every draw were divided by its own standard error, not a common one.

    Signs do not change squares: the variance of the G scores of a draw T (in standard errors) is
    ``(G - T^2) / (G - 1)`` times that of the estimate. The ratio increases in T, so its quantile
    is a function of that of T. With very few clusters it is infinite. For other multipliers and for
    resampled clusters it is an approximation.

    Parameters
    ----------
    value : the ``sup_t`` value of sign draws over a common standard error.
    n_clusters : G.

    Returns
    -------
    float
        ``value sqrt((G - 1) / (G - value^2))``; infinite where ``value^2 >= G``.
    """
    room = n_clusters - value**2
    return float(value * np.sqrt((n_clusters - 1) / room)) if room > 0 else np.inf


def interquartile_std_errors(draws: Floats) -> Floats:
    """(K,) standard errors: interquartile range of (B, K) draws over that of the normal distribution.

    Quartiles are the values at ranks ``ceil(B / 4)`` and ``ceil(3 B / 4)``, as in R ``did``.
    """
    size = len(draws)
    low, high = -(-size // 4) - 1, -(-3 * size // 4) - 1
    # Sorting is faster than partitioning at two ranks. Missing draws come last and make standard errors
    # missing.
    ranked = np.sort(draws.T, axis=1)
    spread = np.where(np.isnan(ranked[:, -1]), np.nan, ranked[:, high] - ranked[:, low])
    return spread / NORMAL_RANGE


def gaussian_critical_value(variance: Floats, inference: Inference) -> float:
    """The same quantile from normal draws with covariance ``variance`` (K, K).

    Parameters
    ----------
    variance : (K, K) covariance of the estimates.
    inference : ``draws``, ``seed`` and ``level``.

    Returns
    -------
    float
        Critical value of the uniform band, in standard errors.
    """
    scale = np.sqrt(np.diag(variance))
    values, vectors = np.linalg.eigh(variance / np.outer(scale, scale))
    root = vectors * np.sqrt(np.maximum(values, 0))
    rng = np.random.default_rng(inference.seed)
    draws = rng.standard_normal((inference.draws, scale.size)) @ root.T
    return float(np.quantile(np.abs(draws).max(axis=1), inference.level))
