"""The summary of Secure Communities and crime: question, data, design, then findings and limits."""

from __future__ import annotations

from collections.abc import Iterator

from replication.display import formatting
from replication.report.summary.numbers import Effect, Numbers, Value
from studies.secure_communities.summary.secure_communities_findings import findings, in_short
from studies.secure_communities.summary.secure_communities_limits import limits, what_moves_them, with_papers
from studies.secure_communities.summary.secure_communities_specs import GROUP_TIME, INDEX, POPULATION

INTRODUCTION = (
    "Written by the pipeline from its results: each result has a footnote that names its "
    "specification (the id in `tables/secure_communities/estimates.csv`) or its file, and which "
    "sentence stands follows the signs and intervals of these numbers. Effects are "
    "changes of the offence rate in per cent with 95 per cent intervals in brackets; one that "
    "\N{LEFT DOUBLE QUOTATION MARK}fell\N{RIGHT DOUBLE QUOTATION MARK} or "
    "\N{LEFT DOUBLE QUOTATION MARK}rose\N{RIGHT DOUBLE QUOTATION MARK} has an interval that "
    "leaves zero out. A dagger (\N{DAGGER}) marks a secondary figure, not read in the "
    "publication's own table."
)
ROLLOUT = "clean/rollout.csv"
FLOW = "clean/sample_flow.csv"
TOP = 3


def sections(numbers: Numbers) -> Iterator[tuple[str, list[str]]]:
    """Headings with their paragraphs, in order."""
    yield "", [INTRODUCTION]
    yield "In short", in_short(numbers)
    yield "Question", question(numbers)
    yield "Data", data(numbers)
    yield "Design", design(numbers)
    yield "Findings", findings(numbers)
    yield "What moves them", what_moves_them(numbers)
    yield "What cannot be said", limits(numbers)
    yield "The papers and their neighbours", with_papers(numbers)


def question(numbers: Numbers) -> list[str]:
    """What was asked, and why the answer is in dispute."""
    rollout = numbers.frame(ROLLOUT)
    first, last = (
        numbers.words(Value(rollout["date"].iloc[place], f"{ROLLOUT}, {name} row, date"))
        for place, name in ((0, "first"), (-1, "last"))
    )
    dated = numbers.count(Value(rollout["counties"].iloc[-1], f"{ROLLOUT}, last row, counties"))
    without = numbers.quote(numbers.reported("Index, county and month effects"))
    trends = numbers.quote(numbers.reported("Index, with county trends"))
    police = numbers.quote(numbers.reported("Crime; here with county trends"))
    return [
        "Secure Communities sent the fingerprints of everyone booked into a local jail to the "
        f"federal immigration database. It was switched on county by county, from {first} to "
        f"{last}, in {dated} counties. Did it lower crime? Miles and Cox (2014) report for index "
        f"crimes {without} with effects of county and month, and {trends} once every county has "
        f"a linear trend; Treyger, Chalfin and Loeffler (2014) report {police} for municipal "
        "police. The published null rests on the trends, so trends are the centre here."
    ]


def data(numbers: Numbers) -> list[str]:
    """Where the numbers come from, and who is left after the rules of coverage."""
    flow = numbers.frame(FLOW)
    raw = numbers.count(Value(flow["counties_after"].iloc[0], f"{FLOW}, first row, counties_after"))
    counties = numbers.count(Value(flow["counties_after"].iloc[-1], f"{FLOW}, last row, counties_after"))
    people = numbers.fixed(
        Value(flow["people_after"].iloc[-1] / 1e6, f"{FLOW}, last row, people_after"), 1, " million"
    )
    rules = formatting.listed(
        numbers.words(Value(flow["rule"].iloc[place], f"{FLOW}, {name} row, rule"))
        for place, name in ((-2, "last but one"), (-1, "last"))
    )
    illinois = numbers.cell("analyses/leave_out.csv", "units_left_out", label="Illinois")
    left = "leave no county of Illinois" if not illinois.value else "leave counties of Illinois"
    return [
        f"Offences known to the police by county and year, {numbers.years(INDEX)} (ICPSR/NACJD, "
        "part 4), with Census populations and the agency's dates of activation. Of "
        f"{raw} counties in the raw files {counties}, with {people} people, are kept; the rules "
        f"that cost most are: {rules}. They {left} ({numbers.count(illinois)}). Log rates need a "
        f"positive count in every year ({numbers.count(numbers.about(INDEX, 'n_units'))} counties "
        f"for index crimes). {two_lists(numbers)}"
    ]


def two_lists(numbers: Numbers) -> str:
    """How the two transcriptions of the dates differ, and the headline under both."""
    name = "analyses/transcription_agreement.csv"
    same, other = (
        numbers.count(numbers.cell(name, "counties", agreement=kind))
        for kind in ("The same month", "Another month")
    )
    where = numbers.words(numbers.cell(name, "where", agreement="Another month"))
    second = numbers.percent(numbers.effect("sc_alternative_dates__log_rate_index__none"))
    return (
        f"Two independent transcriptions of the dates agree on the month for {same} counties and "
        f"differ for {other} (in {where}); with the second one the first estimate below is "
        f"{second}."
    )


def design(numbers: Numbers) -> list[str]:
    """What is compared, and which counties identify the effect."""
    clusters = numbers.count(numbers.about(INDEX, "n_clusters"))
    comparison, left_out = (
        numbers.count(numbers.cell("analyses/rollout_by_role.csv", "units", cohort="All", role=role))
        for role in ("Comparison", "Left out")
    )
    study = numbers.study
    return [
        "Two-way regressions of the log rate on the share of the year in which the programme was "
        "active, with effects of county and year, weighted by the "
        f"{study.label(POPULATION)}, errors clustered by the {clusters} states. Estimators that "
        "need a cohort use "
        f"{numbers.years(GROUP_TIME)} and compare with {comparison} "
        f"{study.label('never_treated')}; {left_out} activated shortly before those are left out. "
        f"{identifying(numbers)}"
    ]


def identifying(numbers: Numbers) -> str:
    """Which states carry the estimate."""
    name = "analyses/identifying_states.csv"
    states = numbers.frame(name).sort_values("none_share", ascending=False).head(TOP)
    listed = formatting.listed(
        f"{row.group} " + numbers.share(Value(row.none_share, f"{name}, group {row.group}, none_share"))
        for row in states.itertuples()
    )
    effective = numbers.fixed(
        numbers.cell(
            "analyses/identifying_variation.csv",
            "effective_groups",
            name="County and year effects",
        ),
        0,
    )
    border = without(numbers, "Mexican border")
    return (
        f"**Which counties identify the effect.** The states with most of the variation are "
        f"{listed}; the weight is as concentrated as if {effective} states shared it equally. "
        f"Without the Mexican border the index estimate is {numbers.percent(border)}, without New "
        f"York City {numbers.percent(without(numbers, 'New York City'))}."
    )


def without(numbers: Numbers, label: str) -> Effect:
    """The index estimate without a group of counties."""
    return numbers.line("analyses/leave_out.csv", label=label)
