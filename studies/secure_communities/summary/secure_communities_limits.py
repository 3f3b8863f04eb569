"""What moves the findings on Secure Communities, what they cannot say, and what others found."""

from __future__ import annotations

from replication.display import formatting
from replication.report.summary.numbers import Effect, Numbers
from replication.report.summary.phrases import many, moved, spread, verb
from studies.secure_communities.summary.secure_communities_specs import (
    INDEX,
    OFFENCES,
    OUTCOMES,
    POPULATION,
    by_outcome,
    two_way,
)

LEAVE_OUT = "analyses/leave_out.csv"
LEAVE_OUT_TRENDS = "analyses/leave_out_trends.csv"
LOWEST_RATE = 0.5
DETECTABLE = "analyses/detectable.csv"
SPLITS = {
    "hispanic_high": "a high Hispanic share",
    "noncitizen_high": "a high noncitizen share",
    "mexican_border": "a place on the Mexican border",
    "large": "many people",
    "early": "early activation",
}
REPORTING = {
    "with effects of county and year": f"sc_reporting__coverage_indicator__none__{POPULATION}",
    "with county trends": f"sc_reporting__coverage_indicator__unit_linear__{POPULATION}",
    "without Alabama, Illinois and New York City, where reporting broke": (
        "sc_reporting_without__coverage_indicator__none"
    ),
}
RULES = (
    "coverage_loose-True",
    "coverage_90-True",
    "coverage_95-True",
    "coverage_canonical-True-agencies_constant-True",
)
TIMING = {
    "from the first full year": "sc_cohort__log_rate_index__first_full_period__none",
    "by the mid-year rule": "sc_cohort__log_rate_index__mid_year__none",
    "from the year of activation": "sc_cohort__log_rate_index__calendar_period__none",
    "from the state's first activation": "sc_state_first__log_rate_index__none",
}
COMPARISONS = {
    "the last quarter to activate": f"sc_group_time__log_rate_index__{POPULATION}",
    "the last half": f"sc_half__log_rate_index__{POPULATION}",
    "all not yet treated": f"sc_not_yet__log_rate_index__{POPULATION}",
    "the county across the state border": "sc_border_pairs__log_rate_index__border_pair_by_time",
}


def what_moves_them(numbers: Numbers) -> list[str]:
    """One bullet a choice."""
    return [
        "\n".join(
            f"- {line}"
            for line in (
                weights(numbers),
                states(numbers),
                timing(numbers),
                comparison(numbers),
                coverage(numbers),
                second_source(numbers),
                splits(numbers),
                neighbours(numbers),
            )
        )
    ]


def weights(numbers: Numbers) -> str:
    """Average person against average county."""
    plain = by_outcome(numbers, "sc_twfe__log_rate_{}__none__none")
    return (
        f"**Weights.** Where counties count alike, {moved(plain, numbers.percent)}, with effects "
        "of county and year: another average, of counties and not of people."
    )


def states(numbers: Numbers) -> str:
    """The estimate without each state."""
    parts = []
    for name, words in ((LEAVE_OUT, "without trends"), (LEAVE_OUT_TRENDS, "with county trends")):
        rows = numbers.frame(name, group="Without one state")
        every = {label: numbers.line(name, label=label) for label in rows["label"]}
        whole = numbers.line(name, label="All counties")
        low, high = spread(every.values())
        turned = [label for label, one in every.items() if one.direction != whole.direction]
        shown = formatting.listed(
            f"without {label} it {verb(every[label])} ({numbers.percent(every[label])})" for label in turned
        )
        parts.append(
            f"{words} the index estimate lies between {numbers.percent(low)} and "
            f"{numbers.percent(high)} when one state is left out, and "
            + (
                f"what it says turns with {many(len(turned), 'state')}: {shown}"
                if turned
                else "no state changes what it says"
            )
        )
    return f"**States.** {formatting.sentence('; '.join(parts))}"


def timing(numbers: Numbers) -> str:
    """When treatment starts."""
    effects = {label: numbers.effect(spec) for label, spec in TIMING.items()}
    lead = numbers.effect("sc_lead__log_rate_index__none", "coef:share_of_year_next")
    early = {0: "does not move", 1: "rises", -1: "falls"}[lead.direction]
    return (
        "**Timing.** Treatment counted otherwise gives "
        f"{_listed(effects, numbers)}. In the year before activation crime {early} "
        f"(coefficient of the next year's share {numbers.percent(lead)})."
    )


def comparison(numbers: Numbers) -> str:
    """Who is compared with whom."""
    effects = {label: numbers.effect(spec) for label, spec in COMPARISONS.items()}
    return f"**Comparison**, index crimes: {_listed(effects, numbers)}."


def _listed(effects: dict[str, Effect], numbers: Numbers) -> str:
    return formatting.listed(f"{numbers.percent(one)} ({label})" for label, one in effects.items())


def coverage(numbers: Numbers) -> str:
    """Whether reporting responds, and what rules and missing agencies do to the estimate."""
    response = {label: numbers.effect(spec) for label, spec in REPORTING.items()}
    rules = [numbers.effect(f"sc_coverage__log_rate_index__none__{rule}") for rule in RULES]
    low, high = spread(rules)
    clear = sum(one.direction != 0 for one in rules)
    name = "analyses/missing_agency_bounds.csv"
    where = {"label": "Index", "k_low": LOWEST_RATE, "assumption": "by_cell"}
    ends = [numbers.log_percent(numbers.cell(name, key, **where)) for key in ("low", "high")]
    times = [numbers.fixed(numbers.cell(name, key, **where), 1) for key in ("k_low", "k_high")]
    return (
        "**Reporting.** In all counties, screened or not, activation moves the coverage indicator "
        "(0 to 100) by "
        + formatting.listed(f"{numbers.points(one, 1)} {label}" for label, one in response.items())
        + f": {_response(list(response.values()))}. Other coverage rules put the index estimate "
        f"between {numbers.percent(low)} and {numbers.percent(high)} ({clear} of {len(rules)} "
        f"intervals leave zero out). If agencies that did not report had rates {times[0]} to "
        f"{times[1]} times those that did, in any county and year, the estimate lies between "
        f"{ends[0]} and {ends[1]}."
    )


def _response(effects: list[Effect]) -> str:
    clear = [one for one in effects if one.direction]
    if not clear:
        return "no response beyond chance"
    return (
        "it does respond"
        if len(clear) == len(effects)
        else "it depends on trends and places whether this is more than chance"
    )


def second_source(numbers: Numbers) -> str:
    """The other file of the same years."""
    spec = "sc_source_overlap__nacjd_log_rate_index"
    ours = numbers.effect(spec)
    other = numbers.effect("sc_source_overlap__log_rate_index")
    same = "the same" if ours.direction == other.direction else "not the same"
    return (
        f"**Source and years.** On the years that both sources have, {numbers.years(spec)}, the "
        f"index estimate is {numbers.percent(ours)} in these files and {numbers.percent(other)} in "
        f"Kaplan's: what they say is {same}, and with fewer years before activation it is another "
        "estimate than the first one."
    )


def splits(numbers: Numbers) -> str:
    """Interactions that were fixed in advance."""
    clear, tested = [], 0
    for column, words in SPLITS.items():
        for outcome, name in OUTCOMES.items():
            spec = f"sc_interaction_{column}__log_rate_{outcome}__{column}_by_time"
            effect = numbers.effect(spec, f"coef:share_of_year_x_{column}")
            tested += 1
            if effect.direction:
                clear.append(f"{words} for {name} ({numbers.percent(effect)})")
    found = formatting.listed(clear) if clear else "none of them"
    return (
        f"**Where.** Of {tested} interactions fixed in advance (three outcomes by "
        f"{formatting.listed(SPLITS.values())}), the difference leaves zero out for {found}; no "
        "adjustment is made for their number."
    )


def neighbours(numbers: Numbers) -> str:
    """Effects by what the neighbours do."""
    name, block = "analyses/spillover_sums.csv", "Index, log rate"
    alone, together = (
        numbers.line(name, block=block, label=f"Own activation, {which}")
        for which in ("no neighbour active", "all neighbours active")
    )
    return (
        f"**Neighbours.** A county's own activation goes with {numbers.percent(alone)} where no "
        f"neighbour is active and with {numbers.percent(together)} where all are, without trends."
    )


def limits(numbers: Numbers) -> list[str]:
    """What these files cannot carry."""
    return [
        missed(numbers),
        "These are offences that came to the notice of the police and were passed on: fewer "
        "reports by victims and fewer offences look the same. Part 4 of the county files has no "
        "arrests and no ethnicity of victims or offenders, so neither the conduct of the police "
        "nor crime against Hispanic people can be seen in them; the monthly files and the "
        "homicide reports are other studies of this package. The comparison counties were "
        "activated soon after, so nothing is said about later years; and nothing links a fall to "
        "deportations rather than to what else set early counties apart.",
    ]


def missed(numbers: Numbers) -> str:
    """Detectable effects by outcome."""
    shown = []
    for group in ("County and year effects", "With county trends"):
        found = {
            name: numbers.cell(DETECTABLE, "percent", group=group, label=label)
            for label, name in (("Index", "index"), ("Violent", "violent"), ("Murder", "murder"))
        }
        shown.append(
            formatting.listed(f"{numbers.fixed(one, 1, '%')} for {name}" for name, one in found.items())
        )
    where = {"group": "County and year effects", "label": "Index"}
    power, level = (numbers.share(numbers.cell(DETECTABLE, key, **where)) for key in ("power", "size"))
    drawn = numbers.fixed(numbers.cell(DETECTABLE, "percent_by_permutation", **where), 1, "%")
    return (
        f"**How large an effect could have been missed.** With probability {power} a test at "
        f"{level} would have found a fall of {shown[0]} without trends, and of {shown[1]} with "
        f"county trends; by the draws in which states exchange their schedules, of {drawn} for "
        "index crimes. Smaller effects are neither found nor ruled out."
    )


def with_papers(numbers: Numbers) -> list[str]:
    """Rows of the published table that bear on the findings, with ours beside them."""
    ours, lined = numbers.effect(INDEX), numbers.effect(two_way("index", "unit_linear"))
    groups = numbers.effect(f"sc_group_time__log_rate_index__{POPULATION}")
    product = numbers.effect(
        "sc_spillover__log_rate_index__none__neighbours_share_of_year-share_of_year_x_neighbours",
        "coef:share_of_year_x_neighbours",
    )
    state = numbers.effect("sc_state_ahead__log_rate_index__none", "coef:state_ahead_share")
    rows = [
        ("Miles and Cox (2014), without county trends", "Index, county and month effects", ours),
        ("Miles and Cox (2014), with county trends", "Index, with county trends", lined),
        ("Treyger, Chalfin and Loeffler (2014)", "Crime; here with county trends", lined),
        (
            "Hines and Peri (2019)",
            "Hines and Peri (2019), deportation rate instrumented by the rollout; here with county trends",
            lined,
        ),
        (
            "Goncalves, Jacome and Weisburst (2024), reported crime",
            "Goncalves, Jacome and Weisburst (2024), total reported crime",
            groups,
        ),
        (
            "Kang and Song (2021), with the neighbours active too",
            "Kang and Song (2021), crime where the neighbours are active too",
            product,
        ),
        (
            "Vargas-Nunez et al. (2026), enforcement; here crime between the state's first activation "
            "and the county's",
            "Vargas-Nunez et al. (2026), enforcement before activation",
            state,
        ),
    ]
    lines = ["| Paper | Reported | Here, index crimes |", "| --- | --- | ---: |"]
    lines += [
        f"| {paper} | {numbers.quote(numbers.reported(label))} | {numbers.percent(effect)} |"
        for paper, label, effect in rows
    ]
    hidden = [
        numbers.quote(numbers.reported(f"Goncalves, Jacome and Weisburst (2024), {what}"))
        for what in ("Hispanic victimisation", "reporting by Hispanic victims")
    ]
    return [
        "\n".join(lines),
        f"{by_offence(numbers)} Their designs differ from ours: months or municipalities, other "
        "windows, weights and clusters, which their tables, not available here, would have told. "
        f"Goncalves, Jacome and Weisburst (2024) find {hidden[0]} for Hispanic victimisation and "
        f"{hidden[1]} for reporting by Hispanic victims: offsetting moves that no count of "
        "reported crime can show.",
    ]


def by_offence(numbers: Numbers) -> str:
    """The offences of the abstract of Miles and Cox, with county trends."""
    reported = numbers.reported("Robbery (abstract); here with county trends")
    named = ("murder", "rape", "robbery", "aggravated_assault")
    effects = {OFFENCES[key]: numbers.effect(two_way(key, "unit_linear")) for key in named}
    return (
        f"For the offences of which the abstract of Miles and Cox (2014) reports "
        f"{numbers.quote(reported)}, here with county trends {moved(effects, numbers.percent)}, "
        "each by itself."
    )
