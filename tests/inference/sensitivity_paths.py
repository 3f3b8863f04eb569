"""Event-time paths that the sensitivity tests share, typed in from their sources."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from diff_diff.results import MultiPeriodDiDResults, PeriodEffect

from replication.core.arrays import Floats
from replication.core.details import Details
from replication.core.estimates import COLUMNS, Estimates, row_labels

# Benzarti & Carloni (2019), as shipped by R HonestDiD 0.2.x (BCdata_EventStudy): four periods
# before and four after; the reference is the year before.
BC_BETA = np.array(
    [
        0.006696351804,
        0.02934503369,
        -0.006472972222,
        0.0730149895,
        0.1959611177,
        0.3120639026,
        0.2395415455,
        0.1260425001,
    ]
)
BC_SIGMA = np.array(
    [
        [
            8.428358124e-4,
            4.768686777e-4,
            2.618051076e-4,
            2.354220342e-4,
            1.676371467e-4,
            1.128707663e-4,
            1.992816215e-5,
            -1.368265366e-4,
        ],
        [
            4.768686777e-4,
            6.425420288e-4,
            3.987425007e-4,
            2.435515198e-4,
            2.201960306e-4,
            1.804591157e-4,
            3.84376508e-5,
            -2.960421989e-5,
        ],
        [
            2.618051076e-4,
            3.987425007e-4,
            5.229949602e-4,
            2.11768609e-4,
            1.840722252e-4,
            1.45852784e-4,
            7.005197403e-5,
            5.952994979e-5,
        ],
        [
            2.354220342e-4,
            2.435515198e-4,
            2.11768609e-4,
            3.089595411e-4,
            1.197866077e-4,
            1.334081317e-4,
            1.016335009e-4,
            1.079051726e-4,
        ],
        [
            1.676371467e-4,
            2.201960306e-4,
            1.840722252e-4,
            1.197866077e-4,
            3.59970436e-4,
            2.478818642e-4,
            1.749579242e-4,
            1.654256921e-4,
        ],
        [
            1.128707663e-4,
            1.804591157e-4,
            1.45852784e-4,
            1.334081317e-4,
            2.478818642e-4,
            4.263949813e-4,
            2.171437809e-4,
            2.892747871e-4,
        ],
        [
            1.992816215e-5,
            3.84376508e-5,
            7.005197403e-5,
            1.016335009e-4,
            1.749579242e-4,
            2.171437809e-4,
            4.886697861e-4,
            3.805322049e-4,
        ],
        [
            -1.368265366e-4,
            -2.960421989e-5,
            5.952994979e-5,
            1.079051726e-4,
            1.654256921e-4,
            2.892747871e-4,
            3.805322049e-4,
            7.61739444e-4,
        ],
    ]
)

# Medicaid expansions, the example in the README of R HonestDiD: share insured, states that expanded
# in 2014 against states that did not by 2015, 2008-2015; our event_study, clustered by state.
MEDICAID_BETA = np.array(
    [
        -0.005285354533,
        -0.011297324648,
        -0.002675991812,
        -0.001419312252,
        0.000339663519,
        0.04644685416,
        0.069206175479,
    ]
)
MEDICAID_LOWER = [
    [7.488483636e-5],
    [6.039874096e-5, 7.266500617e-5],
    [4.444619818e-5, 3.789330221e-5, 5.052051940e-5],
    [3.385764706e-5, 2.866578025e-5, 2.673679432e-5, 4.003222026e-5],
    [4.328011255e-5, 4.543320628e-5, 2.778193568e-5, 2.412859976e-5, 5.462662207e-5],
    [4.765880479e-5, 4.428850119e-5, 3.060644109e-5, 2.380868209e-5, 3.682531052e-5, 8.375668825e-5],
    [
        2.425128700e-5,
        2.824655043e-5,
        9.637533883e-6,
        2.923878143e-6,
        9.722947502e-6,
        6.321397963e-5,
        1.071235230e-4,
    ],
]


def example_path(
    estimate: Floats, variance: Floats, times: list[int], reference: int = -1, **known: Any
) -> Estimates:
    """Estimates with one path; the fixed reference row is put last, out of order."""
    size = len(times) + 1
    full = np.zeros((size, size))
    full[:-1, :-1] = variance
    table = pd.DataFrame(np.nan, index=range(size), columns=COLUMNS).astype(object)
    table["spec_id"], table["study"] = "made", "tests"
    table["estimator"], table["outcome"], table["term"] = "event_study", "y", "event"
    table["event_time"] = np.array([*times, reference], dtype=float)
    table["estimate"] = np.append(estimate, 0.0)
    table["std_error"] = [*np.sqrt(np.diag(variance)), np.nan]
    numbers = [name for name in COLUMNS if name not in COLUMNS[:5]]
    table[numbers] = table[numbers].astype(float)
    labels = row_labels(table)
    return Estimates(table, pd.DataFrame(full, labels, labels), Details(**known))


def benzarti_carloni() -> Estimates:
    return example_path(BC_BETA, BC_SIGMA, [-5, -4, -3, -2, 0, 1, 2, 3])


def medicaid() -> Estimates:
    variance = np.zeros((7, 7))
    for row, values in enumerate(MEDICAID_LOWER):
        variance[row, : len(values)] = variance[: len(values), row] = values
    return example_path(MEDICAID_BETA, variance, [-6, -5, -4, -3, -2, 0, 1])


def drawn(seed: int, n_pre: int, n_post: int) -> Estimates:
    """A path with a full random covariance."""
    rng = np.random.default_rng(seed)
    size = n_pre + n_post
    root = rng.normal(size=(size, size + 3)) / 10
    times = [*range(-n_pre - 1, -1), *range(n_post)]
    return example_path(rng.normal(size=size) / 5, root @ root.T, times)


def diff_diff_result(beta, sigma, n_pre):
    """The same path as diff-diff holds it; only what its sensitivity and power analyses read."""
    size = beta.size
    times = [*range(-n_pre - 1, -1), *range(size - n_pre)]
    effects = {
        time: PeriodEffect(time, float(b), float(s), 0.0, 1.0, (0.0, 0.0))
        for time, b, s in zip(times, beta, np.sqrt(np.diag(sigma)), strict=True)
    }
    return MultiPeriodDiDResults(
        effects,
        0.0,
        1.0,
        0.0,
        1.0,
        (0.0, 0.0),
        100,
        50,
        50,
        pre_periods=[*times[:n_pre], -1],
        post_periods=times[n_pre:],
        vcov=sigma,
        reference_period=-1,
        interaction_indices={time: k for k, time in enumerate(times)},
    )
