"""Two-way coefficients from independent software, to check that they agree.

Every effect goes to the other package as an effect, never as data already projected by this package.
linearmodels writes unit and period effects, strata and trends as a sparse matrix of dummies and takes
its projection out by LSMR; numpy's least squares of what is left gives the coefficients. These are the
functions and the steps of its AbsorbingLS (a test compares the two), without the labels of rows and the
variance, in which AbsorbingLS spends most of its time. Poisson goes to statsmodels' GLM with one dummy
per effect, or to pyfixest where that would be too many. Only coefficients are compared: none of them
offers the correction of the variance used here.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from replication.core.arrays import Floats
from replication.core.errors import PanelError, SpecError
from replication.core.panel import Panel
from replication.estimators.shared.fixed_effects import Effects, read_effects

DUMMIES = 400
CELLS = 1_000_000
"""GLM decomposes the whole design in every step: larger ones go to pyfixest."""
PRECISE: dict[str, Any] = {"atol": 1e-13, "btol": 1e-13, "conlim": 0.0, "maxiter": 20_000}
"""At 1e-15 LSMR may run on past convergence into rounding errors: on 2,087 counties by 108 months
with trends a coefficient was wrong in its fourth digit, and another one at every run."""


class NoSecondEngineError(PanelError):
    """No independent software at hand estimates the model."""


KnownModels = dict[tuple[str, ...], dict[str, float]]


def second_engine(
    panel: Panel,
    *,
    trends: Sequence[str] = (),
    estimator: str = "twfe",
    omitted: Sequence[str] = (),
    known: KnownModels | None = None,
) -> dict[str, float]:
    """Coefficients ``att`` and ``coef:<name>`` by independent software.

    Parameters
    ----------
    estimator : ``twfe`` or ``poisson``.
    omitted : covariates that were left out as collinear (``Estimates.details.omitted``).
    known : coefficients of models estimated before, to which this one is added. Specifications that differ
        in their inference only are one model.

    Raises
    ------
    SpecError
        For any other estimator.
    NoSecondEngineError
        For a Poisson model with trends of more units than dummies can carry.
    """
    effects = read_effects(panel, trends)
    frame = long_frame(panel, effects)
    covariates = [name for name in panel.covariate_names if name not in omitted]
    regressors = ["att", *(f"coef:{name}" for name in covariates)]
    if estimator not in ENGINES:
        raise SpecError(
            f"No independent software is used for {estimator!r}, only for {' and '.join(ENGINES)}."
        )
    known = {} if known is None else known
    model = (estimator, frame_digest(frame), *regressors, repr(effects))
    if model not in known:
        known[model] = ENGINES[estimator](frame, regressors, effects)
    return known[model]


def frame_digest(frame: pd.DataFrame) -> str:
    """Digest of the columns of numbers of a frame."""
    digest = hashlib.sha256()
    for name in frame.columns:
        digest.update(f"{name} {frame[name].dtype} {len(frame)}\n".encode())
        digest.update(np.ascontiguousarray(frame[name].to_numpy()).tobytes())
    return digest.hexdigest()


def long_frame(panel: Panel, effects: Effects) -> pd.DataFrame:
    """One row per cell with an outcome and a positive weight."""
    row, column = np.nonzero(panel.observed & (panel.weight > 0))
    frame = pd.DataFrame(
        {
            "unit": row,
            "time": panel.periods[column],
            "y": panel.y[row, column],
            "weight": panel.weight[row, column],
            "att": panel.dose[row, column],
            "offset": 0.0 if panel.offset is None else panel.offset[row, column],
        }
    )
    for place, name in enumerate(panel.covariate_names):
        assert panel.covariates is not None
        frame[f"coef:{name}"] = panel.covariates[place][row, column]
    for name in (*effects.by_time, *effects.linear):
        frame[f"stratum:{name}"] = panel.strata[name][row]
    for name in effects.by_time:
        frame[f"by_time:{name}"] = panel.strata[name][row] * len(panel.periods) + column
    return frame


def effect_columns(effects: Effects) -> tuple[list[str], list[str]]:
    """Columns of ``long_frame`` whose values have effects, and those whose values have linear trends."""
    levels = [f"by_time:{name}" for name in effects.by_time] or ["time"]
    trends = [f"stratum:{name}" for name in effects.linear]
    return ["unit", *levels], trends + ["unit"] * effects.unit_linear


def _absorbing(frame: pd.DataFrame, regressors: list[str], effects: Effects) -> dict[str, float]:
    """Least squares on what the effects leave of outcome and regressors, as ``AbsorbingLS.fit`` takes it.

    A regressor of which the effects leave nothing keeps an arbitrary coefficient, so that the
    comparison fails; AbsorbingLS would leave it out.
    """
    from linearmodels.iv.absorbing import AbsorbingRegressor, Interaction, lsmr_annihilate
    from linearmodels.panel.utility import preconditioner

    levels, sloped = effect_columns(effects)
    trend = frame[["time"]] - frame["time"].mean()
    weight = frame["weight"].to_numpy() / frame["weight"].mean()
    absorbed = AbsorbingRegressor(
        cat=frame[levels].astype("category"),
        interactions=[
            Interaction(cat=frame[[name]].astype("category"), cont=trend.astype(float)) for name in sloped
        ],
        weights=weight,
    )
    columns = frame[["y", *regressors]].to_numpy(float) * np.sqrt(weight)[:, None]
    left = lsmr_annihilate(preconditioner(absorbed.regressors)[0], columns, use_cache=False, **PRECISE)
    coefficients = np.linalg.lstsq(left[:, 1:], left[:, 0], rcond=None)[0]
    return dict(zip(regressors, map(float, coefficients), strict=True))


def _poisson(frame: pd.DataFrame, regressors: list[str], effects: Effects) -> dict[str, float]:
    """GLM with dummies while they are few, else the fixed-effect Poisson of pyfixest."""
    levels, trends = effect_columns(effects)
    positive = frame["y"] > 0
    for name in levels:
        frame = frame[positive.groupby(frame[name]).transform("any")]
        positive = positive[frame.index]
    dummies = sum(frame[name].nunique() for name in [*levels, *trends])
    small = dummies * len(frame) <= CELLS or bool(trends)
    if dummies <= DUMMIES and small:
        return _poisson_dummies(frame, regressors, levels, trends)
    if trends:
        raise NoSecondEngineError(
            f"The check of a Poisson model by independent software writes trends as dummies, at most "
            f"{DUMMIES}; this model has more. Check it on fewer units or without trends."
        )
    return _poisson_pyfixest(frame, regressors, levels)


def _poisson_dummies(
    frame: pd.DataFrame, regressors: list[str], levels: list[str], trends: list[str]
) -> dict[str, float]:
    import statsmodels.api as sm

    trend = (frame["time"] - frame["time"].mean()).to_numpy()[:, None]
    columns = [pd.get_dummies(frame[name], dtype=float).to_numpy() for name in levels]
    columns += [pd.get_dummies(frame[name], dtype=float).to_numpy() * trend for name in trends]
    x = np.hstack([frame[regressors].to_numpy(), independent_columns(np.hstack(columns))])
    model = sm.GLM(
        frame["y"].to_numpy(),
        x,
        family=sm.families.Poisson(),
        offset=frame["offset"].to_numpy(),
        var_weights=frame["weight"].to_numpy(),
    )
    try:
        fit = model.fit(tol=1e-12, tol_criterion="params", maxiter=50)
    except ValueError:
        raise PanelError(
            "The check of a Poisson model by statsmodels failed: some zeros are separated by "
            "the dummies. Leave them out of the sample, or use fewer trends."
        ) from None
    return dict(zip(regressors, map(float, fit.params[: len(regressors)]), strict=True))


def independent_columns(dummies: Floats) -> Floats:
    """Columns that span the same space; a singular design costs GLM half of its digits."""
    from scipy.linalg import qr

    triangle, order = qr(dummies, mode="r", pivoting=True)
    size = np.abs(np.diag(triangle))
    return dummies[:, np.sort(order[: int((size > 1e-9 * size[0]).sum())])]


def _poisson_pyfixest(frame: pd.DataFrame, regressors: list[str], levels: list[str]) -> dict[str, float]:
    from replication.checks.fixed_effect_poisson import MapDemeaner, fepois

    plain = {name: f"x{place}" for place, name in enumerate(regressors)}
    plain |= {name: f"f{place}" for place, name in enumerate(levels)}
    data = frame.rename(columns=plain)
    right = " + ".join(plain[name] for name in regressors)
    absorbed = " + ".join(plain[name] for name in levels)
    options: dict[str, Any] = {"demeaner": MapDemeaner(fixef_tol=1e-11, fixef_maxiter=100_000)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = fepois(
            f"y ~ {right} | {absorbed}",
            data,
            vcov="iid",
            offset="offset",
            weights="weight",
            separation_check=["fe"],
            iwls_tol=1e-10,
            iwls_maxiter=200,
            **options,
        )
    found = fit.coef()
    return {name: float(found[plain[name]]) for name in regressors}


ENGINES = {"twfe": _absorbing, "poisson": _poisson}
"""What estimates the model of an estimator."""
