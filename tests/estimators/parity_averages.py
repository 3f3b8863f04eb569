"""Estimators of the drawn panels beside diff-diff, moderndid and pyfixest's did2s."""

from __future__ import annotations

from dataclasses import replace

import diff_diff
import moderndid
import numpy as np
import pyfixest
from drawn_panels import as_frame
from parity_panels import Case, clustered_by_unit, cut, on_every_year, rows, whole
from parity_regressions import ANALYTIC, PLAIN, Found, values
from written_out import Dense, conservative

from replication.estimators.dcdh import dcdh
from replication.estimators.etwfe import etwfe
from replication.estimators.goodman_bacon import goodman_bacon
from replication.estimators.imputation import imputation
from replication.estimators.local_projections import local_projections
from replication.estimators.stacked import stacked
from replication.estimators.sun_abraham import sun_abraham
from replication.estimators.synthetic_did import synthetic_did
from replication.estimators.twfe_weights import twfe_weights
from replication.estimators.two_stage import two_stage

COLUMNS = {"outcome": "y", "unit": "unit", "time": "time", "first_treat": "cohort"}


def survey(case: Case) -> diff_diff.SurveyDesign | None:
    psu = "cluster" if case.clustered else "unit"
    return diff_diff.SurveyDesign(weights="w", psu=psu) if case.weighted else None


def cluster(case: Case) -> str | None:
    return "cluster" if case.clustered else None


def sun_abraham_diff_diff(case: Case) -> Found:
    """Weighted errors of diff-diff are those of a survey: they are left to pyfixest."""
    panel = cut(case.panel)
    ours = values(sun_abraham(panel, inference=ANALYTIC))
    theirs = diff_diff.SunAbraham(cluster="cluster", df_convention="cluster").fit(
        rows(panel), survey_design=survey(case), **COLUMNS
    )
    found = Found()
    pair = (theirs.overall_att, theirs.overall_se)
    found.add("att", ours["att", None], pair, std_errors=not case.weighted)
    for e, effect in theirs.event_study_effects.items():
        pair = (effect["effect"], effect["se"])
        found.add(int(e), ours["event", int(e)], pair, std_errors=not case.weighted)
    return found


def imputation_diff_diff(case: Case) -> Found:
    """Errors with units as clusters and without weights; the others are written out below.

    diff-diff averages the residuals of a group over units where standard errors are clustered above
    them, and with the weights of the survey; Stata sums by cluster, with weights squared.
    """
    ours = values(imputation(clustered_by_unit(case.panel), inference=ANALYTIC))
    theirs = diff_diff.ImputationDiD().fit(rows(case.panel), survey_design=survey(case), **COLUMNS)
    plain = not case.weighted
    found = Found()
    pair = (theirs.overall_att, theirs.overall_se)
    found.add("att", ours["att", None], pair, std_errors=plain)
    for kind, term, column in (("event_study", "event", "event_time"), ("group", "group", "label")):
        for row in theirs.aggregate(kind).to_dataframe().to_dict("records"):
            if np.isfinite(row["se"]) and (term == "group" or row[column] >= 0):
                label, pair = int(row[column]), (row["att"], row["se"])
                found.add((term, label), ours[term, label], pair, std_errors=plain)
    return found


def imputation_written_out(case: Case) -> Found:
    """Theorem 3 cell by cell with the clusters of the panel, as Stata did_imputation sums them."""
    ours = values(imputation(case.panel, inference=PLAIN))
    dense = Dense(case.panel)
    found = Found()
    for name, mask in dense.masks(case.panel).items():
        omega = dense.average(mask)
        pair = (omega @ dense.tau, conservative(dense, case.panel, omega, "cohort_event"))
        found.add(name, ours[name], pair)
    return found


def two_stage_diff_diff(case: Case) -> Found:
    ours = values(two_stage(case.panel, inference=PLAIN))
    theirs = diff_diff.TwoStageDiD(cluster=cluster(case)).fit(
        rows(case.panel), survey_design=survey(case), **COLUMNS
    )
    found = Found()
    found.add("att", ours["att", None], (theirs.overall_att, theirs.overall_se))
    for row in theirs.aggregate("event_study").to_dataframe().to_dict("records"):
        if row["event_time"] >= 0 and np.isfinite(row["se"]):
            label = int(row["event_time"])
            found.add(label, ours["event", label], (row["att"], row["se"]))
    return found


def two_stage_pyfixest(case: Case) -> Found:
    """Only panels in which every unit and period keeps two untreated cells: see
    ``parity_panels.first_stage_is_whole``."""
    frame = rows(case.panel).assign(treated=lambda frame: frame["d"].astype(int))
    theirs = pyfixest.did2s(
        frame,
        yname="y",
        first_stage="~ 0 | unit + time",
        second_stage="~ i(treated, ref=0)",
        treatment="treated",
        cluster="cluster",
        weights="w" if case.weighted else None,
    )
    found = Found()
    pair = (theirs.coef().iloc[0], theirs.se().iloc[0])
    found.add("att", two_stage(case.panel, inference=PLAIN).att, pair)
    return found


def etwfe_diff_diff(case: Case) -> Found:
    """Cells with weights, cells and averages without: diff-diff averages cells by their rows."""
    found = Found()
    panel = cut(case.panel)
    for group in ("not_yet_treated", "never_treated"):
        ours = values(etwfe(panel, control_group=group, inference=ANALYTIC))
        theirs = diff_diff.WooldridgeDiD(cluster=cluster(case), control_group=group).fit(
            rows(panel), survey_design=survey(case), **COLUMNS
        )
        plain = not case.weighted
        for (g, t), cell in theirs.group_time_effects.items():
            name = ("att_gt", int(g), int(t))
            found.add((group, *name), ours[name], (cell["att"], cell["se"]), std_errors=plain)
        if plain:
            pair = (theirs.overall_att, theirs.overall_se)
            found.add((group, "att"), ours["att", None], pair)
            for kind in ("event", "group", "calendar"):
                mean = theirs.aggregate(kind)
                name = "event_study_effects" if kind == "event" else f"{kind}_effects"
                for label, row in getattr(mean, name).items():
                    if np.isfinite(row["se"]):
                        pair = (row["att"], row["se"])
                        found.add((group, kind, label), ours[kind, int(label)], pair)
    return found


def stacked_diff_diff(case: Case) -> Found:
    found = Found()
    panel = clustered_by_unit(case.panel)
    for group in ("not_yet_treated", "never_treated") if case.never else ("not_yet_treated",):
        options = {"control_group": group, "window": (-1, 1), "inference": ANALYTIC}
        ours = values(stacked(panel, **options))
        theirs = diff_diff.StackedDiD(
            kappa_pre=1, kappa_post=1, control_group=group, df_convention="cluster"
        ).fit(rows(panel), **COLUMNS)
        found.add((group, "att"), ours["att", None], (theirs.overall_att, theirs.overall_se))
        for e, effect in theirs.event_study_effects.items():
            if e != -1:
                pair = (effect["effect"], effect["se"])
                found.add((group, e), ours["event", int(e)], pair)
    return found


def local_projections_diff_diff(case: Case) -> Found:
    """Points and errors, with equal weights too; where units are weighted the points only."""
    found = Found()
    plain = not case.weighted
    chosen = [(False, "never_treated" if case.never else "not_yet_treated")]
    chosen += [(True, "not_yet_treated")] if plain else []
    for reweight, group in chosen:
        ours = values(
            local_projections(
                case.panel, control_group=group, window=(-2, 1), reweight=reweight, inference=ANALYTIC
            )
        )
        theirs = diff_diff.LPDiD(
            pre_window=2,
            post_window=1,
            reweight=reweight,
            control_group="clean" if group == "not_yet_treated" else group,
            cluster="cluster" if plain else None,
        ).fit(
            as_frame(case.panel).astype({"d": int}),
            outcome="y",
            unit="unit",
            time="time",
            treatment="d",
            survey_design=survey(case),
        )
        pooled = theirs.pooled.set_index("window").loc["post"]
        pair = (pooled["coefficient"], pooled["se"])
        found.add((reweight, group, "att"), ours["att", None], pair, std_errors=plain)
        for row in theirs.event_study.query("horizon != -1").to_dict("records"):
            name, pair = row["horizon"], (row["coefficient"], row["se"])
            found.add((reweight, group, name), ours["event", name], pair, std_errors=plain)
    return found


def synthetic_did_diff_diff(case: Case) -> Found:
    """One cohort at a time, as diff-diff has no staggered form, on the units observed throughout.

    The jackknife keeps the weights and can be equal; placebo errors are compared elsewhere.
    """
    panel = whole(cut(case.panel))
    panel = replace(clustered_by_unit(panel), weight=np.ones(panel.y.shape), weighted=False)
    found = Found()
    for g in sorted({int(year) for year in panel.cohort if year > panel.periods[1]}):
        one = panel.keep_units(np.isin(panel.cohort, [0, g]))
        one = one.keep_units(np.argsort(one.cohort, kind="stable"))
        one = clustered_by_unit(replace(one, units=np.arange(len(one.units))))
        several = (one.cohort > 0).sum() > 1
        kind = "jackknife" if several else "placebo"
        frame = as_frame(one)
        theirs = diff_diff.SyntheticDiD(variance_method=kind, n_bootstrap=9, seed=1).fit(
            frame.assign(treated=(frame["cohort"] > 0).astype(int)),
            outcome="y",
            treatment="treated",
            unit="unit",
            time="time",
            post_periods=[int(t) for t in one.periods if t >= g],
        )
        ours = synthetic_did(one, donor_errors=kind, inference=ANALYTIC)
        found.add(g, ours.att, (theirs.att, theirs.se), std_errors=several)
    return found


def dcdh_moderndid(case: Case) -> Found:
    """Effects everywhere, placebos on units observed throughout; units as clusters.

    A placebo of moderndid 0.2 may use units without the outcome of the effect of its length,
    which the authors' command leaves out. Years that the panel lacks are rows without outcome.
    """
    found = Found()
    cases = [(cut(case.panel), 0)]
    if case.missing:
        cases.append((whole(cut(case.panel)), 2))
    for panel, placebos in cases if case.missing else [(cut(case.panel), 2)]:
        theirs = moderndid.did_multiplegt(
            data=on_every_year(panel),
            yname="y",
            tname="time",
            idname="unit",
            dname="d",
            effects=4,
            placebo=placebos,
            weightsname="w" if case.weighted else None,
        )
        ours = values(dcdh(clustered_by_unit(panel), inference=ANALYTIC))
        blocks = [block for block in (theirs.effects, theirs.placebos) if block is not None]
        for block in blocks:
            for h, *pair in zip(block.horizons, block.estimates, block.std_errors, strict=True):
                if np.isfinite(pair[0]):
                    found.add((placebos, h), ours["event", int(h) - 1], pair)
    return found


def goodman_bacon_diff_diff(case: Case) -> Found:
    panel = whole(case.panel)
    theirs = diff_diff.BaconDecomposition(weights="exact").fit(
        rows(panel), survey_design=survey(case), **COLUMNS
    )
    never_labels = {np.inf: 0, "never_treated": 0}
    expected = {
        (int(pair.treated_group), int(never_labels.get(pair.control_group, pair.control_group))): (
            pair.weight,
            pair.estimate,
        )
        for pair in theirs.comparisons
    }
    ours = {
        (part.treated, part.comparison): (part.weight, part.estimate)
        for part in goodman_bacon(panel, inference=ANALYTIC).details.comparisons
    }
    assert ours.keys() == expected.keys()
    found = Found()
    for name, (weight, estimate) in ours.items():
        found.points["weight", *name] = (weight, expected[name][0])
        found.points["estimate", *name] = (estimate, expected[name][1])
    return found


def twfe_weights_diff_diff(case: Case) -> Found:
    theirs = diff_diff.twowayfeweights(
        rows(case.panel).astype({"d": int}),
        outcome="y",
        unit="unit",
        time="time",
        treatment="d",
        survey_design=survey(case),
    )
    ours = twfe_weights(case.panel, inference=ANALYTIC)
    found = Found()
    found.points["share"] = (ours.details.extras["share_negative"], theirs.fraction_negative)
    found.points["sigma"] = (ours.details.extras["sigma_fe"], theirs.sigma_fe)
    found.points["beta"] = (ours.att[0], theirs.beta_fe)
    return found
