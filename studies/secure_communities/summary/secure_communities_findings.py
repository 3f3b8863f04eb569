"""Findings of the summary of Secure Communities: the table, then one paragraph a question."""

from __future__ import annotations

from replication.display import formatting
from replication.report.summary.numbers import ESTIMATES, Effect, Numbers, Value
from replication.report.summary.phrases import LEVEL, changed, excludes, moved, spread
from studies.secure_communities.summary.secure_communities_specs import (
    ESTIMATORS,
    OFFENCES,
    OUTCOMES,
    POPULATION,
    by_outcome,
    robust,
    two_way,
)

COLUMNS = {
    "Two-way": f"sc_twfe__log_rate_{{}}__none__{POPULATION}",
    "State by year": f"sc_twfe__log_rate_{{}}__state_by_time__{POPULATION}",
    "County trends": f"sc_twfe__log_rate_{{}}__unit_linear__{POPULATION}",
    "Group-time": f"sc_group_time__log_rate_{{}}__{POPULATION}",
    "Imputation, county trends": f"sc_imputation_trends__log_rate_{{}}__{POPULATION}",
}
GROUP_TIME_PATH = {"group": "Index crimes, log rate", "label": "Group-time, weighted"}
PRETRENDS = "analyses/pretrends.csv"
ROBUST = "analyses/robust_intervals.csv"
STEPDOWN = "analyses/offences_stepdown.csv"
INFERENCE = "analyses/inference.csv"


def findings(numbers: Numbers) -> list[str]:
    """Table and paragraphs."""
    return [
        table(numbers),
        trends(numbers),
        lines_before(numbers),
        parallel(numbers),
        uncertainty(numbers),
        offences(numbers),
        curve(numbers),
    ]


def in_short(numbers: Numbers) -> list[str]:
    """The findings in a paragraph."""
    before = by_outcome(numbers, COLUMNS["Two-way"])
    after = by_outcome(numbers, COLUMNS["County trends"])
    p_value = numbers.cell(PRETRENDS, "pretrend_p_value", **GROUP_TIME_PATH)
    line = numbers.line(ROBUST, panel="Index: smoothness", m=0.0)
    rejected = p_value.value < LEVEL
    earlier = (
        "But crime moved differently there before the programme began"
        if rejected
        else "A different course of crime before the programme began is not found"
    )
    enough = (
        "and once a straight line before activation is taken out, what is left may be chance"
        if line.direction == 0
        else "and an effect is left once a straight line before activation is taken out"
    )
    test = numbers.p(float(p_value.value), p_value.source)
    return [
        f"Where Secure Communities was switched on, {moved(before, numbers.percent)}, compared "
        f"with counties where it was not yet. {changed(before, after, 'County trends')} {earlier} "
        f"({test} for index crimes, group-time), {enough} "
        f"({numbers.interval(line)} for index crimes). These files can bound an effect on reported "
        "crime; they cannot tell it for certain from what else set early counties apart."
    ]


def table(numbers: Numbers) -> str:
    """Three outcomes by five designs."""
    lines = ["| | " + " | ".join(COLUMNS) + " |", "| --- |" + " ---: |" * len(COLUMNS)]
    for key, name in OUTCOMES.items():
        cells = [numbers.percent(numbers.effect(pattern.format(key))) for pattern in COLUMNS.values()]
        lines.append(f"| {formatting.sentence(name).rstrip('.')} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def trends(numbers: Numbers) -> str:
    """Two-way effects without and with county trends: the published dispute."""
    before = by_outcome(numbers, COLUMNS["Two-way"])
    after = by_outcome(numbers, COLUMNS["County trends"])
    within = by_outcome(numbers, COLUMNS["State by year"])
    return (
        f"**Trends against no trends.** {changed(before, after, 'County trends')} "
        f"{changed(before, within, 'Effects of state by year, which compare inside states only,')}"
    )


def lines_before(numbers: Numbers) -> str:
    """Robust estimators without trends and with lines from untreated years."""
    every = {label: numbers.effect(robust(name, "index")) for name, label in ESTIMATORS.items()}
    low, high = spread(every.values())
    clear = sum(effect.direction != 0 for effect in every.values())
    two = numbers.effect(two_way("index", "unit_linear"))
    fitted = {
        "imputation": numbers.effect(f"sc_imputation_trends__log_rate_index__{POPULATION}"),
        "de-trended group-time effects": numbers.effect(
            f"sc_group_time_trends__log_rate_index__{POPULATION}"
        ),
    }
    shown = formatting.listed(f"{numbers.percent(one)} ({name})" for name, one in fitted.items())
    return (
        f"**Estimators that let effects differ and grow.** {len(every)} of them put the index "
        f"effect between {numbers.percent(low)} and {numbers.percent(high)}; {clear} intervals "
        "leave zero out. The two-way estimate with trends fits the lines to treated years as well "
        f"and gives {numbers.percent(two)}. With lines from untreated years only the effect is "
        f"{shown}. {verdict_on_lines(two, fitted)}"
    )


def verdict_on_lines(two: Effect, fitted: dict[str, Effect]) -> str:
    """Whether the null with trends is the estimator's or the trends'."""
    clear = [one.direction for one in fitted.values()]
    if two.direction == 0 and all(clear):
        return (
            "So the null with trends comes in part from how the two-way regression fits them: an "
            "effect that grows is taken for a trend. These estimators in turn take any bend of "
            "untreated crime for an effect."
        )
    if two.direction == 0 and any(clear):
        return "Whether trends take the effect away depends on how the lines are fitted."
    if two.direction == 0:
        return "However the lines are fitted, no effect is left that chance would not make."
    return "The two-way estimate with trends leaves zero out itself."


def parallel(numbers: Numbers) -> str:
    """Pre-trends of the group-time event study, and what they allow to say."""
    said = []
    for name, heading in (("index", "Index"), ("violent", "Violent")):
        where = {"group": f"{heading} crimes, log rate", "label": "Group-time, weighted"}
        p_value = numbers.cell(PRETRENDS, "pretrend_p_value", **where)
        bound = numbers.cell(PRETRENDS, "breakdown_relative_magnitudes", **where)
        line = numbers.line(ROBUST, panel=f"{heading}: smoothness", m=0.0)
        rejects = "are rejected" if p_value.value < LEVEL else "are not rejected"
        said.append(
            f"For {OUTCOMES[name]} parallel trends before activation {rejects} "
            f"({numbers.p(float(p_value.value), p_value.source)}); the average effect from "
            f"activation on leaves zero out as long as violations afterwards stay below "
            f"{numbers.fixed(bound)} times the largest change from year to year before; once a "
            f"straight line is taken out its interval, {numbers.interval(line)}, {excludes(line)}."
        )
    plain = numbers.cell(
        PRETRENDS,
        "pretrend_p_value",
        group="Index crimes, log rate",
        label="Group-time, unweighted",
    )
    unlike = "are rejected too" if plain.value < LEVEL else "are not rejected"
    said.append(
        f"Where counties count alike, parallel trends of index crimes {unlike} "
        f"({numbers.p(float(plain.value), plain.source)})."
    )
    return "**Before activation.** " + " ".join(said)


def uncertainty(numbers: Numbers) -> str:
    """How the p-value moves with the way to measure uncertainty."""
    said = []
    for heading, name in (("Index", "index crimes"), ("Violent", "violent crimes")):
        group = f"{heading}, log rate"
        rows = numbers.frame(INFERENCE, group=group).sort_values("p_value")
        ends = [
            f"{numbers.p(float(row['p_value']), _row(group, row['label']))} ({row['label']})"
            for _, row in (rows.iloc[[0, -1]]).iterrows()
        ]
        above = int((rows["p_value"] > LEVEL).sum())
        verdict = f"none above {LEVEL}" if not above else f"{above} above {LEVEL}"
        said.append(f"for {name} from {ends[0]} to {ends[1]} in {len(rows)} ways, {verdict}")
    return (
        "**Uncertainty.** Most states were switched on by few dates, so clusters by state are "
        f"the default. By the way it is measured, p-values of the estimate without trends run "
        f"{formatting.listed(said)}."
    )


def _row(group: str, label: str) -> str:
    return f"{INFERENCE}, group {group}, label {label}, p_value"


def offences(numbers: Numbers) -> str:
    """Offences that move, with p-values that hold for all seven at once."""
    found = []
    for trend, words in (("none", "without trends"), ("unit_linear", "with county trends")):
        kept = []
        for key, name in OFFENCES.items():
            p_value = numbers.cell(STEPDOWN, "p_romano_wolf", spec_id=two_way(key, trend))
            if p_value.value < LEVEL:
                effect = numbers.effect(two_way(key, trend))
                adjusted = numbers.p(float(p_value.value), p_value.source)
                kept.append(f"{name} {numbers.percent(effect)} ({adjusted})")
        listed = f"are clear for {formatting.listed(kept)}" if kept else "are clear for none"
        found.append(f"{words} effects {listed}")
    return f"**By offence**, with Romano-Wolf p-values for the seven offences at once: {'; '.join(found)}."


def curve(numbers: Numbers) -> str:
    """All combinations of choices."""
    rows = numbers.bundle[numbers.bundle["spec_id"].str.startswith("curve_")]
    below, above = rows["conf_high"] < 0, rows["conf_low"] > 0
    lined = rows["spec_id"].str.contains("unit_linear|_trends_")
    source = f"{ESTIMATES}, spec ids `curve_*`, term att"

    def count(value: float, what: str) -> str:
        """A number of specifications, with its source."""
        return numbers.count(Value(value, f"{source}, {what}"))

    middle = numbers.log_percent(Value(rows["estimate"].median(), f"{source}, median"))
    return (
        f"**Every combination** of outcome, estimator, trends, weights, timing, comparison and "
        f"coverage: of {count(len(rows), 'rows')} specifications "
        f"{count((rows['estimate'] < 0).sum(), 'negative estimates')} are negative, "
        f"{count(below.sum(), 'intervals below zero')} with an interval below zero and "
        f"{count(above.sum(), 'intervals above zero')} with one above; the median is {middle}. "
        f"Of the {count(lined.sum(), 'with county trends')} with county trends "
        f"{count((below & lined).sum(), 'with county trends, intervals below zero')} leave zero "
        "out below. Specifications are not independent, so these are counts, not tests."
    )
