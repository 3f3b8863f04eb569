"""Group-time effects of the drawn panels beside csdid, moderndid and diff-diff."""

from __future__ import annotations

import contextlib
import io

import diff_diff
import moderndid
import numpy as np
from csdid.att_gt import ATTgt
from parity_averages import COLUMNS, cluster, survey
from parity_panels import Case, clustered_by_unit, cut, rows, whole
from parity_regressions import ANALYTIC, Found, values

from replication.estimators.callaway_santanna import callaway_santanna

AVERAGES = {"simple": "att", "dynamic": "event", "group": "group", "calendar": "calendar"}
GROUPS = {"never_treated": "nevertreated", "not_yet_treated": "notyettreated"}


def designs(case: Case) -> list[tuple[str, str]]:
    """Both comparison groups and both base periods on every panel, in turn the other pairs."""
    bases = ["universal", "varying"] if case.seed % 2 else ["varying", "universal"]
    return list(zip(GROUPS, bases, strict=True))


def survey_factor(case: Case, n_units: int) -> float:
    """A survey's N/(N-1), which diff-diff has with weights and ours above the unit only."""
    return np.sqrt((n_units - 1) / n_units) if case.weighted and not case.clustered else 1.0


def never(case: Case) -> str:
    """Never-treated units, or the last cohort, which packages take in their place."""
    return "never_treated" if case.never else "last_treated"


def callaway_santanna_csdid(case: Case) -> Found:
    """Every cell and average; csdid has no analytic clusters, so units are the clusters."""
    found = Found()
    for group, base in designs(case):
        ours = values(
            callaway_santanna(
                clustered_by_unit(case.panel),
                base_period=base,
                inference=ANALYTIC,
                control_group=never(case) if group == "never_treated" else group,
            )
        )
        with contextlib.redirect_stdout(io.StringIO()):
            theirs = ATTgt(
                yname="y",
                tname="time",
                idname="unit",
                gname="cohort",
                data=rows(case.panel),
                control_group=GROUPS[group],
                xformla="y ~ 1",
                weights_name="w" if case.weighted else None,
            ).fit(est_method="dr", base_period=base, bstrap=False)
            cells = theirs.results
            for g, t, *pair in zip(cells["group"], cells["year"], cells["att"], cells["se"], strict=True):
                name = ("att_gt", int(g), int(t))
                found.add((group, base, *name), ours[name], pair)
            for kind, term in AVERAGES.items():
                mean = theirs.aggte(typec=kind, bstrap=False, cband=False, na_rm=True).atte
                pair = (mean["overall_att"], mean["overall_se"])
                found.add((group, base, term), ours[term, None], pair)
                if term == "att":
                    continue
                for label, *pair in zip(mean["egt"], mean["att_egt"], np.ravel(mean["se_egt"]), strict=True):
                    found.add((group, base, term, label), ours[term, int(label)], pair)
    return found


def callaway_santanna_moderndid(case: Case) -> Found:
    """Cells, and averages where nobody is weighted: moderndid 0.2 averages cells by unit counts.

    Without never-treated units it keeps the last cohort's cells before adoption, which R did
    leaves out, so event averages before adoption are not compared there.
    """
    ours = values(callaway_santanna(clustered_by_unit(case.panel), base_period="varying", inference=ANALYTIC))
    found = Found()
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = moderndid.att_gt(
            rows(case.panel),
            yname="y",
            tname="time",
            idname="unit",
            gname="cohort",
            control_group="notyettreated",
            base_period="varying",
            weightsname="w" if case.weighted else None,
        )
        cells = zip(theirs.groups, theirs.times, theirs.att_gt, theirs.se_gt, strict=True)
        last = np.inf if case.never else case.panel.cohort.max()
        for g, t, *pair in cells:
            if g < last:
                found.add(("att_gt", g, t), ours["att_gt", int(g), int(t)], pair)
        for kind, term in AVERAGES.items() if not case.weighted else ():
            mean = moderndid.aggte(theirs, type=kind, na_rm=True)
            found.add(term, ours[term, None], (mean.overall_att, mean.overall_se))
            if term == "att":
                continue
            for label, *pair in zip(mean.event_times, mean.att_by_event, mean.se_by_event, strict=True):
                if case.never or term != "event" or label >= 0:
                    found.add((term, label), ours[term, int(label)], pair)
    return found


def callaway_santanna_diff_diff(case: Case) -> Found:
    """Cells and the simple average with analytic clusters, which csdid does not have."""
    panel = whole(cut(case.panel))
    found = Found()
    for group, base in designs(case):
        ours = values(callaway_santanna(panel, control_group=group, base_period=base, inference=ANALYTIC))
        theirs = diff_diff.CallawaySantAnna(control_group=group, base_period=base, cluster=cluster(case)).fit(
            rows(panel), survey_design=survey(case), **COLUMNS
        )
        factor = survey_factor(case, len(panel.units))
        pair = (theirs.overall_att, theirs.overall_se * factor)
        found.add((group, base, "att"), ours["att", None], pair)
        for (g, t), cell in theirs.group_time_effects.items():
            pair = (cell["effect"], cell["se"] * factor)
            found.add((group, base, g, t), ours["att_gt", int(g), int(t)], pair)
    return found
