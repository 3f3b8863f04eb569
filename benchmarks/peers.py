"""Calls of other packages that give the same estimates.

A peer takes the frame of ``panels.frame_of`` and the event window, and returns the point of its
overall effect where that is the same number as in this package, so that a race is between equal answers.
"""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pandas as pd

DRAWS = 1000
COLUMNS = {"outcome": "y", "unit": "unit", "time": "time", "first_treat": "cohort"}
NAMES = {"yname": "y", "tname": "time", "gname": "cohort"}
UNIT = {"idname": "unit"}
SWITCHING = {"outcome": "y", "unit": "unit", "time": "time"}
BY_UNIT = {"CRV1": "unit"}

Window = tuple[int, int]


def pyfixest_twfe(frame: pd.DataFrame, window: Window) -> float:
    import pyfixest

    return float(pyfixest.feols("y ~ d | unit + time", frame, vcov=BY_UNIT).coef()["d"])


def linearmodels_twfe(frame: pd.DataFrame, window: Window) -> float:
    from linearmodels import PanelOLS

    indexed = frame.set_index(["unit", "time"])
    model = PanelOLS(indexed["y"], indexed[["d"]], entity_effects=True, time_effects=True)
    return float(model.fit(cov_type="clustered", cluster_entity=True).params["d"])


def pyfixest_event_study(frame: pd.DataFrame, window: Window) -> float:
    import pyfixest

    binned = frame.assign(e=frame["event"].clip(*window))
    fit = pyfixest.feols("y ~ i(e, ref=-1) | unit + time", binned, vcov=BY_UNIT)
    return float(fit.coef().to_numpy()[-window[1] - 1 :].mean())


def linearmodels_event_study(frame: pd.DataFrame, window: Window) -> float:
    from linearmodels import PanelOLS

    binned = frame["event"].clip(*window)
    events = [e for e in range(window[0], window[1] + 1) if e != -1]
    dummies = pd.DataFrame({f"e{e}": (binned == e).astype(float) for e in events})
    indexed = pd.concat([frame[["unit", "time", "y"]], dummies], axis=1)
    indexed = indexed.set_index(["unit", "time"])
    model = PanelOLS(indexed["y"], indexed[list(dummies)], entity_effects=True, time_effects=True)
    fit = model.fit(cov_type="clustered", cluster_entity=True)
    return float(np.mean([fit.params[f"e{e}"] for e in events if e >= 0]))


def diff_diff_group_time(frame: pd.DataFrame, window: Window) -> float:
    import diff_diff

    model = diff_diff.CallawaySantAnna(
        control_group="not_yet_treated", base_period="universal", n_bootstrap=DRAWS, seed=1
    )
    return float(model.fit(frame, **COLUMNS, aggregate="event_study").overall_att)


def moderndid_group_time(frame: pd.DataFrame, window: Window) -> float:
    return moderndid_average(frame, **UNIT)


def moderndid_average(frame: pd.DataFrame, **columns: Any) -> float:
    import moderndid

    cells = moderndid.att_gt(
        frame,
        **NAMES,
        **columns,
        boot=True,
        biters=DRAWS,
        control_group="notyettreated",
        base_period="universal",
        est_method="reg",
        random_state=1,
    )
    moderndid.aggte(cells, type="dynamic", boot=True, biters=DRAWS, cband=True, random_state=1)
    return float(moderndid.aggte(cells, type="simple", boot=False, cband=False).overall_att)


def csdid_group_time(frame: pd.DataFrame, window: Window) -> float:
    from csdid.att_gt import ATTgt

    with contextlib.redirect_stdout(io.StringIO()):
        fit = ATTgt(
            **NAMES,
            **UNIT,
            data=frame,
            control_group="notyettreated",
            xformla="y ~ 1",
            biters=DRAWS,
            cband=True,
        ).fit(est_method="reg", base_period="universal", bstrap=True)
        fit.aggte(typec="dynamic", bstrap=True, cband=True, biters=DRAWS)
        return float(fit.aggte(typec="simple", bstrap=False, cband=False).atte["overall_att"])


def diff_diff_sun_abraham(frame: pd.DataFrame, window: Window) -> float:
    import diff_diff

    return float(diff_diff.SunAbraham(cluster="unit").fit(frame, **COLUMNS).overall_att)


def pyfixest_sun_abraham(frame: pd.DataFrame, window: Window) -> float:
    """The path only, without an overall effect."""
    import pyfixest

    fit = pyfixest.event_study(frame, **NAMES, **UNIT, estimator="saturated", cluster="unit")
    fit.aggregate()
    return np.nan


def diff_diff_imputation(frame: pd.DataFrame, window: Window) -> float:
    import diff_diff

    fit = diff_diff.ImputationDiD().fit(frame, **COLUMNS)
    fit.aggregate("event_study")
    return float(fit.overall_att)


def diff_diff_two_stage(frame: pd.DataFrame, window: Window) -> float:
    import diff_diff

    fit = diff_diff.TwoStageDiD().fit(frame, **COLUMNS)
    fit.aggregate("event_study")
    return float(fit.overall_att)


def pyfixest_two_stage(frame: pd.DataFrame, window: Window) -> float:
    """The overall effect only, without a path."""
    import pyfixest

    fit = pyfixest.did2s(
        frame,
        yname="y",
        first_stage="~ 0 | unit + time",
        second_stage="~ i(d, ref=0)",
        treatment="d",
        cluster="unit",
    )
    return float(fit.coef().iloc[0])


def diff_diff_bacon(frame: pd.DataFrame, window: Window) -> float:
    import diff_diff

    return float(diff_diff.BaconDecomposition(weights="exact").fit(frame, **COLUMNS).twfe_estimate)


def diff_diff_weights(frame: pd.DataFrame, window: Window) -> float:
    import diff_diff

    found = diff_diff.twowayfeweights(frame, **SWITCHING, treatment="d")
    return float(found.beta_fe)


def moderndid_dcdh(frame: pd.DataFrame, window: Window, treatment: str = "d") -> float:
    import moderndid

    columns = {"yname": "y", "tname": "time", "dname": treatment, **UNIT}
    found = moderndid.did_multiplegt(frame, **columns, effects=window[1] + 1, placebo=-window[0] - 1)
    return float(found.ate.estimate)


def diff_diff_dcdh(frame: pd.DataFrame, window: Window, treatment: str = "d", **options: Any) -> float:
    import diff_diff

    model = diff_diff.ChaisemartinDHaultfoeuille(twfe_diagnostic=False, **options)
    fit = model.fit(frame, **SWITCHING, treatment=treatment, L_max=window[1] + 1)
    return float(fit.overall_att)


def diff_diff_stacked(frame: pd.DataFrame, window: Window) -> float:
    import diff_diff

    model = diff_diff.StackedDiD(kappa_pre=-window[0], kappa_post=window[1])
    return float(model.fit(frame, **COLUMNS).overall_att)


def diff_diff_local_projections(frame: pd.DataFrame, window: Window) -> float:
    import diff_diff

    model = diff_diff.LPDiD(pre_window=-window[0], post_window=window[1], cluster="unit")
    fit = model.fit(frame, **SWITCHING, treatment="d")
    return float(fit.pooled.set_index("window").loc["post", "coefficient"])


def pyfixest_local_projections(frame: pd.DataFrame, window: Window) -> float:
    """The path only, without the pooled effect."""
    import pyfixest

    pyfixest.lpdid(
        frame,
        **NAMES,
        **UNIT,
        vcov=BY_UNIT,
        pre_window=window[0],
        post_window=window[1],
        never_treated=0,
        att=False,
    )
    return np.nan


def diff_diff_etwfe(frame: pd.DataFrame, window: Window) -> float:
    import diff_diff

    fit = diff_diff.WooldridgeDiD(cluster="unit").fit(frame, **COLUMNS)
    return float(fit.overall_att)


def diff_diff_synthetic(frame: pd.DataFrame, window: Window) -> float:
    import diff_diff

    after: list[Any] = sorted(frame.loc[frame["d"] == 1, "time"].unique().tolist())
    model = diff_diff.SyntheticDiD(variance_method="placebo", n_bootstrap=200, seed=1)
    found = model.fit(frame, **SWITCHING, treatment="ever", post_periods=after)
    return float(found.att)
