"""Detection, repair and reporting of variances that are not positive semi-definite.

Sums of scores over several clusterings alternate in sign (Cameron, Gelbach & Miller 2011), a
kernel that is cut off at a distance is not a positive function on the sphere (Conley 1999), and
covariances taken pair by pair over incomplete draws need not fit together. Each may leave a
matrix with negative eigenvalues although every variance on its diagonal is positive. Such a
matrix is not a covariance matrix: it gives some combinations of the estimates a negative variance, and a
Wald statistic made from its inverse may be negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from replication.core.arrays import Bools, Floats

# Rounding in the alternating sums leaves eigenvalues of the order of 1e-15 of the largest; those
# of a sum that is truly not positive semi-definite lie above 1e-4 in simulated panels.
RELATIVE = 1e-10
# Standard errors this far below the largest are zero but for rounding in the alternating sums.
FIXED = 1e-7


@dataclass(frozen=True, slots=True)
class Repaired:
    """A positive semi-definite variance, and a record of the repair.

    Attributes
    ----------
    variance : (K, K) with rows and columns of zeros where ``negative``.
    negative : (K,) values whose own variance was not positive: they have no standard error.
    notes : sentences for the reader; empty if nothing was done.
    """

    variance: Floats
    negative: Bools
    notes: tuple[str, ...]


def eigenvalues(variance: Floats) -> Floats:
    """(K,) eigenvalues, ascending, of the variance in units of its own diagonal.

    Whether a matrix is positive semi-definite does not depend on the units of its rows; how
    large an eigenvalue must be to count does, so that rows are scaled first.
    """
    scale = np.sqrt(np.abs(np.diag(variance)))
    # A variance that is zero but for rounding would turn rounding into large correlations.
    scale = np.maximum(scale, FIXED * scale.max(initial=0.0))
    scale = np.where(scale > 0, scale, 1.0)
    return np.linalg.eigvalsh(variance / np.outer(scale, scale))


def nearest_psd(variance: Floats) -> Floats:
    """The positive semi-definite matrix nearest in squared distance: eigenvalues below 0 set to 0.

    Cameron, Gelbach & Miller (2011), Journal of Business & Economic Statistics 29(2), section
    2.3; R ``fixest`` does the same.
    """
    moving = np.flatnonzero(variance.any(axis=0))
    whole = np.zeros(variance.shape)
    values, vectors = np.linalg.eigh(variance[np.ix_(moving, moving)])
    # Values that are fixed stay exactly so, which products with all eigenvectors would not leave.
    whole[np.ix_(moving, moving)] = (vectors * np.maximum(values, 0)) @ vectors.T
    return whole


def repaired_variance(variance: Floats, source: str, loading: Floats | None = None) -> Repaired:
    """The variance of ``loading @ coefficients``, positive semi-definite.

    Parameters
    ----------
    variance : (K, K), symmetric, of the coefficients.
    source : what it comes from, such as ``the two-way clustered variance``; opens the note.
    loading : (R, K); the coefficients themselves if None. The matrix of the coefficients is
        repaired, as in fixest, so that the rows of a table stay consistent with each other.
    """
    loading = np.eye(len(variance)) if loading is None else loading
    raw = loading @ variance @ loading.T
    size = ((np.abs(loading) @ np.abs(variance)) * np.abs(loading)).sum(axis=1)
    negative: Bools = np.diag(raw) < -RELATIVE * size
    spectrum = eigenvalues(variance)
    below = spectrum < -RELATIVE * np.abs(spectrum).max(initial=0.0)
    if not below.any() and not negative.any():
        return Repaired(raw, negative, ())
    fixed = loading @ nearest_psd(variance) @ loading.T
    fixed[negative] = 0.0
    fixed[:, negative] = 0.0
    return Repaired(fixed, negative, tuple(_notes(source, spectrum, below, int(negative.sum()))))


def _notes(source: str, spectrum: Floats, below: Bools, negative: int) -> Sequence[str]:
    share = -float(spectrum.min()) / float(np.abs(spectrum).max())
    notes = [
        f"{source} was not positive semi-definite: {int(below.sum())} of {below.size} eigenvalues "
        f"were negative (the largest of them {share:.2g} of the largest eigenvalue) and were set "
        "to zero; combinations that this leaves without variance are not tested"
    ]
    if negative:
        rows = "1 estimate has" if negative == 1 else f"{negative} estimates have"
        notes.append(
            f"{rows} a variance below zero in {source[0].lower()}{source[1:]}, so that no "
            "standard error is reported there; cluster one way, or by fewer dimensions"
        )
    return notes
